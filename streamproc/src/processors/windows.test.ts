import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChatLine, ChatNotice } from "@hypecast/contracts/chat.ts";
import type { ChatWindow } from "@hypecast/contracts/window.ts";
import type { FoldHandover, FoldInput, FoldOutput } from "./fold.ts";
import { userKey, windows, type WindowsState } from "./windows.ts";

const T = 1_700_000_040_000; // begins a 60 s window

let serial = 0;
const line = (atMs: number, text = "hello", more: Partial<ChatLine> = {}): ChatLine => ({
  id: `m${serial++}`,
  channelId: "7",
  sentAtMs: T + atMs,
  userId: "1",
  login: "ann",
  text,
  ...more,
});
const lines = (...list: ChatLine[]): FoldInput => ({ type: "lines", lines: list, emoteSet: "set" });
const alive = (atMs: number): FoldInput => ({ type: "alive", atMs: T + atMs });
const gap = (fromMs: number, toMs: number): FoldInput => ({
  type: "gap",
  gap: { id: "g", channelId: "7", fromMs: T + fromMs, toMs: T + toMs, reason: "connection_lost" },
});
const notice = (atMs: number, kind: string, count?: number): FoldInput => ({
  type: "notice",
  notice: {
    id: `n${serial++}`,
    channelId: "7",
    sentAtMs: T + atMs,
    kind,
    userId: "2",
    login: "bob",
    ...(count === undefined ? {} : { count }),
  } satisfies ChatNotice,
});

function run(...inputs: FoldInput[]): { said: (FoldOutput | FoldHandover)[]; state: WindowsState } {
  const state = windows.initial("7");
  const said: (FoldOutput | FoldHandover)[] = [];
  for (const input of inputs) windows.step(state, input, (output) => said.push(output));
  return { said, state };
}
const windowsOf = (said: readonly (FoldOutput | FoldHandover)[], sizeS?: number): ChatWindow[] =>
  said
    .flatMap((output) => (output.type === "window" ? [output.window] : []))
    .filter((window) => sizeS === undefined || window.sizeS === sizeS);
const at = (window: ChatWindow | undefined): number => (window!.startMs - T) / 1000;

describe("when a window closes", () => {
  // A second closes when the newest time is two seconds past its end.
  test.each([
    [999, 2999, []],
    [999, 3000, [0]],
    [1000, 3999, []],
    [1000, 4000, [1]],
    [0, 3000, [0]],
  ])("a line at %i ms, then the clock at %i ms: seconds %j are final", (atMs, clockMs, closed) => {
    const { said } = run(lines(line(atMs)), alive(clockMs));
    expect(windowsOf(said, 1).map(at)).toEqual(closed);
  });

  test.each([
    [10, 11_999, 0],
    [10, 12_000, 1],
    [30, 31_999, 0],
    [30, 32_000, 1],
    [60, 61_999, 0],
    [60, 62_000, 1],
  ])("a window of %i s with the clock at %i ms: %i closed", (sizeS, clockMs, closed) => {
    const { said } = run(lines(line(0)), alive(clockMs));
    const done = windowsOf(said, sizeS).filter((window) => at(window) === 0);
    expect(done.map((window) => window.messages)).toEqual(closed === 1 ? [1] : []);
  });

  test("windows are aligned to the epoch, whenever the channel was first heard", () => {
    const { said } = run(lines(line(17_500)), alive(80_000));
    expect(windowsOf(said, 10)[0]?.startMs).toBe(T + 10_000);
    expect(windowsOf(said, 30)[0]?.startMs).toBe(T);
    expect(windowsOf(said, 60)[0]?.startMs).toBe(T);
    // 15.5 s passed before the first line could be counted: the second of the line is at 17, two are allowed for.
    expect(windowsOf(said, 60)[0]?.gapS).toBe(15);
  });

  test("a line moves the clock as an alive mark does", () => {
    const { said } = run(lines(line(0), line(3_000)));
    expect(windowsOf(said, 1).map(at)).toEqual([0]);
  });
});

describe("lateness", () => {
  test("two seconds behind is in time, further behind is late and said by name in the windows that were open", () => {
    const { said, state } = run(lines(line(0), line(2_999), line(0), line(3_000), line(999)), alive(12_000));
    expect(windows.counts!(state)).toEqual({
      counted: 4,
      late: 1,
      dropped: { shared_chat: 0, duplicate: 0 },
    });
    const [ten] = windowsOf(said, 10).filter((window) => at(window) === 0);
    expect(ten).toMatchObject({ messages: 4, late: 1 });
    expect(windowsOf(said, 1).map((window) => [at(window), window.messages, window.late])).toEqual([
      [0, 2, 0],
      [2, 1, 0],
      [3, 1, 0],
    ]);
  });

  test("a line from hours ago is late, and one from hours ahead does not stop the channel's clock", () => {
    const hour = 3_600_000;
    const { said, state } = run(
      alive(0),
      lines(line(500), line(-5 * hour), line(5 * hour), line(700)),
      alive(5_000),
      lines(line(4_000)),
    );
    expect(windows.counts!(state)).toMatchObject({ counted: 4, late: 1 });
    expect(windowsOf(said, 1).map((window) => [at(window), window.messages])).toEqual([[0, 3]]);
  });

  test("a time that is no number is late, never a window", () => {
    const { state } = run(lines(line(0), line(NaN)), alive(5_000));
    expect(windows.counts!(state)).toMatchObject({ counted: 1, late: 1 });
  });
});

describe("what is left out", () => {
  test("a message that comes twice counts once", () => {
    const twice = line(100);
    const { state } = run(lines(twice), lines(twice, line(200)));
    expect(windows.counts!(state)).toMatchObject({ counted: 2, dropped: { duplicate: 1 } });
  });

  test("shared chat counts in its home channel only", () => {
    const { state } = run(
      lines(line(0, "x", { sourceChannelId: "9" }), line(0, "x", { sourceChannelId: "7" })),
    );
    expect(windows.counts!(state)).toMatchObject({ counted: 1, dropped: { shared_chat: 1 } });
  });
});

describe("silence and gaps", () => {
  test("silence that was heard is windows of zero, without one-second panes", () => {
    const { said } = run(lines(line(0)), alive(30_000), alive(42_000));
    expect(windowsOf(said, 10).map((window) => [at(window), window.messages])).toContainEqual([30, 0]);
    expect(windowsOf(said, 1)).toHaveLength(1);
  });

  test("a window wholly in a gap does not exist, one partly in it says how much is missing", () => {
    const { said } = run(
      lines(line(0)),
      gap(5_000, 27_000),
      lines(line(28_000), line(35_000)),
      alive(45_000),
    );
    expect(windowsOf(said, 10).map((window) => [at(window), window.messages, window.gapS])).toEqual([
      [-10, 0, 8],
      [0, 1, 5],
      [20, 1, 7],
      [30, 1, 0],
    ]);
    expect(windowsOf(said, 30).at(-1)).toMatchObject({ messages: 2, gapS: 22 });
  });

  test("hours without a word are not heard, and cost no step a second", () => {
    const hour = 3_600_000;
    const { said } = run(lines(line(0)), lines(line(24 * hour)), alive(24 * hour + 70_000));
    const between = windowsOf(said).filter((window) => at(window) >= 60 && at(window) < 24 * 3600 - 60);
    expect(between).toEqual([]);
    expect(said.length).toBeLessThan(60);
    expect(said).toContainEqual({
      type: "seconds",
      pane: null,
      fromS: T / 1000 + 1,
      untilS: T / 1000 + 24 * 3600 - 2,
      heard: false,
    });
  });

  test("every second is handed over once and in order", () => {
    const { said } = run(lines(line(0), line(4_100)), gap(6_500, 9_500), lines(line(11_000)), alive(20_000));
    let next = T / 1000 - 2;
    for (const output of said) {
      if (output.type !== "seconds") continue;
      expect(output.fromS).toBe(next);
      next = output.untilS;
    }
    expect(next).toBe(T / 1000 + 18);
    const unheard = said.filter((output) => output.type === "seconds" && !output.heard);
    expect(unheard).toMatchObject([{ fromS: T / 1000 + 7, untilS: T / 1000 + 9 }]);
  });
});

describe("what a window says", () => {
  const ten = (...inputs: FoldInput[]): ChatWindow =>
    windowsOf(run(...inputs, alive(12_000)).said, 10).find((window) => at(window) === 0)!;

  test("emotes by name, uses and the share of lines that are nothing else", () => {
    const kekw = (first: number): [string, string, number, number] => ["bttv:1", "KEKW", first, first + 3];
    const window = ten(
      lines(
        line(0, "KEKW KEKW", { emotes: [kekw(0), kekw(5)] }),
        line(1, "so true KEKW", { emotes: [kekw(8)] }),
        line(2, "plain"),
        line(3, "Zzz", { emotes: [["7tv:2", "Zzz", 0, 2]] }),
      ),
    );
    expect(window).toMatchObject({
      emotes: [
        ["bttv:1", "KEKW", 3],
        ["7tv:2", "Zzz", 1],
      ],
      emoteUses: 4,
      emoteShare: 0.5,
      moods: { laugh: 2 },
    });
  });

  test("chatters, newcomers, questions, links, capitals, length, bits and languages", () => {
    const window = ten(
      lines(
        line(0, "WHAT IS THAT", { userId: "1" }),
        line(1, "where are you from?", { userId: "2", firstMessage: true }),
        line(2, "смотри https://clips.twitch.tv/x", { userId: "2", bits: 100 }),
        line(3, "и что это было", { userId: "3" }),
      ),
    );
    expect(window).toMatchObject({
      messages: 4,
      chatters: 3,
      chattersEstimated: false,
      firstTimers: 1,
      questions: 1,
      links: 1,
      capsShare: 0.25,
      bits: 100,
      meanLength: (12 + 19 + 32 + 14) / 4,
      languages: { en: 2, ru: 2, other: 0 },
    });
  });

  test("repeated is the same text again, nearly repeated also the same words shouted", () => {
    const window = ten(lines(line(0, "so good"), line(1, "so good"), line(2, "SO GOOOOD!!"), line(3, "no")));
    expect(window).toMatchObject({ repeatedShare: 0.25, nearRepeatedShare: 0.5 });
  });

  test("subs, gifts one by one, and raiders; a gift bomb's announcement is not another gift", () => {
    const window = ten(
      lines(line(0)),
      notice(10, "submysterygift", 3),
      notice(11, "subgift"),
      notice(12, "subgift"),
      notice(13, "subgift"),
      notice(14, "resub"),
      notice(15, "raid", 340),
      notice(16, "announcement"),
    );
    expect(window).toMatchObject({ subs: 4, raiders: 340 });
  });

  test("many chatters are an estimate, near the truth, and say so", () => {
    const many = Array.from({ length: 6000 }, (_, i) => line(i % 9000, "hi", { userId: String(5000 + i) }));
    const window = ten(lines(...many.toSorted((a, b) => a.sentAtMs - b.sentAtMs)));
    expect(window.chattersEstimated).toBe(true);
    expect(Math.abs(window.chatters - 6000)).toBeLessThan(6000 * 0.06);
  });
});

test("Twitch's numeric ids are counted as they are, anything else by its hash", () => {
  expect(userKey("1373735061")).toBe(1_373_735_061);
  expect(userKey("4294967295")).toBe(4_294_967_295);
  expect(userKey("4294967296")).not.toBe(0);
  expect(userKey("u12")).not.toBe(userKey("u13"));
});

/** Lines out of order by less than the lateness, from a few people with a few texts. */
const someChat = fc
  .array(
    fc.record({
      stepMs: fc.integer({ min: 0, max: 3000 }),
      backMs: fc.integer({ min: 0, max: 1900 }),
      user: fc.integer({ min: 1, max: 6 }),
      text: fc.constantFrom("KEKW", "hello there", "HELLO THERE", "ахахах", "1", "!play"),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((steps) => {
    let nowMs = 0;
    return steps.map((step, i): ChatLine => {
      nowMs += step.stepMs;
      return {
        ...line(nowMs - step.backMs, step.text),
        id: `p${i}`,
        userId: String(step.user),
      };
    });
  });
const finals = (inputs: FoldInput[]): ChatWindow[] =>
  windowsOf(run(alive(-5_000), ...inputs, alive(300_000)).said).toSorted((a, b) => (a.id < b.id ? -1 : 1));

describe("properties", () => {
  test("the order of lines within the lateness changes no final window", () => {
    fc.assert(
      fc.property(someChat, (chat) => {
        const sorted = chat.toSorted((a, b) => a.sentAtMs - b.sentAtMs);
        expect(finals([lines(...chat)])).toEqual(finals([lines(...sorted)]));
      }),
    );
  });

  test("how lines are packed changes nothing", () => {
    fc.assert(
      fc.property(someChat, fc.integer({ min: 1, max: 9 }), (chat, size) => {
        const packs: FoldInput[] = [];
        for (let i = 0; i < chat.length; i += size) packs.push(lines(...chat.slice(i, i + size)));
        expect(run(...packs).said).toEqual(run(lines(...chat)).said);
      }),
    );
  });

  test("saving and loading at any point changes nothing", () => {
    fc.assert(
      fc.property(someChat, fc.nat(), (chat, point) => {
        const cut = point % (chat.length + 1);
        let state = windows.initial("7");
        const said: unknown[] = [];
        for (const [i, one] of chat.entries()) {
          if (i === cut) state = windows.load("7", windows.version, windows.save(state))!;
          windows.step(state, lines(one), (output) => said.push(output));
        }
        const kept = (list: readonly unknown[]) => windowsOf(list as FoldOutput[]);
        expect(kept(said)).toEqual(kept(run(...chat.map((one) => lines(one))).said));
      }),
    );
  });

  test("in = counted + late + dropped, and the windows of one size hold exactly what was counted", () => {
    fc.assert(
      fc.property(someChat, fc.array(fc.nat({ max: 59 })), (chat, again) => {
        const repeated = again.flatMap((i) => chat[i % chat.length]!);
        const { said, state } = run(lines(...chat), lines(...repeated), alive(1_000_000));
        const { counted, late, dropped } = windows.counts!(state);
        expect(counted + late + dropped.duplicate! + dropped.shared_chat!).toBe(
          chat.length + repeated.length,
        );
        for (const sizeS of [1, 10, 30, 60]) {
          const ofSize = windowsOf(said, sizeS);
          expect(ofSize.reduce((sum, window) => sum + window.messages, 0)).toBe(counted);
          if (sizeS > 1) expect(ofSize.reduce((sum, window) => sum + window.late, 0)).toBe(late);
        }
      }),
    );
  });
});

test("a state of a version that is not known is refused", () => {
  expect(windows.load("7", 99, windows.save(windows.initial("7")))).toBeNull();
});
