import { expect, test } from "vitest";
import { gstreamerEnv } from "./appsink.ts";
import { openFfmpeg } from "./ffmpeg.ts";
import { frameSourceContract } from "./frame-source.contract.ts";
import { openGstreamer } from "./gstreamer.ts";
import { bytesOf, plain } from "./test-footage.ts";

Object.assign(process.env, gstreamerEnv);
frameSourceContract("gstreamer", openGstreamer);
frameSourceContract("ffmpeg", () => openFfmpeg()!);

test("both see and hear the same", async () => {
  const stream = plain(6);
  const request = { ...bytesOf(stream, 1), durationMs: 2000, before: bytesOf(stream, 0) };
  const [a, b] = [await openGstreamer().decode(request), await openFfmpeg()!.decode(request)];
  const difference = (one: ArrayLike<number>, other: ArrayLike<number>): number => {
    let sum = 0;
    for (let i = 0; i < one.length; i++) sum += Math.abs(one[i]! - other[i]!);
    return sum / one.length;
  };
  for (const [i, { rgb, atMs }] of a.frames.entries()) {
    expect(atMs).toBeCloseTo(b.frames[i]!.atMs, 1);
    // Of 255, on a picture of nothing but hard edges in full colours, whose chroma their scalers place differently.
    expect(difference(rgb, b.frames[i]!.rgb)).toBeLessThan(10);
  }
  for (const [i, { rgb }] of a.detail.entries()) expect(difference(rgb, b.detail[i]!.rgb)).toBeLessThan(4);
  expect(a.sound!.preroll).toBe(b.sound!.preroll);
  expect(difference(a.sound!.samples, b.sound!.samples)).toBeLessThan(0.0005);
});
