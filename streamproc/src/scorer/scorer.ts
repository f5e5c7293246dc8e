import type { ModelSpec, TensorSpec } from "./repository.ts";

/** Values of each input by name, row-major: Float32Array for FP32, Uint8Array for UINT8. */
export type Inputs = Readonly<Record<string, Float32Array | Uint8Array>>;
export type Outputs = Record<string, Float32Array>;

/** Runs models of the `models/` repository. Two implementations, one contract suite: onnxruntime in the process, Triton over KServe v2. */
export interface Scorer {
  /**
   * `rows` rows of each input. Resolves to each output's values, row-major, by name.
   * Rejects when the model is missing, a shape is wrong, an answer is no number or `deadlineMs` passes; callers then say "unknown".
   */
  score(model: string, inputs: Inputs, rows: number, deadlineMs: number): Promise<Outputs>;
  /** What the model takes. Rejects as `score` does. */
  inputs(model: string, deadlineMs: number): Promise<readonly TensorSpec[]>;
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
/** The model answered, and not with what it promises: a shape that is wrong, or values that are no numbers. */
export class BadAnswer extends Error {}

export const sizeOf = ({ dims }: TensorSpec): number => dims.reduce((product, size) => product * size, 1);

/** Throws when the inputs are not `rows` rows of what the model takes. */
export function checkInputs(spec: Pick<ModelSpec, "name" | "inputs">, inputs: Inputs, rows: number): void {
  if (rows < 1) throw new Error(`model ${spec.name} was asked about ${rows} rows`);
  for (const input of spec.inputs) {
    const values = inputs[input.name];
    const fits = input.type === "FP32" ? values instanceof Float32Array : values instanceof Uint8Array;
    if (!fits || values?.length !== rows * sizeOf(input))
      throw new Error(
        `model ${spec.name} takes rows of ${sizeOf(input)} ${input.type} values as ${input.name}; ${rows} rows with ${values?.length ?? "no"} values do not fit`,
      );
  }
  for (const name of Object.keys(inputs))
    if (!spec.inputs.some((input) => input.name === name))
      throw new Error(`model ${spec.name} has no input ${name}`);
}

/** Throws BadAnswer when an output is missing, has not `rows` rows, or holds a value that is no number. */
export function checkOutputs(
  spec: Pick<ModelSpec, "name" | "outputs">,
  outputs: Readonly<Record<string, Float32Array>>,
  rows: number,
): void {
  for (const output of spec.outputs) {
    const values = outputs[output.name];
    if (values?.length !== rows * sizeOf(output))
      throw new BadAnswer(
        `model ${spec.name} answered ${values?.length ?? "no"} values of ${output.name} instead of ${rows * sizeOf(output)}`,
      );
    if (!values.every(Number.isFinite))
      throw new BadAnswer(`model ${spec.name} answered ${output.name} with a value that is no number`);
  }
}

/** Scores `atOnce` rows at a time and joins the answers. */
export async function inBatches(
  spec: Pick<ModelSpec, "inputs" | "outputs">,
  inputs: Inputs,
  rows: number,
  atOnce: number,
  run: (part: Inputs, rows: number) => Promise<Outputs>,
): Promise<Outputs> {
  if (rows <= atOnce) return run(inputs, rows);
  const joined = Object.fromEntries(
    spec.outputs.map((output) => [output.name, new Float32Array(rows * sizeOf(output))]),
  );
  for (let from = 0; from < rows; from += atOnce) {
    const count = Math.min(atOnce, rows - from);
    const part = Object.fromEntries(
      spec.inputs.map((input) => [
        input.name,
        inputs[input.name]!.subarray(from * sizeOf(input), (from + count) * sizeOf(input)),
      ]),
    );
    const answer = await run(part, count);
    for (const output of spec.outputs) joined[output.name]!.set(answer[output.name]!, from * sizeOf(output));
  }
  return joined;
}
