import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Broadcast } from "./broadcast.ts";
import {
  applyVideoFault,
  hostileAvi,
  hostilePlaylist,
  LOCAL_FILE,
  noVideoFaults,
  PRIVATE_ADDRESS,
  type FaultState,
  type SegmentFault,
  type VideoFault,
} from "./faults.ts";
import { masterPlaylist, mediaPlaylist, type PlaylistSegment } from "./playlists.ts";

const WINDOW = 6;
/** Segments that have left the playlist are there for so many more, as on a CDN. */
const KEPT = 30;
const PREFETCH = 2;
const HUGE_BYTES = 100 * 1024 * 1024;
const KEPT_REQUESTS = 2_000;
const M3U8 = "application/vnd.apple.mpegurl";
const TYPES: Readonly<Record<string, string>> = {
  ts: "video/mp2t",
  m4s: "video/iso.segment",
  mp4: "video/mp4",
};

export interface Hls {
  readonly logins: readonly string[];
  /** False: the path is none of ours. Never rejects for a client that goes away. */
  serve(url: URL, response: ServerResponse): Promise<boolean>;
  /** Throws a RangeError where the login has no video. */
  fault(login: string, fault: VideoFault): void;
  state(): object;
  /** The latest paths that were asked for, oldest first. */
  readonly requests: readonly string[];
}

/** Serves `<prefix>/<login>/master.m3u8` and all below it. */
export function hls(prefix: string, broadcasts: ReadonlyMap<string, Broadcast>, now: () => number): Hls {
  const faults = new Map<string, FaultState>();
  const requests: string[] = [];
  const faultsOf = (login: string): FaultState => {
    const known = faults.get(login) ?? noVideoFaults();
    faults.set(login, known);
    return known;
  };
  return {
    requests,
    logins: [...broadcasts.keys()],
    async serve(url, response) {
      if (!url.pathname.startsWith(`${prefix}/`)) return false;
      requests.push(url.pathname);
      if (requests.length > KEPT_REQUESTS) requests.shift();
      const [login = "", ...rest] = url.pathname.slice(prefix.length + 1).split("/");
      const broadcast = broadcasts.get(login);
      if (broadcast === undefined) send(response, 404, "text/plain", "no such channel");
      else await answer({ url, login, broadcast, faults: faultsOf(login), nowMs: now() }, rest, response);
      return true;
    },
    fault(login, fault) {
      const broadcast = broadcasts.get(login);
      if (broadcast === undefined) throw new RangeError(`no video of "${login}"`);
      const state = faultsOf(login);
      applyVideoFault(state, fault, publishedAt(broadcast, state, now()), now());
    },
    state: () =>
      Object.fromEntries(
        [...broadcasts].map(([login, broadcast]) => [
          login,
          { newest: broadcast.lastAt(now()), faults: faultsOf(login) },
        ]),
      ),
  };
}

interface Asked {
  readonly url: URL;
  readonly login: string;
  readonly broadcast: Broadcast;
  readonly faults: FaultState;
  readonly nowMs: number;
}

function send(response: ServerResponse, status: number, type: string, body: Buffer | string): void {
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    // The page's player runs on another port.
    "access-control-allow-origin": "*",
  });
  response.end(body);
}

async function answer(asked: Asked, rest: string[], response: ServerResponse): Promise<void> {
  const [rendition = "", file = "", ...more] = rest;
  if (more.length > 0) return send(response, 404, "text/plain", "not found");
  if (rendition === "master.m3u8" && file === "") return master(asked, response);
  if (!asked.broadcast.renditions.some(({ name }) => name === rendition))
    return send(response, 404, "text/plain", "no such rendition");
  if (file === "index.m3u8") return media(asked, response);
  const [, number, extension = ""] = /^(\d{1,12})\.(\w+)$/.exec(file) ?? [];
  if (number !== undefined) return segment(asked, rendition, Number(number), extension, response);
  const extra = await asked.broadcast.extra(rendition, file);
  if (extra === null) return send(response, 404, "text/plain", "not found");
  send(response, 200, TYPES[file.split(".").at(-1) ?? ""] ?? "application/octet-stream", extra);
}

async function master(asked: Asked, response: ServerResponse): Promise<void> {
  const { broadcast, login, faults, nowMs } = asked;
  if (playlistFault(faults, nowMs)?.mode === "self-master")
    return send(
      response,
      200,
      M3U8,
      `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=284x160\nmaster.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2,RESOLUTION=854x480\n../${login}/master.m3u8\n`,
    );
  // An offline channel has no playlist.
  if (publishedAt(broadcast, faults, nowMs) < Math.max(broadcast.first, faults.sequenceBase))
    return send(response, 404, "text/plain", "offline");
  send(response, 200, M3U8, masterPlaylist(broadcast.renditions, broadcast.twitch ? { login } : null));
}

const playlistFault = (faults: FaultState, nowMs: number): FaultState["playlist"] =>
  faults.playlist !== null && nowMs < faults.playlist.untilMs ? faults.playlist : null;

const publishedAt = (broadcast: Broadcast, faults: FaultState, nowMs: number): number =>
  Math.min(broadcast.lastAt(nowMs), faults.endedAfter ?? Number.MAX_SAFE_INTEGER);

async function media(asked: Asked, response: ServerResponse): Promise<void> {
  const { url, faults, nowMs } = asked;
  const fault = playlistFault(faults, nowMs);
  switch (fault?.mode) {
    case "missing":
      return send(response, 404, "text/plain", "not found");
    case "unavailable":
      return send(response, 503, "text/plain", "upstream is unhappy");
    case "slow":
      await sleep(fault.slowMs);
      break;
    case "empty":
      return send(response, 200, M3U8, "");
    case "html":
      return send(response, 200, M3U8, "<!doctype html><title>please log in</title>");
    case "huge":
      return huge(response, M3U8, Buffer.from(`#${"x".repeat(1_022)}\n`), Buffer.from("#EXTM3U\n"));
    case "redirect-loop":
    case "redirect-private":
      return redirect(url, fault.mode, response);
    case "self-master":
      return send(response, 200, M3U8, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nindex.m3u8\n");
    default:
  }
  const text = mediaText(asked, fault?.mode === "frozen" ? fault.sinceMs : nowMs);
  if (text === null) return send(response, 404, "text/plain", "offline");
  send(response, 200, M3U8, hostile(fault?.mode, text));
}

/** The playlist of a rendition (all have the same) at a moment; null: nothing is out. */
function mediaText({ broadcast, faults }: Asked, nowMs: number): string | null {
  const last = publishedAt(broadcast, faults, nowMs);
  const first = Math.max(broadcast.first, faults.sequenceBase, last - WINDOW + 1);
  if (last < first) return null;
  const shift = (number: number): number =>
    faults.jumps.reduce((sum, { from, shiftMs }) => (number >= from ? sum + shiftMs : sum), 0);
  const segments: PlaylistSegment[] = [];
  for (let number = first; number <= last; number++) {
    const slot = broadcast.slot(number);
    if (slot === null) break;
    segments.push({
      uri: `${number}.${slot.extension}`,
      startMs: slot.startMs + shift(number),
      durationMs: slot.durationMs,
      discontinuity: slot.discontinuity || faults.jumps.some(({ from }) => from === number),
      title: slot.title,
      headers: number === first || slot.discontinuity ? slot.headers : [],
    });
  }
  const start = (number: number): number => broadcast.slot(number)?.startMs ?? nowMs;
  const ended = faults.endedAfter !== null ? last >= faults.endedAfter : broadcast.slot(last + 1) === null;
  const discontinuities = (number: number): number =>
    broadcast.discontinuitiesBefore(number) + faults.jumps.filter(({ from }) => from < number).length;
  return mediaPlaylist({
    targetS: broadcast.targetS,
    mediaSequence: first - faults.sequenceBase,
    discontinuitySequence: Math.max(0, discontinuities(first) - discontinuities(faults.sequenceBase)),
    segments,
    ended,
    twitch: broadcast.twitch
      ? {
          startedMs: broadcast.startedMs,
          nowMs,
          ads: broadcast
            .adsBetween(start(first), start(last + 1))
            .map((ad) => ({ ...ad, startMs: ad.startMs + shift(last) })),
          prefetch: ended
            ? []
            : Array.from({ length: PREFETCH }, (_, i) => last + 1 + i).flatMap((number) => {
                const slot = broadcast.slot(number);
                return slot === null ? [] : [`${number}.${slot.extension}`];
              }),
        }
      : null,
  });
}

/** A playlist as somebody would write it who wants something from its reader. */
function hostile(mode: string | undefined, text: string): string {
  switch (mode) {
    case "no-pdt":
      return text.replace(/^#EXT-X-PROGRAM-DATE-TIME:.*\n/gm, "");
    case "file-uri":
      return text.replace(/^\d+\.\w+$/gm, LOCAL_FILE);
    case "private-uri":
      return text.replace(/^\d+\.\w+$/gm, `${PRIVATE_ADDRESS}$&`);
    case "file-key":
      return text.replace("#EXTINF", `#EXT-X-KEY:METHOD=AES-128,URI="${LOCAL_FILE}"\n#EXTINF`);
    case "private-key":
      return text.replace("#EXTINF", `#EXT-X-KEY:METHOD=AES-128,URI="${PRIVATE_ADDRESS}"\n#EXTINF`);
    case "private-map":
      return text.replace("#EXTINF", `#EXT-X-MAP:URI="${PRIVATE_ADDRESS}"\n#EXTINF`);
    case "negative-duration":
      return text.replace(/^#EXTINF:/gm, "#EXTINF:-");
    case "long-duration":
      return text.replace(/^#EXTINF:[\d.]+/gm, "#EXTINF:86400000.000");
    case "ten-thousand": {
      const [, uri = "0.ts"] = /\n(\d+\.\w+)\n/.exec(text) ?? [];
      return `${text}${`#EXTINF:2.000,live\n${uri}\n`.repeat(10_000)}`;
    }
    default:
      return text;
  }
}

async function segment(
  asked: Asked,
  rendition: string,
  number: number,
  extension: string,
  response: ServerResponse,
): Promise<void> {
  const { url, broadcast, faults, nowMs } = asked;
  const fault = faults.segments.findLast(({ from, to }) => number >= from && number < to);
  const type = TYPES[extension] ?? "application/octet-stream";
  const last = publishedAt(broadcast, faults, nowMs);
  const body =
    number < last - WINDOW - KEPT ||
    number > last + PREFETCH ||
    broadcast.slot(number)?.extension !== extension
      ? null
      : await broadcast.body(rendition, number);
  if (body === null) return send(response, 404, "text/plain", "not found");
  if (fault === undefined) return send(response, 200, type, body);
  if (fault.mode === "slow") {
    await sleep(fault.slowMs);
    return send(response, 200, type, body);
  }
  await brokenSegment(fault.mode, url, type, body, response);
}

async function brokenSegment(
  mode: Exclude<SegmentFault, "slow">,
  url: URL,
  type: string,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  switch (mode) {
    case "missing":
      return send(response, 404, "text/plain", "not found");
    case "unavailable":
      return send(response, 503, "text/plain", "upstream is unhappy");
    case "truncated":
      // Its length says the whole of it; the connection ends in the middle.
      response.writeHead(200, { "content-type": type, "content-length": body.length });
      response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
      return;
    case "dribble":
      response.writeHead(200, { "content-type": type, "content-length": body.length });
      for (let at = 0; at < body.length && !response.destroyed; at += 512) {
        response.write(body.subarray(at, at + 512));
        await sleep(250);
      }
      return void response.end();
    case "empty":
      return send(response, 200, type, "");
    case "html":
      return send(response, 200, type, "<!doctype html><title>please log in</title>".repeat(40));
    case "playlist":
      return send(response, 200, type, hostilePlaylist);
    case "avi":
      return send(response, 200, type, hostileAvi());
    case "huge":
      return huge(response, type, Buffer.alloc(188 * 1024, 0x47), body);
    case "redirect-loop":
    case "redirect-private":
      return redirect(url, mode, response);
  }
}

function redirect(url: URL, mode: "redirect-loop" | "redirect-private", response: ServerResponse): void {
  const next = `${url.pathname}?hop=${Number(url.searchParams.get("hop") ?? 0) + 1}`;
  response.writeHead(302, { location: mode === "redirect-loop" ? next : PRIVATE_ADDRESS }).end();
}

/** 100 MB without a length in front, for as long as somebody reads. */
async function huge(response: ServerResponse, type: string, filler: Buffer, begin: Buffer): Promise<void> {
  response.writeHead(200, { "content-type": type });
  response.write(begin);
  const gone = once(response, "close");
  for (let sent = 0; sent < HUGE_BYTES && !response.destroyed; sent += filler.length)
    if (!response.write(filler)) await Promise.race([once(response, "drain"), gone]);
  response.end();
}
