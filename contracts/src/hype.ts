import { z } from "zod";
import { channelId, defineEvent } from "./event.ts";

/** What the meter may say about itself. Only `ok` and `capped` carry a value. */
export const HYPE_STATES = ["warming", "too_sparse", "capped", "ok"] as const;
export type HypeState = (typeof HYPE_STATES)[number];

/** Hype of one channel, once per 5 s of event time. Columns of `hype`. */
export const hypeValue = z.object({
  /** `<channelId>:<atMs>` */
  id: z.string(),
  channelId,
  atMs: z.int(),
  state: z.enum(HYPE_STATES),
  /** 0–100 relative to the channel's own past; 50 is its usual minute, 90 its top 5 %. Null unless ok or capped. */
  value: z.number().nullable(),
  /** Share of the warm-up done, 0–1; 1 unless `warming`. */
  warm: z.number(),
  /** Usual range (p25, p75 of value) and highest of this stream. */
  usualLow: z.number().nullable(),
  usualHigh: z.number().nullable(),
  peak: z.number().nullable(),
  /** Change against a minute ago. */
  trend: z.number().nullable(),
  messagesPerMin: z.number(),
  /** messagesPerMin ÷ the channel's usual. */
  messagesTimes: z.number().nullable(),
  chattersPerMin: z.number(),
  chattersTimes: z.number().nullable(),
  /** Parts of the value, each robust z: `{ rate, chatters, emotes, … }`; answers "how is this computed?". */
  parts: z.record(z.string(), z.number()),
});
export type HypeValue = z.infer<typeof hypeValue>;
export const hypeValues = defineEvent("hype.value", "partition", z.array(hypeValue));

export const FORECAST_HORIZONS_MIN = [1, 5, 15] as const;

/** What the channel's chat will probably do, once per 5 s. Columns of `forecasts`. */
export const hypeForecast = z.object({
  /** `<channelId>:<atMs>` */
  id: z.string(),
  channelId,
  atMs: z.int(),
  /** Model name and version; `none` where nothing can be said (warming, after a gap, too few lines, the scorer did not answer): then chance and bands are null, not low. */
  model: z.string(),
  /** Chance (0–1) that a burst begins within 30 s, calibrated while it runs. */
  burstChance: z.number().nullable(),
  /** The channel's usual chance. */
  usualChance: z.number().nullable(),
  /** Messages per minute at each horizon, 80 % band. */
  horizons: z
    .array(z.object({ minutes: z.int(), p10: z.number(), p50: z.number(), p90: z.number() }))
    .nullable(),
});
export type HypeForecast = z.infer<typeof hypeForecast>;
export const hypeForecasts = defineEvent("hype.forecast", "partition", z.array(hypeForecast));

/** What became of a forecast: the model's own record. Columns of `forecast_outcomes`. */
export const forecastOutcome = z.object({
  /** `<channelId>:<kind>:<atMs>` */
  id: z.string(),
  channelId,
  /** When the forecast was made. */
  atMs: z.int(),
  kind: z.enum(["burst", "rate1", "rate5", "rate15"]),
  /** burst: the chance that was said. rate: the median that was said. */
  said: z.number(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  /** burst: 1 if one began within 30 s, else 0. rate: messages per minute that came. */
  came: z.number(),
  /** burst: said ≥ 0.5 equals came. rate: inside the band. */
  hit: z.boolean(),
});
export type ForecastOutcome = z.infer<typeof forecastOutcome>;
export const forecastOutcomes = defineEvent("hype.outcome", "partition", z.array(forecastOutcome));
