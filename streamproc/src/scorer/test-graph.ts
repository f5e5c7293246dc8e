import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Protobuf's wire format as far as ONNX needs it here (onnx.proto3, field numbers as there). */
const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
const number = (field: number, value: number): Buffer =>
  Buffer.from([...varint(field << 3), ...varint(value)]);
const bytes = (field: number, value: Uint8Array | string): Buffer => {
  const body = Buffer.from(value);
  return Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(body.length)]), body]);
};
const message = (field: number, ...parts: Buffer[]): Buffer => bytes(field, Buffer.concat(parts));

const ONNX_TYPE = { FP32: 1, UINT8: 2 } as const;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

const value = (
  field: number,
  name: string,
  type: keyof typeof ONNX_TYPE,
  dims: readonly number[],
): Buffer => {
  const shape = [message(1, bytes(2, "N")), ...dims.map((size) => message(1, number(1, size)))];
  return message(
    field,
    bytes(1, name),
    message(2, message(1, number(1, ONNX_TYPE[type]), message(2, ...shape))),
  );
};
const node = (op: string, inputs: readonly string[], output: string, ...attributes: Buffer[]): Buffer =>
  message(1, ...inputs.map((name) => bytes(1, name)), bytes(2, output), bytes(4, op), ...attributes);
const int = (name: string, of: number): Buffer =>
  message(5, bytes(1, name), number(3, of), number(20, ATTRIBUTE_INT));
const ints = (name: string, of: readonly number[]): Buffer =>
  message(5, bytes(1, name), ...of.map((each) => number(8, each)), number(20, ATTRIBUTE_INTS));
const float = (name: string, of: number): Buffer =>
  message(5, number(2, ONNX_TYPE.FP32), bytes(8, name), bytes(9, Buffer.from(Float32Array.of(of).buffer)));

/**
 * A model of the shape that an operator's would have, without its weights: each output is the mean brightness, 0–1, of the
 * picture over `axes` of UINT8 [N, …dims]. Written as a Triton repository's entry.
 */
export function writeBrightnessModel(
  folder: string,
  name: string,
  {
    input,
    dims,
    axes,
    outputs,
  }: {
    input: string;
    dims: readonly number[];
    axes: readonly number[];
    outputs: Record<string, readonly number[]>;
  },
): void {
  const graph = message(
    7,
    node("Cast", [input], "float", int("to", ONNX_TYPE.FP32)),
    node("ReduceMean", ["float"], "mean", ints("axes", axes), int("keepdims", 1)),
    node("Div", ["mean", "most"], "share"),
    ...Object.keys(outputs).map((output) => node("Squeeze", ["share"], output, ints("axes", axes.slice(1)))),
    bytes(2, "brightness"),
    float("most", 255),
    value(11, input, "UINT8", dims),
    ...Object.entries(outputs).map(([output, size]) => value(12, output, "FP32", size)),
  );
  mkdirSync(join(folder, name, "1"), { recursive: true });
  // IR version 7, operators of version 11: there axes are attributes.
  const model = Buffer.concat([number(1, 7), graph, message(8, bytes(1, ""), number(2, 11))]);
  writeFileSync(join(folder, name, "1/model.onnx"), model);
  writeFileSync(
    join(folder, name, "config.pbtxt"),
    `name: "${name}" platform: "onnxruntime_onnx" max_batch_size: 4
input [{ name: "${input}" data_type: TYPE_UINT8 dims: [${dims.join(", ")}] }]
${Object.entries(outputs)
  .map(([output, size]) => `output [{ name: "${output}" data_type: TYPE_FP32 dims: [${size.join(", ")}] }]`)
  .join("\n")}`,
  );
}
