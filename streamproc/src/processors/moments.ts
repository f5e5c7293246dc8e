import type { AudioWindow } from "@hypecast/contracts/audio.ts";
import { HYPE_BURST_KINDS, type ChatBurst } from "@hypecast/contracts/burst.ts";
import type { ChatLine, ChatNotice } from "@hypecast/contracts/chat.ts";
import type { HypeValue } from "@hypecast/contracts/hype.ts";
import type { Moment } from "@hypecast/contracts/moment.ts";
import type { ShotScore, VideoShot } from "@hypecast/contracts/shot.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { defineFold, type Emit } from "./fold.ts";
import { KnownVideo, type Span } from "./known-video.ts";
import { loadOnsets, saveOnsets } from "./lag.ts";
import { PRIOR_LAG, type LagBelief } from "./lag-posterior.ts";
import { describe, isOpen, STOPPED_UNTIL_MS, type Draft, type Evidence } from "./moment-draft.ts";
import { SNAP_MS } from "./moment-span.ts";
import { ScreenWatch } from "./moment-screen.ts";
import { asksForClip, markIn } from "./moment-words.ts";
import type { ScreenOnset } from "./onsets.ts";
import { LATENESS_MS, userKey } from "./windows.ts";

/** A burst that begins so soon after what a moment's reaction is about belongs to it. */
const JOIN_MS = 10_000;
/** … unless the moment is that long already. */
const LONGEST_REACTION_MS = 60_000;
/** A mark so long after the end still means it. */
const MARK_AFTER_MS = 15_000;
/** What chat says of a moment is complete so long after its last burst … */
const HOLD_MS = 17_000;
/** … or after a mark, for chat to react to what was marked. */
const MARK_HOLD_MS = 30_000;
/** Picture, sound and model are waited for until this long after its end, in event time, and not longer. */
const WAIT_MS = 40_000;
/** A shot's end becomes known so much later than its frames. */
const SHOT_LOOKAHEAD_MS = 2000;
/** People who ask for a clip within ASK_MS, and their share of what is written: a moment without a burst. */
const ASK_PEOPLE = 3;
const ASK_SHARE = 0.05;
const ASK_MS = 20_000;
/** Typing "clip that" or a command, and a streamer's hand on the key, come so much after the usual reaction. */
const TYPED_MS = 3000;
const KEY_MS = 4000;
const KEY_ERROR_MS = 5000;
/** A mark whose clock is so far ahead is not believed. */
const AHEAD_MS = 60_000;
/** An open moment is said anew at most so often. */
const SAY_MS = 5000;
/** Flooded: the flood has this share of the reaction's lines, or more. */
const FLOOD_SHARE = 0.5;
/** Chat greets a raid for so long, and thanks for a bomb of gifts. */
const RAID_MS = 60_000;
const BOMB_MS = 40_000;
const BOMB_MIN = 5;
/** Two moments are one when this share of the shorter lies in the other. */
const SAME_SHARE = 0.5;
/** A model that has not answered for so long is not expected to. */
const MODEL_MS = 10 * 60_000;
/** What is remembered while a moment is open, and of chat while none is: a new one looks back less than a minute. */
const KEPT_MS = 4 * 60_000;
const KEPT_CALM_MS = 60_000;
const DRAFTS_BOUND = 12;
const FINALS_BOUND = 16;
const LIST_BOUND = 256;

const HYPE: ReadonlySet<string> = new Set(HYPE_BURST_KINDS);

/** Something else that chat may be busy with, in chat's time. */
interface Excuse extends Span {
  id: string;
  /** Lines of a flood; Infinity: it excuses whatever it touches. */
  lines: number;
}

export interface MomentsState {
  readonly channelId: string;
  /** Chat's clock and the picture's. */
  chatMs: number;
  videoMs: number;
  known: KnownVideo;
  evidence: Evidence;
  lag: LagBelief;
  excuses: Excuse[];
  chatHoles: Span[];
  /** Those that may still change, by the order in which they opened, and the newest that may not. */
  drafts: Draft[];
  finals: Draft[];
  screen: ScreenWatch;
  /** When the model last knew an answer. */
  modelMs: number;
  /** Lines of second s at s mod 20. */
  lines: number[];
  lineS: number;
  heardChat: boolean;
  lastTickS: number;
}

export const moments = defineFold<MomentsState>({
  name: "moments",
  says: "Moments with their reasons from chat, picture, sound and people: open, refined, final or withdrawn",
  version: 1,
  initial: (channelId) => ({
    channelId,
    chatMs: 0,
    videoMs: 0,
    known: new KnownVideo(),
    evidence: { audio: [], onsets: [], shots: [], lines: [], hype: [], asks: [], subs: [] },
    lag: PRIOR_LAG,
    excuses: [],
    chatHoles: [],
    drafts: [],
    finals: [],
    screen: new ScreenWatch(),
    modelMs: 0,
    lines: Array.from({ length: ASK_MS / 1000 }, () => 0),
    lineS: 0,
    heardChat: false,
    lastTickS: 0,
  }),
  step(state, input, emit) {
    switch (input.type) {
      // What is known of chat …
      case "lines":
        for (const line of input.lines) hear(state, line, emit);
        break;
      case "notice":
        notice(state, input.notice);
        break;
      case "gap":
        keep(state.chatHoles, { fromMs: input.gap.fromMs, toMs: input.gap.toMs });
        break;
      case "hype":
        keep(state.evidence.hype, hypeFact(input.hype));
        state.screen.meter(input.hype);
        break;
      case "burst":
        burst(state, input.burst, emit);
        break;
      case "reaction":
        if (input.reaction.lines > 0)
          keep(state.evidence.lines, { second: input.reaction.fromS, lines: input.reaction.lines });
        break;
      // … of the screen …
      case "segment":
        state.known.segment(input.segment);
        state.videoMs = Math.max(state.videoMs, input.segment.startMs + input.segment.durationMs);
        break;
      case "videoGap":
        state.known.gap(input.gap);
        break;
      case "measured":
        state.known.measured(input.measured);
        break;
      case "onset":
        keep(state.evidence.onsets, input.onset);
        break;
      case "audio":
        keep(state.evidence.audio, audioFact(input.audio));
        break;
      case "shot":
        keep(state.evidence.shots, shotFact(input.shot));
        break;
      case "score":
        score(state, input.score);
        break;
      // … and by people and from experience.
      case "mark": {
        const { id, atMs, label } = input.mark;
        mark(state, { id, atMs, expectedMs: atMs - KEY_MS, errorMs: KEY_ERROR_MS, label }, emit);
        break;
      }
      case "lag": {
        const { lagMs, errorMs, learned, pairs } = input.lag;
        state.lag = { lagMs, errorMs, learned, pairs };
        break;
      }
      case "seconds":
        state.chatMs = Math.max(state.chatMs, input.untilS * 1000 + LATENESS_MS);
        if (input.pane !== null) state.heardChat = true;
        break;
      case "glance":
        state.chatMs = Math.max(state.chatMs, input.untilS * 1000);
        break;
      default:
        return;
    }
    tick(state, emit);
  },
  save,
  load: (channelId, version, bytes) => (version === 1 ? load(channelId, bytes) : null),
});

/** The clock: chat's; without chat, or where chat stands still, the picture's, if it is near. */
function nowOf({ chatMs, videoMs }: MomentsState): number {
  if (chatMs === 0) return videoMs;
  return videoMs > chatMs && videoMs < chatMs + 120_000 ? videoMs : chatMs;
}

function keep<Fact>(list: Fact[], fact: Fact): void {
  list.push(fact);
  if (list.length > LIST_BOUND) list.shift();
}

/** Once a second of event time: everything that waits for time or for the screen. */
function tick(state: MomentsState, emit: Emit): void {
  const nowMs = nowOf(state);
  const second = Math.floor(nowMs / 1000);
  if (second === state.lastTickS) return;
  if (Math.floor(second / 30) !== Math.floor(state.lastTickS / 30)) forget(state, nowMs);
  state.lastTickS = second;
  const peak = state.screen.next(state.known, state.evidence.onsets, state.heardChat);
  if (peak !== null && nearest(state, peak.atMs - JOIN_MS, peak.atMs + JOIN_MS) === null)
    open(state, peak.atMs, { screenMs: peak.atMs }, emit);
  for (const draft of state.drafts) advance(state, draft, emit);
  state.drafts = state.drafts.filter((draft) => draft.state === "open" || !isOver(state, draft));
}

/** open → withdrawn, final, or a better version of itself. In the order in which they opened: an earlier one is judged first. */
function advance(state: MomentsState, draft: Draft, emit: Emit): void {
  if (draft.state !== "open") return;
  const nowMs = nowOf(state);
  if (excuseOf(state, draft)) return withdraw(state, draft, emit);
  const moment = describe(draft, state.evidence, state.known, state.chatHoles, nowMs, hasChat(state));
  if (!isSettled(state, draft, moment, nowMs)) return say(state, draft, moment, "open", emit);
  const same = state.finals.find((other) => overlap(other.said!, moment) >= SAME_SHARE);
  if (same !== undefined) {
    withdraw(state, draft, emit);
    for (const made of draft.marks) addMark(state, same, made, emit);
    return;
  }
  say(state, draft, moment, "final", emit);
  state.finals.push(draft);
  if (state.finals.length > FINALS_BOUND) state.finals.shift();
}

const hasChat = (state: MomentsState): boolean => state.chatMs > 0;

/** Opens a moment; nothing is said of what is excused at once. More than DRAFTS_BOUND at a time are left out: within a minute no channel has so many. */
function open(
  state: MomentsState,
  peakMs: number,
  first: Partial<Pick<Draft, "bursts" | "marks" | "screenMs" | "askedMs">>,
  emit: Emit,
): void {
  if (state.drafts.length >= DRAFTS_BOUND) return;
  const ids = new Set([...state.drafts, ...state.finals].map(({ id }) => id));
  let idMs = Math.round(peakMs);
  while (ids.has(`${state.channelId}:m:${idMs}`)) idMs++;
  const draft: Draft = {
    id: `${state.channelId}:m:${idMs}`,
    channelId: state.channelId,
    state: "open",
    version: 0,
    saidAtMs: -Infinity,
    lag: state.lag,
    bursts: [],
    marks: [],
    screenMs: null,
    askedMs: null,
    said: null,
    ...first,
  };
  state.drafts.push(draft);
  advance(state, draft, emit);
}

/** Everything that can be known of it is, or is overdue. */
function isSettled(state: MomentsState, draft: Draft, moment: Moment, nowMs: number): boolean {
  if (draft.bursts.some((each) => isOpen(each, nowMs))) return false;
  if (nowMs < chatEndOf(draft) + HOLD_MS) return false;
  if (draft.marks.some((made) => nowMs < made.atMs + MARK_HOLD_MS)) return false;
  for (const other of state.drafts) {
    if (other === draft) break;
    if (other.state === "open") return false;
  }
  if (nowMs >= Math.max(moment.endMs, chatEndOf(draft)) + WAIT_MS) return true;
  const { known } = state;
  if (!known.hasVideo(moment.startMs)) return true;
  // An end that has moved to a cut before it may still move to a nearer one behind it.
  const neededMs = Math.max(moment.endMs + 2 * SNAP_MS, moment.onsetMs + STOPPED_UNTIL_MS);
  if (known.measuredUntilMs < neededMs + SHOT_LOOKAHEAD_MS) return false;
  if (nowMs - state.modelMs > MODEL_MS || state.modelMs === 0) return true;
  return state.evidence.shots.every(
    (shot) => shot.scored || shot.endMs < moment.onsetMs || shot.startMs > moment.endMs,
  );
}

/** When the last of its reaction had come, in chat's time. */
function chatEndOf(draft: Draft): number {
  let endMs = Math.max(draft.screenMs ?? 0, draft.askedMs ?? 0);
  for (const each of draft.bursts) endMs = Math.max(endMs, each.endMs);
  for (const made of draft.marks) endMs = Math.max(endMs, made.atMs);
  return endMs;
}
const isOver = (state: MomentsState, draft: Draft): boolean =>
  draft.state === "final" || nowOf(state) > chatEndOf(draft) + LONGEST_REACTION_MS / 2;

/** An advertisement, a raid, a bomb of gifts, a poll or a flood of copies is what chat reacts to; what a person marked stands. */
function excuseOf(state: MomentsState, draft: Draft): boolean {
  if (draft.marks.length > 0) return false;
  if (draft.bursts.length === 0 && draft.askedMs === null)
    return state.known.touchesAd(draft.screenMs! - 1000, draft.screenMs! + 1000);
  const chatMs = Math.min(draft.askedMs ?? Infinity, ...draft.bursts.map((each) => each.startMs));
  const onsetMs = chatMs - draft.lag.lagMs;
  if (state.known.touchesAd(onsetMs - 1000, onsetMs + 2000)) return true;
  const lines = Math.max(0, ...draft.bursts.map((each) => each.count));
  return state.excuses.some(
    (excuse) => chatMs >= excuse.fromMs && chatMs <= excuse.toMs && excuse.lines >= lines * FLOOD_SHARE,
  );
}

function withdraw(state: MomentsState, draft: Draft, emit: Emit): void {
  draft.state = "withdrawn";
  // Never said: there is nothing to take back.
  if (draft.said === null) return;
  draft.version++;
  draft.said = { ...draft.said, state: "withdrawn", version: draft.version, detectedAtMs: nowOf(state) };
  emit({ type: "moment", moment: draft.said });
}

/** Says a version when it differs in what a person would notice, an open one at most every SAY_MS. */
function say(
  state: MomentsState,
  draft: Draft,
  moment: Moment,
  as: "open" | "final",
  emit: Emit,
  urgent = false,
): void {
  const nowMs = nowOf(state);
  if (as === "open" && draft.said !== null && !urgent) {
    if (nowMs < draft.saidAtMs + SAY_MS || !differs(draft.said, moment)) return;
  }
  draft.state = as;
  draft.version++;
  draft.saidAtMs = nowMs;
  draft.said = { ...moment, state: as, version: draft.version, detectedAtMs: nowMs };
  emit({ type: "moment", moment: draft.said });
}

const SENSES = ["chat", "picture", "sound", "model"] as const;
const differs = (a: Moment, b: Moment): boolean =>
  a.kind !== b.kind ||
  a.origin !== b.origin ||
  Math.abs(a.startMs - b.startMs) >= 1000 ||
  Math.abs(a.endMs - b.endMs) >= 1000 ||
  Math.abs(a.onsetMs - b.onsetMs) >= 500 ||
  Math.abs(a.score - b.score) >= 5 ||
  a.marks.length !== b.marks.length ||
  SENSES.some((sense) => a.senses[sense] !== b.senses[sense]);

/** Share of the shorter of two that lies in the other. */
function overlap(a: Moment, b: Moment): number {
  const both = Math.min(a.endMs, b.endMs) - Math.max(a.startMs, b.startMs);
  return Math.max(0, both) / Math.max(1, Math.min(a.endMs - a.startMs, b.endMs - b.startMs));
}

/** The newest draft about something on screen in fromMs … toMs, open or withdrawn. */
function nearest(state: MomentsState, fromMs: number, toMs: number): Draft | null {
  return (
    state.drafts.findLast((draft) => {
      const firstMs = onScreen(draft);
      return firstMs <= toMs && chatEndOf(draft) - backOf(draft) >= fromMs;
    }) ?? null
  );
}
/** When what it is about began, as a first estimate: it must not depend on what the screen said by now. */
function onScreen(draft: Draft): number {
  let firstMs = Math.min(draft.screenMs ?? Infinity, (draft.askedMs ?? Infinity) - draft.lag.lagMs);
  for (const each of draft.bursts) firstMs = Math.min(firstMs, each.startMs - draft.lag.lagMs);
  for (const made of draft.marks) firstMs = Math.min(firstMs, made.expectedMs);
  return firstMs;
}
const backOf = (draft: Draft): number =>
  draft.bursts.length > 0 || draft.askedMs !== null ? draft.lag.lagMs : 0;

/** A burst begins a moment, joins one, or tells more of one; a flood excuses. */
function burst(state: MomentsState, said: ChatBurst, emit: Emit): void {
  if (!HYPE.has(said.kind)) {
    const raid = said.kind === "raid";
    const excuse: Excuse = {
      id: said.id,
      fromMs: said.startMs - JOIN_MS,
      toMs: raid ? said.startMs + RAID_MS : said.endMs,
      lines: raid ? Infinity : said.count,
    };
    const at = state.excuses.findIndex(({ id }) => id === said.id);
    if (at >= 0) state.excuses[at] = excuse;
    else keep(state.excuses, excuse);
    for (const draft of state.drafts) advance(state, draft, emit);
    return;
  }
  for (const draft of state.drafts) {
    const at = draft.bursts.findIndex(({ id }) => id === said.id);
    if (at < 0) continue;
    draft.bursts[at] = burstFact(said);
    return;
  }
  if (!said.open) return;
  const aboutMs = said.startMs - state.lag.lagMs;
  const draft = nearest(state, aboutMs - JOIN_MS, aboutMs + JOIN_MS);
  if (draft === null || (draft.state === "open" && aboutMs > onScreen(draft) + LONGEST_REACTION_MS))
    open(state, said.peakMs, { bursts: [burstFact(said)] }, emit);
  else {
    draft.bursts.push(burstFact(said));
    if (draft.bursts.length > LIST_BOUND / 8) draft.bursts.shift();
  }
}

const burstFact = (said: ChatBurst): Draft["bursts"][number] => ({
  id: said.id,
  kind: said.kind as Draft["bursts"][number]["kind"],
  subject: said.subject,
  mood: said.mood,
  startMs: said.startMs,
  peakMs: said.peakMs,
  endMs: said.endMs,
  open: said.open,
  count: said.count,
  chatters: said.chatters,
  times: said.times,
  z: said.z,
  peakRate: said.peakRate,
  baselineRate: said.baselineRate,
});
const hypeFact = ({ atMs, value, chattersPerMin, chattersTimes }: HypeValue): Evidence["hype"][number] => ({
  atMs,
  value,
  usualChatters:
    chattersTimes === null || chattersTimes === 0 ? null : chattersPerMin / Math.max(chattersTimes, 0.01),
});
const audioFact = (audio: AudioWindow): Evidence["audio"][number] => ({
  startMs: audio.startMs,
  aboveUsual: audio.aboveUsual,
  voice: audio.voice,
  silence: audio.silence,
});
const shotFact = (shot: VideoShot): Evidence["shots"][number] => ({
  id: shot.id,
  startMs: shot.startMs,
  endMs: shot.endMs,
  scene: shot.scene,
  stillShare: Math.max(shot.blackShare, shot.frozenShare),
  scored: false,
  action: null,
});

/** A viewer's line: a mark by command, or somebody who asks for a clip. */
function hear(state: MomentsState, line: ChatLine, emit: Emit): void {
  if (line.sourceChannelId !== undefined && line.sourceChannelId !== state.channelId) return;
  const { sentAtMs, text } = line;
  // A line whose clock is broken says nothing about when.
  if (state.chatMs > 0 && Math.abs(sentAtMs - state.chatMs) > 60_000) return;
  count(state, Math.floor(sentAtMs / 1000));
  const label = markIn(line);
  if (label !== null) {
    const expectedMs = sentAtMs - state.lag.lagMs - TYPED_MS;
    const errorMs = Math.hypot(state.lag.errorMs, TYPED_MS);
    return mark(state, { id: line.id, atMs: sentAtMs, expectedMs, errorMs, label }, emit);
  }
  if (!asksForClip(text)) return;
  const { asks } = state.evidence;
  const user = userKey(line.userId);
  const recent = asks.filter((ask) => ask.atMs > sentAtMs - ASK_MS);
  if (recent.some((ask) => ask.user === user)) return;
  keep(asks, { atMs: sentAtMs, user });
  const people = recent.length + 1;
  const lines = state.lines.reduce((sum, each) => sum + each, 0);
  if (people < ASK_PEOPLE || people < lines * ASK_SHARE) return;
  const askedMs = Math.min(...recent.map((ask) => ask.atMs)) - TYPED_MS;
  const aboutMs = askedMs - state.lag.lagMs;
  const draft = nearest(state, aboutMs - 2 * JOIN_MS, aboutMs + JOIN_MS);
  const final = state.finals.some(
    ({ said }) => aboutMs >= said!.startMs && aboutMs <= said!.endMs + 2 * JOIN_MS,
  );
  if (draft === null && !final) open(state, askedMs, { askedMs }, emit);
}

function count(state: MomentsState, second: number): void {
  const { lines } = state;
  for (let s = Math.max(state.lineS + 1, second - lines.length + 1); s <= second; s++)
    lines[s % lines.length] = 0;
  state.lineS = Math.max(state.lineS, second);
  if (second > state.lineS - lines.length) lines[second % lines.length]!++;
}

/** A person's mark joins the moment that it is about, also one that is final, or makes one. One of a time that has not come is nobody's. */
function mark(state: MomentsState, made: Draft["marks"][number], emit: Emit): void {
  if (made.atMs > nowOf(state) + AHEAD_MS) return;
  const about = [...state.finals, ...state.drafts].findLast(
    (draft) =>
      draft.state !== "withdrawn" &&
      draft.said !== null &&
      made.expectedMs + made.errorMs >= draft.said.startMs &&
      made.expectedMs <= draft.said.endMs + MARK_AFTER_MS,
  );
  if (about !== undefined) addMark(state, about, made, emit);
  else open(state, made.atMs, { marks: [made] }, emit);
}

function addMark(state: MomentsState, draft: Draft, made: Draft["marks"][number], emit: Emit): void {
  if (draft.marks.some(({ id }) => id === made.id) || draft.marks.length >= LIST_BOUND / 8) return;
  draft.marks.push(made);
  const { state: as } = draft;
  if (as === "withdrawn") return;
  const moment = describe(draft, state.evidence, state.known, state.chatHoles, nowOf(state), hasChat(state));
  // Where a final moment lies no longer changes: somebody may have made a clip of it.
  const fixed: Moment =
    as === "final"
      ? { ...draft.said!, score: moment.score, marks: moment.marks, subject: moment.subject }
      : moment;
  say(state, draft, fixed, as, emit, true);
}

function score(state: MomentsState, said: ShotScore): void {
  if (said.unknown === null) state.modelMs = Math.max(state.modelMs, nowOf(state), 1);
  const shot = state.evidence.shots.findLast(({ id }) => id === said.id);
  if (shot === undefined) return;
  shot.scored = true;
  shot.action = said.action;
}

const SUBS: ReadonlySet<string> = new Set(["sub", "resub", "subgift", "giftpaidupgrade", "primepaidupgrade"]);

function notice(state: MomentsState, said: ChatNotice): void {
  const { id, kind, sentAtMs } = said;
  if (SUBS.has(kind)) keep(state.evidence.subs, sentAtMs);
  const busyMs =
    kind === "raid" ? RAID_MS : kind === "submysterygift" && (said.count ?? 1) >= BOMB_MIN ? BOMB_MS : 0;
  if (busyMs > 0)
    keep(state.excuses, { id, fromMs: sentAtMs - JOIN_MS, toMs: sentAtMs + busyMs, lines: Infinity });
}

/** Drops what no open moment can need. */
function forget(state: MomentsState, nowMs: number): void {
  const oldestMs = nowMs - KEPT_MS;
  const { evidence } = state;
  state.known.forget(nowMs);
  state.excuses = state.excuses.filter((excuse) => excuse.toMs >= oldestMs);
  state.chatHoles = state.chatHoles.filter((hole) => hole.toMs >= oldestMs);
  state.finals = state.finals.filter((final) => final.saidAtMs >= oldestMs);
  evidence.audio = evidence.audio.filter((second) => second.startMs >= oldestMs);
  evidence.onsets = evidence.onsets.filter((onset) => onset.atMs >= oldestMs);
  evidence.shots = evidence.shots.filter((shot) => shot.endMs >= oldestMs);
  const chatFromMs = state.drafts.length > 0 ? oldestMs : nowMs - KEPT_CALM_MS;
  evidence.lines = evidence.lines.filter(({ second }) => second * 1000 >= chatFromMs);
  evidence.hype = evidence.hype.filter((value) => value.atMs >= chatFromMs);
  evidence.asks = evidence.asks.filter((ask) => ask.atMs >= chatFromMs);
  evidence.subs = evidence.subs.filter((atMs) => atMs >= chatFromMs);
}

/** The parts that are plain numbers and lists. */
interface Saved extends Pick<
  MomentsState,
  | "chatMs"
  | "videoMs"
  | "lag"
  | "excuses"
  | "chatHoles"
  | "drafts"
  | "finals"
  | "modelMs"
  | "lines"
  | "lineS"
  | "heardChat"
  | "lastTickS"
> {
  evidence: Omit<Evidence, "onsets" | "audio" | "lines" | "hype">;
}

function save(state: MomentsState): Uint8Array {
  const out = new ByteWriter();
  const { known, screen, evidence, channelId: _channelId, ...plain } = state;
  const { onsets, audio, lines, hype: values, ...lists } = evidence;
  known.save(out);
  screen.save(out);
  saveOnsets(out, onsets);
  out.uint(audio.length);
  for (const second of audio) {
    out.number(second.startMs);
    out.number(second.aboveUsual);
    out.number(second.voice);
    out.u8(second.silence ? 1 : 0);
  }
  out.uint(lines.length);
  for (const each of lines) {
    out.number(each.second);
    out.number(each.lines);
  }
  out.uint(values.length);
  for (const value of values) {
    out.number(value.atMs);
    out.number(value.value ?? NaN);
    out.number(value.usualChatters ?? NaN);
  }
  const saved: Saved = { ...plain, evidence: lists };
  // JSON has no Infinity: it comes back from null.
  out.text(JSON.stringify(saved));
  return out.done();
}

const maybe = (value: number): number | null => (Number.isNaN(value) ? null : value);

function load(channelId: string, bytes: Uint8Array): MomentsState {
  const reader = new ByteReader(bytes);
  const state = moments.initial(channelId);
  state.known.load(reader);
  state.screen.load(reader);
  const onsets: ScreenOnset[] = loadOnsets(reader);
  const audio = Array.from({ length: reader.uint() }, () => ({
    startMs: reader.number(),
    aboveUsual: reader.number(),
    voice: reader.number(),
    silence: reader.u8() === 1,
  }));
  const lines = Array.from({ length: reader.uint() }, () => ({
    second: reader.number(),
    lines: reader.number(),
  }));
  const values = Array.from({ length: reader.uint() }, () => ({
    atMs: reader.number(),
    value: maybe(reader.number()),
    usualChatters: maybe(reader.number()),
  }));
  const { evidence, ...plain } = JSON.parse(reader.text()) as Saved;
  Object.assign(state, plain, { evidence: { ...evidence, onsets, audio, lines, hype: values } });
  for (const excuse of state.excuses) excuse.lines ??= Infinity;
  for (const draft of [...state.drafts, ...state.finals]) draft.saidAtMs ??= -Infinity;
  return state;
}
