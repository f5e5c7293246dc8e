import { expect, it } from "vitest";
import { languageOf } from "./language.ts";
import { tokensOf } from "./normalise.ts";

it.each([
  ["hello there, nice game", "en"],
  ["gg", "en"],
  ["привет всем", "ru"],
  ["лол gg", "ru"],
  ["привіт усім", "other"],
  ["das ist nicht gut", "other"],
  ["você não joga nada", "other"],
  ["が好きです", "other"],
  ["😂😂 ???", "other"],
  ["that café is nice", "en"],
])("%s is taken for %s", (text, language) => {
  expect(languageOf(text, tokensOf(text))).toBe(language);
});
