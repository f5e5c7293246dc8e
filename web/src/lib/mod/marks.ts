/** A stretch of a chat line as it is shown. */
export interface Piece {
  text: string;
  /** It is what the model found. */
  marked: boolean;
}

/** More marks than this on one letter only climb over the lines around it. */
const MARKS_A_LETTER = 2;
const COMBINING = /^\p{M}$/u;
/** Turns the direction of what follows, or takes no room at all: shown as a sign, so that nobody reads what is not there. */
const UNSEEN = /^(?!\u200c|\u200d|\p{M})(?:\p{Cf}|\p{Cc}|\p{Zl}|\p{Zp}|[\u115f\u1160\u3164\uffa0])$/u;
const SIGN = "\u00b7";

/**
 * A line cut at the span that the model marked, made harmless to the page: at most two combining marks a letter, unseen characters
 * as a dot. Chat is data: a line must not be able to hide itself or reach into its neighbours. `span` counts code points, both ends
 * inclusive; one that does not fit marks nothing.
 */
export function markedPieces(text: string, span: readonly [number, number] | null): Piece[] {
  const pieces: Piece[] = [];
  let marks = 0;
  let at = 0;
  for (const point of text) {
    const marked = span !== null && at >= span[0] && at <= span[1];
    at += 1;
    marks = COMBINING.test(point) ? marks + 1 : 0;
    if (marks > MARKS_A_LETTER) continue;
    const shown = UNSEEN.test(point) ? SIGN : point;
    const last = pieces.at(-1);
    if (last !== undefined && last.marked === marked) last.text += shown;
    else pieces.push({ text: shown, marked });
  }
  return pieces;
}

/** The same without a span: names, notes. */
export const tame = (text: string): string =>
  markedPieces(text, null)
    .map((piece) => piece.text)
    .join("");
