import type { Embedder } from "./embedder.ts";

/** How near each text is to a question: cosines, 0 for a text in which nothing was understood. */
export const alikeBy =
  (embedder: Embedder) =>
  async (question: string, texts: readonly string[]): Promise<Float64Array> => {
    const [asked] = await embedder.embed([question], "query");
    const said = await embedder.embed(texts, "passage");
    return Float64Array.from(said, (vector) => {
      let sum = 0;
      for (let i = 0; i < vector.length; i++) sum += vector[i]! * asked![i]!;
      return sum;
    });
  };
