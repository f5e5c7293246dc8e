import { nearOf } from "./features.ts";
import { type Places, type Token, tokensOf } from "./normalise.ts";

/**
 * What stands around a line and says whether moderators would act: what its author and others wrote a moment ago, and on whom
 * moderators acted. Pure: time comes with the lines. Everything is bounded; what is forgotten counts as never seen.
 */
export interface LineContext {
  readonly emotes: Places;
  readonly reply: boolean;
  readonly firstMessage: boolean;
  /** Moderator, VIP or broadcaster. */
  readonly trusted: boolean;
  readonly subscriber: boolean;
  /** The author's lines of the last minute, and of them nearly this one; both with this one. */
  readonly authorLines: number;
  readonly authorCopies: number;
  /** Lines nearly this one in the last minute, by anybody, this one included; and how many authors wrote them. */
  readonly copies: number;
  /** The author's lines that the model flagged, fading with a half-life of five minutes. */
  readonly authorFlagged: number;
  /** How often moderators acted on the author, and on lines nearly this one, fading with a half-life of half an hour. */
  readonly authorActed: number;
  readonly copiesActed: number;
  /** The channel's lines and moderators' actions of the last minute. */
  readonly channelLines: number;
  readonly channelActed: number;
  /** Lines of the author that we have seen before. */
  readonly authorSeen: number;
}

/** A line of which nothing else is known. */
export const NO_CONTEXT: LineContext = {
  emotes: [],
  ...{ reply: false, firstMessage: false, trusted: false, subscriber: false },
  ...{ authorLines: 1, authorCopies: 1, copies: 1, authorFlagged: 0, authorActed: 0, copiesActed: 0 },
  ...{ channelLines: 1, channelActed: 0, authorSeen: 0 },
};

/** The model's input `context`, in this order. What grows without bound is log(1 + x). */
export const CONTEXT = [
  ...["reply", "firstMessage", "trusted", "subscriber", "authorLines", "authorCopies", "copies"],
  ...["authorFlagged", "authorActed", "copiesActed", "channelLines", "channelActed", "authorSeen"],
  ...["length", "words", "repeats", "longestRun", "caps", "capsLong", "signs", "digits", "other"],
  ...["emotes", "emoteShare", "mention", "link", "question", "exclamation", "gameTerm", "readings", "dense"],
] as const;

const GAME_TERMS = new Set(
  (
    "gank ganked mid top bot jungle jungler adc support supp carry baron dragon drake nexus tower turret lane laning creep creeps minion minions farm farming kill kills killed " +
    "headshot headshots hs boss raid loot spawn respawn ult ulti flash smoke awp bomb plant defuse site push rush rank ranked elo mmr round match game enemy enemies damage dmg " +
    "dps hp tank healer heal nerf buff build meta map spike clutch ace frag frags pentakill quadra combo stun hook roshan rosh aegis blink hero heroes courier ward wards pudge " +
    "катка катке катку мид миду лес лесник керри саппорт сапорт босс рейд фраг фраги хил танк хедшот нерф бафф рошан крип крипы башня башню вышка вышку линия линии мап карта бомба " +
    "раунд матч игра игре игру враг врага враги враги убил убили убей дамаг урон ульт ульта герой героя респ респа спавн мейн ранг ммр"
  ).split(" "),
);

/** Whether a word of the game stands in the line: "kill him" is then no threat. */
export const hasGameTerm = (tokens: readonly Token[]): boolean =>
  tokens.some(({ kind, text }) => kind === "word" && GAME_TERMS.has(text));

/** The row of the input `context`. */
export function contextRow(
  text: string,
  tokens: readonly Token[],
  context: LineContext,
  out: Float32Array = new Float32Array(CONTEXT.length),
): Float32Array {
  let length = 0;
  let [capitals, small, signs, digits, foreign, spaces] = [0, 0, 0, 0, 0, 0];
  let [run, longestRun, before] = [0, 0, -1];
  for (let i = 0; i < text.length; length++) {
    const code = text.codePointAt(i)!;
    i += code > 0xffff ? 2 : 1;
    run = code === before ? run + 1 : 1;
    before = code;
    if (run > longestRun) longestRun = run;
    if ((code >= 65 && code <= 90) || (code >= 0x410 && code <= 0x42f)) capitals++;
    else if ((code >= 97 && code <= 122) || (code >= 0x430 && code <= 0x44f)) small++;
    else if (code >= 48 && code <= 57) digits++;
    else if (code === 32) spaces++;
    else if (code < 128) signs++;
    else foreign++;
  }
  const words = new Set<string>();
  let [wordCount, emoteCount, readings, mention, link] = [0, 0, 0, 0, 0];
  for (const token of tokens) {
    if (token.kind === "reading") readings++;
    else {
      if (token.kind === "mention") mention = 1;
      if (token.kind === "link") link = 1;
      if (token.kind === "emote") emoteCount++;
      wordCount++;
      words.add(token.text);
    }
  }
  const visible = Math.max(1, length - spaces);
  const letters = capitals + small;
  const caps = letters === 0 ? 0 : capitals / letters;
  const row: Record<(typeof CONTEXT)[number], number> = {
    reply: Number(context.reply),
    firstMessage: Number(context.firstMessage),
    trusted: Number(context.trusted),
    subscriber: Number(context.subscriber),
    authorLines: Math.log1p(context.authorLines),
    authorCopies: Math.log1p(context.authorCopies),
    copies: Math.log1p(context.copies),
    authorFlagged: Math.log1p(context.authorFlagged),
    authorActed: Math.log1p(context.authorActed),
    copiesActed: Math.log1p(context.copiesActed),
    channelLines: Math.log1p(context.channelLines),
    channelActed: Math.log1p(context.channelActed),
    authorSeen: Math.log1p(context.authorSeen),
    length: Math.log1p(length),
    words: Math.log1p(wordCount),
    repeats: wordCount === 0 ? 0 : 1 - words.size / wordCount,
    longestRun: Math.log1p(longestRun),
    caps,
    capsLong: letters >= 8 ? caps : 0,
    signs: signs / visible,
    digits: digits / visible,
    other: foreign / visible,
    emotes: Math.log1p(emoteCount),
    emoteShare: wordCount === 0 ? 0 : emoteCount / wordCount,
    mention,
    link,
    question: Number(text.includes("?")),
    exclamation: Number(text.includes("!")),
    gameTerm: Number(hasGameTerm(tokens)),
    readings: Math.log1p(readings),
    dense: length === 0 ? 0 : visible / length,
  };
  for (const [i, name] of CONTEXT.entries()) out[i] = row[name];
  return out;
}

export interface SeenLine {
  readonly userId: string;
  readonly sentAtMs: number;
  readonly text: string;
  readonly emotes?: Places;
  readonly reply?: boolean;
  readonly firstMessage?: boolean;
  readonly trusted?: boolean;
  readonly subscriber?: boolean;
}

interface Author {
  seen: number;
  flagged: number;
  flaggedAtMs: number;
  acted: number;
  actedAtMs: number;
}
interface Seen {
  atMs: number;
  userId: string;
  near: number;
}

const MINUTE_MS = 60_000;
const FLAGGED_HALF_MS = 300_000;
const ACTED_HALF_MS = 1_800_000;
/** An action falls on what its author wrote so long before. */
const ACTED_LINES_MS = 10_000;
/** Actions on one author within this are one. */
const SAME_ACTION_MS = 10_000;
const MOST_AUTHORS = 20_000;
const MOST_ACTED_TEXTS = 2000;
/** Lines of the last minute; above it the oldest are forgotten early. */
const MOST_LINES = 60_000;

const faded = (value: number, sinceMs: number, halfMs: number): number =>
  value === 0 ? 0 : value * 2 ** (-Math.max(0, sinceMs) / halfMs);

/** One channel's last minutes. */
export class ChannelMemory {
  #authors = new Map<string, Author>();
  #actedTexts = new Map<number, { acted: number; atMs: number }>();
  #lines: Seen[] = [];
  /** Before it in #lines everything is forgotten. */
  #from = 0;
  #actedAtMs: number[] = [];
  #byNear = new Map<number, number>();
  #byAuthor = new Map<string, number>();
  #byBoth = new Map<string, number>();

  /** The context of a line, which from now on counts for those after it. `tokens`: the line's, where the caller has them. */
  see(line: SeenLine, tokens: readonly Token[] = tokensOf(line.text, line.emotes)): LineContext {
    const { userId, sentAtMs: atMs } = line;
    const near = nearOf(tokens);
    this.#forget(atMs);
    const both = `${userId} ${near}`;
    const [byAuthor, byBoth, byNear] = [
      more(this.#byAuthor, userId),
      more(this.#byBoth, both),
      more(this.#byNear, near),
    ];
    this.#lines.push({ atMs, userId, near });
    const author = this.#author(userId);
    const acted = this.#actedTexts.get(near);
    return {
      emotes: line.emotes ?? [],
      reply: line.reply ?? false,
      firstMessage: line.firstMessage ?? false,
      trusted: line.trusted ?? false,
      subscriber: line.subscriber ?? false,
      authorLines: byAuthor,
      authorCopies: byBoth,
      copies: byNear,
      authorFlagged: faded(author.flagged, atMs - author.flaggedAtMs, FLAGGED_HALF_MS),
      authorActed: faded(author.acted, atMs - author.actedAtMs, ACTED_HALF_MS),
      copiesActed: acted === undefined ? 0 : faded(acted.acted, atMs - acted.atMs, ACTED_HALF_MS),
      channelLines: this.#lines.length - this.#from,
      channelActed: this.#actedAtMs.length,
      authorSeen: author.seen++,
    };
  }

  /** The model flagged a line of this author. */
  flag(userId: string, atMs: number): void {
    const author = this.#author(userId);
    author.flagged = faded(author.flagged, atMs - author.flaggedAtMs, FLAGGED_HALF_MS) + 1;
    author.flaggedAtMs = atMs;
  }

  /** Moderators deleted a line of this author, or timed out or banned them. */
  acted(userId: string, atMs: number): void {
    const author = this.#author(userId);
    if (author.acted > 0 && atMs - author.actedAtMs < SAME_ACTION_MS) return;
    author.acted = faded(author.acted, atMs - author.actedAtMs, ACTED_HALF_MS) + 1;
    author.actedAtMs = atMs;
    this.#actedAtMs.push(atMs);
    if (this.#actedAtMs.length > MOST_ACTED_TEXTS) this.#actedAtMs.shift();
    const texts = new Set<number>();
    for (let i = this.#lines.length - 1; i >= this.#from; i--) {
      const line = this.#lines[i]!;
      if (line.atMs < atMs - ACTED_LINES_MS) break;
      if (line.userId === userId) texts.add(line.near);
    }
    for (const near of texts) {
      const before = this.#actedTexts.get(near);
      this.#actedTexts.delete(near);
      this.#actedTexts.set(near, {
        acted: (before === undefined ? 0 : faded(before.acted, atMs - before.atMs, ACTED_HALF_MS)) + 1,
        atMs,
      });
      if (this.#actedTexts.size > MOST_ACTED_TEXTS)
        this.#actedTexts.delete(this.#actedTexts.keys().next().value!);
    }
  }

  /** A person is to be forgotten: nothing here names them afterwards. */
  erase(userId: string): void {
    this.#authors.delete(userId);
    for (const line of this.#lines) if (line.userId === userId) line.userId = "";
    this.#byAuthor.delete(userId);
    for (const key of this.#byBoth.keys()) if (key.startsWith(`${userId} `)) this.#byBoth.delete(key);
  }

  #author(userId: string): Author {
    const known = this.#authors.get(userId);
    if (known !== undefined) {
      this.#authors.delete(userId);
      this.#authors.set(userId, known);
      return known;
    }
    const author = { seen: 0, flagged: 0, flaggedAtMs: 0, acted: 0, actedAtMs: 0 };
    this.#authors.set(userId, author);
    if (this.#authors.size > MOST_AUTHORS) this.#authors.delete(this.#authors.keys().next().value!);
    return author;
  }

  #forget(nowMs: number): void {
    while (this.#from < this.#lines.length) {
      const { atMs, userId, near } = this.#lines[this.#from]!;
      if (atMs > nowMs - MINUTE_MS && this.#lines.length - this.#from < MOST_LINES) break;
      this.#from++;
      less(this.#byAuthor, userId);
      less(this.#byBoth, `${userId} ${near}`);
      less(this.#byNear, near);
    }
    if (this.#from > 1024 && this.#from * 2 > this.#lines.length) {
      this.#lines.splice(0, this.#from);
      this.#from = 0;
    }
    while (this.#actedAtMs.length > 0 && this.#actedAtMs[0]! <= nowMs - MINUTE_MS) this.#actedAtMs.shift();
  }
}

function more<K>(counts: Map<K, number>, key: K): number {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
}

function less<K>(counts: Map<K, number>, key: K): void {
  const count = counts.get(key);
  if (count === undefined) return;
  if (count <= 1) counts.delete(key);
  else counts.set(key, count - 1);
}
