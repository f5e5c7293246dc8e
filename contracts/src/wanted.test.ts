import { expect, test } from "vitest";
import { namedChannel } from "./wanted.ts";

test.each([
  ["NightFern", "nightfern", null, true],
  ["https://www.twitch.tv/nightfern", "nightfern", null, true],
  ["nightfern=https://example.org/a.m3u8?x=1", "nightfern", "https://example.org/a.m3u8?x=1", true],
])("%s is the Twitch channel %s", (text, login, video, chat) =>
  expect(namedChannel(text)).toEqual({ login, video, chat }),
);

test.each([
  ["https://cdn.example.org/live/harbour/master.m3u8", /^harbour_[0-9a-z]{4}$/],
  ["https://example.org/live/index.m3u8?token=1", /^example_[0-9a-z]{4}$/],
  ["file:///home/a/My%20run.mp4", /^run_[0-9a-z]{4}$/],
])("%s is a channel of video alone", (text, login) =>
  expect(namedChannel(text)).toEqual({
    login: expect.stringMatching(login) as string,
    video: text,
    chat: false,
  }),
);

test("two addresses have two logins, one address always the same", () => {
  const login = (text: string): string | undefined => namedChannel(text)?.login;
  expect(login("https://a.example/x.m3u8")).toBe(login("https://a.example/x.m3u8"));
  expect(login("https://a.example/x.m3u8")).not.toBe(login("https://b.example/x.m3u8"));
});

test.each([
  "",
  "ftp://a.example/x",
  "data:text/plain,x",
  "nightfern=ftp://x",
  "a b",
  "näh",
  "=https://a.example/x",
  "https://me:secret@a.example/x.m3u8",
  `https://a.example/${"x".repeat(2000)}`,
])("%j is nothing to watch", (text) => expect(namedChannel(text)).toBeNull());
