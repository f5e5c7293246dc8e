import { expect, test } from "vitest";
import { vodLink } from "./vod-link.ts";

test.each([
  ["https://www.twitch.tv/videos/2134567890", "2134567890", 0],
  ["twitch.tv/videos/2134567890?t=1h2m3s", "2134567890", 3723],
  ["https://m.twitch.tv/videos/2134567890/?filter=archives&t=95s", "2134567890", 95],
  ["https://www.twitch.tv/pepel_lamp/v/2134567890?t=2m", "2134567890", 120],
  ["https://www.twitch.tv/pepel_lamp/video/2134567890", "2134567890", 0],
  ["https://player.twitch.tv/?video=v2134567890&parent=x&t=15", "2134567890", 15],
  ["  HTTPS://TWITCH.TV/videos/1 ", "1", 0],
])("%s is video %s at %d s", (text, id, atS) => {
  expect(vodLink(text)).toEqual({ id, atS });
});

test.each([
  "https://www.twitch.tv/pepel_lamp",
  "https://www.twitch.tv/pepel_lamp/clip/Abc",
  "https://clips.twitch.tv/Abc",
  "https://twitch.tv.example.org/videos/1",
  "https://example.org/?u=twitch.tv/videos/1",
  "https://www.twitch.tv/videos/abc",
  "not a link at all",
  "",
])("%s is no video of Twitch's", (text) => {
  expect(vodLink(text)).toBeNull();
});
