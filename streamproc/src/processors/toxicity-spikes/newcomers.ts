import type { ByteReader, ByteWriter } from "../bytes.ts";

/** Lines of people who had never written here, kept this long and at most so many. */
const KEPT_MS = 60_000;
const LINES_BOUND = 128;
const GROUPS_BOUND = 24;
const WORDS_BOUND = 16;
/** Copies by people who are at home here, remembered for a group. */
const REGULARS_BOUND = 64;
/** Shared words of all words of two texts, from which on they are near-copies. */
const ALIKE = 0.6;
/** Copies are looked for in this many seconds. */
export const COPIES_MS = 30_000;
/** A group of this many newcomers is watched: what regulars say alike is counted then. */
const WATCHED_FROM = 3;

export interface NewcomerLine {
  readonly atMs: number;
  readonly lineId: string;
  readonly userId: string;
  readonly login: string;
  readonly text: string;
  readonly link: boolean;
  /** Of the group of near-copies. */
  readonly group: number;
  /** `pending` until its pack is scored; `unknown`: it was not. */
  verdict: "pending" | "unknown" | "clean" | "spam" | "toxic";
}
const VERDICTS = ["pending", "unknown", "clean", "spam", "toxic"] as const;

interface Group {
  readonly id: number;
  readonly near: number;
  readonly words: readonly string[];
  lastMs: number;
  regularsMs: number[];
}

/** Who wrote alike among those who came just now. */
export interface Copies {
  readonly group: number;
  readonly near: number;
  readonly lines: readonly NewcomerLine[];
  readonly accounts: number;
  readonly toxicAccounts: number;
  readonly regulars: number;
}

/** What newcomers of the last minute wrote, and who wrote nearly the same. */
export class Newcomers {
  lines: NewcomerLine[] = [];
  #groups: Group[] = [];
  #next = 1;

  /** A line of somebody who had never written here. `near`: hash that near-copies share. */
  add(line: Omit<NewcomerLine, "group" | "verdict">, near: number): NewcomerLine {
    this.#forget(line.atMs);
    const words = wordsOf(line.text);
    let group = this.#groups.find((one) => one.near === near || alike(one.words, words));
    if (group === undefined) {
      group = { id: this.#next++, near, words, lastMs: line.atMs, regularsMs: [] };
      if (this.#groups.length >= GROUPS_BOUND) {
        const oldest = this.#groups.reduce((a, b) => (b.lastMs < a.lastMs ? b : a));
        this.#groups.splice(this.#groups.indexOf(oldest), 1);
      }
      this.#groups.push(group);
    }
    group.lastMs = Math.max(group.lastMs, line.atMs);
    const kept: NewcomerLine = { ...line, group: group.id, verdict: "pending" };
    this.lines.push(kept);
    if (this.lines.length > LINES_BOUND) this.lines.shift();
    return kept;
  }

  /** Whether a regular's line has to be compared: only while newcomers say something alike. */
  get watching(): boolean {
    if (this.lines.length < WATCHED_FROM) return false;
    const counts = new Map<number, number>();
    for (const { group } of this.lines) {
      const count = (counts.get(group) ?? 0) + 1;
      if (count >= WATCHED_FROM) return true;
      counts.set(group, count);
    }
    return false;
  }

  /** A regular's line, while watching: the group that says the same, or null. */
  regular(near: number, atMs: number): number | null {
    const group = this.#groups.find((one) => one.near === near);
    if (group === undefined) return null;
    group.regularsMs.push(atMs);
    if (group.regularsMs.length > REGULARS_BOUND) group.regularsMs.shift();
    return group.id;
  }

  /** Groups of the last COPIES_MS, most accounts first. */
  copies(nowMs: number): Copies[] {
    const found: Copies[] = [];
    for (const { id, near, lastMs, regularsMs } of this.#groups) {
      if (lastMs <= nowMs - COPIES_MS) continue;
      const lines = this.lines.filter(({ group, atMs }) => group === id && atMs > nowMs - COPIES_MS);
      if (lines.length === 0) continue;
      found.push({
        group: id,
        near,
        lines,
        accounts: accountsOf(lines),
        toxicAccounts: accountsOf(lines.filter(({ verdict }) => verdict === "toxic")),
        regulars: regularsMs.filter((atMs) => atMs > nowMs - COPIES_MS).length,
      });
    }
    return found.toSorted((a, b) => b.accounts - a.accounts || a.group - b.group);
  }

  /** First lines of newcomers whose names look made by one machine: the commonest such shape. */
  alikeNames(nowMs: number): { shape: string; lines: readonly NewcomerLine[] } {
    const shapes = new Map<string, NewcomerLine[]>();
    let most: { shape: string; lines: readonly NewcomerLine[] } = { shape: "", lines: [] };
    const seen = new Set<string>();
    for (const line of this.lines) {
      if (line.atMs <= nowMs - KEPT_MS || seen.has(line.userId)) continue;
      seen.add(line.userId);
      const shape = shapeOf(line.login);
      if (shape === null) continue;
      const lines = shapes.get(shape) ?? [];
      lines.push(line);
      shapes.set(shape, lines);
      if (lines.length > most.lines.length) most = { shape, lines };
    }
    return most;
  }

  erase(userId: string): void {
    const gone = new Set(this.lines.filter((line) => line.userId === userId).map(({ group }) => group));
    this.lines = this.lines.filter((line) => line.userId !== userId);
    this.#groups = this.#groups.filter(
      ({ id }) => !gone.has(id) || this.lines.some(({ group }) => group === id),
    );
  }

  #forget(nowMs: number): void {
    let gone = 0;
    while (gone < this.lines.length && this.lines[gone]!.atMs <= nowMs - KEPT_MS) gone++;
    if (gone === 0) return;
    this.lines.splice(0, gone);
    this.#groups = this.#groups.filter(({ lastMs }) => lastMs > nowMs - KEPT_MS);
  }

  save(out: ByteWriter): void {
    out.uint(this.#next);
    out.uint(this.#groups.length);
    for (const { id, near, words, lastMs, regularsMs } of this.#groups) {
      out.uint(id);
      out.number(near);
      out.u8(words.length);
      for (const word of words) out.text(word);
      out.number(lastMs);
      out.uint(regularsMs.length);
      for (const atMs of regularsMs) out.number(atMs);
    }
    out.uint(this.lines.length);
    for (const { atMs, lineId, userId, login, text, link, group, verdict } of this.lines) {
      out.number(atMs);
      for (const one of [lineId, userId, login, text]) out.text(one);
      out.u8((link ? 8 : 0) + VERDICTS.indexOf(verdict));
      out.uint(group);
    }
  }

  static load(bytes: ByteReader): Newcomers {
    const newcomers = new Newcomers();
    newcomers.#next = bytes.uint();
    for (let left = bytes.uint(); left > 0; left--) {
      const [id, near] = [bytes.uint(), bytes.number()];
      const words = Array.from({ length: bytes.u8() }, () => bytes.text());
      const lastMs = bytes.number();
      const regularsMs = Array.from({ length: bytes.uint() }, () => bytes.number());
      newcomers.#groups.push({ id, near, words, lastMs, regularsMs });
    }
    for (let left = bytes.uint(); left > 0; left--) {
      const [atMs, lineId, userId, login, text] = [
        bytes.number(),
        bytes.text(),
        bytes.text(),
        bytes.text(),
        bytes.text(),
      ];
      const bits = bytes.u8();
      const group = bytes.uint();
      const verdict = VERDICTS[bits & 7]!;
      newcomers.lines.push({ atMs, lineId, userId, login, text, link: bits >= 8, group, verdict });
    }
    return newcomers;
  }
}

const accountsOf = (lines: readonly NewcomerLine[]): number =>
  new Set(lines.map(({ userId }) => userId)).size;

/** Different words of a text in lower case, without signs; digits are any digits, so that a counter behind a text changes nothing. */
function wordsOf(text: string): string[] {
  const words = new Set<string>();
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
    words.add(word.replaceAll(/\p{N}+/gu, "0").slice(0, 24));
    if (words.size === WORDS_BOUND) break;
  }
  return [...words];
}

/** Jaccard's index of the words, where both have at least three. */
function alike(a: readonly string[], b: readonly string[]): boolean {
  if (a.length < 3 || b.length < 3) return false;
  let shared = 0;
  for (const word of a) if (b.includes(word)) shared++;
  return shared >= ALIKE * (a.length + b.length - shared);
}

/** "hoss00312_81" and "hoss00312_7" are `hoss0_0`; null for a name without two digits, or with hardly a letter. */
export function shapeOf(login: string): string | null {
  const digits = login.replaceAll(/\D/g, "").length;
  const letters = login.replaceAll(/[^a-z]/g, "").length;
  if (digits < 2 || letters < 3) return null;
  return login.replaceAll(/\d+/g, "0");
}
