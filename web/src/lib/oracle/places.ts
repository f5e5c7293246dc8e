import type { Place } from "@hypecast/contracts/api-vods.ts";
import { LONGEST_CLIP_MS, SHORTEST_CLIP_MS } from "@hypecast/contracts/clip-words.ts";
import type { Told } from "../vod/api.ts";
import type { Span } from "../video/span.ts";
import type { View } from "../video/view.ts";

/** Event time of the first second of the stream that a place is in. */
export const startOf = (place: Pick<Place, "atMs" | "atS">): number => place.atMs - place.atS * 1000;

/** A place or the nearest to one, as a numbered pin over the timeline. */
export interface Pin {
  rank: number;
  atMs: number;
  /** `near`: below the threshold, the nearest to what was not found. */
  kind: "hit" | "near";
  chosen: boolean;
}

/** Pins of an answer on one stream, the chosen one last so that it lies on top. */
export function pinsOf(
  answer: Pick<Told, "hits" | "nearest"> | null,
  stream: string,
  chosen: number | null,
): Pin[] {
  if (answer === null) return [];
  const pin = (kind: Pin["kind"]) => (place: Place) => ({
    rank: place.rank,
    atMs: place.atMs,
    kind,
    chosen: place.rank === chosen,
  });
  const here = ({ stream: of }: Place): boolean => of === stream;
  return [...answer.nearest.filter(here).map(pin("near")), ...answer.hits.filter(here).map(pin("hit"))].sort(
    (a, b) => Number(a.chosen) - Number(b.chosen) || b.rank - a.rank,
  );
}

/** Length of the lens. */
const LENS_MS = 120_000;

/** Two minutes around a span, inside the stream where that is known. A longer span makes a longer lens. */
export function lensAround(span: Span, whole: View | null): View {
  const length = Math.max(LENS_MS, (span.endMs - span.startMs) * 1.5);
  const centre = (span.startMs + span.endMs) / 2;
  const from = centre - length / 2;
  if (whole === null || whole.toMs - whole.fromMs <= length) return { fromMs: from, toMs: from + length };
  const fromMs = Math.min(Math.max(from, whole.fromMs), whole.toMs - length);
  return { fromMs, toMs: fromMs + length };
}

/** True when a span is so near to the edge of the lens that its handle can hardly be pulled further. */
export const leavesLens = (span: Span, lens: View): boolean => {
  const edge = (lens.toMs - lens.fromMs) * 0.03;
  return span.startMs < lens.fromMs + edge || span.endMs > lens.toMs - edge;
};

/** The span of a place, as short and as long as a clip may be. */
export function spanOf(place: Pick<Place, "startMs" | "endMs">): Span {
  const startMs = place.startMs;
  const length = Math.min(LONGEST_CLIP_MS, Math.max(SHORTEST_CLIP_MS, place.endMs - startMs));
  return { startMs, endMs: startMs + length };
}

/** The next hit that is not discarded, going round. */
export function nextRank(ranks: readonly number[], chosen: number | null, step: 1 | -1): number | null {
  if (ranks.length === 0) return null;
  const at = chosen === null ? (step === 1 ? -1 : 0) : ranks.indexOf(chosen);
  return ranks[(at + step + ranks.length) % ranks.length] ?? null;
}
