import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Kvm, type KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import type { WantedChannel } from "@hypecast/contracts/channel.ts";
import {
  VIDEO_STATE_BUCKET,
  type VideoGap,
  type VideoSegment,
  type VideoState,
} from "@hypecast/contracts/video.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { readKeptVideo } from "@hypecast/runtime/kept-video.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import { openObjects } from "@hypecast/runtime/objects-open.ts";
import { DiskFull, type Objects } from "@hypecast/runtime/objects.ts";
import { startNats, temporaryFolder, type Server } from "@hypecast/tests/servers.ts";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openHls, type HlsSource } from "./source.ts";
import { box, encrypted, SEGMENT_MS, startHls, tsBody, type Behaviour, type TestHls } from "./test-hls.ts";

/** Each fault happens at segment 8 or 10 and everything is over by 20: all channels are watched at once. */
const ENOUGH = 22;

/** The stream that begins again does so when all of it was seen. */
let eleven = false;
/** The error page in place of a playlist comes once. */
let errorPage = false;
const LIVE: Record<string, Behaviour> = {
  plain: {},
  no_clock: { clock: null },
  wrong_clock: { clock: (n) => n * SEGMENT_MS },
  missing: {
    answer: ({ kind, n }, response) => kind === "segment" && (n === 8 || n === 9) && gone(response),
  },
  no_source: {
    answer: ({ kind, n, rendition }, response) =>
      kind === "segment" && n === 8 && rendition === "1080" && gone(response),
  },
  stumbles: {
    answer: ({ kind, n, tries }, response) =>
      (kind === "segment" && n === 8 && tries <= 2 && status(response, 503)) ||
      (kind === "list" && n === 10 && status(response, 503)),
  },
  slow: {
    answer({ kind, n, rendition }, response) {
      if (kind !== "segment" || n !== 8) return false;
      setTimeout(() => response.end(tsBody(n, rendition)), 1500);
      return true;
    },
  },
  truncated: {
    answer({ kind, n, tries, rendition }, response) {
      if (kind !== "segment" || n !== 8 || tries > 1) return false;
      response.writeHead(200, { "content-length": 10_000 }).write(tsBody(n, rendition));
      setTimeout(() => response.destroy(), 50);
      return true;
    },
  },
  no_media: {
    answer({ kind, n }, response) {
      if (kind !== "segment" || (n !== 8 && n !== 9)) return false;
      response.end(n === 8 ? "<!doctype html><p>Sorry" : "");
      return true;
    },
  },
  huge: {
    answer({ kind, n }, response) {
      if (kind !== "segment" || n !== 8) return false;
      response.writeHead(200, { "content-length": 100_000_000 }).write(tsBody(8, "x"));
      return true;
    },
  },
  endless: {
    answer({ kind, n }, response) {
      if (kind !== "segment" || n !== 8) return false;
      const more = setInterval(() => response.write(Buffer.alloc(500_000, 0x47)), 1);
      response.once("close", () => clearInterval(more));
      return true;
    },
  },
  frozen: thawing(),
  jump: { clock: (n, startMs) => startMs + n * SEGMENT_MS + (n >= 10 ? 60_000 : 0), discontinuityAt: 10 },
  ads: {
    edit: (text) =>
      text.replace(
        "#EXT-X-VERSION:6\n",
        `#EXT-X-VERSION:6\n#EXT-X-DATERANGE:ID="source-1",CLASS="twitch-stream-source",START-DATE="2026-01-01T00:00:00Z",END-ON-NEXT=YES\n#EXT-X-DATERANGE:ID="stitched-ad-1",CLASS="twitch-stitched-ad",START-DATE="${new Date(hls.startMs + 8 * SEGMENT_MS).toISOString()}",DURATION=1.0\n#EXT-X-DATERANGE:ID="stitched-ad-2",CLASS="twitch-stitched-ad",START-DATE="${new Date(hls.startMs + 10 * SEGMENT_MS).toISOString()}",DURATION=0.5\n`,
      ),
  },
  restarts: {
    answer({ kind, n }) {
      if (kind === "segment" && n === 11) eleven = true;
      return false;
    },
    listed: (newest) => (eleven && newest >= 14 ? newest : Math.min(newest, 11)),
    base: (last) => (last >= 14 ? 12 : 0),
    discontinuityAt: 12,
  },
  no_segments: {
    answer: ({ kind, n }, response) =>
      kind === "segment" && n >= 8 && !seen.get("no_segments")?.has("stalled") && gone(response),
  },
  error_page: {
    answer({ kind, n }, response) {
      if (kind !== "list" || n < 10 || errorPage) return false;
      errorPage = true;
      response.end("<!doctype html><p>Sorry");
      return true;
    },
  },
  ends: { endAt: 12 },
  full_disk: {},
  prefetch: { edit: (text) => `${text}#EXT-X-TWITCH-PREFETCH:98.ts\n#EXT-X-TWITCH-PREFETCH:99.ts\n` },
  fmp4: {
    edit: (text) => text.replace("#EXTINF", '#EXT-X-MAP:URI="0-init.mp4"\n#EXTINF'),
    body: (n, rendition) => box(n === 0 ? "ftyp" : "moof", `${rendition}/${n};`),
  },
  ciphered: {
    edit: (text) => text.replace("#EXTINF", '#EXT-X-KEY:METHOD=AES-128,URI="key"\n#EXTINF'),
    body: (n, rendition) => encrypted(tsBody(n, rendition), n),
  },
};

const HOSTILE: Record<string, [Behaviour, RegExp]> = {
  file_segments: [
    { edit: (text) => text.replaceAll(/^(\d+\.ts)$/gm, "file:///etc/passwd") },
    /file: addresses are refused/,
  ],
  data_segments: [
    { edit: (text) => text.replaceAll(/^(\d+\.ts)$/gm, "data:video/mp2t,G") },
    /data: addresses are refused/,
  ],
  private_segments: [
    { edit: (text) => text.replaceAll(/^(\d+\.ts)$/gm, "http://169.254.169.254/latest/meta-data") },
    /169\.254\.169\.254 is no public address/,
  ],
  mapped_segments: [
    { edit: (text) => text.replaceAll(/^(\d+\.ts)$/gm, "http://[::ffff:10.0.0.1]/x") },
    /is no public address/,
  ],
  other_port: [
    { edit: (text) => text.replaceAll(/^(\d+\.ts)$/gm, "http://localhost:1/x") },
    /localhost \((?:127\.0\.0\.1|::1)\) is no public address/,
  ],
  private_key: [
    {
      edit: (text) => text.replace("#EXTINF", '#EXT-X-KEY:METHOD=AES-128,URI="http://10.0.0.1/key"\n#EXTINF'),
    },
    /10\.0\.0\.1 is no public address/,
  ],
  private_map: [
    { edit: (text) => text.replace("#EXTINF", '#EXT-X-MAP:URI="http://[fd00::1]/init"\n#EXTINF') },
    /fd00::1 is no public address/,
  ],
  sample_aes: [
    { edit: (text) => text.replace("#EXTINF", '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="key"\n#EXTINF') },
    /protected \(SAMPLE-AES\)/,
  ],
  negative: [{ edit: (text) => text.replace("#EXTINF:0.500", "#EXTINF:-5") }, /negative duration/],
  endless_segment: [{ edit: (text) => text.replace("#EXTINF:0.500", "#EXTINF:86400") }, /lasts 86400 s/],
  ten_thousand: [
    { edit: (text) => text + "#EXTINF:0.5,\nx.ts\n".repeat(10_000) },
    /lists 100\d\d segments, more than 3000/,
  ],
  self_master: [
    {
      answer({ kind }, response) {
        if (kind === "segment") return false;
        response.end("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=284x160\n160/index.m3u8\n");
        return true;
      },
    },
    /names another master playlist/,
  ],
  html: [{ answer: (_request, response) => (response.end("<html>"), true) }, /no HLS playlist/],
  empty: [{ answer: (_request, response) => (response.end(), true) }, /no HLS playlist/],
  large: [
    {
      answer(_request, response) {
        response.writeHead(200, { "content-length": 100_000_000 }).write("#EXTM3U\n");
        return true;
      },
    },
    /more than 2048 KiB/,
  ],
  large_unsaid: [
    {
      answer(_request, response) {
        const more = setInterval(() => response.write(`#${"x".repeat(100_000)}\n`), 1);
        response.once("close", () => clearInterval(more));
        return true;
      },
    },
    /more than 2048 KiB/,
  ],
  redirects: [
    { answer: (_request, response) => (response.writeHead(302, { location: "?" }).end(), true) },
    /redirects more than 3 times/,
  ],
  redirects_inside: [
    {
      answer: (_request, response) => (
        response.writeHead(302, { location: "http://192.168.0.1/" }).end(),
        true
      ),
    },
    /192\.168\.0\.1 is no public address/,
  ],
  redirects_to_file: [
    {
      answer: (_request, response) => (
        response.writeHead(302, { location: "file:///etc/passwd" }).end(),
        true
      ),
    },
    /file: addresses are refused/,
  ],
  ended_before: [{ endAt: 3 }, /finished recording/],
};

type Answer = Parameters<NonNullable<Behaviour["answer"]>>[1];
/** Stands still at segment 8 until that was noticed; then lists from the sixth last on, and what comes stays listed. */
function thawing(): Behaviour {
  let listed = 8;
  let first: number | null = null;
  return {
    listed(newest) {
      if (seen.get("frozen")?.has("stalled") !== true) return Math.min(newest, 8);
      listed = newest;
      first ??= newest - 5;
      return newest;
    },
    window: () => (first === null ? 6 : listed - first + 1),
  };
}
const status = (response: Answer, code: number): boolean => {
  response.writeHead(code).end();
  return true;
};
const gone = (response: Answer): boolean => status(response, 404);

const log = createLog("test", "fatal");
let nats: Server;
let nc: NatsConnection;
let hls: TestHls;
let objects: Objects;
let source: HlsSource;
let states: KV;
const folder = temporaryFolder("hls");
const seen = new Map<string, Set<VideoState["state"]>>();

const wanted = (login: string, video: string): WantedChannel => ({
  ...{ login, video, chat: false, paused: false, addedAtMs: 0 },
});

beforeAll(async () => {
  nats = await startNats();
  hls = await startHls();
  const config = readConfig({
    ...{ HYPECAST_NATS_URL: nats.url, HYPECAST_DATA: folder },
    ...{ HYPECAST_VIDEO_PRIVATE_HOSTS: hls.host, HYPECAST_VIDEO_SEGMENT_MB: "4" },
  });
  nc = await connectBus(config, "test");
  await ensureStreams(nc, 1);
  objects = openObjects(config);
  states = await new Kvm(nc).open(VIDEO_STATE_BUCKET);
  const small: Objects = {
    ...objects,
    async put(key, body) {
      if (/video-full_disk\/.*\/(?:8|9)-/.test(key)) throw new DiskFull("no room");
      return objects.put(key, body);
    },
  };
  source = await openHls({ config, log, nc, objects: small, chatState: async () => null, sure: () => true });
  const all = [
    ...Object.entries(LIVE),
    ...Object.entries(HOSTILE).map(([name, [behaviour]]) => [name, behaviour] as const),
  ];
  source.want([
    ...all.map(([name, behaviour]) => wanted(name, hls.add(name, behaviour))),
    wanted("file_address", "file:///etc/hostname"),
    wanted("ftp_address", "ftp://example.org/x.m3u8"),
    wanted("none", ""),
  ]);
  void (async () => {
    for await (const entry of await states.watch()) {
      const { state } = entry.json<VideoState>();
      seen.set(entry.key, (seen.get(entry.key) ?? new Set()).add(state));
    }
  })();
  await vi.waitFor(
    async () => {
      for (const name of Object.keys(LIVE)) {
        const said = await state(name);
        const untilMs = name === "ends" ? 0 : hls.startMs + (ENOUGH + 1) * SEGMENT_MS;
        expect(Math.max(said?.newestMs ?? 0, 1), name).toBeGreaterThan(untilMs);
      }
      for (const name of Object.keys(HOSTILE))
        expect((await state(name))?.lastSeq ?? (await state(name))?.reason).not.toBeNull();
      expect((await state("ends"))?.state).toBe("ended");
    },
    { timeout: 45_000, interval: 300 },
  );
});
afterAll(async () => {
  await source.close();
  objects.close();
  await nc.close();
  await hls.close();
  await nats.close();
  rmSync(folder, { recursive: true });
});

interface Told {
  segments: VideoSegment[];
  gaps: VideoGap[];
  /** Number of the broadcast's segment that each stored file is of. */
  numbers: number[];
}
/** What the log has of a channel up to segment ENOUGH, and what the files are. */
async function told(name: string): Promise<Told> {
  const { segments, gaps } = await readKeptVideo({ nc, objects }, `video-${name}`, 0, Date.now() + 100_000);
  const numbers: number[] = [];
  for (const { analysis, source: best } of segments) {
    const text = (await objects.get((analysis ?? best)?.key ?? "none"))?.toString("latin1") ?? "";
    numbers.push(Number(/\/(\d+);/.exec(text)?.[1] ?? -1));
  }
  return { segments, gaps, numbers };
}
const state = async (name: string): Promise<VideoState | undefined> =>
  (await states.get(name))?.json<VideoState>();
const counting = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
const upTo = (numbers: number[], most = ENOUGH): number[] => numbers.filter((n) => n <= most);
/** The stand-in has its first segments out when it starts; a busy machine may miss some of those. */
const expectAll = ({ numbers }: Told, ...without: number[]): void => {
  const first = numbers[0] ?? -1;
  expect(first).toBeLessThan(8);
  expect(upTo(numbers)).toEqual(counting(first, ENOUGH).filter((n) => !without.includes(n)));
};
const expectClock = (
  { segments, numbers }: Told,
  clock = (n: number): number => hls.startMs + n * SEGMENT_MS,
): void => {
  expect(segments.map(({ startMs }) => startMs)).toEqual(numbers.map((n) => clock(n)));
  expect(
    segments.every(({ durationMs, uncertainMs }) => durationMs === SEGMENT_MS && uncertainMs === undefined),
  ).toBe(true);
};

describe("each segment is told once, in order, with its time to the millisecond", () => {
  test("of a plain stream, in the smallest rendition and the best up to 1080 lines", async () => {
    const all = await told("plain");
    expectAll(all);
    expectClock(all);
    expect(all.gaps).toEqual([]);
    const [first] = all.segments;
    expect(first?.epoch).toBe(first?.startMs);
    expect(first?.source).toMatchObject({ width: 1920, height: 1080, container: "ts", init: null });
    expect(first?.analysis?.key).toBe(`video/video-plain/${first?.epoch}/${first?.seq}-160.ts`);
    const best = await objects.get(first?.source?.key ?? "");
    expect(best?.toString("latin1")).toContain(`1080/${all.numbers[0]};`);
    expect(await state("plain")).toMatchObject({ state: "live", reason: null, oldestMs: first?.startMs });
  });

  test.each(["no_clock", "wrong_clock"])(
    "of a stream with %s, by our own clock and said to be so",
    async (name) => {
      const { segments, numbers, gaps } = await told(name);
      expect(upTo(numbers)).toEqual(counting(numbers[0] ?? 0, ENOUGH));
      expect(gaps).toEqual([]);
      for (const [i, segment] of segments.entries()) {
        const truth = hls.startMs + (numbers[i] ?? 0) * SEGMENT_MS;
        expect(Math.abs(segment.startMs - truth)).toBeLessThan(segment.uncertainMs ?? 0);
        expect(segment.startMs).toBe((segments[0]?.startMs ?? 0) + i * SEGMENT_MS);
      }
    },
  );

  test.each(["stumbles", "slow", "truncated", "prefetch"])("of a server that %s", async (name) => {
    const all = await told(name);
    expectAll(all);
    expectClock(all);
    expect(all.gaps).toEqual([]);
  });

  test("of one that jumps by a minute behind a discontinuity; between is a gap", async () => {
    const all = await told("jump");
    expectAll(all);
    expectClock(all, (n) => hls.startMs + n * SEGMENT_MS + (n >= 10 ? 60_000 : 0));
    expect(all.segments.filter(({ discontinuity }) => discontinuity).map(({ seq }) => seq)).toEqual([10]);
    expect(all.gaps).toMatchObject([
      {
        fromMs: hls.startMs + 10 * SEGMENT_MS,
        toMs: hls.startMs + 10 * SEGMENT_MS + 60_000,
        reason: "missed",
      },
    ]);
  });

  test("of one with stitched advertisements, which are marked", async () => {
    const all = await told("ads");
    expectAll(all);
    expect(all.segments.filter(({ ad }) => ad).map(({ seq }) => seq)).toEqual([8, 9, 10]);
  });

  test("of one that is fragmented MP4, with its initialisation section", async () => {
    const { segments, numbers } = await told("fmp4");
    expect(upTo(numbers)).toEqual(counting(numbers[0] ?? 0, ENOUGH));
    const { analysis } = segments[0] ?? {};
    expect(analysis).toMatchObject({ container: "fmp4" });
    expect((await objects.get(analysis?.init?.key ?? ""))?.toString()).toContain("ftyp160/0;");
    expect(new Set(segments.map((one) => one.analysis?.init?.key)).size).toBe(1);
  });

  test("of one that is ciphered with AES-128, stored in clear", async () => {
    const all = await told("ciphered");
    expectAll(all);
  });
});

describe("what cannot be had is told", () => {
  test("segments that the server does not have", async () => {
    const all = await told("missing");
    expectAll(all, 8, 9);
    expectClock(all);
    expect(all.gaps.map(({ toSeq, reason, fromMs }) => [toSeq, reason, fromMs])).toEqual([
      [8, "not_found", hls.startMs + 8 * SEGMENT_MS],
      [9, "not_found", hls.startMs + 9 * SEGMENT_MS],
    ]);
  });

  test("a full disk, which makes room and says so, and the stream goes on", async () => {
    const all = await told("full_disk");
    expect(all.gaps.map(({ toSeq, reason }) => [toSeq, reason])).toEqual([
      [8, "disk_full"],
      [9, "disk_full"],
    ]);
    expect(upTo(all.segments.map(({ seq }) => seq))).toEqual(expect.arrayContaining(counting(10, ENOUGH)));
    expect(await state("full_disk")).toMatchObject({ state: "live", reason: /The disk is full/ as never });
    // The oldest has made room.
    expect(all.numbers[0]).toBe(-1);
  });

  test("one rendition of it: the other is kept", async () => {
    const all = await told("no_source");
    expectAll(all);
    expect(all.segments.filter(({ source: best }) => best === null).map(({ seq }) => seq)).toEqual([8]);
    expect(all.gaps).toEqual([]);
  });

  test("HTML and nothing in place of a segment", async () => {
    const all = await told("no_media");
    expectAll(all, 8, 9);
    expect(all.gaps.map(({ reason, detail }) => [reason, detail])).toEqual([
      ["refused", "the segment is no media file"],
      ["refused", "the segment is empty"],
    ]);
  });

  test.each(["huge", "endless"])("a segment of %s size", async (name) => {
    const all = await told(name);
    expectAll(all, 8);
    expect(all.gaps.map(({ reason }) => reason)).toEqual(["too_large"]);
  });

  test("a playlist that stood still and went on behind what it left out", async () => {
    const all = await told("frozen");
    const after = all.numbers.find((n) => n > 8) ?? 0;
    expect(after).toBeGreaterThan(9);
    expect(upTo(all.numbers)).toEqual([...counting(all.numbers[0] ?? 0, 8), ...counting(after, ENOUGH)]);
    expectClock(all);
    expect(all.gaps).toMatchObject([
      {
        toSeq: after - 1,
        reason: "frozen",
        fromMs: hls.startMs + 9 * SEGMENT_MS,
        toMs: hls.startMs + after * SEGMENT_MS,
      },
    ]);
    expect(seen.get("frozen")).toContain("stalled");
    expect((await state("frozen"))?.state).toBe("live");
  });
});

test("a playlist whose segments cannot be had is not live, and says so", async () => {
  const { numbers, gaps } = await told("no_segments");
  expect(gaps.length).toBeGreaterThanOrEqual(3);
  expect(new Set(gaps.map(({ reason }) => reason))).toEqual(new Set(["not_found"]));
  expect(numbers.slice(0, 2)).toEqual(counting(numbers[0] ?? 0, (numbers[0] ?? 0) + 1));
  expect(seen.get("no_segments")).toContain("stalled");
  expect(await state("no_segments")).toMatchObject({ state: "live", code: null });
});

test("an error page in place of a playlist costs nothing: an address that has given a picture is soon asked again", async () => {
  expectAll(await told("error_page"));
  expect(errorPage).toBe(true);
  expect((await state("error_page"))?.state).toBe("live");
});

test("numbers that begin anew are another epoch; nothing is lost at the seam", async () => {
  const { segments, numbers, gaps } = await told("restarts");
  expect(upTo(numbers)).toEqual(counting(numbers[0] ?? 0, ENOUGH));
  const epochs = [...new Set(segments.map(({ epoch }) => epoch))];
  expect(epochs).toHaveLength(2);
  const second = segments.filter(({ epoch }) => epoch === epochs[1]);
  expect(second[0]?.startMs).toBe(epochs[1]);
  expect(gaps).toEqual([]);
});

test("a stream that ends is ended, with its last segment kept", async () => {
  const { numbers, gaps } = await told("ends");
  expect(numbers.at(-1)).toBe(12);
  expect(gaps).toEqual([]);
  expect((await state("ends"))?.state).toBe("ended");
});

describe("a hostile or broken address is refused in a sentence, and nothing is stored", () => {
  test.each(Object.entries(HOSTILE).map(([name, [, reason]]) => [name, reason] as const))(
    "%s",
    async (name, reason) => {
      // On a busy machine the first answer may be late; it is asked for again.
      await vi.waitFor(
        async () => {
          const said = await state(name);
          const { gaps } = await told(name);
          expect([said?.reason ?? "", ...gaps.map(({ detail }) => detail)].join("\n")).toMatch(reason);
        },
        { timeout: 30_000, interval: 250 },
      );
      const { segments, gaps } = await told(name);
      expect(segments).toEqual([]);
      expect(gaps.every((gap) => gap.reason === "refused")).toBe(true);
    },
  );

  test("ftp: is refused; of a channel without an address nothing is said", async () => {
    expect(await state("ftp_address")).toMatchObject({
      state: "refused",
      reason: /ftp: addresses are refused/ as never,
    });
    expect(await state("none")).toBeUndefined();
  });
});

test("the source that begins again goes on behind the log, without a double and without a hole", async () => {
  const before = await told("plain");
  source.want([]);
  await sleep(600);
  const { url } = hls;
  source.want([wanted("plain", `${url}/plain/master.m3u8`)]);
  const last = before.numbers.at(-1) ?? 0;
  await vi.waitFor(
    async () => expect((await told("plain")).numbers.at(-1)).toBeGreaterThan(last + 4),
    10_000,
  );
  const after = await told("plain");
  expect(after.numbers).toEqual(counting(after.numbers[0] ?? 0, after.numbers.at(-1) ?? 0));
  expect(after.gaps).toEqual([]);
  expect(new Set(after.segments.map(({ epoch }) => epoch)).size).toBe(1);
});
