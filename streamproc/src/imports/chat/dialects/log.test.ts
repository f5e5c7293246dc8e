import { expect, test } from "vitest";
import { Unreadable } from "../draft.ts";
import { logDraft, newLogClock } from "./log.ts";

const draft = (line: string): ReturnType<typeof logDraft> => logDraft(line, newLogClock());

test.each([
  ["[2024-05-01 18:00:05 UTC] Nick_1: hello: you", "nick_1", "hello: you", Date.UTC(2024, 4, 1, 18, 0, 5)],
  ["[2024-05-01 18:00:05.250 UTC] nick: hello", "nick", "hello", Date.UTC(2024, 4, 1, 18, 0, 5, 250)],
  ["[2024-05-01 18:00:05] #channel nick: hello", "nick", "hello", Date.UTC(2024, 4, 1, 18, 0, 5)],
  ["2024-05-01 18:00:05\t@nick\thello", "nick", "hello", Date.UTC(2024, 4, 1, 18, 0, 5)],
])("%s", (line, login, text, atMs) => {
  expect(draft(line)).toMatchObject({ kind: "line", atMs, item: { login, text } });
});

test.each([
  ["[0:05:12] nick: hello", 312, "hello"],
  ["[00:05:12]  nick: hello", 312, "hello"],
  ["[05:12] <@nick> hello", 312 * 60, "hello"],
  ["[-0:00:12] nick: hello", -12, "hello"],
  ["[27:05:12] nick: hello", 97_512, "hello"],
])("%s counts from the start", (line, offsetS, text) => {
  const clock = newLogClock();
  // What the first line says decides for the log.
  logDraft("[0:00:01] x: y", clock);
  expect(logDraft(line, clock)).toMatchObject({ kind: "line", offsetS, item: { login: "nick", text } });
});

test("a day that the log names once is every line's", () => {
  const clock = newLogClock();
  expect(logDraft("--- Log opened Wed May 01 17:59:00 2024", clock)).toBeNull();
  expect(logDraft("18:00 < nick> hello", clock)).toMatchObject({
    atMs: Date.UTC(2024, 4, 1, 18),
    item: { text: "hello" },
  });
  expect(logDraft("18:01 * nick waves", clock)).toMatchObject({ item: { text: "waves", action: true } });
  expect(logDraft("--- Day changed Thu May 02 2024", clock)).toBeNull();
  expect(logDraft("00:01 < nick> hello", clock)).toMatchObject({ atMs: Date.UTC(2024, 4, 2, 0, 1) });
});

test("hexchat's lines have a month and a day, and the year of the log's head", () => {
  const clock = newLogClock();
  expect(logDraft("**** BEGIN LOGGING AT Wed May  1 18:00:00 2024", clock)).toBeNull();
  expect(logDraft("May 01 18:00:05 <nick>\thello", clock)).toMatchObject({
    atMs: Date.UTC(2024, 4, 1, 18, 0, 5),
    item: { text: "hello" },
  });
});

test("a name in other letters has the login behind it, or an id of its own", () => {
  expect(draft("[2024-05-01 18:00:05] 테스트 (tester): hello")).toMatchObject({
    item: { login: "tester", name: "테스트" },
  });
  const own = draft("[2024-05-01 18:00:05] Зритель: привет");
  expect(own).toMatchObject({ item: { name: "Зритель", text: "привет" } });
  expect(own!.kind === "line" && own!.item.userId).toMatch(/^x[0-9a-f]{20}$/);
});

test("timeouts and bans are moderation", () => {
  expect(draft("[2024-05-01 18:00:05] #channel nick has been timed out for 600 seconds")).toMatchObject({
    kind: "moderation",
    item: { action: "timeout", durationS: 600, targetLogin: "nick" },
  });
  expect(draft("[2024-05-01 18:00:05] #channel nick has been banned")).toMatchObject({
    item: { action: "ban" },
  });
  expect(draft("[2024-05-01 18:00:05] nick: bob has been banned")).toMatchObject({ kind: "line" });
});

test.each([
  "18:00 -!- nick [~n@x] has joined #channel",
  "[18:00:05] *** Joins: nick",
  "2024-05-01 18:00:05\t-->\tnick has joined",
  "# Stop logging at 2024-05-01 19:00:00 UTC",
  "",
])("%s is no message", (line) => {
  expect(draft(line)).toBeNull();
});

test.each([
  "hello",
  "[2024-05-01] nick: no time",
  "[99:99:99:99] nick: text",
  "[2024-13-41 18:00:05] nick: text",
])("%s is unreadable", (line) => {
  expect(() => draft(line)).toThrow(Unreadable);
});
