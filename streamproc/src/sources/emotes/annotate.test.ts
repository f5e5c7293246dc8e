import * as fc from "fast-check";
import { expect, test } from "vitest";
import { annotate } from "./annotate.ts";

const none = new Map<string, string>();
const names = new Map([
  ["KEKW", "bttv:1"],
  ["catJAM", "7tv:2"],
  ["Kappa", "ffz:3"],
  ["😂x", "7tv:4"],
]);

test.each([
  [
    "Kappa hello Kappa",
    "25:0-4,12-16",
    [
      ["twitch:25", "Kappa", 0, 4],
      ["twitch:25", "Kappa", 12, 16],
    ],
  ],
  [
    "a Keepo Kappa",
    "25:8-12/1902:2-6",
    [
      ["twitch:1902", "Keepo", 2, 6],
      ["twitch:25", "Kappa", 8, 12],
    ],
  ],
  [
    "😂Kappa😂 &Kappa",
    "25:1-5/25:9-13",
    [
      ["twitch:25", "Kappa", 1, 5],
      ["twitch:25", "Kappa", 9, 13],
    ],
  ],
  ["👩‍🚀👩‍🚀 forsenE", "emotesv2_a:7-13", [["twitch:emotesv2_a", "forsenE", 7, 13]]],
])("Twitch's positions count code points: %s", (text, tag, expected) => {
  expect(annotate(text, tag, none)).toEqual(expected);
});

test.each([
  "25:04",
  "25:4-0",
  "25:0-5",
  "25:-1-3",
  "25:0-99999999999",
  "25",
  ":0-4",
  "25:a-b",
  "//:,;",
  "25:1.0-2",
])("a tag that is wrong (%s) annotates nothing", (tag) => {
  expect(annotate("Kappa", tag, none)).toBeNull();
});

test("third-party emotes are whole words, with case", () => {
  expect(annotate("KEKW catJAM", "", names)).toEqual([
    ["bttv:1", "KEKW", 0, 3],
    ["7tv:2", "catJAM", 5, 10],
  ]);
  expect(annotate("kekw KEKW! xKEKW catjam", "", names)).toBeNull();
  expect(annotate("😂😂 KEKW  😂x KEKW", "", names)).toEqual([
    ["bttv:1", "KEKW", 3, 6],
    ["7tv:4", "😂x", 9, 10],
    ["bttv:1", "KEKW", 12, 15],
  ]);
});

test("where both claim a word it is Twitch's", () => {
  expect(annotate("Kappa KEKW Kappa", "25:0-4", names)).toEqual([
    ["twitch:25", "Kappa", 0, 4],
    ["bttv:1", "KEKW", 6, 9],
    ["ffz:3", "Kappa", 11, 15],
  ]);
});

test("every annotation names exactly the code points that stand at its positions", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.constantFrom(...names.keys(), "", " ", "ё", "👨‍👩‍👧"),
          fc.string({ unit: "binary", maxLength: 5 }),
        ),
      ),
      fc.array(fc.tuple(fc.nat(40), fc.nat(8))),
      (words, ranges) => {
        const text = words.join(" ");
        const tag = `25:${ranges.map(([at, length]) => `${at}-${at + length}`).join(",")}`;
        const points = Array.from(text);
        for (const [, name, first, last] of annotate(text, tag, names) ?? [])
          expect(points.slice(first, last + 1).join("")).toBe(name);
      },
    ),
  );
});

test("a line that is one long emote is bounded", () => {
  expect(annotate("KEKW ".repeat(10_000), "", names)?.length).toBe(250);
});
