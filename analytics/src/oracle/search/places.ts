import { HYPE_BURST_KINDS, type ChatBurst } from "@hypecast/contracts/burst.ts";
import type { Moment } from "@hypecast/contracts/moment.ts";
import { clustersOf, type Vote } from "./cluster.ts";
import { PRIOR_LAG, type Evidence, type Lag, type Notice } from "./evidence.ts";
import type { Line } from "./lines.ts";
import { matcherOf, saysPhrase, type Match, type Weighed } from "./match.ts";
import { scoreOf, type Parts } from "./score.ts";
import type { Question, Wanted } from "./understand.ts";

/** A chunk that may hold the answer, with what the indexes gave it, 0–1. */
export interface Candidate {
  readonly id: string;
  readonly channelId: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly screenWords: string;
  readonly keyword: number;
  readonly semantic: number;
}

/** A stretch of one channel that is looked into, with all its lines. */
export interface Stretch {
  readonly channelId: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly candidates: readonly Candidate[];
  readonly lines: readonly Line[];
  /** Likeness of each line to the question, 0–1; null: no model that is cheap enough. */
  readonly alike: Float64Array | null;
}

export interface Said {
  readonly line: Line;
  readonly match: Match;
  /** Lines of nearly the same text, this one included. */
  readonly similar: number;
}

export interface Place {
  readonly channelId: string;
  readonly atMs: number;
  readonly errorMs: number;
  readonly chatAtMs: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly score: number;
  readonly parts: Parts;
  readonly candidates: readonly Candidate[];
  readonly moment: Moment | null;
  readonly burst: ChatBurst | null;
  readonly notice: Notice | null;
  readonly said: readonly Said[];
  /** Lines that speak of it, and by how many people. */
  readonly lines: number;
  readonly people: number;
  readonly seconds: number;
}

const HYPE: ReadonlySet<string> = new Set(HYPE_BURST_KINDS);
const CLUSTERS_A_STRETCH = 3;
const SHOWN_LINES = 6;
/** A reaction and what was said of it are one thing when their beginnings are so near. */
const NEAR_MS = 15_000;
/** What a clip of it takes in before and after, where no moment says it. */
const LEAD_MS = 8000;
const TRAIL_MS = 10_000;
const SHORTEST_MS = 15_000;
const LONGEST_MS = 60_000;
/** A line says something of it from this share of the question on. */
const SPEAKS = 0.2;
/** Weight of a line that only means it, against one that says it. */
const MEANS = 0.5;
/** Below that, lines are alike by chance. */
const ALIKE_FROM = 0.45;
/** So many votes are as good as any more. */
const MANY_VOICES = 40;

/** The places in the stretches, not yet joined or ordered. */
export function placesOf(
  stretches: readonly Stretch[],
  question: Question,
  wanted: readonly Wanted[],
  weighed: readonly Weighed[],
  evidence: Evidence,
  notices: readonly Notice[],
): Place[] {
  const places: Place[] = [];
  const matchOf = matcherOf(weighed);
  for (const stretch of stretches) {
    const matches = stretch.lines.map(matchOf);
    const means = stretch.lines.map((_line, i) =>
      Math.max(0, ((stretch.alike?.[i] ?? 0) - ALIKE_FROM) / (1 - ALIKE_FROM)),
    );
    const votes: Vote[] = stretch.lines.map((line, i) => {
      const { says, key } = matches[i]!;
      return {
        atMs: line.sentAtMs,
        userId: line.userId,
        key,
        weight: Math.max(says ** 2, MEANS * means[i]! ** 2),
      };
    });
    const onsets: {
      onsetMs: number;
      peakMs: number;
      endMs: number;
      support: number;
      burst: ChatBurst | null;
      notice: Notice | null;
    }[] = clustersOf(votes, CLUSTERS_A_STRETCH).map((cluster) => ({ ...cluster, burst: null, notice: null }));
    const inside = (atMs: number): boolean => atMs >= stretch.fromMs && atMs < stretch.toMs;
    for (const burst of evidence.bursts)
      if (
        burst.channelId === stretch.channelId &&
        inside(burst.startMs) &&
        isAskedFor(burst, question, wanted)
      )
        onsets.push({
          onsetMs: burst.startMs,
          peakMs: burst.startMs,
          endMs: burst.endMs,
          support: 0,
          burst,
          notice: null,
        });
    for (const notice of notices)
      if (notice.channelId === stretch.channelId && inside(notice.sentAtMs))
        onsets.push({
          onsetMs: notice.sentAtMs,
          peakMs: notice.sentAtMs,
          endMs: notice.sentAtMs + NEAR_MS,
          support: 0,
          burst: null,
          notice,
        });
    for (const onset of onsets)
      places.push(placeAt(stretch, onset, matches, means, votes, question, wanted, weighed, evidence));
  }
  return places;
}

/** The question asks for this kind of thing, or for this mood. */
const isAskedFor = (burst: ChatBurst, question: Question, wanted: readonly Wanted[]): boolean =>
  wanted.some(
    ({ bursts, moods }) =>
      bursts.includes(burst.kind) ||
      (burst.mood !== null && HYPE.has(burst.kind) && moods.includes(burst.mood)),
  ) ||
  (question.intense && HYPE.has(burst.kind)) ||
  (burst.mood !== null && question.moods.includes(burst.mood));

function placeAt(
  stretch: Stretch,
  onset: {
    onsetMs: number;
    peakMs: number;
    endMs: number;
    support: number;
    burst: ChatBurst | null;
    notice: Notice | null;
  },
  matches: readonly Match[],
  means: readonly number[],
  votes: readonly Vote[],
  question: Question,
  wanted: readonly Wanted[],
  weighed: readonly Weighed[],
  evidence: Evidence,
): Place {
  const { channelId, lines } = stretch;
  const fromMs = onset.onsetMs - 1000;
  // What is said much later in a long stretch is about something else.
  const toMs = Math.max(Math.min(onset.endMs, onset.peakMs + NEAR_MS), onset.onsetMs + NEAR_MS) + 1;
  const here = evidence.bursts.filter(
    (burst) => burst.channelId === channelId && burst.startMs < toMs && burst.endMs >= fromMs - 4000,
  );
  const hype = strongest(here.filter(({ kind }) => HYPE.has(kind)));
  const asked = onset.burst ?? strongest(here.filter((burst) => isAskedFor(burst, question, wanted)));
  const flood = strongest(here.filter(({ kind }) => !HYPE.has(kind)));
  const moment =
    evidence.moments.find(
      (one) =>
        one.channelId === channelId &&
        Math.abs((one.chatOnsetMs ?? one.onsetMs) - onset.onsetMs) <= NEAR_MS &&
        one.origin !== "mark",
    ) ?? null;

  // What need not be said because it is known.
  const known = wanted.map(({ moods, bursts, notices }): number =>
    (onset.notice !== null && notices.includes(onset.notice.kind)) ||
    here.some(({ kind }) => bursts.includes(kind))
      ? 1
      : here.some(({ kind, mood }) => HYPE.has(kind) && mood !== null && moods.includes(mood))
        ? 0.8
        : 0,
  );
  let best = 0;
  const together = [...known];
  const speaking: number[] = [];
  let meaning = 0;
  for (const [i, line] of lines.entries()) {
    if (line.sentAtMs < fromMs || line.sentAtMs >= toMs) continue;
    const { each, says } = matches[i]!;
    let all = 0;
    for (let at = 0; at < each.length; at++) {
      const worth = Math.max(each[at]!, says > 0 ? known[at]! : 0);
      all += worth * weighed[at]!.share;
      if (each[at]! > together[at]!) together[at] = each[at]!;
    }
    for (const phrase of question.phrases) if (saysPhrase(line.text, phrase)) all = Math.max(all, 1);
    best = Math.max(best, all);
    meaning = Math.max(meaning, means[i]!);
    if (says >= SPEAKS || means[i]! > 0) speaking.push(i);
  }
  const candidates = stretch.candidates.filter(({ startMs, endMs }) => startMs < toMs && endMs > fromMs);
  const top = (of: (candidate: Candidate) => number): number => Math.max(0, ...candidates.map(of));
  const eventShare = known.reduce((sum, worth, at) => sum + worth * (weighed[at]?.share ?? 0), 0);
  const parts: Parts = {
    line: Math.max(best, eventShare),
    together: together.reduce((sum, worth, at) => sum + worth * (weighed[at]?.share ?? 0), 0),
    voices: Math.min(1, Math.log1p(onset.support) / Math.log1p(MANY_VOICES)),
    keyword: top(({ keyword }) => keyword),
    semantic: top(({ semantic }) => semantic),
    meaning,
    burst: hype === null ? 0 : Math.min(1, Math.log2(Math.max(1, hype.times)) / 4),
    moment: moment === null ? 0 : moment.score / 100,
    event: asked === null && onset.notice === null ? 0 : 1,
    flood: flood !== null && hype === null && asked === null && onset.notice === null ? 1 : 0,
    unheard: weighed.reduce((sum, { share, unheard }) => sum + (unheard ? share : 0), 0),
  };

  // Chat's own doings need no time to react to.
  const ofChat =
    onset.notice !== null || (asked !== null && !HYPE.has(asked.kind)) || (hype === null && flood !== null);
  const began =
    hype !== null && !ofChat && Math.abs(hype.startMs - onset.onsetMs) <= NEAR_MS
      ? Math.max(hype.startMs, onset.onsetMs - 8000)
      : ofChat && asked !== null && onset.notice === null
        ? asked.startMs
        : onset.onsetMs;
  const chatAtMs = ofChat ? began : Math.min(began, onset.onsetMs);
  const lag = evidence.lags.get(channelId) ?? PRIOR_LAG;
  const { atMs, errorMs } =
    moment !== null && !ofChat
      ? { atMs: moment.onsetMs, errorMs: Math.max(1000, moment.lagErrorMs) }
      : happenedAt(chatAtMs, lag, ofChat || question.aboutChat ? 0 : hype !== null ? 1 : 0.5);
  const endMs = Math.min(
    atMs + LONGEST_MS,
    Math.max(
      moment?.endMs ?? 0,
      onset.endMs + TRAIL_MS / 2,
      chatAtMs + TRAIL_MS,
      atMs - LEAD_MS + SHORTEST_MS,
    ),
  );
  return {
    channelId,
    atMs,
    errorMs,
    chatAtMs,
    startMs: Math.min(atMs - 2000, moment?.startMs ?? atMs - LEAD_MS),
    endMs: Math.max(endMs, atMs + 5000),
    score: scoreOf(parts),
    parts,
    candidates,
    moment,
    burst: asked ?? hype,
    notice: onset.notice,
    said: saidOf(stretch, speaking.length > 0 ? speaking : inTime(lines, fromMs, toMs), matches, votes),
    lines: speaking.length,
    people: new Set(speaking.map((i) => lines[i]!.userId)).size,
    seconds:
      speaking.length === 0
        ? 0
        : Math.max(1, Math.round((lines[speaking.at(-1)!]!.sentAtMs - lines[speaking[0]!]!.sentAtMs) / 1000)),
  };
}

const strongest = (bursts: readonly ChatBurst[]): ChatBurst | null =>
  bursts.reduce<ChatBurst | null>(
    (best, burst) => (best === null || burst.times > best.times ? burst : best),
    null,
  );

function inTime(lines: readonly Line[], fromMs: number, toMs: number): number[] {
  const found: number[] = [];
  for (const [i, { sentAtMs }] of lines.entries()) if (sentAtMs >= fromMs && sentAtMs < toMs) found.push(i);
  return found;
}

/** `reacting`: how sure it is that chat answers to something on screen, and does not just talk. */
function happenedAt(chatAtMs: number, lag: Lag, reacting: number): { atMs: number; errorMs: number } {
  const doubt = lag.lagMs * Math.sqrt(reacting * (1 - reacting));
  return {
    atMs: Math.round(chatAtMs - lag.lagMs * reacting),
    errorMs: Math.max(1000, Math.round(Math.hypot(lag.errorMs * reacting, doubt))),
  };
}

/** The lines that prove it: those that say most, each standing for its copies, in order of time. */
function saidOf(
  { lines }: Stretch,
  speaking: readonly number[],
  matches: readonly Match[],
  votes: readonly Vote[],
): Said[] {
  const groups = new Map<string, { first: number; count: number; weight: number }>();
  for (const i of speaking) {
    const { key } = matches[i]!;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: i, count: 1, weight: votes[i]!.weight });
    else group.count++;
  }
  return [...groups.values()]
    .toSorted(
      (a, b) =>
        b.weight * (1 + Math.log(b.count)) - a.weight * (1 + Math.log(a.count)) ||
        b.count - a.count ||
        a.first - b.first,
    )
    .slice(0, SHOWN_LINES)
    .map(({ first, count }) => ({ line: lines[first]!, match: matches[first]!, similar: count }));
}

/** Places that are one: the better stays, with the other's chunks. */
const ONE_MS = 20_000;
export function joined(places: readonly Place[]): Place[] {
  const kept: Place[] = [];
  for (const place of places.toSorted((a, b) => b.score - a.score || a.atMs - b.atMs)) {
    const same = kept.find(
      (other) =>
        other.channelId === place.channelId &&
        (Math.abs(other.chatAtMs - place.chatAtMs) < ONE_MS ||
          (other.moment !== null && other.moment.id === place.moment?.id)),
    );
    if (same === undefined) kept.push(place);
  }
  return kept;
}
