import type { ChatModeration } from "@hypecast/contracts/chat.ts";
import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import { expect, test } from "vitest";
import { openRemovals, WAIT_FOR_CHAT_MS } from "./removals.ts";

const event = (more: Partial<ModEvent>): ModEvent => ({
  id: "e",
  channelId: "1",
  atMs: 1_000_000,
  action: "timeout",
  heardBy: "eventsub",
  moderatorId: "5",
  moderatorLogin: "milo",
  targetUserId: "66",
  targetLogin: "lee",
  targetMessageId: "",
  text: "",
  reason: "",
  durationS: 60,
  detail: {},
  sourceChannelId: "",
  messageId: "",
  ...more,
});
const chat: ChatModeration = {
  id: "c",
  channelId: "1",
  sentAtMs: 1_000_150,
  action: "timeout",
  targetUserId: "66",
  durationS: 60,
};

test("chat tells a removal as a rule, before EventSub or just after", () => {
  const before = openRemovals();
  expect(before.byChat(chat, 0)).toBe(true);
  before.byEventSub(event({}), 40);
  expect(before.due(1_000)).toEqual([]);
  const after = openRemovals();
  after.byEventSub(event({}), 0);
  expect(after.byChat(chat, 40)).toBe(true);
  expect(after.due(1_000)).toEqual([]);
});

test("where chat is silent EventSub's word removes, within a third of a second, and chat's late one counts no more", () => {
  const removals = openRemovals();
  removals.byEventSub(event({}), 0);
  expect(removals.due(WAIT_FOR_CHAT_MS - 1)).toEqual([]);
  expect(removals.due(WAIT_FOR_CHAT_MS)).toMatchObject([
    { action: "timeout", channelId: "1", sentAtMs: 1_000_000, targetUserId: "66", durationS: 60 },
  ]);
  expect(removals.byChat(chat, WAIT_FOR_CHAT_MS + 200)).toBe(false);
  expect(removals.byChat({ ...chat, sentAtMs: 1_060_000 }, 60_000)).toBe(true);
});

test.each([
  [
    "a deletion",
    { action: "delete", targetMessageId: "m", text: "rude" },
    { action: "delete", targetMessageId: "m", text: "rude" },
  ],
  ["a ban", { action: "ban", durationS: 0 }, { action: "ban", targetUserId: "66" }],
  ["a cleared chat", { action: "clear", targetUserId: "" }, { action: "clear" }],
] as const)("%s removes what it names", (_what, more, removed) => {
  const removals = openRemovals();
  removals.byEventSub(event(more), 0);
  expect(removals.due(1_000)).toMatchObject([removed]);
});

test.each([
  ["a warning", { action: "warn" }],
  ["what was done in another room of a shared chat", { sourceChannelId: "2" }],
  ["a lifted timeout", { action: "untimeout" }],
] as const)("%s removes nothing here", (_what, more) => {
  const removals = openRemovals();
  removals.byEventSub(event(more), 0);
  expect(removals.due(1_000)).toEqual([]);
});

test("a room's state is no removal", () => {
  expect(openRemovals().byChat({ ...chat, action: "room_state" }, 0)).toBe(true);
});
