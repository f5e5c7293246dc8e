import { expect, test } from "vitest";
import { newer, withNews } from "./records.ts";

test("the higher revision counts, whichever came last", () => {
  const old = { id: "a", revision: 3, text: "old" };
  const news = { id: "a", revision: 4, text: "new" };
  expect(newer(old, news)).toBe(news);
  expect(newer(news, old)).toBe(news);
  expect(newer(null, old)).toBe(old);
});

test("news of some records leaves the others as they are", () => {
  const known = new Map([
    ["a", { id: "a", revision: 3 }],
    ["b", { id: "b", revision: 1 }],
  ]);
  const next = withNews(known, [
    { id: "a", revision: 2 },
    { id: "c", revision: 1 },
  ]);
  expect([...next.values()].map(({ id, revision }) => `${id}${revision}`)).toEqual(["a3", "b1", "c1"]);
  expect(known.size).toBe(2);
});
