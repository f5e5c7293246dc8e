import { expect, test } from "vitest";
import { plan, positionOf, type Position, type Step } from "./plan.ts";
import type { Listed, MediaPlaylist } from "./playlist.ts";

const T0 = Date.UTC(2026, 5, 1, 12);
interface Options {
  clock?: (seq: number) => number | null;
  path?: string;
  ended?: boolean;
}
/** Segments `from`–`to` of 2 s, by the clock T0 + seq × 2 s. */
const list = (from: number, to: number, options: Options = {}): MediaPlaylist => {
  const { clock = (seq: number) => T0 + seq * 2000, path = "a", ended = false } = options;
  const segments = Array.from({ length: to - from + 1 }, (_, i): Listed => {
    const seq = from + i;
    return {
      ...{ seq, url: `http://h/${path}/${seq}.ts?token=${to}`, range: null, key: null, durationMs: 2000 },
      ...{ pdtMs: clock(seq), discontinuity: false, ad: false, absent: false, init: null },
    };
  });
  return { kind: "media", targetMs: 2000, ended, segments };
};
/** Plans as if the newest segment had ended just now, unless told otherwise. */
const next = (
  position: Position | null,
  playlist: MediaPlaylist,
  { nowMs = T0 + ((playlist.segments.at(-1)?.seq ?? 0) + 1) * 2000, stalled = false, notBeforeMs = 0 } = {},
): { position: Position | null; said: string[]; steps: Step[] } => {
  const planned = plan({ position, list: playlist, nowMs, stalled, notBeforeMs });
  return { ...planned, said: planned.steps.map(said) };
};
const said = (step: Step): string =>
  step.kind === "segment"
    ? `${step.listed.seq} at ${step.startMs - T0}`
    : `gap ${step.gap.fromMs - T0}–${step.gap.toMs - T0} ${step.gap.reason}${step.gap.toSeq === undefined ? "" : ` to ${step.gap.toSeq}`}`;

test("on joining the last minute of the list is taken, then only what is new", () => {
  const first = next(null, list(0, 99));
  expect([first.said.length, first.said[0], first.said.at(-1)]).toEqual([30, "70 at 140000", "99 at 198000"]);
  expect(first.position).toMatchObject({ epoch: T0 + 140_000, seq: 99 });
  expect(next(first.position, list(0, 99)).said).toEqual([]);
  expect(next(first.position, list(0, 101)).said).toEqual(["100 at 200000", "101 at 202000"]);
});

test("what had left the list before it was read is a gap", () => {
  const { position } = next(null, list(0, 5));
  const later = next(position, list(9, 12));
  expect(later.said.slice(0, 2)).toEqual(["gap 12000–18000 missed to 8", "9 at 18000"]);
  expect(next(position, list(9, 12), { stalled: true }).said[0]).toContain("frozen");
});

test("a clock that jumps at a discontinuity is followed to the millisecond, both ways", () => {
  const jump = (by: number): string[] =>
    next(
      next(null, list(0, 5)).position,
      list(0, 7, { clock: (seq) => T0 + seq * 2000 + (seq > 5 ? by : 0) }),
    ).said;
  expect(jump(60_000)).toEqual(["gap 12000–72000 missed", "6 at 72000", "7 at 74000"]);
  expect(jump(-5000)).toEqual(["6 at 7000", "7 at 9000"]);
});

test("a clock that cannot be a live stream's is not believed", () => {
  const wrong = next(null, list(0, 5, { clock: (seq) => seq * 2000 }));
  expect(wrong.said).toEqual([0, 1, 2, 3, 4, 5].map((seq) => `${seq} at ${seq * 2000}`));
  expect(wrong.steps.every((step) => step.kind === "segment" && step.uncertainMs === 17_000)).toBe(true);
});

test("without a clock segments follow one another; after a long silence they begin at ours again", () => {
  const clock = (): null => null;
  const { position } = next(null, list(0, 5, { clock }));
  expect(next(position, list(1, 6, { clock }), { nowMs: T0 + 16_500 }).said).toEqual(["6 at 12000"]);
  expect(next(position, list(1, 6, { clock }), { nowMs: T0 + 60_000 }).said).toEqual([
    "gap 12000–58000 missed",
    "6 at 58000",
  ]);
});

test("numbers that begin anew are a new epoch, with what lay between", () => {
  const { position } = next(null, list(100, 105));
  const clock = (seq: number): number => T0 + 230_000 + seq * 2000;
  const again = next(position, list(0, 3, { clock, path: "b" }), { nowMs: T0 + 238_000 });
  expect(again.said).toEqual([
    "gap 212000–230000 missed",
    "0 at 230000",
    "1 at 232000",
    "2 at 234000",
    "3 at 236000",
  ]);
  expect(again.position?.epoch).toBe(T0 + 230_000);
  // Also when they have passed the old ones already.
  const passed = next(position, list(103, 108, { clock, path: "b" }), { nowMs: T0 + 448_000 });
  expect(passed.position?.epoch).toBe(T0 + 436_000);
});

test("an old copy of a cache changes nothing", () => {
  const { position } = next(null, list(0, 9));
  const old = next(position, list(2, 7));
  expect(old.said).toEqual([]);
  expect(next(old.position, list(5, 10)).said).toEqual(["10 at 20000"]);
});

test("without a clock, numbers that stay behind are a new epoch at the third time", () => {
  const clock = (): null => null;
  const nowMs = T0 + 30_000;
  let { position } = next(null, list(100, 105, { clock }), { nowMs });
  for (const expected of [0, 0, 3]) {
    const again = next(position, list(0, 2, { clock, path: "b" }), { nowMs: nowMs + 10_000 });
    expect(again.steps.filter(({ kind }) => kind === "segment")).toHaveLength(expected);
    position = again.position;
  }
});

test("a recording is not followed, but the end of a stream that was", () => {
  expect(next(null, list(0, 5, { ended: true })).said).toEqual([]);
  const { position } = next(null, list(0, 5));
  expect(next(position, list(0, 7, { ended: true }), { nowMs: T0 + 5 * 3600_000 }).said).toEqual([
    "6 at 12000",
    "7 at 14000",
  ]);
});

test("what was shown while the channel was paused is not taken", () => {
  const { position } = next(null, list(0, 5));
  const resumed = next(position === null ? null : { ...position, holeReason: "paused" }, list(4, 9), {
    notBeforeMs: T0 + 17_000,
  });
  expect(resumed.said).toEqual(["gap 12000–16000 paused to 7", "8 at 16000", "9 at 18000"]);
});

test("after a restart it goes on behind the log's last, be that a segment or a gap", () => {
  const segment = {
    ...{ id: "", channelId: "1", epoch: T0, seq: 5, startMs: T0 + 10_000, durationMs: 2000 },
    ...{ discontinuity: false, ad: false, analysis: null, source: null },
  };
  expect(next(positionOf(segment, null, "source_restarted"), list(3, 7)).said).toEqual([
    "6 at 12000",
    "7 at 14000",
  ]);
  expect(next(positionOf(segment, null, "source_restarted"), list(8, 9)).said[0]).toBe(
    "gap 12000–16000 source_restarted to 7",
  );
  const gap = {
    ...{ id: "", channelId: "1", epoch: T0, fromMs: T0 + 12_000, toMs: T0 + 16_000, toSeq: 7 },
    ...{ reason: "missed" as const, detail: "" },
  };
  expect(next(positionOf(segment, gap, "source_restarted"), list(8, 9)).said).toEqual([
    "8 at 16000",
    "9 at 18000",
  ]);
  // Hours later, numbers that went on by seconds are another stream's.
  const clock = (seq: number): number => T0 + 5 * 3600_000 + seq * 2000;
  const other = next(positionOf(segment, null, "source_restarted"), list(20, 21, { clock }), {
    nowMs: clock(22),
  });
  expect(other.position?.epoch).toBe(clock(20));
});
