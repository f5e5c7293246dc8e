import { describe, expect, test } from "vitest";
import type { TextKind } from "./embedder.ts";
import { cosineOf, embedderContract } from "./embedder.contract.ts";
import { openStatic } from "./static.ts";
import { keyOf, wordsOf } from "./words.ts";

embedderContract("our own static vectors", async () => ({ embedder: openStatic(), close: async () => {} }));

const embedder = openStatic();
async function nearestTo(
  asked: string,
  said: readonly string[],
  kind: TextKind = "passage",
): Promise<string> {
  const [question] = await embedder.embed([asked], "query");
  const passages = await embedder.embed(said, kind);
  const scores = passages.map((passage) => cosineOf(question!, passage));
  return said[scores.indexOf(Math.max(...scores))]!;
}

const SAID = [
  "KEKW he slipped right into the lava, burned alive",
  "lmao I can't stop laughing best joke",
  "omg that jumpscare, I screamed",
  "finally that boss is down, gg",
  "no sound, mic is dead",
  "happy bday, enjoy the cake",
];

describe("what is said in other words is found", () => {
  test.each([
    ["the moment he died in magma", 0],
    ["момент где он упал в лаву", 0],
    ["чат смеётся над шуткой", 1],
    ["он испугался скримера", 2],
    ["победа над боссом", 3],
    ["сломался микрофон", 4],
    ["с днём рождения, торт", 5],
  ])("%s", async (asked, right) => expect(await nearestTo(asked, SAID)).toBe(SAID[right]));
});

test("a name that no table has is found by its letters, also when it is misspelt or bent", async () => {
  const said = ["Жмурченко опять пришёл", "kappaprince just raided", "nothing of that kind"];
  expect(await nearestTo("Жмурченку", said)).toBe(said[0]);
  expect(await nearestTo("kapaprince", said)).toBe(said[1]);
});

test("other scripts find themselves", async () => {
  const said = ["これは面白いですね", "마지막 보스를 잡았다", "انتهت اللعبة"];
  for (const text of said) expect(await nearestTo(text.slice(0, 5), said)).toBe(text);
});

describe("the words of a text", () => {
  test.each([
    ["Nooooooo WAY!!!", ["noo", "way"]],
    ["ЁЖИК упал…", ["ежик", "упал"]],
    ["check https://example.org/x?y=1 now", ["check", "now"]],
    ["PogChamp ×137", ["pogchamp"]],
    ["ахахахах hahahaha хехехе LUL lololol", ["haha", "haha", "haha", "haha", "haha"]],
    ["don’t it's café", ["don't", "it", "cafe"]],
    ["йод ой", ["йод", "ой"]],
    ["🙂 ?! …", []],
    ["a".repeat(100), ["aa"]],
    ["1000000 2024", ["1000000", "2024"]],
    ["ｆｕｌｌ", ["full"]],
  ])("%s", (text, words) => expect(wordsOf(text)).toEqual(words));
  test("Russian words stand under their stem, others under themselves", () => {
    expect(["лавой", "лаву", "лавы"].map(keyOf)).toEqual(["лав", "лав", "лав"]);
    expect(["lava", "да", "gg"].map(keyOf)).toEqual(["lava", "да", "gg"]);
  });
});
