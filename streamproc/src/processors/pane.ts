import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { ByteReader, ByteWriter, wellFormed } from "./bytes.ts";
import { Distinct, give, mix, take } from "./distinct.ts";
import type { Digest } from "./floods.ts";
import { Tally } from "./tally.ts";

/** Lines of one second that are also kept as rows; a faster second keeps its first ones, counts stay exact. */
export const ROWS_BOUND = 1024;
/** Message ids of one second that are remembered against duplicates; the further ones of a faster second are not. */
export const IDS_BOUND = 8192;

/** Texts of one second that are kept to say what a flood repeats: what a flood repeats is soon among them. */
const QUOTES_BOUND = 24;
const QUOTE_LENGTH = 60;

/** Different texts of one second that are kept as they were written, and how many of them may be nothing but emotes. */
const SAYINGS_BOUND = 16;
const BARE_SAYINGS_BOUND = 6;
const SAYING_LENGTH = 140;
const NOT_ASCII = /[^\x20-\x7e]/;
/** Writers of one second that are kept by name. */
const WRITERS_BOUND = 4;

/** A text of one second; what is nearly the same is counted with the first. */
export interface Saying {
  readonly near: number;
  readonly text: string;
  /** 2 sentences, 1 a few words, 0 nothing but emotes. */
  readonly weight: number;
  readonly reply: boolean;
  count: number;
}

/** Bits of a row's flags. The lowest seven are the moods in the order of MOODS. */
export const FLAG = {
  moods: 0x7f,
  /** Long enough that the same words from two people are a copy: 5 words or 20 letters. */
  long: 1 << 7,
  link: 1 << 8,
  /** First message of this chatter here. */
  first: 1 << 9,
  /** Written by a known chat bot. */
  bot: 1 << 10,
  /** `!command`. */
  command: 1 << 11,
  caps: 1 << 12,
  emoteOnly: 1 << 13,
  question: 1 << 14,
} as const;
/** Code of a poll-like answer ("1", "yes", "да"), 0 none, in four bits from here. */
export const POLL_SHIFT = 16;
export const pollOf = (flags: number): number => (flags >>> POLL_SHIFT) & 15;

/** One second of a channel's chat: the atom of everything. */
export class Pane extends Tally {
  readonly second: number;
  /** Third-party emote sets of the latest line. */
  emoteSet = "";
  /** Row i: who, the near-repeat key, flags, and up to two emotes as 1 + their place in `emotes`. */
  readonly rowUser: number[] = [];
  readonly rowNear: number[] = [];
  readonly rowFlags: number[] = [];
  readonly rowEmotes: number[] = [];
  /** Null once closed. */
  ids: IdSet | null = new IdSet();
  /** Beginnings of long texts and commands, by near-repeat key. */
  readonly quotes = new Map<number, string>();
  /** What people wrote, by near-repeat key: no bots, no commands. And some of those who wrote: logins, and names in other letters. */
  readonly sayings: Saying[] = [];
  readonly writers: string[] = [];
  #bareSayings = 0;

  /** The latest digest of floods.ts, and of what; never saved. */
  kept: { rows: number; epoch: number; digest: Digest } | null = null;
  /** Of a closed second, written once. */
  #savedRows: Uint8Array | null = null;

  constructor(second: number) {
    super();
    this.second = second;
  }

  row(user: number, near: number, flags: number, emotes: number): void {
    if (this.rows >= ROWS_BOUND) return;
    this.rowUser.push(user);
    this.rowNear.push(near);
    this.rowFlags.push(flags);
    this.rowEmotes.push(emotes);
  }

  get rows(): number {
    return this.rowUser.length;
  }

  /** Gives back what nobody needs of a closed second: all but its counts, rows and quotes. */
  release(): void {
    this.users.release();
    this.texts.release();
    this.nears.release();
    this.ids?.release();
    this.ids = null;
  }

  quote(near: number, text: string): void {
    if (this.quotes.size >= QUOTES_BOUND || this.quotes.has(near)) return;
    this.quotes.set(near, text.length > QUOTE_LENGTH ? `${text.slice(0, QUOTE_LENGTH)}…` : text);
  }

  say(near: number, flags: number, line: ChatLine): void {
    // Few enough to be looked through: a map of its own for every second costs more.
    const { sayings } = this;
    let at = 0;
    while (at < sayings.length && sayings[at]!.near !== near) at++;
    if (at < sayings.length) sayings[at]!.count++;
    else if (at < SAYINGS_BOUND) {
      const weight = (flags & FLAG.emoteOnly) !== 0 ? 0 : (flags & FLAG.long) !== 0 ? 2 : 1;
      if (weight > 0 || this.#bareSayings++ < BARE_SAYINGS_BOUND)
        sayings.push({
          near,
          text: line.text.slice(0, SAYING_LENGTH),
          weight,
          reply: line.replyTo !== undefined && line.replyTo !== "",
          count: 1,
        });
    }
    if (this.writers.length >= WRITERS_BOUND || this.writers.includes(line.login)) return;
    this.writers.push(wellFormed(line.login));
    if (line.name !== undefined && NOT_ASCII.test(line.name))
      this.writers.push(wellFormed(line.name.toLowerCase()));
  }

  save(out: ByteWriter): void {
    out.number(this.second);
    this.saveCounts(out);
    out.word(this.emoteSet);
    this.ids!.save(out);
    this.texts.save(out);
    this.#saveRows(out);
    this.#saveSayings(out);
    if (this.#everyLineIsRow()) return;
    this.users.save(out);
    this.nears.save(out);
  }

  /** `sayings` false: an older version wrote it, without them. */
  static from(bytes: ByteReader, sayings: boolean): Pane {
    const pane = new Pane(bytes.number());
    pane.loadCounts(bytes);
    pane.emoteSet = bytes.word();
    pane.ids!.load(bytes);
    pane.texts = Distinct.load(bytes);
    pane.#loadRows(bytes);
    if (sayings) pane.#loadSayings(bytes);
    if (pane.#everyLineIsRow()) {
      for (const user of pane.rowUser) pane.users.add(user);
      for (const near of pane.rowNear) pane.nears.add(near);
    } else {
      pane.users = Distinct.load(bytes);
      pane.nears = Distinct.load(bytes);
    }
    return pane;
  }

  /** Then the rows say who wrote, and what. */
  #everyLineIsRow(): boolean {
    return this.messages === this.rows;
  }

  #saveRows(out: ByteWriter): void {
    out.uint(this.rows);
    for (let i = 0; i < this.rows; i++) {
      out.u32(this.rowUser[i]!);
      out.u32(this.rowNear[i]!);
      out.uint(this.rowFlags[i]!);
      out.uint(this.rowEmotes[i]!);
    }
    out.uint(this.quotes.size);
    for (const [near, text] of this.quotes) {
      out.u32(near);
      out.text(text);
    }
  }

  #saveSayings(out: ByteWriter): void {
    out.uint(this.#bareSayings);
    out.uint(this.sayings.length);
    for (const { near, text, weight, reply, count } of this.sayings) {
      out.u32(near);
      out.word(text);
      out.u8(weight * 2 + (reply ? 1 : 0));
      out.uint(count);
    }
    out.uint(this.writers.length);
    for (const writer of this.writers) out.word(writer);
  }

  #loadSayings(bytes: ByteReader): void {
    this.#bareSayings = bytes.uint();
    for (let left = bytes.uint(); left > 0; left--) {
      const near = bytes.u32();
      const text = bytes.word();
      const kind = bytes.u8();
      this.sayings.push({ near, text, weight: kind >> 1, reply: (kind & 1) === 1, count: bytes.uint() });
    }
    for (let left = bytes.uint(); left > 0; left--) this.writers.push(bytes.word());
  }

  #loadRows(bytes: ByteReader): void {
    for (let left = bytes.uint(); left > 0; left--)
      this.row(bytes.u32(), bytes.u32(), bytes.uint(), bytes.uint());
    for (let left = bytes.uint(); left > 0; left--) this.quotes.set(bytes.u32(), bytes.text());
  }

  /** Of a closed second only what bursts look at: rows, and which emotes they name. */
  saveClosed(out: ByteWriter): void {
    out.number(this.second);
    out.uint(this.emotes.size);
    for (const { ref, name } of this.emotes.values()) {
      out.word(ref);
      out.word(name);
    }
    if (this.#savedRows === null) {
      const rows = new ByteWriter();
      this.#saveRows(rows);
      this.#savedRows = rows.done();
    }
    out.raw(this.#savedRows);
  }

  static closed(bytes: ByteReader): Pane {
    const pane = new Pane(bytes.number());
    for (let left = bytes.uint(); left > 0; left--) {
      const ref = bytes.word();
      pane.emotes.set(ref, { ref, name: bytes.word(), uses: 0, lines: 0, place: pane.emotes.size + 1 });
    }
    pane.#loadRows(new ByteReader(bytes.raw()));
    return pane;
  }
}

/** Message ids as 64-bit hashes in an open-addressing table; bounded by IDS_BOUND. */
class IdSet {
  /** High and low half of entry i at 2 i; a low half of 0 is empty. */
  #table = take(128);
  #size = 0;

  /** False when the id was there already. */
  add(id: string): boolean {
    let high = 0x811c9dc5;
    let low = 0x9747b28c;
    for (let i = 0; i < id.length; i++) {
      const code = id.charCodeAt(i);
      high = Math.imul(high ^ code, 0x01000193);
      low = Math.imul(low ^ code, 0x5bd1e995);
      low ^= low >>> 15;
    }
    return this.#insert(high >>> 0, low >>> 0 || 1);
  }

  #insert(high: number, low: number): boolean {
    if (this.#size * 4 >= this.#table.length) this.#grow();
    const table = this.#table;
    const mask = table.length - 1;
    let at = (mix(high ^ low) * 2) & mask;
    while (table[at + 1] !== 0) {
      if (table[at + 1] === low && table[at] === high) return false;
      at = (at + 2) & mask;
    }
    if (this.#size >= IDS_BOUND) return true;
    table[at] = high;
    table[at + 1] = low;
    this.#size++;
    return true;
  }

  #grow(): void {
    if (this.#size >= IDS_BOUND) return;
    const old = this.#table;
    this.#table = take(old.length * 2);
    this.#size = 0;
    for (let i = 0; i < old.length; i += 2) if (old[i + 1] !== 0) this.#insert(old[i]!, old[i + 1]!);
    give(old);
  }

  release(): void {
    give(this.#table);
  }

  save(out: ByteWriter): void {
    out.uint(this.#size);
    for (let i = 0; i < this.#table.length; i += 2) {
      if (this.#table[i + 1] === 0) continue;
      out.u32(this.#table[i]!);
      out.u32(this.#table[i + 1]!);
    }
  }

  load(bytes: ByteReader): void {
    for (let left = bytes.uint(); left > 0; left--) this.#insert(bytes.u32(), bytes.u32());
  }
}
