import { m } from "../paraglide/messages.js";

/** What can be asked about, by hover or focus on anything with `data-how`. */
const HOWS = {
  hype: [m.how_hype_title, m.how_hype],
  usual: [m.how_usual_title, m.how_usual],
  trend: [m.how_trend_title, m.how_trend],
  messages: [m.how_messages_title, m.how_messages],
  chatters: [m.how_chatters_title, m.how_chatters],
  chance: [m.how_chance_title, m.how_chance],
  forecast: [m.how_forecast_title, m.how_forecast],
  record: [m.how_record_title, m.how_record],
  band: [m.how_band_title, m.how_band],
  parts: [m.how_parts_title, m.how_parts],
  stream: [m.how_stream_title, m.how_stream],
  bursts: [m.how_bursts_title, m.how_bursts],
  moods: [m.how_moods_title, m.how_moods],
  emotes: [m.how_emotes_title, m.how_emotes],
  chat: [m.how_chat_title, m.how_chat],
  moment: [m.how_moment_title, m.how_moment],
  candidates: [m.how_candidates_title, m.how_candidates],
  age: [m.how_age_title, m.how_age],
} as const satisfies Record<string, readonly [() => string, () => string]>;

export type How = keyof typeof HOWS;
export const howOf = (name: string | undefined): How | null =>
  name !== undefined && name in HOWS ? (name as How) : null;
export const howTitle = (how: How): string => HOWS[how][0]();
export const howText = (how: How): string => HOWS[how][1]();
