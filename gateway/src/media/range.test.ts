import { expect, test } from "vitest";
import { rangeOf } from "./range.ts";

test.each([
  ["bytes=0-0", { from: 0, to: 0 }],
  ["bytes=2-5", { from: 2, to: 5 }],
  ["bytes=5-", { from: 5, to: 9 }],
  ["bytes=0-99999", { from: 0, to: 9 }],
  ["bytes=-3", { from: 7, to: 9 }],
  ["bytes=-99", { from: 0, to: 9 }],
  ["BYTES= 9-9 ", { from: 9, to: 9 }],
  ["bytes=10-", "outside"],
  ["bytes=10-12", "outside"],
  ["bytes=-0", "outside"],
  // Not understood, or more than one: the whole is an answer.
  ["", null],
  ["bytes=", null],
  ["bytes=-", null],
  ["bytes=5-2", null],
  ["bytes=0-1,4-5", null],
  ["bytes=a-b", null],
  ["bytes=0x1-2", null],
  ["bytes=-1-2", null],
  ["bytes=1.5-2", null],
  ["bytes=99999999999999999999-", null],
  ["items=0-1", null],
] as const)("%s of ten bytes", (header, range) => expect(rangeOf(header, 10)).toEqual(range));

test("an empty file has no range", () => {
  expect(rangeOf("bytes=0-", 0)).toBe("outside");
  expect(rangeOf("bytes=-1", 0)).toBe("outside");
});
