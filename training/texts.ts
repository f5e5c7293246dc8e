import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { wordsOf } from "../analytics/src/oracle/embed/words.ts";
import { vodChats } from "../bench/vod-chats.ts";

/**
 * Writes what the text model is trained and measured on: chat lines, stretches of chat, and labelled short texts, without mentions and without the names
 * of those who wrote; each with its words as the product's own tokeniser cuts them. `node training/texts.ts --data DIR --out DIR`.
 */
const { values } = parseArgs({
  options: {
    data: { type: "string", default: "../shared/data" },
    out: { type: "string", default: "/tmp/hypecast-texts" },
  },
});
mkdirSync(values.out, { recursive: true });

const BOTS = new Set(
  "streamelements nightbot streamlabs fossabot moobot soundalerts pokemoncommunitygame sery_bot wizebot".split(" "),
);
const MENTION = /@[\p{L}\p{N}_]+/gu;
const STRETCH_LINES = 8;
const STRETCH_CHARS = 400;

const sets: Record<string, string[]> = {};
const put = (set: string, text: string): void => {
  (sets[set] ??= []).push(text.trim());
};

const vods: { name: string; title: string; lines: { s: number; text: string }[] }[] = [];
for (const vod of vodChats(values.data)) {
  const about = JSON.parse(
    readFileSync(join(values.data, "chat-vod", vod.name.replace(".chat.json.gz", ".vod.json")), "utf8"),
  ) as { title: string };
  const names = new Set(vod.lines.map((line) => line.login.toLowerCase()));
  const withoutNames = (text: string): string =>
    text
      .replaceAll(MENTION, " ")
      .split(/\s+/)
      .filter((word) => !names.has(word.toLowerCase().replaceAll(/[^\p{L}\p{N}_]/gu, "")) || word.length < 5)
      .join(" ");
  const lines = vod.lines
    .filter((line) => !BOTS.has(line.login.toLowerCase()) && !line.text.startsWith("!"))
    .map((line) => ({ s: Math.round((line.sentAtMs % 86_400_000) / 1000), text: withoutNames(line.text) }))
    .filter((line) => line.text !== "");
  vods.push({ name: vod.name, title: about.title, lines });
  for (const { text } of lines) if (text.split(" ").length >= 3) put("chat", text);
  for (let at = 0; at + STRETCH_LINES <= lines.length; at += STRETCH_LINES)
    put(
      "stretch",
      lines
        .slice(at, at + STRETCH_LINES)
        .map(({ text }) => text)
        .join(" . ")
        .slice(0, STRETCH_CHARS),
    );
}

/** Fields of a CSV or TSV file, quotes and line ends inside them respected. */
function table(file: string, separator: string, quoted: boolean): Record<string, string>[] {
  const path = join(values.data, file);
  if (!existsSync(path)) return [];
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let inside = false;
  for (const char of readFileSync(path, "utf8")) {
    if (quoted && char === '"') inside = !inside;
    else if (!inside && char === separator) {
      row.push(field);
      field = "";
    } else if (!inside && char === "\n") {
      row.push(field.replace(/\r$/, ""));
      rows.push(row);
      row = [];
      field = "";
    } else field += char;
  }
  const [head = [], ...rest] = rows;
  return rest.map((cells) => Object.fromEntries(head.map((name, i) => [name, cells[i] ?? ""])));
}
const plain = (text: string): string => text.replaceAll(MENTION, " ").replaceAll("[SEPA]", " ");
for (const row of table("toxicity/conda-train.csv", ",", true)) put("conda", plain(row["utterance"] ?? ""));
for (const row of table("toxicity/gametox-train.csv", ",", true)) put("gametox", plain(row["message"] ?? ""));
for (const row of table("toxicity/davidson.csv", ",", true)) put("davidson", plain(row["tweet"] ?? ""));
for (const row of table("toxicity/olid-train.tsv", "\t", false)) put("olid", plain(row["tweet"] ?? ""));

const labels: Record<string, string[]> = {};
for (const set of ["StackOverflow", "SearchSnippets", "Tweet", "GoogleNews"]) {
  const folder = join(values.data, "topics/dataset");
  const file = join(folder, `${set}.txt`);
  if (!existsSync(file)) continue;
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const label = [`${set}_label.txt`, `${set}_LABEL.txt`].map((name) => join(folder, name)).find(existsSync);
  if (label !== undefined) labels[set] = readFileSync(label, "utf8").trimEnd().split("\n").map((one) => one.trim());
  for (const line of lines) put(set, line);
}

const pairs = JSON.parse(readFileSync(join(import.meta.dirname, "eval_pairs.json"), "utf8")) as Record<string, [string, string][]>;
for (const [language, ones] of Object.entries(pairs))
  for (const [asked, said] of ones) {
    put(`asked_${language}`, asked);
    put(`said_${language}`, said);
  }

const LEARNED = new Set(["chat", "conda", "gametox", "davidson", "olid"]);
for (const [set, texts] of Object.entries(sets)) {
  // What is learned from is taken once each; what is measured on stands in its own order, beside its labels.
  const kept = LEARNED.has(set) ? [...new Set(texts)] : texts;
  writeFileSync(join(values.out, `${set}.json`), JSON.stringify(kept.map((text) => ({ text, words: wordsOf(text) }))));
  console.log(`${set}: ${kept.length}`);
}
writeFileSync(join(values.out, "labels.json"), JSON.stringify(labels));
writeFileSync(
  join(values.out, "vods.json"),
  JSON.stringify(vods.map((vod) => ({ ...vod, titleWords: wordsOf(vod.title), lines: vod.lines.map((line) => ({ ...line, words: wordsOf(line.text) })) }))),
);
