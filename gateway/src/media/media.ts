import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { CLIP_LAYOUTS, type Clip, type ClipLayout } from "@hypecast/contracts/clip.ts";
import { channelId as channelIdShape, login as loginShape } from "@hypecast/contracts/event.ts";
import { layoutName } from "@hypecast/contracts/media.ts";
import { segmentKey, thumbKey } from "@hypecast/contracts/object-keys.ts";
import type { VideoState } from "@hypecast/contracts/video.ts";
import { isVodId } from "@hypecast/contracts/vod.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import type { Person } from "@hypecast/contracts/journal.ts";
import { loginsOf, type Clips } from "../clips.ts";
import type { Reply, Request } from "../http.ts";
import { ProblemError } from "../problems.ts";
import type { Roles } from "../roles.ts";
import type { VideoStates } from "../video-states.ts";
import { fileReply } from "./file-reply.ts";
import type { KeptVideo } from "./kept.ts";
import { livePlaylist, spanPlaylist } from "./playlist.ts";

const pack = promisify(gzip);

/** What is behind the login must not stay in a cache that others share. */
const IMMUTABLE = "private, max-age=31536000, immutable";
const FRESH = "private, no-cache";
const A_WHILE = "private, max-age=600";

const TYPES: Record<string, string> = { ts: "video/mp2t", mp4: "video/mp4", m4s: "video/mp4" };
const SEGMENT = /^[\w-][\w.-]{0,99}\.(ts|mp4|m4s)$/;
const NUMBER = /^\d{1,15}$/;

export interface Media {
  /** Answers GET /media/…; throws ProblemError. */
  answer(path: string, request: Request, person: Person): Promise<Reply>;
}

/** Playlists, segments, pictures and clips, from the log and from `objects`. */
export function serveMedia(parts: {
  readonly objects: Objects;
  readonly kept: KeptVideo;
  readonly videoStates: VideoStates;
  readonly clips: Clips;
  readonly roles: Roles;
  /** Has a segment of an imported stream fetched; false: it cannot be had. */
  fetchSegment(channelId: string, seq: number): Promise<boolean>;
}): Media {
  const { objects, kept, videoStates, clips, roles } = parts;
  /** The playlist of everything is asked for every two seconds by every player: it is packed once. */
  const packed = new Map<string, { of: string; body: Promise<Buffer> }>();

  async function playlist(login: string, request: Request): Promise<Reply> {
    const { state, timeline } = await timelineOf(login);
    const query = new URLSearchParams(request.query);
    if (query.has("from") || query.has("to")) {
      const [fromMs, toMs] = [timeIn(query, "from"), timeIn(query, "to")];
      if (fromMs >= toMs) throw new ProblemError("invalid_parameters", "from: must be before to");
      const text = spanPlaylist(timeline, fromMs, toMs);
      if (text === null) throw new ProblemError("not_found", "nothing of that span is kept");
      return playlistReply(text, A_WHILE);
    }
    const imported = isVodId(login);
    const ended = state.state === "ended" || state.state === "off";
    if (!/\bgzip\b/.test(request.header("accept-encoding")))
      return playlistReply(livePlaylist(timeline, ended, imported), "no-cache");
    const of = `${timeline.listed[0]?.sequence} ${timeline.listed.at(-1)?.segment.id} ${ended}`;
    let one = packed.get(login);
    if (one?.of !== of) {
      one = { of, body: pack(livePlaylist(timeline, ended, imported), { level: 3 }) };
      packed.set(login, one);
    }
    const reply = playlistReply(await one.body, "no-cache");
    return { ...reply, headers: { ...reply.headers, "Content-Encoding": "gzip", Vary: "Accept-Encoding" } };
  }

  async function timelineOf(login: string) {
    if (!loginShape.safeParse(login).success) throw nothing();
    const state: VideoState | null = videoStates.get(login);
    const timeline = await kept.of(state);
    if (state === null || timeline === null)
      throw new ProblemError(
        "no_video",
        isVodId(login)
          ? `${login} was imported without a picture, or its picture is not here yet`
          : `nothing of ${login}'s picture is kept`,
      );
    return { state, timeline };
  }

  async function thumbAt(login: string, request: Request): Promise<Reply> {
    const atMs = timeIn(new URLSearchParams(request.query), "at");
    const { timeline } = await timelineOf(login);
    const then = timeline.listed.findLast(({ segment }) => segment.startMs <= atMs)?.segment;
    if (then === undefined || then.startMs + then.durationMs <= atMs) throw nothing();
    return thumb(then.channelId, String(then.epoch), String(then.seq), A_WHILE, request);
  }

  const thumb = (
    channel: string,
    epoch: string,
    seq: string,
    cache: string,
    request: Request,
  ): Promise<Reply> =>
    found({ key: thumbKey(channel, epoch, seq), kind: "thumb", type: "image/jpeg", cache }, request);

  async function found(
    file: { key: string; kind: "segment" | "thumb"; type: string; cache: string },
    request: Request,
    /** Has it fetched where it is not kept but can be had. */
    fetched: () => Promise<boolean> = () => Promise.resolve(false),
  ): Promise<Reply> {
    // What is under such a key never changes.
    const etag = createHash("sha256").update(file.key).digest("base64url").slice(0, 22);
    const reply =
      (await fileReply(objects, { ...file, etag }, request)) ??
      ((await fetched()) ? await fileReply(objects, { ...file, etag }, request) : null);
    if (reply === null) throw new ProblemError("not_found", "it is not kept, or no longer");
    return reply;
  }

  return {
    async answer(path, request, person) {
      if (request.method !== "GET")
        throw new ProblemError("method_not_allowed", `${request.method} is not GET`, { Allow: "GET, HEAD" });
      const [kind = "", first = "", second = "", third = "", ...more] = path.split("/").slice(2);
      if (kind === "live") roles.authorise(person, first, "analyst");
      if (kind === "segment" || kind === "thumb") roles.authoriseChannel(person, first, "analyst");
      if (kind === "live" && second === "playlist.m3u8" && third === "") return playlist(first, request);
      if (kind === "live" && second === "thumb.jpg" && third === "") return thumbAt(first, request);
      const ofEpoch =
        more.length === 0 && channelIdShape.safeParse(first).success && NUMBER.test(second) && third !== "";
      if (kind === "segment" && ofEpoch) {
        const ending = SEGMENT.exec(third)?.[1];
        if (ending === undefined) throw nothing();
        const key = segmentKey(first, second, third);
        const file = { key, kind, type: TYPES[ending] ?? "", cache: IMMUTABLE } as const;
        return found(file, request, () => parts.fetchSegment(first, Number.parseInt(third, 10)));
      }
      if (kind === "thumb" && ofEpoch) {
        const seq = /^(\d{1,15})\.jpg$/.exec(third)?.[1];
        if (seq === undefined) throw nothing();
        return thumb(first, second, seq, IMMUTABLE, request);
      }
      if (kind === "clip" && third === "") {
        const clip = clips.get(first);
        if (clip === null) throw new ProblemError("clip_not_found", "there is no such clip");
        for (const login of loginsOf(clip)) roles.authorise(person, login, "analyst");
        const download = new URLSearchParams(request.query).get("download") === "1";
        return clipFile(objects, clip, second, "clip", download, request);
      }
      throw nothing();
    },
  };
}

/** A clip's file by the name in its address: `<layout>.mp4`, or any `.jpg` for its picture. Throws ProblemError when there is none. */
export async function clipFile(
  objects: Objects,
  clip: Clip,
  name: string,
  kind: "clip" | "shared",
  download: boolean,
  request: Request,
): Promise<Reply> {
  const etag = `${clip.id}-${clip.readyAtMs ?? 0}`;
  const layout = layoutIn(name);
  const file = layout === null ? undefined : clip.files.find((one) => one.layout === layout);
  let reply: Reply | null = null;
  if (file !== undefined)
    reply = await fileReply(
      objects,
      {
        key: file.key,
        kind,
        type: "video/mp4",
        etag: `${etag}-${file.bytes}`,
        cache: FRESH,
        ...(download ? { download: downloadName(clip, file.layout) } : {}),
      },
      request,
    );
  else if (/^[\w.:%-]+\.jpg$/.test(name) && clip.thumbKey !== null)
    reply = await fileReply(
      objects,
      { key: clip.thumbKey, kind, type: "image/jpeg", etag, cache: FRESH },
      request,
    );
  if (reply === null)
    throw new ProblemError("not_found", `the clip has no file ${name.slice(0, 100)} (it is ${clip.state})`);
  return reply;
}

/** Both spellings: `9x16.mp4`, and `9:16.mp4` as it stands in the record. */
const layoutIn = (name: string): ClipLayout | null =>
  CLIP_LAYOUTS.find((layout) =>
    [layoutName(layout), layout, layout.replace(":", "%3A")].some((spelled) => name === `${spelled}.mp4`),
  ) ?? null;

const downloadName = ({ title, login, startMs }: Clip, layout: ClipLayout): string => {
  const at = new Date(startMs).toISOString().slice(0, 16).replace("T", " ").replace(":", ".");
  return `${title === "" ? `${login} ${at}` : title} ${layoutName(layout)}.mp4`;
};

function timeIn(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? "";
  if (!NUMBER.test(text)) throw new ProblemError("invalid_parameters", `${name}: milliseconds since 1970`);
  return Number(text);
}

const nothing = (): ProblemError => new ProblemError("not_found", "there is no such file");

const playlistReply = (body: string | Buffer, cache: string): Reply => ({
  status: 200,
  headers: { "Content-Type": "application/vnd.apple.mpegurl", "Cache-Control": cache },
  body,
});
