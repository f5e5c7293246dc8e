import {
  LANGUAGES,
  TOXICITY_CLASSES,
  TOXICITY_WINDOW_S,
  type LineScore,
  type ToxicityScores,
  type ToxicityWindow,
} from "@hypecast/contracts/toxicity.ts";
import type { ByteReader, ByteWriter } from "../bytes.ts";
import { Distinct } from "../distinct.ts";
import { userKey } from "../windows.ts";
import type { Bounds } from "./usual.ts";
import { LOOK_S } from "./usual.ts";

export const WINDOW_MS = TOXICITY_WINDOW_S * 1000;

/** Ten seconds that are still being counted: what people wrote in them, and what the model said of it so far. */
export class OpenWindow {
  readonly startMs: number;
  /** People's lines that the log had. */
  lines = 0;
  scored = 0;
  unknown = 0;
  toxic = 0;
  newcomers = 0;
  /** Chat of this time is complete. */
  complete = false;
  gapS = 0;
  #users = new Distinct();
  readonly #classes: number[] = TOXICITY_CLASSES.map(() => 0);
  readonly #languages: number[] = LANGUAGES.map(() => 0);

  constructor(startMs: number) {
    this.startMs = startMs;
  }

  /** Lines that the model has not spoken of. */
  get waiting(): number {
    return Math.max(0, this.lines - this.scored - this.unknown);
  }

  pack({ lines, unknown, languages }: ToxicityScores): void {
    this.scored += lines - unknown;
    this.unknown += unknown;
    for (const [i, language] of LANGUAGES.entries()) this.#languages[i]! += languages[language] ?? 0;
  }

  toxicLine(line: LineScore): void {
    this.toxic++;
    if (line.firstMessage) this.newcomers++;
    this.#users.add(userKey(line.userId));
    if (line.class !== "none") this.#classes[TOXICITY_CLASSES.indexOf(line.class)]!++;
  }

  said(channelId: string, bounds: Bounds | null): ToxicityWindow {
    const { startMs, scored, unknown, toxic, newcomers, gapS } = this;
    return {
      id: `${channelId}:tox:${startMs}`,
      channelId,
      startMs,
      sizeS: TOXICITY_WINDOW_S,
      scored,
      unknown,
      toxic,
      users: this.#users.count(),
      classes: named(TOXICITY_CLASSES, this.#classes),
      languages: named(LANGUAGES, this.#languages),
      newcomers,
      usualPerMin: bounds === null ? null : tenths(bounds.perMin),
      spikeFromPerMin: bounds === null ? null : (bounds.enter * 60) / LOOK_S,
      gapS,
    };
  }

  save(out: ByteWriter): void {
    out.number(this.startMs);
    for (const name of NUMBERS) out.uint(this[name]);
    out.u8(this.complete ? 1 : 0);
    out.number(this.gapS);
    this.#users.save(out);
    for (const lines of this.#classes) out.uint(lines);
    for (const lines of this.#languages) out.uint(lines);
  }

  static load(bytes: ByteReader): OpenWindow {
    const window = new OpenWindow(bytes.number());
    for (const name of NUMBERS) window[name] = bytes.uint();
    window.complete = bytes.u8() === 1;
    window.gapS = bytes.number();
    window.#users = Distinct.load(bytes);
    for (let i = 0; i < TOXICITY_CLASSES.length; i++) window.#classes[i] = bytes.uint();
    for (let i = 0; i < LANGUAGES.length; i++) window.#languages[i] = bytes.uint();
    return window;
  }
}
const NUMBERS = ["lines", "scored", "unknown", "toxic", "newcomers"] as const;

/** Counts by name, without those that are 0. */
export function named<Name extends string>(
  names: readonly Name[],
  counts: readonly number[],
): Partial<Record<Name, number>> {
  const found: Partial<Record<Name, number>> = {};
  for (const [i, name] of names.entries()) if (counts[i]! > 0) found[name] = counts[i]!;
  return found;
}

export const tenths = (value: number): number => Math.round(value * 10) / 10;
