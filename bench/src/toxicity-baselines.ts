/** What anybody has without a model: a list of words. And the model that is hard to beat: logistic regression on hashed words and pieces of words. */

const WORDS = new Set(
  (
    "fuck fucking fucker fuckers fck fk fuk fking wtf stfu shit shitty bullshit bitch bitches cunt cunts ass asshole assholes arse dick dicks cock cocks pussy whore whores slut sluts bastard bastards " +
    "idiot idiots moron morons retard retards retarded stupid dumb dumbass imbecile braindead noob noobs trash garbage useless scum loser losers nigger niggers nigga niggas faggot faggots fag fags gay " +
    "kys suicide rape raped cancer autist autistic monkey pig dog motherfucker damn crap piss twat wanker tard puta kurwa cyka blyat suka nazi hitler jew jews tranny chink spic kike die kill " +
    "сука суки блять бля блядь хуй хуйня нахуй пизда пиздец ебать ебаный еблан долбоеб дебил дебилы идиот идиоты урод уроды мразь тупой тупые мудак пидор пидоры пидорас чмо лох гандон шлюха тварь даун олень"
  ).split(" "),
);

/** How many words of the list a line has. */
export function lexicon(text: string): number {
  let found = 0;
  for (const word of text.toLowerCase().split(/[^\p{L}\p{N}]+/u)) if (WORDS.has(word)) found++;
  return found;
}

const BUCKETS = 1 << 18;
const step = (hash: number, code: number): number => Math.imul(hash ^ code, 0x01000193);

/** Words, pairs of words and pieces of 2–5 letters, as a set. */
function bucketsOf(text: string): Uint32Array {
  const found = new Set<number>();
  const add = (hash: number): void => void found.add((hash ^ (hash >>> 18)) & (BUCKETS - 1));
  const plain = text
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/(.)\1{3,}/gsu, "$1$1$1");
  let before = "";
  for (const [word] of plain.matchAll(/[\p{L}\p{N}]+|[^\p{L}\p{N}\s]/gu)) {
    for (const gram of before === "" ? [word] : [word, `${before} ${word}`]) {
      let hash = 0x1234567;
      for (let i = 0; i < gram.length; i++) hash = step(hash, gram.charCodeAt(i));
      add(hash);
    }
    before = word;
  }
  for (const token of plain.split(/\s+/)) {
    const padded = ` ${token} `;
    for (let from = 0; from < padded.length - 1; from++) {
      let hash = 0x811c9dc5;
      for (let n = 1; n <= 5 && from + n <= padded.length; n++) {
        hash = step(hash, padded.charCodeAt(from + n - 1));
        if (n >= 2) add(hash);
      }
    }
  }
  return Uint32Array.from(found);
}

const EPOCHS = 6;
const RATE = 0.5;
const SHRINK = 2e-6;

/** Logistic regression by AdaGrad, deterministic; returns log-odds. */
export function hashedRegression(
  lines: readonly { readonly text: string; readonly yes: boolean }[],
): (text: string) => number {
  const weights = new Float64Array(BUCKETS);
  const squares = new Float64Array(BUCKETS).fill(1e-2);
  let bias = 0;
  const rows = lines.map(({ text, yes }) => ({ buckets: bucketsOf(text), yes: Number(yes) }));
  const oddsOf = (buckets: Uint32Array): number => {
    let sum = 0;
    for (const bucket of buckets) sum += weights[bucket]!;
    return bias + sum / Math.sqrt(Math.max(1, buckets.length));
  };
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    for (let i = rows.length - 1; i > 0; i--) {
      const other = random(i + 1);
      [rows[i], rows[other]] = [rows[other]!, rows[i]!];
    }
    for (const { buckets, yes } of rows) {
      const wrong = 1 / (1 + Math.exp(-oddsOf(buckets))) - yes;
      bias -= 0.01 * wrong;
      const each = wrong / Math.sqrt(Math.max(1, buckets.length));
      for (const bucket of buckets) {
        const gradient = each + SHRINK * weights[bucket]!;
        squares[bucket]! += gradient * gradient;
        weights[bucket]! -= (RATE * gradient) / Math.sqrt(squares[bucket]!);
      }
    }
  }
  return (text) => oddsOf(bucketsOf(text));
}
