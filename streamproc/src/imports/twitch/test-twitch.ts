import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/*
 * A strict stand-in for the two calls about a video, written from public descriptions: Helix's Get Videos (dev.twitch.tv/docs/api/reference)
 * and the player's GraphQL call as the tools that use it document it. It refuses whatever a real server would refuse, and misbehaves on
 * demand.
 */
const PAGE = 60;
const HASH = /^[0-9a-f]{64}$/;

export interface TestTwitch {
  readonly url: string;
  /** What the next answers of the GraphQL call are, in place of the right ones. */
  misbehave(...how: Misbehaviour[]): void;
  readonly asked: { offset?: number; cursor?: string; client: string }[];
  close(): Promise<void>;
}
export type Misbehaviour =
  | "429"
  | "500"
  | "cut"
  | "integrity"
  | "null comments"
  | "html"
  | "unknown query"
  | "same cursor";

export async function startTestTwitch(videoId: string, nodes: readonly object[]): Promise<TestTwitch> {
  const queue: Misbehaviour[] = [];
  const asked: TestTwitch["asked"] = [];
  const send = (
    response: ServerResponse,
    status: number,
    body: object,
    headers: Record<string, string> = {},
  ): void => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };

  const graphql = (request: IncomingMessage, response: ServerResponse, body: string): void => {
    const how = queue.shift();
    if (how === "429") return send(response, 429, {}, { "retry-after": "0" });
    if (how === "500") return send(response, 500, {});
    if (how === "cut") return void response.destroy();
    if (how === "html") return void response.writeHead(200, { "content-type": "text/html" }).end("<html>");
    if (how === "integrity")
      return send(response, 200, {
        errors: [{ message: "failed integrity check" }],
        extensions: { challenge: { type: "integrity" } },
      });
    if (how === "unknown query")
      return send(response, 200, { errors: [{ message: "PersistedQueryNotFound" }] });
    if (how === "null comments") return send(response, 200, { data: { video: { comments: null } } });
    const { operationName, variables, extensions } = JSON.parse(body) as {
      operationName: string;
      variables: { videoID: string; contentOffsetSeconds?: number; cursor?: string };
      extensions: { persistedQuery: { version: number; sha256Hash: string } };
    };
    const client = String(request.headers["client-id"] ?? "");
    const { videoID, contentOffsetSeconds: offset, cursor } = variables;
    const oneOfBoth = (offset === undefined) !== (cursor === undefined);
    if (client === "")
      return send(response, 400, { error: "Bad Request", message: 'The "Client-ID" header is missing.' });
    if (
      operationName !== "VideoCommentsByOffsetOrCursor" ||
      extensions.persistedQuery.version !== 1 ||
      !HASH.test(extensions.persistedQuery.sha256Hash) ||
      !oneOfBoth
    )
      return send(response, 200, { errors: [{ message: "invalid request" }] });
    asked.push({ client, ...(offset !== undefined && { offset }), ...(cursor !== undefined && { cursor }) });
    if (videoID !== videoId) return send(response, 200, { data: { video: null } });
    const from = cursor === undefined ? 0 : Number(/^after-(\d+)$/.exec(cursor)?.[1] ?? NaN);
    const edges = nodes.slice(from, from + PAGE).map((node, at) => ({
      cursor: how === "same cursor" ? cursor : `after-${from + at + 1}`,
      node,
      __typename: "VideoCommentEdge",
    }));
    send(response, 200, {
      data: {
        video: {
          id: videoId,
          comments: {
            edges,
            pageInfo: { hasNextPage: from + PAGE < nodes.length, hasPreviousPage: from > 0 },
          },
        },
      },
    });
  };

  const server = createServer((request, response) => {
    void (async () => {
      let body = "";
      for await (const part of request) body += String(part);
      const url = new URL(request.url ?? "/", "http://x");
      if (request.method === "POST" && url.pathname === "/gql") return graphql(request, response, body);
      if (request.method === "POST" && url.pathname === "/oauth2/token") {
        const form = new URLSearchParams(body);
        if (form.get("client_secret") !== "secret")
          return send(response, 403, { message: "invalid client secret" });
        return send(response, 200, { access_token: "token", expires_in: 5_000_000, token_type: "bearer" });
      }
      if (request.method === "GET" && url.pathname === "/helix/videos") {
        if (request.headers.authorization !== "Bearer token" || request.headers["client-id"] !== "client")
          return send(response, 401, {});
        const id = url.searchParams.get("id");
        if (id !== videoId) return send(response, 404, { error: "Not Found", status: 404, message: "" });
        return send(response, 200, {
          data: [
            {
              id,
              stream_id: "43",
              user_id: "655310001",
              user_login: "pepel_lamp",
              user_name: "Pepel_Lamp",
              title: "замок",
              created_at: "2024-05-01T18:00:00Z",
              published_at: "2024-05-01T18:00:00Z",
              viewable: "public",
              type: "archive",
              duration: "3h8m33s",
              muted_segments: [{ duration: 30, offset: 120 }],
            },
          ],
          pagination: {},
        });
      }
      send(response, 404, {});
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    misbehave: (...how) => void queue.push(...how),
    asked,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
