import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MOODS } from "@hypecast/contracts/moods.ts";
import { FLAG } from "./pane.ts";
import moods from "./moods.json" with { type: "json" };
import { analysisOf, moodOfEmote, POLL_ANSWERS } from "./text.ts";

const of = (text: string) => analysisOf(text, "1");
const moodsIn = (text: string): string[] => MOODS.filter((_mood, at) => (of(text).moods & (1 << at)) !== 0);
const has = (text: string, flag: number): boolean => (of(text).flags & flag) !== 0;

test.each([
  ["KEKW", ["laugh"]],
  ["kekwait for it", []],
  ["lol", ["laugh"]],
  ["LOOOOOOL!!!", ["laugh"]],
  ["ahahahahah", ["laugh"]],
  ["АХАХАХ", ["laugh"]],
  ["хахпхахпха", ["laugh"]],
  ["jajajaja", ["laugh"]],
  ["kkkkkk", ["laugh"]],
  ["ㅋㅋㅋ", ["laugh"]],
  ["haha but also Sadge", ["laugh", "sad"]],
  ["hah", ["laugh"]],
  ["aha", []],
  ["PogChamp", ["hype"]],
  ["пог", ["hype"]],
  ["F", ["sad"]],
  ["monkaS", ["shock"]],
  ["WTF is this", ["shock"]],
  ["<3", ["love"]],
  ["DansGame", ["anger"]],
  ["какой кринж", ["cringe"]],
  ["lampHA", ["laugh"]],
  ["lampOH lampOH", ["shock"]],
  ["lampGO", ["hype"]],
  ["lampF", ["sad"]],
  ["lampLOVE", ["love"]],
  ["lampRAGE", ["anger"]],
  ["lampEW", ["cringe"]],
  ["nepuLul", ["laugh"]],
  ["iPhone", []],
  ["just a line", []],
])("%s shows %j", (text, expected) => {
  expect(moodsIn(text)).toEqual(expected);
});

test.each([
  ["love it", 1],
  ["это было хорошо", 1],
  ["not good", -1],
  ["не плохо", 1],
  ["don't like this", -1],
  ["ненавижу эту игру", -1],
  ["PepeHands", -1],
  ["KEKW", 1],
])("%s: sentiment has sign %i", (text, sign) => {
  expect(Math.sign(of(text).sentiment ?? 0)).toBe(sign);
});
test("a negation halves what it turns, and reaches two words", () => {
  expect(of("good").sentiment).toBe(500);
  expect(of("not good").sentiment).toBe(-250);
  expect(of("not very good").sentiment).toBe(-250);
  expect(of("not that it is good").sentiment).toBe(500);
});
test("a line without a word or emote that says good or bad has no sentiment, which is not 0", () => {
  expect(of("the door is open").sentiment).toBeNull();
  expect(of("good bad").sentiment).toBe(0);
});

test.each([
  ["what are you doing", 1],
  ["gg wp", 1],
  ["что ты делаешь", 2],
  ["дякую за стрім", 3],
  ["que pasa amigo", 3],
  ["das ist nicht wahr", 3],
  ["こんにちは", 3],
  ["안녕하세요", 3],
  ["KEKW KEKW", 0],
  ["123 !!!", 0],
  ["https://clips.twitch.tv/abc", 0],
])("%s is language %i", (text, language) => {
  expect(of(text).language).toBe(language);
});

describe("near repeats", () => {
  const alike = (a: string, b: string): boolean => of(a).nearKey === of(b).nearKey;
  test.each([
    ["so good", "SO GOOOOD!!!", true],
    ["KEKW", "KEKW KEKW KEKW", true],
    ["ахахах", "АХАХАХАХАХ", true],
    ["so good", "so bad", false],
    ["KEKW", "LULW", false],
    ["1", "2", false],
    [
      "this chat is brought to you by raid shadow legends today",
      "this chat is brought to you by RAID shadow legends today!!!",
      true,
    ],
    ["?", "!", false],
  ])("%s and %s: %s", (a, b, expected) => {
    expect(alike(a, b)).toBe(expected);
  });
});

test.each([
  ["where is the boss?", true],
  ["huh??", true],
  ["???", false],
  ["https://example.com/?", false],
])("%s: question %s", (text, expected) => {
  expect(has(text, FLAG.question)).toBe(expected);
});
test.each([
  ["https://example.com", true],
  ["look: www.example.org", true],
  ["discord.gg/abc", true],
  ["wait...what", false],
  ["v1.2", false],
  ["ok.", false],
])("%s: link %s", (text, expected) => {
  expect(has(text, FLAG.link)).toBe(expected);
});
test.each([
  ["LETS GOOO", true],
  ["ДА ЛАДНО", true],
  ["LETS go on", false],
  ["OK", false],
  ["KEKW OMEGALUL", false],
])("%s: capitals %s", (text, expected) => {
  expect(has(text, FLAG.caps)).toBe(expected);
});
test("commands, and texts long enough to be a copy", () => {
  expect(has("!play", FLAG.command)).toBe(true);
  expect(has("!!!", FLAG.command)).toBe(false);
  expect(has("one two three four five", FLAG.long)).toBe(true);
  expect(has("one two three four", FLAG.long)).toBe(false);
});
test.each([
  ["1", "1"],
  [" 2 ", "2"],
  ["да", "yes"],
  ["Yes", "yes"],
  ["нет", "no"],
  ["1 2", ""],
  ["10", ""],
])("%s answers a poll with %s", (text, answer) => {
  expect(POLL_ANSWERS[of(text).poll]).toBe(answer);
});

test("length counts code points, and neither what is invisible", () => {
  expect(of("привет").length).toBe(6);
  expect(of("😂😂 a").length).toBe(4);
  expect(of("hi \u{E0000}").length).toBe(3);
  expect(of("hi \u{E0000}").textKey).toBe(of("hi").textKey);
});

test("each emote and word stands under one mood only", () => {
  for (const kind of [moods.emotes, moods.suffixes, moods.words]) {
    const all = Object.values(kind).flatMap((texts) => texts.split(" "));
    expect(all.filter((text, at) => text === "" || all.indexOf(text) !== at)).toEqual([]);
  }
});
test("an emote's mood by its name", () => {
  expect(moodOfEmote("KEKW", "1")).toBe("laugh");
  expect(moodOfEmote("catNoMood", "1")).toBeNull();
});

test("no text breaks the scan, and the same text says the same again", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 600 }), (text) => {
      const first = of(text);
      expect(first.bare).toBeLessThanOrEqual(first.length);
      expect(of(text)).toEqual(first);
      if (first.sentiment !== null) expect(Math.abs(first.sentiment)).toBeLessThanOrEqual(1000);
    }),
  );
});
