import type { ChatLine, ChatModeration } from "./chat.ts";
import type { ChatOverlay, ClipLayout } from "./clip.ts";
import { nameColour } from "./name-colour.ts";
import { isRightToLeft, plainText } from "./plain-text.ts";

/**
 * How chat stands in a clip: which lines, where, when. Pure, so the page's preview and the renderer agree; painting is
 * `overlay-paint.ts`. A line comes in from below, pushes the older ones up, and leaves at the top or when it is old.
 */
export interface OverlayBox {
  /** Of the area that lines may take, in the picture's pixels. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly fontPx: number;
}

/** How heavily a text is drawn. */
export type Weight = "name" | "body" | "quote";
/** Width of a text in pixels at the box's font size (`quote`: 0.8 of it). */
export type Measure = (text: string, weight: Weight) => number;

/** One thing that is drawn in one go. `x` and `y` from the line's corner; `y` is the top of its row. */
export type OverlayPiece =
  | {
      kind: "text";
      text: string;
      weight: Weight;
      colour: string;
      rtl: boolean;
      x: number;
      y: number;
      width: number;
    }
  | { kind: "emote"; ref: string; name: string; x: number; y: number; width: number }
  | { kind: "badge"; name: Badge; x: number; y: number; width: number };

export interface OverlayLine {
  readonly id: string;
  /** When it comes in, ms of the clip's time; below 0: it stands there from the start. */
  readonly atMs: number;
  readonly width: number;
  readonly height: number;
  readonly pieces: readonly OverlayPiece[];
}

export interface VisibleLine {
  readonly line: OverlayLine;
  /** Top, from the box's. */
  readonly y: number;
  /** 0–1. */
  readonly opacity: number;
}

/** Badges that are drawn, in this order; the many others are not. */
export const BADGES = [
  "broadcaster",
  "moderator",
  "vip",
  "staff",
  "partner",
  "subscriber",
  "founder",
] as const;
export type Badge = (typeof BADGES)[number];

/** A line that nobody pushes out goes after this time. */
export const LINE_KEPT_MS = 25_000;
const ENTER_MS = 240;
/** A line that follows another sooner comes in at once: a chat that slides without a pause cannot be read. */
const PAUSE_MS = 400;
const LEAVE_MS = 500;
/** Lines are read at about this rate; of a faster chat the rest is left out, evenly. */
export const LINES_PER_SECOND = 6;
/** Rows of one line, after which it ends with …. */
const ROWS = 4;
const TEXT_POINTS = 500;
const NAME_POINTS = 25;
const MOST_BADGES = 3;
/** Emotes are never wider than this many heights. */
const WIDEST_EMOTE = 4;
const WHITE = "#ffffff";
const GREY = "#c4c4cc";

/** Row height, padding and distances as multiples of the font size. */
export const ROW = 1.42;
export const EMOTE = 1.3;
export const QUOTE = 0.8;
export const PAD_X = 0.5;
export const PAD_Y = 0.22;
const BETWEEN = 0.22;
const BADGE_GAP = 0.22;

/** Where chat stands in a picture. On upright ones it keeps clear of what phones lay over the lower edge. */
export function overlayBox(
  layout: ClipLayout,
  chat: Pick<ChatOverlay, "position" | "size" | "fontPx">,
  frame: { width: number; height: number },
): OverlayBox {
  const { width, height } = frame;
  const upright = layout !== "16:9";
  const fontPx = Math.max(8, Math.round((chat.fontPx * height) / 1080));
  const margin = Math.round(width * (upright ? 0.035 : 0.015));
  if (chat.position === "bottom") {
    const tall = Math.round(height * Math.min(0.6, Math.max(chat.size, 0.12)));
    const foot = upright ? Math.round(height * 0.14) : margin;
    return { x: margin, y: height - foot - tall, width: width - 2 * margin, height: tall, fontPx };
  }
  // A quarter of an upright picture would hold two words a row.
  const share = upright ? Math.min(0.9, Math.max(0.62, chat.size * 2.6)) : chat.size;
  const wide = Math.min(width - 2 * margin, Math.round(width * share));
  const tall = Math.round(height * (upright ? 0.36 : 0.72));
  const foot = upright ? Math.round(height * 0.14) : margin * 2;
  return {
    x: chat.position === "left" ? margin : width - margin - wide,
    y: height - foot - tall,
    width: wide,
    height: tall,
    fontPx,
  };
}

/** Lines without those that were removed later: deleted, their author timed out or banned, or the chat cleared. Each once, in order of time. */
export function standingLines(lines: readonly ChatLine[], moderation: readonly ChatModeration[]): ChatLine[] {
  const deleted = new Set<string>();
  const silenced = new Map<string, number>();
  let clearedMs = -Infinity;
  for (const { action, sentAtMs, targetMessageId, targetUserId, targetLogin } of moderation)
    if (action === "delete" && targetMessageId !== undefined) deleted.add(targetMessageId);
    else if (action === "clear") clearedMs = Math.max(clearedMs, sentAtMs);
    else if (action === "timeout" || action === "ban")
      for (const who of [targetUserId, targetLogin])
        if (who !== undefined) silenced.set(who, Math.max(silenced.get(who) ?? -Infinity, sentAtMs));
  const seen = new Set<string>();
  return lines
    .filter((line) => {
      if (seen.has(line.id) || deleted.has(line.id) || line.sentAtMs <= clearedMs) return false;
      seen.add(line.id);
      const silencedMs = Math.max(
        silenced.get(line.userId) ?? -Infinity,
        silenced.get(line.login) ?? -Infinity,
      );
      return line.sentAtMs > silencedMs;
    })
    .sort((a, b) => a.sentAtMs - b.sentAtMs);
}

/** At most `LINES_PER_SECOND` of each second, evenly chosen. */
export function readableLines(lines: readonly ChatLine[]): ChatLine[] {
  const seconds = new Map<number, ChatLine[]>();
  for (const line of lines) {
    const second = Math.floor(line.sentAtMs / 1000);
    const known = seconds.get(second);
    if (known === undefined) seconds.set(second, [line]);
    else known.push(line);
  }
  return [...seconds.values()].flatMap((ofSecond) =>
    ofSecond.length <= LINES_PER_SECOND
      ? ofSecond
      : Array.from(
          { length: LINES_PER_SECOND },
          (_, i) => ofSecond[Math.floor((i * ofSecond.length) / LINES_PER_SECOND)] as ChatLine,
        ),
  );
}

export interface OverlayOptions {
  readonly box: OverlayBox;
  readonly measure: Measure;
  /** Width over height of an emote's picture; 1 where it is not known. Null: there is no picture, its name is written. */
  readonly aspectOf: (ref: string) => number | null;
  /** Where a moment of the stream stands in the clip, ms; below 0: before it. Null: nowhere, it was left out. */
  readonly clipTime: (streamMs: number) => number | null;
  /** Lines are shown this much earlier than they were sent. */
  readonly shiftMs: number;
}

/** Everything that chat does in a clip, in order of time. */
export function overlayLines(
  lines: readonly ChatLine[],
  moderation: readonly ChatModeration[],
  options: OverlayOptions,
): OverlayLine[] {
  const standing = standingLines(lines, moderation);
  const byId = new Map(standing.map((line) => [line.id, line]));
  const composed: OverlayLine[] = [];
  for (const line of readableLines(standing)) {
    const atMs = options.clipTime(line.sentAtMs - options.shiftMs);
    if (atMs === null) continue;
    const quoted = line.replyTo === undefined ? undefined : byId.get(line.replyTo);
    composed.push(composeLine(line, quoted, atMs, options));
  }
  return composed.sort((a, b) => a.atMs - b.atMs);
}

type Unit =
  | { kind: "word"; text: string; width: number; space: boolean }
  | { kind: "emote"; ref: string; name: string; width: number; space: boolean };

function composeLine(
  line: ChatLine,
  quoted: ChatLine | undefined,
  atMs: number,
  { box, measure, aspectOf }: Pick<OverlayOptions, "box" | "measure" | "aspectOf">,
): OverlayLine {
  const { fontPx } = box;
  const padX = Math.round(fontPx * PAD_X);
  const padY = Math.round(fontPx * PAD_Y);
  const rowPx = Math.round(fontPx * ROW);
  const inner = Math.max(fontPx * 3, box.width - 2 * padX);
  const colour = nameColour(line.color, line.login);
  const pieces: OverlayPiece[] = [];
  let y = padY;
  let widest = 0;

  if (quoted !== undefined) {
    const text = fitted(`↳ ${nameOf(quoted)}: ${plainText(quoted.text, 120)}`, inner, (part) =>
      measure(part, "quote"),
    );
    const width = measure(text, "quote");
    pieces.push({ kind: "text", text, weight: "quote", colour: GREY, rtl: false, x: padX, y, width });
    widest = width;
    y += Math.round(rowPx * QUOTE);
  }

  let x = 0;
  const badgePx = Math.round(fontPx * 0.95);
  for (const name of badgesOf(line.badges ?? "")) {
    pieces.push({ kind: "badge", name, x: padX + x, y, width: badgePx });
    x += badgePx + Math.round(fontPx * BADGE_GAP);
  }
  const who = `${fitted(nameOf(line), inner - x - fontPx, (part) => measure(part, "name"))}${line.action === true ? "" : ":"}`;
  const whoWidth = measure(who, "name");
  pieces.push({
    kind: "text",
    text: who,
    weight: "name",
    colour,
    rtl: false,
    x: padX + x,
    y,
    width: whoWidth,
  });
  x += whoWidth;
  widest = Math.max(widest, x);

  const space = measure(" ", "body");
  const rtl = isRightToLeft(line.text);
  const bodyColour = line.action === true ? colour : WHITE;
  const rows: { text: string; x: number; width: number }[] = [];
  const flush = (): void => {
    for (const run of rows.splice(0))
      pieces.push({
        kind: "text",
        weight: "body",
        colour: bodyColour,
        rtl,
        y,
        text: run.text.trim(),
        x: padX + run.x,
        width: run.width,
      });
  };
  /** Adds to the run that ends here, or begins one: the painter orders the letters of a run, never across runs. */
  const write = (text: string, width: number, fresh: boolean): void => {
    const last = rows.at(-1);
    if (last === undefined || fresh) rows.push({ text, x, width });
    else {
      last.text += text;
      last.width += width;
    }
    x += width;
  };
  let row = 1;
  // What stands before is no run of the author's text.
  let fresh = true;
  const units = unitsOf(line, { fontPx, inner, measure, aspectOf });
  for (const [i, unit] of units.entries()) {
    const lead = unit.space || i === 0 ? space : 0;
    const room = row === ROWS ? inner - measure("…", "body") : inner;
    if (x + lead + unit.width > room && x > 0) {
      const isLast = i === units.length - 1;
      if (row === ROWS && !(isLast && x + lead + unit.width <= inner)) {
        write("…", measure("…", "body"), fresh);
        widest = Math.max(widest, x);
        break;
      }
      if (row < ROWS) {
        flush();
        row++;
        y += rowPx;
        x = 0;
        fresh = true;
      }
    }
    const gap = x === 0 ? 0 : lead;
    if (unit.kind === "word") {
      if (fresh) {
        x += gap;
        write(unit.text, unit.width, true);
      } else write((gap > 0 ? " " : "") + unit.text, gap + unit.width, false);
      fresh = false;
    } else {
      x += gap;
      pieces.push({ kind: "emote", ref: unit.ref, name: unit.name, x: padX + x, y, width: unit.width });
      x += unit.width;
      fresh = true;
    }
    widest = Math.max(widest, x);
  }
  flush();
  return {
    id: line.id,
    atMs,
    width: Math.min(box.width, Math.ceil(widest) + 2 * padX),
    height: y + rowPx + padY,
    pieces,
  };
}

const nameOf = (line: ChatLine): string => plainText(line.name ?? line.login, NAME_POINTS) || line.login;

function badgesOf(badges: string): Badge[] {
  const worn = new Set(badges.split(",").map((badge) => badge.split("/")[0]));
  return BADGES.filter((badge) => worn.has(badge)).slice(0, MOST_BADGES);
}

/** A text cut to a width, with … where something is missing. */
function fitted(text: string, width: number, measure: (text: string) => number): string {
  if (measure(text) <= width) return text;
  const parts = [...graphemes.segment(text)].map(({ segment }) => segment);
  let low = 0;
  let high = parts.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (measure(`${parts.slice(0, middle).join("")}…`) <= width) low = middle;
    else high = middle - 1;
  }
  return `${parts.slice(0, low).join("").trimEnd()}…`;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
/** Between these a row may end without a space: Han, kana, Hangul syllables, Thai, emoji. */
const BREAKS_ANYWHERE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Extended_Pictographic}\p{RI}]/u;

/** What may stand on a row of its own, in the order of the text. Twitch counts emotes in code points of the text as it was sent. */
function unitsOf(
  line: ChatLine,
  {
    fontPx,
    inner,
    measure,
    aspectOf,
  }: { fontPx: number; inner: number } & Pick<OverlayOptions, "measure" | "aspectOf">,
): Unit[] {
  const points = Array.from(line.text);
  const units: Unit[] = [];
  let spaced = false;
  const addText = (text: string): void => {
    const plain = plainText(text, TEXT_POINTS);
    for (const [i, word] of plain.split(" ").entries()) {
      if (i > 0) spaced = true;
      if (word === "") continue;
      for (const part of partsOf(word, inner, measure)) {
        units.push({ kind: "word", text: part, width: measure(part, "body"), space: spaced });
        spaced = false;
      }
    }
  };
  const emotes = (line.emotes ?? [])
    .filter(([, , first, last]) => first >= 0 && last >= first && last < points.length)
    .sort((a, b) => a[2] - b[2]);
  let at = 0;
  for (const [ref, name, first, last] of emotes) {
    if (first < at) continue;
    addText(points.slice(at, first).join(""));
    at = last + 1;
    const aspect = aspectOf(ref);
    if (aspect === null) addText(name);
    else {
      const width = Math.round(fontPx * EMOTE * Math.min(WIDEST_EMOTE, Math.max(0.25, aspect)));
      units.push({ kind: "emote", ref, name, width: Math.min(width, inner), space: true });
    }
    spaced = true;
  }
  addText(points.slice(at).join(""));
  return units;
}

/** A word as it is, or in pieces where its script breaks anywhere or it is wider than a row. */
function partsOf(word: string, inner: number, measure: Measure): string[] {
  const anywhere = BREAKS_ANYWHERE.test(word);
  if (!anywhere && measure(word, "body") <= inner) return [word];
  const parts: string[] = [];
  let part = "";
  let width = 0;
  for (const { segment } of graphemes.segment(word)) {
    const wide = measure(segment, "body");
    const breaks = anywhere && BREAKS_ANYWHERE.test(segment);
    if (part !== "" && (breaks || width + wide > inner)) {
      parts.push(part);
      part = "";
      width = 0;
    }
    part += segment;
    width += wide;
    if (breaks) {
      parts.push(part);
      part = "";
      width = 0;
    }
  }
  if (part !== "") parts.push(part);
  return parts;
}

/** What stands in the box at a moment of the clip, the newest first. */
export function visibleAt(lines: readonly OverlayLine[], box: OverlayBox, tMs: number): VisibleLine[] {
  const between = Math.round(box.fontPx * BETWEEN);
  const visible: VisibleLine[] = [];
  let bottom = box.height;
  for (let i = lastAt(lines, tMs); i >= 0 && bottom > 0; i--) {
    const line = lines[i] as OverlayLine;
    const ageMs = tMs - line.atMs;
    if (ageMs >= LINE_KEPT_MS) break;
    // A line that stood there before the clip began does not come in at its start.
    const slides = line.atMs >= 0 && line.atMs - (lines[i - 1]?.atMs ?? -Infinity) >= PAUSE_MS;
    const come = !slides ? 1 : eased(Math.min(1, (ageMs + 1) / ENTER_MS));
    const top = bottom - (line.height + between) * come;
    const left = Math.min(1, (LINE_KEPT_MS - ageMs) / LEAVE_MS);
    // Half a line at the upper edge cannot be read: it is gone as soon as it touches it.
    const pushedOut = Math.max(0, Math.min(1, 1 + top / (box.fontPx * 0.6)));
    const opacity = come * left * pushedOut;
    if (opacity > 0) visible.push({ line, y: Math.round(top), opacity });
    bottom = top;
  }
  return visible;
}

const eased = (share: number): number => 1 - (1 - share) ** 3;

/** The index of the last line that has come in by `tMs`; −1: none has. */
function lastAt(lines: readonly OverlayLine[], tMs: number): number {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lines[middle] as OverlayLine).atMs <= tMs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
