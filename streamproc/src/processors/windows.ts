import { isBot } from "@hypecast/contracts/bots.ts";
import type { ChatLine, ChatNotice } from "@hypecast/contracts/chat.ts";
import { fnv1a } from "@hypecast/contracts/fnv1a.ts";
import { WINDOW_SIZES_S, type ChatWindow } from "@hypecast/contracts/window.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { defineFold, type Emit } from "./fold.ts";
import { FLAG, Pane, POLL_SHIFT } from "./pane.ts";
import { moodsOf, EMOTES_BOUND, Tally } from "./tally.ts";
import { analysisOf } from "./text.ts";

/** The watermark trails the channel's clock by this much: how late a line may come and still be counted. */
export const LATENESS_MS = 2000;
/** A line whose time lies further ahead of what the source has confirmed is counted as written now: its clock is broken, ours goes on. */
const AHEAD_MS = 120_000;
/** A longer silence without any word from the source was not heard. */
const UNHEARD_S = 900;
/** Gaps that are kept apart until their windows close; more are joined. */
const GAPS_BOUND = 64;
const TOP_EMOTES = 20;
/** The sizes that are sums of panes. */
const SUM_SIZES_S = WINDOW_SIZES_S.filter((size) => size > 1);

interface Sum {
  sizeS: number;
  startS: number;
  tally: Tally;
}
interface Span {
  fromMs: number;
  toMs: number;
}

export interface WindowsState {
  readonly channelId: string;
  /** Newest time known of the channel, from lines and alive markers; null before the first. */
  clockMs: number | null;
  /** Until when the source has said that it heard the channel. */
  aliveMs: number | null;
  /** Every second before this one is final. */
  closedS: number;
  /** Every second before this one was glanced at. */
  glancedS: number;
  /** Open seconds, oldest first, at most LATENESS_MS / 1000 + 2 of them. */
  panes: Pane[];
  sums: Sum[];
  gaps: Span[];
  /** Emote sets of the last closed second that had lines. */
  emoteSet: string;
  /** Late lines since the last second closed. */
  late: number;
  countedLines: number;
  lateLines: number;
  sharedLines: number;
  duplicateLines: number;
  newestSentAtMs: number | null;
  newestReceivedAtMs: number | null;
}

export const windows = defineFold<WindowsState>({
  name: "windows",
  says: "One-second panes summed to windows of 10, 30 and 60 s",
  version: 3,
  initial: (channelId) => ({
    channelId,
    clockMs: null,
    aliveMs: null,
    closedS: 0,
    glancedS: 0,
    panes: [],
    sums: SUM_SIZES_S.map((sizeS) => ({ sizeS, startS: 0, tally: new Tally() })),
    gaps: [],
    late: 0,
    emoteSet: "",
    countedLines: 0,
    lateLines: 0,
    sharedLines: 0,
    duplicateLines: 0,
    newestSentAtMs: null,
    newestReceivedAtMs: null,
  }),
  step(state, input, emit) {
    if (input.type === "lines") {
      for (const line of input.lines) countLine(state, line, input.emoteSet, emit);
    } else if (input.type === "alive") {
      state.aliveMs = Math.max(state.aliveMs ?? 0, input.atMs);
      advance(state, input.atMs, emit);
    } else if (input.type === "notice") countNotice(state, input.notice, emit);
    else if (input.type === "gap") {
      addGap(state, input.gap.fromMs, input.gap.toMs);
      state.aliveMs = Math.max(state.aliveMs ?? 0, input.gap.toMs);
    }
  },
  counts: (state) => ({
    counted: state.countedLines,
    late: state.lateLines,
    dropped: { shared_chat: state.sharedLines, duplicate: state.duplicateLines },
  }),
  save,
  load: (channelId, version, bytes) =>
    version === 2 || version === 3 ? load(channelId, bytes, version) : null,
});

function countLine(state: WindowsState, line: ChatLine, emoteSet: string, emit: Emit): void {
  if (line.sourceChannelId !== undefined && line.sourceChannelId !== state.channelId) {
    state.sharedLines++;
    return;
  }
  const atMs = believable(state, line.sentAtMs);
  if (state.clockMs === null || atMs > state.clockMs) advance(state, atMs, emit);
  const second = Math.floor(atMs / 1000);
  // Written so that a time that is no number is late too.
  if (!(second >= state.closedS)) {
    state.late++;
    state.lateLines++;
    return;
  }
  const pane = paneOf(state, second);
  if (!pane.ids!.add(line.id)) {
    state.duplicateLines++;
    return;
  }
  state.countedLines++;
  if (state.newestSentAtMs === null || line.sentAtMs >= state.newestSentAtMs) {
    state.newestSentAtMs = line.sentAtMs;
    state.newestReceivedAtMs = line.receivedAtMs ?? null;
  }
  pane.emoteSet = emoteSet;
  addLine(pane, line, state.channelId);
}

/** Adds a line to its second. */
function addLine(pane: Pane, line: ChatLine, channelId: string): void {
  const text = analysisOf(line.text, channelId);
  const user = userKey(line.userId);
  let flags = text.flags | text.moods | (text.poll << POLL_SHIFT);
  let rowEmotes = 0;
  if (line.emotes !== undefined) {
    const covered = addEmotes(pane, line.emotes);
    rowEmotes = covered.row;
    if (covered.points >= text.bare) flags |= FLAG.emoteOnly;
  }
  if (text.emoteWordsOnly) flags |= FLAG.emoteOnly;
  if ((flags & FLAG.emoteOnly) !== 0) {
    pane.emoteOnly++;
    flags &= ~(FLAG.caps | FLAG.long);
  } else if (text.language === 1) pane.english++;
  else if (text.language === 2) pane.russian++;
  else if (text.language === 3) pane.otherLanguage++;
  if (line.firstMessage === true) {
    pane.firstTimers++;
    flags |= FLAG.first;
  }
  if (isBot(line)) flags |= FLAG.bot;
  if (line.bits !== undefined) pane.bits += line.bits;

  pane.messages++;
  pane.lengthSum += text.length;
  if (text.sentiment !== null) {
    pane.sentimentSum += text.sentiment;
    pane.sentimentLines++;
  }
  if ((flags & FLAG.caps) !== 0) pane.caps++;
  if ((flags & FLAG.question) !== 0) pane.questions++;
  if ((flags & FLAG.link) !== 0) pane.links++;
  for (let moods = text.moods; moods !== 0; moods &= moods - 1)
    pane.moods[31 - Math.clz32(moods & -moods)]!++;
  pane.users.add(user);
  pane.texts.add(text.textKey);
  pane.nears.add(text.nearKey);
  pane.row(user, text.nearKey, flags, rowEmotes);
  if ((flags & (FLAG.long | FLAG.command)) !== 0) pane.quote(text.nearKey, line.text);
  if ((flags & (FLAG.bot | FLAG.command)) === 0) pane.say(text.nearKey, flags, line);
}

/** Code points that the emotes cover, and the row's two emotes. */
const covered = { points: 0, row: 0 };
function addEmotes(pane: Pane, emotes: NonNullable<ChatLine["emotes"]>): typeof covered {
  covered.points = 0;
  covered.row = 0;
  for (let i = 0; i < emotes.length; i++) {
    const [ref, name, first, last] = emotes[i]!;
    covered.points += last - first + 1;
    pane.emoteUses++;
    let emote = pane.emotes.get(ref);
    if (emote === undefined) {
      if (pane.emotes.size >= EMOTES_BOUND) continue;
      emote = { ref, name, uses: 0, lines: 0, place: pane.emotes.size + 1 };
      pane.emotes.set(ref, emote);
    }
    emote.uses++;
    let again = false;
    for (let j = 0; j < i; j++) if (emotes[j]![0] === ref) again = true;
    if (again) continue;
    emote.lines++;
    if (emote.place > 255) continue;
    if (covered.row === 0) covered.row = emote.place;
    else if (covered.row < 256) covered.row |= emote.place << 8;
  }
  return covered;
}

// The gifts of a bomb (submysterygift) follow as notices of their own.
const SUB_KINDS: ReadonlySet<string> = new Set([
  "sub",
  "resub",
  "subgift",
  "giftpaidupgrade",
  "anongiftpaidupgrade",
  "primepaidupgrade",
]);

/** A notice that comes after its second has closed counts in the first open one: nobody's sub is lost. */
function countNotice(state: WindowsState, notice: ChatNotice, emit: Emit): void {
  const isSub = SUB_KINDS.has(notice.kind);
  if (!isSub && notice.kind !== "raid") return;
  const atMs = believable(state, notice.sentAtMs);
  if (state.clockMs === null) advance(state, atMs, emit);
  const newest = Math.floor(state.clockMs! / 1000);
  const second = Math.min(Math.max(Math.floor(atMs / 1000), state.closedS), newest);
  const pane = paneOf(state, second);
  if (!pane.ids!.add(notice.id)) return;
  const count = notice.count ?? 1;
  if (isSub) pane.subs++;
  else pane.raiders += count;
}

function believable(state: WindowsState, atMs: number): number {
  if (state.aliveMs === null || state.clockMs === null) return atMs;
  const confirmedMs = state.aliveMs;
  return atMs > confirmedMs + AHEAD_MS
    ? Math.max(confirmedMs, Math.min(state.clockMs, confirmedMs + AHEAD_MS))
    : atMs;
}

function paneOf(state: WindowsState, second: number): Pane {
  const { panes } = state;
  let at = panes.length;
  while (at > 0 && panes[at - 1]!.second > second) at--;
  if (at > 0 && panes[at - 1]!.second === second) return panes[at - 1]!;
  const pane = new Pane(second);
  panes.splice(at, 0, pane);
  return pane;
}

/** Twitch's ids are numbers below 2^32 and stay as they are, so counting them is exact; anything else is hashed. */
export function userKey(userId: string): number {
  const { length } = userId;
  if (length === 0 || length > 10) return fnv1a(userId);
  let value = 0;
  for (let i = 0; i < length; i++) {
    const digit = userId.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return fnv1a(userId);
    value = value * 10 + digit;
  }
  return value <= 0xffffffff ? value : fnv1a(userId);
}

/** Moves the channel's clock; closes what the watermark has passed. */
function advance(state: WindowsState, toMs: number, emit: Emit): void {
  if (!(toMs > (state.clockMs ?? -Infinity))) return;
  const untilS = Math.floor((toMs - LATENESS_MS) / 1000);
  if (state.clockMs === null) begin(state, untilS);
  state.clockMs = toMs;
  if (untilS > state.closedS) close(state, untilS, emit);
  const nowS = Math.floor(toMs / 1000);
  if (nowS <= state.glancedS) return;
  state.glancedS = nowS;
  const panes = state.panes.filter((pane) => pane.second < nowS);
  if (panes.length > 0) emit({ type: "glance", untilS: nowS, panes, rows: panes.map((pane) => pane.rows) });
}

/** The first windows are older than the first line: what came before was not heard. */
function begin(state: WindowsState, firstS: number): void {
  state.closedS = firstS;
  state.glancedS = firstS;
  for (const sum of state.sums) sum.startS = Math.floor(firstS / sum.sizeS) * sum.sizeS;
  const oldest = Math.min(...state.sums.map((sum) => sum.startS));
  addGap(state, oldest * 1000, firstS * 1000);
}

function close(state: WindowsState, untilS: number, emit: Emit): void {
  while (state.panes.length > 0 && state.panes[0]!.second < untilS) {
    const pane = state.panes.shift()!;
    if (pane.second > state.closedS) closeSilence(state, pane.second, emit);
    closePane(state, pane, emit);
  }
  if (untilS > state.closedS) closeSilence(state, untilS, emit);
  if (state.gaps.length === 0) return;
  const oldestMs = Math.min(...state.sums.map((sum) => sum.startS)) * 1000;
  state.gaps = state.gaps.filter((gap) => gap.toMs > oldestMs);
}

function closePane(state: WindowsState, pane: Pane, emit: Emit): void {
  const fromS = pane.second;
  pane.late += state.late;
  state.late = 0;
  state.closedS = fromS + 1;
  if (pane.messages > 0) state.emoteSet = pane.emoteSet;
  emit({ type: "seconds", fromS, untilS: fromS + 1, pane, heard: true });
  emit({ type: "window", window: windowOf(state, pane, fromS, 1) });
  // Windows nest: a pane goes to the 10 s window, that one to the 30 s window when it ends, and so on.
  state.sums[0]!.tally.add(pane);
  pane.release();
  for (const sum of state.sums) if (fromS + 1 === sum.startS + sum.sizeS) finish(state, sum, emit);
}

/** Closes seconds in which nobody wrote, however many, without a step for each. */
function closeSilence(state: WindowsState, untilS: number, emit: Emit): void {
  const fromS = state.closedS;
  if (untilS - fromS > UNHEARD_S) addGap(state, fromS * 1000, untilS * 1000);
  state.closedS = untilS;
  for (const part of heardParts(state.gaps, fromS, untilS)) emit({ type: "seconds", pane: null, ...part });
  state.sums[0]!.tally.late += state.late;
  state.late = 0;
  for (const sum of state.sums) while (sum.startS + sum.sizeS <= untilS) finish(state, sum, emit, untilS);
}

/** Emits the window that ends here and begins the next, the first one from there that is not wholly in a gap. */
function finish(state: WindowsState, sum: Sum, emit: Emit, untilS = sum.startS): void {
  const { startS, sizeS, tally } = sum;
  const empty = tally.messages === 0 && tally.late === 0 && tally.subs === 0 && tally.raiders === 0;
  if (!empty || gapMs(state.gaps, startS, startS + sizeS) < sizeS * 1000)
    emit({ type: "window", window: windowOf(state, tally, startS, sizeS) });
  if (!empty) state.sums[state.sums.indexOf(sum) + 1]?.tally.add(tally);
  tally.clear();
  sum.startS = startS + sizeS;
  const inside = state.gaps.find(
    (gap) => gap.fromMs <= sum.startS * 1000 && gap.toMs >= (sum.startS + sizeS) * 1000,
  );
  if (inside === undefined) return;
  const next = Math.floor(Math.min(inside.toMs / 1000, untilS) / sizeS) * sizeS;
  sum.startS = Math.max(sum.startS, next);
}

function windowOf(state: WindowsState, tally: Tally, startS: number, sizeS: number): ChatWindow {
  const { messages } = tally;
  const share = (count: number): number => (messages === 0 ? 0 : count / messages);
  return {
    id: `${state.channelId}:${sizeS}:${startS * 1000}`,
    channelId: state.channelId,
    startMs: startS * 1000,
    sizeS,
    messages,
    chatters: Math.min(tally.users.count(), messages),
    chattersEstimated: tally.users.estimated,
    firstTimers: tally.firstTimers,
    emotes: topEmotes(tally),
    emoteUses: tally.emoteUses,
    emoteShare: share(tally.emoteOnly),
    moods: moodsOf(tally.moods),
    sentiment: tally.sentimentLines === 0 ? 0 : tally.sentimentSum / 1000 / tally.sentimentLines,
    sentimentLines: tally.sentimentLines,
    meanLength: share(tally.lengthSum),
    repeatedShare: share(Math.max(0, messages - tally.texts.count())),
    nearRepeatedShare: share(Math.max(0, messages - tally.nears.count())),
    capsShare: share(tally.caps),
    questions: tally.questions,
    links: tally.links,
    bits: tally.bits,
    subs: tally.subs,
    raiders: tally.raiders,
    languages: { en: tally.english, ru: tally.russian, other: tally.otherLanguage },
    gapS: gapMs(state.gaps, startS, startS + sizeS) / 1000,
    late: tally.late,
    emoteSet: state.emoteSet,
  };
}

const NO_EMOTES: ChatWindow["emotes"] = [];
function topEmotes(tally: Tally): ChatWindow["emotes"] {
  if (tally.emotes.size === 0) return NO_EMOTES;
  return [...tally.emotes.values()]
    .toSorted((a, b) => b.uses - a.uses || (a.ref < b.ref ? -1 : 1))
    .slice(0, TOP_EMOTES)
    .map(({ ref, name, uses }) => [ref, name, uses]);
}

/** Joins a stretch into the list of gaps, which stays sorted, apart and bounded. */
function addGap(state: WindowsState, fromMs: number, toMs: number): void {
  if (!(toMs > fromMs)) return;
  const joined: Span = { fromMs, toMs };
  const apart: Span[] = [];
  for (const gap of state.gaps) {
    if (gap.toMs < joined.fromMs || gap.fromMs > joined.toMs) apart.push(gap);
    else {
      joined.fromMs = Math.min(joined.fromMs, gap.fromMs);
      joined.toMs = Math.max(joined.toMs, gap.toMs);
    }
  }
  apart.push(joined);
  apart.sort((a, b) => a.fromMs - b.fromMs);
  if (apart.length > GAPS_BOUND) {
    const [first, second] = apart.splice(0, 2);
    apart.unshift({ fromMs: first!.fromMs, toMs: second!.toMs });
  }
  state.gaps = apart;
}

function gapMs(gaps: readonly Span[], fromS: number, untilS: number): number {
  let sum = 0;
  for (const gap of gaps)
    sum += Math.max(0, Math.min(gap.toMs, untilS * 1000) - Math.max(gap.fromMs, fromS * 1000));
  return sum;
}

/** The stretch cut where hearing begins and ends. A second that was heard in part counts as heard. */
function heardParts(
  gaps: readonly Span[],
  fromS: number,
  untilS: number,
): { fromS: number; untilS: number; heard: boolean }[] {
  const parts = [];
  let at = fromS;
  for (const gap of gaps) {
    const gapFromS = Math.max(at, Math.ceil(gap.fromMs / 1000));
    const gapUntilS = Math.min(untilS, Math.floor(gap.toMs / 1000));
    if (gapUntilS <= gapFromS) continue;
    if (gapFromS > at) parts.push({ fromS: at, untilS: gapFromS, heard: true });
    parts.push({ fromS: gapFromS, untilS: gapUntilS, heard: false });
    at = gapUntilS;
  }
  if (at < untilS) parts.push({ fromS: at, untilS, heard: true });
  return parts;
}

const NUMBERS = [
  "closedS",
  "glancedS",
  "late",
  "countedLines",
  "lateLines",
  "sharedLines",
  "duplicateLines",
] as const;
const MAYBE = ["clockMs", "aliveMs", "newestSentAtMs", "newestReceivedAtMs"] as const;

function save(state: WindowsState): Uint8Array {
  const out = new ByteWriter();
  for (const name of NUMBERS) out.number(state[name]);
  for (const name of MAYBE) out.number(state[name] ?? NaN);
  out.word(state.emoteSet);
  out.uint(state.gaps.length);
  for (const gap of state.gaps) {
    out.number(gap.fromMs);
    out.number(gap.toMs);
  }
  out.uint(state.panes.length);
  for (const pane of state.panes) pane.save(out);
  for (const sum of state.sums) {
    out.number(sum.startS);
    sum.tally.saveCounts(out);
    sum.tally.saveSets(out);
  }
  return out.done();
}

function load(channelId: string, saved: Uint8Array, version: number): WindowsState {
  const bytes = new ByteReader(saved);
  const state = windows.initial(channelId);
  for (const name of NUMBERS) state[name] = bytes.number();
  for (const name of MAYBE) {
    const value = bytes.number();
    state[name] = Number.isNaN(value) ? null : value;
  }
  state.emoteSet = bytes.word();
  for (let left = bytes.uint(); left > 0; left--)
    state.gaps.push({ fromMs: bytes.number(), toMs: bytes.number() });
  for (let left = bytes.uint(); left > 0; left--) state.panes.push(Pane.from(bytes, version > 2));
  for (const sum of state.sums) {
    sum.startS = bytes.number();
    sum.tally.loadCounts(bytes);
    sum.tally.loadSets(bytes);
  }
  return state;
}
