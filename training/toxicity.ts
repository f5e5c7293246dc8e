import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { TOXICITY_CLASSES, type ToxicityClass } from "@hypecast/contracts/toxicity.ts";
import { CONTEXT, contextRow, NO_CONTEXT, type LineContext } from "@hypecast/streamproc/toxicity/context.ts";
import { PIECES, windowsOf, WORDS } from "@hypecast/streamproc/toxicity/features.ts";
import { type Token, tokensOf } from "@hypecast/streamproc/toxicity/normalise.ts";
import { conda, davidson, gametox, hashOf, olid, type Part, timeouts, withContext } from "../bench/src/toxicity-sets.ts";
import { vodTexts } from "../bench/src/toxicity-vods.ts";
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

/** Lines of game chat that teach, to be disguised below. */
const disguised: { text: string; says: Says }[] = [];

for (const { part, text, intent } of conda(data) ?? []) {
  const says =
    intent === "E"
      ? named(text, "insult")
      : intent === "I"
        ? { toxicity: 0.3, severity: 0.15, classes: { ...NONE, insult: 0.2 } }
        : CLEAN;
  put("conda", part, text, { ...says, conda: "OAIE".indexOf(intent) });
  if (part === "train") disguised.push({ text, says });
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
  if (part === "train") disguised.push({ text, says });
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

/** Russian that is only Russian: the screens' own sentences, and ordinary words of streams in no order. No set of chat in it is at hand. */
const WORDS_TOGETHER = 4000;
const RUDE = /idiot|stupid|noob|trash|garbage|kill|die|dead|death|hate|suck|shit|fuck|damn|toxic|cring|loser|ugly|dumb|bot|rat|clown|pig|dog|hell|naked|sex|drunk|angry|rage/i;
const ordinary: string[] = [];
const sentences = (value: unknown): string[] =>
  typeof value === "string" ? [value] : typeof value === "object" && value !== null ? Object.values(value).flatMap(sentences) : [];
const here = import.meta.dirname;
for (const text of sentences(JSON.parse(readFileSync(join(here, "../web/messages/ru.json"), "utf8"))))
  if (/\p{Script=Cyrillic}{3}/u.test(text)) ordinary.push(text.replaceAll(/\{\w+\}/g, "").trim());
const russian = readFileSync(join(here, "ru_en.txt"), "utf8")
  .split("\n")
  .filter((row) => !row.startsWith("#") && row.includes("="))
  .flatMap((row) => {
    const [words = "", english = ""] = row.split("=");
    return RUDE.test(english) ? [] : words.split(",");
  });
for (let i = 0; i < WORDS_TOGETHER; i++) {
  const hash = (n: number): number => hashOf(`${i} ${n}`);
  ordinary.push(Array.from({ length: 1 + (hash(0) % 6) }, (_, n) => russian[hash(n + 1) % russian.length]!).join(" "));
}
for (const text of ordinary) {
  if (CLASS_WORDS.some(([, pattern]) => pattern.test(text.toLowerCase()))) continue;
  put("russian", hashOf(text) % 10 < 2 ? "test" : "train", text, CLEAN);
  if (hashOf(text) % 10 >= 2) disguised.push({ text, says: CLEAN });
}

const day = timeouts(data) ?? [];
const flagged = values.flagged === undefined ? undefined : [...readFileSync(values.flagged)].map((one) => one === 1);
for (const { line, tokens, context } of withContext(day, flagged))
  put("timeouts", line.part, line.text, { action: Number(line.timedOut) }, tokens, context);

/** Lines of real chats that stood: mostly harmless, whatever words they use. */
const VOD_LINES = 40_000;
const vods = vodTexts(data) ?? [];
const once = [...new Map(vods.map((vod) => [vod.text.toLowerCase(), vod])).values()];
for (const { text, emotes } of some(once, (vod) => vod.text, VOD_LINES)) {
  const read = tokensOf(text, emotes);
  // A line with such words may be what it seems: nothing is said of it.
  const words = read.map((token) => token.text).join(" ");
  if (CLASS_WORDS.some(([, pattern]) => pattern.test(words))) continue;
  put("vod", hashOf(text) % 10 < 2 ? "test" : "train", text, { toxicity: 0.02, severity: 0, classes: NONE }, read);
}

const EMOTES = ["KEKW", "monkaS", "Pog", "Sadge", "catJAM", "TriHard", "PepeLaugh", "WutFace", "<3", "😂", "💀"];
const pick = <T>(all: readonly T[], hash: number): T => all[hash % all.length]!;
/** Another spelling of one word, or the line among other things: what is said stays the same. */
function disguise(text: string, hash: number): string {
  const word = (change: (word: string) => string): string =>
    text.replaceAll(/\p{L}{4,}/gu, (found) => (hashOf(found + hash) % 4 < 3 ? change(found) : found));
  const at = (length: number): number => 1 + (hash % (length - 2));
  const emote = pick(EMOTES, hash >>> 4);
  const [before, after] = [pick(once, hash >>> 3).text, pick(once, hash >>> 5).text];
  switch (hash % 9) {
    case 0:
      return `${emote} ${emote} ${text} ${pick(EMOTES, hash >>> 9)} ${emote}`;
    case 1:
      return `${text} ${`${emote} `.repeat(1 + (hash % 6))}`;
    case 2:
      return `${before} ${text}`;
    case 3:
      return `${text} ${after}`;
    case 4:
      return `${before} ${text} ${after}`;
    case 5:
      return word((one) => one.slice(0, at(one.length)) + one[at(one.length) + 1]! + one[at(one.length)]! + one.slice(at(one.length) + 2));
    case 6:
      return word((one) => one.slice(0, at(one.length)) + one.slice(at(one.length) + 1));
    case 7:
      return word((one) => `${one.slice(0, at(one.length))}*${one.slice(at(one.length) + 1)}`);
    default:
      return word((one) => [...one.match(/./gsu)!].join(pick([" ", ".", "-", "_"], hash >>> 7)));
  }
}
for (const { text, says } of disguised) {
  const hash = hashOf(text);
  // All that is toxic, and one in three of the rest.
  if (says.toxicity === 0 && hash % 3 !== 0) continue;
  put("disguised", "train", disguise(text, Math.floor(hash / 3)), says);
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
