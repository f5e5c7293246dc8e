import { z } from "zod";
import { channelId, defineEvent } from "./event.ts";

export const SCENE_CLASSES = ["game", "menu", "talking_head", "break", "other"] as const;
/** `continued` is no cut: what shows one picture for long is reported in parts, so that nobody waits for its end. */
export const CUT_KINDS = ["start", "hard", "fade", "gap", "continued"] as const;
export type CutKind = (typeof CUT_KINDS)[number];
export type SceneClass = (typeof SCENE_CLASSES)[number];

/** Frames between two cuts, or a part of them. Columns of `shots`. */
export const videoShot = z.object({
  /** `<channelId>:<epoch>:<startMs>` */
  id: z.string(),
  channelId,
  epoch: z.int(),
  startMs: z.int(),
  endMs: z.int(),
  /** How it began. `gap`: after a stretch without picture. */
  cut: z.enum(CUT_KINDS),
  frames: z.int(),
  ad: z.boolean(),
  scene: z.enum(SCENE_CLASSES),
  /** 0–1 unless said otherwise; how each is computed stands in docs/video.md. */
  sharpness: z.number(),
  exposure: z.number(),
  colourfulness: z.number(),
  noise: z.number(),
  cameraMotion: z.number(),
  objectMotion: z.number(),
  /** Share of frames that are one colour, and share of its time in which nothing moves. */
  blackShare: z.number(),
  frozenShare: z.number(),
  /** Cuts (hard and fade) in the minute before its end. */
  cutsPerMin: z.number(),
  text: z.number(),
  /** 1 − likeness to the most similar of the shots before it; 1: never seen. */
  novelty: z.number(),
  /** Keys in `objects` of the sampled frames of its segments, oldest first, at most 8 (spread evenly where there are more): what `score-shots` looks at. */
  framesKeys: z.array(z.string()),
});
export type VideoShot = z.infer<typeof videoShot>;
export const videoShots = defineEvent("video.shot", "partition", z.array(videoShot));

/** What a model says of a shot. Written by the task `score-shots`. Columns of `shot_scores`. */
export const shotScore = defineEvent(
  "shot.score",
  "channel",
  z.object({
    /** The shot's. */
    id: z.string(),
    channelId,
    startMs: z.int(),
    endMs: z.int(),
    /** `<name>@<version>`. */
    model: z.string(),
    /** 0–1 each; null: unknown, the scorer did not answer. Never a low score instead. */
    action: z.number().nullable(),
    quality: z.number().nullable(),
    novelty: z.number().nullable(),
    /** Why unknown; null otherwise. */
    unknown: z.enum(["scorer_down", "late", "bad_answer", "no_frames"]).nullable(),
  }),
);
export type ShotScore = z.infer<typeof shotScore.schema>;
