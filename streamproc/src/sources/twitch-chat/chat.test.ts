import { chatLine, chatModeration, chatNotice } from "@hypecast/contracts/chat.ts";
import { expect, test } from "vitest";
import { chatLineOf, chatModerationOf, chatNoticeOf, fromAnotherRoom, type Heard } from "./chat.ts";
import { parseIrc, type IrcMessage } from "./irc.ts";
import { refusalOf } from "./notices.ts";

const read = (line: string): IrcMessage => {
  const message = parseIrc(line);
  if (message === null) throw new Error(`not read: ${line}`);
  return message;
};
const heard: Heard = {
  channelId: "1337",
  sentAtMs: 1_760_000_000_000,
  receivedAtMs: 1_760_000_000_050,
  emotes: new Map(),
};
const base = { channelId: "1337", sentAtMs: 1_760_000_000_000 };

test("a chat message becomes the row that everybody sees", () => {
  const line = chatLineOf(
    read(
      "@badge-info=subscriber/12;badges=vip/1;bits=5;client-nonce=n1;color=#1E90FF;display-name=Lumi;emotes=25:6-10;first-msg=1;" +
        "id=line-1;reply-parent-msg-id=p1;reply-thread-parent-msg-id=t1;returning-chatter=1;room-id=1337;tmi-sent-ts=1;user-id=55 " +
        ":lumi!lumi@l PRIVMSG #room :\u0001ACTION hello Kappa\u0001",
    ),
    heard,
  );
  expect(line).toEqual({
    ...base,
    id: "line-1",
    receivedAtMs: 1_760_000_000_050,
    userId: "55",
    login: "lumi",
    name: "Lumi",
    text: "hello Kappa",
    action: true,
    badges: "vip/1",
    badgeInfo: "subscriber/12",
    color: "#1E90FF",
    emotes: [["twitch:25", "Kappa", 6, 10]],
    bits: 5,
    firstMessage: true,
    returning: true,
    replyTo: "p1",
    replyThread: "t1",
    nonce: "n1",
  });
  expect(chatLine.safeParse(line).success).toBe(true);
});

test("what is absent is left out, so most lines have few fields", () => {
  const line = chatLineOf(read("@id=x;user-id=5;display-name=ann;room-id=1337 :ann!a@a PRIVMSG #room :hi"), {
    ...heard,
    receivedAtMs: null,
  });
  expect(line).toEqual({ ...base, id: "x", userId: "5", login: "ann", text: "hi" });
});

test.each([
  ["user-id=", "no user"],
  ["user-id=1/../2", "a path"],
  ["user-id=a.b", "a subject token"],
  [`user-id=${"9".repeat(65)}`, "too long"],
])("a line with %s (%s) is none", (tag) => {
  expect(chatLineOf(read(`@id=x;${tag} :a!a@a PRIVMSG #room :hi`), heard)).toBeNull();
});

test("forged values of other tags are left out, the line stays", () => {
  const line = chatLineOf(
    read(
      "@id=a\\sb.>;user-id=5;color=red;reply-parent-msg-id=*;client-nonce=\\s;emotes=25:0-99/x/:1-2/1902:3-1;source-id=. " +
        ":Evil.Name!a@a PRIVMSG #room :hi",
    ),
    { ...heard, receivedAtMs: null },
  );
  expect(line).toEqual({
    ...base,
    id: expect.stringMatching(/^[0-9a-f]{40}$/) as string,
    userId: "5",
    login: "5",
    text: "hi",
  });
});

test("a line without an id gets one from its content: the same again, another for another", () => {
  const id = (text: string): string | undefined =>
    chatLineOf(read(`@user-id=5;tmi-sent-ts=1 :a!a@a PRIVMSG #room :${text}`), heard)?.id;
  expect(id("hi")).toBe(id("hi"));
  expect(id("hi")).not.toBe(id("ho"));
});

test("shared chat: a line of another room is known as such, one of its own room is not", () => {
  expect(fromAnotherRoom(read("@room-id=1;source-room-id=2 :a!a@a PRIVMSG #c :x"))).toBe(true);
  expect(fromAnotherRoom(read("@room-id=1;source-room-id=1 :a!a@a PRIVMSG #c :x"))).toBe(false);
  expect(fromAnotherRoom(read("@room-id=1 :a!a@a PRIVMSG #c :x"))).toBe(false);
});

test("a raid becomes a notice with its viewers", () => {
  const notice = chatNoticeOf(
    read(
      "@display-name=Raider;id=n1;login=raider;msg-id=raid;msg-param-displayName=Raider;msg-param-viewerCount=150;room-id=1337;" +
        "system-msg=150\\sraiders\\shave\\sjoined!;user-id=9 :tmi.twitch.tv USERNOTICE #room",
    ),
    heard,
  );
  expect(notice).toEqual({
    ...base,
    id: "n1",
    kind: "raid",
    userId: "9",
    login: "raider",
    name: "Raider",
    systemText: "150 raiders have joined!",
    count: 150,
    params: { displayName: "Raider", viewerCount: "150" },
  });
  expect(chatNotice.schema.safeParse(notice).success).toBe(true);
});

test.each([
  ["msg-id=submysterygift;msg-param-mass-gift-count=20", 20],
  ["msg-id=subgift;msg-param-months=7", 1],
  ["msg-id=raid;msg-param-viewerCount=-1", 1],
  ["msg-id=raid;msg-param-viewerCount=many", 1],
])("%s counts as %d", (tags, count) => {
  expect(chatNoticeOf(read(`@${tags} :t USERNOTICE #room`), heard).count).toBe(count);
});

test("a resub keeps what the viewer wrote", () => {
  const notice = chatNoticeOf(
    read("@msg-id=resub;login=ann;user-id=5;id=1 :t USERNOTICE #room :a year!"),
    heard,
  );
  expect(notice).toMatchObject({ kind: "resub", login: "ann", text: "a year!" });
});

test.each([
  [
    "@ban-duration=600;target-user-id=5;tmi-sent-ts=1 :t CLEARCHAT #room :bad",
    { action: "timeout", targetUserId: "5", targetLogin: "bad", durationS: 600 },
  ],
  [
    "@target-user-id=5;tmi-sent-ts=1 :t CLEARCHAT #room :bad",
    { action: "ban", targetUserId: "5", targetLogin: "bad" },
  ],
  ["@tmi-sent-ts=1 :t CLEARCHAT #room", { action: "clear" }],
  [
    "@login=bad;target-msg-id=m1;tmi-sent-ts=1 :t CLEARMSG #room :gone",
    { action: "delete", targetMessageId: "m1", targetLogin: "bad", text: "gone" },
  ],
  [
    "@emote-only=1;slow=30;room-id=1337 :t ROOMSTATE #room",
    { action: "room_state", room: { "emote-only": "1", slow: "30" } },
  ],
])("%s", (line, expected) => {
  const moderation = chatModerationOf(read(line), heard);
  const { id, ...rest } = moderation ?? { id: "" };
  expect(rest).toEqual({ ...base, ...expected });
  expect(id).toMatch(/^[0-9a-f]{40}$/);
  expect(chatModeration.schema.safeParse(moderation).success).toBe(true);
});

test.each([
  [
    "@msg-id=msg_channel_suspended :t NOTICE #c :This channel does not exist or has been suspended.",
    "suspended",
  ],
  ["@msg-id=msg_banned :t NOTICE #c :You are permanently banned from talking in c.", "banned"],
  ["@msg-id=msg_room_not_found :t NOTICE #c :x", "not_found"],
  ["@msg-id=tos_ban :t NOTICE #c :x", "suspended"],
  ["@msg-id=slow_on :t NOTICE #c :This room is now in slow mode.", null],
  ["@msg-id=msg_banned :t NOTICE * :x", null],
  [":t NOTICE #c", null],
])("%s means %s", (line, state) => {
  expect(refusalOf(read(line))).toBe(state);
});
