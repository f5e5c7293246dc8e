import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { frameNumberOf } from "./counter.ts";
import type { PlaylistFault, SegmentFault } from "./faults.ts";
import { makeFootage, type FootageOptions } from "./footage.ts";
import { startLivesim, type Livesim, type LivesimOptions } from "./livesim.ts";

const START_MS = Date.UTC(2026, 5, 1, 12);
let place: string;
let nowMs = START_MS;
let sim: Livesim | null = null;
beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "livesim-"));
  await makeFootage(join(place, "plain"), 20);
});
afterAll(() => rmSync(place, { recursive: true, force: true }));
afterEach(async () => {
  await sim?.close();
  sim = null;
});

/** A channel whose clock stands `atMs` after its first frame. */
async function live(atMs: number, options: LivesimOptions = {}, folder = "plain"): Promise<Livesim> {
  nowMs = START_MS + atMs;
  sim = await startLivesim(join(place, folder), { now: () => nowMs, startMs: START_MS, ...options });
  return sim;
}
const get = async (address: string): Promise<string> => (await fetch(address)).text();
const listed = (playlist: string): string[] => playlist.split("\n").filter((line) => /^\d+\.\w+$/.test(line));
const tag = (playlist: string, name: string): string[] =>
  playlist
    .split("\n")
    .filter((line) => line.startsWith(`#${name}`))
    .map((line) => line.slice(name.length + 2));

/** Frame numbers that ffmpeg decodes from an address or file. */
async function numbersIn(input: string, width: number, height: number): Promise<(number | null)[]> {
  const { stdout: rgb } = await promisify(execFile)(
    "ffmpeg",
    [
      "-v",
      "error",
      "-i",
      input,
      "-map",
      "0:v",
      "-fps_mode",
      "passthrough",
      "-f",
      "rawvideo",
      "-pix_fmt",
      "rgb24",
      "-",
    ],
    { maxBuffer: 1 << 30, encoding: "buffer", timeout: 20_000 },
  );
  const size = width * height * 3;
  return Array.from({ length: rgb.length / size }, (_, i) =>
    frameNumberOf(rgb.subarray(i * size, (i + 1) * size), width, height),
  );
}
const counting = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

test("a segment is out when it has ended, six are listed, each with its wall clock", async () => {
  const { media } = await live(15_999);
  const before = await get(media("160"));
  expect(listed(before)).toEqual(["1.ts", "2.ts", "3.ts", "4.ts", "5.ts", "6.ts"]);
  expect(tag(before, "EXT-X-MEDIA-SEQUENCE")).toEqual(["1"]);
  expect(tag(before, "EXT-X-PROGRAM-DATE-TIME")[0]).toBe("2026-06-01T12:00:02.000Z");
  expect(tag(before, "EXT-X-TWITCH-PREFETCH")).toEqual(["7.ts", "8.ts"]);
  nowMs += 1;
  expect(listed(await get(media("160"))).at(-1)).toBe("7.ts");
});

test("every frame says its number in both renditions, from the playlist's segments", async () => {
  const { media } = await live(20_000);
  const [first = ""] = listed(await get(media("480")));
  expect(first).toBe("4.ts");
  expect(await numbersIn(media("480").replace("index.m3u8", "4.ts"), 854, 480)).toEqual(counting(240, 60));
  expect(await numbersIn(media("160").replace("index.m3u8", "5.ts"), 284, 160)).toEqual(counting(300, 60));
});

test.each<[string, FootageOptions]>([
  ["fMP4", { container: "fmp4" }],
  ["AES-128", { encrypted: true }],
])("%s footage plays too", async (name, options) => {
  const size = { width: 284, height: 160 };
  await makeFootage(join(place, name), 6, { ...options, sizes: [size], firstFrame: 1_000 });
  // Out at once: the playlist ends, so that ffmpeg does.
  const { master } = await live(60_000, {}, name);
  expect(await numbersIn(master, size.width, size.height)).toEqual(counting(1_000, 180));
});

test("a loop goes on behind a DISCONTINUITY, and the count of those that have left is right", async () => {
  const { media } = await live(24_000, { loop: true });
  const border = await get(media("160"));
  expect(listed(border)).toEqual(["6.ts", "7.ts", "8.ts", "9.ts", "10.ts", "11.ts"]);
  expect(border).toContain(
    "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-06-01T12:00:20.000Z\n#EXTINF:2.000,live\n10.ts",
  );
  expect(tag(border, "EXT-X-DISCONTINUITY-SEQUENCE")).toEqual(["0"]);
  nowMs = START_MS + 34_000;
  expect(tag(await get(media("160")), "EXT-X-DISCONTINUITY-SEQUENCE")).toEqual(["1"]);
});

test("stitched ads are named while they are in the window", async () => {
  const { media } = await live(16_000, { ads: [{ atMs: 4_000, durationMs: 4_000 }] });
  expect(await get(media("160"))).toContain(
    'CLASS="twitch-stitched-ad",START-DATE="2026-06-01T12:00:04.000Z",DURATION=4.000',
  );
  nowMs = START_MS + 20_000;
  expect(await get(media("160"))).not.toContain("stitched-ad");
});

test.each<[SegmentFault, (response: Response) => Promise<void>]>([
  ["missing", async ({ status }) => expect(status).toBe(404)],
  ["unavailable", async ({ status }) => expect(status).toBe(503)],
  ["empty", async (response) => expect((await response.arrayBuffer()).byteLength).toBe(0)],
  ["html", async (response) => expect(await response.text()).toContain("<!doctype html>")],
  ["playlist", async (response) => expect(await response.text()).toContain("file:///etc/passwd")],
  [
    "avi",
    async (response) => {
      const text = Buffer.from(await response.arrayBuffer()).toString("latin1");
      expect(text.startsWith("RIFF")).toBe(true);
      expect(text).toContain("GAB2");
    },
  ],
  ["truncated", async (response) => expect(response.arrayBuffer()).rejects.toThrow()],
  [
    "redirect-private",
    async ({ status, headers }) => {
      expect(status).toBe(302);
      expect(headers.get("location")).toContain("169.254.169.254");
    },
  ],
])("the next segment can be %s, and the one behind it is whole", async (mode, holds) => {
  const { media, fault } = await live(10_000);
  fault({ fault: "segments", mode });
  nowMs += 4_000;
  const address = (number: number): string => media("160").replace("index.m3u8", `${number}.ts`);
  await holds(await fetch(address(5), { redirect: "manual" }));
  expect((await fetch(address(6))).status).toBe(200);
});

test.each<[PlaylistFault, RegExp]>([
  ["file-uri", /\nfile:\/\/\/etc\/passwd\n/],
  ["private-uri", /\nhttp:\/\/169\.254\.169\.254\/latest\/meta-data\/4\.ts\n/],
  ["file-key", /#EXT-X-KEY:METHOD=AES-128,URI="file:/],
  ["private-map", /#EXT-X-MAP:URI="http:\/\/169/],
  ["negative-duration", /#EXTINF:-2\.000/],
  ["ten-thousand", /(#EXTINF:2\.000,live\n0\.ts\n){10000}/],
  ["self-master", /#EXT-X-STREAM-INF:BANDWIDTH=1\nindex\.m3u8/],
  ["html", /^<!doctype html>/],
  ["empty", /^$/],
])("a playlist can be %s, for a while", async (mode, looks) => {
  const { media, fault } = await live(10_000);
  const well = await get(media("160"));
  fault({ fault: "playlist", mode, forMs: 1_000 });
  expect(await get(media("160"))).toMatch(looks);
  nowMs += 1_000;
  expect(await get(media("160"))).toBe(well.replace("SECS:10.000", "SECS:11.000"));
});

test("a frozen playlist stands still and then goes on where the clock is", async () => {
  const { media, fault } = await live(10_000);
  const before = listed(await get(media("160")));
  fault({ fault: "playlist", mode: "frozen", forMs: 6_000 });
  nowMs += 5_999;
  expect(listed(await get(media("160")))).toEqual(before);
  nowMs += 1;
  expect(listed(await get(media("160"))).at(-1)).toBe("7.ts");
});

test("the wall clock can jump at a DISCONTINUITY, the sequence can begin anew, and the channel can end", async () => {
  const { master, media, fault } = await live(10_000);
  fault({ fault: "pdt-jump", shiftMs: 60_000 });
  nowMs += 2_000;
  expect(await get(media("160"))).toContain(
    "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-06-01T12:01:10.000Z\n#EXTINF:2.000,live\n5.ts",
  );
  fault({ fault: "restart" });
  expect((await fetch(master)).status).toBe(404);
  nowMs += 2_000;
  const again = await get(media("160"));
  expect(listed(again)).toEqual(["6.ts"]);
  expect(tag(again, "EXT-X-MEDIA-SEQUENCE")).toEqual(["0"]);
  fault({ fault: "end" });
  nowMs += 4_000;
  const ended = await get(media("160"));
  expect(listed(ended)).toEqual(["6.ts"]);
  expect(ended).toContain("#EXT-X-ENDLIST");
});

test("a body without end is sent for as long as somebody reads", async () => {
  const { media, fault } = await live(10_000);
  fault({ fault: "playlist", mode: "huge" });
  const response = await fetch(media("160"));
  let bytes = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > 20 * 1024 * 1024) break;
  }
  expect(bytes).toBeGreaterThan(20 * 1024 * 1024);
  fault({ fault: "ok" });
  expect(await get(media("160"))).toContain("#EXT-X-MEDIA-SEQUENCE:0");
});

test("a redirect leads to itself without end", async () => {
  const { media, fault } = await live(10_000);
  fault({ fault: "playlist", mode: "redirect-loop" });
  await expect(fetch(media("160"))).rejects.toThrow();
});
