import { expect, test } from "vitest";
import { chatterHash, loginHash } from "./chatter.ts";
import { createList } from "./opt-outs.ts";
import { openSecret } from "./secret.ts";

const secret = openSecret({ HYPECAST_SECRET: "k".repeat(42) + "A", HYPECAST_DATA: "" });
const of = (userId: string, login: string, channelId: string) => ({
  target: chatterHash(secret, userId),
  loginTarget: loginHash(secret, login),
  channelId,
});

test("whoever opted out of a channel is left out there, and nowhere else", () => {
  const list = createList(secret);
  list.set([of("7", "ann", "100")]);
  expect(list.leavesOut("100", "7", "ann")).toBe(true);
  expect(list.leavesOut("200", "7", "ann")).toBe(false);
  expect(list.leavesOut("100", "8", "ben")).toBe(false);
});

test("everywhere is everywhere, also in files that know no ids, whatever the case of the name", () => {
  const list = createList(secret);
  list.set([of("7", "ann", "*")]);
  for (const [userId, login] of [
    ["7", ""],
    ["", "Ann"],
    ["file-3", "ann"],
  ] as const)
    expect(list.leavesOut("vod-abc-1", userId, login)).toBe(true);
});

test("an opt-out of the name everywhere and one of the person in a channel both hold", () => {
  const list = createList(secret);
  list.set([of("login ann", "ann", "*"), of("7", "ann_before", "100")]);
  expect(list.leavesOut("200", "7", "ann")).toBe(true);
  expect(list.leavesOut("200", "7", "")).toBe(false);
});

test("whoever comes back is read again, and an answer that was remembered is not believed any more", () => {
  const list = createList(secret);
  expect(list.leavesOut("100", "7", "ann")).toBe(false);
  list.set([of("7", "ann", "*")]);
  expect(list.leavesOut("100", "7", "ann")).toBe(true);
  list.set([]);
  expect(list.leavesOut("100", "7", "ann")).toBe(false);
});
