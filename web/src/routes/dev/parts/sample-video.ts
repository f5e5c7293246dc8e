import type { Clip } from "@hypecast/contracts/clip.ts";
import type { Moment, MomentDecision, ReactionLag } from "@hypecast/contracts/moment.ts";
import type { audio } from "@hypecast/contracts/question.ts";
import type { VideoShot } from "@hypecast/contracts/shot.ts";
import type { VideoState } from "@hypecast/contracts/video.ts";
import type { z } from "zod";
import { LOGIN, NOW_MS, START_MS } from "./sample.ts";

/** Invented picture, sound, moments and clips of the sample evening, the same at every call. No product page imports it. */
const CHANNEL = "1001";
const at = (second: number): number => START_MS + second * 1000;

export const sampleVideoState = (more: Partial<VideoState> = {}): VideoState => ({
  login: LOGIN,
  channelId: CHANNEL,
  state: "live",
  code: null,
  reason: null,
  sinceMs: START_MS,
  epoch: START_MS,
  lastSeq: 3065,
  newestMs: NOW_MS - 2000,
  oldestMs: at(1200),
  keptBytes: 4.1e9,
  ad: false,
  renditions: [{ width: 1920, height: 1080, bandwidth: 6e6 }],
  shed: false,
  ...more,
});

function moment(onsetS: number, more: Partial<Moment>): Moment {
  const onsetMs = at(onsetS);
  return {
    id: `${CHANNEL}:m:${onsetMs + 6000}`,
    channelId: CHANNEL,
    state: "final",
    version: 2,
    kind: "funny",
    origin: "chat",
    startMs: onsetMs - 8000,
    endMs: onsetMs + 16_000,
    onsetMs,
    peakMs: onsetMs + 6000,
    chatOnsetMs: onsetMs + 4800,
    lagMs: 4800,
    lagErrorMs: 1200,
    lagLearned: true,
    startSnap: "cut",
    endSnap: null,
    score: 88,
    subject: "lampHA",
    reasons: {
      "chat.times": 6.2,
      "chat.chatters": 143,
      "sound.onset": 7.4,
      "sound.voice": 0.72,
      "sound.aboveUsual": 6.1,
      "hype.value": 93,
    },
    senses: { chat: "ok", picture: "ok", sound: "ok", model: "ok" },
    marks: [],
    detectedAtMs: onsetMs + 9000,
    ...more,
  };
}
export const sampleMoments = (): (Moment & { decision: MomentDecision | null })[] =>
  [
    moment(6062, {}),
    moment(5911, {
      kind: "shock",
      subject: "lampOH",
      score: 74,
      reasons: { "chat.times": 4.1, "chat.chatters": 88, "picture.motion": 5.2, "model.action": 0.81 },
      senses: { chat: "ok", picture: "ok", sound: "ok", model: "unknown" },
    }),
    moment(5420, {
      kind: "marked",
      origin: "mark",
      subject: "",
      score: 91,
      marks: ["mark-1"],
      chatOnsetMs: null,
      reasons: {},
    }),
    moment(4358, {
      kind: "fail",
      subject: "laugh",
      score: 96,
      reasons: { "chat.times": 7.4, "chat.chatters": 212, "picture.cutsPerMin": 6, "chat.clipAsks": 3 },
    }),
    moment(3482, {
      kind: "shock",
      subject: "shock",
      score: 81,
      reasons: { "chat.times": 5.1, "chat.chatters": 121, "sound.aboveUsual": 4.2 },
      lagLearned: false,
      lagMs: 6000,
      lagErrorMs: 4000,
    }),
    moment(2260, {
      kind: "action",
      origin: "screen",
      subject: "",
      score: 46,
      chatOnsetMs: null,
      reasons: { "picture.motion": 6.8, "sound.onset": 3.1 },
      senses: { chat: "none", picture: "ok", sound: "ok", model: "ok" },
    }),
  ].map((one) => ({ ...one, decision: null }));

export const sampleLag = (): ReactionLag => ({
  id: "lag",
  channelId: CHANNEL,
  atMs: NOW_MS,
  lagMs: 4800,
  errorMs: 1200,
  learned: true,
  pairs: 31,
});

export function sampleShots(): VideoShot[] {
  const shots: VideoShot[] = [];
  let second = 1200;
  for (let i = 0; second < 6128; i++) {
    const long = 8 + ((i * 37) % 41);
    const ad = second > 4580 && second < 4700;
    const gap = second > 1870 && second < 1900;
    shots.push({
      id: `${CHANNEL}:${START_MS}:${at(second)}`,
      channelId: CHANNEL,
      epoch: START_MS,
      startMs: at(second),
      endMs: at(Math.min(6128, second + long)),
      cut: i % 6 === 0 ? "fade" : "hard",
      frames: long * 30,
      ad,
      scene: "game",
      sharpness: 0.6,
      exposure: 0.5,
      colourfulness: 0.5,
      noise: 0.1,
      cameraMotion: 0.3,
      objectMotion: 0.4,
      blackShare: 0,
      frozenShare: 0,
      cutsPerMin: 3,
      text: 0,
      novelty: 0.4,
      framesKeys: [],
    });
    second += long + (gap ? 110 : 0);
  }
  return shots;
}

export function sampleAudio(): z.infer<typeof audio.answer> {
  const columns = [];
  for (let second = 1200; second < 6128; second += 10) {
    const near = [1500, 2260, 3482, 4358, 5420, 5911, 6062].some((s) => second >= s && second < s + 30);
    columns.push({
      startMs: at(second),
      loudness: -18,
      aboveUsual: near ? 8 : Math.sin(second / 47) * 2.4 + Math.sin(second / 11),
      onset: near ? 6 : 0,
      voice: 0.4,
    });
  }
  return { stepMs: 10_000, columns };
}

export function sampleClip(n: number, more: Partial<Clip> = {}): Clip {
  return {
    login: LOGIN,
    momentId: null,
    kind: null,
    startMs: at(4350),
    endMs: at(4374),
    cut: "exact",
    picture: "video",
    layouts: ["16:9", "9:16"],
    cropX: 0.5,
    chat: {
      on: true,
      position: "right",
      size: 0.24,
      fontPx: 28,
      font: "sans",
      opacity: 0.5,
      shiftMs: null,
    },
    normalise: true,
    title: "",
    id: `sample-${n}`,
    channelId: CHANNEL,
    parts: [],
    titles: true,
    batch: null,
    createdAtMs: NOW_MS - n * 600_000,
    revision: 3,
    state: "ready",
    stage: null,
    progress: 1,
    etaS: null,
    attempt: 1,
    error: null,
    leftOut: [],
    files: [
      {
        layout: "16:9",
        key: `clips/sample-${n}/16x9.mp4`,
        bytes: 14e6,
        width: 1920,
        height: 1080,
        durationMs: 24_000,
        startMs: at(4350),
      },
      {
        layout: "9:16",
        key: `clips/sample-${n}/9x16.mp4`,
        bytes: 9e6,
        width: 608,
        height: 1080,
        durationMs: 24_000,
        startMs: at(4350),
      },
    ],
    thumbKey: `clips/sample-${n}/thumb.jpg`,
    readyAtMs: NOW_MS - n * 600_000 + 41_000,
    shareToken: null,
    twitchUrl: null,
    ...more,
  };
}
export const sampleClips = (): Clip[] => {
  const [lava, spikes] = [sampleMoments()[3], sampleMoments()[4]];
  return [
    sampleClip(0, {
      state: "running",
      stage: "render",
      progress: 0.63,
      etaS: 8,
      files: [],
      thumbKey: null,
      readyAtMs: null,
      momentId: lava?.id ?? null,
      kind: "fail",
      title: "Fell into the lava",
    }),
    sampleClip(1, {
      state: "queued",
      progress: 0,
      files: [],
      thumbKey: null,
      readyAtMs: null,
      startMs: at(5911),
      endMs: at(5935),
      kind: "shock",
    }),
    sampleClip(2, {
      state: "failed",
      progress: 0.4,
      files: [],
      thumbKey: null,
      readyAtMs: null,
      error: {
        code: "disk_full",
        detail: "ENOSPC while writing 16x9.mp4",
        action: "Free some space, then retry.",
      },
    }),
    sampleClip(3, {
      momentId: spikes?.id ?? null,
      kind: "shock",
      title: "Three spikes, blind",
      shareToken: "sharedtoken",
    }),
    sampleClip(4, {
      title: "Bad jump, good laugh",
      kind: "funny",
      layouts: ["16:9", "9:16-stacked"],
      leftOut: [{ fromMs: at(4360), toMs: at(4364), why: "ad" }],
    }),
    sampleClip(5, { cut: "instant", layouts: ["16:9"] }),
    sampleClip(6, { state: "cancelled", files: [], thumbKey: null, readyAtMs: null }),
  ];
};
