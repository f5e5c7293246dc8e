import type { LineEmote } from "@hypecast/contracts/chat.ts";

/** Names of third-party emotes to their `<provider>:<id>`, as they are in force in one channel. Case-sensitive. */
export type EmoteNames = ReadonlyMap<string, string>;

/** More emotes than this are not annotated: a line has at most 500 characters, so no real one has more. */
const MOST_EMOTES = 250;

/**
 * The emotes of a line, in order: Twitch's own by the positions that its tag gives, third parties' by whole words between
 * spaces. Positions count code points, both ends inclusive. What the tag says wrongly (outside of the text, not a number)
 * is left out. Null when there are none, which is most lines.
 */
export function annotate(text: string, tag: string, names: EmoteNames): LineEmote[] | null {
  const toUnits = hasSurrogates(text) ? codePointStarts(text) : null;
  const emotes: LineEmote[] = [];
  if (tag !== "") readTag(emotes, text, tag, toUnits);
  const own = emotes.length;
  if (names.size > 0) readWords(emotes, own, text, names, toUnits);
  if (emotes.length === 0) return null;
  if (emotes.length > own || own > 1) emotes.sort((a, b) => a[2] - b[2]);
  return emotes;
}

/** `25:0-4,12-16/1902:6-10` */
function readTag(emotes: LineEmote[], text: string, tag: string, toUnits: number[] | null): void {
  const length = toUnits === null ? text.length : toUnits.length - 1;
  for (const one of tag.split("/")) {
    const colon = one.indexOf(":");
    if (colon <= 0 || colon > 100) continue;
    const ref = `twitch:${one.slice(0, colon)}`;
    for (const range of one.slice(colon + 1).split(",")) {
      const dash = range.indexOf("-");
      const first = position(range.slice(0, dash));
      const last = position(range.slice(dash + 1));
      // Written so that NaN, which is what no number reads as, does not pass.
      if (!(dash > 0 && first <= last && last < length) || emotes.length >= MOST_EMOTES) continue;
      const from = toUnits === null ? first : (toUnits[first] ?? 0);
      const to = toUnits === null ? last + 1 : (toUnits[last + 1] ?? text.length);
      emotes.push([ref, text.slice(from, to), first, last]);
    }
  }
}

const position = (digits: string): number => (/^\d{1,6}$/.test(digits) ? Number(digits) : NaN);

function readWords(
  emotes: LineEmote[],
  own: number,
  text: string,
  names: EmoteNames,
  toUnits: number[] | null,
): void {
  let from = 0;
  // Code points that stand before `from`; without surrogates the same number.
  let point = 0;
  while (from < text.length) {
    let to = text.indexOf(" ", from);
    if (to < 0) to = text.length;
    if (to > from) {
      const word = text.slice(from, to);
      const ref = names.get(word);
      if (ref !== undefined && emotes.length < MOST_EMOTES) {
        const first = toUnits === null ? from : pointAt(toUnits, from, point);
        const last = toUnits === null ? to - 1 : pointAt(toUnits, to, first) - 1;
        point = first;
        if (!taken(emotes, own, first, last)) emotes.push([ref, word, first, last]);
      }
    }
    from = to + 1;
  }
}

/** Twitch's own emote goes before a third party's of the same name. */
function taken(emotes: readonly LineEmote[], own: number, first: number, last: number): boolean {
  for (let i = 0; i < own; i++) {
    const emote = emotes[i];
    if (emote !== undefined && emote[2] <= last && emote[3] >= first) return true;
  }
  return false;
}

function hasSurrogates(text: string): boolean {
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xf800) === 0xd800) return true;
  return false;
}

/** Where each code point begins, in UTF-16 units, and the end as the last. */
function codePointStarts(text: string): number[] {
  const starts: number[] = [];
  for (let i = 0; i < text.length; i += (text.codePointAt(i) ?? 0) > 0xffff ? 2 : 1) starts.push(i);
  starts.push(text.length);
  return starts;
}

function pointAt(starts: readonly number[], unit: number, from: number): number {
  let point = from;
  while ((starts[point] ?? Infinity) < unit) point++;
  return point;
}
