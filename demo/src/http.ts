import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Answer } from "./answer.ts";
import { pictureOf } from "./art.ts";
import { control, controlState, type Controlled } from "./control.ts";
import { tellChat, Rooms } from "./rooms.ts";
import { Moderators } from "./directory.ts";
import { bttv, ffz, sevenTv } from "./emote-sets.ts";
import { serveEventSub } from "./eventsub.ts";
import { Grants } from "./grants.ts";
import { allEmotes } from "./emotes.ts";
import type { DemoProvider, Faults } from "./faults.ts";
import { gql } from "./gql.ts";
import { Helix } from "./helix.ts";
import type { Irc } from "./irc.ts";
import { listen, type Listening } from "./irc-sockets.ts";
import { serveSevenTvEvents } from "./seventv-events.ts";
import { authorize, revoke, userToken, validateUser } from "./oauth.ts";
import { hls } from "./video/hls.ts";
import type { Studio } from "./video/studio.ts";
import { vodHls } from "./video/vod-hls.ts";

export interface HttpOptions {
  readonly port: number;
  readonly irc: Irc;
  readonly faults: Faults;
  readonly now: () => number;
  readonly sevenTvHeartbeatMs: number;
  /** What moderation has made of the rooms. */
  readonly rooms: Rooms;
  readonly moderators: Moderators;
  /** EventSub keeps a session alive so often; null: as the client asks. */
  readonly keepaliveMs: number | null;
  /** Null: no channel has a picture. */
  readonly studio: Studio | null;
}

const EVENTSUB_PATH = "/eventsub/ws";
const BODY_BYTES = 64 * 1024;
const HUGE_BYTES = 50 * 1024 * 1024;
const faceById = new Map(allEmotes.map((emote) => [`${emote.provider}:${emote.id}`, emote.face]));

/** Pixels of a size as each service writes it in its addresses. */
const IMAGE_PATHS: readonly (readonly [
  provider: string,
  path: RegExp,
  pixels: Readonly<Record<string, number>>,
])[] = [
  [
    "twitch",
    /^\/emoticons\/v2\/([^/]+)\/(?:default|static)\/(?:dark|light)\/([123]\.0)$/,
    { "1.0": 28, "2.0": 56, "3.0": 112 },
  ],
  ["bttv", /^\/bttv\/emote\/([^/]+)\/([123]x)(?:\.(?:png|webp|gif))?$/, { "1x": 28, "2x": 56, "3x": 112 }],
  ["ffz", /^\/ffz\/emote\/([^/]+)\/([124])$/, { "1": 28, "2": 56, "4": 112 }],
  [
    "7tv",
    /^\/7tv\/emote\/([^/]+)\/([1-4]x)(?:_static)?\.(?:png|webp|avif)$/,
    { "1x": 32, "2x": 64, "3x": 96, "4x": 128 },
  ],
];

function image(path: string, faults: Faults): Answer | null {
  for (const [provider, shape, sizes] of IMAGE_PATHS) {
    const [, id = "", size = ""] = shape.exec(path) ?? [];
    if (id === "") continue;
    const face = faceById.get(`${provider}:${id}`);
    const fault = faults.images.get(id);
    if (fault === "html")
      return {
        status: 200,
        type: "text/html; charset=utf-8",
        body: "<!doctype html><script>alert(1)</script>",
      };
    // Extra emotes of a fault have no picture of their own.
    if (fault === "missing" || (face === undefined && !faults.extraEmotes.has(provider as DemoProvider)))
      return { status: 404, type: "text/plain", body: "not found" };
    const png = pictureOf(face ?? "heart", sizes[size] ?? 28);
    if (fault === "huge")
      return {
        status: 200,
        type: "image/png",
        body: Buffer.concat([png, Buffer.alloc(HUGE_BYTES - png.length)]),
      };
    return {
      status: 200,
      type: "image/png",
      body: fault === "truncated" ? png.subarray(0, png.length / 2) : png,
      headers: { "cache-control": "public, max-age=86400" },
    };
  }
  return null;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= BODY_BYTES) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const providerOf = (path: string): DemoProvider | null => {
  if (path.startsWith("/helix/") || path.startsWith("/oauth2/")) return "helix";
  if (/^\/(?:bttv|ffz|7tv)\/emote\/|^\/emoticons\//.test(path)) return "images";
  const [, name] = /^\/(bttv|ffz|7tv)\//.exec(path) ?? [];
  return (name as DemoProvider | undefined) ?? null;
};

/** Helix, token server, emote services with their pictures, 7TV's events, live video and the control page, all on one port. */
export async function serveHttp(options: HttpOptions): Promise<Listening & Controlled> {
  const { irc, faults, now, studio } = options;
  const video = hls("/hls", studio?.broadcasts ?? new Map(), now);
  const { rooms, moderators } = options;
  const grants = new Grants(now);
  const eventSub = serveEventSub(EVENTSUB_PATH, {
    now,
    moderators,
    grants,
    ...(options.keepaliveMs === null ? {} : { keepaliveMs: options.keepaliveMs }),
  });
  rooms.onDeed((deed) => eventSub.tell(deed));
  tellChat(
    rooms,
    (login, lines) => irc.say(login, lines),
    () => faults.clockShiftMs,
  );
  const helix = new Helix({ rooms, moderators, gone: faults.gone, now, grants, eventSub, faults });

  const route = async (request: IncomingMessage, url: URL): Promise<Answer> => {
    const path = url.pathname;
    const after = (prefix: string): string | null =>
      path.startsWith(prefix) ? path.slice(prefix.length) : null;
    if (path === "/control") return { status: 200, json: controlState(demo) };
    const fault = after("/control/");
    if (fault !== null)
      return request.method === "POST"
        ? control(demo, fault, await bodyOf(request))
        : { status: 405, json: { error: "POST a JSON body" } };
    if (path === "/oauth2/token" && request.method === "POST") {
      const form = new URLSearchParams(await bodyOf(request));
      for (const [key, value] of url.searchParams) form.append(key, value);
      return userToken(form, grants) ?? helix.token(form);
    }
    if (path === "/oauth2/authorize" && request.method === "GET") return authorize(url.searchParams, grants);
    if (path === "/oauth2/revoke" && request.method === "POST")
      return revoke(new URLSearchParams(await bodyOf(request)), grants);
    if (path === "/oauth2/validate") {
      const { authorization } = request.headers;
      return validateUser(authorization, grants, now()) ?? helix.validate(authorization);
    }
    const asked = after("/helix/");
    if (asked !== null)
      return helix.ask(
        request.method ?? "GET",
        asked,
        url.searchParams,
        {
          authorization: request.headers.authorization,
          clientId: request.headers["client-id"]?.toString(),
        },
        await bodyOf(request),
      );
    if (path === "/gql")
      return gql(request.method ?? "GET", await bodyOf(request), request.headers["client-id"]?.toString());
    const recording = after("/vod/");
    if (recording !== null)
      return (await vodHls(recording, studio)) ?? { status: 404, json: { error: "Not Found" } };
    const picture = image(path, faults);
    if (picture !== null) return picture;
    const bttvPath = after("/bttv/3/cached/");
    if (bttvPath !== null) return bttv(bttvPath, faults, now());
    const ffzPath = after("/ffz/v1/");
    if (ffzPath !== null) return ffz(ffzPath, url.origin, faults, now());
    const sevenPath = after("/7tv/v3/");
    if (sevenPath !== null) return sevenTv(sevenPath, url.host, faults, now());
    return { status: 404, json: { error: "Not Found" } };
  };

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", `http://${request.headers.host ?? "127.0.0.1"}`);
    const provider = providerOf(url.pathname);
    const broken = provider === null ? undefined : faults.providers.get(provider);
    if (broken !== undefined && now() < broken.untilMs) {
      if (broken.mode === "down") return void request.socket.resetAndDestroy();
      if (broken.mode === "slow") await new Promise((resolve) => setTimeout(resolve, broken.slowMs));
      if (broken.mode === "error") return void response.writeHead(503).end("upstream is unhappy");
      if (broken.mode === "garbage")
        return void response.writeHead(200, { "content-type": "application/json" }).end('{"sets": [<html>');
    }
    if (await video.serve(url, response)) return;
    const answer = await route(request, url);
    // Whoever asked waits until they give up.
    if (answer.hang === true) return;
    const body = answer.body ?? JSON.stringify(answer.json ?? null);
    response.writeHead(answer.status, {
      "content-type": answer.type ?? "application/json; charset=utf-8",
      "content-length": Buffer.byteLength(body),
      ...answer.headers,
    });
    response.end(body);
  };

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => {
      // Whoever asked has gone or asked nonsense: the demo plays on.
      if (response.headersSent) response.destroy();
      else
        response
          .writeHead(400, { "content-type": "text/plain" })
          .end(error instanceof Error ? error.message : "bad request");
    });
  });
  const events7tv = serveSevenTvEvents({ now, heartbeatMs: options.sevenTvHeartbeatMs });
  server.on("upgrade", (request, socket, head) => {
    const path = request.url?.split(/[?@]/)[0];
    if (path === "/7tv/events") return events7tv.upgrade(request, socket, head);
    if (path === EVENTSUB_PATH) return eventSub.upgrade(request, socket, head);
    socket.destroy();
  });
  const demo: Controlled = {
    ...{ irc, helix, events7tv, faults, video, studio, now },
    ...{ eventSub, grants, rooms, moderators },
  };
  await listen(server, options.port);
  return {
    ...demo,
    port: (server.address() as AddressInfo).port,
    close: async () => {
      events7tv.close();
      eventSub.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
