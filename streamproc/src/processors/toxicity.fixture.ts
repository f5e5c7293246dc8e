import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { fnv1a } from "@hypecast/contracts/fnv1a.ts";
import { FLAGGED_FROM, type LineScore, type ToxicityScores } from "@hypecast/contracts/toxicity.ts";
import type { Fold, FoldInput, FoldOutput } from "./fold.ts";
import { runOf, type Run } from "./run.ts";
import { isPeoplesLine } from "./toxicity-spikes/peoples-line.ts";

/** Begins a minute. */
export const T = 1_700_000_040_000;
const CHANNEL = "7";

/** A line and what the model would say of it. */
export interface Written {
  readonly atS: number;
  readonly text: string;
  readonly user: number;
  /** 0: harmless. */
  readonly toxicity?: number;
  readonly kind?: LineScore["class"];
  readonly more?: Partial<ChatLine>;
}

/** Harmless chat: `perS` lines a second of 40 people, no two alike. */
export function harmless(fromS: number, untilS: number, perS = 1): Written[] {
  const written: Written[] = [];
  for (let atS = fromS, i = 0; atS < untilS; atS += 1 / perS, i++)
    written.push({ atS, text: `what a run number ${Math.round(atS * 100)}`, user: 1 + ((i * 7) % 40) });
  return written;
}

/** `count` toxic lines spread over the time, by `users` different people, no two alike. */
export function toxicLines(
  fromS: number,
  untilS: number,
  count: number,
  users = count,
  more: Partial<Written> = {},
): Written[] {
  return Array.from({ length: count }, (_, i) => ({
    atS: fromS + ((untilS - fromS) * (i + 0.5)) / count,
    text: `you are rubbish ${fromS} ${i}`,
    user: 500 + (i % users),
    toxicity: 0.9,
    kind: "insult",
    ...more,
  }));
}

/** The same (or nearly the same) from accounts that never wrote here. */
export function newcomers(
  atS: number,
  count: number,
  seconds: number,
  text: (i: number) => string,
  more: Partial<Written> = {},
  login: (i: number) => string = (i) => `n${i}`,
): Written[] {
  return Array.from({ length: count }, (_, i) => ({
    atS: atS + (i * seconds) / count,
    text: text(i),
    user: 9000 + i,
    ...more,
    more: { firstMessage: true, login: login(i), ...more.more },
  }));
}

export const lineOf = ({ atS, text, user, more }: Written, i: number): ChatLine => ({
  id: `l${i}`,
  channelId: CHANNEL,
  sentAtMs: T + Math.round(atS * 1000),
  userId: String(user),
  login: `u${user}`,
  text,
  ...more,
});

/** What the task says of a pack. */
export function scoresOf(
  pack: readonly { line: ChatLine; written: Written }[],
  sequence: number,
  why: string | null = null,
): ToxicityScores {
  const lines = pack.filter(({ line }) => isPeoplesLine(line));
  return {
    id: `${CHANNEL}:tox:${sequence}`,
    channelId: CHANNEL,
    fromMs: lines[0]!.line.sentAtMs,
    toMs: lines.at(-1)!.line.sentAtMs,
    lines: lines.length,
    unknown: why === null ? 0 : lines.length,
    why,
    languages: why === null ? { en: lines.length } : {},
    flagged:
      why !== null
        ? []
        : lines
            .filter(({ written }) => (written.toxicity ?? 0) >= FLAGGED_FROM)
            .map(({ line, written }) => scoreOf(line, written)),
    model: "test@1",
  };
}

function scoreOf(line: ChatLine, written: Written): LineScore {
  const toxicity = written.toxicity ?? 0;
  return {
    lineId: line.id,
    channelId: CHANNEL,
    sentAtMs: line.sentAtMs,
    userId: line.userId,
    login: line.login,
    name: line.name ?? line.login,
    text: line.text,
    class: written.kind ?? "insult",
    confidence: toxicity,
    ...{ toxicity, severity: 0.5, action: toxicity, scores: [toxicity, 0, 0, 0, 0, 0, 0], span: null },
    ...{ language: "en", authorLines: 1, copies: 1, gameTerm: false, model: "test@1" },
    near: fnv1a(line.text),
    firstMessage: line.firstMessage ?? false,
    replyTo: line.replyTo ?? "",
  };
}

export interface Played {
  readonly outputs: FoldOutput[];
  readonly run: Run;
}

export interface PlayOptions {
  readonly others?: readonly { atS: number; input: FoldInput }[];
  /** The states go through their bytes after these seconds. */
  readonly reloadS?: ReadonlySet<number>;
  /** Scores come so many seconds after their pack; null: never. */
  readonly late?: (atS: number) => number | null;
  /** Why the lines of this time are unknown; null: they are scored. */
  readonly why?: (atS: number) => string | null;
  /** The source hears nothing from … to. */
  readonly deafS?: readonly [number, number];
  /** Scores are said twice. */
  readonly twice?: boolean;
}

/** Plays lines (packed by 100 ms) and their scores through the folds, with an alive mark each second until `untilS`. */
export function play(
  folds: readonly Fold[],
  written: readonly Written[],
  untilS: number,
  options: PlayOptions = {},
): Played {
  const run = runOf(folds, CHANNEL);
  const outputs: FoldOutput[] = [];
  const packs = new Map<number, { line: ChatLine; written: Written }[]>();
  for (const [i, one] of written.toSorted((a, b) => a.atS - b.atS).entries()) {
    const tenth = Math.floor(one.atS * 10 + 1e-6);
    packs.set(tenth, [...(packs.get(tenth) ?? []), { line: lineOf(one, i), written: one }]);
  }
  let sequence = 0;
  const events: { atS: number; input: FoldInput }[] = [...(options.others ?? [])];
  for (const [tenth, pack] of packs) {
    const atS = tenth / 10;
    events.push({ atS, input: { type: "lines", lines: pack.map(({ line }) => line), emoteSet: "set" } });
    const late = options.late?.(atS) ?? (options.late === undefined ? 0 : null);
    if (late === null || !pack.some(({ line }) => isPeoplesLine(line))) continue;
    const scores = scoresOf(pack, ++sequence, options.why?.(atS) ?? null);
    for (let times = options.twice === true ? 2 : 1; times > 0; times--)
      events.push({ atS: atS + 0.05 + late, input: { type: "toxicity", scores } });
  }
  const [deafFromS, deafUntilS] = options.deafS ?? [Infinity, Infinity];
  for (let s = 0; s <= untilS; s++)
    if (s < deafFromS || s >= deafUntilS)
      events.push({ atS: s + 0.099, input: { type: "alive", atMs: T + s * 1000 } });
  let reloadS = 0;
  for (const { atS, input } of events.toSorted((a, b) => a.atS - b.atS)) {
    outputs.push(...run.step(input));
    for (; reloadS < atS; reloadS++) if (options.reloadS?.has(reloadS) === true) run.reload();
  }
  return { outputs, run };
}
