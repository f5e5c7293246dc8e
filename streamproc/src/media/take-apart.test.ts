import { expect, test } from "vitest";
import { NotMedia, type SegmentBytes } from "./frame-source.ts";
import { msBetween } from "./streams.ts";
import { takeApart } from "./take-apart.ts";
import { bytesOf, plain } from "./test-footage.ts";

/** Lehmer's: the same numbers in every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 16_807) % 2_147_483_647) % below;
}

function damaged(bytes: Buffer, random: (below: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  const hits = 1 + random(40);
  for (let i = 0; i < hits; i++) {
    // Headers are where it hurts: every other hit is near the beginning.
    const at = i % 2 === 0 ? random(Math.min(2000, copy.length)) : random(copy.length);
    copy[at] = random(3) === 0 ? 0xff : random(256);
  }
  return random(3) === 0 ? copy.subarray(0, random(copy.length)) : copy;
}

for (const container of ["ts", "fmp4"] as const)
  test(`${container}: however damaged, it is taken apart or is no media`, () => {
    const stream = plain(6, container);
    const [before, good] = [bytesOf(stream, 0), bytesOf(stream, 1)];
    const random = randomFrom(container === "ts" ? 1 : 2);
    let apart = 0;
    for (let round = 0; round < 400; round++) {
      const bad: SegmentBytes = {
        container,
        media: damaged(good.media, random),
        init: good.init === null || round % 2 === 0 ? good.init : damaged(good.init, random),
      };
      try {
        const { video, audio } = takeApart({
          ...bad,
          durationMs: 2000,
          before: round % 3 === 0 ? bad : before,
        });
        apart++;
        for (const { data } of [...(video?.units ?? []), ...(audio?.units ?? [])])
          expect(data.length).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(NotMedia);
      }
    }
    expect(apart).toBeGreaterThan(100);
  });

test("both containers hold the same units", () => {
  const [ts, fmp4] = [bytesOf(plain(6), 1), bytesOf(plain(6, "fmp4"), 1)].map((bytes) =>
    takeApart({ ...bytes, durationMs: 2000, before: null }),
  );
  expect(fmp4!.video!.units.map(({ atMs }) => Math.round(atMs))).toEqual(
    ts!.video!.units.map(({ atMs }) => Math.round(atMs)),
  );
  expect([fmp4!.audioTracks, ts!.audioTracks]).toEqual([1, 1]);
});

test("time goes on where the container's clock of 33 bits starts over", () => {
  expect(msBetween(2 ** 33 - 90, 90)).toBe(2);
  expect(msBetween(90, 2 ** 33 - 90)).toBe(-2);
  expect(msBetween(0, 90_000)).toBe(1000);
});
