import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { z } from "zod";
import { EmbedFailure, toUnitLength, type Embedder, type TextKind } from "./embedder.ts";

/** onnxruntime blocks the thread that asks: few texts at once, and whoever else waits is let through between them. */
const TEXTS_AT_ONCE = 8;
/** A model that says nothing of it reads so many tokens. */
const LONGEST = 512;

/** Where exporters put the graph, the exact one first. */
const GRAPHS = ["onnx/model.onnx", "model.onnx", "onnx/model_quantized.onnx", "model_quantized.onnx"];

const modulesFile = z.array(z.object({ path: z.string(), type: z.string() }));
const bertFile = z.object({ max_seq_length: z.number().int().min(2).nullable().optional() });
const tokenizerFile = z.object({ model_max_length: z.number().optional() }).loose();
const promptsFile = z.object({
  prompts: z.record(z.string(), z.string()).optional(),
  default_prompt_name: z.string().nullable().optional(),
});
const poolingFile = z
  .object({
    pooling_mode: z.string().optional(),
    pooling_mode_cls_token: z.boolean().optional(),
    pooling_mode_mean_tokens: z.boolean().optional(),
    pooling_mode_max_tokens: z.boolean().optional(),
    pooling_mode_mean_sqrt_len_tokens: z.boolean().optional(),
    pooling_mode_weightedmean_tokens: z.boolean().optional(),
    pooling_mode_lasttoken: z.boolean().optional(),
    include_prompt: z.boolean().optional(),
  })
  .loose();

export const POOLINGS = ["mean", "cls", "max", "lasttoken"] as const;
export type Pooling = (typeof POOLINGS)[number];

interface Plan {
  readonly graph: string;
  readonly pooling: Pooling;
  readonly longest: number;
  readonly prompts: Readonly<Record<TextKind, string>>;
  readonly tokenizer: Tokenizer;
}

/** Reads a folder as sentence-transformers writes it. Throws a sentence that names the file when something is missing or not understood. */
function planOf(folder: string): Plan {
  const read = <Schema extends z.ZodType>(file: string, schema: Schema): z.output<Schema> | null => {
    const path = join(folder, file);
    if (!existsSync(path)) return null;
    try {
      return schema.parse(JSON.parse(readFileSync(path, "utf8")));
    } catch (error) {
      const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
      throw new Error(`${path} is not as sentence-transformers writes it: ${why}`, { cause: error });
    }
  };
  const graph = GRAPHS.map((file) => join(folder, file)).find((path) => existsSync(path));
  if (graph === undefined)
    throw new Error(
      `${folder} has no ${GRAPHS[0]}: export the model to ONNX (sentence-transformers: backend="onnx")`,
    );
  const json = read("tokenizer.json", z.object({}).loose());
  if (json === null) throw new Error(`${folder} has no tokenizer.json`);
  const config = read("tokenizer_config.json", tokenizerFile) ?? {};
  const modules = read("modules.json", modulesFile) ?? [];
  for (const { type, path } of modules)
    if (!/\.(?:Transformer|Pooling|Normalize)$/.test(type))
      throw new Error(
        `${folder}: module ${path || type} is a ${type.split(".").at(-1)}, which is not known here`,
      );
  const pooling = modules.find(({ type }) => type.endsWith(".Pooling"));
  const said = read(join(pooling?.path ?? "1_Pooling", "config.json"), poolingFile);
  const prompts = read("config_sentence_transformers.json", promptsFile);
  const fallback = prompts?.prompts?.[prompts.default_prompt_name ?? ""] ?? "";
  const longest = Math.min(
    read("sentence_bert_config.json", bertFile)?.max_seq_length ?? LONGEST,
    config.model_max_length ?? Number.POSITIVE_INFINITY,
  );
  return {
    graph,
    longest,
    pooling: said === null ? "mean" : poolingOf(said, folder),
    prompts: {
      query: prompts?.prompts?.["query"] ?? fallback,
      passage: prompts?.prompts?.["passage"] ?? prompts?.prompts?.["document"] ?? fallback,
    },
    tokenizer: new Tokenizer(json, config),
  };
}

/** Older files say it by flags, newer ones by a word. */
function poolingOf(said: z.infer<typeof poolingFile>, folder: string): Pooling {
  const chosen =
    said.pooling_mode === undefined
      ? Object.entries(said).flatMap(([name, value]) =>
          name.startsWith("pooling_mode_") && value === true ? [name.slice(13)] : [],
        )
      : [said.pooling_mode];
  const [one = "mean", ...more] = chosen.map((name) => name.replace(/^(cls|mean|max)_tokens?$/, "$1"));
  const known = POOLINGS.find((pooling) => pooling === one);
  if (known === undefined || more.length > 0)
    throw new Error(
      `${folder}: pooling by ${chosen.join(" and ")} is not known here; ${POOLINGS.join(", ")} are`,
    );
  return known;
}

/** Any sentence-transformers folder with an ONNX graph, run in this process: nothing leaves it. */
export async function openSentenceTransformers(path: string): Promise<Embedder> {
  const folder = resolve(path);
  const { graph, pooling, longest, prompts, tokenizer } = planOf(folder);
  const session = await InferenceSession.create(graph, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
    logSeverityLevel: 3,
  });
  const wanted = new Set(session.inputNames);
  const strange = session.inputNames.filter(
    (name) => !["input_ids", "attention_mask", "token_type_ids"].includes(name),
  );
  if (!wanted.has("input_ids") || strange.length > 0)
    throw new Error(
      `${graph} takes ${session.inputNames.join(", ")}: input_ids, attention_mask and token_type_ids are known`,
    );
  const output =
    ["sentence_embedding", "last_hidden_state", "token_embeddings"].find((name) =>
      session.outputNames.includes(name),
    ) ?? session.outputNames[0]!;
  const version = (await hashOfFiles([graph, join(folder, "tokenizer.json")], pooling)).slice(0, 12);
  let dimensions: number | null = null;
  let spent = { texts: 0, tokens: 0 };

  const idsOf = (text: string): number[] => {
    const { ids } = tokenizer.encode(text);
    // The last one closes the text and stays.
    return ids.length <= longest ? ids : [...ids.slice(0, longest - 1), ids.at(-1)!];
  };

  async function vectorsOf(ids: readonly number[][]): Promise<Float32Array[]> {
    const length = Math.max(...ids.map((one) => one.length));
    const size = ids.length * length;
    const values = {
      input_ids: new BigInt64Array(size),
      attention_mask: new BigInt64Array(size),
      token_type_ids: new BigInt64Array(size),
    };
    for (const [row, one] of ids.entries())
      for (const [at, id] of one.entries()) {
        values.input_ids[row * length + at] = BigInt(id);
        values.attention_mask[row * length + at] = 1n;
      }
    const feeds = Object.entries(values).flatMap(([name, data]) =>
      wanted.has(name) ? [[name, new Tensor("int64", data, [ids.length, length])] as const] : [],
    );
    const answer = (await session.run(Object.fromEntries(feeds)))[output];
    if (answer === undefined || !(answer.data instanceof Float32Array))
      throw new EmbedFailure(`${graph}: ${output} is not of floats`, false);
    const { data, dims } = answer;
    const width = dims.at(-1)!;
    const vectors =
      dims.length === 2
        ? ids.map((_one, row) => data.slice(row * width, (row + 1) * width))
        : ids.map((one, row) =>
            pooled(
              pooling,
              data.subarray(row * length * width, (row + 1) * length * width),
              one.length,
              width,
            ),
          );
    if (vectors.some((vector) => !vector.every(Number.isFinite)))
      throw new EmbedFailure(`${graph} answered with what is no number`, false);
    dimensions = width;
    return vectors.map(toUnitLength);
  }

  return {
    model: `${basename(folder)}@${version}`,
    get dimensions() {
      return dimensions;
    },
    batch: TEXTS_AT_ONCE * 8,
    async embed(texts, kind, signal) {
      const ids = texts.map((text) => idsOf(prompts[kind] + text));
      // Texts of one length together: what is filled up costs as much as what is said.
      const order = ids.map((_one, i) => i).sort((a, b) => ids[a]!.length - ids[b]!.length);
      const vectors = Array.from<Float32Array>({ length: texts.length });
      for (let at = 0; at < order.length; at += TEXTS_AT_ONCE) {
        signal?.throwIfAborted();
        const part = order.slice(at, at + TEXTS_AT_ONCE);
        const answered = await vectorsOf(part.map((i) => ids[i]!));
        for (const [k, i] of part.entries()) vectors[i] = answered[k]!;
        await new Promise((next) => setImmediate(next));
      }
      spent = {
        texts: spent.texts + texts.length,
        tokens: spent.tokens + ids.reduce((sum, one) => sum + one.length, 0),
      };
      return vectors;
    },
    estimate: (texts) => ({ texts: texts.length, tokens: 0, usd: null }),
    get spent() {
      return { ...spent, usd: null };
    },
    close: () => session.release(),
  };
}

/** One vector of a text's tokens: `states` is [length, width], of which the first `count` are the text's. */
export function pooled(pooling: Pooling, states: Float32Array, count: number, width: number): Float32Array {
  if (pooling === "cls") return states.slice(0, width);
  if (pooling === "lasttoken") return states.slice((count - 1) * width, count * width);
  const vector = pooling === "max" ? states.slice(0, width) : new Float32Array(width);
  for (let token = 0; token < count; token++)
    for (let i = 0; i < width; i++) {
      const value = states[token * width + i]!;
      if (pooling === "max") vector[i] = Math.max(vector[i]!, value);
      else vector[i]! += value / count;
    }
  return vector;
}

async function hashOfFiles(files: readonly string[], more: string): Promise<string> {
  const hash = createHash("sha256").update(more);
  for (const file of files) for await (const part of createReadStream(file)) hash.update(part as Buffer);
  return hash.digest("hex");
}
