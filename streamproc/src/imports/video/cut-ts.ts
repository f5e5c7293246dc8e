import { msBetween } from "../../media/streams.ts";

/** Ids that our ffmpeg is told to write (see `file.ts`). */
export const PIDS = { pmt: 0x1000, video: 0x100 } as const;
const PAT_PID = 0;
const SDT_PID = 0x11;
const PACKET = 188;
const SYNC = 0x47;
const TICKS_PER_MS = 90;
/** A GOP's last frame may lie this much before the full length by rounding. */
const NEAR_MS = 20;

/** A stretch of a transport stream that begins with a keyframe and decodes by itself. */
export interface Piece {
  readonly bytes: Buffer;
  /** First and last picture in the container's clock, ms. The clock has no wrap here. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly frames: number;
}

export interface CutLimits {
  /** The first keyframe at or behind so much begins the next piece. */
  readonly targetMs: number;
  readonly mostMs: number;
  readonly mostBytes: number;
  /** The first piece begins here or later, by the container's clock: where one goes on behind a seek. Left out: at the first keyframe. */
  readonly fromMs?: number | undefined;
}

interface Open {
  parts: Buffer[];
  bytes: number;
  keyMs: number;
  firstMs: number;
  lastMs: number;
  frames: number;
}

/** Keyframes lie too far apart: from here on only encoding helps. */
export class Uncuttable extends Error {}

/**
 * Cuts a transport stream of one programme at its keyframes, as it comes. Where it cuts depends on the timestamps alone, so what is read
 * again is cut again in the same places.
 */
export class TsCutter {
  readonly #limits: CutLimits;
  #rest: Buffer = Buffer.alloc(0);
  #pat: Buffer | null = null;
  #pmt: Buffer | null = null;
  #heads = 0;
  #open: Open | null = null;
  /** The clock so far, without wraps. */
  #clock: { ticks: number; ms: number } | null = null;

  constructor(limits: CutLimits) {
    this.#limits = limits;
  }

  /** The pieces that are complete with these bytes. Throws `Uncuttable`. */
  push(chunk: Buffer): Piece[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const done: Piece[] = [];
    let at = 0;
    /** What goes to the open piece as one stretch. */
    let from = 0;
    const take = (to: number): void => {
      if (this.#open !== null && to > from) {
        this.#open.parts.push(bytes.subarray(from, to));
        this.#open.bytes += to - from;
      }
      from = to;
    };
    for (; at + PACKET <= bytes.length; at += PACKET) {
      if (bytes[at] !== SYNC) throw new Error("ffmpeg's transport stream is out of step");
      const pid = ((bytes[at + 1]! & 0x1f) << 8) | bytes[at + 2]!;
      if (pid === PAT_PID || pid === PIDS.pmt || pid === SDT_PID) {
        take(at);
        from = at + PACKET;
        if (pid === PAT_PID) this.#pat = Buffer.from(bytes.subarray(at, at + PACKET));
        else if (pid === PIDS.pmt) this.#pmt = Buffer.from(bytes.subarray(at, at + PACKET));
        continue;
      }
      if (pid !== PIDS.video || (bytes[at + 1]! & 0x40) === 0) continue;
      const ms = this.#timeOf(bytes.subarray(at, at + PACKET));
      if (ms === null) continue;
      const open = this.#open;
      const isKey = (bytes[at + 3]! & 0x20) !== 0 && bytes[at + 4]! > 0 && (bytes[at + 5]! & 0x40) !== 0;
      // Backwards: the stream's clock began anew.
      const isDue = open === null || ms - open.keyMs >= this.#limits.targetMs - NEAR_MS || ms < open.keyMs;
      const isBefore = open === null && ms < (this.#limits.fromMs ?? -Infinity);
      if (isKey && isDue && !isBefore) {
        take(at);
        from = at;
        if (open !== null) done.push(this.#close(open));
        this.#open = { parts: this.#head(), bytes: 0, keyMs: ms, firstMs: ms, lastMs: ms, frames: 1 };
      } else if (open !== null) {
        open.firstMs = Math.min(open.firstMs, ms);
        open.lastMs = Math.max(open.lastMs, ms);
        open.frames++;
        if (ms - open.keyMs > this.#limits.mostMs || open.bytes > this.#limits.mostBytes)
          throw new Uncuttable(
            `${Math.round((ms - open.keyMs) / 1000)} s and ${Math.round(open.bytes / 1e6)} MB without a keyframe`,
          );
      }
    }
    take(at);
    this.#rest = Buffer.from(bytes.subarray(at));
    return done;
  }

  /** What is left: the last piece, or none. */
  end(): Piece[] {
    const open = this.#open;
    this.#open = null;
    return open === null ? [] : [this.#close(open)];
  }

  #close(open: Open): Piece {
    const { parts, firstMs, lastMs, frames } = open;
    return { bytes: Buffer.concat(parts), firstMs, lastMs, frames };
  }

  /** The tables that a decoder needs first, counted on so that none looks lost. */
  #head(): Buffer[] {
    const count = this.#heads++ & 0x0f;
    return [this.#pat, this.#pmt].flatMap((table) => {
      if (table === null) return [];
      const copy = Buffer.from(table);
      copy[3] = (copy[3]! & 0xf0) | count;
      return [copy];
    });
  }

  /** When the picture that begins in this packet is shown; null: it does not say. */
  #timeOf(packet: Buffer): number | null {
    const at = 4 + ((packet[3]! & 0x20) !== 0 ? 1 + packet[4]! : 0);
    const hasPts = at + 14 <= PACKET && packet.readUIntBE(at, 3) === 1 && (packet[at + 7]! & 0x80) !== 0;
    if (!hasPts) return null;
    const ticks =
      (packet[at + 9]! & 0x0e) * 2 ** 29 +
      (packet.readUInt16BE(at + 10) >> 1) * 2 ** 15 +
      (packet.readUInt16BE(at + 12) >> 1);
    const before = this.#clock;
    const ms = before === null ? ticks / TICKS_PER_MS : before.ms + msBetween(before.ticks, ticks);
    this.#clock = { ticks, ms };
    return ms;
  }
}

/** A piece in the stream's own time. */
export interface TimedPiece extends Piece {
  /** From the stream's beginning. */
  readonly atMs: number;
  readonly durationMs: number;
  /** Its timestamps do not go on from the piece before it. */
  readonly discontinuity: boolean;
}

interface Held {
  piece: Piece;
  atMs: number;
  discontinuity: boolean;
}

/** A hole up to this long is one: somebody's camera stood still. What is longer, and what goes backwards, is a clock that began anew. */
const LONGEST_HOLE_MS = 10_000;
const BACKWARDS_MS = 100;

/**
 * Puts pieces on the stream's time. `originMs`: what stands at its beginning by the container's clock. Each piece lasts until the next one;
 * where the clock began anew, the next follows directly.
 */
export async function* timed(pieces: AsyncIterable<Piece>, originMs: number): AsyncGenerator<TimedPiece> {
  let shiftMs = -originMs;
  let held: Held | null = null;
  const endOf = ({ piece }: Held): number => {
    const { firstMs, lastMs, frames } = piece;
    return lastMs + (frames > 1 ? (lastMs - firstMs) / (frames - 1) : 40) + shiftMs;
  };
  const until = (one: Held, endMs: number): TimedPiece => {
    const atMs = Math.round(one.atMs);
    return { ...one.piece, atMs, durationMs: Math.round(endMs) - atMs, discontinuity: one.discontinuity };
  };
  for await (const piece of pieces) {
    let atMs = piece.firstMs + shiftMs;
    let discontinuity = false;
    if (held !== null) {
      const endMs = endOf(held);
      if (atMs < endMs - BACKWARDS_MS || atMs > endMs + LONGEST_HOLE_MS) {
        shiftMs += endMs - atMs;
        atMs = endMs;
        discontinuity = true;
        yield until(held, endMs);
      } else yield until(held, atMs > endMs + 500 ? endMs : atMs);
    }
    held = { piece, atMs, discontinuity };
  }
  if (held !== null) yield until(held, endOf(held));
}
