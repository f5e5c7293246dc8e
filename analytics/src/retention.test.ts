import { expect, test } from "vitest";
import { longestOf, tooOld } from "./retention.ts";

test("where all channels keep alike the tables' own age is enough", () => {
  expect(tooOld(24, new Map())).toBeNull();
  expect(tooOld(24, new Map([["1", 24]]))).toBeNull();
});

test("one that consented to more lengthens the tables, and the others' rows go as before", () => {
  const hours = new Map([["1", 720]]);
  expect(longestOf(24, hours)).toBe(720);
  expect(tooOld(24, hours)).toBe("storedAt < now() - toIntervalHour(multiIf(channelId = '1', 720, 24))");
});

test("one that keeps less loses its rows earlier", () => {
  const hours = new Map([["1", 2]]);
  expect(longestOf(24, hours)).toBe(24);
  expect(tooOld(24, hours)).toBe("storedAt < now() - toIntervalHour(multiIf(channelId = '1', 2, 24))");
});

test("a channel's id cannot say more than which channel", () => {
  expect(tooOld(24, new Map([["1' OR 1=1 --", 2]]))).not.toContain("'1'");
});
