import { InferenceSession, Tensor } from "onnxruntime-node";
import { readRepository, type ModelSpec, type TensorSpec } from "./repository.ts";
import { checkInputs, checkOutputs, inBatches, Late, ModelMissing, type Scorer } from "./scorer.ts";

/**
 * onnxruntime runs on the caller's thread and blocks it: rows go in small batches with the event loop let through between
 * them. Measured: see docs/forecast.md.
 */
const ROWS_AT_ONCE = 64;

/**
 * The models of some repositories in this process, one thread each, loaded at once: a broken one is an Error here, not in the
 * middle of a stream. A model of a later folder stands before one of the same name. `wanted`: only these, where they exist.
 */
export async function openOnnx(
  folders: string | readonly string[],
  wanted?: readonly string[],
): Promise<Scorer> {
  const models = new Map<string, { spec: ModelSpec; session: InferenceSession }>();
  const specs = new Map(
    [folders]
      .flat()
      .flatMap(readRepository)
      .map((spec) => [spec.name, spec]),
  );
  for (const spec of specs.values()) {
    if (wanted !== undefined && !wanted.includes(spec.name)) continue;
    const session = await InferenceSession.create(spec.file, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: "sequential",
      logSeverityLevel: 3,
    });
    checkSession(spec, session);
    models.set(spec.name, { spec, session });
  }
  const modelOf = (name: string): { spec: ModelSpec; session: InferenceSession } => {
    const model = models.get(name);
    if (model === undefined) throw new ModelMissing(name, [...models.keys()]);
    return model;
  };
  return {
    async score(name, inputs, rows, deadlineMs) {
      const { spec, session } = modelOf(name);
      checkInputs(spec, inputs, rows);
      const untilMs = performance.now() + deadlineMs;
      return inBatches(spec, inputs, rows, Math.min(ROWS_AT_ONCE, spec.maxBatch), async (part, count) => {
        if (performance.now() > untilMs) throw new Late(name, deadlineMs);
        const feeds = spec.inputs.map((input) => [input.name, tensorOf(input, part[input.name]!, count)]);
        const answer = await session.run(Object.fromEntries(feeds) as Record<string, Tensor>);
        const outputs: Record<string, Float32Array> = {};
        for (const { name: output } of spec.outputs) outputs[output] = answer[output]!.data as Float32Array;
        checkOutputs(spec, outputs, count);
        return outputs;
      });
    },
    inputs: async (name) => modelOf(name).spec.inputs,
    version: (name) => `${name}@${modelOf(name).spec.version}`,
    async close() {
      for (const { session } of models.values()) await session.release();
      models.clear();
    },
  };
}

const tensorOf = ({ type, dims }: TensorSpec, values: Float32Array | Uint8Array, rows: number): Tensor =>
  type === "FP32"
    ? new Tensor("float32", values as Float32Array, [rows, ...dims])
    : new Tensor("uint8", values as Uint8Array, [rows, ...dims]);

const ONNX_TYPE = { FP32: "float32", UINT8: "uint8" } as const;

/** config.pbtxt is what callers and Triton believe: the file must agree. */
function checkSession(spec: ModelSpec, session: InferenceSession): void {
  const check = (
    kind: string,
    { name, type, dims }: TensorSpec,
    found: InferenceSession.ValueMetadata | undefined,
  ): void => {
    if (found === undefined || !found.isTensor) throw new Error(`${spec.file} has no ${kind} ${name}`);
    const shape = found.shape.slice(1);
    const fits =
      found.type === ONNX_TYPE[type] &&
      shape.length === dims.length &&
      shape.every((size, i) => typeof size === "string" || size === dims[i]);
    if (!fits)
      throw new Error(
        `${spec.file}: ${kind} ${name} is ${found.type} [${found.shape.join(", ")}], config.pbtxt says ${ONNX_TYPE[type]} [-1, ${dims.join(", ")}]`,
      );
  };
  const of = (
    metadata: readonly InferenceSession.ValueMetadata[],
    name: string,
  ): InferenceSession.ValueMetadata | undefined => metadata.find((entry) => entry.name === name);
  for (const input of spec.inputs) check("input", input, of(session.inputMetadata, input.name));
  for (const output of spec.outputs) check("output", output, of(session.outputMetadata, output.name));
}
