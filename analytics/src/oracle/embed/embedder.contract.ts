import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Embedder } from "./embedder.ts";

const TEXTS = [
  "he fell in the lava and died",
  "KEKW KEKW nice jump ×137",
  "упал в лаву, вот это да",
  "what a clutch that was",
  "boss is down finally",
  "1 + 1",
];
const lengthOf = (vector: Float32Array): number => Math.hypot(...vector);
export const cosineOf = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** What every embedder promises. */
export function embedderContract(
  name: string,
  open: () => Promise<{ embedder: Embedder; close(): Promise<void> }>,
): void {
  let embedder: Embedder;
  let close: () => Promise<void>;
  describe(name, () => {
    beforeAll(async () => {
      const opened = await open();
      embedder = opened.embedder;
      close = () => opened.close();
    });
    afterAll(async () => {
      await embedder.close();
      await close();
    });

    test("each text gets a vector of length 1, all of one width, which is known afterwards", async () => {
      const vectors = await embedder.embed(TEXTS, "passage");
      expect(vectors).toHaveLength(TEXTS.length);
      for (const vector of vectors) {
        expect(vector).toBeInstanceOf(Float32Array);
        expect(vector).toHaveLength(embedder.dimensions!);
        expect(lengthOf(vector)).toBeCloseTo(1, 4);
      }
    });

    test("a text has the same vector alone, in another order and among many", async () => {
      const together = await embedder.embed(TEXTS, "passage");
      const turned = (await embedder.embed(TEXTS.toReversed(), "passage")).toReversed();
      const many = await embedder.embed(
        [...Array.from({ length: 300 }, (_, i) => `line number ${i}`), ...TEXTS],
        "passage",
      );
      for (const [i, text] of TEXTS.entries()) {
        const [alone] = await embedder.embed([text], "passage");
        for (const other of [alone!, turned[i]!, many.at(i - TEXTS.length)!])
          expect(cosineOf(together[i]!, other), text).toBeCloseTo(1, 4);
      }
    });

    test("a text is nearer to itself with a word more than to another", async () => {
      const [asked, same, other] = await embedder.embed(
        ["he fell in the lava", "he fell in the lava again", "boss is down finally"],
        "passage",
      );
      expect(cosineOf(asked!, same!)).toBeGreaterThan(cosineOf(asked!, other!));
    });

    test("no texts are no vectors; an empty text, one of signs alone and a very long one do no harm", async () => {
      expect(await embedder.embed([], "query")).toEqual([]);
      const [empty, signs, long] = await embedder.embed([" \n ", "?! …", "lava ".repeat(20_000)], "query");
      for (const vector of [empty!, signs!, long!]) {
        expect(vector).toHaveLength(embedder.dimensions!);
        expect(vector.every(Number.isFinite)).toBe(true);
      }
      expect(lengthOf(long!)).toBeCloseTo(1, 4);
    });

    test("the model's name stays, holds no key, and what was spent grows with the texts", async () => {
      const before = embedder.spent.texts;
      const { model } = embedder;
      await embedder.embed(TEXTS, "query");
      expect(embedder.model).toBe(model);
      expect(model).toMatch(/^[\w./@:-]+$/);
      expect(embedder.spent.texts - before).toBe(TEXTS.length);
      expect(embedder.estimate(TEXTS).texts).toBe(TEXTS.length);
    });
  });
}
