import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Rendition, VideoSegment } from "@hypecast/contracts/video.ts";
import { append, emptyTimeline, livePlaylist, spanPlaylist, trim, type Timeline } from "./playlist.ts";

const T = Date.UTC(2026, 0, 1);
const rendition = (key: string, over: Partial<Rendition> = {}): Rendition => ({
  key,
  bytes: 1000,
  width: 1920,
  height: 1080,
  bandwidth: 6_000_000,
  container: "ts",
  init: null,
  ...over,
});
const segment = (seq: number, over: Partial<VideoSegment> = {}): VideoSegment => {
  const epoch = over.epoch ?? T;
  return {
    id: `42:${epoch}:${seq}`,
    channelId: "42",
    epoch,
    seq,
    startMs: T + seq * 2000,
    durationMs: 2000,
    discontinuity: false,
    ad: false,
    analysis: null,
    source: rendition(`video/42/${epoch}/${seq}-1080.ts`),
    ...over,
  };
};
const timelineOf = (...segments: VideoSegment[]): Timeline => {
  const timeline = emptyTimeline();
  for (const one of segments) append(timeline, one);
  return timeline;
};

test("what is kept is a live playlist: time at the first segment, no end", () => {
  expect(livePlaylist(timelineOf(segment(7), segment(8, { durationMs: 2133 })), false)).toBe(
    `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:14.000Z
#EXTINF:2.000,
/media/segment/42/${T}/7-1080.ts
#EXTINF:2.133,
/media/segment/42/${T}/8-1080.ts
`,
  );
  expect(livePlaylist(timelineOf(segment(7)), true)).toMatch(/\n#EXT-X-ENDLIST\n$/);
});

test.each([
  ["a source's own discontinuity", segment(8, { discontinuity: true })],
  ["a restarted stream", segment(1, { epoch: T + 16_000, startMs: T + 16_000 })],
  ["a missing segment", segment(9)],
  ["a hole in time", segment(8, { startMs: T + 17_000 })],
  ["another size", segment(8, { source: rendition("video/42/1/8-720.ts", { height: 720 }) })],
])("%s is a discontinuity and says its time again", (_what, next) => {
  const text = livePlaylist(timelineOf(segment(7), next), false);
  const time = new Date(next.startMs).toISOString();
  expect(text).toContain(`7-1080.ts\n#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:${time}\n#EXTINF`);
});

test("fragments of MP4 name their initialisation section, again after a break and when it is another", () => {
  const fmp4 = (seq: number, init: string, over: Partial<VideoSegment> = {}): VideoSegment =>
    segment(seq, {
      source: rendition(`video/42/1/${seq}-1080.m4s`, {
        container: "fmp4",
        init: { key: `video/42/1/${init}`, bytes: 900 },
      }),
      ...over,
    });
  const text = livePlaylist(
    timelineOf(fmp4(7, "init-a.mp4"), fmp4(8, "init-a.mp4"), fmp4(9, "init-b.mp4"), fmp4(11, "init-b.mp4")),
    false,
  );
  expect(text.split("\n").filter((line) => /MAP|DISCONTINUITY$|m4s/.test(line))).toEqual([
    `#EXT-X-MAP:URI="/media/segment/42/${T}/init-a.mp4"`,
    `/media/segment/42/${T}/7-1080.m4s`,
    `/media/segment/42/${T}/8-1080.m4s`,
    `#EXT-X-MAP:URI="/media/segment/42/${T}/init-b.mp4"`,
    `/media/segment/42/${T}/9-1080.m4s`,
    "#EXT-X-DISCONTINUITY",
    `#EXT-X-MAP:URI="/media/segment/42/${T}/init-b.mp4"`,
    `/media/segment/42/${T}/11-1080.m4s`,
  ]);
});

test("a segment without its source rendition is a hole, one that comes twice is one", () => {
  const timeline = timelineOf(segment(7), segment(7), segment(8, { source: null }), segment(9), segment(7));
  expect(timeline.listed.map((one) => [one.segment.seq, one.sequence, one.discontinuity])).toEqual([
    [7, 7, 0],
    [9, 8, 1],
  ]);
});

test("a span is a finished video that begins where the span does", () => {
  const timeline = timelineOf(...[7, 8, 9, 12, 13].map((seq) => segment(seq)));
  const text = spanPlaylist(timeline, T + 17_500, T + 24_001) ?? "";
  expect(text.split("\n")).toEqual(
    expect.arrayContaining([
      "#EXT-X-MEDIA-SEQUENCE:8",
      "#EXT-X-PLAYLIST-TYPE:VOD",
      "#EXT-X-START:TIME-OFFSET=1.500,PRECISE=YES",
      "#EXT-X-ENDLIST",
    ]),
  );
  expect([...text.matchAll(/(\d+)-1080/g)].map(([, seq]) => Number(seq))).toEqual([8, 9, 12]);
  // It begins in a hole: at the first picture behind it.
  expect(spanPlaylist(timeline, T + 21_000, T + 25_000)).toContain("TIME-OFFSET=0.000");
  expect(spanPlaylist(timeline, T + 20_000, T + 24_000)).toBeNull();
});

test("however segments come and go, each keeps its number and its discontinuities, and none is longer than the target", () => {
  const step = fc.record({
    skip: fc.integer({ min: 0, max: 2 }),
    durationMs: fc.integer({ min: 1, max: 9000 }),
    discontinuity: fc.boolean(),
    restart: fc.boolean(),
    hasSource: fc.boolean(),
    keep: fc.integer({ min: 1, max: 6 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const timeline = emptyTimeline();
      const numbers = new Map<string, string>();
      let [epoch, seq, startMs, targetS] = [1, 100, T, 0];
      for (const { skip, durationMs, discontinuity, restart, hasSource, keep } of steps) {
        if (restart) [epoch, seq] = [epoch + 1, 1];
        seq += skip;
        startMs += skip * 2000;
        append(timeline, {
          ...segment(seq, { epoch, startMs, durationMs, discontinuity }),
          ...(hasSource ? {} : { source: null }),
        });
        seq++;
        startMs += durationMs;
        const oldest = timeline.listed.at(-keep);
        if (oldest !== undefined) trim(timeline, oldest.segment.startMs);
        if (timeline.listed.length === 0) continue;
        const read = readPlaylist(livePlaylist(timeline, false));
        expect(read.targetS).toBeGreaterThanOrEqual(targetS);
        targetS = read.targetS;
        for (const { address, sequence, discontinuities, durationS } of read.segments) {
          const number = `${sequence} ${discontinuities}`;
          expect(numbers.get(address) ?? number).toBe(number);
          numbers.set(address, number);
          expect(Math.round(durationS)).toBeLessThanOrEqual(targetS);
        }
      }
    }),
  );
});

/** As a player reads it (RFC 8216, 4.3.3): numbers are counted from the head. */
function readPlaylist(text: string) {
  const number = (tag: string): number => Number(new RegExp(`#EXT-X-${tag}:(\\d+)`).exec(text)?.[1]);
  let [sequence, discontinuities, durationS] = [
    number("MEDIA-SEQUENCE"),
    number("DISCONTINUITY-SEQUENCE"),
    0,
  ];
  const segments = [];
  for (const line of text.split("\n")) {
    if (line === "#EXT-X-DISCONTINUITY") discontinuities++;
    durationS = Number(/^#EXTINF:([\d.]+)/.exec(line)?.[1] ?? durationS);
    if (line.startsWith("/"))
      segments.push({ address: line, sequence: sequence++, discontinuities, durationS });
  }
  return { targetS: number("TARGETDURATION"), segments };
}
