import { createCipheriv } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Short segments, so that a test sees twenty of them in ten seconds. */
export const SEGMENT_MS = 500;
/** Out when it starts. */
const BEFORE = 6;
/** Listed: long, so that a machine that is busy misses nothing. */
const WINDOW = 40;
const TS_PACKET = 188;
export const AES_KEY = Buffer.from("0123456789abcdef");

/** How one channel of the stand-in behaves. Numbers are those of the broadcast, from 0, whatever its playlist calls them. */
export interface Behaviour {
  /** Answers instead of the server when it returns true. */
  readonly answer?: (
    request: { kind: "master" | "list" | "segment" | "key"; rendition: string; n: number; tries: number },
    response: ServerResponse,
  ) => boolean;
  /** Changes the playlist's text. */
  readonly edit?: (text: string, base: string) => string;
  /** The newest segment that is listed, of the one that is out. */
  readonly listed?: (newest: number) => number;
  /** Wall clock of segment n; null: the playlist has none. */
  readonly clock?: ((n: number, startMs: number) => number) | null;
  /** Number of the segment that has media sequence 0. */
  readonly base?: (newest: number) => number;
  readonly discontinuityAt?: number;
  readonly before?: (n: number) => string;
  readonly endAt?: number;
  /** Segments that are listed. */
  readonly window?: () => number;
  readonly body?: (n: number, rendition: string) => Buffer;
}

export interface TestHls {
  readonly url: string;
  readonly host: string;
  /** Wall clock of segment 0. */
  readonly startMs: number;
  add(name: string, behaviour?: Behaviour): string;
  newest(): number;
  close(): Promise<void>;
}

/** Transport packets that say which segment they are of. */
export function tsBody(n: number, rendition: string, packets = 3): Buffer {
  const body = Buffer.alloc(TS_PACKET * packets, 0xff);
  for (let at = 0; at < body.length; at += TS_PACKET) body[at] = 0x47;
  body.write(`${rendition}/${n};`, 4);
  return body;
}
export const encrypted = (body: Buffer, seq: number): Buffer => {
  const iv = Buffer.alloc(16);
  iv.writeUInt32BE(seq, 12);
  const aes = createCipheriv("aes-128-cbc", AES_KEY, iv);
  return Buffer.concat([aes.update(body), aes.final()]);
};
export const box = (kind: string, text: string): Buffer => {
  const body = Buffer.alloc(8 + text.length);
  body.writeUInt32BE(body.length, 0);
  body.write(kind + text, 4);
  return body;
};

/** A live HLS server with two renditions a channel, for the source's tests: what it serves is transport packets without a picture. */
export async function startHls(segmentMs = SEGMENT_MS): Promise<TestHls> {
  const channels = new Map<string, Behaviour>();
  const startMs = Date.now() - BEFORE * segmentMs;
  const tries = new Map<string, number>();
  const newest = (): number => Math.floor((Date.now() - startMs) / segmentMs) - 1;

  const playlist = (behaviour: Behaviour, base: string): string => {
    const out = newest();
    const last = Math.min(behaviour.listed?.(out) ?? out, behaviour.endAt ?? Infinity);
    const zero = behaviour.base?.(last) ?? 0;
    const first = Math.max(zero, last - (behaviour.window?.() ?? WINDOW) + 1);
    const lines = [
      "#EXTM3U",
      "#EXT-X-VERSION:6",
      `#EXT-X-TARGETDURATION:${Math.ceil(segmentMs / 1000)}`,
      `#EXT-X-MEDIA-SEQUENCE:${first - zero}`,
    ];
    const { clock = (n: number) => startMs + n * segmentMs } = behaviour;
    for (let n = first; n <= last; n++) {
      if (n === behaviour.discontinuityAt) lines.push("#EXT-X-DISCONTINUITY");
      if (behaviour.before !== undefined) lines.push(behaviour.before(n));
      if (clock !== null) lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(clock(n, startMs)).toISOString()}`);
      lines.push(`#EXTINF:${(segmentMs / 1000).toFixed(3)},live`, `${n}.ts`);
    }
    if (last === behaviour.endAt) lines.push("#EXT-X-ENDLIST");
    const text = `${lines.filter((line) => line !== "").join("\n")}\n`;
    return behaviour.edit?.(text, base) ?? text;
  };

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const [, name = "", rendition = "", file = ""] = (request.url ?? "").split("/");
    const behaviour = channels.get(name);
    if (behaviour === undefined) return void response.writeHead(404).end();
    const key = request.url ?? "";
    tries.set(key, (tries.get(key) ?? 0) + 1);
    const kind =
      rendition === "master.m3u8"
        ? "master"
        : file === "key"
          ? "key"
          : file === "index.m3u8"
            ? "list"
            : "segment";
    const n = kind === "segment" ? Number.parseInt(file, 10) : newest();
    if (behaviour.answer?.({ kind, rendition, n, tries: tries.get(key) ?? 1 }, response) === true) return;
    if (kind === "master")
      return void response.end(
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=5000000,RESOLUTION=1920x1080\n1080/index.m3u8\n" +
          "#EXT-X-STREAM-INF:BANDWIDTH=9000000,RESOLUTION=3840x2160\n2160/index.m3u8\n" +
          "#EXT-X-STREAM-INF:BANDWIDTH=200000,RESOLUTION=284x160\n160/index.m3u8\n",
      );
    if (kind === "key") return void response.end(AES_KEY);
    if (kind === "list") return void response.end(playlist(behaviour, `${url}/${name}/${rendition}/`));
    response.end(behaviour.body?.(n, rendition) ?? tsBody(n, rendition));
  };

  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `http://${host}`;
  return {
    url,
    host,
    startMs,
    add(name, behaviour = {}) {
      channels.set(name, behaviour);
      return `${url}/${name}/master.m3u8`;
    },
    newest,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
