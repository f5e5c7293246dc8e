import { FLAG, pollOf, type Pane } from "./pane.ts";

/** Copies and poll answers are looked for in this many seconds. */
export const FLOOD_S = 13;
/** As many lines with one text are a flood: copypasta, bots, or a command that everyone tries. */
const COPIES_MIN = 4;
/** As many poll-like answers are a poll. */
const POLL_MIN = 5;

const FLOOD_LINES = 5;
const FLOOD_CHATTERS = 4;
const POLL_LINES = 7;
const POLL_CHATTERS = 6;

/** What is repeated in the last FLOOD_S seconds, kept up by adding and removing one second at a time. */
export class Repeats {
  /** Lines by near-repeat key, of long texts and commands only: short words from many are a chat's way to shout. */
  readonly copies = new Map<number, number>();
  polls = 0;
  /** Texts of which there are FLOOD_LINES. */
  #many = 0;
  /** Changes whenever `leavesOut` may say something else about a row. */
  epoch = 0;

  mayFlood(): boolean {
    return this.#many > 0 || this.polls >= POLL_LINES;
  }

  /** Adds (`by` 1) or removes (−1) rows from … until − 1 of a second. */
  count(pane: Pane, from: number, until: number, by: 1 | -1): void {
    for (let i = from; i < until; i++) {
      const flags = pane.rowFlags[i]!;
      if (pollOf(flags) !== 0) {
        this.polls += by;
        if (this.polls === POLL_MIN - (by === 1 ? 0 : 1)) this.epoch++;
      }
      if ((flags & (FLAG.long | FLAG.command)) === 0) continue;
      const near = pane.rowNear[i]!;
      const copies = (this.copies.get(near) ?? 0) + by;
      if (copies <= 0) this.copies.delete(near);
      else this.copies.set(near, copies);
      // Up through the bound and down through it.
      if (copies === COPIES_MIN - (by === 1 ? 0 : 1)) this.epoch++;
      if (copies === FLOOD_LINES - (by === 1 ? 0 : 1)) this.#many += by;
    }
  }

  /** True for a row that is no reaction: a bot's, a command, an answer in a poll, a copy in a flood. */
  leavesOut(flags: number, near: number): boolean {
    if ((flags & (FLAG.bot | FLAG.command)) !== 0) return true;
    if (this.polls >= POLL_MIN && pollOf(flags) !== 0) return true;
    return (flags & FLAG.long) !== 0 && (this.copies.get(near) ?? 0) >= COPIES_MIN;
  }
}

/** Rows of one second that react, by subject. */
export interface Digest {
  lines: number;
  emoteLines: number;
  caps: number;
  readonly moods: number[];
  /** By emote ref. */
  readonly emotes: Map<string, number>;
}
const NO_EMOTES: Digest["emotes"] = new Map();
const NO_REFS: readonly string[] = [];

/** Counts the first `rows` rows of a second without what `repeats` leaves out. Made anew only when rows came or floods began or ended: a second is looked at several times. */
export function digestOf(pane: Pane, rows: number, repeats: Repeats): Digest {
  const { kept } = pane;
  if (kept !== null && kept.rows === rows && kept.epoch === repeats.epoch) return kept.digest;
  const digest = count(pane, rows, repeats);
  pane.kept = { rows, epoch: repeats.epoch, digest };
  return digest;
}

/** Who wrote the lines that react, one a line. */
export function writersOf(pane: Pane, digest: Digest, repeats: Repeats): readonly number[] {
  if (digest.lines === pane.rows) return pane.rowUser;
  return pane.rowUser.filter((_user, i) => !repeats.leavesOut(pane.rowFlags[i]!, pane.rowNear[i]!));
}

function count(pane: Pane, rows: number, repeats: Repeats): Digest {
  const digest: Digest = {
    lines: 0,
    emoteLines: 0,
    caps: 0,
    moods: [0, 0, 0, 0, 0, 0, 0],
    emotes: pane.emotes.size === 0 ? NO_EMOTES : new Map(),
  };
  const refs = pane.emotes.size === 0 ? NO_REFS : [...pane.emotes.keys()];
  for (let i = 0; i < rows; i++) {
    const flags = pane.rowFlags[i]!;
    if (repeats.leavesOut(flags, pane.rowNear[i]!)) continue;
    digest.lines++;
    if ((flags & FLAG.caps) !== 0) digest.caps++;
    for (let moods = flags & FLAG.moods; moods !== 0; moods &= moods - 1)
      digest.moods[31 - Math.clz32(moods & -moods)]!++;
    const emotes = pane.rowEmotes[i]!;
    if (emotes === 0) continue;
    digest.emoteLines++;
    addEmote(digest.emotes, refs[(emotes & 255) - 1]);
    if (emotes > 255) addEmote(digest.emotes, refs[(emotes >> 8) - 1]);
  }
  return digest;
}

function addEmote(emotes: Map<string, number>, ref: string | undefined): void {
  if (ref !== undefined) emotes.set(ref, (emotes.get(ref) ?? 0) + 1);
}

export interface Flood {
  kind: "copypasta" | "bots" | "poll";
  /** Near-repeat key of the text; 0 for a poll by short answers. */
  near: number;
  lines: number;
  chatters: number;
}

/** In a fast chat a few people say the same by accident: a flood is this share of what is written. */
const FLOOD_SHARE = 0.1;
/** Poll answers are at least this share of what is written. */
const POLL_SHARE = 0.3;
/** A flood mostly by newcomers, or of links, is bots. */
const NEWCOMERS_SHARE = 0.5;

/** Of panes[i] the first rows[i] rows. */
export interface Rows {
  panes: readonly Pane[];
  rows: readonly number[];
}

/** The floods that stand now, in the last FLOOD_S seconds. */
export function floodsIn(all: Rows, repeats: Repeats): Flood[] {
  const floods: Flood[] = [];
  const needed = Math.max(FLOOD_LINES, all.rows.reduce((sum, count) => sum + count, 0) * FLOOD_SHARE);
  for (const [near, copies] of repeats.copies) {
    if (copies < needed) continue;
    const chatters = new Set<number>();
    const newcomers = new Set<number>();
    let links = 0;
    let commands = 0;
    let lines = 0;
    eachRow(all, (pane, i) => {
      if (pane.rowNear[i] !== near) return;
      const flags = pane.rowFlags[i]!;
      if ((flags & FLAG.bot) !== 0) return;
      lines++;
      chatters.add(pane.rowUser[i]!);
      if ((flags & FLAG.first) !== 0) newcomers.add(pane.rowUser[i]!);
      if ((flags & FLAG.link) !== 0) links++;
      if ((flags & FLAG.command) !== 0) commands++;
    });
    if (lines < needed || chatters.size < FLOOD_CHATTERS) continue;
    // What everyone says to a bot is of that kind too.
    const bots =
      commands > lines / 2 ||
      newcomers.size >= chatters.size * NEWCOMERS_SHARE ||
      links >= lines * NEWCOMERS_SHARE;
    const kind = bots ? "bots" : "copypasta";
    floods.push({ kind, near, lines, chatters: chatters.size });
  }
  if (repeats.polls >= POLL_LINES) {
    const chatters = new Set<number>();
    let written = 0;
    let lines = 0;
    eachRow(all, (pane, i) => {
      const flags = pane.rowFlags[i]!;
      if ((flags & FLAG.bot) !== 0) return;
      written++;
      if (pollOf(flags) === 0) return;
      lines++;
      chatters.add(pane.rowUser[i]!);
    });
    if (lines >= POLL_LINES && chatters.size >= POLL_CHATTERS && lines >= written * POLL_SHARE)
      floods.push({ kind: "poll", near: 0, lines, chatters: chatters.size });
  }
  return floods.toSorted((a, b) => a.near - b.near);
}

export function eachRow({ panes, rows }: Rows, row: (pane: Pane, i: number) => void): void {
  for (const [at, pane] of panes.entries()) for (let i = 0; i < rows[at]!; i++) row(pane, i);
}
