import { expect, test } from "vitest";
import { loadSeen, nothingSeen, saveSeen, SEEN_LINES, SEEN_MS, seenBefore } from "./seen.ts";

test("a line that comes again is known, another one is not", () => {
  const seen = nothingSeen();
  expect(seenBefore(seen, "a", 1000)).toBe(false);
  expect(seenBefore(seen, "b", 1000)).toBe(false);
  expect(seenBefore(seen, "a", 2000)).toBe(true);
});

test("the last 2,048 lines are known however fast they came, and more than twice as many are not kept", () => {
  const seen = nothingSeen();
  const lines = 10_000;
  for (let i = 0; i < lines; i++) expect(seenBefore(seen, `id-${i}`, 1000)).toBe(false);
  for (let i = lines - SEEN_LINES; i < lines; i++) expect(seenBefore(seen, `id-${i}`, 1000)).toBe(true);
  expect(seenBefore(seen, `id-${lines - 2 * SEEN_LINES - 1}`, 1000)).toBe(false);
  expect(saveSeen(seen).keys.length).toBeLessThanOrEqual(2 * SEEN_LINES);
});

test("an id is known for 15 s of event time, and forgotten after twice that", () => {
  const seen = nothingSeen();
  seenBefore(seen, "a", SEEN_MS);
  seenBefore(seen, "b", 2 * SEEN_MS + 1);
  expect(seenBefore(seen, "a", 2 * SEEN_MS + 2)).toBe(true);
  seenBefore(seen, "c", 3 * SEEN_MS + 3);
  expect(seenBefore(seen, "a", 3 * SEEN_MS + 4)).toBe(false);
});

test("saved and loaded, it answers as if it had never stopped", () => {
  let saved = nothingSeen();
  const kept = nothingSeen();
  for (let i = 0; i < 9000; i++) {
    // every third line comes twice
    const id = `id-${i % 3 === 0 ? Math.max(0, i - 700) : i}`;
    expect(seenBefore(saved, id, i * 11)).toBe(seenBefore(kept, id, i * 11));
    if (i % 500 === 0) {
      const { sinceMs, young, keys } = saveSeen(saved);
      saved = loadSeen(sinceMs, young, keys);
    }
  }
});
