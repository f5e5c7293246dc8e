import { m } from "../paraglide/messages.js";

/** What can be asked about, by hover or focus on anything with `data-how`. The answers come when somebody asks: how-texts.ts. */
const TITLES = {
  hype: m.how_hype_title,
  usual: m.how_usual_title,
  trend: m.how_trend_title,
  messages: m.how_messages_title,
  chatters: m.how_chatters_title,
  chance: m.how_chance_title,
  forecast: m.how_forecast_title,
  record: m.how_record_title,
  band: m.how_band_title,
  parts: m.how_parts_title,
  stream: m.how_stream_title,
  bursts: m.how_bursts_title,
  moods: m.how_moods_title,
  emotes: m.how_emotes_title,
  chat: m.how_chat_title,
  moment: m.how_moment_title,
  candidates: m.how_candidates_title,
  age: m.how_age_title,
} as const satisfies Record<string, () => string>;

export type How = keyof typeof TITLES;
export const howOf = (name: string | undefined): How | null =>
  name !== undefined && name in TITLES ? (name as How) : null;
export const howTitle = (how: How): string => TITLES[how]();
