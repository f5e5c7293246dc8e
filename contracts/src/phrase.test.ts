import { expect, test } from "vitest";
import { phraseFinder } from "./phrase.ts";

test.each([
  ["noob trash", "you NOOB   trash lol", true],
  ["noob trash", "noob, trash!", true],
  ["noob trash", "nooooob trash", true],
  ["nooob trash", "noob trash", true],
  ["noob trash", "ｎｏｏｂ tr\u200bash", true],
  ["noob trash", "noob and trash", false],
  ["ass", "class", false],
  ["мусор", "Ну и МУСОР.", true],
  ["ёж", "еж", false],
  ["<b>", "<b>bold</b>", true],
  ["???", "what???", false],
  ["", "anything", false],
  ["a.*b", "a x b", false],
])("%j in %j: %s", (phrase, text, found) => expect(phraseFinder([phrase])(text)).toBe(found));

test("any of several phrases is enough, none finds nothing", () => {
  expect(phraseFinder(["x y", "gg ez"])("well, GG EZ then")).toBe(true);
  expect(phraseFinder([])("gg ez")).toBe(false);
});
