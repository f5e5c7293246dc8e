import { expect, test } from "vitest";
import { namedIn } from "./named.ts";

const lol = namedIn({ userId: "12", login: "lol" });
const quiet = namedIn({ userId: "34", login: "quiet_one" });

test.each([
  ['{"userId":"12"}', true],
  ['{"login":"lol"}', true],
  ["hey @lol stop", true],
  ["hey @LOL", true],
  ["that was funny lol", false],
  ["@lolly", false],
  ['{"count":12}', false],
])("a name that is also a word: %s", (text, named) => {
  expect(lol(text)).toBe(named);
});

test.each([
  ["where is quiet_one today", true],
  ["Quiet_One!", true],
  ["quiet_ones", false],
  ["not_quiet_one", false],
])("a name that is only a name: %s", (text, named) => {
  expect(quiet(text)).toBe(named);
});
