import { expect, test } from "vitest";
import { arrange, kindOf, linkIn, stemOf } from "./given.ts";

const file = (name: string, type = "") => ({ name, type });

test("a file is known by its name, then by its type; what neither tells is asked", () => {
  expect(kindOf(file("chat.json.gz"))).toBe("chat");
  expect(kindOf(file("stream.TS", "text/typescript"))).toBe("video");
  expect(kindOf(file("recording", "video/mp4"))).toBe("video");
  expect(kindOf(file("recording", "text/plain"))).toBe("chat");
  expect(kindOf(file("recording.bin"))).toBeNull();
});

test("names of one stream have one stem", () => {
  expect(stemOf("2021-11-10_15-41-56_1201462028.chat.json.gz")).toBe("1201462028");
  expect(stemOf("v1201462028 [1080p60].mp4")).toBe("1201462028");
  expect(stemOf("Ashen_Castle-27.chat.json")).toBe(stemOf("ashen castle 27.mp4"));
});

test("a chat and a video of one name are one stream, and nobody is asked", () => {
  const chat = file("castle-27.chat.json");
  const video = file("castle-27.mp4");
  expect(arrange([video, chat])).toEqual({ streams: [{ chat, video }], unknown: [], ask: false });
});

test("several chats are several streams", () => {
  const files = [file("a.json"), file("b.json"), file("c.csv")];
  expect(arrange(files)).toEqual({
    streams: files.map((chat) => ({ chat, video: null })),
    unknown: [],
    ask: false,
  });
});

test("a chat and a video that are not named alike are asked about, as is a file that could be either", () => {
  expect(arrange([file("evening.json"), file("capture.mp4")]).ask).toBe(true);
  const odd = file("capture.bin");
  expect(arrange([odd])).toEqual({ streams: [], unknown: [odd], ask: true });
});

test("links come with and without https; a channel is no video", () => {
  expect(linkIn(" twitch.tv/videos/1201462028?t=1h ")).toEqual({
    url: "https://twitch.tv/videos/1201462028?t=1h",
    kind: "twitch",
  });
  expect(linkIn("https://www.twitch.tv/pepel_lamp/v/123")?.kind).toBe("twitch");
  expect(linkIn("http://127.0.0.1:4300/vod/index.m3u8?key=1")?.kind).toBe("playlist");
  expect(linkIn("https://example.com/x")?.kind).toBe("other");
  expect(linkIn("https://twitch.tv/pepel_lamp")).toBeNull();
  expect(linkIn("when did chat lose it")).toBeNull();
  expect(linkIn("лава")).toBeNull();
});
