import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Scorer } from "./scorer.ts";

/** What both scorers promise, tried on the model that the product asks. `open` gives a scorer over models/. */
export function scorerContract(
  name: string,
  open: () => Promise<{ scorer: Scorer; close(): Promise<void> }>,
  { model, width }: { model: string; width: number },
): void {
  describe(name, () => {
    let scorer: Scorer;
    let close: () => Promise<void>;
    beforeAll(async () => {
      const opened = await open();
      scorer = opened.scorer;
      close = () => opened.close();
    });
    afterAll(async () => {
      await scorer.close();
      await close();
    });
    /** Different numbers in each row, the same in each run. */
    const features = (rows: number): Float32Array =>
      new Float32Array(rows * width).map((_zero, i) => Math.sin(i * 12.9898) * 1.5);
    const score = (rows: number): Promise<Record<string, Float32Array>> =>
      scorer.score(model, { features: features(rows) }, rows, 10_000);

    test("every output has one value set a row, and quantiles never cross", async () => {
      const { quantiles, burst } = await score(7);
      expect(quantiles).toHaveLength(7 * 9);
      expect(burst).toHaveLength(7);
      for (let at = 0; at < 7 * 9; at += 3) {
        const [low, middle, high] = quantiles!.subarray(at, at + 3);
        expect(low!).toBeLessThanOrEqual(middle!);
        expect(middle!).toBeLessThanOrEqual(high!);
      }
      for (const chance of burst!) expect(chance > 0 && chance < 1).toBe(true);
    });

    test("a row is answered the same alone and in a batch larger than the model takes", async () => {
      const rows = 1500;
      const together = await score(rows);
      for (const row of [0, 63, 64, 1023, 1024, rows - 1]) {
        const alone = await scorer.score(
          model,
          { features: features(rows).slice(row * width, (row + 1) * width) },
          1,
          10_000,
        );
        expect(Array.from(together["quantiles"]!.subarray(row * 9, row * 9 + 9))).toEqual(
          Array.from(alone["quantiles"]!),
        );
        expect(together["burst"]![row]).toBe(alone["burst"]![0]);
      }
      expect(new Set(together["burst"]).size).toBeGreaterThan(10);
    });

    test("many questions at once get their own answers", async () => {
      const sizes = [1, 3, 2, 5, 1, 4, 2, 6, 1, 2, 3, 7];
      const answers = await Promise.all(sizes.map(score));
      const longest = await score(7);
      for (const [i, answer] of answers.entries())
        expect(Array.from(answer["burst"]!)).toEqual(Array.from(longest["burst"]!.subarray(0, sizes[i])));
    });

    test("a view into a larger buffer is read where it lies", async () => {
      const larger = new Float32Array(width + 5);
      larger.set(features(1), 5);
      const { burst } = await scorer.score(model, { features: larger.subarray(5) }, 1, 10_000);
      expect(Array.from(burst!)).toEqual(Array.from((await score(1))["burst"]!));
    });

    test("the version names the model and its folder's number", async () => {
      await score(1);
      expect(scorer.version(model)).toBe(`${model}@1`);
    });

    test("an unknown model, and rows that do not fit, are refused by name", async () => {
      await expect(scorer.score("nobody", { features: features(1) }, 1, 5000)).rejects.toThrow(/nobody/);
      await expect(scorer.score(model, { features: features(1).subarray(1) }, 1, 5000)).rejects.toThrow(
        `rows of ${width} FP32 values as features`,
      );
      await expect(scorer.score(model, { features: new Float32Array() }, 0, 5000)).rejects.toThrow(
        "about 0 rows",
      );
      await expect(scorer.score(model, { features: new Uint8Array(width) }, 1, 5000)).rejects.toThrow(
        "FP32 values as features",
      );
    });

    test("a deadline that cannot be met is kept as a refusal", async () => {
      await score(1);
      await expect(scorer.score(model, { features: features(5000) }, 5000, 0)).rejects.toThrow("within 0 ms");
      // … and the next question is answered.
      expect((await score(2))["burst"]).toHaveLength(2);
    });
  });
}
