import type { ChatLine } from "@hypecast/contracts/chat.ts";
import {
  FLAGGED_FROM,
  type Language,
  type LineScore,
  type ToxicityScores,
} from "@hypecast/contracts/toxicity.ts";

/** People's lines of one message of the log. */
export interface Pack {
  readonly partition: number;
  readonly sequence: number;
  readonly channelId: string;
  readonly storedAtMs: number;
  readonly lines: readonly ChatLine[];
}

const headOf = ({ channelId, sequence, lines }: Pack) => {
  let [fromMs, toMs] = [lines[0]!.sentAtMs, lines[0]!.sentAtMs];
  for (const { sentAtMs } of lines) if (sentAtMs > toMs) toMs = sentAtMs;
  return { id: `${channelId}:tox:${sequence}`, channelId, fromMs, toMs, lines: lines.length };
};

/** What is said of a pack whose lines were scored. */
export function scoresOf(pack: Pack, scores: readonly LineScore[], model: string): ToxicityScores {
  const languages: Partial<Record<Language, number>> = {};
  for (const { language } of scores) languages[language] = (languages[language] ?? 0) + 1;
  const flagged = scores.filter(({ toxicity }) => toxicity >= FLAGGED_FROM);
  return { ...headOf(pack), unknown: 0, why: null, languages, flagged, model };
}

/** … and of one whose lines were not: neither toxic nor clean. */
export const unknownOf = (pack: Pack, why: string): ToxicityScores => ({
  ...headOf(pack),
  unknown: pack.lines.length,
  why,
  languages: {},
  flagged: [],
  model: "none",
});

/** A message that the log takes: where too many lines are flagged for one, the least toxic of them are unknown, by name. */
export function bounded(scores: ToxicityScores, mostBytes: number): ToxicityScores {
  const sizes = scores.flagged.map((line) => Buffer.byteLength(JSON.stringify(line)) + 1);
  let bytes = sizes.reduce((sum, size) => sum + size, 0);
  if (bytes <= mostBytes) return scores;
  const byToxicity = [...scores.flagged.keys()].toSorted(
    (a, b) => scores.flagged[a]!.toxicity - scores.flagged[b]!.toxicity,
  );
  const gone = new Set<number>();
  for (const i of byToxicity) {
    if (bytes <= mostBytes) break;
    gone.add(i);
    bytes -= sizes[i]!;
  }
  return {
    ...scores,
    unknown: scores.unknown + gone.size,
    why: "too_many",
    flagged: scores.flagged.filter((_line, i) => !gone.has(i)),
  };
}
