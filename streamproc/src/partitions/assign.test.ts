import { expect, test } from "vitest";
import { assign } from "./assign.ts";

const keys = Array.from({ length: 32 }, (_, i) => String(i));
const loads = (owners: Map<string, string>): number[] => {
  const load = new Map<string, number>();
  for (const owner of owners.values()) load.set(owner, (load.get(owner) ?? 0) + 1);
  return [...load.values()].toSorted((a, b) => a - b);
};

test.each([1, 2, 3, 5, 31, 32])("with %i members each has its share and no more", (n) => {
  const members = Array.from({ length: n }, (_, i) => `m${i}`);
  const owners = assign(keys, members);
  expect([...owners.keys()].toSorted()).toEqual(keys.toSorted());
  expect(Math.max(...loads(owners))).toBeLessThanOrEqual(Math.ceil(32 / n));
});

test("the order in which members and keys are listed changes nothing", () => {
  const a = assign(keys, ["x", "y", "z"]);
  const b = assign(keys.toReversed(), ["z", "x", "y"]);
  expect(Object.fromEntries(a)).toEqual(Object.fromEntries(b));
});

test("when a member goes, most of what others have stays with them", () => {
  const members = ["a", "b", "c", "d"];
  let moved = 0;
  for (const gone of members) {
    const before = assign(keys, members);
    const after = assign(
      keys,
      members.filter((member) => member !== gone),
    );
    for (const [key, owner] of before) if (owner !== gone && after.get(key) !== owner) moved++;
  }
  expect(moved / (4 * 24)).toBeLessThan(0.2);
});

test("without members nobody owns anything", () => {
  expect(assign(keys, []).size).toBe(0);
});
