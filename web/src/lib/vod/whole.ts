import type { Completeness } from "@hypecast/contracts/vod.ts";

type Hole = Completeness["holes"][number];

/** What the badge says of a chat: the worst that is true. */
export type Whole =
  | { kind: "unknown" }
  | { kind: "complete"; share: number }
  | { kind: "gaps"; count: number; share: number }
  | { kind: "removed"; share: number }
  /** Whole or not: at least so much of it is. */
  | { kind: "capped"; lengthS: number; share: number }
  | { kind: "head" | "tail"; lengthS: number; share: number };

/** A missing beginning or end that is shorter is a slow start, not a hole. */
const LONG_ENOUGH_S = 60;

const lengthOf = (holes: readonly Hole[], kind: Hole["kind"]): number =>
  holes.reduce((sum, hole) => (hole.kind === kind ? sum + hole.toS - hole.fromS : sum), 0);

export function wholeOf(of: Completeness | null): Whole {
  if (of === null) return { kind: "unknown" };
  const { share, holes } = of;
  const head = lengthOf(holes, "head_missing");
  const tail = lengthOf(holes, "tail_missing");
  if (head >= LONG_ENOUGH_S && head >= tail) return { kind: "head", lengthS: head, share };
  if (tail >= LONG_ENOUGH_S) return { kind: "tail", lengthS: tail, share };
  const capped = lengthOf(holes, "capped");
  const count = holes.filter(({ kind }) => kind === "gap").length;
  if (capped > 0 && capped >= lengthOf(holes, "gap")) return { kind: "capped", lengthS: capped, share };
  if (count > 0) return { kind: "gaps", count, share };
  if (share < 0.99 && holes.some(({ kind }) => kind === "removed_users")) return { kind: "removed", share };
  return { kind: "complete", share };
}
