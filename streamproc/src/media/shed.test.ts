import { expect, test } from "vitest";
import { CHECK_EVERY_MS, nothingShed, stepShed, type ChannelLoad, type ShedState } from "./shed.ts";

/** Channels "0" … with the priority of their number, all equally behind. */
const channels = (count: number, behindMs: number): ChannelLoad[] =>
  Array.from({ length: count }, (_, i) => ({ id: String(i), priority: i, behindMs }));

/** Checks one after the other, each with what is seen then; what was left out after each. */
function run(seen: (check: number, state: ShedState) => ChannelLoad[], checks: number): string[][] {
  let state = nothingShed(0);
  return Array.from({ length: checks }, (_, i) => {
    state = stepShed(state, seen(i, state), (i + 1) * CHECK_EVERY_MS, 10_000);
    return [...state.shed].toSorted();
  });
}

test("while nothing waits long nothing is left out", () => {
  expect(run(() => channels(5, 9000), 20).flat()).toEqual([]);
});

test("a backlog that is being worked off leaves nothing out, however old it is", () => {
  expect(run((i) => channels(5, 120_000 - i * CHECK_EVERY_MS * 0.5), 60).flat()).toEqual([]);
});

test("a backlog that grows costs the lowest priority first, one after the other, and never the last channel", () => {
  const left = run((i) => channels(4, 11_000 + i * 500), 20);
  expect(left.slice(0, 8)).toEqual([
    [],
    ["0"],
    ["0"],
    ["0", "1"],
    ["0", "1"],
    ["0", "1", "2"],
    ["0", "1", "2"],
    ["0", "1", "2"],
  ]);
  expect(left.at(-1)).toEqual(["0", "1", "2"]);
});

test("of many channels a tenth is left out at a time: a machine that carries half of forty is live again within a minute", () => {
  const left = run((i, { shed }) => channels(40, shed.size < 20 ? 11_000 + i * 500 : 500), 30);
  const enough = left.findIndex(({ length }) => length >= 20);
  expect((enough + 1) * CHECK_EVERY_MS).toBeLessThanOrEqual(30_000);
});

test("a backlog that stands still grows too: the viewer is as far behind as before", () => {
  expect(run(() => channels(3, 30_000), 4).at(-1)).not.toEqual([]);
});

test("calm again, channels come back one by one, the highest priority first", () => {
  // Behind until two are left out, then calm.
  let calm = false;
  const left = run((i, { shed }) => {
    calm ||= shed.size === 2;
    return channels(4, calm ? 500 : 11_000 + i * 500);
  }, 40);
  const sizes = left.map(({ length }) => length);
  expect(Math.max(...sizes)).toBe(2);
  expect(left.at(-1)).toEqual([]);
  expect(left.findLast(({ length }) => length === 1)).toEqual(["0"]);
});

test("a return that was too early makes the next one wait longer", () => {
  // A machine that carries three of four channels.
  let behindMs = 0;
  const left = run((_i, { shed }) => {
    behindMs = Math.max(0, behindMs + (shed.size === 0 ? 3000 : -4000));
    return channels(4, behindMs);
  }, 300);
  const returns = left.flatMap(({ length }, i) => (i > 0 && length < left[i - 1]!.length ? [i] : []));
  const waits = returns.slice(1).map((at, i) => at - returns[i]!);
  expect(waits.length).toBeGreaterThan(2);
  expect(waits.at(-1)!).toBeGreaterThan(waits[0]! * 2);
});

test("a channel that is gone is not left out any more", () => {
  const state = { ...nothingShed(0), shed: new Set(["7"]) };
  expect([...stepShed(state, channels(2, 0), 2000, 10_000).shed]).toEqual([]);
});
