import { m } from "../paraglide/messages.js";
import type { How } from "./how.ts";

/** How each number is computed. Loaded when the first is asked for. */
const TEXTS: Record<How, () => string> = {
  hype: m.how_hype,
  usual: m.how_usual,
  trend: m.how_trend,
  messages: m.how_messages,
  chatters: m.how_chatters,
  chance: m.how_chance,
  forecast: m.how_forecast,
  record: m.how_record,
  band: m.how_band,
  parts: m.how_parts,
  stream: m.how_stream,
  bursts: m.how_bursts,
  moods: m.how_moods,
  emotes: m.how_emotes,
  chat: m.how_chat,
  moment: m.how_moment,
  candidates: m.how_candidates,
  age: m.how_age,
};
export const howText = (how: How): string => TEXTS[how]();
