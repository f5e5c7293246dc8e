import { expect, test } from "vitest";
import { markedPieces, tame } from "./marks.ts";

test("the span is marked by code points, so that emoji before it do not shift it", () => {
  expect(markedPieces("😀😀 i know you", [5, 8])).toEqual([
    { text: "😀😀 i ", marked: false },
    { text: "know", marked: true },
    { text: " you", marked: false },
  ]);
});

test.each([
  ["none", null, [["abc", false]]],
  ["the whole line", [0, 2], [["abc", true]]],
  ["beyond the end", [5, 9], [["abc", false]]],
] as const)("a span that is %s", (_name, span, pieces) => {
  expect(markedPieces("abc", span).map(({ text, marked }) => [text, marked])).toEqual(pieces);
});

test("marks piled on a letter are cut, accents and Devanagari are not", () => {
  expect(tame(`z${"\u0301".repeat(60)}a`)).toBe("z\u0301\u0301a");
  expect(tame("हिन्दी é")).toBe("हिन्दी é");
});

test("what cannot be seen is shown: overrides of direction, zero width, control characters", () => {
  expect(tame("a\u202eb\u200bc\u0000d\u2066")).toBe("a·b·c·d·");
  expect(tame("👨\u200d👩")).toBe("👨\u200d👩");
});

test("the marked words stay where they are when something before them was cut", () => {
  expect(markedPieces(`z${"\u0301".repeat(9)} bad`, [11, 13]).at(-1)).toEqual({ text: "bad", marked: true });
});
