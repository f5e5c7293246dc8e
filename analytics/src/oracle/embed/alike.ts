import type { Embedder } from "./embedder.ts";

/** Texts are remembered with their vectors, 1 kB each: chat repeats itself, and so do the places that are asked about. */
const REMEMBERED = 20_000;

/** How near each text is to a question: cosines, 0 for a text in which nothing was understood. */
export function alikeBy(embedder: Embedder) {
  let remembered = new Map<string, Float32Array>();
  return async (question: string, texts: readonly string[]): Promise<Float64Array> => {
    const [vectorOfQuestion] = await embedder.embed([question], "query");
    const asked = vectorOfQuestion!;
    const fresh = texts.filter((text) => !remembered.has(text));
    const vectors = await embedder.embed(fresh, "passage");
    const made = new Map(fresh.map((text, i) => [text, vectors[i]!]));
    const said = texts.map((text) => made.get(text) ?? remembered.get(text)!);
    if (remembered.size + made.size > REMEMBERED) remembered = new Map();
    for (const [text, vector] of made) if (remembered.size < REMEMBERED) remembered.set(text, vector);
    return Float64Array.from(said, (vector) => {
      let sum = 0;
      for (let i = 0; i < asked.length; i++) sum += vector[i]! * asked[i]!;
      return sum;
    });
  };
}
