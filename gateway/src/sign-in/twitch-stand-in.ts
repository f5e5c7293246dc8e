import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { freePort } from "@hypecast/tests/servers.ts";

/**
 * A strict stand-in for the part of Twitch that people sign in at, written from its documentation (dev.twitch.tv/docs/authentication): codes
 * and tokens are single things that end, an address has to be the registered one, PKCE is checked where it was begun.
 */
export interface TwitchStandIn {
  readonly env: Record<string, string>;
  /** Channels in which a person moderates, by user id. */
  readonly moderates: Map<string, { id: string; login: string }[]>;
  /** What a person does there: reads what is asked for and says yes. Returns where their browser is sent, or why it is not. */
  allow(authorizeUrl: string, login: string): string;
  /** While set, tokens say that they belong to this application. */
  client: string;
  /** Away: every connection is cut. */
  away: boolean;
  /** Takes back all that a person allowed. */
  takeBack(userId: string): void;
  readonly live: () => number;
  close(): Promise<void>;
}

export const PEOPLE: Readonly<Record<string, string>> = {
  ana: "1001",
  boris: "1002",
  lamp: "4242",
  eve: "6666",
};
const CLIENT = { id: "client0123456789", secret: "secret0123456789" };

interface Code {
  readonly userId: string;
  readonly scopes: string[];
  readonly redirectUri: string;
  readonly challenge: string | null;
}

export async function startTwitch(redirectUris: readonly string[]): Promise<TwitchStandIn> {
  const port = await freePort();
  const codes = new Map<string, Code>();
  const access = new Map<string, { userId: string; scopes: string[] }>();
  const refresh = new Map<string, { userId: string; scopes: string[] }>();
  const random = (): string => randomBytes(15).toString("hex");
  const tokensFor = (userId: string, scopes: string[], again = random()): object => {
    const token = random();
    access.set(token, { userId, scopes });
    refresh.set(again, { userId, scopes });
    return {
      access_token: token,
      refresh_token: again,
      expires_in: 14_000,
      token_type: "bearer",
      ...(scopes.length === 0 ? {} : { scope: scopes }),
    };
  };
  const loginOf = (userId: string): string =>
    Object.entries(PEOPLE).find(([, id]) => id === userId)?.[0] ?? "";

  const twitch: TwitchStandIn = {
    env: {
      TWITCH_ID_URL: `http://127.0.0.1:${port}/oauth2`,
      TWITCH_HELIX_URL: `http://127.0.0.1:${port}/helix`,
      TWITCH_CLIENT_ID: CLIENT.id,
      TWITCH_CLIENT_SECRET: CLIENT.secret,
    },
    moderates: new Map(),
    client: CLIENT.id,
    away: false,
    allow(text, login) {
      const url = new URL(text);
      const asked = url.searchParams;
      const redirectUri = asked.get("redirect_uri") ?? "";
      if (url.pathname !== "/oauth2/authorize" || asked.get("response_type") !== "code")
        throw new Error(`not an authorisation: ${text}`);
      if (asked.get("client_id") !== CLIENT.id) throw new Error("no such client");
      if (!redirectUris.includes(redirectUri)) throw new Error("redirect_mismatch");
      const method = asked.get("code_challenge_method");
      if (method !== null && method !== "S256") throw new Error("unknown challenge method");
      const code = random();
      const scopes = (asked.get("scope") ?? "").split(" ").filter(Boolean);
      const userId = PEOPLE[login];
      if (userId === undefined) throw new Error(`nobody is called ${login}`);
      codes.set(code, { userId, scopes, redirectUri, challenge: asked.get("code_challenge") });
      const back = new URL(redirectUri);
      back.search = new URLSearchParams({
        code,
        scope: scopes.join(" "),
        state: asked.get("state") ?? "",
      }).toString();
      return back.href;
    },
    takeBack(userId) {
      for (const tokens of [access, refresh])
        for (const [token, of] of tokens) if (of.userId === userId) tokens.delete(token);
    },
    live: () => access.size,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };

  const answer = (form: URLSearchParams, path: string, request: IncomingMessage): [number, unknown] => {
    const refused = (status: number, message: string): [number, unknown] => [status, { status, message }];
    const bearer = /^(?:OAuth|Bearer) (\w+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const of = access.get(bearer);
    if (path === "/oauth2/token") {
      if (form.get("client_id") !== CLIENT.id) return refused(400, "invalid client");
      if (form.get("client_secret") !== CLIENT.secret) return refused(403, "invalid client secret");
      if (form.get("grant_type") === "refresh_token") {
        const token = form.get("refresh_token") ?? "";
        const known = refresh.get(token);
        return known === undefined
          ? refused(400, "Invalid refresh token")
          : [200, tokensFor(known.userId, known.scopes, token)];
      }
      const code = codes.get(form.get("code") ?? "");
      codes.delete(form.get("code") ?? "");
      const verifier = createHash("sha256")
        .update(form.get("code_verifier") ?? "")
        .digest("base64url");
      if (
        code === undefined ||
        code.redirectUri !== form.get("redirect_uri") ||
        (code.challenge !== null && code.challenge !== verifier)
      )
        return refused(400, "Invalid authorization code");
      return [200, tokensFor(code.userId, code.scopes)];
    }
    if (path === "/oauth2/revoke") {
      if (form.get("client_id") !== CLIENT.id) return refused(404, "client does not exist");
      return access.delete(form.get("token") ?? "") ? [200, null] : refused(400, "Invalid token");
    }
    if (path === "/oauth2/validate")
      return of === undefined
        ? refused(401, "invalid access token")
        : [
            200,
            {
              client_id: twitch.client,
              login: loginOf(of.userId),
              scopes: of.scopes.length === 0 ? null : of.scopes,
              user_id: of.userId,
              expires_in: 14_000,
            },
          ];
    if (of === undefined || request.headers["client-id"] !== CLIENT.id)
      return [401, { error: "Unauthorized", status: 401, message: "Invalid OAuth token" }];
    const query = new URL(request.url ?? "", "http://x").searchParams;
    if (path === "/helix/users") {
      const id = query.get("id") ?? of.userId;
      const login = loginOf(id);
      const row = { id, login, display_name: login.toUpperCase(), created_at: "2020-01-01T00:00:00Z" };
      return [200, { data: login === "" ? [] : [row] }];
    }
    if (path === "/helix/moderation/channels") {
      if (!of.scopes.includes("user:read:moderated_channels"))
        return [
          401,
          { error: "Unauthorized", status: 401, message: "Missing scope: user:read:moderated_channels" },
        ];
      if (query.get("user_id") !== of.userId)
        return [
          401,
          { error: "Unauthorized", status: 401, message: "The ID in user_id must match the user ID" },
        ];
      const rows = twitch.moderates.get(of.userId) ?? [];
      const data = rows.map(({ id, login }) => ({
        broadcaster_id: id,
        broadcaster_login: login,
        broadcaster_name: login,
      }));
      return [200, { data, pagination: {} }];
    }
    return [404, { error: "Not Found", status: 404, message: "" }];
  };

  /** The page on which a person says yes. */
  const choose = (request: IncomingMessage, response: ServerResponse): void => {
    const here = `http://${request.headers.host}${request.url}`;
    const links = Object.keys(PEOPLE).map(
      (login) => `<p><a href="${twitch.allow(here, login).replaceAll("&", "&amp;")}">I am ${login}</a></p>`,
    );
    response.writeHead(200, { "content-type": "text/html" });
    response.end(`<!doctype html><title>Twitch</title>${links.join("")}`);
  };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (twitch.away) return void request.socket.destroy();
      const path = new URL(request.url ?? "", "http://x").pathname;
      if (path === "/oauth2/authorize") return choose(request, response);
      const [status, body] = answer(new URLSearchParams(Buffer.concat(chunks).toString()), path, request);
      response.writeHead(status, { "content-type": "application/json" });
      response.end(body === null ? "" : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return twitch;
}
