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
const FLOAT = 1;
const INT64 = 7;
const value = (field: number, name: string, type: number, ...dims: (string | number)[]): Buffer => {
  const shape = dims.map((size) => message(1, typeof size === "string" ? bytes(2, size) : number(1, size)));
  return message(field, bytes(1, name), message(2, message(1, number(1, type), message(2, ...shape))));
};

export const FOLDER_WORDS =
  "[PAD] [UNK] [CLS] [SEP] he fell in the lava again boss is down finally and died nice jump what a clutch that was line number ##s query : passage 1 +".split(
    " ",
  );
export const FOLDER_WIDTH = 8;
/** Of word `row`, value `i`: every word points elsewhere. */
export const valueOf = (row: number, i: number): number => Math.sin((1 + row * FOLDER_WIDTH + i) ** 2);

/**
 * A folder as sentence-transformers writes it, with a graph of one operator: a token's state is its row in a table. `more` adds files or replaces them; null
 * leaves one out.
 */
export function writeFolder(folder: string, more: Record<string, object | null> = {}): void {
  const table = Float32Array.from({ length: FOLDER_WORDS.length * FOLDER_WIDTH }, (_, at) =>
    valueOf(Math.floor(at / FOLDER_WIDTH), at % FOLDER_WIDTH),
  );
  const graph = message(
    7,
    message(1, bytes(1, "table"), bytes(1, "input_ids"), bytes(2, "last_hidden_state"), bytes(4, "Gather")),
    bytes(2, "states"),
    message(
      5,
      number(1, FOLDER_WORDS.length),
      number(1, FOLDER_WIDTH),
      number(2, FLOAT),
      bytes(8, "table"),
      bytes(9, Buffer.from(table.buffer)),
    ),
    value(11, "input_ids", INT64, "B", "T"),
    value(11, "attention_mask", INT64, "B", "T"),
    value(12, "last_hidden_state", FLOAT, "B", "T", FOLDER_WIDTH),
  );
  const special = (content: string): object => ({
    id: FOLDER_WORDS.indexOf(content),
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const files: Record<string, object | null> = {
    "modules.json": [
      { idx: 0, name: "0", path: "", type: "sentence_transformers.models.Transformer" },
      { idx: 1, name: "1", path: "1_Pooling", type: "sentence_transformers.models.Pooling" },
      { idx: 2, name: "2", path: "2_Normalize", type: "sentence_transformers.models.Normalize" },
    ],
    "1_Pooling/config.json": {
      word_embedding_dimension: FOLDER_WIDTH,
      pooling_mode_mean_tokens: true,
      pooling_mode_cls_token: false,
    },
    "sentence_bert_config.json": { max_seq_length: 16, do_lower_case: false },
    "tokenizer_config.json": { tokenizer_class: "BertTokenizer", model_max_length: 512 },
    "tokenizer.json": {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: ["[PAD]", "[UNK]", "[CLS]", "[SEP]"].map(special),
      normalizer: {
        type: "BertNormalizer",
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: "BertPreTokenizer" },
      post_processor: {
        type: "TemplateProcessing",
        single: [
          { SpecialToken: { id: "[CLS]", type_id: 0 } },
          { Sequence: { id: "A", type_id: 0 } },
          { SpecialToken: { id: "[SEP]", type_id: 0 } },
        ],
        pair: [],
        special_tokens: {
          "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] },
          "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] },
        },
      },
      decoder: { type: "WordPiece", prefix: "##", cleanup: true },
      model: {
        type: "WordPiece",
        unk_token: "[UNK]",
        continuing_subword_prefix: "##",
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(FOLDER_WORDS.map((word, id) => [word, id])),
      },
    },
    ...more,
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    if (content !== null) writeFileSync(join(folder, name), JSON.stringify(content));
  }
  mkdirSync(join(folder, "onnx"), { recursive: true });
  writeFileSync(
    join(folder, "onnx/model.onnx"),
    Buffer.concat([number(1, 8), graph, message(8, bytes(1, ""), number(2, 13))]),
  );
}
