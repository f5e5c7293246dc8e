import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { openOnnx } from "./onnx.ts";
import { readRepository, type TensorSpec } from "./repository.ts";
import { sizeOf } from "./scorer.ts";

/**
 * A stand-in for Triton's HTTP front end, written from KServe's protocol version 2 and Triton's binary tensor extension, and as
 * strict as Triton 2.51 was seen to be: it refuses what that refuses, with its words. It answers with onnxruntime. It proves
 * that our client keeps the protocol, nothing about Triton itself.
 */
export interface StandIn {
  readonly url: string;
  /** What the next requests to infer meet, in order; then all is well. */
  readonly script: (
    | "503"
    | "500"
    | "silent"
    | "drop"
    | "json"
    | "short"
    | "gone"
    | "nan"
    | "shape"
    | "late"
  )[];
  /** Requests to infer that were seen. */
  readonly seen: { rows: number; encoding: string | undefined }[];
  close(): Promise<void>;
}

const metadataOf = ({ name, type, dims }: TensorSpec): object => ({
  name,
  datatype: type,
  shape: [-1, ...dims],
});
const configOf = ({ name, type, dims }: TensorSpec): object => ({
  name,
  data_type: `TYPE_${type}`,
  dims: dims.map(String),
});

export async function startStandIn(models: string): Promise<StandIn> {
  const scorer = await openOnnx(models);
  const specs = new Map(readRepository(models).map((spec) => [spec.name, spec]));
  const script: StandIn["script"] = [];
  const seen: StandIn["seen"] = [];
  const refuse = (response: ServerResponse, status: number, error: string): void => {
    response.writeHead(status, { "Content-Type": "text/plain" }).end(JSON.stringify({ error }));
  };
  const busy = new WeakSet<object>();

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const [, name = "", rest = ""] = /^\/v2\/models\/([^/]+)(.*)$/.exec(request.url ?? "") ?? [];
    const spec = specs.get(decodeURIComponent(name));
    if (spec === undefined) return refuse(response, 404, `Request for unknown model: '${name}' is not found`);
    const answer = (body: unknown): void => {
      response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    };
    if (request.method === "GET" && rest === "")
      return answer({
        name: spec.name,
        versions: [String(spec.version)],
        platform: "onnxruntime_onnx",
        inputs: spec.inputs.map(metadataOf),
        outputs: spec.outputs.map(metadataOf),
      });
    if (request.method === "GET" && rest === "/config")
      return answer({
        name: spec.name,
        max_batch_size: spec.maxBatch,
        input: spec.inputs.map(configOf),
        output: spec.outputs.map(configOf),
      });
    if (request.method !== "POST" || rest !== "/infer") return refuse(response, 405, "Method Not Allowed");

    const what = script.shift();
    if (what === "silent") return;
    if (what === "drop") return void request.socket.destroy();
    if (what === "503") return refuse(response, 503, "Exceeds maximum queue size");
    if (what === "500") return refuse(response, 500, "onnx runtime error: made to fail");
    if (what === "gone")
      return refuse(response, 404, `Request for unknown model: '${name}' has no available versions`);
    if ((request.headers["accept-encoding"] ?? "identity") !== "identity")
      return refuse(response, 500, "the stand-in does not compress: ask for identity");

    const body = Buffer.concat(parts);
    const headLength = Number(request.headers["inference-header-content-length"]);
    if (!(headLength > 0 && headLength <= body.length))
      return refuse(
        response,
        400,
        `inference header size should be in range (0, ${body.length}), got: ${headLength}`,
      );
    const head = JSON.parse(body.subarray(0, headLength).toString()) as {
      inputs: {
        name: string;
        datatype: string;
        shape: number[];
        parameters?: { binary_data_size?: number };
      }[];
      outputs: { name: string; parameters?: { binary_data?: boolean } }[];
    };
    const inputs: Record<string, Float32Array | Uint8Array> = {};
    let rows = 0;
    let at = headLength;
    for (const input of head.inputs) {
      const expected = spec.inputs.find(({ name: known }) => known === input.name);
      if (expected === undefined)
        return refuse(response, 400, `unexpected inference input '${input.name}' for model '${spec.name}'`);
      if (input.datatype !== expected.type)
        return refuse(
          response,
          400,
          `input '${input.name}' data-type is '${input.datatype}', but model '${spec.name}' expects '${expected.type}'`,
        );
      const [batch = 0, ...dims] = input.shape;
      rows ||= batch;
      if (JSON.stringify(dims) !== JSON.stringify(expected.dims) || batch !== rows)
        return refuse(
          response,
          400,
          `unexpected shape for input '${input.name}' for model '${spec.name}'. Expected [-1,${expected.dims.join(",")}], got [${input.shape.join(",")}].`,
        );
      if (rows > spec.maxBatch)
        return refuse(
          response,
          400,
          `inference request batch-size must be <= ${spec.maxBatch} for '${spec.name}'`,
        );
      const bytes = rows * sizeOf(expected) * (expected.type === "FP32" ? 4 : 1);
      if (input.parameters?.binary_data_size !== bytes || body.length - at < bytes)
        return refuse(response, 400, `unexpected size for input '${input.name}', expecting ${bytes} bytes`);
      const values = new Uint8Array(body.subarray(at, at + bytes));
      inputs[input.name] = expected.type === "FP32" ? new Float32Array(values.buffer) : values;
      at += bytes;
    }
    if (Object.keys(inputs).length !== spec.inputs.length)
      return refuse(
        response,
        400,
        `expected ${spec.inputs.length} inputs but got ${head.inputs.length} inputs for model '${spec.name}'`,
      );
    if (body.length > at)
      return refuse(response, 400, `unexpected additional input data for model '${spec.name}'`);
    for (const { name: output } of head.outputs)
      if (!spec.outputs.some((one) => one.name === output))
        return refuse(response, 400, `unexpected inference output '${output}' for model '${spec.name}'`);

    seen.push({ rows, encoding: request.headers["accept-encoding"] });
    if (what === "late") await new Promise((resolve) => setTimeout(resolve, 400));
    const scores = await scorer.score(spec.name, inputs, rows, 60_000);
    if (what === "nan") for (const values of Object.values(scores)) values[0] = Number.NaN;
    const wanted = head.outputs.map(({ name: output }) => {
      const values = scores[output]!;
      const shape = [rows, ...spec.outputs.find((one) => one.name === output)!.dims];
      if (what === "shape") shape[0]! += 1;
      return { name: output, datatype: "FP32", shape, values };
    });
    const about = { model_name: spec.name, model_version: String(spec.version) };
    if (what === "json")
      return answer({
        ...about,
        outputs: wanted.map(({ values, ...one }) => ({ ...one, data: Array.from(values) })),
      });
    const outputs = wanted.map(({ values, ...one }) => ({
      ...one,
      parameters: { binary_data_size: values.byteLength },
    }));
    const answerHead = Buffer.from(JSON.stringify({ ...about, outputs }));
    const tail = Buffer.concat(
      wanted.map(({ values }) => Buffer.from(values.buffer, values.byteOffset, values.byteLength)),
    );
    const whole = Buffer.concat([answerHead, what === "short" ? tail.subarray(4) : tail]);
    response
      .writeHead(200, {
        "Content-Type": "application/octet-stream",
        "Inference-Header-Content-Length": answerHead.length,
        "Content-Length": whole.length,
      })
      .end(whole);
  }

  const server: Server = createServer((request, response) => {
    // Triton leaves the second of two requests on one connection unanswered.
    if (busy.has(request.socket)) return refuse(response, 500, "pipelined");
    busy.add(request.socket);
    response.once("close", () => busy.delete(request.socket));
    handle(request, response).catch((error: unknown) => refuse(response, 500, String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    script,
    seen,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await scorer.close();
    },
  };
}
