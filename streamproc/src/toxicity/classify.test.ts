import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { FLAGGED_FROM, TOXIC_FROM, type LineScore } from "@hypecast/contracts/toxicity.ts";
import { GROUPS, NEUTRAL } from "../../../training/toxicity-seeds.ts";
import { openOnnx } from "../scorer/onnx.ts";
import { MODELS_FOLDER } from "../scorer/open.ts";
import { BadAnswer, Late, type Scorer } from "../scorer/scorer.ts";
import { createToxicity, seenOf, TOXICITY_MODEL } from "./classify.ts";
import { ChannelMemory, NO_CONTEXT } from "./context.ts";

let scorer: Scorer;
beforeAll(async () => {
  scorer = await openOnnx(MODELS_FOLDER, [TOXICITY_MODEL]);
});
afterAll(() => scorer.close());

const lineOf = (text: string, more: Partial<ChatLine> = {}): ChatLine => ({
  ...{ id: "l1", channelId: "1", sentAtMs: 1000, userId: "u1", login: "ana", text },
  ...more,
});
async function scoresOf(...texts: string[]): Promise<readonly LineScore[]> {
  const scored = await createToxicity(scorer).score(
    texts.map((text) => ({ line: lineOf(text), context: NO_CONTEXT })),
  );
  expect(scored.unknown).toBeNull();
  return scored.scores!;
}

describe("a line's toxicity", () => {
  it("is high where people are insulted and low where they greet", async () => {
    const [insult, greeting] = await scoresOf("you are such a fucking idiot", "hello everyone, nice stream");
    expect(insult!.toxicity).toBeGreaterThan(0.7);
    expect(insult!.class).toBe("insult");
    expect(greeting!.toxicity).toBeLessThan(0.1);
    expect(greeting!.model).toBe("toxicity@1");
  });

  it("is the same through letters set apart, digits, look-alikes and signs that are not seen", async () => {
    const scores = await scoresOf(
      "kys loser",
      "k y s loser",
      "kуs l0ser",
      "k\u200bys loser",
      "𝓴𝔂𝓼 loser",
      "KYS LOSER",
    );
    for (const { text, toxicity } of scores) expect(toxicity, text).toBeGreaterThan(0.6);
  });

  it("of a long line is that of its worst part", async () => {
    const [long] = await scoresOf(
      `${"what a lovely evening with all of you ".repeat(9)} kill yourself you retard`,
    );
    expect(long!.toxicity).toBeGreaterThan(0.6);
    expect(long!.span![0]).toBeGreaterThan(200);
  });

  it("points at what drives it, in code points", async () => {
    const text = "😀 hello my dear friend faggot and hello to you";
    const [{ span }] = (await scoresOf(text)) as [LineScore];
    expect(
      Array.from(text)
        .slice(span![0], span![1] + 1)
        .join(""),
    ).toContain("faggot");
    expect(span![1] - span![0]).toBeLessThan(20);
  });

  it("does not rise because somebody says who they are", async () => {
    const terms = Object.values(GROUPS).flat();
    const sentences = NEUTRAL.held.flatMap((template) => terms.map((term) => template.replace("{g}", term)));
    const scores = await scoresOf(...sentences);
    const mean = scores.reduce((sum, { toxicity }) => sum + toxicity, 0) / scores.length;
    const toxic = scores.filter(({ toxicity }) => toxicity >= TOXIC_FROM);
    expect(mean).toBeLessThan(0.12);
    expect(toxic.length / scores.length).toBeLessThan(0.02);
  });

  it("of talk about the game is low, and trash talk is no hate", async () => {
    for (const { text, toxicity } of await scoresOf(
      "kill him",
      "gg ez",
      "нас убили",
      "headshot that guy",
      "bomb b and kill the last one",
    ))
      expect(toxicity, text).toBeLessThan(FLAGGED_FROM);
    const [trash] = await scoresOf("noob trash");
    expect(["insult", "none"]).toContain(trash!.class);
    expect(trash!.severity).toBeLessThan(0.5);
  });

  it("with a model that is away, late or wrong is unknown and never clean", async () => {
    const failing = (error: Error): Scorer => ({
      ...scorer,
      score() {
        throw error;
      },
    });
    const lines = [{ line: lineOf("hello"), context: NO_CONTEXT }];
    for (const [error, why] of [
      [new Error("connect ECONNREFUSED"), "scorer_down"],
      [new Late(TOXICITY_MODEL, 5), "late"],
      [new BadAnswer("NaN"), "bad_answer"],
    ] as const)
      expect(await createToxicity(failing(error)).score(lines)).toEqual({ scores: null, unknown: why });
    expect(await createToxicity(scorer).score(lines, 0)).toEqual({ scores: null, unknown: "late" });
  });
});

it("moderators act rather on the tenth long copy than on the first short line", async () => {
  const memory = new ChannelMemory();
  const text = "BUY GOLD NOW BUY GOLD NOW BUY GOLD NOW BUY GOLD NOW BUY GOLD NOW BUY GOLD NOW BUY GOLD NOW";
  const lines = ["gg", ...Array.from({ length: 9 }, () => text)].map((said, i) => {
    const line = lineOf(said, { sentAtMs: i * 2000 });
    const context = memory.see(seenOf(line));
    if (i === 5) memory.acted("u1", i * 2000);
    return { line, context };
  });
  const { scores } = await createToxicity(scorer).score(lines);
  expect(scores!.at(-1)!.action).toBeGreaterThan(scores![0]!.action);
  expect(scores!.at(-1)!.copies).toBe(9);
});
