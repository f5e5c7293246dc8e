import { z } from "zod";
import { channelId, defineEvent } from "./event.ts";
import { MOODS } from "./moods.ts";

/** Panes (1 s) are the atoms; the longer windows are sums of panes. Aligned to the epoch. */
export const WINDOW_SIZES_S = [1, 10, 30, 60] as const;
export type WindowSizeS = (typeof WINDOW_SIZES_S)[number];

/** Lines that showed a mood, by mood. Absent: none did. */
export const moodCounts = z.partialRecord(z.enum(MOODS), z.int());

/** Features of a stretch of one channel's chat, [startMs, startMs + sizeS · 1000) in event time. Columns of `chat_windows`. */
export const chatWindow = z.object({
  /** `<channelId>:<sizeS>:<startMs>` */
  id: z.string(),
  channelId,
  startMs: z.int(),
  sizeS: z.int(),
  messages: z.int(),
  chatters: z.int(),
  /** chatters is exact up to a bound, beyond it a HyperLogLog estimate. */
  chattersEstimated: z.boolean(),
  /** Twitch's first-msg tag: chatters who never wrote here before. */
  firstTimers: z.int(),
  /** `[ref, name, uses]`, most used first, at most 20. */
  emotes: z.array(z.tuple([z.string(), z.string(), z.int()])),
  /** Uses of emotes, all names. */
  emoteUses: z.int(),
  /** Share of lines that are nothing but emotes, 0–1. */
  emoteShare: z.number(),
  moods: moodCounts,
  /** Mean sentiment of the lines that have one, −1 … 1. */
  sentiment: z.number(),
  /** Lines that have a sentiment. */
  sentimentLines: z.int(),
  /** Mean length in code points. */
  meanLength: z.number(),
  /** Share of lines whose exact text was there already in this window. */
  repeatedShare: z.number(),
  /** Share of lines nearly the same as one in this window (exact ones included). */
  nearRepeatedShare: z.number(),
  /** Share of lines mostly in capitals. */
  capsShare: z.number(),
  questions: z.int(),
  links: z.int(),
  bits: z.int(),
  subs: z.int(),
  /** Viewers that came by raid. */
  raiders: z.int(),
  /** Lines by language, by script and function words. */
  languages: z.object({ en: z.int(), ru: z.int(), other: z.int() }),
  /** Seconds of the window in which the source did not hear the channel: above 0 the window is incomplete, not low. */
  gapS: z.number(),
  /** Lines that came after their window had been closed; counted in the window that was open when they came. */
  late: z.int(),
  /** Third-party emote sets in force at the end. */
  emoteSet: z.string(),
});
export type ChatWindow = z.infer<typeof chatWindow>;

/** Final windows of a partition's channels, as the fold closed them. */
export const chatWindows = defineEvent("chat.window", "partition", z.array(chatWindow));
