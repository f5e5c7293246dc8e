import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { ChannelMemory, type LineContext } from "@hypecast/streamproc/toxicity/context.ts";
import { type Token, tokensOf } from "@hypecast/streamproc/toxicity/normalise.ts";

/**
 * The labelled chat on which models/toxicity is trained and measured, and which part of it is which: training and bench split
 * here and nowhere else.
 */

/** `train` teaches · `tune` sets calibration and thresholds · `test` is looked at by the bench alone. */
export type Part = "train" | "tune" | "test";

/** A chat line of Dota 2 with its label: explicit or implicit toxicity, an action (report, gg, pause), or another thing. */
export interface CondaLine {
  readonly part: Part;
  readonly text: string;
  readonly intent: "E" | "I" | "A" | "O";
  readonly match: string;
  readonly conversation: string;
  readonly atS: number;
  readonly player: string;
  /** Words with their label: T toxic, C character, D Dota, S slang, P pronoun, O other. */
  readonly slots: readonly (readonly [word: string, label: string])[];
}
export interface LabelledLine {
  readonly part: Part;
  readonly text: string;
  /** As the set numbers its labels; see the loaders. */
  readonly label: number;
}
export interface TimeoutLine {
  readonly part: Part;
  readonly text: string;
  readonly atS: number;
  readonly user: string;
  readonly timedOut: boolean;
}

/** FNV-1a with a final mix. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Two tenths test, one tunes. */
const partOf = (key: string): Part => {
  const tenth = hashOf(key) % 10;
  return tenth < 2 ? "test" : tenth === 2 ? "tune" : "train";
};
/** Equal texts are in one part, whatever their letters' case. */
const partOfText = (text: string): Part => partOf(text.trim().toLowerCase());
/** Chat is split by time: what moderators did later is foretold from what they did before. */
const TRAIN_UNTIL = 0.6;
const TUNE_UNTIL = 0.7;

/** RFC 4180, quotes and line breaks in them included. */
export function readCsv(text: string): Record<string, string>[] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at <= text.length;) {
    let field: string;
    if (text[at] === '"') {
      field = "";
      for (at++; at < text.length; at++) {
        if (text[at] !== '"') field += text[at];
        else if (text[at + 1] === '"') field += text[at++];
        else break;
      }
      at++;
    } else {
      const from = at;
      while (at < text.length && text[at] !== "," && text[at] !== "\n" && text[at] !== "\r") at++;
      field = text.slice(from, at);
    }
    row.push(field);
    if (text[at] === ",") at++;
    else {
      if (text[at] === "\r") at++;
      at++;
      if (row.length > 1 || row[0] !== "") rows.push(row);
      row = [];
    }
  }
  const head = rows.shift() ?? [];
  return rows.map((fields) => Object.fromEntries(head.map((name, i) => [name, fields[i] ?? ""])));
}

/** The file `<folder>/<name>…<ending>` of a data folder: `conda-train.csv`, or another part of the same set. Null where there is none. */
function read(data: string, folder: string, name: string, ending: string): string | null {
  if (!existsSync(join(data, folder))) return null;
  const found = readdirSync(join(data, folder))
    .filter((file) => file.startsWith(name) && file.endsWith(ending))
    .toSorted()[0];
  if (found === undefined) return null;
  const bytes = readFileSync(join(data, folder, found));
  return (ending.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

const INTENTS = new Set(["E", "I", "A", "O"]);

/** CONDA, split by match. Utterances that one player wrote in a row are one text with `[SEPA]` between them, which we read as a space. */
export function conda(data: string): CondaLine[] | null {
  const text = read(data, "toxicity", "conda", ".csv");
  if (text === null) return null;
  return readCsv(text).flatMap((row) => {
    const intent = row["intentClass"]!;
    if (!INTENTS.has(intent) || row["utterance"]!.trim() === "") return [];
    return {
      part: partOf(`conda ${row["matchId"]}`),
      text: row["utterance"]!.replaceAll("[SEPA]", " "),
      intent: intent as CondaLine["intent"],
      match: row["matchId"]!,
      conversation: row["conversationId"]!,
      atS: Number(row["chatTime"]),
      player: row["playerSlot"]!,
      slots: [...row["slotTokens"]!.matchAll(/(\S+) \(([A-Z])\)/g)].map(
        ([, word, label]) => [word!, label!] as const,
      ),
    };
  });
}

/** GameTox (World of Tanks): 0 none, 1 hate and harassment (insults), 2 other offensive, 3 identity hate, 4 threat, 5 extremism. Split by text. */
export function gametox(data: string): LabelledLine[] | null {
  const text = read(data, "toxicity", "gametox", ".csv");
  if (text === null) return null;
  return readCsv(text).flatMap(({ message, label }) =>
    message!.trim() === "" || label === ""
      ? []
      : { part: partOfText(message!), text: message!, label: Number(label) },
  );
}

/** Davidson's tweets: 0 hate, 1 offensive, 2 neither. Split by text. */
export function davidson(data: string): LabelledLine[] | null {
  const text = read(data, "toxicity", "davidson", ".csv");
  if (text === null) return null;
  return readCsv(text).map((row) => ({
    part: partOfText(row["tweet"]!),
    text: row["tweet"]!.replaceAll("&amp;", "&").replaceAll("&lt;", "<").replaceAll("&gt;", ">"),
    label: Number(row["class"]),
  }));
}

/** OLID's tweets: 0 not offensive, 1 untargeted, 2 at a person, 3 at a group, 4 at something else. Split by text. */
export function olid(data: string): LabelledLine[] | null {
  const text = read(data, "toxicity", "olid", ".tsv");
  if (text === null) return null;
  return text
    .split("\n")
    .slice(1)
    .flatMap((row) => {
      const [, tweet, offensive, , target] = row.split("\t").map((field) => field.trim());
      if (tweet === undefined || offensive === undefined) return [];
      const label =
        offensive !== "OFF" ? 0 : target === "IND" ? 2 : target === "GRP" ? 3 : target === "OTH" ? 4 : 1;
      return {
        part: partOfText(tweet),
        text: tweet.replaceAll("@USER", "@someone").replaceAll("URL", ""),
        label,
      };
    });
}

/** A day of a large e-sports chat, with what its moderators did. Split by time. */
export function timeouts(data: string): TimeoutLine[] | null {
  const text = read(data, "moderation", "esports", ".csv.gz");
  if (text === null) return null;
  const rows = readCsv(text);
  return rows.map((row, i) => ({
    part: i < TRAIN_UNTIL * rows.length ? "train" : i < TUNE_UNTIL * rows.length ? "tune" : "test",
    text: row["text"]!,
    atS: Number(row["seconds"]),
    user: row["user"]!,
    timedOut: row["timed_out_within_6s"] === "1",
  }));
}

const GLOBAL_EMOTES = new Set(
  (
    "Kappa Keepo Kreygasm LUL Jebaited SourPls DansGame BibleThump WutFace EleGiggle ResidentSleeper PogChamp TriHard cmonBruh ANELE SMOrc OSfrog MrDestructoid NotLikeThis FailFish " +
    "SwiftRage HeyGuys VoHiYo KappaPride KappaRoss PJSalt PunchTrees DatSheffy BabyRage BigBrother PedoBear duDudu haHAA monkaS KKona Clap OMEGALUL Pepega KEKW Sadge"
  ).split(" "),
);

/** The e-sports day tells no emotes: words spelt like one (sneakyByfar, PogChamp, 4Head) are taken for them. */
export function emotePlaces(text: string): [first: number, last: number][] {
  const places: [number, number][] = [];
  let at = 0;
  for (const word of text.split(" ")) {
    const length = Array.from(word).length;
    if (GLOBAL_EMOTES.has(word) || /^[a-zA-Z\d]*[a-z\d][A-Z][a-zA-Z\d]*$/.test(word))
      places.push([at, at + length - 1]);
    at += length + 1;
  }
  return places;
}

/** Moderators' actions become known so long after the line, at most: the set says "within 6 s". */
const KNOWN_AFTER_MS = 6000;

/** Every line of the e-sports day with what was known of its surroundings when it was written, in order. `flagged`: whether the text model would flag it. */
export function* withContext(
  lines: readonly TimeoutLine[],
  flagged?: readonly boolean[],
): Generator<{ line: TimeoutLine; tokens: Token[]; context: LineContext }> {
  const memory = new ChannelMemory();
  const waiting: { user: string; atMs: number }[] = [];
  for (const [i, line] of lines.entries()) {
    const sentAtMs = line.atS * 1000;
    while (waiting.length > 0 && waiting[0]!.atMs <= sentAtMs) {
      const { user, atMs } = waiting.shift()!;
      memory.acted(user, atMs);
    }
    const emotes = emotePlaces(line.text);
    const tokens = tokensOf(line.text, emotes);
    yield {
      line,
      tokens,
      context: memory.see({ userId: line.user, sentAtMs, text: line.text, emotes }, tokens),
    };
    if (flagged?.[i] === true) memory.flag(line.user, sentAtMs);
    if (line.timedOut) waiting.push({ user: line.user, atMs: sentAtMs + KNOWN_AFTER_MS });
  }
}
