import { expect, test } from "vitest";
import { addressOf, filterFrom, isFiltered, NO_FILTER, queryOf } from "./filter.ts";

const from = (address: string) => filterFrom(new URLSearchParams(address));

test("an address and a filter say the same", () => {
  const filter = {
    status: "error",
    channel: "pepel_lamp",
    text: "лава & co",
    from: "2026-10-01",
    to: "2026-11-30",
    sort: "longest",
  } as const;
  expect(filterFrom(new URL(addressOf(filter), "http://x").searchParams)).toEqual(filter);
  expect(addressOf(NO_FILTER)).toBe("/library");
});

test("what an address does not say right says nothing", () => {
  expect(from("status=lost&channel=../etc&text=%20&from=2026-02-31&to=soon&sort=by%20luck")).toEqual(
    NO_FILTER,
  );
});

test("days are whole days of the reader's clock, both ends inside", () => {
  const { after, before } = queryOf({ ...NO_FILTER, from: "2026-10-01", to: "2026-10-01" });
  const noon = new Date(2026, 9, 1, 12).getTime();
  expect(after).toBe(new Date(2026, 9, 1).getTime() - 1);
  expect(before).toBe(new Date(2026, 9, 2).getTime());
  expect(noon > (after ?? 0) && noon < (before ?? 0)).toBe(true);
});

test("an order hides nothing", () => {
  expect(isFiltered({ ...NO_FILTER, sort: "oldest" })).toBe(false);
  expect(isFiltered({ ...NO_FILTER, text: "lava" })).toBe(true);
});
