import type { Mood } from "@hypecast/contracts/moods.ts";
import { MOODS } from "@hypecast/contracts/moods.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { Distinct } from "./distinct.ts";

/** Emotes of one stretch by name; beyond this many different ones only `emoteUses` grows. */
export const EMOTES_BOUND = 512;

export interface EmoteTally {
  ref: string;
  name: string;
  uses: number;
  /** Lines that have it: one line full of it counts once. */
  lines: number;
  /** Order of first use in its second, from 1. */
  place: number;
}

/** What is summed when stretches are joined. */
const SUMS = [
  "messages",
  "firstTimers",
  "emoteUses",
  "emoteOnly",
  "sentimentSum",
  "sentimentLines",
  "lengthSum",
  "caps",
  "questions",
  "links",
  "bits",
  "subs",
  "raiders",
  "english",
  "russian",
  "otherLanguage",
  "late",
] as const;

/** Counts of a stretch of chat: of one second while it is open, and of the 10, 30 and 60 s windows as sums of seconds. */
export class Tally {
  messages = 0;
  firstTimers = 0;
  emoteUses = 0;
  emoteOnly = 0;
  /** In thousandths, so that the sum does not depend on the order of lines. */
  sentimentSum = 0;
  sentimentLines = 0;
  lengthSum = 0;
  caps = 0;
  questions = 0;
  links = 0;
  bits = 0;
  subs = 0;
  raiders = 0;
  english = 0;
  russian = 0;
  otherLanguage = 0;
  late = 0;
  readonly moods: number[] = MOODS.map(() => 0);
  /** By ref. */
  readonly emotes = new Map<string, EmoteTally>();
  users = new Distinct();
  texts = new Distinct();
  nears = new Distinct();
  #savedSets: Uint8Array | null = null;

  add(other: Tally): void {
    // By name, not in a loop over SUMS: this runs once a channel and second, and looking names up costs as much as the rest.
    this.messages += other.messages;
    this.firstTimers += other.firstTimers;
    this.emoteUses += other.emoteUses;
    this.emoteOnly += other.emoteOnly;
    this.sentimentSum += other.sentimentSum;
    this.sentimentLines += other.sentimentLines;
    this.lengthSum += other.lengthSum;
    this.caps += other.caps;
    this.questions += other.questions;
    this.links += other.links;
    this.bits += other.bits;
    this.subs += other.subs;
    this.raiders += other.raiders;
    this.english += other.english;
    this.russian += other.russian;
    this.otherLanguage += other.otherLanguage;
    this.late += other.late;
    for (let mood = 0; mood < MOODS.length; mood++) this.moods[mood]! += other.moods[mood]!;
    for (const emote of other.emotes.values()) {
      const own = this.emotes.get(emote.ref);
      if (own !== undefined) {
        own.uses += emote.uses;
        own.lines += emote.lines;
      } else if (this.emotes.size < EMOTES_BOUND) this.emotes.set(emote.ref, { ...emote });
    }
    this.#savedSets = null;
    this.users.merge(other.users);
    this.texts.merge(other.texts);
    this.nears.merge(other.nears);
  }

  clear(): void {
    this.#savedSets = null;
    for (const name of SUMS) this[name] = 0;
    this.moods.fill(0);
    this.emotes.clear();
    this.users.clear();
    this.texts.clear();
    this.nears.clear();
  }

  saveCounts(out: ByteWriter): void {
    for (const name of SUMS) out.number(this[name]);
    for (const count of this.moods) out.uint(count);
    out.uint(this.emotes.size);
    for (const emote of this.emotes.values()) {
      out.word(emote.ref);
      out.word(emote.name);
      out.uint(emote.uses);
      out.uint(emote.lines);
    }
  }
  loadCounts(bytes: ByteReader): void {
    for (const name of SUMS) this[name] = bytes.number();
    for (let mood = 0; mood < MOODS.length; mood++) this.moods[mood] = bytes.uint();
    for (let left = bytes.uint(); left > 0; left--) {
      const ref = bytes.word();
      const place = this.emotes.size + 1;
      this.emotes.set(ref, { ref, name: bytes.word(), uses: bytes.uint(), lines: bytes.uint(), place });
    }
  }

  /** Of a sum of seconds: what only `add` and `clear` have changed is written once. */
  saveSets(out: ByteWriter): void {
    if (this.#savedSets === null) {
      const sets = new ByteWriter();
      this.users.save(sets);
      this.texts.save(sets);
      this.nears.save(sets);
      this.#savedSets = sets.done();
    }
    out.raw(this.#savedSets);
  }
  loadSets(from: ByteReader): void {
    const bytes = new ByteReader(from.raw());
    this.users = Distinct.load(bytes);
    this.texts = Distinct.load(bytes);
    this.nears = Distinct.load(bytes);
  }
}

/** The moods that occurred, in their order. */
export function moodsOf(counts: readonly number[]): Partial<Record<Mood, number>> {
  const moods: Partial<Record<Mood, number>> = {};
  for (let at = 0; at < MOODS.length; at++) if (counts[at]! > 0) moods[MOODS[at]!] = counts[at]!;
  return moods;
}
