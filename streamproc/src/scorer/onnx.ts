import { InferenceSession, Tensor } from "onnxruntime-node";
import { checkOutputs, checkRows, inBatches, Late, ModelMissing, type Scorer } from "./scorer.ts";
import { readRepository, type ModelSpec } from "./repository.ts";

/**
 * onnxruntime runs on the caller's thread and blocks it: rows go in small batches with the event loop let through between
 * them. Measured: see docs/forecast.md.
 */
const ROWS_AT_ONCE = 64;

/**
 * The models of a repository in this process, one thread each, loaded at once: a broken one is an Error here, not in the
 * middle of a stream.
 */
export async function openOnnx(folder: string): Promise<Scorer> {
  const models = new Map<string, { spec: ModelSpec; session: InferenceSession }>();
  for (const spec of readRepository(folder)) {
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
    async score(name, features, rows, deadlineMs) {
      const { spec, session } = modelOf(name);
      checkRows(spec, features, rows);
      const untilMs = performance.now() + deadlineMs;
      return inBatches(spec, features, rows, Math.min(ROWS_AT_ONCE, spec.maxBatch), async (part, count) => {
        if (performance.now() > untilMs) throw new Late(name, deadlineMs);
        const answer = await session.run({
          [spec.input.name]: new Tensor("float32", part, [count, ...spec.input.dims]),
        });
        const outputs: Record<string, Float32Array> = {};
        for (const { name: output } of spec.outputs) outputs[output] = answer[output]!.data as Float32Array;
        checkOutputs(spec, outputs, count);
        return outputs;
      });
    },
    version: (name) => `${name}@${modelOf(name).spec.version}`,
    async close() {
      for (const { session } of models.values()) await session.release();
      models.clear();
    },
  };
}

/** config.pbtxt is what callers and Triton believe: the file must agree. */
function checkSession(spec: ModelSpec, session: InferenceSession): void {
  const check = (
    kind: string,
    name: string,
    dims: readonly number[],
    found: InferenceSession.ValueMetadata | undefined,
  ): void => {
    if (found === undefined || !found.isTensor) throw new Error(`${spec.file} has no ${kind} ${name}`);
    const shape = found.shape.slice(1);
    const fits =
      found.type === "float32" &&
      shape.length === dims.length &&
      shape.every((size, i) => typeof size === "string" || dims[i] === -1 || size === dims[i]);
    if (!fits)
      throw new Error(
        `${spec.file}: ${kind} ${name} is ${found.type} [${found.shape.join(", ")}], config.pbtxt says float32 [-1, ${dims.join(", ")}]`,
      );
  };
  const of = (
    metadata: readonly InferenceSession.ValueMetadata[],
    name: string,
  ): InferenceSession.ValueMetadata | undefined => metadata.find((entry) => entry.name === name);
  check("input", spec.input.name, spec.input.dims, of(session.inputMetadata, spec.input.name));
  for (const output of spec.outputs)
    check("output", output.name, output.dims, of(session.outputMetadata, output.name));
}
