import { describe, expect, test } from "vitest";
import type { OpenEntry } from "./journal.ts";
import type { ModEvent } from "./mod-event.ts";
import { logRows, type OpenedEntry } from "./mod-log.ts";

const T = 1_700_000_000_000;
const own = (over: Partial<OpenEntry>, more: Partial<OpenedEntry> = {}): OpenedEntry => ({
  entry: {
    ...{ form: 1, number: 1, channelId: "7", id: "e1", atMs: T, act: "timeout", caseId: "c", of: null },
    by: { kind: "twitch", userId: "m", login: "mo" },
    ...{ target: "t", durationS: 600, reason: "insult", score: 0.9, class: "insult", count: 1, detail: {} },
    ...{ hash: "0".repeat(64), erased: false },
    private: { userId: "5", login: "five", lineIds: ["l1", "l2"], text: "bad words", words: "" },
    ...over,
  },
  ...{ outcome: "done", why: "", outcomeAtMs: T + 300, undoneBy: null, comments: [], before: false },
  ...more,
});
const told = (over: Partial<ModEvent>): ModEvent => ({
  ...{ id: "v1", channelId: "7", atMs: T + 400, action: "timeout", heardBy: "eventsub", moderatorId: "m" },
  ...{ moderatorLogin: "mo", targetUserId: "5", targetLogin: "five", targetMessageId: "", text: "" },
  ...{ reason: "insult", durationS: 600, detail: {}, sourceChannelId: "", messageId: "" },
  ...over,
});

describe("an act of ours and Twitch's word on it", () => {
  test.each<[string, OpenedEntry, ModEvent[], string[]]>([
    ["are one row, ours", own({}), [told({})], ["e1"]],
    [
      "are one row after a long wait for Twitch",
      own({}, { outcomeAtMs: T + 40_000 }),
      [told({ atMs: T + 40_100 })],
      ["e1"],
    ],
    ["are two when it is about somebody else", own({}), [told({ targetUserId: "6" })], ["v1", "e1"]],
    ["are two when it is another length", own({}), [told({ durationS: 60 })], ["v1", "e1"]],
    ["are two when Twitch refused ours", own({}, { outcome: "refused" }), [told({})], ["v1", "e1"]],
    ["are two when it came long before", own({}), [told({ atMs: T - 60_000 })], ["e1", "v1"]],
    [
      "is one, another of the same is not",
      own({}),
      [told({}), told({ id: "v2", atMs: T + 5000 })],
      ["v2", "e1"],
    ],
    [
      "is one a line where lines were deleted",
      own({ act: "delete" }),
      [
        told({ id: "v1", action: "delete", targetMessageId: "l1" }),
        told({ id: "v2", action: "delete", targetMessageId: "l2" }),
        told({ id: "v3", action: "delete", targetMessageId: "l3" }),
      ],
      ["v3", "e1"],
    ],
    [
      "is known by time when its chatter was erased",
      own({ private: null, erased: true }),
      [told({})],
      ["e1"],
    ],
    ["is no row when ours stands on the next page", own({}, { before: true }), [told({})], []],
    [
      "is one for the channel's settings",
      own({ act: "slow", private: null, target: null }),
      [told({ action: "slow", targetUserId: "", durationS: 30 })],
      ["e1"],
    ],
    [
      "is one for what AutoMod held",
      own({ act: "approve", detail: { held: "h" } }),
      [told({ action: "automod_update", targetMessageId: "h", atMs: T + 900_000 })],
      ["e1"],
    ],
  ])("%s", (_name, entry, events, ids) => {
    expect(logRows([entry], events).map(({ id }) => id)).toEqual(ids);
  });
});

test("twelve timeouts of one moment and their twelve echoes are twelve rows", () => {
  const users = Array.from({ length: 12 }, (_, i) => `u${i}`);
  const entries = users.map((userId, i) =>
    own({ id: `e${i}`, private: { userId, login: userId, lineIds: [], text: "", words: "" } }),
  );
  const events = users.toReversed().map((userId, i) => told({ id: `v${i}`, targetUserId: userId }));
  expect(logRows(entries, events).map(({ source }) => source)).toEqual(users.map(() => "us"));
});

test("a row says what became of it, who did it, and what it was about", () => {
  const [row] = logRows([own({ act: "note", outcome: "" } as Partial<OpenEntry>, { outcome: "" })], []);
  expect(row).toMatchObject({ by: "mo", whom: "five", text: "bad words", outcome: "", lineId: "l1" });
  expect(logRows([own({}, { undoneBy: "e2", why: "" })], [])[0]!.outcome).toBe("done undone");
  expect(logRows([own({}, { outcome: "refused", why: "user is a moderator" })], [])[0]!.outcome).toBe(
    "refused (user is a moderator)",
  );
  expect(logRows([], [told({ action: "automod_hold", moderatorLogin: "" })])[0]).toMatchObject({
    source: "bot",
    by: "AutoMod",
  });
  expect(logRows([], [told({ moderatorLogin: "nightbot" })])[0]!.source).toBe("bot");
});
