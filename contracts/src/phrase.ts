const UNSEEN = /[\p{Cf}\p{DI}\u0300-\u036f\u0489]/gu;
const LONG_RUN = /(.)\1{2,}/gu;
const NO_WORD = /[^\p{L}\p{N}\p{M}]+/gu;

/** A line as phrases are looked for in it: one case and width, nothing unseen, at most two of one sign in a row, words alone with a space around each. */
const plain = (text: string): string =>
  ` ${text.normalize("NFKC").toLowerCase().replaceAll(UNSEEN, "").replaceAll(NO_WORD, " ").replaceAll(LONG_RUN, "$1$1").trim()} `;

/** Looks for phrases in lines, whole words only: "ass" does not stand in "class". A phrase without a letter or digit stands nowhere. */
export function phraseFinder(phrases: readonly string[]): (text: string) => boolean {
  const wanted = phrases.map(plain).filter((phrase) => phrase.trim() !== "");
  if (wanted.length === 0) return () => false;
  return (text) => {
    const line = plain(text);
    return wanted.some((phrase) => line.includes(phrase));
  };
}
