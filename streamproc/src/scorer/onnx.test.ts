import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openOnnx } from "./onnx.ts";
import { MODELS_FOLDER } from "./open.ts";
import { parseTextProto, readRepository } from "./repository.ts";
import { scorerContract } from "./scorer.contract.ts";

scorerContract("onnxruntime in the process", async () => ({
  scorer: await openOnnx(MODELS_FOLDER),
  close: async () => undefined,
}));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hypecast-models-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const CONFIG = `name: "m" platform: "onnxruntime_onnx" max_batch_size: 8
input [{ name: "x" data_type: TYPE_FP32 dims: [3] }] output [{ name: "y" data_type: TYPE_FP32 dims: [1] }]`;
function model(config: string, version = "1"): void {
  mkdirSync(join(folder, "m", version), { recursive: true });
  writeFileSync(join(folder, "m", "config.pbtxt"), config);
}

test("the highest numbered version folder is served, as Triton does by default", () => {
  model(CONFIG, "2");
  model(CONFIG, "10");
  model(CONFIG, "old");
  expect(readRepository(folder)).toMatchObject([
    {
      name: "m",
      version: 10,
      file: join(folder, "m/10/model.onnx"),
      maxBatch: 8,
      inputs: [{ name: "x", type: "FP32", dims: [3] }],
    },
  ]);
});

test.each([
  ["the name of another model", CONFIG.replace('"m"', '"n"'), 'its name is "n", its folder "m"'],
  [
    "another platform",
    CONFIG.replace("onnxruntime_onnx", "pytorch_libtorch"),
    "platform must be onnxruntime_onnx",
  ],
  ["integers", CONFIG.replace("TYPE_FP32", "TYPE_INT64"), "tensor x must be TYPE_FP32 or TYPE_UINT8"],
  [
    "no batches",
    CONFIG.replace("max_batch_size: 8", "max_batch_size: 0"),
    "max_batch_size must be 1 or more",
  ],
  ["an unfinished list", 'name: "m" input [', "it ends"],
  ["no text format", "{}", "a field's name was expected"],
])("a config.pbtxt with %s is refused with its path and the reason", (_what, config, reason) => {
  model(config);
  expect(() => readRepository(folder)).toThrow(reason);
  expect(() => readRepository(folder)).toThrow(join(folder, "m/config.pbtxt"));
});

test("a model whose file disagrees with its config.pbtxt is refused when it is loaded", async () => {
  cpSync(join(MODELS_FOLDER, "forecast"), join(folder, "forecast"), { recursive: true });
  const wide = `name: "forecast" platform: "onnxruntime_onnx" max_batch_size: 4
input [{ name: "features" data_type: TYPE_FP32 dims: [3] }] output [{ name: "burst" data_type: TYPE_FP32 dims: [1] }]`;
  writeFileSync(join(folder, "forecast/config.pbtxt"), wide);
  await expect(openOnnx(folder)).rejects.toThrow("config.pbtxt says float32 [-1, 3]");
});

test("comments, colons before messages, repeated fields and nesting are read", () => {
  expect(
    parseTextProto('a: 1 # one\nb { c: "x\\"y" }\nb: { c: TYPE }\nlist: [1, -2.5, 3]\nempty: []\nflag: true'),
  ).toEqual({ a: 1, b: [{ c: 'x"y' }, { c: "TYPE" }], list: [1, -2.5, 3], empty: [], flag: "true" });
});
