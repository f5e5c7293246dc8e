import { chunkKey, type ChunkRef, type Found } from "./keyword.ts";

/** A chunk with what each index gives it, 0–1. */
export interface Fused extends ChunkRef {
  readonly keyword: number;
  readonly semantic: number;
  readonly score: number;
}

/** Reciprocal ranks: what one index is sure of counts, what both know counts more. Weights and constant are measured (bench/oracle.ts, docs/oracle.md). */
const RANK_FROM = 20;
const KEYWORD = 1;
const SEMANTIC = 0.4;
/** Cosines between a question and a chunk of chat lie in here. */
const FAR = 0.1;
const NEAR = 0.7;

/** One list from the two; `bestKeyword`: what a chunk would score that says everything. */
export function fuse(
  byWords: readonly Found[],
  byMeaning: readonly (ChunkRef & { readonly cosine: number })[],
  bestKeyword: number,
): Fused[] {
  const all = new Map<string, { ref: ChunkRef; keyword: number; semantic: number; score: number }>();
  const at = (ref: ChunkRef): { keyword: number; semantic: number; score: number } => {
    const key = chunkKey(ref);
    const known = all.get(key) ?? { ref, keyword: 0, semantic: 0, score: 0 };
    all.set(key, known);
    return known;
  };
  for (const [rank, found] of byWords.entries()) {
    const one = at(found);
    one.keyword = bestKeyword > 0 ? Math.min(1, found.score / bestKeyword) : 0;
    one.score += KEYWORD / (RANK_FROM + rank);
  }
  for (const [rank, found] of byMeaning.entries()) {
    const one = at(found);
    one.semantic = Math.max(0, Math.min(1, (found.cosine - FAR) / (NEAR - FAR)));
    one.score += SEMANTIC / (RANK_FROM + rank);
  }
  return [...all.values()]
    .map(({ ref, ...rest }) => ({ channelId: ref.channelId, startMs: ref.startMs, ...rest }))
    .toSorted((a, b) => b.score - a.score || a.startMs - b.startMs);
}
