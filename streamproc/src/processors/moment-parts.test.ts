import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { VideoMeasured } from "@hypecast/contracts/measured.ts";
import { SIGNATURE_BYTES } from "../signals/signature.ts";
import { KnownVideo } from "./known-video.ts";
import { kindOf } from "./moment-kind.ts";
import { onsetOf } from "./moment-onset.ts";
import { scoreOf, type ScoreParts } from "./moment-score.ts";
import { LONGEST_MS, SHORTEST_MS, spanOf } from "./moment-span.ts";
import { asksForClip, markIn } from "./moment-words.ts";
import { Onsets, type ScreenOnset } from "./onsets.ts";

describe("where a clip begins and ends", () => {
  const none = { cuts: [], silences: [], ads: [] };
  test("from the set-up before the onset until the reaction has decayed", () => {
    expect(spanOf(100_000, 6000, 125_000, none)).toEqual({
      startMs: 94_000,
      endMs: 125_000,
      startSnap: null,
      endSnap: null,
    });
  });
  test("at a cut within three seconds, else in a silence; the nearest one", () => {
    const cuts = [90_900, 92_000, 95_000, 127_000];
    expect(spanOf(100_000, 6000, 125_000, { ...none, cuts })).toMatchObject({
      startMs: 95_000,
      startSnap: "cut",
      endMs: 127_000,
      endSnap: "cut",
    });
    const silences = [96_500, 123_500];
    expect(spanOf(100_000, 6000, 125_000, { ...none, silences })).toMatchObject({
      startMs: 96_500,
      startSnap: "silence",
      endMs: 123_500,
      endSnap: "silence",
    });
    expect(spanOf(100_000, 6000, 125_000, { ...none, cuts: [91_000, 97_001] }).startMs).toBe(91_000);
    expect(spanOf(100_000, 6000, 125_000, { ...none, cuts: [90_999, 97_001] }).startSnap).toBeNull();
  });
  test("not at a cut after the event, or right at it", () => {
    const { startMs } = spanOf(100_000, 2500, 125_000, { ...none, cuts: [99_000, 100_000] });
    expect(startMs).toBe(97_500);
  });
  test("outside of advertisements", () => {
    const ads = [
      { fromMs: 60_000, toMs: 97_000 },
      { fromMs: 120_000, toMs: 150_000 },
    ];
    expect(spanOf(100_000, 6000, 125_000, { ...none, ads })).toMatchObject({
      startMs: 97_000,
      endMs: 120_000,
    });
  });
  test("15 to 60 s long, and the event inside, whatever there is to snap to", () => {
    const times = fc.array(fc.integer({ min: 0, max: 300_000 }), { maxLength: 30 });
    fc.assert(
      fc.property(
        fc.integer({ min: 100_000, max: 200_000 }),
        fc.integer({ min: 2000, max: 8000 }),
        fc.integer({ min: -20_000, max: 150_000 }),
        times,
        times,
        (onsetMs, setupMs, lastsMs, cuts, silences) => {
          const { startMs, endMs } = spanOf(onsetMs, setupMs, onsetMs + lastsMs, { cuts, silences, ads: [] });
          expect(endMs - startMs).toBeGreaterThanOrEqual(SHORTEST_MS);
          expect(endMs - startMs).toBeLessThanOrEqual(LONGEST_MS);
          expect(startMs).toBeLessThanOrEqual(onsetMs - 1500);
          expect(startMs).toBeGreaterThanOrEqual(onsetMs - setupMs - 3000);
          expect(endMs).toBeGreaterThan(onsetMs);
        },
      ),
    );
  });
});

describe("when it happened on screen", () => {
  const onset = (atMs: number, perS: number, sense: ScreenOnset["sense"] = "sound"): ScreenOnset => ({
    sense,
    atMs,
    strength: 8,
    perS,
  });
  test("where the lag points, when nothing stands out there", () => {
    expect(onsetOf(100_000, 2000, 105_000, [])).toEqual({ onsetMs: 100_000, causes: [] });
    expect(onsetOf(100_000, 2000, 105_000, [onset(90_000, 0.001)]).causes).toEqual([]);
    expect(onsetOf(100_000, 2000, 105_000, [onset(101_000, 0.9)]).causes).toEqual([]);
  });
  test("at what is rare for the channel, before what is common and nearer", () => {
    const found = onsetOf(100_000, 4000, 105_000, [onset(100_000, 0.1), onset(98_000, 0.002)]);
    expect(found.onsetMs).toBe(98_000);
  });
  test("where sound and picture begin together, at the first of them", () => {
    const found = onsetOf(100_000, 4000, 105_000, [
      onset(98_000, 0.01),
      onset(98_600, 0.01, "cut"),
      onset(101_500, 0.012),
    ]);
    expect(found.onsetMs).toBe(98_000);
    expect(found.causes).toHaveLength(2);
  });
  test("never after chat had begun to react", () => {
    expect(onsetOf(100_000, 8000, 103_000, [onset(104_000, 0.001)]).onsetMs).toBe(100_000);
  });
});

describe("kind", () => {
  const clues = { moods: {}, chat: true, marked: false, stopped: false, loud: false };
  test.each([
    [{ moods: { laugh: 40, shock: 12 } }, "funny"],
    [{ moods: { laugh: 12, shock: 40 } }, "shock"],
    [{ moods: { laugh: 40 }, stopped: true }, "fail"],
    [{ moods: { shock: 40 }, stopped: true }, "shock"],
    [{}, "hype"],
    [{ chat: false, marked: true }, "marked"],
    [{ chat: false, loud: true }, "loud"],
    [{ chat: false }, "action"],
  ] as const)("%j is %s", (some, kind) => {
    expect(kindOf({ ...clues, ...some })).toBe(kind);
  });
});

describe("score", () => {
  const unknown: ScoreParts = {
    times: null,
    people: null,
    z: null,
    hype: null,
    soundOnset: null,
    loudness: null,
    pictureOnset: null,
    action: null,
  };
  const half: ScoreParts = { ...unknown, times: 0.5, hype: 0.5 };
  test("what is unknown counts neither for nor against", () => {
    expect(scoreOf(half, 0, "chat", false)).toBe(50);
    expect(scoreOf({ ...half, soundOnset: 0 }, 0, "chat", false)).toBeLessThan(50);
    expect(scoreOf(unknown, 0, "mark", false)).toBe(0);
  });
  test("asks for a clip raise it, three at most; a mark puts it above all that nobody marked but the very best", () => {
    expect(scoreOf(half, 2, "chat", false)).toBe(60);
    expect(scoreOf(half, 20, "chat", false)).toBe(65);
    expect(scoreOf(unknown, 0, "mark", true)).toBe(90);
    expect(scoreOf(half, 0, "chat", true)).toBe(95);
  });
  test("from picture and sound alone it is at most 60, and always 0 to 100", () => {
    expect(scoreOf({ ...unknown, soundOnset: 1, loudness: 1 }, 0, "screen", false)).toBe(60);
    expect(scoreOf({ ...half, times: 1, hype: 1 }, 9, "chat", true)).toBe(100);
  });
});

describe("words", () => {
  test.each([
    "clip that",
    "CLIP IT",
    "someone clip pls",
    "!clip",
    "clipped",
    "clip clip clip",
    "Клип!",
    "клипаните",
    "ЗАКЛИПАЙТЕ это",
    "chat clip it",
  ])("%s asks for a clip", (text) => {
    expect(asksForClip(text)).toBe(true);
  });
  test.each([
    "eclipse that",
    "that clip of the crowd",
    "her hair clip",
    "clip through the map",
    "paperclip it",
    "клиповое мышление",
    "новый клип группы",
    "",
  ])("%s does not", (text) => {
    expect(asksForClip(text)).toBe(false);
  });
  test("hostile lines cost no time", () => {
    const started = process.cpuUsage().user;
    asksForClip("clip ".repeat(100_000));
    asksForClip(`clip${"!".repeat(500_000)}x`);
    expect(process.cpuUsage().user - started).toBeLessThan(2_000_000);
  });
  test("a mark's label is what stands behind the command, shortened", () => {
    const line = { id: "1", channelId: "7", sentAtMs: 1, userId: "1", login: "mod", badges: "moderator/1" };
    expect(markIn({ ...line, text: "!mark  the fall " })).toBe("the fall");
    expect(markIn({ ...line, text: "!метка" })).toBe("");
    expect(markIn({ ...line, text: `!mark ${"x".repeat(500)}` })).toHaveLength(80);
    expect(markIn({ ...line, text: "!marked" })).toBeNull();
    expect(markIn({ ...line, text: "mark" })).toBeNull();
    expect(markIn({ ...line, badges: "vip/1,not-moderator/1", text: "!mark" })).toBeNull();
  });
});

describe("what is known of the video", () => {
  const piece = (fromMs: number, failed: VideoMeasured["failed"] = null): VideoMeasured =>
    ({
      id: "7:0:1",
      channelId: "7",
      epoch: 0,
      seq: 1,
      startMs: fromMs,
      durationMs: 2000,
      discontinuity: false,
      ad: false,
      failed,
      picture: failed === null ? STILL : null,
      sound: null,
      framesKey: null,
      thumbKey: null,
    }) satisfies VideoMeasured;
  const STILL: NonNullable<VideoMeasured["picture"]> = {
    atMs: [],
    signatures: "",
    width: 284,
    height: 160,
    detail: { atMs: [], sharpness: [], exposure: [], colourfulness: [], noise: [], text: [] },
  };
  const segment = (known: KnownVideo, measured: VideoMeasured): void => {
    known.segment({ ...measured, analysis: null, source: null });
    known.measured(measured);
  };
  test("what is measured is ok, what is not is unknown, what the stream lacks is none", () => {
    const known = new KnownVideo();
    expect(known.sense("picture", 1_000_000, 1_001_000)).toBe("none");
    segment(known, piece(1_000_000));
    segment(known, piece(1_002_010));
    segment(known, piece(1_004_000, "timeout"));
    expect(known.sense("picture", 1_001_000, 1_003_000)).toBe("ok");
    expect(known.sense("sound", 1_001_000, 1_003_000)).toBe("none");
    expect(known.sense("picture", 1_003_000, 1_005_000)).toBe("unknown");
    expect(known.sense("picture", 1_006_000, 1_007_000)).toBe("unknown");
    expect(known.sense("picture", 2_000_000, 2_001_000)).toBe("none");
  });
  test("spans are bounded and forgotten", () => {
    const known = new KnownVideo();
    for (let i = 0; i < 500; i++)
      known.gap({
        id: "g",
        channelId: "7",
        epoch: 0,
        fromMs: i * 10_000,
        toMs: i * 10_000 + 1000,
        reason: "missed",
        detail: "",
      });
    expect(known.holes.length).toBeLessThanOrEqual(32);
    known.forget(1e9);
    expect(known.holes).toEqual([]);
  });
});

test("a picture that begins to move is an onset; one that flickers, or a single cut, is none", () => {
  const onsets = new Onsets();
  const found: ScreenOnset[] = [];
  let value = 100;
  /** Two seconds at ten frames a second, each `step` away from the one before. */
  const show = (startMs: number, step: (i: number) => number): void => {
    const bytes = new Uint8Array(20 * SIGNATURE_BYTES);
    for (let i = 0; i < 20; i++) {
      value = (value + step(i)) % 200;
      bytes.fill(value, i * SIGNATURE_BYTES, (i + 1) * SIGNATURE_BYTES);
    }
    found.push(
      ...onsets.measured({
        id: "1",
        channelId: "7",
        epoch: 0,
        seq: startMs / 2000,
        startMs,
        durationMs: 2000,
        discontinuity: false,
        ad: false,
        failed: null,
        picture: {
          atMs: Array.from({ length: 20 }, (_, i) => i * 100),
          signatures: Buffer.from(bytes).toString("base64"),
          width: 284,
          height: 160,
          detail: { atMs: [], sharpness: [], exposure: [], colourfulness: [], noise: [], text: [] },
        },
        sound: null,
        framesKey: null,
        thumbKey: null,
      }),
    );
  };
  for (let at = 0; at < 60; at += 2) show(at * 1000, (i) => i % 2);
  show(60_000, (i) => (i === 7 ? 60 : i % 2));
  expect(found).toEqual([]);
  show(62_000, () => 9);
  show(64_000, () => 9);
  show(66_000, (i) => i % 2);
  expect(found).toHaveLength(1);
  expect(found[0]!.sense).toBe("motion");
  expect(found[0]!.atMs).toBeGreaterThanOrEqual(62_000);
  expect(found[0]!.atMs).toBeLessThan(63_100);
});
