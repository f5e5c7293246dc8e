import { assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { MOST_CODE_POINTS, plainText, tokensOf } from "./normalise.ts";

const words = (text: string): string[] =>
  tokensOf(text)
    .filter(({ kind }) => kind === "word" || kind === "reading")
    .map((token) => token.text);

describe("a line's words", () => {
  it.each([
    [
      "full-width, mathematical and small letters",
      "ｉｄｉｏｔ 𝓲𝓭𝓲𝓸𝓽 ɪᴅɪᴏᴛ 🅸🅳🅸🅾🆃",
      ["idiot", "idiot", "idiot", "idiot"],
    ],
    ["signs that are not seen", "id\u200bi\u2060ot\ufeff", ["idiot"]],
    ["marks over letters", "i\u0336d\u0334i\u0336o\u0337t\u0338", ["idiot"]],
    ["Cyrillic and Greek letters in a Latin word", "idiоt idiοt", ["idiot", "idiot"]],
    ["Latin letters in a Russian word", "дyрaк", ["дурак"]],
    ["Russian words as they are", "сок кот рост Ёлка йод", ["сок", "кот", "рост", "елка", "йод"]],
    ["runs", "nooooooob", ["noob", "nob"]],
    ["an apostrophe within a word", "don't you’re", ["dont", "youre"]],
    ["regional indicators in a row, not flags", "🇮🇩🇮🇴🇹 🇷🇺", ["idiot"]],
  ])("are read through %s", (_, text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it.each([
    ["digits for letters", "1d1ot", ["1d1ot", "idiot"]],
    ["signs for letters", "b@d d@y", ["b", "d", "bad", "d", "y", "day"]],
    ["letters set apart", "n o o b here", ["n", "o", "o", "b", "noob", "here"]],
    ["dots between letters", "n.o.o.b", ["n", "o", "o", "b", "noob", "noob"]],
    ["a star for letters", "n**b", ["n", "b", "n*b"]],
  ])("stand beside their reading where there are %s", (_, text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it.each(["15k", "3v3", "gg2", "2x", "100%", "hey!", "10/10"])("%s has no other reading", (text) => {
    expect(tokensOf(text).some(({ kind }) => kind === "reading")).toBe(false);
  });

  it("leave out names and addresses, which say nothing of the line", () => {
    expect(
      tokensOf("@some_idiot look at https://idiot.example/x and idiot.com").map(({ kind }) => kind),
    ).toEqual(["mention", "word", "word", "link", "word", "link"]);
  });

  it("leave emotes whole, by the places that Twitch gives", () => {
    const tokens = tokensOf("😀 idiotDance yes", [[2, 11]]);
    expect(tokens.map(({ kind, text }) => [kind, text])).toEqual([
      ["sign", "😀"],
      ["emote", "idiotDance"],
      ["word", "yes"],
    ]);
  });
});

it("near-copies have one plain text", () => {
  const copies = [
    "Buy GOLD here!",
    "buy gold here !!!",
    "BUY  ＧＯＬＤ  here!!",
    "b\u200buy gold here! buy gold",
  ];
  expect(new Set(copies.map((text) => plainText(tokensOf(text)))).size).toBe(1);
  expect(plainText(tokensOf("buy silver here!"))).not.toBe(plainText(tokensOf(copies[0]!)));
});

it("whatever is written, tokens lie in order within the line and nothing is thrown", () => {
  assert(
    property(string({ unit: "binary", maxLength: 80 }), (text) => {
      const length = Math.min(MOST_CODE_POINTS, Array.from(text).length);
      let before = 0;
      for (const { kind, first, last } of tokensOf(text)) {
        expect(first).toBeGreaterThanOrEqual(0);
        expect(last).toBeGreaterThanOrEqual(first);
        expect(last).toBeLessThan(length);
        if (kind === "reading") continue;
        expect(first).toBeGreaterThanOrEqual(before);
        before = last;
      }
    }),
    { numRuns: 500, seed: 1 },
  );
});
