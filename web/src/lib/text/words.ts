import type { BURST_KINDS, ChatBurst } from "@hypecast/contracts/burst.ts";
import type { SOURCE_STATES } from "@hypecast/contracts/channel.ts";
import type { Mood } from "@hypecast/contracts/moods.ts";
import type { WORDS } from "../live/meter.ts";
import { m } from "../paraglide/messages.js";
import { number } from "./numbers.ts";

/** Closed lists of the contracts in words of the page's language. A new member does not compile until it has some. */
export const moodWord: Record<Mood, () => string> = {
  laugh: m.mood_laugh,
  shock: m.mood_shock,
  hype: m.mood_hype,
  love: m.mood_love,
  sad: m.mood_sad,
  anger: m.mood_anger,
  cringe: m.mood_cringe,
};

export const hypeWord: Record<(typeof WORDS)[number], () => string> = {
  quiet: m.word_quiet,
  calm: m.word_calm,
  usual: m.word_usual,
  lively: m.word_lively,
  hot: m.word_hot,
  boiling: m.word_boiling,
};

type SourceState = (typeof SOURCE_STATES)[number] | "unknown";
export const sourceWords: Record<
  SourceState,
  { word: () => string; what: () => string; tone: "ok" | "watch" | "critical" | "" }
> = {
  joining: { word: m.source_joining, what: m.source_joining_do, tone: "watch" },
  live: { word: m.source_live, what: m.source_live_do, tone: "ok" },
  lost: { word: m.source_lost, what: m.source_lost_do, tone: "watch" },
  paused: { word: m.source_paused, what: m.source_paused_do, tone: "" },
  not_found: { word: m.source_not_found, what: m.source_not_found_do, tone: "critical" },
  suspended: { word: m.source_suspended, what: m.source_suspended_do, tone: "critical" },
  banned: { word: m.source_banned, what: m.source_banned_do, tone: "critical" },
  renamed: { word: m.source_renamed, what: m.source_renamed_do, tone: "critical" },
  token_refused: { word: m.source_token_refused, what: m.source_token_refused_do, tone: "critical" },
  join_refused: { word: m.source_join_refused, what: m.source_join_refused_do, tone: "critical" },
  unknown: { word: m.source_unknown, what: m.source_unknown_do, tone: "" },
};

/** Kinds that are hype; the others are shown as what they are. */
export const isHype: Record<(typeof BURST_KINDS)[number], boolean> = {
  emote: true,
  mood: true,
  volume: true,
  copypasta: false,
  bots: false,
  raid: false,
  poll: false,
};

export function burstName(burst: ChatBurst): string {
  const text = burst.subject;
  switch (burst.kind) {
    case "emote":
      return burst.mood === null ? text : `${text} · ${moodWord[burst.mood]()}`;
    case "mood":
      return burst.mood === null ? text : moodWord[burst.mood]();
    case "volume":
      return m.burst_volume();
    case "copypasta":
      return m.burst_copypasta({ text });
    case "bots":
      return m.burst_bots({ text });
    case "raid":
      return m.burst_raid({ text });
    case "poll":
      return m.burst_poll({ text });
  }
}

/** A length of time in its largest fitting unit: "0,4 с", "7 с", "12 мин". */
export function duration(ms: number): string {
  if (ms < 950) return m.seconds_short({ n: number(Math.max(0, ms) / 1000, 1) });
  if (ms < 119_500) return m.seconds_short({ n: number(ms / 1000) });
  return m.minutes_short({ n: number(ms / 60_000) });
}

const PART_WORDS: Record<string, () => string> = {
  rate: m.part_rate,
  messages: m.part_rate,
  chatters: m.part_chatters,
  emotes: m.part_emotes,
  mood: m.part_mood,
  moods: m.part_moods,
  caps: m.part_caps,
  reactions: m.part_reactions,
  repeats: m.part_repeats,
};
/** Folds may name a part that this build does not know: its own name is shown then. */
export const partWord = (name: string): string => PART_WORDS[name]?.() ?? name;
