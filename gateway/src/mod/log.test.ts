import { expect, test } from "vitest";
import { OPERATOR, type JournalAct, type OpenEntry } from "@hypecast/contracts/journal.ts";
import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import { csvLine, ndjsonLine, rowsOf, type LoggedOpen, type LogRow } from "./log.ts";

const AT_MS = 1_795_650_000_000;
const entry = (act: JournalAct, more: Partial<OpenEntry> = {}): OpenEntry => ({
  ...{ form: 1, number: 1, channelId: "9", id: `entry ${act}`, atMs: AT_MS, by: OPERATOR, act },
  ...{ caseId: "9:case:l1", of: null, target: "t", durationS: 0, reason: "", score: -1, class: "", count: 1 },
  ...{ detail: {}, hash: "0".repeat(64), erased: false },
  private: { userId: "77", login: "veter", lineIds: ["l1", "l2"], text: "you", words: "" },
  ...more,
});
const logged = (one: OpenEntry, outcome = "done", more: Partial<LoggedOpen> = {}): LoggedOpen => ({
  ...{ entry: one, outcome, why: "", outcomeAtMs: AT_MS, undoneBy: null, comments: [], before: false },
  ...more,
});
const event = (action: ModEvent["action"], more: Partial<ModEvent> = {}): ModEvent => ({
  ...{ id: `event ${action}`, channelId: "9", atMs: AT_MS + 800, action, heardBy: "eventsub" },
  ...{ moderatorId: "1", moderatorLogin: "ana", targetUserId: "77", targetLogin: "veter" },
  ...{
    targetMessageId: "",
    text: "",
    reason: "",
    durationS: 0,
    detail: {},
    sourceChannelId: "",
    messageId: "",
  },
  ...more,
});
const ids = (entries: LoggedOpen[], events: ModEvent[]): string[] =>
  rowsOf(entries, events).map(({ id }) => id);

test.each<[string, LoggedOpen[], ModEvent[], string[]]>([
  ["what Twitch tells of our ban is our ban", [logged(entry("ban"))], [event("ban")], ["entry ban"]],
  [
    "what was only recommended somebody else has done",
    [logged(entry("ban"), "recommended")],
    [event("ban")],
    ["event ban", "entry ban"],
  ],
  [
    "a ban of somebody else is another one",
    [logged(entry("ban"))],
    [event("ban", { targetUserId: "78" })],
    ["event ban", "entry ban"],
  ],
  [
    "so is one of long afterwards",
    [logged(entry("ban"))],
    [event("ban", { atMs: AT_MS + 3_600_000 })],
    ["event ban", "entry ban"],
  ],
  [
    "a deletion is known by its line",
    [logged(entry("delete"))],
    [event("delete", { targetMessageId: "l2" }), event("delete", { id: "other", targetMessageId: "l9" })],
    ["other", "entry delete"],
  ],
  ["taking back is heard as unban", [logged(entry("undo"))], [event("untimeout")], ["entry undo"]],
  [
    "an entry of an older page knows its echo and has no row",
    [logged(entry("ban"), "done", { before: true })],
    [event("ban")],
    [],
  ],
  ["what follows an entry has no row", [logged(entry("sending")), logged(entry("comment"))], [], []],
])("%s", (_name, entries, events, rows) => {
  expect(ids(entries, events)).toEqual(rows);
});

test("a row says who, whom, what became of it, and who was a bot", () => {
  const [ours, nightbot] = rowsOf(
    [logged(entry("ban", { atMs: AT_MS + 5000 }), "refused", { why: "gone" })],
    [event("delete", { moderatorLogin: "nightbot" })],
  );
  expect(ours).toMatchObject({
    source: "us",
    by: "operator",
    whom: "veter",
    lineId: "l1",
    outcome: "refused: gone",
  });
  expect(nightbot).toMatchObject({ source: "bot", by: "nightbot", whomId: "77" });
  const [undone] = rowsOf([logged(entry("ban"), "done", { undoneBy: "u" })], []);
  expect(undone?.outcome).toBe("undone");
  const [erased] = rowsOf([logged(entry("ban", { private: null, erased: true }))], []);
  expect(erased).toMatchObject({ whom: "", text: "", erased: true });
});

test.each(["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "  =1", "\u200b=1", "＝1", "\r=1"])(
  "a spreadsheet shows %j and does not run it",
  (text) => {
    const [row] = rowsOf([logged(entry("ban", { reason: text }))], []) as [LogRow];
    expect(csvLine(row)).toContain(`"'${text}"`);
  },
);

test("a line of a file is one line, whatever it says", () => {
  const [row] = rowsOf([logged(entry("ban", { reason: 'a "b", c\nd' }))], []) as [LogRow];
  expect(csvLine(row)).toContain('"a ""b"", c\nd"');
  expect(csvLine(row).endsWith("\r\n")).toBe(true);
  expect(ndjsonLine(row).trimEnd()).not.toContain("\n");
});
