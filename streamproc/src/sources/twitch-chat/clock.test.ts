import { expect, test } from "vitest";
import { BELIEVED_MS, twitchClock } from "./clock.ts";

const HOUR = 3_600_000;
/** Twitch's clock is T0 when ours says 0. */
const T0 = 1_760_000_000_000;

function settledClock(delayMs = 100) {
  const clock = twitchClock();
  for (let i = 0; i < 40; i++) clock.sent(T0 + i * 1000, i * 1000 + delayMs);
  return clock;
}

test("knows nothing before anybody has told it, not even from the local clock", () => {
  const clock = twitchClock();
  expect(clock.at(0)).toBeNull();
  expect(clock.sent(0, 5)).toBeNull();
});

test("follows the lines, less their delay, and runs on in silence", () => {
  const clock = settledClock(100);
  expect(clock.at(39_100)).toBe(T0 + 39_000);
  expect(clock.at(39_100 + HOUR)).toBe(T0 + 39_000 + HOUR);
});

test("a Date header serves until the first lines, then no longer", () => {
  const clock = twitchClock();
  clock.dated(T0, 0);
  expect(clock.at(1000)).toBe(T0 + 1000);
  expect(clock.uncertainMs()).toBe(1000);
  clock.sent(T0 + 4400, 4000);
  clock.dated(T0 + HOUR, 4000);
  expect(clock.at(5000)).toBe(T0 + 5400);
  expect(clock.uncertainMs()).toBe(0);
});

test.each([HOUR * 3, -HOUR * 3, BELIEVED_MS + 1500, -BELIEVED_MS - 1500])(
  "a line %d ms off is filed under the estimate and does not move it",
  (off) => {
    const clock = settledClock(0);
    for (let i = 0; i < 100; i++) {
      expect(clock.sent(T0 + 40_000 + i + off, 40_000 + i)).toEqual({
        atMs: T0 + 40_000 + i,
        believed: false,
      });
      expect(clock.sent(T0 + 40_000 + i, 40_000 + i)).toEqual({ atMs: T0 + 40_000 + i, believed: true });
    }
    expect(clock.at(50_000)).toBe(T0 + 50_000);
  },
);

test("a server that jumps back for hours is filed under the estimate all the time", () => {
  const clock = settledClock(0);
  for (let s = 40; s < 4000; s++)
    expect(clock.sent(T0 + s * 1000 - 2 * HOUR, s * 1000)?.atMs).toBe(T0 + s * 1000);
});

test("a server that jumps ahead is not believed for a minute, then it is (our monotonic clock has stood still)", () => {
  const clock = settledClock(0);
  for (let s = 40; s < 100; s++)
    expect(clock.sent(T0 + s * 1000 + HOUR, s * 1000)).toEqual({ atMs: T0 + s * 1000, believed: false });
  expect(clock.sent(T0 + 100_000 + HOUR, 100_000)).toEqual({ atMs: T0 + 100_000 + HOUR, believed: true });
  expect(clock.at(101_000)).toBe(T0 + 101_000 + HOUR);
});

test("one fitting line in that minute and the jump is not believed", () => {
  const clock = settledClock(0);
  for (let s = 40; s < 200; s++) {
    expect(clock.sent(T0 + s * 1000 + HOUR, s * 1000)?.believed).toBe(false);
    if (s % 50 === 0) clock.sent(T0 + s * 1000, s * 1000);
  }
});

test("a forged first line is outvoted by the fifth that disagrees", () => {
  const clock = twitchClock();
  clock.sent(T0 + 5 * HOUR, 0);
  for (let i = 1; i <= 5; i++) clock.sent(T0 + i * 1000, i * 1000);
  expect(clock.at(6000)).toBe(T0 + 6000);
});

test("lines forged a little ahead cannot drive the clock ahead of real ones", () => {
  const clock = settledClock(100);
  for (let s = 40; s < 400; s++) {
    clock.sent(T0 + s * 1000, s * 1000 + 100);
    if (s % 6 === 0) clock.sent(T0 + s * 1000 + 50_000, s * 1000 + 101);
  }
  expect(clock.at(400_100)).toBeLessThanOrEqual(T0 + 400_000);
});
