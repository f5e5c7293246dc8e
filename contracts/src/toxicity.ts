import { z } from "zod";
import { channelId, defineEvent } from "./event.ts";

/** What a line may be, besides none of them. The order is that of the model's output `classes`. */
export const TOXICITY_CLASSES = [
  "insult",
  "identity",
  "threat",
  "sexual",
  "harassment",
  "self_harm",
  "spam",
] as const;
export type ToxicityClass = (typeof TOXICITY_CLASSES)[number];
export const LANGUAGES = ["en", "ru", "other"] as const;
export type Language = (typeof LANGUAGES)[number];

/** From this toxicity on a line is written out with its scores; below it, it is only counted. */
export const FLAGGED_FROM = 0.3;
/** From this toxicity on a line counts as toxic in rates, windows and spikes. */
export const TOXIC_FROM = 0.5;

const share = z.number().min(0).max(1);
/** Lines by class, by language: absent is none. */
export const classCounts = z.partialRecord(z.enum(TOXICITY_CLASSES), z.int());
export const languageCounts = z.partialRecord(z.enum(LANGUAGES), z.int());

/** One line that the model thinks worth a look. Columns of `toxicity_scores`. */
export const lineScore = z.object({
  /** The chat line's id. */
  lineId: z.string(),
  channelId,
  sentAtMs: z.int(),
  userId: z.string(),
  login: z.string(),
  name: z.string(),
  text: z.string(),
  /** The strongest class; `none` where it is toxic in no class that has a name. */
  class: z.enum([...TOXICITY_CLASSES, "none"]),
  /** Calibrated probability of that class. */
  confidence: share,
  /** Calibrated probability of any class. */
  toxicity: share,
  /** How bad it would be, 0–1, if it is what it seems. */
  severity: share,
  /** Probability that moderators of a large chat would act on it. */
  action: share,
  /** Probabilities of all classes, in the order of TOXICITY_CLASSES. */
  scores: z.array(share),
  /** What drives it: `[first, last]`, code points of `text`, both inclusive; null: the whole line. */
  span: z.tuple([z.int(), z.int()]).nullable(),
  language: z.enum(LANGUAGES),
  /** The same author's lines of the last minute, this one included. */
  authorLines: z.int(),
  /** Lines nearly the same in the last minute, by anybody, this one included. */
  copies: z.int(),
  /** Hash of the normalised text: near-copies share it. */
  near: z.int(),
  firstMessage: z.boolean(),
  /** A word of the game stands near: "kill him" is then no threat. */
  gameTerm: z.boolean(),
  /** The line's id that it answers; empty: none. */
  replyTo: z.string(),
  /** `<name>@<version>` */
  model: z.string(),
});
export type LineScore = z.infer<typeof lineScore>;

/**
 * What the task `toxicity` says of one pack of `chat.lines`, on the input log. A second run of the same pack says the same id. `unknown`
 * counts lines that were not scored (the model was away): they are neither toxic nor clean.
 */
export const toxicityScores = defineEvent(
  "toxicity.scores",
  "channel",
  z.object({
    /** `<channelId>:tox:<sequence of the pack on INPUT>` */
    id: z.string(),
    channelId,
    /** Event time of the pack's first and last line. */
    fromMs: z.int(),
    toMs: z.int(),
    /** Lines of the pack that are people's words: without bots, commands and lines of shared chat. */
    lines: z.int(),
    unknown: z.int(),
    /** Why lines are unknown; null when none is. */
    why: z.string().nullable(),
    languages: languageCounts,
    /** Toxicity ≥ FLAGGED_FROM, in the order of the pack. */
    flagged: z.array(lineScore),
    model: z.string(),
  }),
);
export type ToxicityScores = z.infer<typeof toxicityScores.schema>;

/** Ten seconds of one channel. Columns of `toxicity_windows`. Aligned to the epoch. */
export const TOXICITY_WINDOW_S = 10;
export const toxicityWindow = z.object({
  /** `<channelId>:tox:<startMs>` */
  id: z.string(),
  channelId,
  startMs: z.int(),
  sizeS: z.int(),
  /** Lines that were scored, and that could not be. */
  scored: z.int(),
  unknown: z.int(),
  toxic: z.int(),
  /** Different authors of toxic lines. */
  users: z.int(),
  classes: classCounts,
  languages: languageCounts,
  /** Toxic lines of people who had never written here. */
  newcomers: z.int(),
  /** The channel's own usual toxic lines a minute, and from where a spike begins; null: still learning. */
  usualPerMin: z.number().nullable(),
  spikeFromPerMin: z.number().nullable(),
  /** Seconds in which the source did not hear the channel. */
  gapS: z.number(),
});
export type ToxicityWindow = z.infer<typeof toxicityWindow>;
export const toxicityWindows = defineEvent("toxicity.window", "partition", z.array(toxicityWindow));

/** `toxicity` far above the channel's usual · `hate_raid` near-copies of hate over many new accounts in a short time · `flood` coordinated copies without hate · `follow_bots` accounts with machine-made names. */
export const SPIKE_KINDS = ["toxicity", "hate_raid", "flood", "follow_bots"] as const;
export type SpikeKind = (typeof SPIKE_KINDS)[number];
export const MEASURES = ["none", "slow", "followers", "subscribers", "shield", "timeouts"] as const;
export type Measure = (typeof MEASURES)[number];

/** Toxicity far above the channel's own normal. Columns of `toxicity_spikes`; a later version of the same id replaces the earlier. */
export const toxicitySpike = z.object({
  /** `<channelId>:spike:<kind>:<startMs>` */
  id: z.string(),
  channelId,
  version: z.int(),
  kind: z.enum(SPIKE_KINDS),
  state: z.enum(["open", "ended"]),
  startMs: z.int(),
  /** Null while it lasts. */
  endMs: z.int().nullable(),
  peakMs: z.int(),
  /** Toxic (or copied) lines since its start, of all that were scored then. */
  lines: z.int(),
  scored: z.int(),
  unknown: z.int(),
  /** Now, at the peak, and the channel's own usual range (10th to 90th percentile of minutes) and bound, a minute. */
  perMin: z.number(),
  peakPerMin: z.number(),
  usualPerMin: z.number(),
  usualLowPerMin: z.number(),
  usualHighPerMin: z.number(),
  fromPerMin: z.number(),
  /** `peakPerMin` over the usual. */
  times: z.number(),
  share: z.number(),
  usualShare: z.number(),
  users: z.int(),
  /** Of them: wrote here for the first time. */
  newUsers: z.int(),
  classes: classCounts,
  languages: languageCounts,
  /** Who writes most of it: `[userId, login, lines]`, most first, at most 12. */
  topUsers: z.array(z.tuple([z.string(), z.string(), z.int()])),
  /** What is said: `[text, lines, users]`, most first, at most 5. */
  phrases: z.array(z.tuple([z.string(), z.int(), z.int()])),
  /** One text, one argument, one person, many: what mostly drives it. */
  driver: z.enum(["one_phrase", "one_user", "few_users", "newcomers", "crowd"]),
  /** Suggested, never done by itself. */
  measure: z.enum(MEASURES),
  /** Of slow mode, followers-only or timeouts, in seconds; 0: none. */
  measureS: z.int(),
  /** Whom, where the measure is `timeouts`. */
  measureUsers: z.array(z.string()),
  /** Numbers behind the suggestion, by name: `copies`, `newcomersShare`, `topUsersShare` … */
  reasons: z.record(z.string(), z.number()),
  detectedAtMs: z.int(),
});
export type ToxicitySpike = z.infer<typeof toxicitySpike>;
export const toxicitySpikes = defineEvent("toxicity.spike", "partition", z.array(toxicitySpike));
