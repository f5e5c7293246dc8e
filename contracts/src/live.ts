import { z } from "zod";
import { channelId } from "./event.ts";
import { HYPE_STATES, hypeForecast } from "./hype.ts";
import { moodCounts } from "./window.ts";

/**
 * What a channel's chat looks like this instant. Provisional: sent over core NATS about ten times a second while lines
 * come (once a second in silence), never stored. `live.<channelId>`.
 */
export const liveTick = z.object({
  channelId,
  /** Event time of the tick (newest second that the fold has seen). */
  atMs: z.int(),
  /** Epoch of the counter below: changes when another worker took the channel over from its checkpoint. */
  run: z.string(),
  /** Lines counted since the channel was first seen. Never falls inside one run: nothing lost is checked with it. */
  lines: z.int(),
  /** The newest line's clocks, for latency: Twitch's, and ours when it left the socket. */
  newestSentAtMs: z.int().nullable(),
  newestReceivedAtMs: z.int().nullable(),
  state: z.enum(HYPE_STATES),
  /** Provisional hype 0–100; null as in `hypeValue`. */
  value: z.number().nullable(),
  warm: z.number(),
  trend: z.number().nullable(),
  usualLow: z.number().nullable(),
  usualHigh: z.number().nullable(),
  peak: z.number().nullable(),
  /** Lines of the last 60 s and of the last whole second. */
  messagesPerMin: z.number(),
  messagesPerS: z.number(),
  messagesTimes: z.number().nullable(),
  chattersPerMin: z.number(),
  chattersTimes: z.number().nullable(),
  /** Lines of the last 60 s by mood, and how many times the usual each is. */
  moods: moodCounts,
  moodTimes: z.partialRecord(z.string(), z.number()),
  /** `[ref, name, lines with it in the last 60 s, times its usual]`, at most 8; lines of floods left out. */
  emotes: z.array(z.tuple([z.string(), z.string(), z.int(), z.number().nullable()])),
  /** Parts of the hype value, robust z each. */
  parts: z.record(z.string(), z.number()),
  /** The latest forecast, repeated so that a page that opens has it. */
  forecast: hypeForecast.nullable(),
  /** True while the source is known not to hear the channel. */
  gap: z.boolean(),
});
export type LiveTick = z.infer<typeof liveTick>;

export const liveSubject = (channel: string): string => `live.${channel}`;
export const LIVE_FILTER = "live.*";
