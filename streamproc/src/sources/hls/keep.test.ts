import type { Rendition, VideoSegment } from "@hypecast/contracts/video.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import { expect, test } from "vitest";
import { openKeep, sweepVideo, type Keep } from "./keep.ts";

const log = createLog("test", "fatal");
const SEGMENT_BYTES = 1_000_000;
/** With its frames and its picture. */
const KEPT_BYTES = SEGMENT_BYTES + 60_000;

const rendition = (seq: number, init: string | null = null): Rendition => ({
  ...{ key: `video/1/0/${seq}-1080.ts`, bytes: SEGMENT_BYTES, width: 1920, height: 1080, bandwidth: 0 },
  ...{ container: "ts", init: init === null ? null : { key: init, bytes: 10 } },
});
const segment = (seq: number, init: string | null = null): VideoSegment => ({
  ...{ id: `1:0:${seq}`, channelId: "1", epoch: 0, seq, startMs: seq * 2000, durationMs: 2000 },
  ...{ discontinuity: false, ad: false, analysis: rendition(seq, init), source: rendition(seq, init) },
});

/** Objects that only know what was removed, and a clock that the test moves. */
interface World {
  keep: Keep;
  removed: string[];
  hold: { fromMs: number; toMs: number } | null;
  trim(nowMs: number): Promise<void>;
  failing: boolean;
}
function world(limits: { keepMs?: number; keepBytes?: number }): World {
  const removed: string[] = [];
  let monotonicMs = 0;
  const it: World = {
    keep: openKeep(
      "1",
      { keepMs: Infinity, keepBytes: Infinity, ...limits },
      {
        log,
        monotonicMs: () => monotonicMs,
        held: (_channel, fromMs, toMs) => it.hold !== null && it.hold.fromMs < toMs && it.hold.toMs > fromMs,
        objects: {
          async remove(key) {
            if (it.failing) throw new Error("the disk is away");
            removed.push(key);
          },
        },
      },
    ),
    removed,
    hold: null,
    failing: false,
    /** What is let go is removed some seconds later. */
    async trim(nowMs: number) {
      await it.keep.trim(nowMs);
      monotonicMs += 3000;
      await it.keep.trim(nowMs);
    },
  };
  return it;
}

test("what is older than the hours goes, oldest first, with its frames and picture", async () => {
  const it = world({ keepMs: 10_000 });
  for (let seq = 0; seq < 10; seq++) it.keep.add(segment(seq));
  await it.trim(20_000);
  expect(it.keep.oldestMs()).toBe(8000);
  expect(it.removed.slice(0, 3)).toEqual(["video/1/0/0-1080.ts", "frames/1/0/0.rgb", "thumbs/1/0/0.jpg"]);
  expect(it.removed).toHaveLength(4 * 3);
  expect(it.keep.bytes()).toBe(6 * KEPT_BYTES);
});

test("the quota holds whatever comes", async () => {
  const it = world({ keepBytes: 5 * KEPT_BYTES });
  for (let seq = 0; seq < 200; seq++) {
    it.keep.add(segment(seq));
    await it.trim(0);
    expect(it.keep.bytes()).toBeLessThanOrEqual(5 * KEPT_BYTES);
  }
  expect(it.keep.oldestMs()).toBe(196 * 2000);
});

test("files are not removed before everybody can have heard of it", async () => {
  const it = world({ keepBytes: 2 * KEPT_BYTES });
  it.keep.add(segment(0));
  it.keep.add(segment(1));
  await it.keep.trim(0);
  expect(it.keep.oldestMs()).toBe(2000);
  expect(it.removed).toEqual([]);
});

test("what a clip needs stays, until it is made; what is around it goes", async () => {
  const it = world({ keepMs: 4000 });
  for (let seq = 0; seq < 10; seq++) it.keep.add(segment(seq));
  it.hold = { fromMs: 4000, toMs: 8000 };
  await it.trim(20_000);
  expect(it.removed.filter((key) => key.startsWith("video/"))).toEqual(
    [0, 1, 4, 5, 6].map((seq) => `video/1/0/${seq}-1080.ts`),
  );
  // From here on nothing is missing.
  expect(it.keep.oldestMs()).toBe(14_000);
  it.hold = null;
  await it.trim(20_000);
  expect(it.keep.bytes()).toBe(3 * KEPT_BYTES);
});

test("a clip that is asked for while a segment is leaving keeps it", async () => {
  const it = world({ keepMs: 1000 });
  it.keep.add(segment(0));
  await it.keep.trim(20_000);
  it.hold = { fromMs: 0, toMs: 1000 };
  await it.trim(20_000);
  expect(it.removed).toEqual([]);
  it.hold = null;
  await it.trim(20_000);
  expect(it.removed).toHaveLength(3);
});

test("an initialisation section goes with the last segment that needs it", async () => {
  const it = world({ keepMs: 1000 });
  it.keep.add(segment(0, "video/1/0/init-1.mp4"));
  it.keep.add(segment(1, "video/1/0/init-1.mp4"));
  await it.trim(4000);
  expect(it.removed).not.toContain("video/1/0/init-1.mp4");
  await it.trim(9000);
  expect(it.removed).toContain("video/1/0/init-1.mp4");
});

test("a file that cannot be removed is tried again, and counts until then", async () => {
  const it = world({ keepMs: 1000 });
  it.keep.add(segment(0));
  it.failing = true;
  await it.trim(9000);
  expect(it.keep.bytes()).toBe(KEPT_BYTES);
  it.failing = false;
  await it.trim(9000);
  expect([it.keep.bytes(), it.removed.length]).toEqual([0, 3]);
});

test("a full disk makes room at once, and the old measure comes back by and by", async () => {
  const it = world({ keepBytes: 100 * KEPT_BYTES });
  for (let seq = 0; seq < 20; seq++) it.keep.add(segment(seq));
  it.keep.diskFull();
  expect(it.keep.tightened()).toBe(true);
  await it.trim(0);
  expect(it.keep.bytes()).toBe(14 * KEPT_BYTES);
  for (let minute = 0; minute < 20 * 12; minute++) await it.trim(0);
  expect(it.keep.tightened()).toBe(false);
});

test("the sweep removes what is older than all that is kept, and nothing that a clip needs", async () => {
  const HOUR = 3600_000;
  const all = new Map([
    ["video/1/0/1-160.ts", 5 * HOUR],
    ["video/2/0/1-160.ts", 5 * HOUR],
    ["frames/1/0/1.rgb", 5 * HOUR],
    ["video/1/0/9-160.ts", 9.5 * HOUR],
    ["clips/x/16x9.mp4", 1 * HOUR],
  ]);
  const objects = {
    async *list(prefix: string) {
      for (const [key, modifiedMs] of all) if (key.startsWith(prefix)) yield { key, bytes: 1, modifiedMs };
    },
    async remove(key: string) {
      all.delete(key);
    },
  };
  const held = (channelId: string, fromMs: number, toMs: number): boolean =>
    channelId === "2" && fromMs < 5 * HOUR && toMs > 5 * HOUR;
  expect(await sweepVideo(objects, 2 * HOUR, held, 10 * HOUR)).toBe(2);
  expect([...all.keys()]).toEqual(["video/2/0/1-160.ts", "video/1/0/9-160.ts", "clips/x/16x9.mp4"]);
});
