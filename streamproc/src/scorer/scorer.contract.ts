import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SHOT_SIGNALS, SHOT_FRAMES } from "../media/shot-rows.ts";
import { FRAME_BYTES } from "../media/frames-file.ts";
import { FEATURES } from "../processors/forecast-features.ts";
import type { Inputs, Outputs, Scorer } from "./scorer.ts";

/** Rows of a model in models/ that differ from each other and are the same in each run. */
interface Asked {
  readonly model: string;
  /** Values in one row of each input. */
  readonly widths: Readonly<Record<string, number>>;
  readonly rows: (count: number) => Inputs;
  /** Values in one row of each output. */
  readonly outputs: Readonly<Record<string, number>>;
  /** More rows than the model takes at once. */
  readonly many: number;
}

const floats = (count: number): Float32Array =>
  new Float32Array(count).map((_zero, i) => Math.sin(i * 12.9898) * 1.5);
const pixels = (count: number): Uint8Array =>
  new Uint8Array(count).map((_zero, i) => Math.imul(i >> 9, 0x9e3779b1) >>> 24);

const ASKED: readonly Asked[] = [
  {
    model: "forecast",
    widths: { features: FEATURES.length },
    rows: (count) => ({ features: floats(count * FEATURES.length) }),
    outputs: { quantiles: 9, burst: 1 },
    many: 1500,
  },
  {
    model: "shot_score",
    widths: { frames: SHOT_FRAMES * FRAME_BYTES, signals: SHOT_SIGNALS.length },
    rows: (count) => ({
      frames: pixels(count * SHOT_FRAMES * FRAME_BYTES),
      signals: floats(count * SHOT_SIGNALS.length),
    }),
    outputs: { action: 1, quality: 1, novelty: 1 },
    many: 100,
  },
];

/** What both scorers promise, tried on the models that the product asks. `open` gives a scorer over models/. */
export function scorerContract(
  name: string,
  open: () => Promise<{ scorer: Scorer; close(): Promise<void> }>,
): void {
  let scorer: Scorer;
  let close: () => Promise<void>;
  describe(name, () => {
    beforeAll(async () => {
      const opened = await open();
      scorer = opened.scorer;
      close = () => opened.close();
    });
    afterAll(async () => {
      await scorer.close();
      await close();
    });

    describe.each(ASKED)("$model", ({ model, widths, rows, outputs, many }) => {
      const score = async (count: number): Promise<Outputs> =>
        scorer.score(model, rows(count), count, 20_000);
      const rowOf = (all: Inputs, row: number): Inputs =>
        Object.fromEntries(
          Object.entries(all).map(([input, values]) => [
            input,
            values.slice(row * widths[input]!, (row + 1) * widths[input]!),
          ]),
        );

      test("every output has its values for each row, and all are numbers", async () => {
        const answer = await score(7);
        expect(Object.keys(answer).toSorted()).toEqual(Object.keys(outputs).toSorted());
        for (const [output, width] of Object.entries(outputs)) {
          expect(answer[output], output).toHaveLength(7 * width);
          expect(new Set(answer[output]).size, output).toBeGreaterThan(1);
        }
      });

      test("a row is answered the same alone and in a batch larger than the model takes", async () => {
        const all = rows(many);
        const together = await scorer.score(model, all, many, 20_000);
        for (const row of [0, 31, 63, 64, many - 1]) {
          const alone = await scorer.score(model, rowOf(all, row), 1, 20_000);
          for (const [output, width] of Object.entries(outputs))
            for (let i = 0; i < width; i++)
              expect(alone[output]![i], `${output} of row ${row}`).toBeCloseTo(
                together[output]![row * width + i]!,
                5,
              );
        }
      });

      test("many questions at once get their own answers", async () => {
        const sizes = [1, 3, 2, 5, 1, 4, 2, 6, 1, 2, 3, 7];
        const answers = await Promise.all(sizes.map(score));
        const longest = await score(7);
        for (const [i, answer] of answers.entries())
          for (const [output, width] of Object.entries(outputs))
            for (const [at, value] of answer[output]!.entries())
              expect(value, `${output} of ${sizes[i]} rows at ${at} of ${width}`).toBeCloseTo(
                longest[output]![at]!,
                5,
              );
      });

      test("a view into a larger buffer is read where it lies", async () => {
        const views = Object.fromEntries(
          Object.entries(rows(1)).map(([input, values]) => {
            const larger =
              values instanceof Float32Array
                ? new Float32Array(values.length + 5)
                : new Uint8Array(values.length + 5);
            larger.set(values, 5);
            return [input, larger.subarray(5)];
          }),
        );
        const [seen, whole] = [await scorer.score(model, views, 1, 20_000), await score(1)];
        for (const output of Object.keys(outputs))
          expect(Array.from(seen[output]!)).toEqual(Array.from(whole[output]!));
      });

      test("the version names the model and its folder's number, the inputs what it takes", async () => {
        await score(1);
        expect(scorer.version(model)).toBe(`${model}@1`);
        const inputs = await scorer.inputs(model, 5000);
        const sizes = inputs.map(({ name: input, dims }) => [
          input,
          dims.reduce((size, dim) => size * dim, 1),
        ]);
        expect(Object.fromEntries(sizes)).toEqual(widths);
      });

      test("rows that do not fit, and inputs of another kind or name, are refused by name", async () => {
        const [input, width] = Object.entries(widths)[0]!;
        const asked = rows(1);
        const wrong = async (inputs: Inputs, count = 1): Promise<unknown> =>
          scorer.score(model, inputs, count, 5000);
        await expect(wrong({ ...asked, [input]: asked[input]!.subarray(1) })).rejects.toThrow(
          `rows of ${width}`,
        );
        await expect(wrong(asked, 0)).rejects.toThrow("about 0 rows");
        const other = asked[input] instanceof Float32Array ? new Uint8Array(width) : new Float32Array(width);
        await expect(wrong({ ...asked, [input]: other })).rejects.toThrow(`values as ${input}`);
        await expect(wrong({ ...asked, nonsense: new Float32Array(1) })).rejects.toThrow("no input nonsense");
      });

      test("a deadline that cannot be met is kept as a refusal, and the next question is answered", async () => {
        await score(1);
        await expect(scorer.score(model, rows(many), many, 0)).rejects.toThrow("within 0 ms");
        expect((await score(2))[Object.keys(outputs)[0]!]).toBeDefined();
      });
    });

    test("the forecast's quantiles never cross, and its chances are chances", async () => {
      const { quantiles, burst } = await scorer.score("forecast", ASKED[0]!.rows(7), 7, 20_000);
      for (let at = 0; at < 7 * 9; at += 3) {
        const [low, middle, high] = quantiles!.subarray(at, at + 3);
        expect(low!).toBeLessThanOrEqual(middle!);
        expect(middle!).toBeLessThanOrEqual(high!);
      }
      for (const chance of burst!) expect(chance > 0 && chance < 1).toBe(true);
    });

    test("an unknown model is refused by name", async () => {
      await expect(scorer.score("nobody", { features: floats(1) }, 1, 5000)).rejects.toThrow(/nobody/);
    });
  });
}
