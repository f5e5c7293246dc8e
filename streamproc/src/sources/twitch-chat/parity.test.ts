import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parse as parseTmiChat } from "@tmi.js/irc-parser";
import { describe, expect, test } from "vitest";
import { chatLineOf } from "./chat.ts";
import { parseIrc, tagsOf, unescapeTag, type IrcMessage } from "./irc.ts";

// tmi.js has no types of its own.
const tmiParser = createRequire(import.meta.url)("tmi.js/lib/parser.js") as {
  msg(line: string): { command: string; params: string[]; tags: Record<string, string | true> } | null;
};

// Real captures are not part of the project. Without them these tests are skipped; irc.test.ts has lines of our own.
const data = join(import.meta.dirname, "../../../../../shared/data/chat-irc");
const missing = !existsSync(data);
const why = missing ? ` (skipped: ${data} is missing)` : "";

function captures(): string[] {
  if (missing) return [];
  const recent = JSON.parse(
    readFileSync(join(data, "chatterino-benchmark/recentmessages-nymn.json"), "utf8"),
  ) as { messages: string[] };
  const raw = gunzipSync(readFileSync(join(data, "xqcow-2019-09-15.irc.txt.gz"))).toString("utf8");
  return [
    ...raw.split(/\r?\n/).filter((line) => line !== ""),
    ...recent.messages,
    ...snapshots().flatMap((one) => one.lines),
  ];
}

interface Snapshot {
  name: string;
  lines: string[];
  output: ChatterinoMessage[];
}
interface ChatterinoMessage {
  id: string;
  channelName: string;
  displayName: string;
  localizedName: string;
  loginName: string;
  messageText: string;
  serverReceivedTime: string;
  timeoutUser: string;
  twitchBadgeInfos: Record<string, string>;
  twitchBadges: string[];
  userID: string;
  usernameColor: string;
  flags: string;
  elements: { type: string; emote?: { name: string; images: Record<string, string> } }[];
}

function snapshots(): Snapshot[] {
  const folder = join(data, "chatterino-snapshots/IrcMessageHandler");
  if (missing) return [];
  return readdirSync(folder).map((file) => {
    const snapshot = JSON.parse(readFileSync(join(folder, file), "utf8")) as {
      input: string;
      output: ChatterinoMessage[];
      params?: { prevMessages?: string[] };
    };
    return {
      name: file.replace(".json", ""),
      lines: [...(snapshot.params?.prevMessages ?? []), snapshot.input],
      output: snapshot.output,
    };
  });
}

const ours = (line: string): IrcMessage => {
  const message = parseIrc(line);
  if (message === null) throw new Error(`not read: ${line}`);
  return message;
};
const isAction = (text: string): boolean => text.startsWith("\u0001ACTION ");
const insideAction = (text: string): string => (isAction(text) ? text.slice(8).replace(/.$/, "") : text);
const fields = (message: IrcMessage): Record<string, string> => ({
  id: message.id,
  "room-id": message.roomId,
  "user-id": message.userId,
  "tmi-sent-ts": message.sentAtMs === 0 ? "" : String(message.sentAtMs),
  "display-name": message.displayName,
  color: message.color,
  badges: message.badges,
  "badge-info": message.badgeInfo,
  emotes: message.emotes,
  bits: message.bits === 0 ? "" : String(message.bits),
  "first-msg": message.firstMessage ? "1" : "",
  "returning-chatter": message.returning ? "1" : "",
  "reply-parent-msg-id": message.replyTo,
  "reply-thread-parent-msg-id": message.replyThread,
  "source-room-id": message.sourceRoomId,
  "source-id": message.sourceId,
  "client-nonce": message.nonce,
  "msg-id": message.msgId,
});
/** @tmi.js/chat cuts a value at the = that it may well have. */
const beforeEquals = (value: string): string => value.replace(/=.*$/s, "");
/** A flag that is 0 and one that is not there mean the same to us. */
const flag = (key: string, value: string): string =>
  (key === "first-msg" || key === "returning-chatter" || key === "bits") && value === "0" ? "" : value;

describe.skipIf(missing)(`every line of the raw captures${why}`, () => {
  const lines = captures();

  test("there are thousands", () => {
    expect(lines.length).toBeGreaterThan(5_800);
  });

  test("reads as in @tmi.js/chat's parser: command, channel, sender, text and all tags", () => {
    for (const line of lines) {
      const message = ours(line);
      const theirs = parseTmiChat(line);
      expect(message.command, line).toBe(theirs.command);
      expect(message.channel, line).toBe(theirs.channel.replace("#", ""));
      expect(message.nick, line).toBe(theirs.prefix.nick ?? theirs.prefix.host ?? "");
      const said = theirs.params.at(-1) ?? "";
      // It loses the last letter of a text that does not begin with a colon.
      const cut = !line.replace(/^(?:@\S* )?(?::\S* )?/, "").includes(" :") && theirs.params.length > 0;
      const text = cut ? said + line.slice(-1) : said;
      expect(message.text, line).toBe(insideAction(text));
      expect(message.action, line).toBe(isAction(text));
      for (const [key, value] of Object.entries(fields(message)))
        expect(beforeEquals(value), `${key} of ${line}`).toBe(flag(key, theirs.rawTags[key] ?? ""));
      if (message.tags !== "")
        expect(
          Object.fromEntries(
            [...tagsOf(message)].flatMap(([key, value]) => (key === "" ? [] : [[key, beforeEquals(value)]])),
          ),
          line,
        ).toEqual(
          Object.fromEntries(
            Object.entries(theirs.rawTags).flatMap(([key, value]) =>
              key === "" ? [] : [[key, value ?? ""]],
            ),
          ),
        );
    }
  });

  test("reads as in tmi.js: command, parameters, and every tag before tmi.js coerces it", () => {
    for (const line of lines) {
      const message = ours(line);
      const theirs = tmiParser.msg(line);
      if (theirs === null) throw new Error(`tmi.js does not read ${line}`);
      expect(message.command, line).toBe(theirs.command);
      expect(message.channel, line).toBe((theirs.params[0] ?? "").replace("#", ""));
      expect(message.text, line).toBe(insideAction(theirs.params[1] ?? ""));
      const raw = [...tagsOf(message).keys()];
      expect(raw.toSorted(), line).toEqual(Object.keys(theirs.tags).toSorted());
      for (const key of [
        "id",
        "room-id",
        "user-id",
        "color",
        "emotes",
        "badges",
        "badge-info",
        "tmi-sent-ts",
      ]) {
        const value = theirs.tags[key];
        const text = value === true || value === undefined ? "" : unescapeTag(value);
        expect(fields(message)[key], `${key} of ${line}`).toBe(text);
      }
    }
  });
});

/**
 * What Chatterino shows and the line does not say, by what is compared; all other facts of these snapshots are held. Not compared at
 * all: its sentences (system messages, 20 of 109 snapshots have nothing else), emoji, cheermotes, images and links.
 */
const NOT_COMPARABLE: Record<"text" | "channel" | "color" | "emotes", readonly string[]> = {
  // Ignored words are replaced; a reply to somebody blocked keeps its mention.
  text: ["ignore-block2", "ignore-infinite", "ignore-replace", "reply-ignore", "reply-blocked-user"],
  // Its tests put every line into one channel.
  channel: ["social-media-badge1"],
  // The person has chosen another color for this user.
  color: ["sub-message-user-color-override"],
  // It draws the emote that a reward names outside of the text.
  emotes: ["reward-bits"],
};

describe.skipIf(missing)(`Chatterino's own reading of its snapshots${why}`, () => {
  const compared = snapshots().flatMap((snapshot) =>
    snapshot.output.flatMap((theirs) => {
      // System messages ("x has subscribed") are Chatterino's sentences; they have no id.
      const line = snapshot.lines.find((one) => theirs.id !== "" && parseIrc(one)?.id === theirs.id);
      return line === undefined ? [] : [{ name: snapshot.name, line, theirs }];
    }),
  );

  test("most snapshots have a message to compare", () => {
    expect(new Set(compared.map((one) => one.name)).size).toBeGreaterThanOrEqual(75);
  });

  test.each(compared)("$name", ({ name, line, theirs }) => {
    const message = ours(line);
    const read = chatLineOf(message, {
      channelId: message.roomId,
      sentAtMs: message.sentAtMs,
      receivedAtMs: null,
      emotes: new Map(),
    });
    if (!NOT_COMPARABLE.channel.includes(name)) expect(message.channel).toBe(theirs.channelName);
    expect(message.userId).toBe(theirs.userID);
    if (message.command === "PRIVMSG") expect(message.nick).toBe(theirs.loginName);
    if (!NOT_COMPARABLE.text.includes(name)) expect(withoutMention(message)).toBe(theirs.messageText.trim());
    // A name in another script: Chatterino keeps it apart and shows the login beside it.
    expect([theirs.displayName, theirs.localizedName]).toContain(message.displayName.trim());
    // Chatterino lists each badge once, and leaves out a badge of a shared chat's own room.
    const badges = message.badges
      .split(",")
      .flatMap((badge) => (/^[^/]+\/[^/]+$/.test(badge) ? [badge.split("/")[0]] : []));
    if (!theirs.flags.includes("SharedMessage")) expect([...new Set(badges)]).toEqual(theirs.twitchBadges);
    for (const [badge, value] of Object.entries(theirs.twitchBadgeInfos))
      expect(message.badgeInfo).toContain(`${badge}/${unescapeTag(value)}`);
    if (!NOT_COMPARABLE.color.includes(name)) expectColor(theirs.usernameColor, message.color);
    expect(message.action).toBe(theirs.flags.split("|").includes("Action"));
    expect(message.firstMessage).toBe(theirs.flags.split("|").includes("FirstMessage"));
    // Of a line out of a history it takes the time at which that service had it.
    const receivedAtMs = Number(tagsOf(message).get("rm-received-ts") ?? message.sentAtMs);
    if (receivedAtMs > 0)
      expect(Math.floor(receivedAtMs / 1000)).toBe(Date.parse(theirs.serverReceivedTime) / 1000);
    const shown = theirs.elements.flatMap(({ type, emote }) => {
      const id = /emoticons\/v2\/([^/]+)\//.exec(emote?.images["1x"] ?? "")?.[1];
      return type === "EmoteElement" && emote !== undefined && id !== undefined
        ? [[`twitch:${id}`, emote.name]]
        : [];
    });
    const annotated = (read?.emotes ?? []).map(([ref, emote]) => [ref, emote]);
    if (!NOT_COMPARABLE.emotes.includes(name)) expect(annotated).toEqual(shown);
  });
});

/** Of a reply Chatterino cuts off the mention that Twitch puts in front. */
const withoutMention = ({ replyTo, text }: IrcMessage): string =>
  (replyTo === "" ? text : text.replace(/^@\S+\s+/, "")).trim();

/** Chatterino goes through HSL, which may move a channel by one; a missing color it chooses. */
function expectColor(theirs: string, ours: string): void {
  if (ours === "") return;
  for (const at of [0, 2, 4]) {
    const difference = parseInt(theirs.slice(3 + at, 5 + at), 16) - parseInt(ours.slice(1 + at, 3 + at), 16);
    expect(Math.abs(difference), `${theirs} and ${ours}`).toBeLessThanOrEqual(1);
  }
}
