import type { ClipError } from "@hypecast/contracts/clip.ts";
import type { CLIP_STAGES, CLIP_STATES, ClipLayout } from "@hypecast/contracts/clip-words.ts";
import type { Moment, ReactionLag } from "@hypecast/contracts/moment.ts";
import type { MomentKind } from "@hypecast/contracts/moment-kinds.ts";
import type { VIDEO_STATES, VideoCode, VideoState } from "@hypecast/contracts/video.ts";
import { m } from "../paraglide/messages.js";
import type { Failure } from "../video/player.svelte.ts";
import { number, percent, signed, times } from "./numbers.ts";
import { moodWord } from "./words.ts";

/** Closed lists of the video contracts in words of the page's language. */
type Tone = "ok" | "watch" | "critical" | "";
interface StateWords {
  word: () => string;
  what: () => string;
  tone: Tone;
  /** A person can say where the picture comes from. */
  ask: boolean;
}
const STATE_WORDS: Record<(typeof VIDEO_STATES)[number], StateWords> = {
  off: { word: m.video_off, what: m.video_off_do, tone: "", ask: true },
  waiting: { word: m.video_waiting, what: m.video_waiting_do, tone: "watch", ask: false },
  live: { word: m.video_live, what: m.video_live_do, tone: "ok", ask: false },
  stalled: { word: m.video_stalled, what: m.video_stalled_do, tone: "watch", ask: false },
  ended: { word: m.video_ended, what: m.video_ended_do, tone: "", ask: false },
  paused: { word: m.video_paused, what: m.video_paused_do, tone: "", ask: false },
  refused: { word: m.video_refused, what: m.video_refused_do, tone: "critical", ask: false },
  failed: { word: m.video_failed, what: m.video_failed_do, tone: "critical", ask: false },
};
export function videoWords(video: VideoState | null, loading: boolean): StateWords {
  if (video !== null) return STATE_WORDS[video.state];
  return loading ? { word: m.video_asking, what: m.video_asking_do, tone: "", ask: false } : STATE_WORDS.off;
}

const WHY_WORDS: Record<VideoCode, () => string> = {
  no_address: m.video_why_no_address,
  no_channel_id: m.video_why_no_channel_id,
  no_stream: m.video_why_no_stream,
  unreachable: m.video_why_unreachable,
  frozen: m.video_why_frozen,
  interrupted: m.video_why_interrupted,
  recording: m.video_why_recording,
  disk_full: m.video_why_disk_full,
  bad_address: m.video_why_bad_address,
  host_refused: m.video_why_host_refused,
  bad_file: m.video_why_bad_file,
  no_program: m.video_why_no_program,
  protected: m.video_why_protected,
  bad_stream: m.video_why_bad_stream,
};
/** Why it is so, where the source said that, else what the state means. */
export const videoWhy = (video: VideoState | null, loading: boolean): string =>
  video?.code == null ? videoWords(video, loading).what() : WHY_WORDS[video.code]();

export const failureWords: Record<Failure, { word: () => string; what: () => string }> = {
  unreachable: { word: m.failure_unreachable, what: m.failure_unreachable_do },
  gone: { word: m.failure_gone, what: m.failure_gone_do },
  media: { word: m.failure_media, what: m.failure_media_do },
  unsupported: { word: m.failure_unsupported, what: m.failure_unsupported_do },
};

export const kindWord: Record<MomentKind, () => string> = {
  funny: m.kind_funny,
  hype: m.kind_azart,
  fail: m.kind_fail,
  shock: m.kind_shock,
  sad: m.kind_sad,
  love: m.kind_love,
  anger: m.kind_anger,
  cringe: m.kind_cringe,
  action: m.kind_action,
  loud: m.kind_loud,
  marked: m.kind_marked,
};
/** The glyph of a kind, where a mood has the same one. */
export const kindMood: Partial<Record<MomentKind, keyof typeof moodWord>> = {
  funny: "laugh",
  hype: "hype",
  shock: "shock",
  sad: "sad",
  love: "love",
  anger: "anger",
  cringe: "cringe",
};
const moodName = (subject: string): string =>
  subject in moodWord ? moodWord[subject as keyof typeof moodWord]() : subject;
export const momentTitle = (moment: Pick<Moment, "kind" | "subject">): string =>
  moment.subject === "" || moodName(moment.subject) === kindWord[moment.kind]().toLowerCase()
    ? kindWord[moment.kind]()
    : `${kindWord[moment.kind]()} · ${moodName(moment.subject)}`;

export const layoutWord: Record<ClipLayout, () => string> = {
  "16:9": () => "16:9",
  "9:16": () => "9:16",
  "9:16-stacked": m.layout_stacked,
};
export const clipStateWord: Record<(typeof CLIP_STATES)[number], () => string> = {
  queued: m.clip_state_queued,
  running: m.clip_state_running,
  ready: m.clip_state_ready,
  failed: m.clip_state_failed,
  cancelled: m.clip_state_cancelled,
};
export const stageWord: Record<(typeof CLIP_STAGES)[number], () => string> = {
  segments: m.stage_segments,
  chat: m.stage_chat,
  render: m.stage_render,
  finish: m.stage_finish,
};
export const clipErrorWords: Record<ClipError["code"], () => string> = {
  bad_span: m.clip_error_bad_span,
  too_short: m.clip_error_too_short,
  too_long: m.clip_error_too_long,
  not_kept: m.clip_error_not_kept,
  not_yet: m.clip_error_not_yet,
  no_video: m.clip_error_no_video,
  nothing_left: m.clip_error_nothing_left,
  bad_media: m.clip_error_bad_media,
  disk_full: m.clip_error_disk_full,
  crashed: m.clip_error_crashed,
  failed: m.clip_error_failed,
};

export interface Reason {
  name: string;
  text: string;
  /** Which sense says so. */
  sense: "chat" | "sound" | "picture" | "person" | "model";
}

/** Reasons as short texts with their number, the telling ones first. What this build has no words for is left to the table. */
const REASONS: readonly (readonly [
  name: string,
  sense: Reason["sense"],
  words: (value: number, moment: Moment) => string | null,
])[] = [
  ["marks", "person", (n) => (n > 0 ? m.reason_marked() : null)],
  [
    "chat.times",
    "chat",
    (n, { subject }) => `${subject === "" ? m.reason_chat() : moodName(subject)} ${times(n)}`,
  ],
  ["chat.chatters", "chat", (n) => m.chatters({ count: n, n: number(n) })],
  ["chat.clipAsks", "person", (n) => (n > 0 ? m.reason_clip_that({ n: number(n) }) : null)],
  [
    "sound.onset",
    "sound",
    (n, { reasons }) =>
      n < 2
        ? null
        : (reasons["sound.voice"] ?? 0) >= 0.5
          ? m.reason_shout({ n: number(n, 1) })
          : m.reason_onset({ n: number(n, 1) }),
  ],
  ["sound.aboveUsual", "sound", (n) => (Math.abs(n) >= 2 ? m.reason_louder({ n: signed(n, 1) }) : null)],
  ["picture.motion", "picture", (n) => (n >= 2 ? m.reason_motion({ n: number(n, 1) }) : null)],
  ["picture.cutsPerMin", "picture", (n) => (n >= 4 ? m.reason_cuts({ n: number(n) }) : null)],
  ["model.action", "model", (n) => m.reason_action({ n: percent(n) })],
  ["hype.value", "chat", (n) => m.hype_value({ n: number(n) })],
  ["chat.subs", "chat", (n) => (n > 0 ? m.reason_subs({ n: number(n) }) : null)],
];
export function momentReasons(moment: Moment): Reason[] {
  const said: Reason[] = [];
  const values: Record<string, number> = { ...moment.reasons };
  if (moment.marks.length > 0) values["marks"] = moment.marks.length;
  for (const [name, sense, words] of REASONS) {
    const value = values[name];
    const text = value === undefined ? null : words(value, moment);
    if (text !== null) said.push({ name, text, sense });
  }
  return said;
}

/** "чат отстаёт на 4,8 с ± 1,2", and whether that was learned or is what one expects of any chat. */
export function lagText(
  moment: Pick<Moment, "lagMs" | "lagErrorMs" | "lagLearned" | "chatOnsetMs">,
): string | null {
  if (moment.chatOnsetMs === null) return null;
  const parts = { n: number(moment.lagMs / 1000, 1), error: number(moment.lagErrorMs / 1000, 1) };
  return moment.lagLearned ? m.reason_lag(parts) : m.reason_lag_prior(parts);
}

/** The same of the channel, as a sentence. */
export function lagSentence({ lagMs, errorMs, learned }: ReactionLag): string {
  const parts = { n: number(lagMs / 1000, 1), error: number(errorMs / 1000, 1) };
  return learned ? m.lag_sentence(parts) : m.lag_sentence_prior(parts);
}

/** Senses that should have spoken and did not: said, never taken for "nothing there". */
export function unknownSenses(senses: Moment["senses"]): string[] {
  const words: Record<keyof Moment["senses"], () => string> = {
    chat: m.sense_chat,
    picture: m.sense_picture,
    sound: m.sense_sound,
    model: m.sense_model,
  };
  return (Object.keys(words) as (keyof Moment["senses"])[])
    .filter((sense) => senses[sense] === "unknown")
    .map((sense) => words[sense]());
}
