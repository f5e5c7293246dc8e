import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hashOf, wordsOf } from "./words.ts";

export const TEST_KEY = "sk-embed-0123456789";
export const TEST_MODEL = "text-embedding-test";
export const TEST_WIDTH = 32;

/** How an answer goes wrong; each is used once. */
export type Fault =
  | { readonly status: number; readonly message?: string; readonly headers?: Record<string, string> }
  | { readonly width: number }
  | "reversed"
  | "one missing"
  | "one twice"
  | "not numbers"
  | "cut off"
  | "hangs up"
  | "no JSON";

export interface TestEndpoint {
  readonly url: string;
  readonly seen: { input: string[]; dimensions: number | undefined }[];
  /** What the next requests get, once each; then it answers as it should. */
  fail(...faults: Fault[]): void;
  close(): Promise<void>;
}

/** A vector by the words of a text, so that texts with the same words are near. */
function vectorOf(text: string, width: number): number[] {
  const vector = Array.from({ length: width }, () => 0.01);
  for (const word of wordsOf(text)) vector[hashOf(word, 0, word.length) % width]! += 1;
  return vector;
}

/**
 * A stand-in for an OpenAI-compatible `/v1/embeddings`, written from its reference and strict about it: what OpenAI would refuse is refused here.
 * It misbehaves as the test says.
 */
export async function startTestEndpoint(): Promise<TestEndpoint> {
  const seen: TestEndpoint["seen"] = [];
  const faults: Fault[] = [];
  const server = createServer(
    (request, response) => void serve(request, response).catch(() => response.destroy()),
  );

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const say = (status: number, body: object, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify(body));
    };
    const refuse = (status: number, message: string, headers?: Record<string, string>): void =>
      say(status, { error: { message, type: "invalid_request_error", param: null, code: null } }, headers);
    if (request.url !== "/v1/embeddings")
      return refuse(404, `Invalid URL (${request.method} ${request.url})`);
    if (request.method !== "POST") return refuse(405, "Not allowed to do that");
    if (request.headers.authorization !== `Bearer ${TEST_KEY}`)
      return refuse(401, `Incorrect API key provided: ${request.headers.authorization?.slice(7)}.`);
    if (request.headers["content-type"] !== "application/json") return refuse(400, "Expected JSON");
    const body = JSON.parse(Buffer.concat(parts).toString("utf8")) as Record<string, unknown>;
    const strange = Object.keys(body).filter(
      (name) => !["model", "input", "encoding_format", "dimensions", "user"].includes(name),
    );
    if (strange.length > 0) return refuse(400, `Unrecognized request argument supplied: ${strange.join()}`);
    const { model, input, encoding_format: format, dimensions } = body;
    if (model !== TEST_MODEL) return refuse(404, `The model ${JSON.stringify(model)} does not exist`);
    if (format !== "float") return refuse(400, "only floats are known here");
    if (!Array.isArray(input) || input.length === 0 || input.length > 2048)
      return refuse(400, "'input' is invalid");
    const texts = input as unknown[];
    if (
      !texts.every((text) => typeof text === "string" && text !== "" && Buffer.byteLength(text) <= 8192 * 4)
    )
      return refuse(400, "'input' cannot be an empty string or longer than 8192 tokens");
    if (dimensions !== undefined && typeof dimensions !== "number")
      return refuse(400, "'dimensions' is invalid");
    seen.push({ input: texts as string[], dimensions });
    const fault = faults.shift();
    if (typeof fault === "object" && "status" in fault)
      return refuse(fault.status, fault.message ?? "no", fault.headers);
    if (fault === "hangs up") return void request.socket.destroy();
    const width = typeof fault === "object" ? fault.width : (dimensions ?? TEST_WIDTH);
    let data = (texts as string[]).map((text, index) => ({
      object: "embedding",
      index,
      embedding: vectorOf(text, width) as unknown[],
    }));
    if (fault === "reversed") data = data.toReversed();
    if (fault === "one missing") data = data.slice(1);
    if (fault === "one twice") data = [...data.slice(1), data.at(-1)!];
    if (fault === "not numbers") data[0]!.embedding[0] = null;
    const tokens = (texts as string[]).reduce((sum, text) => sum + wordsOf(text).length, 0);
    const whole = { object: "list", data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } };
    if (fault === "cut off" || fault === "no JSON") {
      const text = fault === "no JSON" ? "<html>Bad gateway</html>" : JSON.stringify(whole).slice(0, -40);
      response.writeHead(200, { "content-type": "application/json" });
      response.end(text);
      return;
    }
    say(200, whole);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    seen,
    fail: (...more) => void faults.push(...more),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
