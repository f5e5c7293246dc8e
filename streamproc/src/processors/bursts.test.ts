import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChatBurst } from "@hypecast/contracts/burst.ts";
import { baselineOf, scan, Track } from "./baseline.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { calm, crowd, play, T, type Said } from "./chat.fixture.ts";
import type { FoldInput, FoldOutput } from "./fold.ts";

const burstsOf = (outputs: readonly FoldOutput[]): ChatBurst[] =>
  outputs.flatMap((output) => (output.type === "burst" ? [output.burst] : []));
const closed = (said: readonly Said[], untilS: number, others?: Parameters<typeof play>[2]): ChatBurst[] =>
  burstsOf(play(said, untilS, others).outputs).filter((burst) => !burst.open);
const kinds = (found: readonly ChatBurst[]): string[] =>
  found.map((burst) => `${burst.kind}:${burst.subject}`).toSorted();
const raid = (atS: number): { atS: number; input: FoldInput } => ({
  atS,
  input: {
    type: "notice",
    notice: {
      id: "raid",
      channelId: "7",
      sentAtMs: T + atS * 1000,
      kind: "raid",
      userId: "9",
      login: "cat",
      count: 300,
    },
  },
});

describe("the usual rate", () => {
  test("many lines: the median, whatever a tenth of the bins did", () => {
    const bins = Uint16Array.from({ length: 60 }, (_, i) => (i % 10 === 0 ? 200 : 9 + (i % 3)));
    expect(baselineOf(bins.toSorted(), 60, 0.1).ratePerS).toBe(2);
  });
  test("few lines: the mean without its top, since the median of few is 0", () => {
    const bins = Uint16Array.from({ length: 60 }, (_, i) => (i % 4 === 0 ? 1 : 0));
    bins[7] = 50;
    expect(baselineOf(bins.toSorted(), 60, 0.01).ratePerS).toBeCloseTo(16 / 60 / 5, 5);
  });
  test("is the same kept up bin by bin and made anew from saved bins, also after a burst became the usual", () => {
    const track = new Track();
    for (let bin = 0; bin < 300; bin++) {
      const filled = Math.min(60, bin + 1);
      if (bin === 40) track.adopt(7, bin);
      track.count(bin * 5, (bin * 7919) % (bin < 150 ? 4 : 23));
      track.closeBin(bin % 60, bin % 9 === 0 ? 6 : Infinity);
      const out = new ByteWriter();
      track.save(out, bin * 5 + 1);
      const anew = new Track();
      anew.load(new ByteReader(out.done()), bin * 5 + 1);
      expect(track.baseline(filled, 0.1)).toEqual(anew.baseline(filled, 0.1));
      expect(track.baseline(filled, 0.1)).toEqual(baselineOf(anew.bins.toSorted(), filled, 0.1));
      for (let ago = 0; ago < 10; ago++) expect(anew.in(bin * 5 - ago)).toBe(track.in(bin * 5 - ago));
    }
  });
  test("never below the floor, and only what is filled counts", () => {
    expect(baselineOf(new Uint16Array(60), 60, 0.1).ratePerS).toBe(0.1);
    expect(baselineOf(new Uint16Array(60).fill(10, 58), 2, 0.1).ratePerS).toBe(2);
  });
});

describe("the scan", () => {
  const usual = { ratePerS: 1, alpha: 0.05 };
  test("finds the stretch that stands out and so its onset", () => {
    const found = scan([9, 9, 9, 1, 1, 1, 1, 1, 1, 1], usual);
    expect(found).toMatchObject({ seconds: 3, count: 27 });
    expect(found.z).toBeGreaterThan(5);
  });
  test("what is not above the usual has no strength", () => {
    expect(scan([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], usual)).toEqual({ z: 0, seconds: 0, count: 0 });
  });
  test("a restless chat needs more for the same strength", () => {
    const counts = [4, 4, 4];
    expect(scan(counts, { ratePerS: 1, alpha: 1 }).z).toBeLessThan(scan(counts, usual).z);
  });
});

describe("hype", () => {
  const laugh = (atS: number): Said[] => crowd(atS, 60, 6, (i) => (i % 2 === 0 ? "KEKW" : "lol KEKW"));

  test("a chat that laughs at once is a burst by emote, mood and volume, with its reasons in numbers", () => {
    const found = closed([...calm(0, 400), ...laugh(300)], 400);
    expect(kinds(found)).toEqual(["emote:KEKW", "mood:laugh", "volume:"]);
    const emote = found.find((burst) => burst.kind === "emote")!;
    expect(emote).toMatchObject({ emoteRef: "test:KEKW", mood: "laugh", count: 60, chatters: 60 });
    expect(emote.startMs).toBe(T + 300_000);
    expect(emote.endMs - emote.startMs).toBe(6000);
    expect(emote.peakRate).toBeCloseTo(10, 0);
    expect(emote.reasons["emoteOnlyShare"]).toBe(0.5);
    const volume = found.find((burst) => burst.kind === "volume")!;
    expect(volume.baselineRate).toBe(2);
    expect(volume.times).toBeCloseTo((volume.peakRate * 10 + 5) / (2 * 10 + 5), 5);
    expect(volume.times).toBeGreaterThan(4);
    // Never seen before, and yet not "hundreds of times nothing".
    expect(emote.times).toBeGreaterThan(5);
    expect(emote.times).toBeLessThan(25);
  });

  test("it is said within three seconds of its onset, and again under the same id when it is over", () => {
    const all = burstsOf(play([...calm(0, 400), ...laugh(300)], 400).outputs);
    const open = all.filter((burst) => burst.open);
    expect(open.map((burst) => burst.id).toSorted()).toEqual(
      all
        .filter((burst) => !burst.open)
        .map((burst) => burst.id)
        .toSorted(),
    );
    for (const burst of open) expect(burst.detectedAtMs - burst.startMs).toBeLessThanOrEqual(3000);
    for (const burst of open) expect(burst.count).toBeGreaterThanOrEqual(5);
  });

  test("a pause of a few seconds does not make two of one, a minute does", () => {
    const twice = (secondS: number): ChatBurst[] =>
      closed([...calm(0, 500), ...laugh(300), ...laugh(secondS)], 500).filter(
        (burst) => burst.kind === "emote",
      );
    expect(twice(311)).toHaveLength(1);
    expect(twice(370)).toHaveLength(2);
  });

  test("the baseline does not learn the burst", () => {
    const rates = closed([...calm(0, 700), ...laugh(300), ...laugh(380), ...laugh(460)], 600)
      .filter((burst) => burst.kind === "volume")
      .map((burst) => burst.baselineRate);
    expect(rates).toEqual([2, 2, 2]);
  });

  test.each([
    [
      "one person alone",
      Array.from({ length: 60 }, (_, i): Said => ({ atS: 300 + i / 10, text: "KEKW", user: 3 })),
    ],
    ["four lines", crowd(300, 4, 2, "KEKW")],
    ["half as much again as usual", calm(300, 320, 1)],
  ])("%s is no burst", (_name, extra) => {
    expect(closed([...calm(0, 400), ...extra], 400)).toEqual([]);
  });

  test("nothing is said before a minute was heard", () => {
    expect(closed([...calm(0, 55), ...laugh(40)], 120)).toEqual([]);
  });

  test("what goes on for longer than two minutes is the new usual, not a burst without end", () => {
    const found = closed([...calm(0, 700), ...calm(300, 700, 12)], 700);
    expect(found.filter((burst) => burst.kind === "volume")).toHaveLength(1);
    expect(found[0]!.endMs - found[0]!.startMs).toBeLessThanOrEqual(121_000);
  });
});

describe("what only looks like hype", () => {
  const paste = "this is a copypasta that everybody likes to send again";

  test("the same long text from many is copypasta, and its lines are no volume", () => {
    const found = closed([...calm(0, 400), ...crowd(300, 40, 10, paste)], 400);
    expect(kinds(found)).toEqual([`copypasta:${paste}`]);
    expect(found[0]).toMatchObject({ count: 40, chatters: 40, startMs: T + 300_000 });
  });

  test("the same text from newcomers is bots", () => {
    const bots = crowd(300, 40, 10, `${paste} viewers`).map((said) => ({
      ...said,
      more: { firstMessage: true },
    }));
    expect(closed([...calm(0, 400), ...bots], 400).map((burst) => burst.kind)).toEqual(["bots"]);
  });

  test("everyone trying a command is talk to a bot", () => {
    expect(kinds(closed([...calm(0, 400), ...crowd(300, 40, 10, "!play")], 400))).toEqual(["bots:!play"]);
  });

  test("answers to a poll are a poll that names them, most given first", () => {
    const votes = crowd(300, 40, 10, (i) => (i % 3 === 0 ? "1" : "2"));
    expect(kinds(closed([...calm(0, 400), ...votes], 400))).toEqual(["poll:2/1"]);
  });

  test("after a raid the chat greets: the raid is said, the greetings are no hype", () => {
    const greetings = crowd(302, 80, 15, (i) => `hello from the cats ${i} KEKW`);
    const found = closed([...calm(0, 500), ...greetings], 500, [raid(301)]);
    expect(kinds(found)).toEqual(["raid:cat"]);
    expect(found[0]!.reasons["raiders"]).toBe(300);
    expect(found[0]!.startMs).toBe(T + 301_000);
    const later = crowd(420, 60, 6, "KEKW");
    expect(kinds(closed([...calm(0, 500), ...greetings, ...later], 500, [raid(301)]))).toContain(
      "emote:KEKW",
    );
  });

  test("known bots are nobody's reaction", () => {
    const bot = crowd(300, 60, 6, (i) => `point ${i}`).map((said) => ({
      ...said,
      more: { login: "nightbot" },
    }));
    expect(closed([...calm(0, 400), ...bot], 400)).toEqual([]);
  });

  test("a few who say the same in a fast chat are no flood", () => {
    const echo = crowd(300, 6, 8, "that was a really long jump");
    expect(closed([...calm(0, 400, 10), ...echo], 400)).toEqual([]);
  });
});

test("saving and loading in the middle of anything changes nothing", () => {
  const said = [
    ...calm(0, 400),
    ...crowd(200, 50, 6, "KEKW"),
    ...crowd(260, 40, 10, "this is a copypasta that everybody likes to send again"),
    ...crowd(330, 30, 8, (i) => (i % 2 === 0 ? "1" : "2")),
  ];
  const whole = play(said, 400, [raid(300)]).outputs;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 399 }), (reloadS) => {
      expect(play(said, 400, [raid(300)], reloadS).outputs).toEqual(whole);
    }),
    { numRuns: 25 },
  );
});
