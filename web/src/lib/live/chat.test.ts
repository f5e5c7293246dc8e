import { expect, test } from "vitest";
import type { ChatLine, ChatModeration } from "@hypecast/contracts/chat.ts";
import type { ChatColumn } from "@hypecast/contracts/push.ts";
import { CHAT_ROWS, HiddenMinute, pieces, withColumn } from "./chat.ts";

const line = (id: string, userId = "u", sentAtMs = 1): ChatLine => ({
  id,
  channelId: "1",
  sentAtMs,
  userId,
  login: userId,
  text: id,
});
const column = (lines: ChatLine[], moderation: Partial<ChatModeration>[] = []): ChatColumn => ({
  lines,
  notices: [],
  moderation: moderation.map((action, i) => ({
    id: String(i),
    channelId: "1",
    sentAtMs: 10,
    action: "delete",
    ...action,
  })),
  hidden: { tooFast: 0, repeats: 0, bots: 0 },
});
const keys = (rows: ReturnType<typeof withColumn>): string[] => rows.map(({ key }) => key);

test("emotes are found by code points, also behind an emoji of two units", () => {
  expect(pieces({ text: "😀 KEKW ok", emotes: [["7tv:1", "KEKW", 2, 5]] })).toEqual([
    { text: "😀 " },
    { ref: "7tv:1", name: "KEKW" },
    { text: " ok" },
  ]);
});

test("a position that lies about its line is shown as the text it is", () => {
  expect(pieces({ text: "hi", emotes: [["7tv:1", "KEKW", 0, 9]] })).toEqual([{ text: "hi" }]);
  expect(
    pieces({
      text: "abcd",
      emotes: [
        ["a:1", "x", 0, 2],
        ["a:2", "y", 1, 3],
      ],
    }),
  ).toEqual([{ ref: "a:1", name: "x" }, { text: "d" }]);
});

test("a deleted line vanishes, a timed-out chatter's earlier lines too, and a cleared chat is empty", () => {
  const rows = withColumn([], column([line("a", "anna"), line("b", "boris"), line("c", "anna", 20)]));
  expect(keys(withColumn(rows, column([], [{ action: "delete", targetMessageId: "b" }])))).toEqual([
    "a",
    "c",
  ]);
  expect(keys(withColumn(rows, column([], [{ action: "timeout", targetUserId: "anna" }])))).toEqual([
    "b",
    "c",
  ]);
  expect(keys(withColumn(rows, column([], [{ action: "clear", sentAtMs: 30 }])))).toEqual([]);
});

test("lines that a replay repeats stand once, and the oldest are let go", () => {
  const rows = withColumn(withColumn([], column([line("a")])), column([line("a"), line("b")]));
  expect(keys(rows)).toEqual(["a", "b"]);
  const many = withColumn(rows, column(Array.from({ length: CHAT_ROWS }, (_, i) => line(`n${i}`))));
  expect(many).toHaveLength(CHAT_ROWS);
  expect(keys(many)).not.toContain("a");
});

test("what was shown and hidden is counted over one minute", () => {
  const minute = new HiddenMinute();
  minute.add(0, { ...column([line("a")]), hidden: { tooFast: 5, repeats: 1, bots: 0 } });
  minute.add(50_000, { ...column([line("b"), line("c")]), hidden: { tooFast: 2, repeats: 0, bots: 3 } });
  expect(minute.sum(55_000)).toEqual({ shown: 3, tooFast: 7, repeats: 1, bots: 3 });
  expect(minute.sum(61_000)).toEqual({ shown: 2, tooFast: 2, repeats: 0, bots: 3 });
});
