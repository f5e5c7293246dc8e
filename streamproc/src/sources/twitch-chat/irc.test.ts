import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseIrc, tagsOf, unescapeTag, type IrcMessage } from "./irc.ts";
import { LINE_BYTES, splitLines } from "./lines.ts";

const parsed = (line: string): IrcMessage => {
  const message = parseIrc(line);
  if (message === null) throw new Error(`not read: ${line}`);
  return message;
};

const TAGS =
  "@badge-info=subscriber/12;badges=moderator/1,subscriber/12;bits=100;client-nonce=c0ffee;color=#1E90FF;display-name=Lumi;" +
  "emotes=25:0-4;first-msg=1;flags=;id=b34ccfc7-4977-403a-8a94-33c6bac34fb8;mod=1;msg-id=highlighted-message;" +
  "reply-parent-msg-id=parent-1;reply-thread-parent-msg-id=thread-1;returning-chatter=1;room-id=1337;" +
  "source-id=src-1;source-room-id=4242;tmi-sent-ts=1760000000123;user-id=55;user-type=mod";

test("every tag that a later part needs is read", () => {
  expect(parsed(`${TAGS} :lumi!lumi@lumi.tmi.twitch.tv PRIVMSG #room :Kappa hello`)).toEqual({
    command: "PRIVMSG",
    channel: "room",
    nick: "lumi",
    text: "Kappa hello",
    action: false,
    tags: TAGS.slice(1),
    id: "b34ccfc7-4977-403a-8a94-33c6bac34fb8",
    roomId: "1337",
    userId: "55",
    sentAtMs: 1_760_000_000_123,
    displayName: "Lumi",
    color: "#1E90FF",
    badges: "moderator/1,subscriber/12",
    badgeInfo: "subscriber/12",
    emotes: "25:0-4",
    bits: 100,
    firstMessage: true,
    returning: true,
    replyTo: "parent-1",
    replyThread: "thread-1",
    sourceRoomId: "4242",
    sourceId: "src-1",
    nonce: "c0ffee",
    msgId: "highlighted-message",
  });
});

test("a tag is known by its whole name, in any order, not by its length or its beginning", () => {
  const message = parsed("@uuid=9;ids=1;Id=2;colos=#000000;xid=3;id=right;id2=4 :a!a@a PRIVMSG #c :x");
  expect(message.id).toBe("right");
  expect(message.color).toBe("");
});

test("a tag without a value, or without =, hides none of those after it", () => {
  const message = parsed("@flags;badges=;;=;id=7;user-id=8 :a!a@a PRIVMSG #c :x");
  expect([message.badges, message.id, message.userId]).toEqual(["", "7", "8"]);
});

test.each([
  ["1", "1"],
  ["0", "0"],
  ["true", "true"],
])("an id of %s stays text (tmi.js makes a boolean of it)", (id, text) => {
  expect(parsed(`@room-id=${id};user-id=${id} :a!a@a PRIVMSG #c :x`).roomId).toBe(text);
});

test.each([
  ["a\\sb", "a b"],
  ["\\:", ";"],
  ["\\\\s", "\\s"],
  ["\\r\\n", "\r\n"],
  ["\\x", "x"],
  ["end\\", "end"],
  ["plain", "plain"],
])("tag value %j is unescaped to %j", (escaped, value) => {
  expect(unescapeTag(escaped)).toBe(value);
  expect(parsed(`@display-name=${escaped} :a!a@a PRIVMSG #c :x`).displayName).toBe(value);
});

test.each([
  ["\u0001ACTION dances\u0001", true, "dances"],
  ["\u0001ACTION never ends", true, "never ends"],
  ["\u0001ACTION\u0001", false, "\u0001ACTION\u0001"],
  ["ACTION movie", false, "ACTION movie"],
])("%j is an action: %s", (text, action, inside) => {
  const message = parsed(`:a!a@a PRIVMSG #c :${text}`);
  expect([message.action, message.text]).toEqual([action, inside]);
});

test.each([
  ["tmi-sent-ts=abc", 0],
  ["tmi-sent-ts=-5", 0],
  ["tmi-sent-ts=99999999999999999999", 0],
  ["tmi-sent-ts=17600000000001.5", 0],
  ["tmi-sent-ts=1760000000000", 1_760_000_000_000],
])("%s is read as %d", (tag, ms) => {
  expect(parsed(`@${tag} :a!a@a PRIVMSG #c :x`).sentAtMs).toBe(ms);
});

test.each([
  [":tmi.twitch.tv 001 nick :Welcome, GLHF!", { command: "001", channel: "", text: "Welcome, GLHF!" }],
  ["PING :tmi.twitch.tv", { command: "PING", text: "tmi.twitch.tv" }],
  ["@msg-id=x :tmi.twitch.tv NOTICE #c", { command: "NOTICE", channel: "c", text: "", msgId: "x" }],
  [
    ":tmi.twitch.tv NOTICE * :Login authentication failed",
    { channel: "", text: "Login authentication failed" },
  ],
  [":tmi.twitch.tv RECONNECT", { command: "RECONNECT", nick: "tmi.twitch.tv" }],
  ["   :a!b@c   PRIVMSG   #c   no-colon", { nick: "a", channel: "c", text: "no-colon" }],
  [":a!b@c PRIVMSG #c ::) two colons : here", { text: ":) two colons : here" }],
  [":a!b@c PRIVMSG #c :", { text: "" }],
  [":n!n@n 353 n = #c :one two", { channel: "c", text: "one two" }],
])("%s", (line, expected) => {
  expect(parsed(line)).toMatchObject(expected);
});

test.each(["", " ", ":", "@", "@ ", "@ :", "@id=1", ":prefix-only", "@a=b :p "])(
  "%j has no command and is not read",
  (line) => {
    expect(parseIrc(line)).toBeNull();
  },
);

test("a line reads the same where it stands among others as alone", () => {
  const before = `${TAGS} :x!x@x PRIVMSG #other :before\n`;
  const line = `${TAGS} :lumi!lumi@l PRIVMSG #room :Kappa hello`;
  for (const after of ["", "\n@id=zz;emotes=1:0-1 :y!y@y PRIVMSG #later :after", ";!# : more"]) {
    const text = before + line + after;
    expect(parseIrc(text, before.length, before.length + line.length)).toEqual(parseIrc(line));
  }
  // Nothing of the next line may be taken for the end of a short one.
  for (const short of ["@id=1", ":p", "PING", "@id=1 :p", "@id=1;color :p CMD"])
    expect(parseIrc(`${short}\n@a=b :q!q@q PRIVMSG #c :x`, 0, short.length)).toEqual(parseIrc(short));
});

test("all tags can be had by name", () => {
  const tags = tagsOf(parsed("@msg-param-name=a\\sb;flag;id=1;id=2 :t USERNOTICE #c"));
  expect([...tags]).toEqual([
    ["msg-param-name", "a b"],
    ["flag", ""],
    ["id", "2"],
  ]);
});

test("nothing that can be sent makes it throw", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "@",
      ":",
      " ",
      ";",
      "=",
      "\\",
      "#",
      "!",
      "\u0001ACTION ",
      "PRIVMSG",
      "id",
      "emotes",
      "tmi-sent-ts",
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const message = parseIrc(pieces.join(""));
      if (message !== null) tagsOf(message);
    }),
  );
});

const linesOf = (...chunks: (string | Buffer)[]): { lines: string[]; tooLong: number } => {
  const splitter = splitLines();
  const lines: string[] = [];
  for (const chunk of chunks)
    splitter.push(Buffer.from(chunk as string), (text, from, to) => lines.push(text.slice(from, to)));
  return { lines, tooLong: splitter.tooLong };
};

test("lines come out whole however the bytes are cut", () => {
  const text = "первая 😂 line\r\nsecond\nthird 👩‍🚀\r\n";
  const bytes = Buffer.from(text);
  for (let a = 0; a <= bytes.length; a++)
    for (const b of [a, Math.min(a + 1, bytes.length), bytes.length]) {
      const { lines } = linesOf(bytes.subarray(0, a), bytes.subarray(a, b), bytes.subarray(b));
      expect(lines).toEqual(["первая 😂 line", "second", "third 👩‍🚀"]);
    }
});

test("broken UTF-8 becomes replacement characters, and the next line is whole", () => {
  const broken = Buffer.concat([
    Buffer.from("a"),
    Buffer.from([0xc3, 0x28, 0xff, 0xed, 0xa0, 0x80]),
    Buffer.from("\nnext\n"),
  ]);
  const { lines } = linesOf(broken);
  expect(lines[0]).toMatch(/^a\uFFFD\(\uFFFD+$/);
  expect(lines[1]).toBe("next");
});

test("a line may have 64 KB; a longer one is thrown away whole, in one chunk or many, and counted", () => {
  const longest = "x".repeat(LINE_BYTES);
  expect(linesOf(`${longest}\nnext\n`)).toEqual({ lines: [longest, "next"], tooLong: 0 });
  expect(linesOf(`${longest}y\nnext\n`)).toEqual({ lines: ["next"], tooLong: 1 });
  const chunks = Array.from({ length: 100 }, () => "z".repeat(4096));
  expect(linesOf(...chunks, "end\nnext\n", "more\n")).toEqual({ lines: ["next", "more"], tooLong: 1 });
  expect(linesOf(...chunks, "end\n")).toEqual({ lines: [], tooLong: 1 });
});
