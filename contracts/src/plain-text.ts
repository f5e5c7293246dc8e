/**
 * Draws nothing, or changes how what stands around it is drawn: controls, bidi marks, embeddings, overrides and isolates, tags, fillers,
 * private use, lone surrogates. Joiners and the choice between text and emoji stay.
 */
const UNSEEN = /(?!\u200c|\u200d|\ufe0e|\ufe0f)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{DI}]/gu;
/** More marks than this on one letter belong to no script: they are there to run over the lines above and below. */
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu;

/**
 * A person's text as it may be drawn or named: one line, nothing that reorders or overflows what stands beside it, at most `most` code
 * points. Letters of every script, emoji with their joiners and ordinary accents stay.
 */
export function plainText(text: string, most: number): string {
  const plain = text
    .replaceAll(/[\t\n\v\f\r\u0085\u2028\u2029]/g, " ")
    .replace(UNSEEN, "")
    .replace(STACKED_MARKS, "$1")
    .replaceAll(/\s+/g, " ");
  const points = Array.from(plain);
  return points.length <= most ? plain : `${points.slice(0, most - 1).join("")}…`;
}

/** Whether a text's first letter belongs to a script that is written from right to left. */
export function isRightToLeft(text: string): boolean {
  const first = /\p{L}/u.exec(text)?.[0];
  return (
    first !== undefined &&
    /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u.test(first)
  );
}
