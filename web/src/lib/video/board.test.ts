import { describe, expect, test } from "vitest";
import { LONGEST_CLIP_MS, SHORTEST_CLIP_MS } from "@hypecast/contracts/clip-words.ts";
import type { Moment, MomentDecision } from "@hypecast/contracts/moment.ts";
import {
  leastScoreFor,
  listed,
  nudged,
  withDecision,
  withMoment,
  type Board,
  type Candidate,
} from "./board.ts";

const moment = (more: Partial<Moment> = {}): Moment => ({
  id: "1:m:1000",
  channelId: "1",
  state: "open",
  version: 1,
  kind: "funny",
  origin: "chat",
  startMs: 10_000,
  endMs: 40_000,
  onsetMs: 15_000,
  peakMs: 20_000,
  chatOnsetMs: 19_000,
  lagMs: 4000,
  lagErrorMs: 1000,
  lagLearned: true,
  startSnap: null,
  endSnap: null,
  score: 80,
  subject: "",
  reasons: {},
  senses: { chat: "ok", picture: "ok", sound: "ok", model: "ok" },
  marks: [],
  detectedAtMs: 22_000,
  ...more,
});
const decision = (more: Partial<MomentDecision> = {}): MomentDecision => ({
  momentId: "1:m:1000",
  channelId: "1",
  login: "a",
  verdict: null,
  startMs: null,
  endMs: null,
  by: "me",
  atMs: 1,
  ...more,
});
const empty: Board = new Map();
const only = (board: Board): Candidate | undefined => [...board.values()][0];
const ends = (board: Board): unknown => [only(board)?.startMs, only(board)?.endMs];

describe("versions", () => {
  test("a later version moves the ends, an earlier one that comes late does not", () => {
    let board = withMoment(empty, moment({ version: 2, startMs: 9000 }));
    board = withMoment(board, moment({ version: 3, startMs: 8000 }));
    board = withMoment(board, moment({ version: 1, startMs: 1 }));
    expect(ends(board)).toEqual([8000, 40_000]);
  });

  test("what a person has moved stays where it was put, whatever the machine finds later", () => {
    let board = withMoment(empty, moment());
    board = withDecision(board, "1:m:1000", decision({ startMs: 12_345, endMs: 33_333 }));
    board = withMoment(board, moment({ version: 2, startMs: 1, endMs: 2, score: 95, state: "final" }));
    expect(ends(board)).toEqual([12_345, 33_333]);
    expect(only(board)).toMatchObject({ edited: true, moment: { score: 95 } });
  });

  test("a withdrawn moment goes; one that a person keeps stays and says so; letting go of it lets it go", () => {
    expect(withMoment(withMoment(empty, moment()), moment({ version: 2, state: "withdrawn" })).size).toBe(0);
    let board = withDecision(withMoment(empty, moment()), "1:m:1000", decision({ verdict: "kept" }));
    board = withMoment(board, moment({ version: 2, state: "withdrawn" }));
    expect(only(board)).toMatchObject({ withdrawn: true, startMs: 10_000 });
    expect(withDecision(board, "1:m:1000", null).size).toBe(0);
  });
});

test("an older word of a person than the known one is late; taking it back gives the machine's ends again", () => {
  let board = withMoment(empty, moment());
  board = withDecision(board, "1:m:1000", decision({ atMs: 5, startMs: 11_000 }));
  board = withDecision(board, "1:m:1000", decision({ atMs: 4, startMs: 12_000 }));
  expect(ends(board)).toEqual([11_000, 40_000]);
  expect(ends(withDecision(board, "1:m:1000", null))).toEqual([10_000, 40_000]);
});

test("the list is newest first; sensitivity hides the weak, never what a person marked, kept or edited", () => {
  let board: Board = empty;
  for (const [id, score, peakMs] of [
    ["a", 90, 1],
    ["b", 40, 2],
    ["c", 30, 3],
    ["d", 20, 4],
    ["e", 95, 5],
  ] as const)
    board = withMoment(board, moment({ id, score, peakMs, ...(id === "d" ? { origin: "mark" } : {}) }));
  board = withDecision(board, "c", decision({ momentId: "c", endMs: 9 }));
  board = withDecision(board, "e", decision({ momentId: "e", verdict: "discarded" }));
  const { shown, below, discarded } = listed(board, 50);
  expect(shown.map(({ moment: { id } }) => id)).toEqual(["d", "c", "a"]);
  expect([below, discarded]).toEqual([1, 1]);
  expect(listed(board, leastScoreFor(100)).below).toBe(0);
});

describe("moving an end", () => {
  const span = { startMs: 10_000, endMs: 40_000 };
  const kept = { startMs: 8000, endMs: 42_000 };
  test.each([
    ["start", -1000, { startMs: 9000, endMs: 40_000 }],
    ["start", -5000, { startMs: 8000, endMs: 40_000 }],
    ["start", 60_000, { startMs: 40_000 - SHORTEST_CLIP_MS, endMs: 40_000 }],
    ["end", 5000, { startMs: 10_000, endMs: 42_000 }],
    ["end", -90_000, { startMs: 10_000, endMs: 10_000 + SHORTEST_CLIP_MS }],
  ] as const)("%s by %i ms", (end, by, want) => {
    expect(nudged(span, end, by, kept)).toEqual(want);
  });
  test("no clip grows longer than clips may be", () => {
    const long = nudged(span, "end", 10 * LONGEST_CLIP_MS, null);
    expect(long.endMs - long.startMs).toBe(LONGEST_CLIP_MS);
  });
});
