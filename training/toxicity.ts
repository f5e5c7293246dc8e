import { createWriteStream, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { TOXICITY_CLASSES, type ToxicityClass } from "@hypecast/contracts/toxicity.ts";
import { CONTEXT, contextRow, NO_CONTEXT, type LineContext } from "@hypecast/streamproc/toxicity/context.ts";
import { PIECES, windowsOf, WORDS } from "@hypecast/streamproc/toxicity/features.ts";
import { type Places, type Token, tokensOf } from "@hypecast/streamproc/toxicity/normalise.ts";
import { conda, davidson, gametox, hashOf, olid, type Part, timeouts, withContext } from "../bench/src/toxicity-sets.ts";
import { CLASS_WORDS, expand, isBanter, GROUPS, GROUPS_RUSSIAN, NEUTRAL, NEUTRAL_RUSSIAN, SEEDS } from "./toxicity-seeds.ts";

/**
 * Rows for toxicity.py, made by the product's own code: each line's windows of numbers, its row of context, and what it is said to be.
 * `--flagged FILE`: one byte a line of the e-sports day, whether the text model flagged it (a second run, once there is one).
 */
const { values } = parseArgs({
  options: {
    data: { type: "string", default: "../shared/data" },
    out: { type: "string", default: "/tmp/hypecast-toxicity" },
    flagged: { type: "string" },
  },
});
const { data, out } = values;

/** What is known of a line; absent: not known. */
interface Says {
  readonly toxicity?: number;
  readonly severity?: number;
  readonly classes?: Partial<Record<ToxicityClass, number>>;
  readonly conda?: number;
  readonly gametox?: number;
  readonly davidson?: number;
  readonly olid?: number;
  readonly action?: number;
  /** An insult by its label, trash talk about the game by its words. */
  readonly banter?: boolean;
}

mkdirSync(out, { recursive: true });
const meta = createWriteStream(join(out, "lines.ndjson"));
const numbers: number[] = [];
const words: Float32Array[] = [];
const windowLine: number[] = [];
const windowSize: number[] = [];
const contexts: number[] = [];
let lines = 0;

function put(
  set: string,
  part: Part,
  text: string,
  says: Says,
  tokens: readonly Token[] = tokensOf(text),
  context: LineContext = NO_CONTEXT,
): void {
  for (const window of windowsOf(tokens)) {
    const end = window.numbers.indexOf(0);
    const size = end < 0 ? window.numbers.length : end;
    for (let i = 0; i < size; i++) numbers.push(window.numbers[i]!);
    words.push(window.words);
    windowLine.push(lines);
    windowSize.push(size);
  }
  for (const value of contextRow(text, tokens, context)) contexts.push(value);
  const classes = TOXICITY_CLASSES.map((name) => says.classes?.[name] ?? null);
  meta.write(JSON.stringify({ set, part, text, ...says, classes }) + "\n");
  lines++;
}

const NONE: Record<ToxicityClass, number> = {
  ...{ insult: 0, identity: 0, threat: 0, sexual: 0, harassment: 0, self_harm: 0, spam: 0 },
};
const SEVERITY: Record<ToxicityClass, number> = {
  ...{ insult: 0.45, identity: 0.95, threat: 0.95, sexual: 0.6, harassment: 0.55, self_harm: 0.95, spam: 0.4 },
};

/** People said that a line is toxic, not how: its words say what beside `usual`. */
function named(text: string, usual: ToxicityClass | null): Says {
  const read = tokensOf(text)
    .map((token) => token.text)
    .join(" ");
  if (usual === "insult" && isBanter(read))
    return { toxicity: 0.35, severity: 0.15, classes: { ...NONE, insult: 0.35 }, banter: true };
  const found = CLASS_WORDS.filter(([, words]) => words.test(read)).map(([name]) => name);
  const classes = { ...NONE };
  for (const name of found) classes[name] = 1;
  if (usual !== null) classes[usual] = found.length > 0 && usual === "insult" ? 0.5 : 1;
  const worst = [...found, ...(usual === null ? [] : [usual])].map((name) => SEVERITY[name]);
  return { toxicity: 1, classes, severity: worst.length === 0 ? 0.25 : Math.max(...worst) };
}

const CLEAN = { toxicity: 0, severity: 0, classes: NONE } as const;

for (const { part, text, intent } of conda(data) ?? []) {
  const says =
    intent === "E"
      ? named(text, "insult")
      : intent === "I"
        ? { toxicity: 0.3, severity: 0.15, classes: { ...NONE, insult: 0.2 } }
        : CLEAN;
  put("conda", part, text, { ...says, conda: "OAIE".indexOf(intent) });
}
for (const { part, text, label } of gametox(data) ?? []) {
  const says =
    label === 0
      ? CLEAN
      : label === 1
        ? named(text, "insult")
        : label === 2
          ? { toxicity: 0.3, severity: 0.15, classes: { ...NONE, insult: 0.2 } }
          : named(text, label === 4 ? "threat" : "identity");
  put("gametox", part, text, { ...says, gametox: label });
}
for (const { part, text, label } of davidson(data) ?? []) {
  const says =
    label === 2
      ? CLEAN
      : label === 0
        ? named(text, "identity")
        // "Offensive" is mostly a word used among friends.
        : { toxicity: 0.5, severity: 0.3 };
  put("davidson", part, text, { ...says, davidson: label < 2 ? 1 : 0 });
}
for (const { part, text, label } of olid(data) ?? []) {
  const says = label === 0 ? { toxicity: 0.05, severity: 0, classes: NONE } : label === 1 ? { toxicity: 0.5 } : { toxicity: 0.8 };
  put("olid", part, text, { ...says, olid: label > 0 ? 1 : 0 });
}

/** So many sentences of one template. */
const MOST_OF_TEMPLATE = 80;
function some<T>(all: readonly T[], key: (one: T) => string, most: number): T[] {
  return all.length <= most ? [...all] : all.toSorted((a, b) => hashOf(key(a)) - hashOf(key(b))).slice(0, most);
}
for (const [i, { language, classes, severity, train, held }] of SEEDS.entries())
  for (const [part, templates] of [["train", train], ["test", held]] as const)
    for (const template of templates)
      for (const text of some(expand(template), (one) => one, MOST_OF_TEMPLATE)) {
        const says = { ...NONE };
        for (const name of classes) says[name] = 1;
        put(`seed-${language}-${classes[0] ?? "none"}-${i}`, part, text, { toxicity: classes.length > 0 ? 1 : 0, severity, classes: says });
      }
for (const [group, terms] of [...Object.entries(GROUPS), ["russian", GROUPS_RUSSIAN] as const]) {
  const { train, held } = group === "russian" ? NEUTRAL_RUSSIAN : NEUTRAL;
  for (const [part, templates] of [["train", train], ["test", held]] as const)
    for (const template of templates)
      for (const term of terms) put(`neutral-${group}`, part, template.replace("{g}", term), CLEAN);
}

const day = timeouts(data) ?? [];
const flagged = values.flagged === undefined ? undefined : [...readFileSync(values.flagged)].map((one) => one === 1);
for (const { line, tokens, context } of withContext(day, flagged))
  put("timeouts", line.part, line.text, { action: Number(line.timedOut) }, tokens, context);

interface Fragment {
  text: string | null;
  emote: unknown;
}
/** Lines of real chats that stood: mostly harmless, whatever words they use. */
const VOD_LINES = 40_000;
const vods: { text: string; emotes: Places }[] = [];
for (const channel of ["channel_a", "channel_b", "channel_c"])
  for (const file of readdirSync(join(data, "chat-vod", channel)).filter((name) => name.endsWith(".chat.json.gz")))
    for (const { message } of JSON.parse(gunzipSync(readFileSync(join(data, "chat-vod", channel, file))).toString("utf8")) as {
      message: { fragments?: Fragment[] } | null;
    }[]) {
      let text = "";
      const emotes: [number, number][] = [];
      for (const fragment of message?.fragments ?? []) {
        const from = Array.from(text).length;
        text += fragment.text ?? "";
        if (fragment.emote != null) emotes.push([from, Array.from(text).length - 1]);
      }
      if (text.trim() !== "") vods.push({ text, emotes });
    }
const once = [...new Map(vods.map((vod) => [vod.text.toLowerCase(), vod])).values()];
for (const { text, emotes } of some(once, (vod) => vod.text, VOD_LINES)) {
  const read = tokensOf(text, emotes);
  // A line with such words may be what it seems: nothing is said of it.
  const words = read.map((token) => token.text).join(" ");
  if (CLASS_WORDS.some(([, pattern]) => pattern.test(words))) continue;
  put("vod", hashOf(text) % 10 < 2 ? "test" : "train", text, { toxicity: 0.02, severity: 0, classes: NONE }, read);
}

await new Promise((resolve) => meta.end(resolve));
writeFileSync(join(out, "numbers.u32"), Uint32Array.from(numbers));
const wordNumbers = new Uint32Array(words.length * WORDS * PIECES);
for (const [i, window] of words.entries()) wordNumbers.set(window, i * WORDS * PIECES);
writeFileSync(join(out, "words.u32"), wordNumbers);
writeFileSync(join(out, "windows.u32"), Uint32Array.from([...windowLine, ...windowSize]));
writeFileSync(join(out, "context.f32"), Float32Array.from(contexts));
writeFileSync(join(out, "about.json"), JSON.stringify({ classes: TOXICITY_CLASSES, context: CONTEXT }));
console.log(`${lines} lines, ${windowSize.length} windows, ${numbers.length} numbers; ${once.length} different lines of VOD chat`);
