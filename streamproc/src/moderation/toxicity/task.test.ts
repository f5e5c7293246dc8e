import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { afterEach, expect, test, vi } from "vitest";
import { chatLines, chatModeration, packLines, type ChatLine } from "@hypecast/contracts/chat.ts";
import { partitionOf, subjectOf } from "@hypecast/contracts/event.ts";
import { toxicityScores, type LineScore, type ToxicityScores } from "@hypecast/contracts/toxicity.ts";
import type { LogMessage } from "../../partitions/decode.ts";
import type { Members } from "../../partitions/members.ts";
import type { LineToScore, Toxicity } from "../../toxicity/classify.ts";
import { bounded, scoresOf } from "./pack.ts";
import type { ScoreLog } from "./score-log.ts";
import { startToxicityTask, type ToxicityTask } from "./task.ts";

const logger = pino({ level: "silent" });
const CHANNEL = "7";
const PARTITION = partitionOf(CHANNEL);

const lineOf = (i: number, more: Partial<ChatLine> = {}): ChatLine => ({
  ...{ id: `l${i}`, channelId: CHANNEL, sentAtMs: 1_700_000_000_000 + i * 10 },
  ...{ userId: String(i % 5), login: `u${i % 5}`, text: `line ${i}`, ...more },
});

/** The log of one partition, strict about what it is given: what is not stored is not there, the same id twice is one. */
class TestLog implements ScoreLog {
  readonly maxPayload = 1_000_000;
  readonly messages: LogMessage[] = [];
  readonly scores: { scores: ToxicityScores; through: number }[] = [];
  /** Publishes that fail. */
  failing: (scores: ToxicityScores) => boolean = () => false;
  #wake: (() => void)[] = [];

  pack(lines: readonly ChatLine[], storedAtMs = Date.now()): void {
    this.#store(subjectOf(chatLines, CHANNEL), packLines(lines), storedAtMs);
  }
  event(subject: string, body: unknown): void {
    this.#store(subject, Buffer.from(JSON.stringify(body)), Date.now());
  }
  #store(subject: string, data: Uint8Array, storedAtMs: number): void {
    this.messages.push({ seq: this.messages.length + 1, subject, data, header: () => "", storedAtMs });
    for (const wake of this.#wake.splice(0)) wake();
  }

  through(partition: number): Promise<{ sequence: number; atMs: number } | null> {
    const last = this.scores.at(-1);
    return Promise.resolve(
      partition !== PARTITION || last === undefined ? null : { sequence: last.through, atMs: Date.now() },
    );
  }
  async *read(partition: number, fromMs: number, signal: AbortSignal): AsyncIterable<LogMessage> {
    if (partition !== PARTITION)
      return void (await new Promise((resolve) => signal.addEventListener("abort", resolve)));
    for (let at = 0; !signal.aborted;) {
      const message = this.messages[at];
      if (message === undefined)
        await new Promise<void>((resolve) => {
          this.#wake.push(resolve);
          signal.addEventListener("abort", () => resolve());
        });
      else {
        at++;
        if (message.storedAtMs >= fromMs) yield message;
      }
    }
  }
  async publish(scores: ToxicityScores, through: number): Promise<void> {
    toxicityScores.schema.parse(scores);
    await Promise.resolve();
    if (this.failing(scores)) throw new Error("no answer");
    if (this.scores.some((one) => one.scores.id === scores.id)) return;
    this.scores.push({ scores, through });
  }
}

const scoreOf = ({ line, context }: LineToScore): LineScore => ({
  ...{ lineId: line.id, channelId: line.channelId, sentAtMs: line.sentAtMs, userId: line.userId },
  ...{ login: line.login, name: line.login, text: line.text, class: "insult", confidence: 0.9 },
  ...{
    toxicity: line.text.includes("bad") ? 0.9 : 0.1,
    severity: 0.5,
    action: 0.5,
    scores: [0.9, 0, 0, 0, 0, 0, 0],
  },
  ...{ span: null, language: "en", authorLines: context.authorLines, copies: context.copies, near: 1 },
  ...{ firstMessage: false, gameTerm: false, replyTo: "", model: "test@1" },
});
/** A model that answers by a word. */
const wordModel = (asked: LineToScore[][] = []): Toxicity => ({
  score(lines) {
    asked.push([...lines]);
    return Promise.resolve({ scores: lines.map(scoreOf), unknown: null });
  },
});

const alone: Members = {
  alive: () => ["me"],
  holds: () => [],
  say: () => undefined,
  close: () => Promise.resolve(),
};
let task: ToxicityTask | null = null;
const begin = (log: ScoreLog, toxicity: Toxicity): ToxicityTask => {
  task = startToxicityTask({ log, toxicity, instance: "me", logger });
  task.settle(alone);
  return task;
};
afterEach(async () => task?.close());

test("each pack gets its scores: people's lines, and of them those that are flagged", async () => {
  const log = new TestLog();
  log.pack([
    lineOf(1),
    lineOf(2, { text: "so bad" }),
    lineOf(3, { text: "!play" }),
    lineOf(4, { login: "nightbot" }),
  ]);
  log.pack([lineOf(5, { text: "!play" })]);
  log.pack([lineOf(6, { sourceChannelId: "8" }), lineOf(7)]);
  begin(log, wordModel());
  await vi.waitFor(() => expect(log.scores).toHaveLength(2));
  expect(
    log.scores.map(({ scores }) => [
      scores.id,
      scores.lines,
      scores.unknown,
      scores.flagged.map(({ lineId }) => lineId),
    ]),
  ).toEqual([
    ["7:tox:1", 2, 0, ["l2"]],
    ["7:tox:3", 1, 0, []],
  ]);
  expect(log.scores[0]!.scores).toMatchObject({
    fromMs: lineOf(1).sentAtMs,
    toMs: lineOf(2).sentAtMs,
    languages: { en: 2 },
    model: "test@1",
  });
});

test.each([
  ["scorer_down", "the model does not answer"] as const,
  ["late", "too late"] as const,
  ["bad_answer", "make no sense"] as const,
])("a model that is %s: its lines are unknown and health says so; none is clean", async (why, words) => {
  const log = new TestLog();
  log.pack([lineOf(1), lineOf(2, { text: "so bad" })]);
  const begun = begin(log, { score: () => Promise.resolve({ scores: null, unknown: why }) });
  await vi.waitFor(() => expect(log.scores).toHaveLength(1));
  expect(log.scores[0]!.scores).toMatchObject({ lines: 2, unknown: 2, why, flagged: [], languages: {} });
  expect(begun.health()).toMatchObject({
    status: "degraded",
    reason: expect.stringContaining(words) as string,
  });
});

test("after an answer that came too late it is asked about fewer lines, and about more again when it is in time", async () => {
  const log = new TestLog();
  for (let i = 0; i < 40; i++) log.pack(Array.from({ length: 100 }, (_, n) => lineOf(i * 100 + n)));
  const asked: number[] = [];
  begin(log, {
    async score(lines) {
      asked.push(lines.length);
      // Until then everything is read.
      await sleep(10);
      return asked.length < 3
        ? { scores: null, unknown: "late" }
        : { scores: lines.map(scoreOf), unknown: null };
    },
  });
  await vi.waitFor(() => expect(log.scores).toHaveLength(40));
  expect(asked.slice(1, 4)).toEqual([600, 300, 600]);
});

test("what is older than half a minute is left out by name, what is new is scored", async () => {
  const log = new TestLog();
  log.scores.push({
    scores: scoresOf(
      { partition: PARTITION, sequence: 1, channelId: CHANNEL, storedAtMs: 0, lines: [lineOf(0)] },
      [],
      "test@1",
    ),
    through: 1,
  });
  log.pack([lineOf(0)], Date.now() - 41_000);
  log.pack([lineOf(1)], Date.now() - 40_000);
  log.pack([lineOf(2)], Date.now() - 35_000);
  log.pack([lineOf(3)]);
  log.through = () => Promise.resolve({ sequence: 1, atMs: Date.now() - 41_000 });
  const begun = begin(log, wordModel());
  await vi.waitFor(() => expect(log.scores).toHaveLength(4));
  expect(log.scores.slice(1).map(({ scores }) => [scores.id, scores.why])).toEqual([
    ["7:tox:2", "behind"],
    ["7:tox:3", "behind"],
    ["7:tox:4", null],
  ]);
  expect(begun.health().reason).toContain("30 s behind");
});

test("who begins again begins behind what is certain: a pack whose scores were lost on their way is scored again", async () => {
  const log = new TestLog();
  for (let i = 1; i <= 6; i++) log.pack([lineOf(i)]);
  let lost = true;
  log.failing = ({ id }) => lost && id === "7:tox:3";
  begin(log, wordModel());
  await vi.waitFor(() => expect(log.scores).toHaveLength(5));
  await sleep(10);
  log.pack([lineOf(7)]);
  await vi.waitFor(() => expect(log.scores).toHaveLength(6));
  // Killed before the third one's scores were there.
  await task!.close();
  lost = false;
  const asked: LineToScore[][] = [];
  begin(log, wordModel(asked));
  await vi.waitFor(() => expect(log.scores).toHaveLength(7));
  expect(asked.flat().map(({ line }) => line.id)).toEqual(["l3", "l4", "l5", "l6", "l7"]);
  expect(new Set(log.scores.map(({ scores }) => scores.id)).size).toBe(7);
});

test("context goes on over a new beginning and over acts of moderators", async () => {
  const log = new TestLog();
  for (let i = 1; i <= 3; i++) log.pack([lineOf(1, { text: "same words", id: `a${i}` })]);
  log.event(subjectOf(chatModeration, CHANNEL), {
    ...{
      id: "m",
      channelId: CHANNEL,
      sentAtMs: lineOf(2).sentAtMs,
      action: "timeout",
      targetUserId: "1",
      durationS: 60,
    },
  });
  begin(log, wordModel());
  await vi.waitFor(() => expect(log.scores).toHaveLength(3));
  await task!.close();
  const asked: LineToScore[][] = [];
  begin(log, wordModel(asked));
  log.pack([lineOf(1, { text: "same words", id: "a4" })]);
  await vi.waitFor(() => expect(log.scores).toHaveLength(4));
  expect(asked.flat().at(-1)).toMatchObject({ line: { id: "a4" }, context: { copies: 4, authorLines: 4 } });
  expect(asked.flat().at(-1)!.context.authorActed).toBeGreaterThan(0.9);
});

test("more flagged lines than a message holds: the least toxic are unknown", () => {
  const lines = Array.from({ length: 100 }, (_, i) => lineOf(i, { text: "bad".repeat(100) }));
  const pack = { partition: PARTITION, sequence: 1, channelId: CHANNEL, storedAtMs: 0, lines };
  const context = { authorLines: 1, copies: 1 } as LineToScore["context"];
  const scored = lines.map((line, i) => ({ ...scoreOf({ line, context }), toxicity: 0.5 + i / 200 }));
  const all = scoresOf(pack, scored, "test@1");
  expect(bounded(all, 1_000_000)).toBe(all);
  const fit = bounded(all, 30_000);
  expect(JSON.stringify(fit.flagged).length).toBeLessThan(30_010);
  expect(fit.unknown + fit.flagged.length).toBe(100);
  expect(fit.why).toBe("too_many");
  expect(Math.min(...fit.flagged.map(({ toxicity }) => toxicity))).toBeGreaterThan(0.7);
});
