/** What a text is for: some models want the two told apart. */
export type TextKind = "passage" | "query";

/** What texts cost; all of it 0 and null for what runs here. */
export interface Spent {
  readonly texts: number;
  /** As the model's owner counts them; here: words. */
  readonly tokens: number;
  /** By the settings' price; null: none is set, or nothing is charged. */
  readonly usd: number | null;
}

/** Turns texts into vectors. Three implementations, one contract suite (embedder.contract.ts). */
export interface Embedder {
  /** `<name>@<version>`: stored with each vector. Vectors of two models are never compared. */
  readonly model: string;
  /** Values of a vector; null: not known before the first answer. */
  readonly dimensions: number | null;
  /** Texts that it takes best at once. */
  readonly batch: number;
  /**
   * A vector of length 1 for each text, in the texts' order; all zeros for a text in which nothing was understood. The same text gives the same
   * vector, alone or among others. Rejects with an EmbedFailure, all texts or none.
   */
  embed(texts: readonly string[], kind: TextKind, signal?: AbortSignal): Promise<Float32Array[]>;
  /** What this many texts would cost, before they are sent. */
  estimate(texts: readonly string[]): Spent;
  /** What was spent since it was opened. */
  readonly spent: Spent;
  close(): Promise<void>;
}

/** Why there are no vectors. `retry`: the same texts may be answered later; otherwise a person must change something. */
export class EmbedFailure extends Error {
  readonly retry: boolean;
  constructor(detail: string, retry: boolean, cause?: unknown) {
    super(detail, { cause });
    this.retry = retry;
  }
}

/** Scales a vector to length 1 where it lies; one of zeros stays. */
export function toUnitLength(vector: Float32Array): Float32Array {
  let square = 0;
  for (const value of vector) square += value * value;
  if (square > 0) {
    const scale = 1 / Math.sqrt(square);
    for (let i = 0; i < vector.length; i++) vector[i]! *= scale;
  }
  return vector;
}
