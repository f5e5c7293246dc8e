import type { ByteReader, ByteWriter } from "./bytes.ts";
import { mix } from "./distinct.ts";
import { Tally } from "./tally.ts";

/** Lines of one second that are also kept as rows; a faster second keeps its first ones, counts stay exact. */
export const ROWS_BOUND = 1024;
/** Message ids of one second that are remembered against duplicates; the further ones of a faster second are not. */
export const IDS_BOUND = 8192;

/** Texts of one second that are kept to say what a flood repeats: what a flood repeats is soon among them. */
const QUOTES_BOUND = 24;
const QUOTE_LENGTH = 60;

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
  rows = 0;
  rowUser = new Uint32Array(16);
  rowNear = new Uint32Array(16);
  rowFlags = new Uint32Array(16);
  rowEmotes = new Uint16Array(16);
  readonly ids = new IdSet();
  /** Beginnings of long texts and commands, by near-repeat key. */
  readonly quotes = new Map<number, string>();

  constructor(second: number) {
    super();
    this.second = second;
  }

  row(user: number, near: number, flags: number, emotes: number): void {
    const at = this.rows;
    if (at >= ROWS_BOUND) return;
    if (at === this.rowUser.length) {
      this.rowUser = grown(this.rowUser);
      this.rowNear = grown(this.rowNear);
      this.rowFlags = grown(this.rowFlags);
      const emotesBefore = this.rowEmotes;
      this.rowEmotes = new Uint16Array(at * 2);
      this.rowEmotes.set(emotesBefore);
    }
    this.rowUser[at] = user;
    this.rowNear[at] = near;
    this.rowFlags[at] = flags;
    this.rowEmotes[at] = emotes;
    this.rows = at + 1;
  }

  quote(near: number, text: string): void {
    if (this.quotes.size >= QUOTES_BOUND || this.quotes.has(near)) return;
    this.quotes.set(near, text.length > QUOTE_LENGTH ? `${text.slice(0, QUOTE_LENGTH)}…` : text);
  }

  override save(out: ByteWriter): void {
    out.f64(this.second);
    super.save(out);
    out.text(this.emoteSet);
    this.ids.save(out);
    this.#saveRows(out);
  }

  #saveRows(out: ByteWriter): void {
    out.u32(this.rows);
    for (let i = 0; i < this.rows; i++) {
      out.u32(this.rowUser[i]!);
      out.u32(this.rowNear[i]!);
      out.u32(this.rowFlags[i]!);
      out.u16(this.rowEmotes[i]!);
    }
    out.u32(this.quotes.size);
    for (const [near, text] of this.quotes) {
      out.u32(near);
      out.text(text);
    }
  }

  #loadRows(bytes: ByteReader): void {
    for (let left = bytes.u32(); left > 0; left--)
      this.row(bytes.u32(), bytes.u32(), bytes.u32(), bytes.u16());
    for (let left = bytes.u32(); left > 0; left--) this.quotes.set(bytes.u32(), bytes.text());
  }

  /** Of a closed second only what bursts look at: rows, and which emotes they name. */
  saveClosed(out: ByteWriter): void {
    out.f64(this.second);
    out.u16(this.emotes.size);
    for (const { ref, name } of this.emotes.values()) {
      out.text(ref);
      out.text(name);
    }
    this.#saveRows(out);
  }

  static closed(bytes: ByteReader): Pane {
    const pane = new Pane(bytes.f64());
    for (let left = bytes.u16(); left > 0; left--) {
      const ref = bytes.text();
      pane.emotes.set(ref, { ref, name: bytes.text(), uses: 0, lines: 0, place: pane.emotes.size + 1 });
    }
    pane.#loadRows(bytes);
    return pane;
  }

  static from(bytes: ByteReader): Pane {
    const pane = new Pane(bytes.f64());
    pane.load(bytes);
    pane.emoteSet = bytes.text();
    pane.ids.load(bytes);
    pane.#loadRows(bytes);
    return pane;
  }
}

const grown = (rows: Uint32Array): Uint32Array<ArrayBuffer> => {
  const larger = new Uint32Array(rows.length * 2);
  larger.set(rows);
  return larger;
};

/** Message ids as 64-bit hashes in an open-addressing table; bounded by IDS_BOUND. */
class IdSet {
  #high = new Uint32Array(16);
  #low = new Uint32Array(16);
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
    if (this.#size * 2 >= this.#low.length) this.#grow();
    const mask = this.#low.length - 1;
    let at = mix(high ^ low) & mask;
    while (this.#low[at] !== 0) {
      if (this.#low[at] === low && this.#high[at] === high) return false;
      at = (at + 1) & mask;
    }
    if (this.#size >= IDS_BOUND) return true;
    this.#high[at] = high;
    this.#low[at] = low;
    this.#size++;
    return true;
  }

  #grow(): void {
    if (this.#size >= IDS_BOUND) return;
    const high = this.#high;
    const low = this.#low;
    this.#high = new Uint32Array(high.length * 2);
    this.#low = new Uint32Array(low.length * 2);
    this.#size = 0;
    for (let i = 0; i < low.length; i++) if (low[i] !== 0) this.#insert(high[i]!, low[i]!);
  }

  save(out: ByteWriter): void {
    out.u32(this.#size);
    for (let i = 0; i < this.#low.length; i++) {
      if (this.#low[i] === 0) continue;
      out.u32(this.#high[i]!);
      out.u32(this.#low[i]!);
    }
  }

  load(bytes: ByteReader): void {
    for (let left = bytes.u32(); left > 0; left--) this.#insert(bytes.u32(), bytes.u32());
  }
}
