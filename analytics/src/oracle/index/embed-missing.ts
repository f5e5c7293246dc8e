import type { Store } from "../../store.ts";
import { EmbedFailure, type Embedder } from "../embed/embedder.ts";
import { madeBefore, missing, putVectors, widthInStore, type Look, type Passage } from "./vectors.ts";

export interface Told {
  /** What was found to be without a vector, before anything is asked of the embedder. */
  before(passages: readonly Passage[]): void;
  /** So many rows are in the store; false: another goes on from here. */
  stored(rows: number, from: "known" | "model"): Promise<boolean>;
}
const NOTHING: Told = { before: () => {}, stored: async () => true };

/**
 * Gives vectors to chunks of a look that have none of this embedder, at most `limit`; returns how many were without. A text that has a vector already, wherever
 * it stands, is not embedded again. Killed at any point and done again it changes nothing: what is stored is not paid for twice.
 */
export async function embedMissing(
  store: Store,
  embedder: Embedder,
  look: Look,
  limit: number,
  signal: AbortSignal,
  told: Told = NOTHING,
): Promise<number> {
  const passages = await missing(store, embedder.model, look, limit, signal);
  if (passages.length === 0) return 0;
  told.before(passages);
  const byHash = new Map<string, Passage[]>();
  for (const one of passages) byHash.set(one.textHash, [...(byHash.get(one.textHash) ?? []), one]);
  const put = async (
    vectors: ReadonlyMap<string, Float32Array>,
    from: "known" | "model",
  ): Promise<boolean> => {
    const rows = [...vectors].flatMap(([hash, vector]) =>
      (byHash.get(hash) ?? []).map((passage) => ({ passage, vector })),
    );
    if (rows.length === 0) return true;
    await putVectors(store, embedder.model, rows);
    return told.stored(rows.length, from);
  };

  const known = await madeBefore(store, embedder.model, [...byHash.keys()], signal);
  if (!(await put(known, "known"))) return passages.length;
  const width = await widthInStore(store, embedder.model, signal);
  const left = [...byHash].filter(([hash]) => !known.has(hash));
  // A batch is stored before the next is paid for.
  for (let at = 0; at < left.length; at += embedder.batch) {
    signal.throwIfAborted();
    const part = left.slice(at, at + embedder.batch);
    const texts = part.map(([, [first]]) => first!.passage);
    const vectors = await embedder.embed(texts, "passage", signal);
    const other = vectors.find((vector) => vector.length !== (width ?? embedder.dimensions));
    // Under one name there would be two models, which nobody could compare.
    if (other !== undefined)
      throw new EmbedFailure(
        `${embedder.model} gave vectors of ${other.length} values, and has ${width} in the store`,
        false,
      );
    const made = new Map(part.map(([hash], i) => [hash, vectors[i]!]));
    if (!(await put(made, "model"))) break;
  }
  return passages.length;
}
