import { z } from "zod";
import { channelId, defineEvent } from "./event.ts";
import { MOODS } from "./moods.ts";

/**
 * What rose. Hype: `emote`, `mood`, `volume`. Not hype, and shown as such: `copypasta` (the same text from many),
 * `bots`, `raid`, `poll` ("1", "2", "yes").
 */
export const BURST_KINDS = ["emote", "mood", "volume", "copypasta", "bots", "raid", "poll"] as const;
export const HYPE_BURST_KINDS = [
  "emote",
  "mood",
  "volume",
] as const satisfies readonly (typeof BURST_KINDS)[number][];

/** Something far above its own baseline in one channel. Columns of `chat_bursts`. */
export const chatBurst = z.object({
  /** `<channelId>:<kind>:<subject>:<startMs>` */
  id: z.string(),
  channelId,
  kind: z.enum(BURST_KINDS),
  /** The emote's name, the mood, the repeated text (shortened); empty for volume. */
  subject: z.string(),
  /** Image of the emote, `<provider>:<id>`; empty where there is none. */
  emoteRef: z.string(),
  mood: z.enum(MOODS).nullable(),
  startMs: z.int(),
  peakMs: z.int(),
  /** End of the burst; equals the last measured second while `open`. */
  endMs: z.int(),
  /** When the detector said so, in event time: detection delay is detectedAtMs − startMs. */
  detectedAtMs: z.int(),
  /** A burst is emitted when it opens and again, same id, when it closes. */
  open: z.boolean(),
  count: z.int(),
  chatters: z.int(),
  /** Peak rate and baseline rate, per second. */
  peakRate: z.number(),
  baselineRate: z.number(),
  /** Ten seconds at the peak rate ÷ ten at the baseline rate, five lines added to both: "9.2× its usual". */
  times: z.number(),
  /** Robust z at the peak. */
  z: z.number(),
  /** Facts beside it, in numbers: `{ capsShare: 0.4, nearRepeatedShare: 0.7 … }`. */
  reasons: z.record(z.string(), z.number()),
});
export type ChatBurst = z.infer<typeof chatBurst>;

export const chatBursts = defineEvent("chat.burst", "partition", z.array(chatBurst));
