import { expect, test } from "vitest";
import { quotePieces } from "./quote.ts";

test("what was asked for is marked, emotes stay emotes", () => {
  expect(
    quotePieces({ text: "ОН В ЛАВЕ KEKW лол", marks: [[5, 9]], emotes: [["bttv:1", "KEKW", 10, 13]] }),
  ).toEqual([
    { text: "ОН В ", marked: false },
    { text: "ЛАВЕ", marked: true },
    { text: " ", marked: false },
    { ref: "bttv:1", name: "KEKW", marked: false },
    { text: " лол", marked: false },
  ]);
});

test("an emote that the question named is marked itself", () => {
  expect(quotePieces({ text: "KEKW", marks: [[0, 4]], emotes: [["bttv:1", "KEKW", 0, 3]] })).toEqual([
    { ref: "bttv:1", name: "KEKW", marked: true },
  ]);
});

test("emotes count code points, marks count code units: a face before both shifts neither", () => {
  expect(quotePieces({ text: "😂 LUL lava", marks: [[7, 11]], emotes: [["twitch:1", "LUL", 2, 4]] })).toEqual(
    [
      { text: "😂 ", marked: false },
      { ref: "twitch:1", name: "LUL", marked: false },
      { text: " ", marked: false },
      { text: "lava", marked: true },
    ],
  );
});

test("marks and emotes beyond the text change nothing", () => {
  expect(quotePieces({ text: "hi", marks: [[5, 9]], emotes: [["t:1", "LUL", 4, 6]] })).toEqual([
    { text: "hi", marked: false },
  ]);
});

test("overlapping marks are one", () => {
  expect(
    quotePieces({
      text: "abcdef",
      marks: [
        [0, 3],
        [2, 5],
      ],
    }),
  ).toEqual([
    { text: "abcde", marked: true },
    { text: "f", marked: false },
  ]);
});
