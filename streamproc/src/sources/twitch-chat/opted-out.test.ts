import { expect, test } from "vitest";
import { isOptedOut } from "./chat.ts";
import { parseIrc } from "./irc.ts";

const optOuts = {
  leavesOut: (channelId: string, userId: string, login: string) =>
    channelId === "1337" && (userId === "9" || login === "quiet"),
};
const isLeftOut = (raw: string, channelId = "1337"): boolean =>
  isOptedOut(parseIrc(raw)!, channelId, optOuts);

test.each([
  ["a line", "@id=x;user-id=9;tmi-sent-ts=1;room-id=1337 :quiet!q@q PRIVMSG #room :hi"],
  [
    "a resub with words",
    "@id=x;user-id=9;login=quiet;msg-id=resub;tmi-sent-ts=1;room-id=1337 :t USERNOTICE #room :hi",
  ],
  ["a timeout", "@room-id=1337;target-user-id=9;ban-duration=60;tmi-sent-ts=1 :t CLEARCHAT #room :quiet"],
  ["a deletion", "@login=quiet;target-msg-id=x;tmi-sent-ts=1 :t CLEARMSG #room :hi"],
])("%s of a chatter who opted out does not come in", (_what, raw) => {
  expect(isLeftOut(raw)).toBe(true);
  expect(isLeftOut(raw, "2000")).toBe(false);
});

test.each([
  ["somebody else's line", "@id=x;user-id=8;tmi-sent-ts=1;room-id=1337 :ann!q@q PRIVMSG #room :hi"],
  ["a cleared chat", "@room-id=1337;tmi-sent-ts=1 :t CLEARCHAT #room"],
  ["a room's state", "@room-id=1337;slow=10 :t ROOMSTATE #room"],
])("%s does", (_what, raw) => {
  expect(isLeftOut(raw)).toBe(false);
});
