import { expect, test } from "vitest";
import type { ChatLine, ChatModeration } from "./chat.ts";
import { chatOverlay } from "./clip.ts";
import { nameColour } from "./name-colour.ts";
import {
  LINE_KEPT_MS,
  LINES_PER_SECOND,
  overlayBox,
  overlayLines,
  standingLines,
  visibleAt,
  type OverlayLine,
  type OverlayOptions,
} from "./overlay-layout.ts";
import { isRightToLeft, plainText } from "./plain-text.ts";

let count = 0;
const line = (text: string, more: Partial<ChatLine> = {}): ChatLine => ({
  id: `l${++count}`,
  channelId: "1",
  sentAtMs: 1000 * count,
  userId: `u${count}`,
  login: `user${count}`,
  text,
  ...more,
});
/** Ten pixels a letter, twenty an emoji: arithmetic that a reader can follow. */
const measure = (text: string): number =>
  [...new Intl.Segmenter().segment(text)].reduce(
    (sum, { segment }) => sum + (/\p{Extended_Pictographic}/u.test(segment) ? 20 : 10),
    0,
  );
const options: OverlayOptions = {
  box: { x: 0, y: 0, width: 420, height: 700, fontPx: 20 },
  measure,
  aspectOf: () => 1,
  clipTime: (streamMs) => streamMs,
  shiftMs: 0,
};
const textOf = ({ pieces }: OverlayLine): string =>
  pieces
    .map((piece) => (piece.kind === "text" ? piece.text : piece.kind === "emote" ? `(${piece.name})` : ""))
    .join("|");
const compose = (one: ChatLine, more: Partial<OverlayOptions> = {}): OverlayLine => {
  const [composed] = overlayLines([one], [], { ...options, ...more });
  if (composed === undefined) throw new Error("no line");
  return composed;
};

test("every piece of any line lies inside of the line, and the line inside of the box", () => {
  for (const text of [
    "short",
    "A".repeat(500),
    "😂".repeat(500),
    "日本語".repeat(100),
    "مرحبا بالعالم ".repeat(30),
    "x ".repeat(250),
    "Z̸̢̧̛͔̙̦̗̦͉̪̟̰̎̈́̆̋̈́̍͆a̵̧͔͈̙̦̰̗̎̈́̆̋̈́l̸go".repeat(8),
    "",
    "\u202e\u0000\n",
  ]) {
    const composed = compose(line(text, { login: "a_login_of_25_characters_", badges: "moderator/1,vip/1" }));
    expect(composed.width).toBeLessThanOrEqual(420);
    // Four rows at most, whatever was sent.
    expect(composed.height).toBeLessThanOrEqual(4 * 28 + 2 * 5);
    for (const { x, width, y } of composed.pieces) {
      expect(x + width).toBeLessThanOrEqual(composed.width);
      expect(y).toBeLessThan(composed.height);
    }
  }
});

test("a line that does not fit ends with …", () => {
  const composed = compose(line("word ".repeat(100)));
  expect(composed.pieces.at(-1)).toMatchObject({ kind: "text", text: expect.stringMatching(/…$/) as string });
});

test("emotes stand where Twitch counted them, after letters of any width", () => {
  const composed = compose(
    line("😂é Kappa 日本 Kappa!", {
      emotes: [
        ["twitch:25", "Kappa", 3, 7],
        ["twitch:25", "Kappa", 12, 16],
      ],
    }),
  );
  expect(textOf(composed)).toMatch(/^user\d+:\|\(Kappa\)\|\(Kappa\)\|😂é\|日本\|!$/);
  const places = composed.pieces
    .filter(({ kind }) => kind !== "badge")
    .sort((a, b) => a.y - b.y || a.x - b.x);
  for (const [i, piece] of places.slice(1).entries()) {
    const before = places[i];
    if (before?.y === piece.y) expect(piece.x).toBeGreaterThanOrEqual(before.x + before.width);
  }
});

test("emotes at impossible places are not drawn, and one without a picture is its name", () => {
  expect(
    textOf(
      compose(
        line("abc", {
          emotes: [
            ["twitch:25", "Kappa", 2, 90],
            ["twitch:25", "Kappa", -5, -1],
          ],
        }),
      ),
    ),
  ).toMatch(/:\|abc$/);
  expect(
    textOf(compose(line("hi Kappa", { emotes: [["twitch:25", "Kappa", 3, 7]] }), { aspectOf: () => null })),
  ).toMatch(/:\|hi Kappa$/);
});

test("marks that reorder or overflow never reach the picture, and the author's direction ends with the author's text", () => {
  const composed = compose(
    line("\u202eevil\u202c \u2067x\u2069 a\u0301\u0301\u0301\u0301\u0301", { name: "na\u202eme" }),
  );
  expect(textOf(composed)).toBe("name:|evil x a\u0301\u0301\u0301");
  const arabic = compose(line("مرحبا"));
  expect(arabic.pieces.map((piece) => piece.kind === "text" && piece.rtl)).toEqual([false, true]);
  expect([isRightToLeft("123 שלום"), isRightToLeft("abc שלום")]).toEqual([true, false]);
});

test.each([
  ["emoji with joiners and flags stay whole", "👨‍👩‍👧‍👦 🏳️‍🌈 1️⃣", 50, "👨‍👩‍👧‍👦 🏳️‍🌈 1️⃣"],
  ["a title is one line", "a\r\n\tb\u2028c", 50, "a b c"],
  ["a long one is cut by code points", "😂".repeat(9), 5, "😂😂😂😂…"],
  ["lone halves of letters go", "a\ud800b", 50, "ab"],
])("%s", (_name, text, most, plain) => expect(plainText(text, most)).toBe(plain));

const moderation = (more: Partial<ChatModeration> & Pick<ChatModeration, "action">): ChatModeration => ({
  id: `m${++count}`,
  channelId: "1",
  sentAtMs: 5000,
  ...more,
});
test("what a moderator took away is not there, also what was said before the clip's end and removed after it", () => {
  const said = [
    line("first", { id: "a", userId: "1", sentAtMs: 1000 }),
    line("bad", { id: "b", userId: "2", sentAtMs: 2000 }),
    line("by the banned", { id: "c", userId: "3", sentAtMs: 3000 }),
    line("after the timeout", { id: "d", userId: "3", sentAtMs: 9000 }),
    line("first", { id: "a", userId: "1", sentAtMs: 1000 }),
  ];
  const removed = [
    moderation({ action: "delete", targetMessageId: "b", sentAtMs: 600_000 }),
    moderation({ action: "timeout", targetUserId: "3" }),
  ];
  expect(standingLines(said, removed).map(({ id }) => id)).toEqual(["a", "d"]);
  expect(standingLines(said, [moderation({ action: "clear" })]).map(({ id }) => id)).toEqual(["d"]);
});

test("a reply shows what it answers, unless that was taken away", () => {
  const asked = line("is this real?", { id: "q" });
  const answer = line("yes", { replyTo: "q" });
  const withQuote = overlayLines([asked, answer], [], options).at(-1) as OverlayLine;
  expect(textOf(withQuote)).toMatch(/^↳ user\d+: is this real\?\|user\d+:\|yes$/);
  const without = overlayLines(
    [asked, answer],
    [moderation({ action: "delete", targetMessageId: "q" })],
    options,
  );
  expect(without.map(textOf).join()).not.toContain("real");
});

test("lines come in at the bottom, push the others up, and are gone when they are old", () => {
  const lines = overlayLines([line("one", { sentAtMs: 1000 }), line("two", { sentAtMs: 3000 })], [], options);
  const seen = (tMs: number): string[] => visibleAt(lines, options.box, tMs).map(({ line: { id } }) => id);
  const [one, two] = lines.map(({ id }) => id);
  expect(seen(900)).toEqual([]);
  expect(seen(1000)).toEqual([one]);
  expect(seen(3000)).toEqual([two, one]);
  expect(seen(1000 + LINE_KEPT_MS)).toEqual([two]);
  expect(seen(3000 + LINE_KEPT_MS)).toEqual([]);
  const [newest, older] = visibleAt(lines, options.box, 4000);
  expect(newest?.opacity).toBe(1);
  expect((newest?.y ?? 0) + (newest?.line.height ?? 0)).toBeLessThanOrEqual(700);
  expect((older?.y ?? 0) + (older?.line.height ?? 0)).toBeLessThanOrEqual(newest?.y ?? 0);
});

test("a line slides in, and one that follows another at once does not", () => {
  const lines = overlayLines(
    [line("one", { sentAtMs: 1000 }), line("two", { sentAtMs: 1100 }), line("three", { sentAtMs: 3000 })],
    [],
    options,
  );
  const newest = (tMs: number): number | undefined => visibleAt(lines, options.box, tMs)[0]?.opacity;
  expect(newest(1000)).toBeLessThan(0.1);
  expect(newest(1100)).toBe(1);
  expect(newest(3000)).toBeLessThan(0.1);
  expect(newest(3500)).toBe(1);
});

test("the shift moves lines to what caused them, and what was said in a left-out stretch is not shown", () => {
  const clipTime = (streamMs: number): number | null => (streamMs < 20_000 ? streamMs - 10_000 : null);
  const at = (sentAtMs: number): number[] =>
    overlayLines([line("x", { sentAtMs })], [], { ...options, clipTime, shiftMs: 4000 }).map(
      ({ atMs }) => atMs,
    );
  expect(at(15_000)).toEqual([1000]);
  expect(at(9000)).toEqual([-5000]);
  expect(at(30_000)).toEqual([]);
});

test("a chat that nobody can read is thinned evenly", () => {
  const flood = Array.from({ length: 100 }, (_, i) => line(`${i}`, { sentAtMs: 5000 + i * 10 }));
  const kept = overlayLines(flood, [], options);
  expect(kept).toHaveLength(LINES_PER_SECOND);
  expect(kept.at(-1)?.atMs).toBeGreaterThan(5800);
});

test("every box lies inside of its picture, and clear of what phones lay over the lower edge", () => {
  for (const [layout, width, height] of [
    ["16:9", 1920, 1080],
    ["9:16", 608, 1080],
    ["9:16-stacked", 404, 720],
  ] as const)
    for (const position of ["left", "right", "bottom"] as const)
      for (const size of [0.1, 0.24, 0.6]) {
        const box = overlayBox(layout, chatOverlay.parse({ position, size }), { width, height });
        expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0);
        expect(box.x + box.width).toBeLessThanOrEqual(width);
        expect(box.y + box.height).toBeLessThanOrEqual(layout === "16:9" ? height : height * 0.87);
      }
});

test("names can be read on the dark ground, whatever colour was chosen", () => {
  const luminance = (hex: string): number =>
    [1, 3, 5]
      .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
      .reduce((sum, part, i) => sum + part * ([0.2126, 0.7152, 0.0722][i] ?? 0), 0);
  for (const colour of ["#000000", "#0000FF", "#8B0000", "#FFFFFF", undefined, "red; x"])
    expect(
      (luminance(nameColour(colour, "somebody")) + 0.05) / (luminance("#121212") + 0.05),
    ).toBeGreaterThanOrEqual(4.5);
});
