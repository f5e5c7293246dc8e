import { Agent, request, type IncomingMessage } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { TENSOR_TYPES, type ModelSpec, type TensorSpec } from "./repository.ts";
import {
  BadAnswer,
  checkInputs,
  checkOutputs,
  inBatches,
  Late,
  ModelMissing,
  type Inputs,
  type Outputs,
  type Scorer,
} from "./scorer.ts";

/** Connections to the server; Triton must not be pipelined, so this is also the number of requests under way. */
const CONNECTIONS = 8;
/** A request that found no free connection waits until its deadline; more than this many are refused at once. */
const WAITING_BOUND = 256;
const ANSWER_BYTES = 64 * 1024 * 1024;
/** So many failures in a row, and the server is left alone for a while. */
const OPEN_AFTER = 5;
const OPEN_MS = 2000;
/** About so long between tries when the server says that its queue is full. */
const RETRY_MS = 20;

/** `status` 0: no answer came. */
class TritonError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Models on a Triton server: KServe's inference protocol version 2 over HTTP with Triton's binary tensor extension
 * (kserve/open-inference-protocol, triton-inference-server/server docs/protocol/extension_binary_data.md). Shapes and batch
 * size are asked from the server once a model. After OPEN_AFTER failures in a row every call fails at once for OPEN_MS, then
 * one is let through.
 */
export function openTriton(url: string): Scorer {
  const base = new URL(url.endsWith("/") ? url : `${url}/`);
  const secure = base.protocol === "https:";
  const agent = new (secure ? TlsAgent : Agent)({ keepAlive: true, maxSockets: CONNECTIONS });
  const specs = new Map<string, RemoteSpec>();
  let waiting = 0;
  let failures = 0;
  let closedUntilMs = 0;
  let trying = false;

  /** One exchange. Errors of the connection and the deadline reject; any status resolves. */
  async function exchange(
    method: "GET" | "POST",
    path: string,
    headers: Record<string, string | number>,
    body: readonly Uint8Array[],
    untilMs: number,
  ): Promise<{ status: number; headers: IncomingMessage["headers"]; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const call = (secure ? tlsRequest : request)(
        new URL(path, base),
        // Triton compresses whatever accepts it, and counts header lengths before that.
        { method, agent, headers: { "Accept-Encoding": "identity", ...headers } },
        (answer) => {
          const parts: Buffer[] = [];
          let bytes = 0;
          answer.on("data", (part: Buffer) => {
            bytes += part.length;
            if (bytes > ANSWER_BYTES)
              call.destroy(new TritonError(0, `Triton's answer is larger than ${ANSWER_BYTES} bytes`));
            else parts.push(part);
          });
          answer.once("end", () => {
            clearTimeout(timer);
            resolve({
              status: answer.statusCode ?? 0,
              headers: answer.headers,
              body: Buffer.concat(parts),
            });
          });
          answer.once("error", fail);
        },
      );
      const fail = (error: Error): void => {
        clearTimeout(timer);
        reject(
          error instanceof TritonError
            ? error
            : new TritonError(0, `Triton at ${base.host}: ${error.message}`),
        );
      };
      const timer = setTimeout(
        () => call.destroy(new TritonError(0, "late")),
        Math.max(0, untilMs - performance.now()),
      );
      call.once("error", fail);
      // Part by part: joining megabytes of pixels first would cost a copy of them.
      for (const part of body) call.write(part);
      call.end();
    });
  }

  /** Throws when the server is known to be down; counts how this call went. */
  async function guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    if (performance.now() < closedUntilMs || (failures >= OPEN_AFTER && trying))
      throw new TritonError(
        0,
        `Triton at ${base.host} failed ${failures} times in a row; it is tried again soon`,
      );
    if (waiting >= WAITING_BOUND)
      throw new TritonError(0, `${waiting} questions to Triton are waiting already`);
    const isTrial = failures >= OPEN_AFTER;
    if (isTrial) trying = true;
    waiting++;
    try {
      const result = await work();
      failures = 0;
      return result;
    } catch (error) {
      // A question that the server refuses is the asker's fault, not a sign that it is down.
      if (!(error instanceof TritonError) || (error.status >= 400 && error.status < 500)) failures = 0;
      else if (++failures >= OPEN_AFTER) closedUntilMs = performance.now() + OPEN_MS;
      throw error;
    } finally {
      waiting--;
      if (isTrial) trying = false;
    }
  }

  async function json(path: string, model: string, untilMs: number): Promise<unknown> {
    const answer = await exchange("GET", path, {}, [], untilMs);
    if (answer.status === 404 || answer.status === 400) throw new ModelMissing(model, [...specs.keys()]);
    if (answer.status !== 200) throw refusal(answer.status, answer.body);
    return parsed(answer.body);
  }

  async function specOf(model: string, untilMs: number): Promise<RemoteSpec> {
    let spec = specs.get(model);
    if (spec === undefined) {
      const name = encodeURIComponent(model);
      spec = readSpec(
        model,
        await json(`v2/models/${name}`, model, untilMs),
        await json(`v2/models/${name}/config`, model, untilMs),
      );
      specs.set(model, spec);
    }
    return spec;
  }

  async function infer(spec: RemoteSpec, part: Inputs, rows: number, untilMs: number): Promise<Outputs> {
    const tensors = spec.inputs.map((input) => part[input.name]!);
    const head = Buffer.from(
      JSON.stringify({
        inputs: spec.inputs.map(({ name, type, dims }, i) => ({
          name,
          datatype: type,
          shape: [rows, ...dims],
          parameters: { binary_data_size: tensors[i]!.byteLength },
        })),
        outputs: spec.outputs.map(({ name }) => ({ name, parameters: { binary_data: true } })),
      }),
    );
    // Tensors travel little-endian, as every machine that Node 22 runs on keeps them.
    const body = [
      head,
      ...tensors.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
    ];
    const headers = {
      "Content-Type": "application/octet-stream",
      "Inference-Header-Content-Length": head.length,
      "Content-Length": body.reduce((bytes, part) => bytes + part.length, 0),
    };
    for (;;) {
      const answer = await exchange(
        "POST",
        `v2/models/${encodeURIComponent(spec.name)}/infer`,
        headers,
        body,
        untilMs,
      );
      if (answer.status === 200) {
        const outputs = readTensors(spec, answer.headers, answer.body, rows);
        checkOutputs(spec, outputs, rows);
        return outputs;
      }
      if (answer.status === 404) specs.delete(spec.name);
      // Only a full queue promises that the question was not worked on.
      if (answer.status !== 503 || performance.now() + RETRY_MS >= untilMs)
        throw refusal(answer.status, answer.body);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS * (0.5 + Math.random())));
    }
  }

  async function within<Result>(
    model: string,
    deadlineMs: number,
    work: (untilMs: number) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await guarded(() => work(performance.now() + deadlineMs));
    } catch (error) {
      if (error instanceof TritonError && error.message === "late") throw new Late(model, deadlineMs);
      throw error;
    }
  }

  return {
    score: (model, inputs, rows, deadlineMs) =>
      within(model, deadlineMs, async (untilMs) => {
        const spec = await specOf(model, untilMs);
        checkInputs(spec, inputs, rows);
        return inBatches(spec, inputs, rows, spec.maxBatch, (part, count) =>
          infer(spec, part, count, untilMs),
        );
      }),
    inputs: (model, deadlineMs) =>
      within(model, deadlineMs, async (untilMs) => (await specOf(model, untilMs)).inputs),
    version(model) {
      const spec = specs.get(model);
      if (spec === undefined) throw new ModelMissing(model, [...specs.keys()]);
      return `${model}@${spec.version}`;
    },
    async close() {
      agent.destroy();
    },
  };
}

type RemoteSpec = Omit<ModelSpec, "file">;

const parsed = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new TritonError(0, `Triton's answer is no JSON: ${body.toString("utf8", 0, 80)}`);
  }
};

/** Errors are JSON bodies, often under text/plain. */
function refusal(status: number, body: Buffer): TritonError {
  let reason = body.toString("utf8", 0, 500);
  try {
    reason = (JSON.parse(body.toString()) as { error?: string }).error ?? reason;
  } catch {
    // The words as they are.
  }
  return new TritonError(status, `Triton says ${status}: ${reason}`);
}

interface RemoteTensor {
  name: string;
  data_type: string;
  dims: (number | string)[];
}

function readSpec(model: string, metadata: unknown, config: unknown): RemoteSpec {
  const { versions } = metadata as { versions?: string[] };
  const {
    max_batch_size: maxBatch,
    input,
    output,
  } = config as {
    max_batch_size?: number;
    input?: RemoteTensor[];
    output?: RemoteTensor[];
  };
  const tensor = (of: RemoteTensor): TensorSpec => {
    const type = TENSOR_TYPES.find((known) => `TYPE_${known}` === of.data_type);
    if (type === undefined)
      throw new Error(
        `model ${model} on Triton: ${of.name} must be TYPE_FP32 or TYPE_UINT8, not ${of.data_type}`,
      );
    return { name: of.name, type, dims: of.dims.map(Number) };
  };
  if (input === undefined || output === undefined || typeof maxBatch !== "number" || maxBatch < 1)
    throw new Error(`model ${model} on Triton must take its inputs in batches, as models/ says`);
  return {
    name: model,
    version: Math.max(...(versions ?? ["1"]).map(Number)),
    maxBatch,
    inputs: input.map(tensor),
    outputs: output.map(tensor),
  };
}

/** JSON head, then the tensors in the order of its outputs. */
function readTensors(
  spec: RemoteSpec,
  headers: IncomingMessage["headers"],
  body: Buffer,
  rows: number,
): Record<string, Float32Array> {
  const headLength = Number(headers["inference-header-content-length"] ?? body.length);
  if (!Number.isInteger(headLength) || headLength < 0 || headLength > body.length)
    throw new TritonError(
      0,
      `Triton's answer has a header of ${headLength} bytes in a body of ${body.length}`,
    );
  const { outputs } = parsed(body.subarray(0, headLength)) as {
    outputs?: {
      name: string;
      datatype: string;
      shape: number[];
      data?: number[];
      parameters?: { binary_data_size?: number };
    }[];
  };
  const read: Record<string, Float32Array> = {};
  let at = headLength;
  for (const { name, datatype, shape, data, parameters } of outputs ?? []) {
    if (datatype !== "FP32" || shape[0] !== rows)
      throw new BadAnswer(`Triton answered ${spec.name}/${name} as ${datatype} [${shape.join(", ")}]`);
    const size = parameters?.binary_data_size;
    if (size === undefined) {
      read[name] = Float32Array.from(data ?? []);
      continue;
    }
    if (size % 4 !== 0 || at + size > body.length)
      throw new TritonError(0, `Triton's answer ends inside the tensor ${name}`);
    // A copy: Float32Array must be aligned.
    read[name] = new Float32Array(new Uint8Array(body.subarray(at, at + size)).buffer);
    at += size;
  }
  if (at !== body.length) throw new TritonError(0, `Triton's answer has ${body.length - at} bytes too many`);
  return read;
}
