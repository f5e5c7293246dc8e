import type { HYPE_BURST_KINDS } from "@hypecast/contracts/burst.ts";
import type { Moment } from "@hypecast/contracts/moment.ts";
import type { Mood } from "@hypecast/contracts/moods.ts";
import type { VideoShot } from "@hypecast/contracts/shot.ts";
import type { KnownVideo, SenseState, Span } from "./known-video.ts";
import type { LagBelief } from "./lag-posterior.ts";
import { kindOf, setupOf } from "./moment-kind.ts";
import { onsetOf, type FoundOnset } from "./moment-onset.ts";
import { part, rarity, scoreOf } from "./moment-score.ts";
import { SNAP_MS, spanOf } from "./moment-span.ts";
import type { ScreenOnset } from "./onsets.ts";

/** What the folds before it said of the last minutes. Times of chat are chat's, of the screen the stream's; both are one clock. */
export interface Evidence {
  audio: { startMs: number; aboveUsual: number; voice: number; silence: boolean }[];
  onsets: ScreenOnset[];
  shots: {
    id: string;
    startMs: number;
    endMs: number;
    scene: VideoShot["scene"];
    /** Black or frozen. */
    stillShare: number;
    scored: boolean;
    action: number | null;
  }[];
  /** Lines that react, of seconds that had any. */
  lines: { second: number; lines: number }[];
  hype: { atMs: number; value: number | null; usualChatters: number | null }[];
  asks: { atMs: number; user: number }[];
  subs: number[];
}

/** A moment as its parts: what `describe` makes a `Moment` of. */
export interface Draft {
  id: string;
  channelId: string;
  state: Moment["state"];
  version: number;
  saidAtMs: number;
  /** As it was believed when it opened: a moment does not move because the channel is known better later. */
  lag: LagBelief;
  bursts: {
    id: string;
    kind: (typeof HYPE_BURST_KINDS)[number];
    subject: string;
    mood: Mood | null;
    startMs: number;
    peakMs: number;
    endMs: number;
    open: boolean;
    count: number;
    chatters: number;
    times: number;
    z: number;
    peakRate: number;
    baselineRate: number;
  }[];
  /** `atMs`: pressed or typed; `expectedMs` ± `errorMs`: what it is about. */
  marks: { id: string; atMs: number; expectedMs: number; errorMs: number; label: string }[];
  /** What stood out on screen of a quiet channel. */
  screenMs: number | null;
  /** Since when people have asked for a clip, where that is all. */
  askedMs: number | null;
  said: Moment | null;
}

/** Bursts smaller than this share of the greatest do not say when the reaction began: a warm-up has few lines. */
const MAIN_SHARE = 0.25;
/** Nobody reacts faster. */
const FASTEST_MS = 700;
/** Decayed: what of the peak above the usual is left. */
const DECAYED = 0.2;
/** After the reaction's end, on screen. */
const TAIL_MS = 4000;
/** The burst fold ends each burst by then. One that is older was lost with its state: nobody will say that it is over. */
const LONGEST_BURST_MS = 150_000;
export const isOpen = ({ open, startMs }: Draft["bursts"][number], nowMs: number): boolean =>
  open && nowMs < startMs + LONGEST_BURST_MS;
/** A burst's last seconds are waited for by the burst fold: an open one is said to last until so long before now. */
const OPEN_BACK_MS = 4000;
/** A mark's and a screen moment's own stretch. */
const AFTER_MARK_MS = 5000;
const AFTER_PEAK_MS = 12_000;
/** What sound and picture say is taken from around the onset. */
const BEFORE_MS = 1000;
const BEHIND_MS = 5000;
/** So late somebody may still ask for a clip of it. */
const ASKED_AFTER_MS = 15_000;
/** A picture that stopped: so soon after the onset, and so much of the shot. */
const STOPPED_MS = 5000;
export const STOPPED_UNTIL_MS = 15_000;
const STOPPED_SHARE = 0.3;

const round = (value: number, digits = 2): number => Math.round(value * 10 ** digits) / 10 ** digits;

/**
 * The moment as it is known now: a function of its parts and of what was said of its own stretch, so it comes out the same however late the
 * picture was. Nothing that lies more than SNAP_MS behind its end is looked at.
 */
export function describe(
  draft: Draft,
  evidence: Evidence,
  known: KnownVideo,
  chatHoles: readonly Span[],
  nowMs: number,
  hasChat: boolean,
): Moment {
  const { bursts, marks, lag } = draft;
  const lead = leadOf(draft);
  const greatest = Math.max(0, ...bursts.map((burst) => burst.count));
  const main = bursts.filter((burst) => burst.count >= greatest * MAIN_SHARE);
  const chatOnsetMs =
    main.length > 0 ? Math.min(...main.map((burst) => burst.startMs)) : (draft.askedMs ?? null);
  const chatEndMs = decayedMs(draft, evidence, nowMs);
  const found = whenOnScreen(draft, chatOnsetMs, evidence);
  const { onsetMs, causes } = found;
  const stopped = evidence.shots.some(
    (shot) =>
      shot.startMs >= onsetMs - BEFORE_MS &&
      shot.startMs <= onsetMs + STOPPED_MS &&
      shot.endMs <= onsetMs + STOPPED_UNTIL_MS &&
      (shot.scene === "menu" || shot.stillShare >= STOPPED_SHARE),
  );
  const kind = kindOf({
    moods: moodsOf(draft),
    chat: chatOnsetMs !== null,
    marked: marks.length > 0,
    stopped,
    loud: soundLeads(causes),
  });
  let reactionEndMs = onsetMs;
  // The shortest lag that is likely: while it is not known well, the end must not come too early.
  if (chatOnsetMs !== null) reactionEndMs = chatEndMs - Math.max(0, lag.lagMs - lag.errorMs) + TAIL_MS;
  if (draft.screenMs !== null) reactionEndMs = Math.max(reactionEndMs, draft.screenMs + AFTER_PEAK_MS);
  for (const mark of marks)
    reactionEndMs = Math.max(reactionEndMs, mark.expectedMs + mark.errorMs + AFTER_MARK_MS);
  const span = spanOf(onsetMs, setupOf(kind), reactionEndMs, {
    cuts: evidence.onsets.flatMap((onset) => (onset.sense === "cut" ? [onset.atMs] : [])),
    silences: evidence.audio.flatMap((second) => (second.silence ? [second.startMs + 500] : [])),
    ads: known.ads,
  });
  const origin = chatOnsetMs !== null ? "chat" : marks.length > 0 ? "mark" : "screen";
  const chatFromMs = chatOnsetMs ?? onsetMs;
  const chatToMs = Math.max(chatEndMs, onsetMs);
  const senses: Moment["senses"] = {
    chat: !hasChat
      ? "none"
      : chatHoles.some((hole) => hole.fromMs < chatToMs && hole.toMs > chatFromMs)
        ? "unknown"
        : "ok",
    picture: known.sense("picture", onsetMs - BEFORE_MS, onsetMs + BEHIND_MS),
    sound: known.sense("sound", onsetMs - BEFORE_MS, onsetMs + BEHIND_MS),
    model: "none",
  };
  const shots = evidence.shots.filter(
    (shot) =>
      shot.startMs <= onsetMs + BEHIND_MS &&
      shot.endMs >= onsetMs - BEFORE_MS &&
      shot.endMs <= span.endMs + SNAP_MS,
  );
  senses.model = modelSense(evidence, shots);

  const asks = new Set(
    evidence.asks.flatMap((ask) =>
      ask.atMs >= chatFromMs && ask.atMs <= chatToMs + ASKED_AFTER_MS ? [ask.user] : [],
    ),
  ).size;
  const hype = evidence.hype.filter(
    (value) => value.atMs >= chatFromMs && value.atMs <= chatToMs + ASKED_AFTER_MS,
  );
  const values = hype.flatMap(({ value }) => (value === null ? [] : [value]));
  const usualChatters = hype.findLast((value) => value.usualChatters !== null)?.usualChatters ?? null;
  const seconds = evidence.audio.filter(
    (second) => second.startMs >= onsetMs - BEFORE_MS && second.startMs < span.endMs,
  );
  const near = evidence.onsets.filter(
    (onset) => onset.atMs >= onsetMs - BEFORE_MS && onset.atMs <= onsetMs + BEHIND_MS,
  );
  const cuts = evidence.onsets.filter((onset) => onset.sense === "cut" && onset.atMs <= span.endMs);
  const actions = shots.flatMap(({ action }) => (action === null ? [] : [action]));

  const reasons: Record<string, number> = {};
  const strongest = (sense: ScreenOnset["sense"]): ScreenOnset | null => {
    const all = near.filter((onset) => onset.sense === sense);
    return all.length === 0 ? null : all.reduce((a, b) => (b.strength > a.strength ? b : a));
  };
  const sound = strongest("sound");
  const motion = strongest("motion");
  const cut = strongest("cut");
  const times = Math.max(0, ...bursts.map((burst) => burst.times));
  const chatters = Math.max(0, ...bursts.map((burst) => burst.chatters));
  const z = Math.max(0, ...bursts.map((burst) => burst.z));
  const loudest = Math.max(-Infinity, ...seconds.map((second) => second.aboveUsual));
  if (bursts.length > 0) {
    reasons["chat.times"] = round(times);
    reasons["chat.chatters"] = chatters;
    reasons["chat.lines"] = greatest;
    reasons["chat.z"] = round(z);
  }
  if (asks > 0) reasons["chat.clipAsks"] = asks;
  const subs = evidence.subs.filter((atMs) => atMs >= chatFromMs - BEFORE_MS && atMs <= chatToMs).length;
  if (subs > 0) reasons["chat.subs"] = subs;
  if (values.length > 0) reasons["hype.value"] = Math.max(...values);
  if (sound !== null) reasons["sound.onset"] = round(sound.strength);
  if (senses.sound === "ok" && seconds.length > 0) {
    reasons["sound.aboveUsual"] = round(loudest);
    reasons["sound.voice"] = round(seconds.reduce((sum, { voice }) => sum + voice, 0) / seconds.length);
  }
  if (cut !== null) reasons["picture.cut"] = near.filter((onset) => onset.sense === "cut").length;
  if (motion !== null) reasons["picture.motion"] = round(motion.strength);
  if (senses.picture === "ok")
    reasons["picture.cutsPerMin"] = cuts.filter((onset) => onset.atMs > span.endMs - 60_000).length;
  if (actions.length > 0) reasons["model.action"] = round(Math.max(...actions));
  if (origin === "chat") {
    reasons["lag.ms"] = lag.lagMs;
    reasons["lag.errorMs"] = lag.errorMs;
  }

  const pictureRarity = Math.max(
    cut === null ? 0 : rarity(cut.perS),
    motion === null ? 0 : rarity(motion.perS),
  );
  const score = scoreOf(
    {
      times: bursts.length === 0 ? null : part(Math.log2(Math.max(1, times)) / 6),
      people:
        bursts.length === 0 || usualChatters === null ? null : part(chatters / Math.max(1, usualChatters)),
      z: bursts.length === 0 ? null : part((z - 4) / 40),
      hype: bursts.length === 0 || values.length === 0 ? null : part((Math.max(...values) - 50) / 50),
      soundOnset: senses.sound !== "ok" ? null : sound === null ? 0 : rarity(sound.perS),
      loudness: senses.sound !== "ok" || seconds.length === 0 ? null : part(loudest / 12),
      pictureOnset: senses.picture !== "ok" ? null : pictureRarity,
      action: actions.length === 0 ? null : part(Math.max(...actions)),
    },
    asks,
    origin,
    marks.length > 0,
  );
  return {
    id: draft.id,
    channelId: draft.channelId,
    state: draft.state,
    version: draft.version,
    kind,
    origin,
    ...span,
    onsetMs,
    peakMs: Math.round(lead?.peakMs ?? draft.screenMs ?? onsetMs),
    chatOnsetMs,
    lagMs: lag.lagMs,
    lagErrorMs: lag.errorMs,
    lagLearned: lag.learned,
    score,
    subject: marks.find(({ label }) => label !== "")?.label ?? lead?.subject ?? "",
    reasons,
    senses,
    marks: marks.map(({ id }) => id),
    detectedAtMs: nowMs,
  };
}

/** The burst that says what it is about: the greatest of an emote, else of a mood, else the volume. */
function leadOf({ bursts }: Draft): Draft["bursts"][number] | null {
  for (const kind of ["emote", "mood", "volume"] as const) {
    const all = bursts.filter((burst) => burst.kind === kind);
    if (all.length > 0) return all.reduce((a, b) => (b.count > a.count ? b : a));
  }
  return null;
}

/** Lines by mood: of its mood bursts, else of the emotes that show one. */
function moodsOf({ bursts }: Draft): Partial<Record<Mood, number>> {
  for (const kind of ["mood", "emote"] as const) {
    const moods: Partial<Record<Mood, number>> = {};
    for (const burst of bursts)
      if (burst.kind === kind && burst.mood !== null)
        moods[burst.mood] = Math.max(moods[burst.mood] ?? 0, burst.count);
    if (Object.keys(moods).length > 0) return moods;
  }
  return {};
}

/**
 * When the reaction had decayed: the last second in which the chat was a fifth of the way up from its usual to its peak. A burst itself lasts
 * until nothing at all is above the usual, which in a large chat takes half a minute more.
 */
function decayedMs({ bursts, askedMs }: Draft, { lines }: Evidence, nowMs: number): number {
  let endMs = askedMs ?? 0;
  for (const burst of bursts) {
    const lastMs = isOpen(burst, nowMs) ? Math.max(burst.endMs, nowMs - OPEN_BACK_MS) : burst.endMs;
    if (burst.kind !== "volume") {
      if (!bursts.some(({ kind }) => kind === "volume")) endMs = Math.max(endMs, lastMs);
      continue;
    }
    const bound = burst.baselineRate + DECAYED * (burst.peakRate - burst.baselineRate);
    let untilMs = burst.peakMs + 1000;
    for (const [i, { second }] of lines.entries()) {
      if (second * 1000 < burst.peakMs || second * 1000 >= lastMs) continue;
      let three = 0;
      for (let at = i; at >= 0 && lines[at]!.second > second - 3; at--) three += lines[at]!.lines;
      if (three >= 3 * bound) untilMs = Math.max(untilMs, (second + 1) * 1000);
    }
    endMs = Math.max(endMs, untilMs);
  }
  return endMs;
}

function whenOnScreen(draft: Draft, chatOnsetMs: number | null, { onsets }: Evidence): FoundOnset {
  const { lag, marks, screenMs } = draft;
  if (chatOnsetMs !== null)
    return onsetOf(chatOnsetMs - lag.lagMs, lag.errorMs, chatOnsetMs - FASTEST_MS, onsets);
  const mark = marks[0];
  if (mark !== undefined) return onsetOf(mark.expectedMs, mark.errorMs, mark.atMs, onsets);
  return { onsetMs: screenMs!, causes: onsets.filter((onset) => Math.abs(onset.atMs - screenMs!) <= 2500) };
}

function soundLeads(causes: readonly ScreenOnset[]): boolean {
  const of = (sound: boolean): number =>
    Math.max(0, ...causes.map((onset) => ((onset.sense === "sound") === sound ? rarity(onset.perS) : 0)));
  return of(true) >= of(false);
}

/** `none`: this channel's shots are scored by nobody. */
function modelSense(evidence: Evidence, shots: Evidence["shots"]): SenseState {
  if (!evidence.shots.some(({ scored }) => scored)) return "none";
  return shots.some(({ action }) => action !== null) ? "ok" : "unknown";
}
