import { z } from "zod";
import { chatBurst } from "./burst.ts";
import { chatLine } from "./chat.ts";
import { channelId } from "./event.ts";
import { forecastOutcome, hypeForecast } from "./hype.ts";
import { moment, reactionLag } from "./moment.ts";
import { eraseQuestions } from "./question-erase.ts";
import { shotScore, videoShot } from "./shot.ts";
import { chatWindow, moodCounts } from "./window.ts";

/** A question to the analysts' store: asked over NATS request/reply on `ask.<name>`, answered by one file in analytics/src/questions/. */
export interface Question<Ask extends z.ZodType = z.ZodType, Answer extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly ask: Ask;
  readonly answer: Answer;
}
function defineQuestion<Ask extends z.ZodType, Answer extends z.ZodType>(
  name: string,
  ask: Ask,
  answer: Answer,
): Question<Ask, Answer> {
  return { name, ask, answer };
}
export const questionSubject = (question: Question): string => `ask.${question.name}`;

/** What comes back: the answer, or why there is none. */
export const questionFailure = z.object({
  /** `bad_question` the asker's fault · `store_down`, `too_slow` try again later. */
  error: z.enum(["bad_question", "store_down", "too_slow", "internal"]),
  detail: z.string(),
});
export type QuestionFailure = z.infer<typeof questionFailure>;

const span = z.object({ channelId, fromMs: z.int(), toMs: z.int() });

/**
 * Heatmap of any span at a fitting resolution: at most `columns` columns. A column without a row of chat_windows is `null`
 * in `messagesPerMin` (not measured), which is another thing than 0 (nobody wrote).
 */
export const heatmap = defineQuestion(
  "heatmap",
  span.extend({ columns: z.int().min(1).max(2000) }),
  z.object({
    channelId,
    fromMs: z.int(),
    toMs: z.int(),
    stepMs: z.int(),
    columns: z.array(
      z.object({
        startMs: z.int(),
        messagesPerMin: z.number().nullable(),
        hype: z.number().nullable(),
        chatters: z.number().nullable(),
        /** The strongest mood of the column against the channel's usual, null when none stands out. */
        mood: z.string().nullable(),
        moods: moodCounts,
        gapS: z.number(),
      }),
    ),
  }),
);

export const windows = defineQuestion(
  "windows",
  span.extend({ sizeS: z.int(), limit: z.int().min(1).max(5000) }),
  z.object({ windows: z.array(chatWindow) }),
);

export const bursts = defineQuestion(
  "bursts",
  span.extend({ limit: z.int().min(1).max(1000) }),
  z.object({ bursts: z.array(chatBurst) }),
);

export const topEmotes = defineQuestion(
  "top_emotes",
  span.extend({ limit: z.int().min(1).max(100) }),
  z.object({
    emotes: z.array(z.object({ ref: z.string(), name: z.string(), uses: z.int(), lastUsedMs: z.int() })),
    /** Counting began here: an emote that is missing may only be older. */
    trackedSinceMs: z.int().nullable(),
  }),
);

/** "What happened then": a click on the heatmap. Raw lines only while they are kept (24 h by default). */
export const momentAt = defineQuestion(
  "moment_at",
  z.object({ channelId, atMs: z.int(), aroundS: z.int().min(5).max(300) }),
  z.object({
    fromMs: z.int(),
    toMs: z.int(),
    messages: z.int(),
    chatters: z.int(),
    hype: z.number().nullable(),
    gapS: z.number(),
    moods: moodCounts,
    emotes: z.array(z.object({ ref: z.string(), name: z.string(), uses: z.int() })),
    bursts: z.array(chatBurst),
    lines: z.array(chatLine.extend({ similar: z.int() })),
    /** False when the raw lines of that time are no longer kept. */
    linesKept: z.boolean(),
  }),
);

/** How the forecast has done: its last `limit` calls, hit rate and coverage. */
export const forecastRecord = defineQuestion(
  "forecast_record",
  z.object({ channelId, sinceMs: z.int(), limit: z.int().min(1).max(200) }),
  z.object({
    /** The last forecasts of a minute ahead, newest last: was the minute that came inside its band? */
    calls: z.array(forecastOutcome),
    hits: z.int(),
    /** Over the span: share of measured rates inside their band, by horizon in minutes. Null: none yet. */
    coverage: z.array(z.object({ minutes: z.int(), inside: z.number().nullable(), n: z.int() })),
    precision: z.number().nullable(),
    recall: z.number().nullable(),
    n: z.int(),
  }),
);

export const forecasts = defineQuestion(
  "forecasts",
  span.extend({ limit: z.int().min(1).max(5000) }),
  z.object({ forecasts: z.array(hypeForecast) }),
);

/** One small line a channel for the list: messages per minute of the last `minutes`, null where unmeasured. */
export const sparklines = defineQuestion(
  "sparklines",
  z.object({ channelIds: z.array(channelId).max(1000), minutes: z.int().min(5).max(240) }),
  z.object({
    sparklines: z.array(
      z.object({
        channelId,
        stepMs: z.int(),
        startMs: z.int(),
        messagesPerMin: z.array(z.number().nullable()),
        /** Hype of the same steps, which colours the line; absent where the answerer does not know it. */
        hype: z.array(z.number().nullable()).optional(),
      }),
    ),
  }),
);

/** The time of the first and last measured window of a channel: where its heatmap begins. */
export const extent = defineQuestion(
  "extent",
  z.object({ channelId }),
  z.object({ firstMs: z.int().nullable(), lastMs: z.int().nullable(), messages: z.int() }),
);

/** Shots that touch a span, oldest first, with their scores where a model gave some. */
export const shots = defineQuestion(
  "shots",
  span.extend({ limit: z.int().min(1).max(5000) }),
  z.object({ shots: z.array(videoShot.extend({ score: shotScore.schema.nullable() })) }),
);

/** Loudness and onsets of a span in at most `columns` columns; null: no sound was measured there. */
export const audio = defineQuestion(
  "audio",
  span.extend({ columns: z.int().min(1).max(2000) }),
  z.object({
    stepMs: z.int(),
    columns: z.array(
      z.object({
        startMs: z.int(),
        loudness: z.number().nullable(),
        aboveUsual: z.number().nullable(),
        onset: z.number().nullable(),
        voice: z.number().nullable(),
      }),
    ),
  }),
);

/** The latest version of each moment that begins in a span, newest first; withdrawn ones are left out. */
export const momentList = defineQuestion(
  "moments",
  span.extend({ limit: z.int().min(1).max(1000) }),
  z.object({ moments: z.array(moment), lag: reactionLag.nullable() }),
);

/** Lines of a span as they were sent, oldest first; those that a moderator removed are left out. For clips and their preview. */
export const chatSpan = defineQuestion(
  "chat_span",
  span.extend({ limit: z.int().min(1).max(20_000) }),
  z.object({ lines: z.array(chatLine), complete: z.boolean() }),
);

/** What the store holds of an imported stream's channel, for its record and its card. Counts are of what is stored now. */
export const vodFacts = defineQuestion(
  "vod_facts",
  span.extend({ columns: z.int().min(1).max(240) }),
  z.object({
    lines: z.int(),
    chatters: z.int(),
    /** Latest versions that were not withdrawn. */
    moments: z.int(),
    chunks: z.int(),
    /** Chunks that have a vector of the model in use. */
    embedded: z.int(),
    /** The span in `columns` equal columns: messages a minute and hype, null where nothing was measured. */
    rate: z.array(z.number().nullable()),
    hype: z.array(z.number().nullable()),
    /** The moment with the highest score, and a line of its reaction. */
    best: z.object({ atMs: z.int(), kind: z.string(), subject: z.string(), quote: z.string() }).nullable(),
    /** Up to here lines, final windows and chunks of the span are stored; null: none is. */
    linesUpToMs: z.int().nullable(),
    windowsUpToMs: z.int().nullable(),
    chunksUpToMs: z.int().nullable(),
  }),
);

/**
 * Removes every row of an imported stream's channel from every table, its vectors too. Whoever asks has seen to it that nothing more of it
 * comes, and asks again until nothing is left.
 */
export const forgetChannel = defineQuestion(
  "forget_channel",
  z.object({ channelId: channelId.regex(/^vod-/, "only an imported stream is forgotten") }),
  z.object({
    /** Rows that are still there, by table; tables without any are not named. */
    left: z.record(z.string(), z.int()),
  }),
);

export const questions = [
  heatmap,
  windows,
  bursts,
  topEmotes,
  momentAt,
  forecastRecord,
  forecasts,
  sparklines,
  extent,
  shots,
  audio,
  momentList,
  chatSpan,
  vodFacts,
  forgetChannel,
  ...eraseQuestions,
] as const;
