import { expect, test } from "vitest";
import type { OpenEntry } from "@hypecast/contracts/journal.ts";
import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import { earlierActs, notesOf } from "./history.ts";

const entry = (id: string, more: Partial<OpenEntry>): OpenEntry =>
  ({
    id,
    atMs: 1000,
    by: { kind: "twitch", userId: "7", login: "ana" },
    of: null,
    durationS: 0,
    reason: "",
    ...more,
  }) as OpenEntry;
const event = (id: string, more: Partial<ModEvent>): ModEvent =>
  ({ id, atMs: 1000, moderatorId: "8", moderatorLogin: "bo", durationS: 0, reason: "", ...more }) as ModEvent;

test("an act that the journal and Twitch both tell is told once, by whom it was done here", () => {
  const acts = earlierActs(
    {
      entries: [entry("a", { act: "timeout", durationS: 600 }), entry("b", { act: "sending" })],
      events: [
        event("t", { action: "timeout", atMs: 4000 }),
        event("w", { action: "warn", atMs: 90_000 }),
        event("m", { action: "mod" }),
      ],
    },
    "7",
  );
  expect(acts.map(({ id, by, mine, source }) => [id, by, mine, source])).toEqual([
    ["w", "bo", false, "twitch"],
    ["a", "ana", true, "us"],
  ]);
});

test("a note that was taken back is not shown", () => {
  const words = (text: string): OpenEntry["private"] => ({
    userId: "1",
    login: "x",
    lineIds: [],
    text: "",
    words: text,
  });
  const notes = notesOf(
    {
      entries: [
        entry("n1", { act: "note", private: words("old"), atMs: 1 }),
        entry("n2", { act: "note", private: words("new"), atMs: 2 }),
        entry("n3", { act: "note", private: words("wrong") }),
        entry("u", { act: "undo", of: "n3" }),
      ],
    },
    "8",
  );
  expect(notes.map(({ words, mine }) => [words, mine])).toEqual([
    ["new", false],
    ["old", false],
  ]);
});
