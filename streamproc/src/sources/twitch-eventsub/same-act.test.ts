import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import { expect, test } from "vitest";
import { sameActs, WAIT_MS } from "./same-act.ts";

type Untold = Omit<ModEvent, "id">;
const act = (more: Partial<Untold>): Untold => ({
  channelId: "1",
  atMs: 1_000_000,
  action: "ban",
  heardBy: "eventsub",
  moderatorId: "",
  moderatorLogin: "",
  targetUserId: "66",
  targetLogin: "lee",
  targetMessageId: "",
  text: "",
  reason: "",
  durationS: 0,
  detail: {},
  sourceChannelId: "",
  messageId: "",
  ...more,
});

test.each([
  ["the same ban by two subscriptions", {}, { atMs: 1_000_700 }],
  ["over the border of a second", { atMs: 1_000_999 }, { atMs: 1_001_001 }],
  [
    "a timeout whose end both tell alike",
    { action: "timeout", durationS: 60 },
    { action: "timeout", durationS: 61, atMs: 999_300 },
  ],
  ["an untimeout, which another subscription calls an unban", { action: "untimeout" }, { action: "unban" }],
  [
    "a deletion, whenever it is told",
    { action: "delete", targetMessageId: "m" },
    { action: "delete", targetMessageId: "m", atMs: 1_060_000 },
  ],
] as const)("%s counts once", (_what, first, second) => {
  const acts = sameActs();
  expect(acts.take(act(first), false, 0)).not.toBeNull();
  expect(acts.take(act(second), false, 10)).toBeNull();
});

test.each([
  ["another user", {}, { targetUserId: "67" }],
  ["another channel", {}, { channelId: "2" }],
  ["another room of a shared chat", {}, { sourceChannelId: "2" }],
  ["the same user half a minute later", {}, { atMs: 1_030_000 }],
  [
    "a timeout made longer at once",
    { action: "timeout", durationS: 60 },
    { action: "timeout", durationS: 600 },
  ],
  ["a ban after a timeout", { action: "timeout", durationS: 60 }, { action: "ban" }],
  [
    "AutoMod's second thought",
    { action: "automod_update", detail: { status: "approved" } },
    { action: "automod_update", detail: { status: "expired" } },
  ],
] as const)("%s is another act", (_what, first, second) => {
  const acts = sameActs();
  const [one, two] = [acts.take(act(first), false, 0), acts.take(act(second), false, 10)];
  expect(one).not.toBeNull();
  expect(two).not.toBeNull();
  expect(one?.id).not.toBe(two?.id);
});

test("who says by whom goes on, whether it comes before the other or after", () => {
  const rich = act({ action: "delete", targetMessageId: "m", moderatorLogin: "milo", text: "rude" });
  const poor = act({ action: "delete", targetMessageId: "m" });
  const first = sameActs();
  expect(first.take(poor, true, 0)).toBeNull();
  expect(first.take(rich, false, 20)).toMatchObject({ moderatorLogin: "milo", text: "rude" });
  expect(first.due(WAIT_MS + 1)).toEqual([]);
  const second = sameActs();
  expect(second.take(rich, false, 0)).not.toBeNull();
  expect(second.take(poor, true, 20)).toBeNull();
  expect(second.due(WAIT_MS + 21)).toEqual([]);
});

test("what nobody makes richer is told as it is, after a moment", () => {
  const acts = sameActs();
  expect(acts.take(act({ action: "clear", targetUserId: "" }), true, 0)).toBeNull();
  expect(acts.due(WAIT_MS - 1)).toEqual([]);
  expect(acts.due(WAIT_MS)).toMatchObject([{ action: "clear" }]);
  expect(acts.due(WAIT_MS * 2)).toEqual([]);
});

test("lines cleared with a ban are no timeout of their own", () => {
  const cleared = act({ action: "timeout", detail: { untold: "ban_or_timeout" }, atMs: 1_000_200 });
  const before = sameActs();
  expect(before.take(cleared, true, 0)).toBeNull();
  expect(before.take(act({}), false, 10)).not.toBeNull();
  expect(before.due(WAIT_MS)).toEqual([]);
  const after = sameActs();
  expect(after.take(act({}), false, 0)).not.toBeNull();
  expect(after.take(cleared, true, 10)).toBeNull();
  expect(after.due(WAIT_MS + 10)).toEqual([]);
});

test("two processes that hear the same second of the same act write the same id", () => {
  const one = sameActs().take(act({ atMs: 1_000_100, messageId: "a" }), false, 0);
  const two = sameActs().take(act({ atMs: 1_000_800, messageId: "b" }), false, 0);
  expect(one?.id).toBe(two?.id);
});

test("what waits and what is remembered stays bounded", () => {
  const acts = sameActs();
  let told = 0;
  for (let i = 0; i < 3_000; i++)
    if (acts.take(act({ action: "delete", targetMessageId: `m${i}` }), true, 0) !== null) told++;
  expect(acts.waiting()).toBeLessThanOrEqual(1_000);
  expect(told + acts.waiting()).toBe(3_000);
});
