import type { Token } from "./normalise.ts";

/** So many parts of a line are tried; a longer line's parts are larger. */
const MOST_PARTS = 16;
/** A neighbour belongs to the span where leaving it out takes at least this share of what the strongest part takes. */
const NEIGHBOUR = 0.4;

/** Tokens that are left out together: a word with its readings, or several neighbours of a long line. */
export interface Piece {
  readonly tokens: ReadonlySet<number>;
  readonly first: number;
  readonly last: number;
}

/** What to leave out, one after the other, to see what drives a line; nothing where it has but one word. */
export function piecesOf(tokens: readonly Token[]): Piece[] {
  const own = tokens.flatMap((token, i) => (token.kind === "reading" ? [] : [i]));
  if (own.length < 2) return [];
  const each = Math.ceil(own.length / MOST_PARTS);
  const pieces: Piece[] = [];
  for (let at = 0; at < own.length; at += each) {
    const first = tokens[own[at]!]!.first;
    const last = tokens[own[Math.min(own.length, at + each) - 1]!]!.last;
    const left = new Set<number>();
    // A reading goes with any word that it reads.
    for (const [i, token] of tokens.entries())
      if (token.first <= last && token.last >= first && (token.kind === "reading" || token.first >= first))
        left.add(i);
    pieces.push({ tokens: left, first, last });
  }
  return pieces;
}

const logOdds = (chance: number): number => {
  const inside = Math.min(1 - 1e-6, Math.max(1e-6, chance));
  return Math.log(inside / (1 - inside));
};

/** `[first, last]` code points of what drives a line: the piece whose absence lowers its score most, with neighbours that do nearly as much. Null: the whole line. */
export function spanOf(
  pieces: readonly Piece[],
  whole: number,
  without: readonly number[],
): [number, number] | null {
  if (pieces.length === 0) return null;
  const drops = without.map((chance) => logOdds(whole) - logOdds(chance));
  const most = Math.max(...drops);
  if (most <= 0) return null;
  const strongest = drops.indexOf(most);
  let [from, to] = [strongest, strongest];
  while (from > 0 && drops[from - 1]! >= NEIGHBOUR * most) from--;
  while (to < pieces.length - 1 && drops[to + 1]! >= NEIGHBOUR * most) to++;
  return from === 0 && to === pieces.length - 1 ? null : [pieces[from]!.first, pieces[to]!.last];
}
