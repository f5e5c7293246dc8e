import type { Evidence } from "@hypecast/contracts/oracle.ts";

/** What a quoted line consists of: text, marked where the question asked for it, and emotes. */
export type QuotePiece = { text: string; marked: boolean } | { ref: string; name: string; marked: boolean };

/**
 * A line in its pieces. Emote positions count code points, marks count code units: both are brought to code units first. What
 * does not fit the text is shown as plain text.
 */
export function quotePieces(line: Pick<Evidence, "text" | "emotes" | "marks">): QuotePiece[] {
  const { text } = line;
  const unitOf: number[] = [];
  let unit = 0;
  for (const point of text) {
    unitOf.push(unit);
    unit += point.length;
  }
  unitOf.push(unit);

  const isMarked = (from: number, to: number): boolean =>
    line.marks.some(([first, last]) => first < to && last > from);
  const emotes = (line.emotes ?? [])
    .flatMap(([ref, name, first, last]) => {
      const from = unitOf[first];
      const to = unitOf[last + 1];
      return from === undefined || to === undefined || to <= from ? [] : [{ ref, name, from, to }];
    })
    .sort((a, b) => a.from - b.from);

  const found: QuotePiece[] = [];
  const plain = (from: number, to: number): void => {
    const edges = [from, to, ...line.marks.flat()]
      .filter((edge) => edge >= from && edge <= to)
      .sort((a, b) => a - b);
    for (let at = 0; at + 1 < edges.length; at++) {
      const part = text.slice(edges[at], edges[at + 1]);
      if (part === "") continue;
      const marked = isMarked(edges[at] ?? 0, edges[at + 1] ?? 0);
      const last = found.at(-1);
      if (last !== undefined && "text" in last && last.marked === marked) last.text += part;
      else found.push({ text: part, marked });
    }
  };
  let at = 0;
  for (const { ref, name, from, to } of emotes) {
    if (from < at) continue;
    plain(at, from);
    found.push({ ref, name, marked: isMarked(from, to) });
    at = to;
  }
  plain(at, text.length);
  return found;
}
