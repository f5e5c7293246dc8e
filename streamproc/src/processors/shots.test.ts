import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BEGIN_MS,
  CHANNEL,
  cutsOf,
  gapAt,
  measuredOf,
  mixed,
  oneColour,
  scene,
  segment,
  shotsOf,
  shotsOfFilm,
  still,
  type Film,
} from "./video.fixture.ts";
import type { FoldInput } from "./fold.ts";
import { runOf } from "./run.ts";
import { shots } from "./shots.ts";

const fade = (from: number, to: number, frames: number): Uint8Array[] =>
  Array.from({ length: frames }, (_, k) => mixed(scene(from), scene(to), (k + 1) / (frames + 1)));
const inputsOf = (film: Film, segmentFrames = 60): FoldInput[] =>
  measuredOf(film, segmentFrames).map((measured) => ({ type: "measured", measured }));
const measuredInputs = (frames: readonly Uint8Array[], segmentFrames = 60): FoldInput[] =>
  inputsOf({ frames }, segmentFrames);

describe("cuts", () => {
  test("one picture is one shot", () => {
    const found = shotsOfFilm({ frames: still(1, 150) });
    expect(found.map((shot) => [shot.cut, shot.frames])).toEqual([["start", 150]]);
    expect(found[0]!.startMs).toBe(BEGIN_MS);
    expect(found[0]!.endMs).toBe(BEGIN_MS + 5000);
  });

  test("a hard cut is found at its frame", () => {
    expect(cutsOf(shotsOfFilm({ frames: [...still(1, 75), ...still(2, 65), ...still(3, 70)] }))).toEqual([
      [75, "hard"],
      [140, "hard"],
    ]);
  });

  test("a dissolve is one cut in its middle", () => {
    for (const frames of [7, 9, 12]) {
      const found = cutsOf(
        shotsOfFilm({ frames: [...still(1, 60), ...fade(1, 2, frames), ...still(2, 60)] }),
      );
      expect(found).toHaveLength(1);
      expect(found[0]![1]).toBe("fade");
      expect(Math.abs(found[0]![0] - (60 + frames / 2))).toBeLessThanOrEqual(3);
    }
  });

  test("a fade through black is one cut", () => {
    const down = Array.from({ length: 8 }, (_, k) => mixed(scene(1), oneColour(0), (k + 1) / 8));
    const up = Array.from({ length: 8 }, (_, k) => mixed(oneColour(0), scene(2), (k + 1) / 8));
    const found = cutsOf(shotsOfFilm({ frames: [...still(1, 60), ...down, ...up, ...still(2, 60)] }));
    expect(found).toHaveLength(1);
    expect(Math.abs(found[0]![0] - 68)).toBeLessThanOrEqual(2);
  });

  test("a blink of black between the same pictures is none", () => {
    const down = Array.from({ length: 5 }, (_, k) => mixed(scene(1), oneColour(0), (k + 1) / 5));
    expect(
      cutsOf(shotsOfFilm({ frames: [...still(1, 60), ...down, ...down.toReversed(), ...still(1, 60)] })),
    ).toEqual([]);
  });

  test.each([1, 2, 3, 4, 5, 6])("an explosion that is white for %i frames is none", (length) => {
    const frames = still(1, 120);
    for (let i = 50; i < 50 + length; i++) frames[i] = mixed(frames[i]!, oneColour(255), 0.9);
    expect(cutsOf(shotsOfFilm({ frames }))).toEqual([]);
  });

  test("a flash that dies away over half a second is none", () => {
    const frames = still(1, 120);
    for (let i = 0; i < 15; i++) frames[50 + i] = mixed(frames[50 + i]!, oneColour(255), 0.9 * (1 - i / 15));
    expect(cutsOf(shotsOfFilm({ frames }))).toEqual([]);
  });

  test("a shaking camera is none, and the cut in the middle of it is one", () => {
    const shaking = (number: number, frames: number): Uint8Array[] =>
      Array.from({ length: frames }, (_, i) =>
        scene(number, { x: Math.round(4 * Math.sin(i * 2.3)), y: Math.round(2 * Math.cos(i * 1.7)) }),
      );
    expect(cutsOf(shotsOfFilm({ frames: [...shaking(1, 80), ...shaking(2, 80)] }))).toEqual([[80, "hard"]]);
  });

  test("a level that scrolls past is none", () => {
    for (const speed of [1, 3, 5])
      expect(
        cutsOf(shotsOfFilm({ frames: Array.from({ length: 120 }, (_, i) => scene(3, { x: i * speed })) })),
      ).toEqual([]);
  });

  test("of frames that come at changing intervals the cut is found all the same", () => {
    const frames = [...still(1, 80), ...still(2, 80)];
    const atMs = frames.map((_, i) => i * 33 + (i % 3) * 7 + (i > 40 ? 120 : 0));
    const found = shotsOfFilm({ frames, atMs });
    expect(found.slice(1).map((shot) => shot.startMs - BEGIN_MS)).toEqual([atMs[80]]);
  });

  test("times that are no times are spread evenly over the segment", () => {
    const inputs = measuredInputs([...still(1, 60), ...still(2, 60)]).map((input) =>
      input.type === "measured"
        ? {
            ...input,
            measured: {
              ...input.measured,
              picture: {
                ...input.measured.picture!,
                atMs: input.measured.picture!.atMs.map((at, i) => (i === 10 ? 90_000_000 : -at)),
              },
            },
          }
        : input,
    );
    const found = shotsOf(runOf([shots], CHANNEL), [...inputs, gapAt(BEGIN_MS + 4000)]);
    expect(cutsOf(found)).toEqual([[60, "hard"]]);
    expect(found.map((shot) => shot.frames)).toEqual([60, 60]);
  });
});

describe("how shots end", () => {
  test("a long one is reported in parts, which are no cuts", () => {
    const found = shotsOfFilm({ frames: still(1, 30 * 25) });
    expect(found.map((shot) => shot.cut)).toEqual(["start", "continued", "continued"]);
    expect(found.map((shot) => shot.cutsPerMin)).toEqual([0, 0, 0]);
    expect(found.reduce((sum, shot) => sum + shot.frames, 0)).toBe(30 * 25);
    for (const [i, shot] of found.entries()) if (i > 0) expect(shot.startMs).toBe(found[i - 1]!.endMs);
  });

  test("a segment that was not measured ends the shot; the next begins after a gap", () => {
    const inputs = measuredInputs(still(1, 240));
    inputs[1] = { type: "measured", measured: segment(1, 2000, 2000, { failed: "decoder_died" }) };
    const found = shotsOf(runOf([shots], CHANNEL), [...inputs, gapAt(BEGIN_MS + 8000)]);
    expect(found.map((shot) => [shot.startMs - BEGIN_MS, shot.endMs - BEGIN_MS, shot.cut])).toEqual([
      [0, 2000, "start"],
      [4000, 8000, "gap"],
    ]);
  });

  test("a missing segment is a gap, also when nobody said so", () => {
    const inputs = measuredInputs(still(1, 180)).filter((_, i) => i !== 1);
    const found = shotsOf(runOf([shots], CHANNEL), [...inputs, gapAt(BEGIN_MS + 6000)]);
    expect(found.map((shot) => shot.cut)).toEqual(["start", "gap"]);
  });

  test("a gap that lies further ahead does not end the shot before its segments have come", () => {
    const inputs = measuredInputs([...still(1, 180)]);
    const found = shotsOf(runOf([shots], CHANNEL), [
      inputs[0]!,
      gapAt(BEGIN_MS + 6000),
      ...inputs.slice(1),
      gapAt(BEGIN_MS + 6000),
    ]);
    expect(found.map((shot) => shot.frames)).toEqual([180]);
  });

  test("the same or an older segment again changes nothing", () => {
    const inputs = measuredInputs([...still(1, 90), ...still(2, 90)]);
    const once = shotsOf(runOf([shots], CHANNEL), [...inputs, gapAt(BEGIN_MS + 6000)]);
    const again = shotsOf(runOf([shots], CHANNEL), [
      ...inputs.flatMap((input, i) => [input, input, inputs[Math.max(0, i - 1)]!]),
      gapAt(BEGIN_MS + 6000),
    ]);
    expect(again).toEqual(once);
  });

  test("a stream that starts again starts a shot; what comes late from the old one is left out", () => {
    const old = measuredInputs(still(1, 120));
    const anew = measuredInputs(still(1, 60)).map((input) =>
      input.type === "measured"
        ? { ...input, measured: { ...input.measured, epoch: BEGIN_MS + 60_000, startMs: BEGIN_MS + 60_000 } }
        : input,
    );
    const found = shotsOf(runOf([shots], CHANNEL), [old[0]!, ...anew, old[1]!, gapAt(BEGIN_MS + 62_000)]);
    expect(found.map((shot) => [shot.epoch - BEGIN_MS, shot.cut, shot.frames])).toEqual([
      [0, "start", 60],
      [60_000, "start", 60],
    ]);
  });

  test("an advertisement is shots of its own", () => {
    const inputs = measuredInputs(still(1, 180)).map((input, i) =>
      input.type === "measured" ? { ...input, measured: { ...input.measured, ad: i === 1 } } : input,
    );
    const found = shotsOf(runOf([shots], CHANNEL), [...inputs, gapAt(BEGIN_MS + 6000)]);
    expect(found.map((shot) => [shot.ad, shot.cut, shot.scene === "break"])).toEqual([
      [false, "start", false],
      [true, "hard", true],
      [false, "hard", false],
    ]);
  });

  test("when nothing more comes and nothing waits to be measured, chat's clock ends the shot", () => {
    const run = runOf([shots], CHANNEL);
    const announced = (seq: number): FoldInput => ({
      type: "segment",
      segment: { ...segment(seq, seq * 2000, 2000), analysis: null, source: null },
    });
    const alive = (afterMs: number): FoldInput => ({ type: "alive", atMs: BEGIN_MS + afterMs });
    const [first, second] = measuredInputs(still(1, 120));
    expect(shotsOf(run, [announced(0), first!, announced(1), alive(200_000)])).toEqual([]);
    expect(shotsOf(run, [second!, alive(50_000)])).toEqual([]);
    expect(shotsOf(run, [alive(65_000)]).map((shot) => shot.frames)).toEqual([120]);
    expect(shotsOf(run, [alive(66_000)])).toEqual([]);
  });

  test("a file without a picture makes no shots and costs nothing", () => {
    const run = runOf([shots], CHANNEL);
    expect(
      shotsOf(
        run,
        [0, 1, 2].map((seq) => ({ type: "measured", measured: segment(seq, seq * 2000, 2000) })),
      ),
    ).toEqual([]);
    expect(shots.save(shots.initial(CHANNEL)).length).toBeLessThan(64);
  });
});

describe("figures", () => {
  test("a frozen picture is frozen, a black one black", () => {
    const [frozen] = shotsOfFilm({ frames: Array.from({ length: 60 }, () => scene(1)) });
    expect(frozen!.frozenShare).toBe(1);
    expect(frozen!.objectMotion).toBe(0);
    const [black] = shotsOfFilm({ frames: Array.from({ length: 60 }, () => oneColour(16)) });
    expect(black!.blackShare).toBe(1);
  });

  test("the camera's motion and an object's motion are told apart", () => {
    const [pan] = shotsOfFilm({ frames: Array.from({ length: 90 }, (_, i) => scene(1, { x: i * 2 })) });
    const [ball] = shotsOfFilm({
      frames: Array.from({ length: 90 }, (_, i) => scene(1, { moved: Math.round(20 * Math.sin(i / 4)) })),
    });
    expect(pan!.cameraMotion).toBeGreaterThan(0.3);
    expect(ball!.cameraMotion).toBeLessThan(0.1);
    expect(ball!.objectMotion).toBeGreaterThan(0.05);
  });

  test("a scene that was there before is not new", () => {
    const found = shotsOfFilm({ frames: [1, 2, 1, 3].flatMap((number) => still(number, 60)) });
    expect(found[0]!.novelty).toBe(1);
    expect(found[1]!.novelty).toBeGreaterThan(0.5);
    expect(found[2]!.novelty).toBeLessThan(0.1);
    expect(found[3]!.novelty).toBeGreaterThan(0.5);
    expect(found.map((shot) => shot.cutsPerMin)).toEqual([0, 1, 2, 3]);
  });
});

describe("a model's cuts", () => {
  /** Chances as a model gives them: a hill around each frame that is the last of a shot. */
  const hills = (frames: number, lasts: readonly (readonly [last: number, chance: number])[]): number[] =>
    Array.from({ length: frames }, (_, i) =>
      Math.max(0, ...lasts.map(([last, chance]) => chance * (1 - Math.abs(i - last) / 6))),
    );
  const slow = [...still(1, 90), ...fade(1, 3, 60), ...still(3, 90)];

  test("a dissolve of two seconds, which we do not see, is one cut behind the likeliest frame", () => {
    expect(cutsOf(shotsOfFilm({ frames: slow }))).toEqual([]);
    const cutChance = hills(240, [[119, 0.9]]);
    expect(cutsOf(shotsOfFilm({ frames: slow, cutChance }))).toEqual([[120, "fade"]]);
  });

  test("chances under a half change nothing, in what is found or in what is saved", () => {
    const run = runOf([shots], CHANNEL);
    const plain = runOf([shots], CHANNEL);
    shotsOf(run, inputsOf({ frames: slow, cutChance: hills(240, [[119, 0.49]]) }, 130));
    shotsOf(plain, inputsOf({ frames: slow }, 130));
    expect(shots.save(run.states[0] as never)).toEqual(shots.save(plain.states[0] as never));
  });

  test("beside a cut of ours the model's is none, before it and behind it", () => {
    const frames = [...still(1, 75), ...still(2, 75)];
    for (let last = 66; last <= 82; last++) {
      const cutChance = hills(150, [[last, 1]]);
      expect(cutsOf(shotsOfFilm({ frames, cutChance })), `${last}`).toEqual([[75, "hard"]]);
    }
    for (const last of [64, 84])
      expect(cutsOf(shotsOfFilm({ frames, cutChance: hills(150, [[last, 1]]) }))).toContainEqual([
        75,
        "hard",
      ]);
    expect(cutsOf(shotsOfFilm({ frames, cutChance: hills(150, [[64, 1]]) }))).toHaveLength(2);
    expect(cutsOf(shotsOfFilm({ frames, cutChance: hills(150, [[84, 1]]) }))).toHaveLength(2);
  });

  test("a plateau and a shaky hill are one cut", () => {
    const frames = still(1, 120);
    const plateau = frames.map((_, i) => (i >= 60 && i < 66 ? 1 : 0));
    expect(cutsOf(shotsOfFilm({ frames, cutChance: plateau }))).toEqual([[61, "fade"]]);
    const shaky = frames.map((_, i) => [0.6, 0.9, 0.7, 0.95, 0.6, 0.8][i - 60] ?? 0);
    expect(cutsOf(shotsOfFilm({ frames, cutChance: shaky }))).toEqual([[64, "fade"]]);
  });

  test("one that falls silent in the middle, and one with fewer bytes than frames, count as far as they go", () => {
    const cutChance = hills(240, [[119, 0.9]]);
    const inputs = inputsOf({ frames: slow, cutChance }).map((input, i) => {
      if (input.type !== "measured" || i < 2) return input;
      const picture = { ...input.measured.picture!, cutChance: i === 2 ? "" : "AAAA" };
      return { ...input, measured: { ...input.measured, picture } };
    });
    expect(cutsOf(shotsOf(runOf([shots], CHANNEL), [...inputs, gapAt(BEGIN_MS + 8000)]))).toEqual([
      [120, "fade"],
    ]);
  });

  test("whatever it says: our cuts stand, no shot is shorter than 300 ms, and neither segments nor a reload change it", () => {
    fc.assert(
      fc.property(
        film,
        fc.array(fc.tuple(fc.integer({ min: 0, max: 250 }), fc.double({ min: 0, max: 1, noNaN: true })), {
          maxLength: 8,
        }),
        fc.integer({ min: 7, max: 90 }),
        (frames, lasts, segmentFrames) => {
          const cutChance = hills(frames.length, lasts);
          const found = cutsOf(shotsOfFilm({ frames, cutChance }));
          for (const [frame] of cutsOf(shotsOfFilm({ frames })))
            expect(found.map(([at]) => at)).toContain(frame);
          for (const [i, [at]] of found.entries()) expect(at - (found[i - 1]?.[0] ?? 0)).toBeGreaterThan(8);
          expect(cutsOf(shotsOfFilm({ frames, cutChance }, segmentFrames))).toEqual(found);

          const run = runOf([shots], CHANNEL);
          const inputs = inputsOf({ frames, cutChance }, segmentFrames % 13 || 1);
          const reloaded = inputs.flatMap((input) => {
            const shotsNow = shotsOf(run, [input]);
            const before = shots.save(run.states[0] as never);
            run.reload();
            expect(shots.save(run.states[0] as never)).toEqual(before);
            return shotsNow;
          });
          reloaded.push(...shotsOf(run, [gapAt(BEGIN_MS + Math.round((frames.length * 1000) / 30))]));
          expect(cutsOf(reloaded)).toEqual(found);
        },
      ),
      { numRuns: 15, seed: 6 },
    );
  });

  test("a state that was saved before there were models is read on", () => {
    const run = runOf([shots], CHANNEL);
    shotsOf(run, measuredInputs([...still(1, 75), ...still(2, 75)]));
    const saved = shots.save(run.states[0] as never);
    expect(shots.save(shots.load(CHANNEL, 1, saved)!)).toEqual(saved);
  });
});

const film = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 5, max: 50 })), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => parts.flatMap(([number, frames]) => still(number, frames)));

describe("whatever the film", () => {
  test("each frame is in one shot, shots meet, and the same frames in other segments give the same shots", () => {
    fc.assert(
      fc.property(film, fc.integer({ min: 7, max: 90 }), (frames, segmentFrames) => {
        const found = shotsOfFilm({ frames });
        expect(found.reduce((sum, shot) => sum + shot.frames, 0)).toBe(frames.length);
        for (const [i, shot] of found.entries()) if (i > 0) expect(shot.startMs).toBe(found[i - 1]!.endMs);
        const keyless = (shot: (typeof found)[number]): unknown => ({ ...shot, framesKeys: [] });
        expect(shotsOfFilm({ frames }, segmentFrames).map(keyless)).toEqual(found.map(keyless));
      }),
      { numRuns: 15, seed: 4 },
    );
  });

  test("saving and loading in the middle of a shot changes nothing", () => {
    fc.assert(
      fc.property(film, fc.integer({ min: 0, max: 8 }), (frames, reloadAt) => {
        const inputs = [
          ...measuredInputs(frames, 31),
          gapAt(BEGIN_MS + Math.round((frames.length * 1000) / 30)),
        ];
        const plain = shotsOf(runOf([shots], CHANNEL), inputs);
        const run = runOf([shots], CHANNEL);
        const found = inputs.flatMap((input, i) => {
          if (i >= reloadAt) run.reload();
          return shotsOf(run, [input]);
        });
        expect(found).toEqual(plain);
      }),
      { numRuns: 15, seed: 5 },
    );
  });

  test("a state is a few kilobytes", () => {
    const run = runOf([shots], CHANNEL);
    shotsOf(run, measuredInputs([1, 2, 3, 4, 5].flatMap((number) => still(number, 90))));
    expect(shots.save(run.states[0] as never).length).toBeLessThan(9000);
  });
});
