import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "@hypecast/tests/servers.ts";
import { toUnitLength } from "./embedder.ts";
import { cosineOf, embedderContract } from "./embedder.contract.ts";
import { openSentenceTransformers, pooled } from "./sentence-transformers.ts";
import { FOLDER_WIDTH, FOLDER_WORDS, valueOf, writeFolder } from "./test-folder.ts";

const root = temporaryFolder("sentence-transformers");
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;
function folderWith(more: Record<string, object | null> = {}): string {
  const folder = join(root, `model-${count++}`);
  writeFolder(folder, more);
  return folder;
}
const stateOf = (word: string): number[] =>
  Array.from({ length: FOLDER_WIDTH }, (_, i) => valueOf(FOLDER_WORDS.indexOf(word), i));
const meanOf = (words: string[]): Float32Array =>
  toUnitLength(
    Float32Array.from(
      { length: FOLDER_WIDTH },
      (_, i) => words.reduce((sum, word) => sum + stateOf(word)[i]!, 0) / words.length,
    ),
  );
async function one(
  folder: string,
  text: string,
  kind: "query" | "passage" = "passage",
): Promise<Float32Array> {
  const embedder = await openSentenceTransformers(folder);
  const [vector] = await embedder.embed([text], kind);
  await embedder.close();
  return vector!;
}

embedderContract("a sentence-transformers folder", async () => ({
  embedder: await openSentenceTransformers(folderWith()),
  close: async () => {},
}));

test("the vector is the mean of the text's tokens, special ones included and filling left out", async () => {
  const embedder = await openSentenceTransformers(folderWith());
  const [short] = await embedder.embed(["Lava!", "he fell in the lava again and died"], "passage");
  expect(cosineOf(short!, meanOf(["[CLS]", "lava", "[UNK]", "[SEP]"]))).toBeCloseTo(1, 5);
  await embedder.close();
});

test("a word is cut into its pieces, and a text that is too long keeps its end mark", async () => {
  expect(cosineOf(await one(folderWith(), "jumps"), meanOf(["[CLS]", "jump", "##s", "[SEP]"]))).toBeCloseTo(
    1,
    5,
  );
  const cut = meanOf(["[CLS]", ...Array.from({ length: 14 }, () => "lava"), "[SEP]"]);
  expect(cosineOf(await one(folderWith(), "lava ".repeat(400)), cut)).toBeCloseTo(1, 5);
});

describe("pooling is what the folder says", () => {
  test.each([
    [
      "by flags, the first token",
      { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false },
      stateOf("[CLS]"),
    ],
    ["by a word, the last token", { pooling_mode: "lasttoken" }, stateOf("[SEP]")],
    ["nothing said: the mean", {}, Array.from(meanOf(["[CLS]", "lava", "[SEP]"]))],
  ])("%s", async (_what, config, expected) => {
    const vector = await one(folderWith({ "1_Pooling/config.json": config }), "lava");
    expect(cosineOf(vector, toUnitLength(Float32Array.from(expected)))).toBeCloseTo(1, 5);
  });
  test("the highest value of each place", () => {
    expect(Array.from(pooled("max", Float32Array.of(1, -2, 0, 5, 9, 9), 2, 2))).toEqual([1, 5]);
  });
});

test("queries and passages get the words before them that the folder's file asks for", async () => {
  const folder = folderWith({
    "config_sentence_transformers.json": {
      prompts: { query: "query: ", passage: "passage: " },
      default_prompt_name: null,
    },
  });
  expect(
    cosineOf(await one(folder, "lava", "query"), meanOf(["[CLS]", "query", ":", "lava", "[SEP]"])),
  ).toBeCloseTo(1, 5);
  expect(
    cosineOf(await one(folder, "lava", "passage"), meanOf(["[CLS]", "passage", ":", "lava", "[SEP]"])),
  ).toBeCloseTo(1, 5);
});

test("the model's name is its folder's and changes with what is in it", async () => {
  const names = await Promise.all(
    [folderWith(), folderWith(), folderWith({ "1_Pooling/config.json": { pooling_mode: "cls" } })].map(
      async (folder) => {
        const embedder = await openSentenceTransformers(folder);
        await embedder.close();
        return embedder.model;
      },
    ),
  );
  expect(names[0]).toMatch(/^model-\d+@[0-9a-f]{12}$/);
  const [first, same, other] = names.map((name) => name.split("@")[1]);
  expect(first).toBe(same);
  expect(first).not.toBe(other);
});

test.each([
  ["no tokenizer", { "tokenizer.json": null }, /has no tokenizer\.json/],
  [
    "a module that is not known",
    { "modules.json": [{ path: "2_Dense", type: "sentence_transformers.models.Dense" }] },
    /module 2_Dense is a Dense/,
  ],
  [
    "a pooling that is not known",
    { "1_Pooling/config.json": { pooling_mode_weightedmean_tokens: true } },
    /weightedmean_tokens is not known here/,
  ],
  [
    "two poolings",
    { "1_Pooling/config.json": { pooling_mode_cls_token: true, pooling_mode_mean_tokens: true } },
    /cls_token and mean_tokens/,
  ],
  [
    "another file in its place",
    { "modules.json": { no: "list" } },
    /modules\.json is not as sentence-transformers writes it/,
  ],
])("%s is said by name", async (_what, more, said) => {
  await expect(openSentenceTransformers(folderWith(more as Record<string, object | null>))).rejects.toThrow(
    said,
  );
});

test("a folder without a graph says how to get one", async () => {
  await expect(openSentenceTransformers(join(root, "nowhere"))).rejects.toThrow(
    /has no onnx\/model\.onnx: export/,
  );
});
