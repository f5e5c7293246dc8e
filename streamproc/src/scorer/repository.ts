import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What travels to a model: floats, or pixels as they are (a graph turns them into floats itself). */
export const TENSOR_TYPES = ["FP32", "UINT8"] as const;
export type TensorType = (typeof TENSOR_TYPES)[number];
/** A tensor as config.pbtxt declares it; `dims` without the batch. */
export interface TensorSpec {
  readonly name: string;
  readonly type: TensorType;
  readonly dims: readonly number[];
}
export interface ModelSpec {
  readonly name: string;
  /** The highest numbered folder: Triton's default version policy. */
  readonly version: number;
  readonly file: string;
  readonly maxBatch: number;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

type Value = string | number | Message | Value[];
interface Message {
  [key: string]: Value;
}

/**
 * Every model of a Triton repository (`<model>/config.pbtxt`, `<model>/<version>/model.onnx`). Inputs are floats or bytes,
 * outputs floats; throws an Error that names the file on anything else.
 */
export function readRepository(folder: string): ModelSpec[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => readModel(folder, entry.name));
}

function readModel(folder: string, name: string): ModelSpec {
  const path = join(folder, name, "config.pbtxt");
  const wrong = (what: string): Error => new Error(`${path}: ${what}`);
  let config: Message;
  try {
    config = parseTextProto(readFileSync(path, "utf8"));
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
  if (config["name"] !== undefined && config["name"] !== name)
    throw wrong(`its name is ${JSON.stringify(config["name"])}, its folder ${JSON.stringify(name)}`);
  if (config["platform"] !== "onnxruntime_onnx" && config["backend"] !== "onnxruntime")
    throw wrong("only ONNX models are known here: platform must be onnxruntime_onnx");
  const maxBatch = config["max_batch_size"];
  if (typeof maxBatch !== "number" || maxBatch < 1) throw wrong("max_batch_size must be 1 or more");
  const inputs = tensors(config["input"], wrong);
  if (inputs.length === 0) throw wrong("it has no input");
  const versions = readdirSync(join(folder, name), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && /^[1-9]\d*$/.test(entry.name))
    .map((entry) => Number(entry.name));
  if (versions.length === 0) throw wrong("there is no version folder (1, 2, …) beside it");
  const version = Math.max(...versions);
  return {
    name,
    version,
    file: join(folder, name, String(version), "model.onnx"),
    maxBatch,
    inputs,
    outputs: floats(tensors(config["output"], wrong), wrong),
  };
}

function tensors(value: Value | undefined, wrong: (what: string) => Error): TensorSpec[] {
  const list = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return list.map((entry) => {
    if (typeof entry !== "object" || Array.isArray(entry)) throw wrong("input and output must be messages");
    const { name, data_type: type, dims } = entry;
    if (typeof name !== "string") throw wrong("a tensor has no name");
    const known = TENSOR_TYPES.find((one) => `TYPE_${one}` === type);
    if (known === undefined)
      throw wrong(`tensor ${name} must be TYPE_FP32 or TYPE_UINT8, not ${JSON.stringify(type)}`);
    const sizes = (Array.isArray(dims) ? dims : [dims]).map(Number);
    if (sizes.length === 0 || sizes.some((size) => !Number.isInteger(size) || size < 1))
      throw wrong(`tensor ${name} has no dims of fixed size`);
    return { name, type: known, dims: sizes };
  });
}

function floats(outputs: TensorSpec[], wrong: (what: string) => Error): TensorSpec[] {
  for (const { name, type } of outputs)
    if (type !== "FP32") throw wrong(`output ${name} must be TYPE_FP32, not TYPE_${type}`);
  return outputs;
}

/** Protobuf's text format as far as config.pbtxt needs it: scalars, messages, lists, comments. */
export function parseTextProto(text: string): Message {
  const tokens =
    text.replaceAll(/#.*$/gm, "").match(/"(?:[^"\\]|\\.)*"|[A-Za-z_][\w]*|-?\d+(?:\.\d+)?|\S/g) ?? [];
  let at = 0;
  const message = (end: string | undefined): Message => {
    const fields: Message = {};
    for (;;) {
      const key = tokens[at++];
      if (key === end) return fields;
      if (key === undefined || !/^[A-Za-z_]\w*$/.test(key))
        throw new Error(`a field's name was expected, not ${key ?? "the end"}`);
      if (tokens[at] === ":") at++;
      const read = value();
      const before = fields[key];
      // A repeated field may be written as a list or field by field.
      if (before === undefined) fields[key] = read;
      else fields[key] = [before, read].flat();
      while (tokens[at] === "," || tokens[at] === ";") at++;
    }
  };
  const value = (): Value => {
    const token = tokens[at++];
    if (token === undefined) throw new Error("it ends where a value was expected");
    if (token === "{") return message("}");
    if (token === "[") {
      const list: Value[] = [];
      while (tokens[at] !== "]") {
        list.push(value());
        if (tokens[at] === ",") at++;
      }
      at++;
      return list;
    }
    if (token.startsWith('"')) return JSON.parse(token) as string;
    if (/^-?\d/.test(token)) return Number(token);
    if (/^[A-Za-z_]/.test(token)) return token;
    throw new Error(`${JSON.stringify(token)} is no value`);
  };
  return message(undefined);
}
