import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { FLAGGED_FROM, TOXIC_FROM, TOXICITY_CLASSES } from "@hypecast/contracts/toxicity.ts";
import { openOnnx } from "@hypecast/streamproc/scorer/onnx.ts";
import { MODELS_FOLDER } from "@hypecast/streamproc/scorer/open.ts";
import { createToxicity, TOXICITY_MODEL, type LineToScore } from "@hypecast/streamproc/toxicity/classify.ts";
import { ChannelMemory, CONTEXT, contextRow, NO_CONTEXT } from "@hypecast/streamproc/toxicity/context.ts";
import { PIECES, WINDOW, windowsOf, WORDS } from "@hypecast/streamproc/toxicity/features.ts";
import { tokensOf } from "@hypecast/streamproc/toxicity/normalise.ts";
import { GROUPS, GROUPS_RUSSIAN, NEUTRAL, NEUTRAL_RUSSIAN, SEEDS } from "../training/toxicity-seeds.ts";
import { auroc, mean } from "./src/scores.ts";
import { hashedRegression, lexicon } from "./src/toxicity-baselines.ts";
import { DISGUISES } from "./src/toxicity-disguises.ts";
import { conda, gametox, hashOf, type Part, timeouts, withContext } from "./src/toxicity-sets.ts";
import { vodTexts } from "./src/toxicity-vods.ts";

/**
 * models/toxicity on the parts that it never saw, beside a list of words and beside hashed logistic regression that is trained here on the
 * same parts. `--held-out DIR`: a folder of the same layout of which everything is measured.
 */
const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: join(import.meta.dirname, "../../shared/data") },
    "held-out": { type: "string" },
  },
});
const heldOut = options["held-out"];
const GOALS = { uca: 0.902, conda: 0.965, gametox: 0.865, timeouts: 0.82, linesPerS: 20_000 } as const;
/** Lines of one question when speed is measured: a busy channel's pack. */
const PACK = 200;
const SPEED_LINES = 40_000;

const scorer = await openOnnx(MODELS_FOLDER, [TOXICITY_MODEL]);
const toxicity = createToxicity(scorer);
const { gametoxFrom } = JSON.parse(
  readFileSync(join(MODELS_FOLDER, TOXICITY_MODEL, "trained.json"), "utf8"),
) as { gametoxFrom: number };

const figures: Record<string, unknown> = {};
const ratios: Record<string, number> = {};
const meets: Record<string, boolean> = {};
const round = (value: number, digits = 4): number => Math.round(value * 10 ** digits) / 10 ** digits;
const say = (name: string, found: unknown): void => {
  figures[name] = found;
  console.log(name, JSON.stringify(found));
};

/** What is measured of a set: all of the held-out folder, or the parts `test`. */
function measured<T extends { readonly part: Part }>(load: (data: string) => T[] | null): T[] | null {
  if (heldOut !== undefined) return load(heldOut);
  return load(options.data)?.filter(({ part }) => part === "test") ?? null;
}
const taught = <T extends { readonly part: Part }>(load: (data: string) => T[] | null, part: Part): T[] =>
  load(options.data)?.filter((line) => line.part === part) ?? [];

/** An output of the model by itself: of each line the strongest window, or the first, which is the whole of most lines. */
async function output(
  name: string,
  width: number,
  texts: readonly string[],
  take: "strongest" | "first",
): Promise<number[][]> {
  const found: number[][] = [];
  for (let from = 0; from < texts.length; from += 256) {
    const rows = texts.slice(from, from + 256).flatMap((text, i) => {
      const tokens = tokensOf(text);
      const context = contextRow(text, tokens, NO_CONTEXT);
      const windows = windowsOf(tokens);
      return (take === "first" ? windows.slice(0, 1) : windows).map((window) => ({
        line: from + i,
        window,
        context,
      }));
    });
    const numbers = new Float32Array(rows.length * WINDOW);
    const words = new Float32Array(rows.length * WORDS * PIECES);
    const context = new Float32Array(rows.length * CONTEXT.length);
    for (const [i, row] of rows.entries()) {
      numbers.set(row.window.numbers, i * WINDOW);
      words.set(row.window.words, i * WORDS * PIECES);
      context.set(row.context, i * CONTEXT.length);
    }
    const answer = await scorer.score(TOXICITY_MODEL, { numbers, words, context }, rows.length, 60_000);
    for (const [i, { line }] of rows.entries()) {
      const said = [...answer[name]!.subarray(i * width, (i + 1) * width)];
      found[line] = found[line]?.map((before, k) => Math.max(before, said[k]!)) ?? said;
    }
  }
  return found;
}

const lineOf = (text: string, userId = "1", sentAtMs = 0): LineToScore["line"] => ({
  ...{ id: "1", channelId: "1", userId, login: userId, sentAtMs, text },
});
async function scoresOf(lines: readonly LineToScore[]) {
  const scored = await toxicity.score(lines, 600_000);
  if (scored.unknown !== null) throw new Error(`the model did not answer: ${scored.unknown}`);
  return scored.scores;
}
const plain = async (texts: readonly string[]) =>
  scoresOf(texts.map((text) => ({ line: lineOf(text), context: NO_CONTEXT })));

function macroF1(yes: readonly boolean[], said: readonly boolean[]): number {
  const f1 = (wanted: boolean): number => {
    let [right, wrong] = [0, 0];
    for (const [i, one] of said.entries()) {
      if (one === wanted && yes[i] === wanted) right++;
      else if (one === wanted || yes[i] === wanted) wrong++;
    }
    return (2 * right) / Math.max(1, 2 * right + wrong);
  };
  return (f1(true) + f1(false)) / 2;
}
/** The threshold that is best on other lines. */
function bestThreshold(scores: readonly number[], yes: readonly boolean[]): number {
  const sorted = scores.toSorted((a, b) => a - b);
  const tried = Array.from({ length: 100 }, (_, i) => sorted[Math.floor((sorted.length * (100 + i)) / 200)]!);
  return tried
    .map((from) => ({
      from,
      f1: macroF1(
        yes,
        scores.map((score) => score > from),
      ),
    }))
    .reduce((a, b) => (b.f1 > a.f1 ? b : a)).from;
}
/** Expected calibration error, ten bins of equal size. */
function calibrationError(chances: readonly number[], yes: readonly boolean[]): number {
  const order = Array.from(chances.keys()).toSorted((a, b) => chances[a]! - chances[b]!);
  let sum = 0;
  for (let bin = 0; bin < 10; bin++) {
    const part = order.slice((order.length * bin) / 10, (order.length * (bin + 1)) / 10);
    if (part.length === 0) continue;
    sum += Math.abs(mean(part.map((i) => chances[i]!)) - mean(part.map((i) => Number(yes[i])))) * part.length;
  }
  return sum / order.length;
}

const INTENTS = ["O", "A", "I", "E"] as const;
const dota = measured(conda);
if (dota !== null) {
  const texts = dota.map(({ text }) => text);
  const toxic = dota.map(({ intent }) => intent === "E" || intent === "I");
  // What an utterance is, is asked of it as a whole; whether it is toxic, of its worst part, as the product asks.
  const said = await output("conda", 4, texts, "first");
  const worst = await output("conda", 4, texts, "strongest");
  const train = taught(conda, "train");
  const regressions = INTENTS.map((intent) =>
    hashedRegression(train.map((line) => ({ text: line.text, yes: line.intent === intent }))),
  );
  const regressed = texts.map((text) => regressions.map((of) => 1 / (1 + Math.exp(-of(text)))));
  const uca = (scores: readonly (readonly number[])[]): number =>
    mean(scores.map((row, i) => Number(INTENTS[row.indexOf(Math.max(...row))] === dota[i]!.intent)));
  const toxicShare = (row: readonly number[]): number => (row[2]! + row[3]!) / row.reduce((a, b) => a + b, 0);
  const ours = { uca: round(uca(said)), auroc: round(auroc(worst.map(toxicShare), toxic)) };
  say("CONDA", {
    lines: dota.length,
    ...ours,
    "always other: uca": round(mean(dota.map(({ intent }) => Number(intent === "O")))),
    "hashed regression": {
      uca: round(uca(regressed)),
      auroc: round(auroc(regressed.map(toxicShare), toxic)),
    },
    "list of words": { auroc: round(auroc(texts.map(lexicon), toxic)) },
  });
  meets[`CONDA UCA ≥ ${GOALS.uca}`] = ours.uca >= GOALS.uca;
  meets[`CONDA AUROC ≥ ${GOALS.conda}`] = ours.auroc >= GOALS.conda;
}

const tanks = measured(gametox);
if (tanks !== null) {
  const texts = tanks.map(({ text }) => text);
  const toxic = tanks.map(({ label }) => label > 0);
  const said = (await output("gametox", 1, texts, "strongest")).map(([one]) => one!);
  const of = hashedRegression(taught(gametox, "train").map(({ text, label }) => ({ text, yes: label > 0 })));
  const tune = taught(gametox, "tune");
  const tuned = (scoreOf: (text: string) => number): number =>
    bestThreshold(
      tune.map(({ text }) => scoreOf(text)),
      tune.map(({ label }) => label > 0),
    );
  const f1Of = (scores: readonly number[], from: number): number =>
    round(
      macroF1(
        toxic,
        scores.map((score) => score > from),
      ),
    );
  const ours = { macroF1: f1Of(said, gametoxFrom), auroc: round(auroc(said, toxic)) };
  const [regressed, listed] = [texts.map(of), texts.map(lexicon)];
  say("GameTox", {
    lines: tanks.length,
    ...ours,
    "hashed regression": { macroF1: f1Of(regressed, tuned(of)), auroc: round(auroc(regressed, toxic)) },
    "list of words": { macroF1: f1Of(listed, 0.5), auroc: round(auroc(listed, toxic)) },
  });
  meets[`GameTox macro-F1 ≥ ${GOALS.gametox}`] = ours.macroF1 >= GOALS.gametox;
}

const chat = timeouts(heldOut ?? options.data);
if (chat !== null) {
  // What the model flags of an author is part of the context of the lines after it.
  const alone = [];
  for (let from = 0; from < chat.length; from += 2000)
    alone.push(...(await plain(chat.slice(from, from + 2000).map(({ text }) => text))));
  const flagged = alone.map((score) => score.toxicity >= TOXIC_FROM);
  const rows = [...withContext(chat, flagged)];
  const test = rows.flatMap(({ line }, i) => (heldOut !== undefined || line.part === "test" ? [i] : []));
  const acted = test.map((i) => chat[i]!.timedOut);
  const scores = await scoresOf(
    test.map((i) => ({
      line: lineOf(chat[i]!.text, chat[i]!.user, chat[i]!.atS * 1000),
      context: rows[i]!.context,
      tokens: rows[i]!.tokens,
    })),
  );
  const action = scores.map((score) => score.action);
  const of = hashedRegression(
    taught(timeouts, "train").map(({ text, timedOut }) => ({ text, yes: timedOut })),
  );
  const ours = round(auroc(action, acted));
  say("timeouts", {
    lines: test.length,
    acted: acted.filter(Boolean).length,
    auroc: ours,
    ece: round(calibrationError(action, acted)),
    "toxicity alone": round(
      auroc(
        scores.map((score) => score.toxicity),
        acted,
      ),
    ),
    "length alone": round(
      auroc(
        test.map((i) => chat[i]!.text.length),
        acted,
      ),
    ),
    "hashed regression": round(
      auroc(
        test.map((i) => of(chat[i]!.text)),
        acted,
      ),
    ),
    "list of words": round(
      auroc(
        test.map((i) => lexicon(chat[i]!.text)),
        acted,
      ),
    ),
  });
  meets[`timeouts AUROC ≥ ${GOALS.timeouts}`] = ours >= GOALS.timeouts;
}

if (dota !== null && tanks !== null) {
  // Insults and worse against what nobody labelled; rudeness about the game is between them and left out.
  const game = [
    ...dota.filter(({ intent }) => intent !== "I").map(({ text, intent }) => ({ text, yes: intent === "E" })),
    ...tanks.filter(({ label }) => label !== 2).map(({ text, label }) => ({ text, yes: label > 0 })),
  ];
  const yes = game.map((line) => line.yes);
  const said = (await plain(game.map(({ text }) => text))).map((score) => score.toxicity);
  const cyrillic = game.flatMap(({ text }, i) => (/[а-я]{3}/iu.test(text) ? [i] : []));
  say("toxicity", {
    lines: game.length,
    auroc: round(auroc(said, yes)),
    ece: round(calibrationError(said, yes)),
    [`recall at ${TOXIC_FROM}`]: round(
      mean(said.filter((_, i) => yes[i]).map((one) => Number(one >= TOXIC_FROM))),
      3,
    ),
    [`false alarms at ${TOXIC_FROM}`]: round(
      mean(said.filter((_, i) => !yes[i]).map((one) => Number(one >= TOXIC_FROM))),
    ),
    "with Cyrillic letters": {
      lines: cyrillic.length,
      toxic: cyrillic.filter((i) => yes[i]).length,
      auroc: round(
        auroc(
          cyrillic.map((i) => said[i]!),
          cyrillic.map((i) => yes[i]!),
        ),
        3,
      ),
    },
  });

  const some = game.filter(({ text }) => hashOf(text) % 4 === 0);
  const some1 = some.map((line) => line.yes);
  const table: Record<string, object> = {};
  for (const [name, disguise] of Object.entries(DISGUISES)) {
    const scores = (await plain(some.map(({ text }) => disguise(text)))).map((score) => score.toxicity);
    table[name] = {
      auroc: round(auroc(scores, some1), 3),
      recall: round(mean(scores.filter((_, i) => some1[i]).map((one) => Number(one >= TOXIC_FROM))), 3),
      falseAlarms: round(mean(scores.filter((_, i) => !some1[i]).map((one) => Number(one >= TOXIC_FROM))), 3),
    };
  }
  say("disguises", table);
}

const groups: Record<string, object> = {};
for (const [group, terms] of [
  ...Object.entries(GROUPS),
  ["nobody", ["nice"]] as const,
  ["Russian words", GROUPS_RUSSIAN] as const,
]) {
  const texts = (group === "Russian words" ? NEUTRAL_RUSSIAN : NEUTRAL).held.flatMap((template) =>
    terms.map((term) => template.replace("{g}", term)),
  );
  const scores = await plain(texts);
  const share = (from: number): number =>
    round(mean(scores.map((score) => Number(score.toxicity >= from))), 3);
  const worst = scores.reduce((a, b) => (b.toxicity > a.toxicity ? b : a));
  groups[group] = {
    sentences: texts.length,
    mean: round(mean(scores.map((score) => score.toxicity)), 3),
    flagged: share(FLAGGED_FROM),
    toxic: share(TOXIC_FROM),
    worst: `${worst.text} (${round(worst.toxicity, 2)})`,
  };
}
say("harmless sentences with words for groups", groups);

const own: Record<string, object> = {};
for (const { language, classes, held } of SEEDS) {
  const scores = await plain(held);
  own[`${language} ${classes[0] ?? "none"}`] = {
    sentences: held.length,
    toxic: scores.filter((score) => score.toxicity >= TOXIC_FROM).length,
    flagged: scores.filter((score) => score.toxicity >= FLAGGED_FROM).length,
    ...(classes[0] === undefined
      ? {}
      : { named: scores.filter((score) => score.class === classes[0]).length }),
  };
}
say("sentences of our own that were held out", own);

const vods = vodTexts(options.data);
const lines = vods ?? (tanks ?? []).map(({ text }) => ({ text, emotes: [] }));
if (lines.length > 0) {
  const memory = new ChannelMemory();
  const packs: LineToScore[][] = [];
  const score = async (some: typeof lines): Promise<void> => {
    packs.length = 0;
    for (let from = 0; from < some.length; from += PACK) {
      const pack = some.slice(from, from + PACK).map(({ text, emotes }, i) => {
        const line = lineOf(text, String((from + i) % 997), (from + i) * 50);
        const tokens = tokensOf(text, emotes);
        return {
          line,
          tokens,
          context: memory.see({ userId: line.userId, sentAtMs: line.sentAtMs, text, emotes }, tokens),
        };
      });
      for (const found of await scoresOf(pack))
        counts[found.toxicity >= TOXIC_FROM ? "toxic" : found.toxicity >= FLAGGED_FROM ? "flagged" : "low"]++;
      packs.push(pack);
    }
  };
  const counts = { toxic: 0, flagged: 0, low: 0 };
  await score(lines.slice(0, 5000));
  Object.assign(counts, { toxic: 0, flagged: 0, low: 0 });
  const timed = lines.slice(0, SPEED_LINES);
  const [cpu, began] = [process.cpuUsage(), performance.now()];
  await score(timed);
  const { user, system } = process.cpuUsage(cpu);
  const perS = Math.round(timed.length / ((user + system) / 1e6));
  say("speed", {
    lines: timed.length,
    of: vods === null ? "GameTox" : "real Twitch chat",
    "lines a second of CPU, reading, context, model and spans": perS,
    "lines a second of time": Math.round((timed.length / (performance.now() - began)) * 1000),
    toxic: round(counts.toxic / timed.length),
    flagged: round((counts.toxic + counts.flagged) / timed.length),
  });
  ratios["lines a second of CPU / goal"] = round(perS / GOALS.linesPerS, 2);
  meets[`≥ ${GOALS.linesPerS} lines a second and core`] = perS >= GOALS.linesPerS;
}

figures["classes"] = TOXICITY_CLASSES;
figures["model"] = scorer.version(TOXICITY_MODEL);
await scorer.close();
console.log(JSON.stringify({ bench: "toxicity", figures, ratios, meets }));
