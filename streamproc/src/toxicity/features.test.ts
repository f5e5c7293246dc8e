import { describe, expect, it } from "vitest";
import { BUCKETS, nearOf, PIECES, WINDOW, windowsOf, WORD_BUCKETS, WORDS } from "./features.ts";
import { tokensOf } from "./normalise.ts";

const numbersOf = (text: string): Set<number> =>
  new Set(windowsOf(tokensOf(text)).flatMap(({ numbers }) => [...numbers].filter((number) => number > 0)));

describe("a window", () => {
  it("holds whole numbers within the model's tables, nothing but zeros behind them", () => {
    for (const { numbers, words } of windowsOf(
      tokensOf("hello there, how are you doing today? 😀 ëñ привет"),
    )) {
      const end = numbers.indexOf(0);
      expect(end).toBeGreaterThan(20);
      expect(numbers.subarray(end).every((number) => number === 0)).toBe(true);
      expect(numbers.every((number) => Number.isInteger(number) && number < BUCKETS)).toBe(true);
      expect(words.every((number) => Number.isInteger(number) && number < WORD_BUCKETS)).toBe(true);
      expect([numbers.length, words.length]).toEqual([WINDOW, WORDS * PIECES]);
    }
  });

  it("has each number once, however often its word is said", () => {
    const [once] = windowsOf(tokensOf("LUL LUL"));
    const [often] = windowsOf(tokensOf("LUL ".repeat(15)));
    expect([...often!.numbers]).toEqual([...once!.numbers]);
  });

  it("of an empty line is there and empty", () => {
    const windows = windowsOf([]);
    expect(windows).toHaveLength(1);
    expect(windows[0]!.numbers.every((number) => number === 0)).toBe(true);
  });
});

it("a long line is read whole and in short pieces, in windows that overlap and are never too many", () => {
  const tokens = tokensOf(Array.from({ length: 40 }, (_, i) => `word${"abcdefghij"[i % 10]}${i}`).join(" "));
  const windows = windowsOf(tokens);
  expect(windows[0]!.from).toBe(0);
  const starts = windows.flatMap(({ from }, i) => (from === 0 ? [i] : []));
  expect(starts).toHaveLength(2);
  for (const [i, window] of windows.entries())
    if (!starts.includes(i)) expect(window.from).toBeLessThan(windows[i - 1]!.to);
  expect(windowsOf(tokensOf("hello you ".repeat(5)))).toHaveLength(1);
  expect(windowsOf(tokensOf("a1b2 ".repeat(300))).length).toBeLessThanOrEqual(20);
});

it("a word that was split shares its number with the whole word", () => {
  const whole = numbersOf("idiot");
  const word = windowsOf(tokensOf("idiot"))[0]!.numbers[0]!;
  expect(whole.has(word)).toBe(true);
  expect(numbersOf("idi ot").has(word)).toBe(true);
});

it("mistyped words keep their consonants or their letters", () => {
  const shared = (a: string, b: string): number => {
    const [one, other] = [numbersOf(a), numbersOf(b)];
    return [...one].filter((number) => other.has(number)).length;
  };
  expect(shared("moron", "moiron")).toBeGreaterThan(shared("moron", "maroon"));
  expect(shared("useless", "useelss")).toBeGreaterThan(4);
});

it("the numbers are those that the model was trained on", () => {
  const [window] = windowsOf(tokensOf("You are an Idi0t"));
  expect([...window!.numbers].filter((number) => number > 0).slice(0, 12)).toMatchInlineSnapshot(`
    [
      117889,
      115053,
      9038,
      34838,
      27374,
      65341,
      118394,
      61087,
      99868,
      86042,
      83672,
      36119,
    ]
  `);
  expect([...window!.words].filter((number) => number > 0).slice(0, 12)).toMatchInlineSnapshot(`
    [
      9685,
      17233,
      64122,
      32311,
      39000,
      53308,
      28037,
      31214,
      1673,
      34766,
      33112,
      48912,
    ]
  `);
});

it("near-copies have one hash, a whole number that JSON keeps", () => {
  const near = nearOf(tokensOf("Hello THERE!"));
  expect(nearOf(tokensOf("hello there !!!!"))).toBe(near);
  expect(Number.isSafeInteger(near)).toBe(true);
  expect(nearOf(tokensOf("hello you"))).not.toBe(near);
});
