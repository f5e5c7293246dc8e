import { expect, test } from "vitest";
import type { Completeness } from "@hypecast/contracts/vod.ts";
import { wholeOf } from "./whole.ts";

const hole = (
  kind: Completeness["holes"][number]["kind"],
  fromS: number,
  toS: number,
): Completeness["holes"][number] => ({ kind, fromS, toS, lines: 0 });

test("the badge says the worst that is true of a chat", () => {
  const cases: [Completeness | null, ReturnType<typeof wholeOf>][] = [
    [null, { kind: "unknown" }],
    [
      { share: 1, holes: [] },
      { kind: "complete", share: 1 },
    ],
    [
      { share: 0.94, holes: [hole("gap", 10, 70), hole("gap", 200, 300)] },
      { kind: "gaps", count: 2, share: 0.94 },
    ],
    [
      { share: 0.91, holes: [hole("capped", 0, 720), hole("gap", 800, 805)] },
      { kind: "capped", lengthS: 720, share: 0.91 },
    ],
    [
      { share: 0.7, holes: [hole("head_missing", 0, 840), hole("gap", 900, 905)] },
      { kind: "head", lengthS: 840, share: 0.7 },
    ],
    [
      { share: 0.8, holes: [hole("tail_missing", 3000, 3600)] },
      { kind: "tail", lengthS: 600, share: 0.8 },
    ],
    // A chat that wakes half a minute into the stream has its head.
    [
      { share: 0.998, holes: [hole("head_missing", 0, 30)] },
      { kind: "complete", share: 0.998 },
    ],
    [
      { share: 0.97, holes: [hole("removed_users", 0, 100)] },
      { kind: "removed", share: 0.97 },
    ],
  ];
  for (const [of, said] of cases) expect(wholeOf(of)).toEqual(said);
});
