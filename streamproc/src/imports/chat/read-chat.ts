import { createHash } from "node:crypto";
import type { ChatLine, ChatModeration, ChatNotice } from "@hypecast/contracts/chat.ts";
import { LOGIN } from "@hypecast/contracts/login.ts";
import { UNKNOWN_START_MS, type Completeness, type Vod, type VodError } from "@hypecast/contracts/vod.ts";
import type { ChatDialect } from "@hypecast/contracts/vod-words.ts";
import { annotate, type EmoteNames } from "../../sources/emotes/annotate.ts";
import { hearCompleteness } from "./completeness.ts";
import type { Draft } from "./draft.ts";
import { openDrafts } from "./drafts.ts";
import type { ChatFacts } from "./facts.ts";
import { ImportFailure } from "./failure.ts";
import type { ByteSource } from "./source.ts";

const BATCH_ITEMS = 2000;
/** Messages that are out of order by less than this are held back and put right; otherwise the file is read slice by slice. */
const HOLD_S = 120;
const SLICE_LINES = 100_000;
/** Messages of other channels up to this share are taken for strays of a shared chat. */
const STRAY_SHARE = 0.01;
const AGREE_BUCKET_MS = 10;
/** A second and what rounding adds. */
const AGREE_BUCKETS = 102;
const AGREE_SHARE = 0.98;

/** What is known from elsewhere; it goes before what the file says. */
export interface KnownOfStream {
  /** Event time of offset 0. */
  readonly startMs: number | null;
  readonly durationS: number | null;
}

/** A chat file after it was read once from end to end. Plain data: it can be kept in a record and outlive the process. */
export interface ChatSurvey {
  readonly dialect: ChatDialect;
  readonly facts: ChatFacts;
  /** Event time of offset 0; UNKNOWN_START_MS where nothing says it. */
  readonly startMs: number;
  readonly startKnown: boolean;
  readonly lines: number;
  readonly notices: number;
  readonly moderation: number;
  readonly chatters: number;
  /** Event time of the first and the last line. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** sha256 over second, viewer and text of every line. */
  readonly contentHash: string;
  readonly badLines: Vod["badLines"];
  readonly completeness: Completeness;
  /** `truncated`, `too_large` for lines that were left out: the rest is whole. */
  readonly notes: readonly VodError[];
  /** What the second pass needs to give the same messages the same times. */
  readonly order: {
    readonly clock: "offset" | "absolute";
    readonly agreedStartMs: number | null;
    readonly spread: boolean;
    readonly disorderMs: number;
    readonly slices: readonly (readonly [fromMinute: number, toMinute: number])[];
    readonly emotes: readonly [name: string, ref: string][];
  };
}

/** Everything between two moments, in event-time order inside each list; a later batch has nothing earlier. */
export interface ChatBatch {
  readonly lines: ChatLine[];
  readonly notices: ChatNotice[];
  readonly moderation: ChatModeration[];
  /** Lines, notices and moderation up to the end of this batch. */
  readonly done: number;
}

export interface Reading {
  readonly signal?: AbortSignal;
  /** Called a few times a second at most. `bytes` of the source that were read in this pass. */
  readonly progress?: (bytes: number, lines: number) => void;
}

/**
 * First pass: what the file is, and whether it can be imported. Throws ImportFailure: not_a_chat, empty, too_large, bad_archive,
 * bad_encoding, several_channels, truncated (nothing could be read before the end).
 */
export async function surveyChat(
  source: ByteSource,
  known: KnownOfStream,
  reading: Reading = {},
): Promise<ChatSurvey> {
  const file = await openDrafts(source);
  const heard = hearCompleteness();
  const digest = createHash("sha256");
  const channels = new Map<string, number>();
  const agree = hearAgreement();
  const counts = { line: 0, notice: 0, moderation: 0 };
  let first = Infinity;
  let last = -Infinity;
  let started = NaN;
  let disorder = 0;
  let whole = true;
  const said = saying(reading);

  for await (const drafts of file.drafts(reading.signal, said.bytes)) {
    const clock = file.clock();
    let hashed = "";
    for (const draft of drafts) {
      counts[draft.kind]++;
      const at = clock === "offset" ? draft.offsetS : draft.atMs / 1000;
      if (Number.isNaN(started)) started = at;
      if (at < first) first = at;
      if (at > last) last = at;
      else if (last - at > disorder) disorder = last - at;
      if (draft.channel !== "" && (channels.size < 100 || channels.has(draft.channel)))
        channels.set(draft.channel, (channels.get(draft.channel) ?? 0) + 1);
      if (clock === "offset") {
        if (whole && !Number.isInteger(at)) whole = false;
        if (!Number.isNaN(draft.atMs)) agree.hear(draft.atMs - at * 1000);
      }
      if (draft.kind !== "line") continue;
      const { item } = draft;
      heard.line(at, item.login, item.text);
      // Counted from the start of the video, or from the first line where there is none: the same chat has the same hash under any name.
      hashed += `${Math.floor(clock === "offset" ? at : at - started)}\t${item.login}\t${item.text}\n`;
    }
    digest.update(hashed);
    said.lines(counts.line);
  }

  const several = severalChannels(channels, counts.line + counts.notice + counts.moderation);
  if (several !== null) throw several;
  const dialect = file.dialect();
  if (dialect === null) throw new Error("messages without a dialect");
  const clock = file.clock();
  const { facts, startMs: saysStart } = file.found();
  const agreed = clock === "offset" ? agree.startMs() : null;
  const startMs = known.startMs ?? saysStart ?? (clock === "absolute" ? Math.floor(first) * 1000 : agreed);
  const lengthS = known.durationS ?? facts.durationS;
  const startS = clock === "offset" ? 0 : startMs! / 1000;
  const { broadcaster } = facts;
  const [onlyChannel] = [...channels.keys()];
  const notes = [...file.notes()];
  const zeroMs = startMs ?? UNKNOWN_START_MS;
  const eventMs = (at: number): number => Math.round(clock === "offset" ? zeroMs + at * 1000 : at * 1000);
  return {
    dialect,
    facts: {
      ...facts,
      broadcaster: broadcaster ?? channelAsBroadcaster(onlyChannel ?? ""),
    },
    startMs: zeroMs,
    startKnown: startMs !== null,
    lines: counts.line,
    notices: counts.notice,
    moderation: counts.moderation,
    chatters: heard.chatters,
    firstMs: eventMs(first),
    lastMs: eventMs(last),
    contentHash: digest.digest("hex"),
    badLines: file.badLines(),
    completeness: heard.finish(startS, lengthS, broadcaster?.login ?? ""),
    notes,
    order: {
      clock,
      agreedStartMs: agreed,
      // Fractions say the order inside a second themselves.
      spread: clock === "offset" && whole && agreed === null,
      disorderMs: Math.ceil(disorder * 1000) + (whole && agreed !== null ? 1000 : 0),
      slices: disorder > HOLD_S ? slicesOf(heard.minutes) : [],
      emotes: file.emotes(),
    },
  };
}

/** Second pass: the same items at every call. `skip`: so many items (as `done` counts) are left out, to go on after an interruption. */
export async function* chatBatches(
  source: ByteSource,
  survey: ChatSurvey,
  channelId: string,
  reading: Reading & { readonly skip?: number } = {},
): AsyncGenerator<ChatBatch> {
  const { order } = survey;
  const names: EmoteNames = new Map(order.emotes);
  const skip = reading.skip ?? 0;
  let done = 0;
  let batch = { lines: [] as ChatLine[], notices: [] as ChatNotice[], moderation: [] as ChatModeration[] };
  for await (const timed of inOrder(source, survey, reading)) {
    for (const { draft, atMs } of timed) {
      done++;
      if (done <= skip) continue;
      draft.item.channelId = channelId;
      draft.item.sentAtMs = atMs;
      if (draft.kind === "line") {
        if (names.size > 0) addEmotes(draft.item, names);
        batch.lines.push(draft.item);
      } else if (draft.kind === "notice") batch.notices.push(draft.item);
      else batch.moderation.push(draft.item);
      if ((done - skip) % BATCH_ITEMS === 0) {
        yield { ...batch, done };
        batch = { lines: [], notices: [], moderation: [] };
      }
    }
  }
  if (batch.lines.length + batch.notices.length + batch.moderation.length > 0) yield { ...batch, done };
}

interface Timed {
  readonly draft: Draft;
  atMs: number;
}

/** All messages in event-time order, with the time that they have on the log. Those of one moment keep the file's order. */
async function* inOrder(source: ByteSource, survey: ChatSurvey, reading: Reading): AsyncGenerator<Timed[]> {
  const { order, startMs } = survey;
  const file = await openDrafts(source);
  const said = saying(reading);
  const timeOf = (draft: Draft): number => {
    if (order.clock === "absolute") return draft.atMs;
    const offsetMs = Math.round(draft.offsetS * 1000);
    if (order.agreedStartMs === null || Number.isNaN(draft.atMs) || offsetMs % 1000 !== 0)
      return startMs + offsetMs;
    // Twitch cuts the offset down to its second; the comment's own clock has the rest.
    const rest = draft.atMs - order.agreedStartMs - offsetMs;
    return startMs + offsetMs + Math.min(999, Math.max(0, Math.round(rest)));
  };
  const spread = order.spread ? spreadSeconds() : null;
  let lines = 0;
  const out = (timed: Timed[], end: boolean): Timed[] => {
    lines += timed.length;
    said.lines(lines);
    return spread === null ? timed : spread(timed, end);
  };

  if (order.slices.length > 0) {
    // Far out of order: as many passes as there are slices of it that fit into memory.
    for (const [from, to] of order.slices) {
      const slice: Timed[] = [];
      for await (const drafts of file.drafts(reading.signal, said.bytes))
        for (const draft of drafts) {
          const at = order.clock === "offset" ? draft.offsetS : draft.atMs / 1000;
          const minute = Math.floor(Math.floor(at) / 60);
          if (minute >= from && minute < to) slice.push({ draft, atMs: timeOf(draft) });
        }
      slice.sort((a, b) => a.atMs - b.atMs);
      yield out(slice, false);
    }
    yield out([], true);
    return;
  }
  let held: Timed[] = [];
  let latest = -Infinity;
  for await (const drafts of file.drafts(reading.signal, said.bytes)) {
    const timed = drafts.map((draft) => ({ draft, atMs: timeOf(draft) }));
    if (order.disorderMs === 0) {
      yield out(timed, false);
      continue;
    }
    for (const one of timed) if (one.atMs > latest) latest = one.atMs;
    held = [...held, ...timed].sort((a, b) => a.atMs - b.atMs);
    // Nothing that comes later is earlier than this.
    const safe = latest - order.disorderMs;
    let ready = 0;
    while (ready < held.length && held[ready]!.atMs < safe) ready++;
    if (ready === 0) continue;
    yield out(held.slice(0, ready), false);
    held = held.slice(ready);
  }
  yield out(held, true);
}

/**
 * Messages that are told apart only by their second, over that second in the file's order: the folds and the screens know no other order
 * than time. Holds the last second back until the next one begins.
 */
function spreadSeconds(): (timed: Timed[], end: boolean) => Timed[] {
  let second: Timed[] = [];
  const give = (to: Timed[]): void => {
    for (const [at, one] of second.entries()) one.atMs += Math.floor((at * 1000) / second.length);
    to.push(...second);
    second = [];
  };
  return (timed, end) => {
    const ready: Timed[] = [];
    for (const one of timed) {
      if (second.length > 0 && second[0]!.atMs !== one.atMs) give(ready);
      second.push(one);
    }
    if (end) give(ready);
    return ready;
  };
}

/** Whole minutes with at most SLICE_LINES messages together: `[from, to)`. */
function slicesOf(minutes: ReadonlyMap<number, number>): [number, number][] {
  const sorted = [...minutes].sort((a, b) => a[0] - b[0]);
  const slices: [number, number][] = [];
  let from = -Infinity;
  let count = 0;
  for (const [minute, lines] of sorted) {
    if (count > 0 && count + lines > SLICE_LINES) {
      slices.push([from, minute]);
      from = minute;
      count = 0;
    }
    count += lines;
  }
  slices.push([from, Infinity]);
  // JSON has no infinities, and the survey is plain data.
  return slices.map(([a, b]) => [Math.max(a, -1e9), Math.min(b, 1e9)]);
}

/**
 * Where the comments' own clock says that the video starts, when they agree. Twitch gives `createdAt` in milliseconds and the offset cut
 * down to seconds, so in an untouched file their difference fills exactly one second. Some tools write the time of the download there.
 */
function hearAgreement(): { hear(differenceMs: number): void; startMs(): number | null } {
  const buckets = new Map<number, number>();
  let heard = 0;
  return {
    hear(differenceMs) {
      heard++;
      const bucket = Math.floor(differenceMs / AGREE_BUCKET_MS);
      const known = buckets.get(bucket);
      if (known !== undefined) buckets.set(bucket, known + 1);
      else if (buckets.size < 5000) buckets.set(bucket, 1);
    },
    startMs() {
      if (heard === 0) return null;
      const sorted = [...buckets].sort((a, b) => a[0] - b[0]);
      let best = 0;
      let start = 0;
      let inside = 0;
      let low = 0;
      for (const [bucket, count] of sorted) {
        inside += count;
        while (sorted[low]![0] < bucket - AGREE_BUCKETS) inside -= sorted[low++]![1];
        if (inside > best) {
          best = inside;
          start = sorted[low]![0];
        }
      }
      return best >= heard * AGREE_SHARE ? start * AGREE_BUCKET_MS : null;
    },
  };
}

function severalChannels(channels: ReadonlyMap<string, number>, all: number): ImportFailure | null {
  // A log may name a channel by its number in one line and by its name in another.
  for (const test of [/^\d+$/, /\D/]) {
    const counted = [...channels].filter(([name]) => test.test(name)).sort((a, b) => b[1] - a[1]);
    const others = counted.slice(1).filter(([, lines]) => lines > Math.max(2, all * STRAY_SHARE));
    if (others.length === 0) continue;
    const named = [counted[0]!, ...others].slice(0, 4).map(([name, lines]) => `${name} (${lines} messages)`);
    return new ImportFailure(
      "several_channels",
      `It has messages of ${others.length + 1} channels: ${named.join(", ")}${others.length > 3 ? " …" : ""}.`,
      "Split the file by channel and import each by itself.",
    );
  }
  return null;
}

function channelAsBroadcaster(channel: string): Vod["broadcaster"] {
  if (channel === "") return null;
  if (/^\d{1,20}$/.test(channel)) return { id: channel, login: null, name: channel };
  const login = channel.toLowerCase();
  return LOGIN.test(login) ? { id: null, login, name: channel } : null;
}

/** Third-party emotes whose names the file itself holds, beside Twitch's own that the dialect gave. */
function addEmotes(line: ChatLine, names: EmoteNames): void {
  const found = annotate(line.text, "", names);
  if (found === null) return;
  const own = line.emotes ?? [];
  const free = found.filter((emote) => !own.some((other) => other[2] <= emote[3] && other[3] >= emote[2]));
  if (free.length > 0) line.emotes = [...own, ...free].sort((a, b) => a[2] - b[2]).slice(0, 250);
}

/** Progress as both passes tell it: seldom enough to cost nothing. */
function saying(reading: Reading): {
  readonly bytes: (bytes: number) => void;
  readonly lines: (lines: number) => void;
} {
  let lines = 0;
  let toldAt = 0;
  return {
    bytes: (bytes) => {
      const now = performance.now();
      if (reading.progress === undefined || now - toldAt < 200) return;
      toldAt = now;
      reading.progress(bytes, lines);
    },
    lines: (count) => {
      lines = count;
    },
  };
}
