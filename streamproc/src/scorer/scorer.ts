import type { ModelSpec } from "./repository.ts";

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

export class ModelMissing extends Error {
  constructor(model: string, known: readonly string[]) {
    super(`there is no model ${model}; there are: ${known.join(", ") || "none"}`);
  }
}
export class Late extends Error {
  constructor(model: string, deadlineMs: number) {
    super(`model ${model} did not answer within ${deadlineMs} ms`);
  }
}

const sizeOf = (dims: readonly number[]): number => dims.reduce((product, size) => product * size, 1);

/** Values in one row. Throws when the features are not `rows` rows of it. */
export function checkRows(
  spec: Pick<ModelSpec, "name" | "input">,
  features: Float32Array,
  rows: number,
): number {
  const width = sizeOf(spec.input.dims);
  if (rows < 1 || features.length !== rows * width)
    throw new Error(
      `model ${spec.name} takes rows of ${width} features; ${rows} rows with ${features.length} values do not fit`,
    );
  return width;
}

/** Throws when an output is missing or has not `rows` rows. */
export function checkOutputs(
  spec: Pick<ModelSpec, "name" | "outputs">,
  outputs: Readonly<Record<string, Float32Array>>,
  rows: number,
): void {
  for (const { name, dims } of spec.outputs) {
    const values = outputs[name];
    if (values?.length !== rows * sizeOf(dims))
      throw new Error(
        `model ${spec.name} answered ${values?.length ?? "no"} values of ${name} instead of ${rows * sizeOf(dims)}`,
      );
  }
}

/** Scores `atOnce` rows at a time and joins the answers. */
export async function inBatches(
  spec: Pick<ModelSpec, "input" | "outputs">,
  features: Float32Array,
  rows: number,
  atOnce: number,
  run: (part: Float32Array, rows: number) => Promise<Record<string, Float32Array>>,
): Promise<Record<string, Float32Array>> {
  if (rows <= atOnce) return run(features, rows);
  const width = sizeOf(spec.input.dims);
  const joined = Object.fromEntries(
    spec.outputs.map(({ name, dims }) => [name, new Float32Array(rows * sizeOf(dims))]),
  );
  for (let from = 0; from < rows; from += atOnce) {
    const count = Math.min(atOnce, rows - from);
    const part = await run(features.subarray(from * width, (from + count) * width), count);
    for (const { name, dims } of spec.outputs) joined[name]!.set(part[name]!, from * sizeOf(dims));
  }
  return joined;
}
