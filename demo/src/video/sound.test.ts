import { expect, test } from "vitest";
import { mainEvents } from "../world.ts";
import { jumps, speech } from "./shots.ts";
import { RATE, silences, soundOf } from "./sound.ts";

/** Loudness of a stretch as dB of full scale, root mean square. */
function level(fromMs: number, toMs: number): number {
  const samples = soundOf((fromMs * RATE) / 1000, ((toMs - fromMs) * RATE) / 1000);
  return 10 * Math.log10(samples.reduce((sum, value) => sum + value * value, 0) / samples.length + 1e-12);
}
const eventAt = (id: string): number => mainEvents.find((event) => event.id === id)?.atMs ?? Number.NaN;

test("any stretch sounds as it does within a longer one, to the bit", () => {
  const from = (eventAt("lava-1") - 500) * 48;
  const whole = soundOf(from, RATE * 2);
  const pieces = [0, 1, 2, 3].map((i) => soundOf(from + (i * RATE) / 2, RATE / 2));
  expect(
    Buffer.concat(pieces.map(({ buffer }) => Buffer.from(buffer))).equals(Buffer.from(whole.buffer)),
  ).toBe(true);
});

test("the technical pause is silence, and nothing else is", () => {
  for (const { fromMs, toMs } of silences) {
    expect(level(fromMs, toMs)).toBeLessThan(-100);
    expect(level(fromMs - 2_000, fromMs)).toBeGreaterThan(-40);
    expect(level(toMs, toMs + 2_000)).toBeGreaterThan(-40);
  }
  for (let ms = 1_000; ms < 1_800_000; ms += 61_000)
    if (!silences.some(({ fromMs, toMs }) => ms + 4_000 > fromMs && ms < toMs))
      expect(level(ms, ms + 4_000), `at ${ms} ms`).toBeGreaterThan(-40);
});

test.each(["lava-1", "spikes", "death", "boss-miss", "win"])(
  "%s is far louder than the music before it",
  (id) => {
    const atMs = eventAt(id);
    expect(level(atMs, atMs + 1_500)).toBeGreaterThan(level(atMs - 6_000, atMs - 2_000) + 6);
  },
);

test("samples stay within full scale, and both channels are heard", () => {
  const samples = soundOf((eventAt("win") * RATE) / 1000, RATE * 3);
  const channel = (which: number): number =>
    samples.reduce((most, value, i) => (i % 2 === which ? Math.max(most, Math.abs(value)) : most), 0);
  for (const which of [0, 1]) {
    expect(channel(which)).toBeGreaterThan(0.5);
    expect(channel(which)).toBeLessThanOrEqual(1);
  }
});

test("who speaks is heard over the music; nobody speaks under an ad or in the pause", () => {
  for (const { event, fromMs, toMs } of speech) {
    if (event.startsWith("near")) continue;
    expect(level(fromMs, toMs), event).toBeGreaterThan(-24);
  }
  expect(speech.some(({ event }) => event === "ad" || event === "pause")).toBe(false);
});

test("a jump is one of the script's, or the one into the lava", () => {
  expect(jumps.length).toBeGreaterThan(300);
});
