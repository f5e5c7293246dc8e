import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { audience, brookAudience, fernAudience, raiders } from "./chatters.ts";
import { emoteByName } from "./emotes.ts";
import { createRandom, hash32 } from "./random.ts";
import { questions } from "./questions.ts";
import { lagS, reactions } from "./reactions.ts";
import type { Said } from "./chat-event.ts";
import { scriptOf, streamAt } from "./stream.ts";
import { troublemakers } from "./trouble.ts";
import { truth, type TrueBurst } from "./truth.ts";
import { events, mainEvents, PERIOD_MS, progressAt } from "./world.ts";

const script = scriptOf("pepel_lamp");
const said = script.filter((event): event is Said => event.type === "message");
const { bursts, calm, notHype } = truth();
const between = (fromMs: number, toMs: number): Said[] =>
  said.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
const tenSeconds = calm.flatMap(({ fromMs, toMs }) =>
  Array.from({ length: Math.floor((toMs - fromMs) / 10_000) }, (_, i) =>
    between(fromMs + i * 10_000, fromMs + (i + 1) * 10_000),
  ),
);

test("the script is the same on every machine", () => {
  const digest = script.reduce(
    (sum, event) =>
      hash32(sum, event.atMs, event.type, event.type === "message" ? event.who.login + event.text : ""),
    0,
  );
  expect({ events: script.length, digest }).toMatchInlineSnapshot(`
    {
      "digest": 157707416,
      "events": 15651,
    }
  `);
});

test("questions.json asks what the script answers now", () => {
  const kept: unknown = JSON.parse(readFileSync(join(import.meta.dirname, "../questions.json"), "utf8"));
  expect(kept, "run: node demo/src/main.ts --questions demo/questions.json").toEqual(
    JSON.parse(JSON.stringify(questions())),
  );
});

test("truth.json is what the script says now", () => {
  const kept: unknown = JSON.parse(readFileSync(join(import.meta.dirname, "../truth.json"), "utf8"));
  expect(kept, "run: node demo/src/main.ts --truth demo/truth.json").toEqual(
    JSON.parse(JSON.stringify(truth())),
  );
});

test("calm chat flows at 4 to 8 lines a second, and less while nobody plays", () => {
  const rates = tenSeconds.map((lines) => lines.length / 10).sort((a, b) => a - b);
  expect(rates[Math.floor(rates.length / 2)]).toBeGreaterThan(4.5);
  expect(rates[Math.floor(rates.length / 2)]).toBeLessThan(7.5);
  expect(rates.at(-1)).toBeLessThan(9);
  const ads = between(850_000, 915_000).length / 65;
  expect(ads).toBeGreaterThan(2.5);
  expect(ads).toBeLessThan(4.5);
});

test("nothing in a calm stretch looks like a burst", () => {
  for (const lines of tenSeconds) {
    const emotes = new Map<string, number>();
    const moods = new Map<string, number>();
    const texts = new Map<string, number>();
    for (const { text, mood } of lines) {
      for (const word of new Set(text.split(" ")))
        if (emoteByName.has(word)) emotes.set(word, (emotes.get(word) ?? 0) + 1);
      if (mood !== null) moods.set(mood, (moods.get(mood) ?? 0) + 1);
      if (text.length > 25) texts.set(text, (texts.get(text) ?? 0) + 1);
    }
    expect(Math.max(0, ...emotes.values())).toBeLessThanOrEqual(6);
    expect(Math.max(0, ...moods.values())).toBeLessThanOrEqual(14);
    expect(Math.max(0, ...texts.values())).toBeLessThanOrEqual(2);
  }
});

test("every burst that must be seen stands far out of the usual and comes from many", () => {
  const hype = bursts.filter((burst) => burst.hype && burst.must);
  expect(hype.length).toBeGreaterThanOrEqual(25);
  for (const burst of hype) {
    expect(burst.times, `${burst.event} ${burst.kind} ${burst.subject}`).toBeGreaterThanOrEqual(4);
    expect(burst.chatters).toBeGreaterThanOrEqual(12);
    expect(burst.onsetMs).toBeGreaterThan(burst.fromMs);
    expect(burst.onsetMs).toBeLessThan(burst.toMs);
  }
  const largest = Math.max(...bursts.filter(({ kind }) => kind === "volume").map(({ peakRate }) => peakRate));
  expect(largest).toBeGreaterThan(60);
});

test("what a reaction is meant to show is among the bursts that must be seen", () => {
  for (const event of mainEvents) {
    const meant = reactions[event.kind];
    for (const subject of [...(meant?.emotes ?? []), ...(meant?.moods ?? [])])
      expect(
        bursts.find((burst): burst is TrueBurst => burst.event === event.id && burst.subject === subject)
          ?.must,
        `${event.id} ${subject}`,
      ).toBe(true);
  }
});

test("each kind that is not hype happens, and its lines are all of one sort", () => {
  expect(new Set(bursts.filter(({ hype }) => !hype).map(({ kind }) => kind))).toEqual(
    new Set(["copypasta", "poll", "bots", "raid"]),
  );
  expect(notHype.map(({ event }) => event)).toEqual([
    "paste-lava",
    "poll",
    "giveaway",
    "raid",
    "paste-granny",
  ]);
  const votes = said.filter(({ cause, who }) => cause === "poll" && who.login !== "moobot");
  expect(votes.every(({ text }) => /[12]/.test(text))).toBe(true);
  const copies = said.filter(({ cause }) => cause === "paste-lava");
  expect(new Set(copies.map(({ text }) => text)).size).toBeGreaterThan(10);
  expect(new Set(copies.map(({ text }) => text)).size).toBeLessThan(copies.length);
});

test.each(Object.entries(reactions))("people answer %s with its own lag", (kind, reaction) => {
  const random = createRandom(hash32(kind));
  const lags = Array.from({ length: 4000 }, () => lagS(reaction, random)).sort((a, b) => a - b);
  const median = lags[2000] ?? 0;
  expect(median).toBeGreaterThan(reaction.lagMedianS * 0.85);
  expect(median).toBeLessThan(reaction.lagMedianS * 1.8);
  expect(lags[0]).toBeGreaterThanOrEqual(0.5);
});

test("no reaction comes before its event, but for those who wait at a boss's door", () => {
  const startOf = new Map(events.map((event) => [event.id, event]));
  for (const { cause, atMs } of said) {
    const event = startOf.get(cause ?? "");
    if (event === undefined || event.kind === "boss_phase" || atMs < event.atMs - PERIOD_MS / 2) continue;
    expect(atMs - event.atMs, event.id).toBeGreaterThan(0);
  }
});

test("nobody says the same twice within half a minute: Twitch would have dropped it", () => {
  const last = new Map<string, Said>();
  for (const line of said) {
    const before = last.get(line.who.login);
    if (before?.text === line.text)
      expect(line.atMs - before.atMs, `${line.who.login}: ${line.text}`).toBeGreaterThanOrEqual(29_000);
    last.set(line.who.login, line);
  }
});

test("hundreds write, in two languages, with everything that Twitch's chat has", () => {
  expect(new Set(said.map(({ who }) => who.login)).size).toBeGreaterThan(600);
  const russian = said.filter(({ text }) => /\p{Script=Cyrillic}/u.test(text)).length / said.length;
  expect(russian).toBeGreaterThan(0.35);
  expect(russian).toBeLessThan(0.8);
  const some = (what: (line: Said) => boolean): number => said.filter(what).length;
  expect(some(({ action }) => action)).toBeGreaterThan(10);
  expect(some(({ bits }) => bits > 0)).toBeGreaterThan(5);
  expect(some(({ replyTo }) => replyTo !== null)).toBeGreaterThan(50);
  expect(some(({ firstMessage }) => firstMessage)).toBeGreaterThan(100);
  expect(some(({ text }) => /\p{Emoji_Presentation}/u.test(text))).toBeGreaterThan(50);
  expect(some(({ text }) => text.includes("://"))).toBeGreaterThan(10);
  expect(some(({ text }) => text.endsWith("?"))).toBeGreaterThan(100);
  expect(some(({ text }) => text.startsWith("!"))).toBeGreaterThan(100);
  const notices = script.filter((event) => event.type === "notice").map(({ kind }) => kind);
  expect(new Set(notices)).toEqual(
    new Set(["sub", "resub", "subgift", "submysterygift", "raid", "announcement"]),
  );
  expect(script.filter(({ type }) => type === "timeout")).toHaveLength(2);
  expect(script.filter(({ type }) => type === "delete")).toHaveLength(5);
  expect(said.every(({ text }) => text.length <= 500 && !/[\r\n(|]\||\{name\}|\{n\}/.test(text))).toBe(true);
});

test("a login and a user id are one person's, in every channel", () => {
  const everybody = [...audience, ...raiders, ...fernAudience, ...brookAudience, ...troublemakers];
  expect(new Set(everybody.map(({ login }) => login)).size).toBe(everybody.length);
  expect(new Set(everybody.map(({ userId }) => userId)).size).toBe(everybody.length);
});

test("a stretch of the stream is the same however it is cut, and goes on over the end of a loop", () => {
  const from = PERIOD_MS - 20_000;
  const whole = [...streamAt("pepel_lamp", from, from + 40_000)].map(
    ({ event, loop, atMs }) => `${loop}:${event.n}@${atMs}`,
  );
  const pieces: string[] = [];
  for (let at = from; at < from + 40_000; at += 137)
    for (const { event, loop, atMs } of streamAt("pepel_lamp", at, Math.min(at + 137, from + 40_000)))
      pieces.push(`${loop}:${event.n}@${atMs}`);
  expect(pieces).toEqual(whole);
  expect(whole.some((key) => key.startsWith("0:")) && whole.some((key) => key.startsWith("1:"))).toBe(true);
  expect([...streamAt("pepel_lamp", -5_000, 0)].every(({ loop }) => loop === -1)).toBe(true);
});

test("the hero gets through the castle, and back where he falls", () => {
  expect(progressAt(0)).toBe(0);
  expect(progressAt(98_000)).toBeLessThan(progressAt(96_000));
  expect(progressAt(1_700_000)).toBeGreaterThan(0.9);
});
