import * as fc from "fast-check";
import type { AudioWindow } from "@hypecast/contracts/audio.ts";
import type { SoundSignals } from "@hypecast/contracts/measured.ts";
import { describe, expect, test } from "vitest";
import { pack } from "../signals/signature.ts";
import { audio } from "./audio.ts";
import type { FoldInput } from "./fold.ts";
import { runOf, type Run } from "./run.ts";
import { BEGIN_MS, CHANNEL, segment } from "./video.fixture.ts";

const BLOCKS = 20;
/** Two seconds of sound; block `i` of the whole stream has the loudness `at(i)`. */
function sound(seq: number, at: (block: number) => number, more: Partial<SoundSignals> = {}): SoundSignals {
  const loudness = Array.from({ length: BLOCKS }, (_, i) => at(seq * BLOCKS + i));
  return {
    channels: 2,
    tracks: 1,
    loudness,
    peak: loudness.map((lufs) => Math.min(0, lufs + 6)),
    voice: loudness.map(() => 0),
    onsets: pack(new Uint8Array(200)),
    ...more,
  };
}
type More = Parameters<typeof segment>[3];
const input = (seq: number, at: (block: number) => number, more: More = {}): FoldInput => ({
  type: "measured",
  measured: segment(seq, seq * 2000, 2000, { sound: sound(seq, at), ...more }),
});
const inputs = (count: number, at: (block: number) => number): FoldInput[] =>
  Array.from({ length: count }, (_, seq) => input(seq, at));
const windowsOf = (run: Run, given: readonly FoldInput[]): AudioWindow[] =>
  given.flatMap((one) => run.step(one).flatMap((said) => (said.type === "audio" ? [said.audio] : [])));
const heard = (given: readonly FoldInput[]): AudioWindow[] => windowsOf(runOf([audio], CHANNEL), given);

/** Speech goes up and down. */
const lively = (block: number): number => -23 + 3 * Math.sin(block * 1.7) + 2 * Math.sin(block * 0.61);

describe("windows", () => {
  test("one a second, from the stream's first", () => {
    const found = heard(inputs(3, () => -23));
    expect(found.map((window) => window.startMs - BEGIN_MS)).toEqual([0, 1000, 2000, 3000, 4000, 5000]);
    expect(found.map((window) => window.shortTerm)).toEqual([null, null, -23, -23, -23, -23]);
    expect(found.map((window) => window.momentary)).toEqual(Array.from({ length: 6 }, () => -23));
    expect(found.at(-1)!.integrated).toBeCloseTo(-23, 1);
  });

  test("a segment without sound has none, and what follows starts anew", () => {
    const found = heard([
      input(0, () => -20),
      input(1, () => -20),
      input(2, () => -20, { sound: null }),
      input(3, () => -20),
    ]);
    expect(found.map((window) => (window.startMs - BEGIN_MS) / 1000)).toEqual([0, 1, 2, 3, 6, 7]);
    expect(found.at(-1)!.shortTerm).toBeNull();
    expect(found.at(-1)!.integrated).not.toBeNull();
  });

  test("a missing segment and a discontinuity start anew", () => {
    for (const given of [
      [input(0, () => -20), input(1, () => -20), input(3, () => -20)],
      [input(0, () => -20), input(1, () => -20), input(2, () => -20, { discontinuity: true })],
    ])
      expect(heard(given).map((window) => window.shortTerm === null)).toEqual([
        true,
        true,
        false,
        false,
        true,
        true,
      ]);
  });

  test("the same or an older segment again changes nothing", () => {
    const given = inputs(5, lively);
    expect(heard(given.flatMap((one, i) => [one, one, given[Math.max(0, i - 1)]!]))).toEqual(heard(given));
  });

  test("a segment of 1.46 s gives a window for what is there, and the rest waits for the next", () => {
    const short = (seq: number): FoldInput => ({
      type: "measured",
      measured: segment(seq, seq * 1460, 1460, {
        sound: sound(seq, () => -20, { loudness: Array<number>(15).fill(-20) }),
      }),
    });
    expect(heard([short(0), short(1)]).map((window) => window.startMs - BEGIN_MS)).toEqual([0, 973, 1947]);
  });

  test("a stream that starts again is integrated anew", () => {
    const again = input(0, () => -10, { epoch: BEGIN_MS + 60_000, startMs: BEGIN_MS + 60_000 });
    expect(heard([...inputs(5, () => -30), again]).at(-1)!.integrated).toBeCloseTo(-10, 1);
  });
});

describe("relative to the stream", () => {
  test("a crash is an onset, the stream's usual ups and downs are none", () => {
    const found = heard(inputs(60, (block) => (block >= 803 && block < 812 ? -5 : lively(block))));
    const onsets = found.filter((window) => window.onset > 0);
    expect(onsets.map((window) => (window.startMs - BEGIN_MS) / 1000)).toEqual([80]);
    expect(onsets[0]!.onset).toBeGreaterThan(4);
  });

  test("what is louder than usual says by how much, at the usual it is 0", () => {
    const found = heard(inputs(100, (block) => (block >= 1900 ? -15 : -25)));
    expect(Math.abs(found[100]!.aboveUsual)).toBeLessThan(0.5);
    expect(Math.abs(found.at(-1)!.aboveUsual - 10)).toBeLessThan(1);
  });

  test("nothing is above the usual before there is one", () => {
    for (const window of heard(inputs(5, (block) => (block > 60 ? -5 : -40)))) {
      expect(window.aboveUsual).toBe(0);
      expect(window.onset).toBe(0);
    }
  });

  test("silence is silence: digital, and far below what is usual", () => {
    const found = heard(
      inputs(60, (block) =>
        block >= 1000 && block < 1020 ? -100 : block >= 1100 && block < 1120 ? -52 : -23,
      ),
    );
    const silent = found
      .filter((window) => window.silence)
      .map((window) => (window.startMs - BEGIN_MS) / 1000);
    expect(silent).toEqual([100, 101, 110, 111]);
    // The first sound after it comes back to what was before, which is no crash.
    expect(found[102]!.aboveUsual).toBeLessThan(1);
  });

  test("an advertisement does not change what is usual, nor the stream's loudness", () => {
    const found = heard([
      ...inputs(30, () => -25),
      ...Array.from({ length: 15 }, (_, i) => input(30 + i, () => -9, { ad: true })),
      ...Array.from({ length: 5 }, (_, i) => input(45 + i, () => -25)),
    ]);
    expect(found.filter((window) => window.ad)).toHaveLength(30);
    expect(Math.abs(found.at(-1)!.aboveUsual)).toBeLessThan(0.5);
    expect(found.at(-1)!.integrated).toBeCloseTo(-25, 0);
  });
});

describe("tempo", () => {
  /** Beats with every second one weaker, and noise. */
  const beats = (bpm: number, seconds: number): Uint8Array => {
    let state = 9;
    const values = Uint8Array.from({ length: seconds * 100 }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 24) / 12;
    });
    for (let beat = 0; beat * (6000 / bpm) < values.length - 2; beat++) {
      const at = Math.round(beat * (6000 / bpm));
      values[at] = beat % 2 === 0 ? 220 : 140;
      values[at + 1] = 90;
    }
    return values;
  };

  test.each([74, 90, 108, 120, 128, 140, 174])("of %i beats a minute is found within 1.5 %%", (bpm) => {
    const onsets = beats(bpm, 30);
    const found = heard(
      Array.from({ length: 15 }, (_, seq) =>
        input(seq, () => -20, {
          sound: sound(seq, () => -20, { onsets: pack(onsets.subarray(seq * 200, (seq + 1) * 200)) }),
        }),
      ),
    );
    const last = found.at(-1)!;
    // Half and double are the same beat to a listener.
    const times = [0.5, 1, 2].map((octave) => Math.abs(last.tempo! / (bpm * octave) - 1));
    expect(Math.min(...times)).toBeLessThan(0.015);
    expect(last.tempoStrength).toBeGreaterThan(0.3);
    expect(found[3]!.tempo).toBeNull();
  });

  test("without a beat there is none", () => {
    let state = 5;
    const noise = (): number => ((state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 24) / 3;
    const found = heard(
      Array.from({ length: 10 }, (_, seq) =>
        input(seq, () => -20, {
          sound: sound(seq, () => -20, { onsets: pack(Uint8Array.from({ length: 200 }, noise)) }),
        }),
      ),
    );
    expect(found.map((window) => window.tempo)).toEqual(found.map(() => null));
  });
});

test("saving and loading in between changes nothing", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -100, max: 0 }), { minLength: 1, maxLength: 30 }),
      fc.nat(20),
      (levels, reloadAt) => {
        const given = inputs(30, (block) => levels[block % levels.length]!);
        const run = runOf([audio], CHANNEL);
        const found = given.flatMap((one, i) => {
          if (i >= reloadAt) run.reload();
          return windowsOf(run, [one]);
        });
        expect(found).toEqual(heard(given));
      },
    ),
    { numRuns: 20, seed: 6 },
  );
});

test("a channel without video costs nothing, one with it a few kilobytes", () => {
  expect(audio.save(audio.initial(CHANNEL)).length).toBeLessThan(40);
  const run = runOf([audio], CHANNEL);
  windowsOf(run, inputs(300, lively));
  expect(audio.save(run.states[0] as never).length).toBeLessThan(4000);
});
