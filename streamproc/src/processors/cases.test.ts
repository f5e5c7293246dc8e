import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CASE_LINES, type ModCase } from "@hypecast/contracts/mod-case.ts";
import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import type { LineScore, ToxicitySpike } from "@hypecast/contracts/toxicity.ts";
import { cases } from "./cases.ts";
import { rankOf } from "./cases/severity.ts";
import type { FoldInput } from "./fold.ts";
import { runOf } from "./run.ts";

const T = 1_700_000_040_000;
const CHANNEL = "7";

interface Said {
  atS: number;
  user: string | number;
  text: string;
  id?: string;
  more?: Partial<LineScore>;
}
const nears = new Map<string, number>();
const nearOf = (text: string): number => {
  if (!nears.has(text)) nears.set(text, 1000 + nears.size);
  return nears.get(text)!;
};
let lines = 0;
const scored = ({ atS, user, text, id = `l${lines++}`, more }: Said): LineScore => ({
  lineId: id,
  channelId: CHANNEL,
  sentAtMs: T + Math.round(atS * 1000),
  userId: String(user),
  login: `u${user}`,
  name: `U${user}`,
  text,
  class: "insult",
  confidence: 0.8,
  toxicity: 0.8,
  severity: 0.5,
  action: 0.5,
  scores: [0.8, 0, 0, 0, 0, 0, 0],
  span: null,
  language: "en",
  authorLines: 1,
  copies: 1,
  near: nearOf(text),
  firstMessage: false,
  gameTerm: false,
  replyTo: "",
  model: "tox@1",
  ...more,
});

let packs = 0;
const pack = (said: readonly Said[], over: { id?: string; toS?: number } = {}): FoldInput => {
  const flagged = said.map(scored);
  return {
    type: "toxicity",
    scores: {
      id: over.id ?? `${CHANNEL}:tox:${++packs}`,
      channelId: CHANNEL,
      fromMs: flagged[0]?.sentAtMs ?? T,
      toMs: over.toS === undefined ? (flagged.at(-1)?.sentAtMs ?? T) : T + over.toS * 1000,
      lines: flagged.length,
      unknown: 0,
      why: null,
      languages: {},
      flagged,
      model: "tox@1",
    },
  };
};
const alive = (atS: number): FoldInput => ({ type: "alive", atMs: T + atS * 1000 });
const event = (atS: number, over: Partial<ModEvent>): FoldInput => ({
  type: "modEvent",
  event: {
    id: `e${atS}`,
    channelId: CHANNEL,
    atMs: T + Math.round(atS * 1000),
    action: "delete",
    heardBy: "eventsub",
    moderatorId: "m",
    moderatorLogin: "mo",
    targetUserId: "",
    targetLogin: "",
    targetMessageId: "",
    text: "",
    reason: "",
    durationS: 0,
    detail: {},
    sourceChannelId: "",
    messageId: "",
    ...over,
  },
});
const report = (atS: number, lineId: string, reporter: string, over = {}): FoldInput => ({
  type: "report",
  report: {
    id: `${lineId}:${reporter}`,
    channelId: CHANNEL,
    atMs: T + atS * 1000,
    lineId,
    userId: "5",
    login: "u5",
    name: "U5",
    text: "a reported line",
    sentAtMs: T,
    reporter,
    ...over,
  },
});
const spike = (over: Partial<ToxicitySpike>): FoldInput => ({
  type: "spike",
  spike: { id: "s1", kind: "toxicity", state: "open", startMs: T, endMs: null, ...over } as ToxicitySpike,
});

/** Says everything in order; a number lets the clock run on to that second. */
function play(inputs: readonly (FoldInput | number)[], reloadEvery = Infinity): ModCase[] {
  const run = runOf([cases], CHANNEL);
  const said: ModCase[] = [];
  let clockS = 0;
  for (const [i, input] of inputs.entries()) {
    const steps = typeof input === "number" ? [] : [input];
    if (typeof input === "number") while (clockS < input) steps.push(alive(++clockS));
    for (const step of steps)
      for (const output of run.step(step))
        if (output.type === "modCase") said.push(structuredClone(output.modCase));
    if ((i + 1) % reloadEvery === 0) run.reload();
  }
  return said;
}
/** The newest version of each case. */
const newest = (said: readonly ModCase[]): ModCase[] => [
  ...new Map(said.map((one) => [one.id, one])).values(),
];

describe("what makes a case", () => {
  test("a toxic line is a case at once, named by the line, and closes when nothing joins it", () => {
    const said = play([pack([{ atS: 1, user: 1, text: "you clown", id: "a" }]), 400]);
    expect(said).toHaveLength(2);
    expect(said[0]).toMatchObject({
      ...{ id: "7:case:a", state: "open", kind: "series", source: "model", severity: "alert" },
      ...{ text: "you clown", count: 1, users: 1, removed: 0, coordinated: false, firstAtMs: T + 1000 },
    });
    expect(said[1]).toMatchObject({ state: "closed", count: 1 });
    expect(said[1]!.version).toBeGreaterThan(said[0]!.version);
  });

  test("severity is what the model thinks likely, weighed by how bad it would be", () => {
    const of = (toxicity: number, severity: number): string | undefined =>
      play([pack([{ atS: 1, user: 1, text: "x", more: { toxicity, severity } }])])[0]?.severity;
    expect(of(0.45, 0.5)).toBeUndefined();
    expect(of(0.45, 0.9)).toBe("watch");
    expect(of(0.8, 0.1)).toBe("watch");
    expect(of(0.8, 0.5)).toBe("alert");
    expect(of(0.88, 0.9)).toBe("critical");
    expect(rankOf(0.8, 0.5)).toBe(0.8);
    expect(rankOf(1, 1)).toBeLessThanOrEqual(1);
    expect(rankOf(0, 0)).toBeGreaterThanOrEqual(0);
  });

  test("the same text from several people is one case", () => {
    const said = play([
      pack([
        { atS: 1, user: 1, text: "get out", id: "a" },
        { atS: 2, user: 2, text: "get out" },
      ]),
      pack([{ atS: 3, user: 1, text: "get out" }]),
      10,
    ]);
    expect(newest(said)).toMatchObject([{ id: "7:case:a", kind: "copies", count: 3, users: 2 }]);
  });

  test("one author's lines are one case, and another's are not", () => {
    const said = play([
      pack([{ atS: 1, user: 1, text: "one", id: "a" }]),
      pack([
        { atS: 30, user: 1, text: "two" },
        { atS: 31, user: 2, text: "three", id: "b" },
      ]),
      pack([{ atS: 60, user: 1, text: "four", more: { toxicity: 0.95 } }]),
      70,
    ]);
    expect(newest(said)).toMatchObject([
      { id: "7:case:a", kind: "series", count: 3, users: 1, severity: "critical", text: "four" },
      { id: "7:case:b", count: 1 },
    ]);
  });

  test("a line belongs to one case: a copy of what somebody wrote in a series begins copies of its own", () => {
    const said = play([
      pack([
        { atS: 1, user: 1, text: "one", id: "a" },
        { atS: 2, user: 1, text: "two" },
        { atS: 3, user: 2, text: "two", id: "b" },
        { atS: 4, user: 3, text: "two" },
        { atS: 5, user: 1, text: "two" },
        { atS: 6, user: 2, text: "five", id: "c" },
      ]),
      10,
    ]);
    const found = newest(said);
    expect(found).toMatchObject([
      { id: "7:case:a", kind: "series", count: 2 },
      { id: "7:case:b", kind: "copies", count: 3, users: 3 },
      { id: "7:case:c", count: 1 },
    ]);
    const ids = found.flatMap((one) => one.lines.map(({ lineId }) => lineId));
    expect(new Set(ids).size).toBe(6);
  });

  test("after two minutes, and after ten in any way, it is another case", () => {
    const at = (atS: number, id: string): FoldInput => pack([{ atS, user: 1, text: "again", id }]);
    expect(newest(play([at(1, "a"), 120, at(121, "b"), 242, at(242, "c")]))).toMatchObject([
      { id: "7:case:a", count: 2 },
      { id: "7:case:c", count: 1 },
    ]);
    const long = Array.from({ length: 14 }, (_, i) => [at(i * 50, `n${i}`), i * 50] as const).flat();
    expect(newest(play(long)).map(({ count }) => count)).toEqual([13, 1]);
  });

  test("a copy that the model takes for less is still a copy", () => {
    const said = play([
      pack([
        { atS: 1, user: 1, text: "get out" },
        { atS: 2, user: 2, text: "get out", more: { toxicity: 0.35, severity: 0.5 } },
      ]),
      10,
    ]);
    expect(newest(said)).toMatchObject([{ count: 2, score: 0.8 }]);
  });

  test("near-copies over several accounts in a minute are coordinated, and one step worse", () => {
    const raid = (texts: string, firstMessage: boolean, everyS: number): ModCase[] =>
      play([
        ...[1, 2, 3].map((user) => pack([{ atS: user * everyS, user, text: texts, more: { firstMessage } }])),
        200,
      ]);
    expect(newest(raid("free skins, link in bio", false, 5))[0]).toMatchObject({
      coordinated: true,
      severity: "critical",
      newcomers: 0,
    });
    expect(newest(raid("lol", true, 5))[0]).toMatchObject({ coordinated: true, newcomers: 3 });
    expect(newest(raid("lol", false, 5))[0]).toMatchObject({ coordinated: false, severity: "alert" });
    expect(newest(raid("free skins, link in bio", true, 40))[0]!.coordinated).toBe(false);
  });

  test("scores of one pack that are said twice count once", () => {
    const twice = (): FoldInput => pack([{ atS: 1, user: 1, text: "x", id: "a" }], { id: "7:tox:999" });
    expect(newest(play([twice(), twice(), 10]))).toMatchObject([{ count: 1 }]);
  });
});

describe("many of the same", () => {
  test("ten thousand copies are one case: fifty lines, all counted, a version a second", () => {
    const inputs = Array.from({ length: 100 }, (_, s) => [
      pack(
        Array.from({ length: 100 }, (__, i) => ({
          atS: s + i / 100,
          user: 10_000 + s * 100 + i,
          text: "buy followers at example",
        })),
      ),
      s + 1,
    ]).flat();
    const said = play([...inputs, 130]);
    const [only, ...others] = newest(said);
    expect(others).toEqual([]);
    expect(only!.count).toBe(10_000);
    expect(only!.lines).toHaveLength(CASE_LINES);
    expect(only!.users).toBeGreaterThan(8500);
    expect(only!.users).toBeLessThan(11_500);
    expect(said.length).toBeLessThanOrEqual(103);
    for (const [i, one] of said.slice(1).entries()) expect(one.version).toBeGreaterThan(said[i]!.version);
  });

  test("of a flood of different lines the worst get through, and what is left out is counted", () => {
    const flood = Array.from({ length: 300 }, (_, i) => ({
      atS: 5 + i / 1000,
      user: i,
      text: `flood ${i}`,
      more: { toxicity: i % 10 === 0 ? 0.97 : 0.6 },
    }));
    const said = play([pack(flood), pack([{ atS: 8, user: "z", text: "after" }])]);
    const first = said.filter(({ id }, i) => said.findIndex((one) => one.id === id) === i);
    expect(first.filter(({ severity }) => severity === "critical")).toHaveLength(30);
    const watched = first.filter(({ severity }) => severity === "watch").length;
    expect(watched).toBeLessThanOrEqual(20);
    const told = first.reduce((sum, { reasons }) => sum + (reasons["leftOut"] ?? 0), 0);
    expect(told).toBe(300 - 30 - watched);
  });

  test("what a channel holds is bounded; what is let go was said as it stood", () => {
    const inputs = Array.from({ length: 60 }, (_, s) => [
      pack(
        Array.from({ length: 15 }, (__, i) => ({
          atS: s,
          user: `${s}.${i}`,
          text: `text ${s} ${i} ${"x".repeat(200)}`,
        })),
      ),
      s,
    ]).flat();
    const run = runOf([cases], CHANNEL);
    const said: ModCase[] = [];
    let most = 0;
    for (const input of inputs) {
      const step = typeof input === "number" ? alive(input) : input;
      for (const output of run.step(step)) if (output.type === "modCase") said.push(output.modCase);
      most = Math.max(most, cases.save(run.states[0] as never).length);
    }
    expect(newest(said)).toHaveLength(900);
    expect(newest(said).filter(({ state }) => state === "closed").length).toBeGreaterThanOrEqual(700);
    expect(most).toBeLessThan(400_000);
  });
});

describe("what becomes of its lines", () => {
  const two = (): FoldInput =>
    pack([
      { atS: 1, user: 1, text: "one", id: "a" },
      { atS: 2, user: 1, text: "two", id: "b" },
    ]);

  test.each<[string, FoldInput[], number]>([
    ["a deletion", [event(5, { targetMessageId: "a" })], 1],
    [
      "the same deletion, heard twice",
      [
        event(5, { targetMessageId: "a" }),
        {
          type: "moderation",
          moderation: {
            id: "x",
            channelId: CHANNEL,
            sentAtMs: T + 5100,
            action: "delete",
            targetMessageId: "a",
          },
        },
      ],
      1,
    ],
    ["a timeout", [event(5, { action: "timeout", targetUserId: "1", durationS: 600 })], 2],
    ["a ban of somebody else", [event(5, { action: "ban", targetUserId: "2" })], 0],
    ["a clearing", [event(5, { action: "clear" })], 2],
    ["a timeout between the lines", [event(1.5, { action: "timeout", targetUserId: "1" })], 1],
    [
      "another channel's deletion in a shared chat",
      [event(5, { targetMessageId: "a", sourceChannelId: "8" })],
      0,
    ],
  ])("%s marks what it removed", (_name, events, removed) => {
    const [after] = newest(play([two(), 3, ...events, 10]));
    expect(after!.removed).toBe(removed);
    // Often a line is gone before it is scored.
    const [before] = newest(play([...events, 6, two(), 10]));
    expect(before!.removed).toBe(removed);
  });

  test("a deletion minutes later still reaches the case, after it has closed", () => {
    const said = play([two(), 400, event(400, { targetMessageId: "b" }), 402]);
    expect(said.at(-1)).toMatchObject({ state: "closed", removed: 1 });
    expect(said.at(-1)!.lines[1]!.removedAtMs).toBe(T + 400_000);
  });

  test("a clearing takes the copies that are only counted, too", () => {
    const said = play([
      pack(Array.from({ length: 80 }, (_, i) => ({ atS: 1, user: i, text: "same" }))),
      2,
      event(3, { action: "clear" }),
      10,
    ]);
    expect(said.at(-1)).toMatchObject({ count: 80, removed: 80 });
  });

  test("a person who is forgotten is in no version from then on, not even by lines that are scored later", () => {
    const erase = (userId: string): FoldInput => ({
      type: "erase",
      erase: { id: "e", channelId: CHANNEL, atMs: T + 5000, userId, login: `u${userId}` },
    });
    const said = play([
      pack([
        { atS: 1, user: 1, text: "same thing", id: "a", more: { toxicity: 0.9 } },
        { atS: 2, user: 2, text: "same thing", id: "b" },
        { atS: 2, user: 1, text: "mine alone", id: "c" },
      ]),
      5,
      erase("1"),
      pack([{ atS: 3, user: 1, text: "late", id: "d" }]),
      400,
      pack([{ atS: 400, user: 1, text: "afresh", id: "e" }]),
      402,
    ]);
    const after = said.filter(({ detectedAtMs }) => detectedAtMs >= T + 5000 && detectedAtMs < T + 399_000);
    expect(after.length).toBeGreaterThanOrEqual(2);
    for (const one of after) expect(JSON.stringify(one)).not.toMatch(/"u?1"|U1|mine alone|late/);
    const shared = newest(said).find(({ id }) => id === "7:case:a")!;
    expect(shared).toMatchObject({ userId: "2", login: "u2", lineId: "b", count: 1, users: 1 });
    expect(newest(said).find(({ id }) => id === "7:case:c")).toMatchObject({
      count: 0,
      text: "",
      state: "closed",
    });
    expect(newest(said).some(({ id }) => id === "7:case:d")).toBe(false);
    expect(newest(said).some(({ id }) => id === "7:case:e")).toBe(true);
  });
});

test("the name of a person who is forgotten goes out of what others wrote, where it can only be them", () => {
  const erase = (login: string): FoldInput => ({
    type: "erase",
    erase: { id: "e", channelId: CHANNEL, atMs: T + 5000, userId: "77", login },
  });
  const texts = (login: string): string[] =>
    newest(
      play([
        pack([
          { atS: 1, user: 1, text: "@Rude_Guy shut up rude_guy" },
          { atS: 2, user: 2, text: "the nice map, @nice you clown" },
        ]),
        5,
        erase(login),
      ]),
    ).map(({ text, lines: [first] }) => `${text}|${first!.text}`);
  const kept = "the nice map, @nice you clown";
  expect(texts("rude_guy")).toEqual(["@… shut up @…|@… shut up @…", `${kept}|${kept}`]);
  expect(texts("nice")[1]).toBe("the nice map, @… you clown|the nice map, @… you clown");
});

describe("what else finds cases", () => {
  const hold = (atS: number): FoldInput =>
    event(atS, {
      action: "automod_hold",
      targetMessageId: "h",
      targetUserId: "1",
      targetLogin: "u1",
      text: "held words",
      detail: { level: "4", spans: "0-3,5-9" },
    });
  const decide = (status: string): FoldInput =>
    event(9, { action: "automod_update", targetMessageId: "h", targetUserId: "1", detail: { status } });

  test("a message that AutoMod holds waits for a decision, by itself", () => {
    const said = play([pack([{ atS: 1, user: 1, text: "before" }]), hold(3), hold(3), 5]);
    expect(newest(said).at(-1)).toMatchObject({
      ...{
        id: "7:case:h",
        source: "automod",
        severity: "alert",
        heldId: "h",
        text: "held words",
        span: [0, 3],
      },
      count: 1,
    });
    expect(newest(said)).toHaveLength(2);
  });

  test("once decided it waits no more; approved it stands and may be scored, denied it is gone", () => {
    const approved = newest(
      play([hold(3), decide("approved"), pack([{ atS: 9, user: 1, text: "held words", id: "h" }]), 12]),
    );
    expect(approved).toMatchObject([{ heldId: "", removed: 0, count: 1, score: 0.8, class: "insult" }]);
    const denied = newest(play([hold(3), decide("denied"), 12]));
    expect(denied).toMatchObject([{ heldId: "", removed: 1, reasons: { autoModDenied: 1 } }]);
  });

  test("a suspicious person's message and its score are one case, whichever comes first", () => {
    const suspicious = event(2, {
      action: "suspicious_message",
      targetMessageId: "a",
      targetUserId: "1",
      targetLogin: "u1",
      text: "hello",
    });
    const line = (): FoldInput => pack([{ atS: 2, user: 1, text: "hello", id: "a" }]);
    expect(newest(play([suspicious, line(), 5]))).toMatchObject([
      { source: "suspicious", score: 0.8, count: 1 },
    ]);
    const second = newest(play([line(), suspicious, 5]));
    expect(second).toMatchObject([{ source: "model", count: 1, reasons: { suspicious: 1 } }]);
  });

  test("ten thousand reports of one line are one case, few versions, and no more than an alert", () => {
    const run = runOf([cases], CHANNEL);
    const said: ModCase[] = [];
    let bytes = 0;
    for (let i = 0; i < 10_000; i++) {
      const inputs = [report(1, "r", `who${i % 5000}`), ...(i % 1000 === 0 ? [alive(i / 1000)] : [])];
      for (const input of inputs)
        for (const output of run.step(input)) if (output.type === "modCase") said.push(output.modCase);
      if (i % 1000 === 0) bytes = Math.max(bytes, cases.save(run.states[0] as never).length);
    }
    for (const output of run.step(alive(20))) if (output.type === "modCase") said.push(output.modCase);
    expect(newest(said)).toHaveLength(1);
    expect(said.length).toBeLessThanOrEqual(11);
    expect(said.at(-1)).toMatchObject({
      id: "7:case:r:report",
      source: "report",
      severity: "alert",
      count: 1,
    });
    expect(said.at(-1)!.reports).toBeGreaterThan(4000);
    expect(said.at(-1)!.reports).toBeLessThan(6000);
    expect(bytes).toBeLessThan(20_000);
  });

  test("one person's reports count once, and a report joins the case that has the line", () => {
    const said = play([
      pack([{ atS: 1, user: 5, text: "a reported line", id: "r", more: { toxicity: 0.6 } }]),
      ...[1, 2, 3].map(() => report(3, "r", "ann")),
      report(3, "r", "bob"),
      10,
    ]);
    expect(newest(said)).toMatchObject([{ source: "model", reports: 2, severity: "watch" }]);
  });
});

describe("what people set", () => {
  const policy = (allow: string[], critical = 0.9): FoldInput => ({
    type: "policy",
    policy: {
      id: "p",
      channelId: CHANNEL,
      atMs: T,
      thresholds: { critical, alert: 0.75, watch: 0.5 },
      allow,
    },
  });
  test("lines with an allowed phrase make no case from then on", () => {
    const said = play([
      pack([{ atS: 1, user: 1, text: "noob trash" }]),
      policy(["NOOB trash"]),
      pack([
        { atS: 2, user: 2, text: "you noob   trash!" },
        { atS: 3, user: 3, text: "real insult" },
      ]),
      10,
    ]);
    expect(newest(said).map(({ text }) => text)).toEqual(["noob trash", "real insult"]);
  });
  test("thresholds are the channel's own", () => {
    expect(play([policy([], 0.78), pack([{ atS: 1, user: 1, text: "x" }])])[0]!.severity).toBe("critical");
  });
});

describe("spikes", () => {
  test("a case belongs to the spike in which its lines fall, also when the spike is seen later", () => {
    const said = play([
      pack([{ atS: 1, user: 1, text: "x", id: "a" }]),
      2,
      spike({ id: "s1", startMs: T }),
      5,
      pack([{ atS: 6, user: 2, text: "y", id: "b" }]),
      spike({ id: "s1", startMs: T, endMs: T + 7000, state: "ended" }),
      pack([{ atS: 9, user: 3, text: "z", id: "c" }]),
      12,
    ]);
    expect(newest(said).map(({ spikeId }) => spikeId)).toEqual(["s1", "s1", null]);
  });
  test("copies belong to the raid rather than to the toxicity around it; one person's lines do not", () => {
    const said = play([
      spike({ id: "t", startMs: T }),
      spike({ id: "r", kind: "hate_raid", startMs: T }),
      pack([
        { atS: 1, user: 1, text: "raid" },
        { atS: 1, user: 2, text: "raid" },
        { atS: 2, user: 3, text: "alone" },
      ]),
      5,
    ]);
    const byText = Object.fromEntries(newest(said).map(({ text, spikeId }) => [text, spikeId]));
    expect(byText).toEqual({ raid: "r", alone: "t" });
  });
});

test("our clock at a line's arrival goes with the case", () => {
  const said = play([
    {
      type: "lines",
      emoteSet: "",
      lines: [
        {
          id: "a",
          channelId: CHANNEL,
          sentAtMs: T + 1000,
          receivedAtMs: 77,
          userId: "1",
          login: "u1",
          text: "x",
        },
        {
          id: "b",
          channelId: CHANNEL,
          sentAtMs: T + 1200,
          receivedAtMs: 99,
          userId: "2",
          login: "u2",
          text: "y",
        },
      ],
    },
    pack([{ atS: 1, user: 1, text: "x", id: "a" }]),
  ]);
  expect(said[0]!.receivedAtMs).toBe(77);
});

test("whatever comes in whatever order: the same with and without going through its bytes, one line in one case", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constant("line"), fc.nat(5), fc.nat(3), fc.nat(9)) },
    fc.tuple(fc.constant("delete"), fc.nat(5), fc.nat(3), fc.nat(9)),
    fc.tuple(fc.constant("ban"), fc.nat(5), fc.nat(3), fc.nat(9)),
    fc.tuple(fc.constant("hold"), fc.nat(5), fc.nat(3), fc.nat(9)),
    fc.tuple(fc.constant("report"), fc.nat(5), fc.nat(3), fc.nat(9)),
    fc.tuple(fc.constant("erase"), fc.nat(5), fc.nat(3), fc.nat(9)),
    fc.tuple(fc.constant("wait"), fc.nat(5), fc.nat(3), fc.nat(200)),
  );
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 5, maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      (steps, every) => {
        let atS = 1;
        let known = 0;
        const authors = new Map<string, string>();
        const inputs = steps.map(([what, user, text, n], i): FoldInput | number => {
          atS += 0.3;
          const lineId = `x${Math.max(0, known - n)}`;
          const who = String(user);
          switch (what) {
            case "line":
              authors.set(`x${known + 1}`, who);
              return pack(
                [
                  {
                    atS,
                    user,
                    text: `t${text}`,
                    id: `x${++known}`,
                    more: { toxicity: 0.3 + n * 0.07, firstMessage: n > 6 },
                  },
                ],
                { id: `7:tox:${i + 1}` },
              );
            case "delete":
              return event(atS, { targetMessageId: lineId });
            case "ban":
              return event(atS, { action: "ban", targetUserId: who });
            case "hold":
              return event(atS, {
                action: "automod_hold",
                targetMessageId: `h${n}`,
                targetUserId: String(n % 6),
                text: "t",
              });
            case "report":
              return report(atS, lineId, `p${n}`, {
                userId: authors.get(lineId) ?? "9",
                sentAtMs: T + Math.round(atS * 1000),
              });
            case "erase":
              return {
                type: "erase",
                erase: {
                  id: `e${i}`,
                  channelId: CHANNEL,
                  atMs: T + Math.round(atS * 1000),
                  userId: who,
                  login: `u${user}`,
                },
              };
            default:
              atS = Math.ceil(atS) + n;
              return Math.floor(atS);
          }
        });
        inputs.unshift(1);
        const plain = play(inputs);
        expect(play(inputs, every)).toEqual(plain);
        const versions = new Map<string, number>();
        for (const one of plain) {
          expect(one.version).toBeGreaterThan(versions.get(one.id) ?? 0);
          versions.set(one.id, one.version);
          expect(one.removed).toBeLessThanOrEqual(one.count);
          expect(one.users).toBeLessThanOrEqual(one.count);
        }
        const held = newest(plain).flatMap((one) => one.lines.map(({ lineId }) => lineId));
        expect(new Set(held).size).toBe(held.length);
      },
    ),
    { numRuns: 100 },
  );
});
