import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FEATURES } from "../processors/forecast-features.ts";
import { MODELS_FOLDER } from "./open.ts";
import type { Scorer } from "./scorer.ts";
import { scorerContract } from "./scorer.contract.ts";
import { startStandIn, type StandIn } from "./test-triton.ts";
import { openTriton } from "./triton.ts";

const width = FEATURES.length;

scorerContract("Triton's protocol, against a stand-in", async () => {
  const server = await startStandIn(MODELS_FOLDER);
  return { scorer: openTriton(server.url), close: () => server.close() };
});

describe("when Triton is in trouble", () => {
  let server: StandIn;
  let scorer: Scorer;
  beforeEach(async () => {
    server = await startStandIn(MODELS_FOLDER);
    scorer = openTriton(server.url);
    await ask();
    server.seen.length = 0;
  });
  afterEach(async () => {
    await scorer.close();
    await server.close();
  });
  const ask = (deadlineMs = 5000, rows = 2): Promise<Record<string, Float32Array>> =>
    scorer.score("forecast", { features: new Float32Array(rows * width) }, rows, deadlineMs);

  test("a full queue is tried again, since nothing was worked on", async () => {
    server.script.push("503", "503");
    expect((await ask())["burst"]).toHaveLength(2);
    expect(server.seen).toEqual([{ rows: 2, encoding: "identity" }]);
  });

  test("any other failure is said at once, in Triton's words", async () => {
    server.script.push("500");
    await expect(ask()).rejects.toThrow("Triton says 500: onnx runtime error: made to fail");
    expect(server.seen).toEqual([]);
  });

  test.each(["silent", "503"] as const)("the deadline holds when it is %s", async (what) => {
    server.script.push(...Array.from({ length: 50 }, () => what));
    await expect(ask(120)).rejects.toThrow(
      what === "silent" ? "within 120 ms" : /Exceeds maximum|within 120 ms/,
    );
  });

  test("a connection that breaks is an error, and the next question goes through", async () => {
    server.script.push("drop");
    await expect(ask()).rejects.toThrow("Triton at 127.0.0.1");
    expect((await ask())["burst"]).toHaveLength(2);
  });

  test("tensors that come as JSON are read like binary ones", async () => {
    const binary = await ask();
    server.script.push("json");
    const json = await ask();
    expect(Array.from(json["quantiles"]!)).toEqual(Array.from(binary["quantiles"]!));
  });

  test("an answer that ends inside a tensor is refused", async () => {
    server.script.push("short");
    await expect(ask()).rejects.toThrow(/ends inside the tensor/);
  });

  test.each([
    ["nan", "a value that is no number"],
    ["shape", /answered forecast\/quantiles as FP32 \[3, 3, 3\]/],
  ] as const)(
    "an answer with a wrong %s is refused, and is no sign that the server is down",
    async (what, says) => {
      for (let i = 0; i < 6; i++) {
        server.script.push(what);
        await expect(ask()).rejects.toThrow(says);
      }
      expect((await ask())["burst"]).toHaveLength(2);
    },
  );

  test("an answer that comes too late is not waited for", async () => {
    server.script.push("late");
    await expect(ask(100)).rejects.toThrow("within 100 ms");
    expect((await ask())["burst"]).toHaveLength(2);
  });

  test("a batch is cut to what the model takes", async () => {
    await ask(20_000, 2500);
    expect(server.seen.map(({ rows }) => rows)).toEqual([1024, 1024, 452]);
  });

  test("after five failures in a row it is left alone; a refused question does not count", async () => {
    server.script.push("500", "500", "500", "500", "gone", "500", "500", "500", "500", "500");
    for (let i = 0; i < 10; i++) await expect(ask()).rejects.toThrow(/Triton says/);
    await expect(ask()).rejects.toThrow("failed 5 times in a row");
    expect(server.script).toEqual([]);
    expect(server.seen).toEqual([]);
  });
});
