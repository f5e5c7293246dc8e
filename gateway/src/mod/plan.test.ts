import { expect, test } from "vitest";
import { caseAct } from "@hypecast/contracts/api-mod.ts";
import { OPERATOR, type Person } from "@hypecast/contracts/journal.ts";
import type { CaseLine } from "@hypecast/contracts/mod-case.ts";
import { draftsOf, entryId, wrongInAct, wrongInMeasure } from "./plan.ts";
import { caseOf } from "./testing.ts";

const ANA: Person = { kind: "twitch", userId: "1", login: "ana" };
const line = (lineId: string, userId: string, removedAtMs: number | null = null): CaseLine => ({
  ...{ lineId, userId, login: `user_${userId}`, name: "", text: `text of ${lineId}`, sentAtMs: 1 },
  ...{ toxicity: 0.9, span: null, removedAtMs },
});
const COPIES = caseOf("9", "a", {
  ...{ kind: "copies", userId: "x", lineId: "b", count: 40, users: 3 },
  lines: [line("a", "y"), line("b", "x"), line("c", "x", 5), line("d", "z", 5)],
});
const act = (name: string, more: object = {}) =>
  caseAct.parse({ key: "key-00001", act: name, caseIds: [COPIES.id], ...more });
const said = (name: string, more: object = {}) =>
  draftsOf(act(name, more), COPIES, ANA).map((draft) => [
    draft.private?.userId,
    draft.private?.lineIds,
    draft.of !== null,
  ]);

test.each<[string, unknown[]]>([
  // The worst line's author leads.
  [
    "ban",
    [
      ["x", ["b", "c"], false],
      ["y", ["a"], true],
      ["z", ["d"], true],
    ],
  ],
  // What is gone already is not deleted again.
  [
    "delete",
    [
      ["x", ["b"], false],
      ["y", ["a"], true],
    ],
  ],
  ["approve", [["x", ["b"], false]]],
  // That somebody has looked says nothing of a chatter.
  ["review", [[undefined, undefined, false]]],
])("%s of near-copies is these entries", (name, entries) => {
  expect(said(name)).toEqual(entries);
});

test("of a case whose lines are all gone the lines are named all the same", () => {
  const gone = { ...COPIES, lines: COPIES.lines.map((one) => ({ ...one, removedAtMs: 5 })) };
  expect(draftsOf(act("delete"), gone, ANA)).toHaveLength(3);
  expect(draftsOf(act("ban"), { ...COPIES, lines: [] }, ANA)).toMatchObject([
    { private: { userId: "x", lineIds: ["b"] } },
  ]);
});

test("an entry says what the model thought, for how long, and what AutoMod holds", () => {
  const [lead] = draftsOf(act("timeout"), { ...COPIES, heldId: "m1" }, ANA);
  expect(lead).toMatchObject({
    durationS: 600,
    score: 0.93,
    class: "insult",
    count: 2,
    detail: { held: "m1" },
  });
  expect(draftsOf(act("ban", { durationS: 5 }), COPIES, ANA)[0].durationS).toBe(0);
  expect(draftsOf(act("false_positive"), COPIES, ANA)[0].count).toBe(40);
});

test("an id is one person's, of one key, about one thing", () => {
  const ids = [
    entryId("key-00001", ANA, "case"),
    entryId("key-00001", OPERATOR, "case"),
    entryId("key-00002", ANA, "case"),
    entryId("key-00001", ANA, "case", "x"),
  ];
  expect(new Set(ids).size).toBe(4);
  expect(entryId("key-00001", ANA, "case")).toBe(ids[0]);
});

test.each([
  ["a note without words", { act: "note", words: " \n" }, "words:"],
  ["a warning without a reason", { act: "warn", words: "" }, "reason:"],
  ["a phrase of no words", { act: "allow_phrase", words: "" }, "words:"],
  ["a phrase that the folds would not read", { act: "allow_phrase", words: "x".repeat(201) }, "words:"],
] as const)("%s is refused", (_what, act, said) =>
  expect(wrongInAct({ reason: "", ...act })).toContain(said),
);

test("slow mode is what Twitch takes, and a spike is named", () => {
  const slow = (durationS: number) => wrongInMeasure({ act: "slow", durationS, spikeId: null });
  expect([0, 3, 120].map(slow)).toEqual([null, null, null]);
  expect([1, 121, 999_999].every((durationS) => slow(durationS)?.startsWith("durationS:"))).toBe(true);
  expect(wrongInMeasure({ act: "snooze", durationS: 60, spikeId: null })).toContain("spikeId");
});
