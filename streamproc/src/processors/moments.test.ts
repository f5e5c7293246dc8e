import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { moment as momentSchema, type Moment } from "@hypecast/contracts/moment.ts";
import { calm, crowd, T, type Said } from "./chat.fixture.ts";
import type { FoldInput } from "./fold.ts";
import { lag, type LagState } from "./lag.ts";
import { moments, type MomentsState } from "./moments.ts";
import { laugh, quietChat, watch, type Scene } from "./moments.fixture.ts";

const s = (ms: number): number => (ms - T) / 1000;
const at = (atS: number, input: FoldInput): { atS: number; input: FoldInput } => ({ atS, input });
const notice = (atS: number, kind: string, count: number): { atS: number; input: FoldInput } =>
  at(atS, {
    type: "notice",
    notice: {
      id: `${kind}-${atS}`,
      channelId: "7",
      sentAtMs: T + atS * 1000,
      kind,
      userId: "9",
      login: "cat",
      count,
    },
  });
const key = (atS: number, id = `key-${atS}`, label = ""): { atS: number; input: FoldInput } =>
  at(atS, {
    type: "mark",
    mark: { id, channelId: "7", atMs: T + atS * 1000, via: "key", by: "lamp", label },
  });
const command = (atS: number, badges: string, text = "!mark"): Said => ({
  atS,
  text,
  user: 77,
  more: { badges },
});

/** The hero falls at 300 s with a crash and a cut to a screen that says so; chat laughs 4 s later. */
const FALL: Scene = {
  said: [...quietChat(400), ...laugh(304)],
  screen: { sounds: [{ atS: 300, z: 15, aboveUsual: 8, voice: 0.6 }], cuts: [100, 200, 300.6, 305] },
  untilS: 400,
};
const one = (scene: Scene): Moment => {
  const { last } = watch(scene);
  expect(last.map(({ state }) => state)).toEqual(["final"]);
  return last[0]!;
};

describe("a reaction", () => {
  const fall = one(FALL);

  test("is a moment with onset, peak, end, score, kind and reasons as numbers from each sense", () => {
    expect(momentSchema.parse(fall)).toEqual(fall);
    expect(fall.kind).toBe("funny");
    expect(fall.origin).toBe("chat");
    expect(fall.subject).toBe("KEKW");
    expect(s(fall.onsetMs)).toBe(300);
    expect(s(fall.chatOnsetMs!)).toBe(304);
    expect(s(fall.peakMs)).toBeGreaterThanOrEqual(304);
    expect(fall.score).toBeGreaterThan(30);
    expect(fall.senses).toEqual({ chat: "ok", picture: "ok", sound: "ok", model: "none" });
    expect(fall.reasons).toMatchObject({
      "sound.onset": 15,
      "sound.aboveUsual": 8,
      "picture.cut": 2,
    });
    expect(fall.reasons["chat.times"]).toBeGreaterThan(4);
    expect(fall.reasons["chat.chatters"]).toBeGreaterThanOrEqual(60);
    for (const value of Object.values(fall.reasons)) expect(Number.isFinite(value)).toBe(true);
  });

  test("starts before the event and not at the laughter, and lasts 15 to 60 s", () => {
    expect(s(fall.startMs)).toBeLessThanOrEqual(298.5);
    expect(s(fall.startMs)).toBeGreaterThan(285);
    expect(fall.endMs - fall.startMs).toBeGreaterThanOrEqual(15_000);
    expect(fall.endMs - fall.startMs).toBeLessThanOrEqual(60_000);
    expect(s(fall.endMs)).toBeGreaterThan(308);
  });

  test("is pushed as a candidate at once: within a segment and three seconds of the reaction", () => {
    const first = watch(FALL).all[0]!;
    expect(first).toMatchObject({ state: "open", version: 1, id: fall.id });
    expect(s(first.detectedAtMs) - 304).toBeLessThanOrEqual(5);
  });

  test("is refined under the same id, its versions counting up, and said again only when something changed", () => {
    const { all } = watch(FALL);
    expect(all.map(({ version }) => version)).toEqual(all.map((_moment, i) => i + 1));
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    expect(all.length).toBeLessThanOrEqual(8);
    expect(all.at(-1)!.state).toBe("final");
  });

  test("without video it starts at chat's onset less the prior's lag and set-up; picture and sound are none, not low", () => {
    const blind = one({ said: FALL.said!, untilS: 400 });
    expect(blind.senses).toMatchObject({ picture: "none", sound: "none", model: "none" });
    expect(s(blind.onsetMs)).toBeCloseTo(304 - 5.9, 1);
    expect(blind).toMatchObject({ lagMs: 5900, lagErrorMs: 5300, lagLearned: false });
    expect(blind.reasons["sound.onset"]).toBeUndefined();
    // Missing senses are left out of the score, which does not fall for it.
    expect(blind.score).toBeGreaterThan(fall.score - 25);
  });

  test("moves to what stands out on screen inside the lag's uncertainty, and not beyond it", () => {
    const far = one({ ...FALL, screen: { sounds: [{ atS: 280, z: 15, aboveUsual: 8 }] } });
    expect(s(far.onsetMs)).toBeCloseTo(304 - 5.9, 1);
  });

  test("laughter after which the picture shows a menu is a fail", () => {
    expect(one({ ...FALL, screen: { ...FALL.screen, menus: [[300, 304]] } }).kind).toBe("fail");
  });

  test.each([
    ["Sadge", "sad"],
    ["lampGO", "hype"],
  ])("%s: %s", (emote, kind) => {
    expect(one({ ...FALL, said: [...quietChat(400), ...crowd(304, 60, 6, emote)] }).kind).toBe(kind);
  });
});

describe("near-duplicates merge", () => {
  test("waves of one reaction are one moment", () => {
    const { last } = watch({ ...FALL, said: [...quietChat(400), ...laugh(304), ...laugh(312, 2000)] });
    expect(last).toHaveLength(1);
  });
  test("another event a minute later is another moment", () => {
    const { last } = watch({
      ...FALL,
      said: [...quietChat(500), ...laugh(304), ...laugh(370, 2000)],
      untilS: 500,
    });
    expect(last.map(({ state }) => state)).toEqual(["final", "final"]);
    expect(last[1]!.startMs).toBeGreaterThan(last[0]!.onsetMs);
  });
});

describe("no moment is", () => {
  const after = (others: Scene["others"], said: readonly Said[] = []): string[] =>
    watch({ ...FALL, said: [...FALL.said!, ...said], ...(others === undefined ? {} : { others }) }).last.map(
      ({ state }) => state,
    );

  test("the reaction to an advertisement", () => {
    expect(watch({ ...FALL, screen: { ads: [[294, 324]] } }).last).toEqual([]);
  });
  test("what chat says when an advertisement begins", () => {
    const said = [...quietChat(400), ...laugh(299)];
    expect(watch({ ...FALL, said, screen: { ads: [[292, 330]] } }).last).toEqual([]);
  });
  test("the greeting of a raid, also when its notice comes after the first greetings", () => {
    expect(after([notice(302, "raid", 300)])).toEqual([]);
    expect(after([notice(309, "raid", 300)])).toEqual(["withdrawn"]);
  });
  test("thanks for a bomb of gifts; a single gift excuses nothing", () => {
    expect(after([notice(309, "submysterygift", 20)])).toEqual(["withdrawn"]);
    expect(after([notice(309, "submysterygift", 2)])).toEqual(["final"]);
  });
  test("a poll, copypasta or a flood of bots", () => {
    for (const text of [
      (i: number) => (i % 3 === 0 ? "1" : "2"),
      () => "this is a copypasta that everybody likes to send again",
      () => "!play",
    ])
      expect(watch({ ...FALL, said: [...quietChat(400), ...crowd(304, 90, 10, text)] }).last).toEqual([]);
  });
  test("what turns out to be a flood of copies after it was said", () => {
    const paste = crowd(309, 90, 8, "this is a copypasta that everybody likes to send again", 3000);
    expect(after([], paste)).toEqual(["withdrawn"]);
  });
  test("a withdrawn one comes back with the rest of the same reaction", () => {
    const { last } = watch({
      ...FALL,
      said: [...FALL.said!, ...crowd(316, 40, 5, "Sadge", 4000)],
      others: [notice(306, "submysterygift", 20)],
    });
    expect(last.map(({ state }) => state)).toEqual(["withdrawn"]);
  });
});

describe("people", () => {
  test("the streamer's key is a moment with priority, back-dated to what stood out before it", () => {
    const marked = one({ ...FALL, said: quietChat(400), others: [key(305, "k", "the fall")] });
    expect(marked).toMatchObject({ origin: "mark", kind: "marked", marks: ["k"], subject: "the fall" });
    expect(marked.score).toBeGreaterThanOrEqual(90);
    expect(s(marked.onsetMs)).toBe(300);
    expect(s(marked.endMs)).toBeGreaterThanOrEqual(305);
  });
  test("without anything that stood out, to some seconds before the key", () => {
    const marked = one({ said: quietChat(400), screen: {}, untilS: 400, others: [key(305)] });
    expect(s(marked.onsetMs)).toBe(301);
    expect(s(marked.startMs)).toBeLessThan(296);
  });
  test.each(["!mark", "!отметка", "!MARK the fall"])("%s of a moderator marks", (text) => {
    const said = [...quietChat(400), command(308, "moderator/1,subscriber/3", text)];
    expect(one({ ...FALL, said })).toMatchObject({ origin: "mark" });
  });
  test("of the broadcaster too, of anybody else not", () => {
    const by = (badges: string): number =>
      watch({ ...FALL, said: [...quietChat(400), command(308, badges)] }).last.length;
    expect(by("broadcaster/1")).toBe(1);
    expect(by("subscriber/12,premium/1")).toBe(0);
    expect(by("")).toBe(0);
  });
  test("a mark joins the moment that chat already made; a final one does not move for it", () => {
    const plain = one(FALL);
    const marked = one({ ...FALL, others: [key(306, "k")] });
    expect(marked).toMatchObject({ origin: "chat", marks: ["k"], id: plain.id, kind: "funny" });
    expect(marked.score).toBeGreaterThanOrEqual(90);
    const finalS = Math.ceil(s(plain.detectedAtMs)) + 1;
    const late = one({ ...FALL, others: [at(finalS, { ...key(312, "k").input })] });
    expect(late).toMatchObject({
      marks: ["k"],
      startMs: plain.startMs,
      endMs: plain.endMs,
      onsetMs: plain.onsetMs,
      version: plain.version + 1,
    });
  });
  test("chat that reacts after the key joins the mark", () => {
    const marked = one({ ...FALL, others: [key(302, "k")] });
    expect(marked).toMatchObject({ origin: "chat", marks: ["k"] });
  });
  test("what a person marked stands, whatever else chat was busy with", () => {
    expect(one({ ...FALL, others: [notice(309, "raid", 300), key(306, "k")] }).marks).toEqual(["k"]);
  });
  test("a mark of long ago, from the player's past, is a moment there; one of a time to come is none", () => {
    const past = one({
      said: quietChat(400),
      screen: {},
      untilS: 400,
      others: [at(390, key(60, "k").input)],
    });
    expect(past).toMatchObject({ marks: ["k"], version: 1 });
    expect(s(past.onsetMs)).toBe(56);
    expect(watch({ said: quietChat(400), untilS: 400, others: [at(300, key(9000).input)] }).last).toEqual([]);
  });
  test("the same mark twice counts once", () => {
    expect(one({ ...FALL, others: [key(306, "k"), key(307, "k")] }).marks).toEqual(["k"]);
  });
  test("several people who ask for a clip are a moment, one who asks often is none", () => {
    const asks = (users: number): Said[] =>
      Array.from({ length: 4 }, (_, i) => ({
        atS: 306 + i,
        text: ["clip that", "CLIP IT", "клипаните", "!clip"][i]!,
        user: 500 + (i % users),
      }));
    const asked = one({ ...FALL, said: [...quietChat(400), ...asks(4)] });
    expect(asked.reasons["chat.clipAsks"]).toBe(4);
    expect(s(asked.onsetMs)).toBe(300);
    expect(watch({ ...FALL, said: [...quietChat(400), ...asks(1)] }).last).toEqual([]);
  });
  test("asks beside a reaction are a reason of it and raise its score", () => {
    const asks = [0, 1, 2].map((i): Said => ({ atS: 309 + i, text: "clip it", user: 600 + i }));
    const asked = one({ ...FALL, said: [...FALL.said!, ...asks] });
    expect(asked.reasons["chat.clipAsks"]).toBe(3);
    expect(asked.score).toBeCloseTo(one(FALL).score + 15, 0);
  });
});

describe("a quiet chat", () => {
  const lonely = calm(0, 3600, 0.02);
  const sounds = [
    ...Array.from({ length: 60 }, (_, i) => ({ atS: 20 + i * 60, z: 3.5 })),
    ...[1000, 1500, 1520, 1540, 1800, 2500].map((atS) => ({ atS, z: 16, aboveUsual: 9 })),
  ].toSorted((a, b) => a.atS - b.atS);
  const cuts = [1000.4, 1500.7, 2500.2];

  test("gets moments from picture and sound alone, marked so, at most a few an hour", () => {
    const { last } = watch({ said: lonely, screen: { sounds, cuts }, untilS: 3600 });
    expect(last.length).toBeGreaterThanOrEqual(2);
    expect(last.length).toBeLessThanOrEqual(5);
    for (const moment of last) {
      expect(moment).toMatchObject({ origin: "screen", state: "final", chatOnsetMs: null });
      expect(["loud", "action"]).toContain(moment.kind);
      expect(moment.score).toBeLessThanOrEqual(60);
      expect(moment.reasons["sound.onset"]).toBe(16);
    }
    expect(last.map(({ onsetMs }) => Math.round(s(onsetMs)))).toContain(1000);
  });
  test("so does a channel without any chat, whose only clock is the picture", () => {
    const { last } = watch({ screen: { sounds, cuts }, untilS: 3600, alive: false });
    expect(last.length).toBeGreaterThanOrEqual(2);
    expect(last[0]!.senses.chat).toBe("none");
  });
  test("a lively chat that does not react to it is believed", () => {
    const { last } = watch({ said: calm(0, 3600), screen: { sounds, cuts }, untilS: 3600 });
    expect(last).toEqual([]);
  });
});

describe("nothing waits for what is dead", () => {
  const bounded = (moment: Moment): void =>
    expect(s(moment.detectedAtMs)).toBeLessThanOrEqual(s(moment.endMs) + 45);

  test("a decoder that dies: unknown, final in bounded event time", () => {
    const dead = one({ ...FALL, screen: { ...FALL.screen, failed: [[290, 400]] } });
    expect(dead.senses).toMatchObject({ picture: "unknown", sound: "unknown" });
    bounded(dead);
  });
  test("measuring that stops without a word", () => {
    const silent = one({
      ...FALL,
      screen: { ...FALL.screen, measureLateS: (from) => (from < 290 ? 0.3 : 1e6) },
    });
    expect(silent.senses).toMatchObject({ picture: "unknown", sound: "unknown" });
    bounded(silent);
  });
  test("a gap in the picture is unknown", () => {
    expect(one({ ...FALL, screen: { ...FALL.screen, holes: [[296, 310]] } }).senses.picture).toBe("unknown");
  });
  test("no sound in the stream is none", () => {
    expect(one({ ...FALL, screen: { cuts: [300.6], sound: false } }).senses).toMatchObject({
      picture: "ok",
      sound: "none",
    });
  });
  test("a scorer that answers is a reason, one that does not is unknown, and neither holds a moment up", () => {
    const scored = one({ ...FALL, screen: { ...FALL.screen, scoreLateS: 1 } });
    expect(scored.reasons["model.action"]).toBe(0.8);
    expect(scored.senses.model).toBe("ok");
    const down = one({ ...FALL, screen: { ...FALL.screen, scoreLateS: 1, scoreUnknown: true } });
    expect(down.senses.model).toBe("unknown");
    expect(down.reasons["model.action"]).toBeUndefined();
    bounded(down);
  });
  test("chat that was not heard meanwhile is unknown", () => {
    const gap = at(312, {
      type: "gap",
      gap: { id: "g", channelId: "7", fromMs: T + 305_000, toMs: T + 307_000, reason: "connection_lost" },
    });
    expect(one({ ...FALL, others: [gap] }).senses.chat).toBe("unknown");
  });
});

describe("a replay gives the same moments", { timeout: 60_000 }, () => {
  /** Everything at once. */
  const busy: Scene = {
    said: [
      ...quietChat(700),
      ...laugh(304),
      ...crowd(420, 90, 10, "this is a copypasta that everybody likes to send again", 5000),
      ...crowd(505, 50, 6, "Sadge", 6000),
      ...[0, 1, 2].map((i): Said => ({ atS: 509 + i, text: "clip that", user: 600 + i })),
      command(560, "moderator/1"),
      ...laugh(610, 8000),
    ],
    screen: {
      sounds: [300, 420, 500, 555, 606].map((atS) => ({ atS, z: 12, aboveUsual: 6 })),
      cuts: [50, 300.5, 304, 501, 556, 640],
      silences: [294, 493],
      ads: [[380, 396]],
      failed: [[604, 612]],
      scoreLateS: 1,
    },
    others: [notice(612, "raid", 100), key(520, "k")],
    untilS: 700,
  };
  const whole = watch(busy);

  test("whatever is saved and loaded at whatever second", () => {
    expect(whole.last.length).toBeGreaterThanOrEqual(4);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 699 }), { minLength: 1, maxLength: 4 }), (reloadS) => {
        const again = watch({ ...busy, reloadS });
        expect(again.all).toEqual(whole.all);
        expect(again.lags).toEqual(whole.lags);
      }),
      { numRuns: 8 },
    );
  });

  test("however late picture and sound are, inside the bound: the same final moments", () => {
    const finals = (scene: Scene): object[] =>
      watch(scene).last.map((moment) => ({ ...moment, version: 0, detectedAtMs: 0 }));
    const soon = finals(busy);
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.1, max: 11, noNaN: true }), { minLength: 8, maxLength: 8 }),
        (late) => {
          // Segments of one channel are measured in order: a late one holds up those behind it.
          let doneS = 0;
          const measureLateS = (startS: number): number => {
            doneS = Math.max(doneS, startS + 4 + late[(startS / 2) % late.length]!);
            return doneS - startS - 4;
          };
          expect(finals({ ...busy, screen: { ...busy.screen, measureLateS } })).toEqual(soon);
        },
      ),
      { numRuns: 8 },
    );
  });
});

test("a state stays small, however busy the channel is", () => {
  const said = [...quietChat(900)];
  for (let atS = 120; atS < 880; atS += 40) said.push(...laugh(atS, 1000 + atS * 100));
  const { run } = watch({
    said,
    screen: {
      sounds: Array.from({ length: 880 }, (_, i) => ({ atS: i + 5, z: 3 + (i % 7) })),
      cuts: Array.from({ length: 870 }, (_, i) => i + 5.5),
      scoreLateS: 1,
    },
    others: Array.from({ length: 300 }, (_, i) => key(130 + i * 2)),
    untilS: 900,
  });
  const [, , , ofLag, ofMoments] = run.states;
  expect(lag.save(ofLag as LagState).length).toBeLessThan(10_000);
  expect(moments.save(ofMoments as MomentsState).length).toBeLessThan(100_000);
});
