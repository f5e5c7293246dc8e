import { expect, test } from "vitest";
import type { QueueCase } from "@hypecast/contracts/mod-change.ts";
import { compare, newer, nextOpen, NO_PART, rowsOf, settled, wanting, type Part, type Tab } from "./queue.ts";

const desk: QueueCase["desk"] = {
  status: "open",
  entryId: null,
  act: null,
  by: null,
  atMs: null,
  why: null,
  reviewedBy: [],
  notes: 0,
};
const one = (id: string, more: Partial<QueueCase> = {}): QueueCase =>
  ({ id, version: 1, severity: "alert", lastAtMs: 1000, desk, ...more }) as QueueCase;
const part = (ids: string[], next: string | null = null): Part => ({ ids, next, loaded: true });
const parts = (more: Partial<Record<Tab, Part>>): Record<Tab, Part> => ({
  critical: NO_PART,
  alert: NO_PART,
  watch: NO_PART,
  done: NO_PART,
  ...more,
});
const keys = (tab: Tab, more: Partial<Record<Tab, Part>>): string[] =>
  rowsOf(tab, parts(more)).map(({ key }) => key);

test("worst first, and of the same severity the newest", () => {
  const sorted = [
    one("old"),
    one("mild", { severity: "watch", lastAtMs: 9000 }),
    one("new", { lastAtMs: 2000 }),
    one("worst", { severity: "critical", lastAtMs: 1 }),
  ].toSorted(compare);
  expect(sorted.map(({ id }) => id)).toEqual(["worst", "new", "old", "mild"]);
});

test("a tab goes on into the milder severities, but only behind its own last case", () => {
  expect(keys("critical", { critical: part(["a"]), alert: part(["b"], "more") })).toEqual([
    "a",
    "end critical",
    "b",
  ]);
  expect(keys("critical", { critical: part(["a"], "more"), alert: part(["b"]) })).toEqual(["a"]);
  expect(keys("critical", { critical: part([]), alert: part([]), watch: part(["c"]) })).toEqual([
    "end alert",
    "c",
  ]);
  expect(keys("done", { done: part(["d"]), critical: part(["a"]) })).toEqual(["d"]);
});

test("what is asked for next is the first part that is not whole", () => {
  expect(wanting("critical", parts({ critical: part(["a"], "more") }))).toBe("critical");
  expect(wanting("critical", parts({ critical: part(["a"]) }))).toBe("alert");
  expect(wanting("alert", parts({ alert: part([]), watch: part([]) }))).toBeNull();
});

test("moving on passes what is decided and the lines between severities", () => {
  const rows = rowsOf("critical", parts({ critical: part(["a", "b"]), alert: part(["c"]) }));
  expect(nextOpen(rows, 0, 1, (id) => id !== "b")).toBe("c");
  expect(nextOpen(rows, 3, -1, (id) => id === "a")).toBe("a");
  expect(nextOpen(rows, 3, 1, () => true)).toBeNull();
});

test("an older version of a case never takes the place of a newer one", () => {
  const known = one("a", { version: 3 });
  expect(newer(known, one("a", { version: 2 }))).toBe(known);
  expect(newer(known, one("a", { version: 4 })).version).toBe(4);
});

test("what one person has looked at is left for the others; what Twitch did not do is left to everybody", () => {
  expect(settled({ ...desk, reviewedBy: ["ana"] }, "ana")).toBe(true);
  expect(settled({ ...desk, reviewedBy: ["ana"] }, "me")).toBe(false);
  expect(settled({ ...desk, status: "refused" }, "me")).toBe(false);
  expect(settled({ ...desk, status: "doubtful" }, "me")).toBe(false);
  expect(settled({ ...desk, status: "recommended" }, "me")).toBe(true);
});
