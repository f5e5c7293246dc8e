import { describe, expect, test } from "vitest";
import { createDesk, DETAIL, waits, type Desk, type DeskEntry } from "./desk.ts";
import { OPERATOR, SYSTEM, type JournalAct, type Person } from "./journal.ts";

const ANA: Person = { kind: "twitch", userId: "1", login: "ana" };
const BEN: Person = { kind: "twitch", userId: "2", login: "ben" };
const CASE = "9:case:l1";

let number = 0;
const entry = (id: string, act: JournalAct, more: Partial<DeskEntry> = {}): DeskEntry => ({
  id,
  number: ++number,
  atMs: 1000 * number,
  by: ANA,
  act,
  caseId: CASE,
  of: null,
  durationS: 0,
  detail: {},
  ...more,
});
const came = (of: string, act: JournalAct, said?: string): DeskEntry =>
  entry(`${act}:${of}`, act, { of, by: SYSTEM, detail: said === undefined ? {} : { [DETAIL.said]: said } });
const deskOf = (...entries: DeskEntry[]): Desk => {
  const desk = createDesk();
  for (const one of entries) desk.take(one);
  return desk;
};
const undo = (of: string, by = ANA): DeskEntry => entry(`undo-${of}`, "undo", { of, by });
const held = { [DETAIL.held]: "m1" };

describe("what a case stands at", () => {
  const ban = (): DeskEntry => entry("a", "ban");
  const part = (id: string): DeskEntry => entry(id, "ban", { of: "a" });
  test.each<[string, DeskEntry[], Partial<ReturnType<Desk["caseDesk"]>>]>([
    ["nothing was said", [], { status: "open", entryId: null, by: null }],
    ["asked", [ban()], { status: "asked", entryId: "a", act: "ban", by: "ana" }],
    ["in hand", [ban(), came("a", "sending")], { status: "asked" }],
    ["done", [ban(), came("a", "sending"), came("a", "done")], { status: "done", why: null }],
    ["refused", [ban(), came("a", "refused", "user is gone")], { status: "refused", why: "user is gone" }],
    ["recommended", [ban(), came("a", "recommended")], { status: "recommended" }],
    ["doubtful", [ban(), came("a", "sending"), came("a", "doubtful")], { status: "doubtful" }],
    ["a doubt cleared up", [ban(), came("a", "doubtful"), came("a", "done")], { status: "done" }],
    ["what has ended stays ended", [ban(), came("a", "done"), came("a", "refused")], { status: "done" }],
    ["a false positive", [entry("a", "false_positive")], { status: "false_positive" }],
    ["a phrase that is allowed", [entry("a", "allow_phrase")], { status: "false_positive" }],
    ["approved, which Twitch need not know", [entry("a", "approve")], { status: "approved" }],
    ["approved while AutoMod holds it", [entry("a", "approve", { detail: held })], { status: "asked" }],
    [
      "approved, and AutoMod let it go",
      [entry("a", "approve", { detail: held }), came("a", "done")],
      { status: "approved" },
    ],
    ["the newest decides", [ban(), came("a", "done"), entry("b", "false_positive")], { entryId: "b" }],
    [
      "undone: what stood before",
      [entry("a", "delete"), came("a", "done"), entry("b", "ban"), came("b", "done"), undo("b")],
      { status: "done", entryId: "a", act: "delete" },
    ],
    ["undone before it was sent", [ban(), undo("a")], { status: "open", entryId: null, act: null }],
    [
      "undone, and what cannot be taken back is said",
      [ban(), came("a", "done"), undo("a"), came("undo-a", "done", "it stays deleted")],
      { status: "open", why: "it stays deleted" },
    ],
    ["undone by somebody else", [ban(), came("a", "done"), undo("a", BEN)], { status: "open" }],
    [
      "undone, which Twitch refuses",
      [ban(), came("a", "done"), undo("a"), came("undo-a", "refused", "no longer a moderator")],
      { status: "refused", why: "it could not be undone: no longer a moderator", entryId: "a" },
    ],
    ["part of it in hand", [ban(), part("b"), came("a", "done")], { status: "asked", entryId: "a" }],
    ["all parts done", [ban(), part("b"), came("a", "done"), came("b", "done")], { status: "done" }],
    [
      "one part refused",
      [ban(), part("b"), part("c"), came("a", "done"), came("b", "refused", "gone"), came("c", "done")],
      { status: "refused", why: "1 of 3: gone" },
    ],
    ["all parts undone", [ban(), part("b"), undo("a"), undo("b")], { status: "open" }],
    ["one part undone", [ban(), part("b"), came("b", "done"), undo("a")], { status: "done", entryId: "a" }],
    ["a note decides nothing", [entry("a", "note")], { status: "open", notes: 1 }],
    ["a note taken back", [entry("a", "note"), undo("a")], { notes: 0 }],
    [
      "each person has seen it or not",
      [
        entry("a", "review"),
        entry("b", "review", { by: BEN }),
        entry("c", "unreview"),
        entry("d", "review", { by: OPERATOR }),
      ],
      { status: "open", reviewedBy: ["2", "operator"] },
    ],
    ["an end without its beginning", [came("x", "done")], { status: "open" }],
    ["an undo of what is not known", [undo("x")], { status: "open" }],
  ])("%s", (_name, entries, desk) => {
    expect(deskOf(...entries).caseDesk(CASE)).toMatchObject(desk);
  });

  test("another case is another", () => {
    expect(deskOf(entry("a", "ban")).caseDesk("9:case:l2").status).toBe("open");
  });
});

test("who waits for a person: what nobody decided, and what Twitch has not done", () => {
  const statuses = [
    "open",
    "refused",
    "doubtful",
    "asked",
    "done",
    "recommended",
    "approved",
    "false_positive",
  ] as const;
  expect(statuses.filter((status) => waits({ status }))).toEqual(["open", "refused", "doubtful"]);
});

test("what is still to be sent, oldest first, but not what was taken back in time", () => {
  const desk = deskOf(
    entry("a", "ban"),
    entry("b", "timeout"),
    entry("n", "note"),
    entry("p", "approve"),
    entry("s", "slow", { caseId: null }),
    came("a", "sending"),
  );
  expect(desk.pending().map(({ entry: { id }, outcome }) => [id, outcome])).toEqual([
    ["a", "sending"],
    ["b", null],
    ["s", null],
  ]);
  desk.take(undo("b"));
  desk.take(came("a", "done"));
  expect(desk.pending().map(({ entry: { id } }) => id)).toEqual(["s", "undo-b"]);
  expect(desk.act("b")).toMatchObject({ outcome: null, undoneBy: "undo-b" });
  desk.take(came("undo-b", "done"));
  expect(desk.act("undo-b")?.outcome).toBe("done");
  // Taking back a note is nothing for Twitch.
  desk.take(undo("n"));
  expect(desk.pending().map(({ entry: { id } }) => id)).toEqual(["s"]);
});

test("an act that was sent twice says how often", () => {
  const desk = deskOf(entry("a", "ban"), came("a", "sending"), came("a", "sending"));
  expect(desk.act("a")).toMatchObject({ attempts: 2, outcome: "sending", sentAtMs: number * 1000 });
});

test("a spike is snoozed for so long, woken, resolved with words, and each is undone", () => {
  const about = { caseId: null, detail: { [DETAIL.spike]: "s" } };
  const desk = deskOf(entry("z", "snooze", { ...about, durationS: 900 }));
  expect(desk.spike("s")).toEqual({ snoozedUntilMs: number * 1000 + 900_000, resolved: null });
  desk.take(entry("w", "snooze", about));
  expect(desk.spike("s").snoozedUntilMs).toBeNull();
  const words = { ...about.detail, [DETAIL.words]: "talked to them" };
  expect(desk.take(entry("r", "resolve", { ...about, detail: words }))).toEqual({
    caseId: null,
    spikeId: "s",
  });
  expect(desk.spike("s").resolved).toBe("talked to them");
  desk.take(entry("u", "undo", { caseId: null, of: "r" }));
  expect(desk.spike("s")).toEqual({ snoozedUntilMs: null, resolved: null });
});

test("an outcome touches the case of its act, and so does the outcome of taking it back", () => {
  const desk = deskOf(entry("a", "ban"));
  const nowhere = { caseId: null };
  expect(desk.take({ ...came("a", "done"), ...nowhere }).caseId).toBe(CASE);
  expect(desk.take({ ...undo("a"), ...nowhere }).caseId).toBe(CASE);
  expect(desk.take({ ...came("undo-a", "done"), ...nowhere }).caseId).toBe(CASE);
});

test("the entries of one act are found from any of them", () => {
  const desk = deskOf(entry("a", "ban"), entry("b", "ban", { of: "a" }), entry("c", "ban", { of: "a" }));
  for (const id of ["a", "b", "c"]) expect(desk.groupOf(id)).toEqual(["a", "b", "c"]);
  expect(desk.groupOf("x")).toEqual(["x"]);
});
