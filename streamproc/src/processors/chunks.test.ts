import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AudioWindow } from "@hypecast/contracts/audio.ts";
import type { ChatChunk } from "@hypecast/contracts/chunk.ts";
import type { VideoShot } from "@hypecast/contracts/shot.ts";
import { calm, crowd, lineOf, play, T, type Said } from "./chat.fixture.ts";
import type { FoldInput, FoldOutput } from "./fold.ts";
import { folds } from "./index.ts";
import { runOf } from "./run.ts";

const chunksOf = (outputs: readonly FoldOutput[]): ChatChunk[] =>
  outputs.flatMap((output) => (output.type === "chunk" ? [output.chunk] : []));
const made = (said: readonly Said[], untilS: number, others: Parameters<typeof play>[2] = []): ChatChunk[] =>
  chunksOf(play(said, untilS, others).outputs);
const at = (ms: number): number => (ms - T) / 1000;
const spans = (found: readonly ChatChunk[]): [number, number][] =>
  found.map(({ startMs, endMs }) => [at(startMs), at(endMs)]);
const gap = (fromS: number, toS: number): { atS: number; input: FoldInput } => ({
  atS: fromS,
  input: {
    type: "gap",
    gap: {
      id: "g",
      channelId: "7",
      fromMs: T + fromS * 1000,
      toMs: T + toS * 1000,
      reason: "connection_lost",
    },
  },
});

describe("where chat is cut", () => {
  test.each([
    ["sparse", 0.5, 40, 60],
    ["middling", 3, 30, 50],
    ["dense", 20, 30, 40],
  ])(
    "a %s chat gives chunks that follow each other, of a length that fits it",
    (_name, perS, least, most) => {
      const found = made(calm(0, 400, perS), 400);
      expect(found.length).toBeGreaterThan(5);
      for (const [i, [startS, endS]] of spans(found).entries()) {
        expect(endS - startS).toBeGreaterThanOrEqual(least);
        expect(endS - startS).toBeLessThanOrEqual(most);
        const before = spans(found)[i - 1];
        if (before === undefined) continue;
        // 10 to 15 s are in both; where nobody wrote just then, a little less.
        expect(before[1] - startS).toBeGreaterThan(4);
        expect(before[1] - startS).toBeLessThanOrEqual(15);
      }
      expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
    },
  );

  test("a reaction is not cut where a lull is near", () => {
    const said = [...calm(0, 400, 3), ...crowd(333, 120, 12, (i) => `KEKW he fell ${i % 9}`)];
    const found = made(said, 460);
    for (const [, endS] of spans(found)) expect(endS < 333 || endS > 344).toBe(true);
    const whole = found.filter(({ startMs, endMs }) => at(startMs) <= 333 && at(endMs) >= 345);
    expect(whole.length).toBeGreaterThan(0);
    expect(whole[0]!.bursts.some((id) => id.includes(":volume:"))).toBe(true);
    expect(at(whole[0]!.peakMs)).toBeGreaterThanOrEqual(333);
    expect(at(whole[0]!.peakMs)).toBeLessThan(345);
    expect(whole[0]!.times).toBeGreaterThan(2);
    expect(whole[0]!.moods.laugh).toBe(120);
  });

  test("silence gives no chunk, and what is said after it begins a new one", () => {
    const found = made(
      [{ atS: 5, text: "one line", user: 1 }, ...crowd(600, 5, 10, (i) => `later ${i}`)],
      800,
    );
    expect(spans(found)).toEqual([
      [5, 65],
      [600, 660],
    ]);
    expect(found.map(({ text }) => text.split("\n").length)).toEqual([1, 5]);
  });

  test("a chunk ends where the source stopped to hear", () => {
    const found = made([...calm(0, 99, 3), ...calm(140, 300, 3)], 400, [gap(100, 140)]);
    for (const [startS, endS] of spans(found)) expect(endS <= 100 || startS >= 140).toBe(true);
    expect(spans(found).some(([, endS]) => endS === 100)).toBe(true);
  });

  test("every line stands in a chunk", () => {
    const said = calm(0, 500, 1.5);
    const text = made(said, 600)
      .map((chunk) => chunk.text)
      .join("\n")
      .split("\n");
    for (const { text: line } of said) expect(text).toContain(line.replace(/\b(\S+) \1\b/, "$1"));
  });
});

describe("what a chunk says", () => {
  const of = (...texts: (string | Partial<Said>)[]): ChatChunk => {
    const said = texts.map((one, i) => ({
      atS: 10 + i / 4,
      user: i + 1,
      text: "",
      ...(typeof one === "string" ? { text: one } : one),
    }));
    return made(said, 100)[0]!;
  };

  test("the same thing is one row with how often, in the order in which it was said first", () => {
    const texts = [
      "KEKW",
      "he fell",
      "KEKW KEKW KEKW",
      "noooo way",
      "no way!!!",
      "KEKW",
      "ahahaha",
      "хахахах",
    ];
    expect(of(...texts).text).toBe("KEKW ×3\nhe fell\nno way ×2\nahahaha ×2");
  });

  test("bots and commands are left out, links are their host, ornament goes and й stays", () => {
    const chunk = of(
      "!play 1",
      { text: "follow us", more: { login: "nightbot" } },
      "look https://clips.twitch.tv/Some-Clip?x=1",
      "з\u0335\u0300а\u0335ц\u0336ени мой ник\u200b",
      "\u{1d4f1}\u{1d4ee}\u{1d4f5}\u{1d4f5}\u{1d4f8}",
    );
    expect(chunk.text).toBe("look clips.twitch.tv\nзацени мой ник\nhello");
    expect(chunk.messages).toBe(5);
  });

  test("people are named in `people` and nowhere else", () => {
    const chunk = of(
      { text: "hello there", more: { login: "lava_lord9", name: "Лавовый" } },
      { text: "@lava_lord9 he fell", more: { login: "mossy", replyTo: "l0" } },
      "lava_lord9, Лавовый and mossy saw the lava",
      "@Stranger_1 where are you",
    );
    expect(chunk.text).toBe("hello there\n↳ he fell\nand saw the lava\nwhere are you");
    for (const name of ["lava_lord9", "mossy", "лавовый", "stranger_1", "u3"])
      expect(chunk.people.split(" ")).toContain(name);
  });

  test("emotes are named and said in words of both languages, by the mood map; words of a mood too", () => {
    expect(of("KEKW", "lampHA", "x").emoteWords).toMatch(/^KEKW lampHA .*laughs.*смех/);
    expect(of("sad", "rip", "F", "эх").emoteWords).toMatch(/sad.*грусть/);
    expect(of("map", "gate").emoteWords).toBe("");
  });

  test("picture and sound are words where they were measured", () => {
    const shot = {
      channelId: "7",
      id: "s",
      epoch: 1,
      startMs: T,
      endMs: T + 60_000,
      cut: "hard",
      frames: 1,
      ad: false,
      scene: "game",
      text: 0.6,
      cutsPerMin: 3,
      blackShare: 0,
      frozenShare: 0,
    } as unknown as VideoShot;
    const sound = (s: number): AudioWindow =>
      ({
        channelId: "7",
        id: `a${s}`,
        startMs: T + s * 1000,
        aboveUsual: 9,
        onset: 0,
        voice: 0,
        silence: false,
        tempo: null,
        tempoStrength: 0,
      }) as unknown as AudioWindow;
    const run = runOf(folds, "7");
    const found: FoldOutput[] = [];
    for (let s = 0; s < 100; s++) {
      if (s === 20) {
        run.step({ type: "shot", shot });
        for (const at of [10, 11, 12]) run.step({ type: "audio", audio: sound(at) });
      }
      found.push(
        ...run.step({
          type: "lines",
          lines: [lineOf({ atS: s, text: `line ${s}`, user: 1 }, s)],
          emoteSet: "",
        }),
      );
    }
    expect(chunksOf(found)[0]!.screenWords).toBe(
      "game gameplay игра text on screen текст на экране loud громко",
    );
    expect(chunksOf(play(calm(0, 100), 200).outputs)[0]!.screenWords).toBe("");
  });

  test("of very much, some of every second and what set it off is kept, within bounds", () => {
    const flood = crowd(60, 6000, 30, (i) => `word${i % 997} is number ${(i * 7919) % 1000} of them`);
    const said = [...calm(0, 200, 4), { atS: 59.9, text: "the boss lands on the lamp", user: 9 }, ...flood];
    const found = made(said, 300);
    const dense = found.filter(({ messages }) => messages > 2000);
    expect(dense.length).toBeGreaterThan(0);
    for (const chunk of found) {
      expect(chunk.text.split("\n").length).toBeLessThanOrEqual(200);
      expect(Buffer.byteLength(chunk.text)).toBeLessThanOrEqual(6000);
    }
    expect(dense[0]!.text).toContain("the boss lands on the lamp");
    // Told from a sample.
    expect(dense[0]!.chatters / dense[0]!.messages).toBeGreaterThan(0.8);
  });

  test("chatters are exact where they are few", () => {
    expect(of("a b", "c d", { text: "e f", user: 1 }).chatters).toBe(2);
  });
});

test("a late line of a second that is closed changes no chunk, one that comes in time stands where it was said", () => {
  const line = (atS: number, text: string, i: number): FoldInput => ({
    type: "lines",
    lines: [lineOf({ atS, text, user: i }, i)],
    emoteSet: "",
  });
  const inputs = (late: readonly FoldInput[]): ChatChunk[] => {
    const run = runOf(folds, "7");
    const outputs = [
      line(0, "first", 1),
      line(5, "fifth", 2),
      ...late,
      line(8, "eighth", 3),
      line(100, "end", 4),
    ].flatMap((input) => run.step(input));
    return chunksOf(outputs);
  };
  expect(inputs([line(2, "too late", 9)])).toEqual(inputs([]));
  expect(inputs([line(4, "fourth", 9)])[0]!.text).toBe("first\nfourth\nfifth\neighth");
});

test("the same lines give the same chunks however they are packed, and through their bytes at any second", () => {
  const said = [
    ...calm(0, 260, 3),
    ...crowd(100, 400, 10, (i) => `KEKW number ${i}`),
    ...crowd(180, 50, 6, "Sadge \ud83d"),
  ].toSorted((a, b) => a.atS - b.atS);
  const lines = said.map((one, i) => lineOf(one, i));
  const packed = (size: number): ChatChunk[] => {
    const run = runOf(folds, "7");
    const outputs: FoldOutput[] = [];
    for (let from = 0; from < lines.length; from += size)
      outputs.push(...run.step({ type: "lines", lines: lines.slice(from, from + size), emoteSet: "set" }));
    outputs.push(...run.step({ type: "alive", atMs: T + 400_000 }));
    return chunksOf(outputs);
  };
  const whole = packed(1);
  expect(whole.length).toBeGreaterThan(5);
  expect(packed(7)).toEqual(whole);
  expect(packed(501)).toEqual(whole);
  const played = chunksOf(play(said, 330).outputs);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 329 }), (reloadS) => {
      expect(chunksOf(play(said, 330, [], reloadS).outputs)).toEqual(played);
    }),
    { numRuns: 12 },
  );
});
