/** Runs models of the `models/` repository. Two implementations, one contract suite: onnxruntime in the process, Triton over KServe v2. */
export interface Scorer {
  /**
   * `rows` rows of float32 features, row-major. Resolves to each output's values, row-major, by name.
   * Rejects when the model is missing, the shape is wrong or `deadlineMs` passes; callers then say "unknown".
   */
  score(
    model: string,
    features: Float32Array,
    rows: number,
    deadlineMs: number,
  ): Promise<Record<string, Float32Array>>;
  /** `<name>@<version>`, stored with every score. */
  version(model: string): string;
  close(): Promise<void>;
}
