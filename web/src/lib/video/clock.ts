/**
 * The stream's clock against the player's. A playlist is a row of pieces; each says when its first frame was on air. Between
 * pieces there may be a hole (a gap, a restart): the player runs on, the stream's clock jumps.
 */
export interface Piece {
  /** Seconds of the player at its first frame. */
  readonly startS: number;
  readonly durationS: number;
  /** When that frame was on air. */
  readonly dateMs: number;
}

/** Index of the last piece for which `before` holds; the pieces are in order, so they are halved. −1: none. */
function lastWhere(pieces: readonly Piece[], before: (piece: Piece) => boolean): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const piece = pieces[middle];
    if (piece !== undefined && before(piece)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** When the frame at `atS` seconds of the player was on air; null without pieces. */
export function dateAt(pieces: readonly Piece[], atS: number): number | null {
  const piece =
    pieces[
      Math.max(
        0,
        lastWhere(pieces, ({ startS }) => startS <= atS),
      )
    ];
  return piece === undefined ? null : piece.dateMs + (atS - piece.startS) * 1000;
}

/** Where the player finds a time of the stream. A time in a hole is the first frame behind it; beyond the ends, the ends. */
export function secondsAt(pieces: readonly Piece[], dateMs: number): number | null {
  const at = lastWhere(pieces, (piece) => piece.dateMs <= dateMs);
  const piece = pieces[Math.max(0, at)];
  if (piece === undefined) return null;
  const intoS = (dateMs - piece.dateMs) / 1000;
  if (intoS <= 0) return piece.startS;
  if (intoS < piece.durationS) return piece.startS + intoS;
  const next = pieces[at + 1];
  // A rounding error between two pieces is no hole: the very end of one is the start of the next.
  return next === undefined ? piece.startS + piece.durationS : next.startS;
}
