import { expect, test } from "vitest";
import { addressesOf, emoteOf } from "./address.ts";
import { imageKind } from "./image-kind.ts";

const urls = {
  TWITCH_EMOTE_URL: "https://t.example/v2",
  BTTV_CDN_URL: "https://b.example/emote",
  FFZ_CDN_URL: "https://f.example/emote",
  SEVENTV_CDN_URL: "https://s.example/emote",
};

test.each([
  ["/emotes/twitch/25/1x", ["https://t.example/v2/25/default/dark/1.0"]],
  ["/emotes/twitch/emotesv2_abc123/3x", ["https://t.example/v2/emotesv2_abc123/default/dark/3.0"]],
  [
    "/emotes/bttv/56e9f494fff3cc5c35e5287e",
    [
      "https://b.example/emote/56e9f494fff3cc5c35e5287e/2x.webp",
      "https://b.example/emote/56e9f494fff3cc5c35e5287e/2x",
    ],
  ],
  ["/emotes/ffz/128054/3x", ["https://f.example/emote/128054/4", "https://f.example/emote/128054/1"]],
  ["/emotes/7tv/60ae958e229664e8667aea38/2x", ["https://s.example/emote/60ae958e229664e8667aea38/2x.webp"]],
])("%s is asked of the configured provider", (path, addresses) => {
  const emote = emoteOf(path);
  expect(emote === null ? null : addressesOf(emote, urls)).toEqual(addresses);
});

test.each([
  "/emotes/twitch/../../etc/passwd/1x",
  "/emotes/twitch/%2e%2e%2fsecret/1x",
  "/emotes/twitch/25/4x",
  "/emotes/twitch/25/1x/more",
  "/emotes/twitch//1x",
  "/emotes/evil/25/1x",
  "/emotes/constructor/25/1x",
  "/emotes/bttv/25@evil.example/1x",
  "/emotes/7tv/60ae958e229664e8667aea38#x/1x",
  "/emotes/ffz/1?url=http:/1x",
])("%s is no emote", (path) => {
  expect(emoteOf(path)).toBeNull();
});

test("an image is what its first bytes say, and HTML or SVG is none", () => {
  const kind = (text: string): string | null => imageKind(Buffer.from(text, "latin1"));
  expect(kind("\x89PNG\r\n\x1a\n....")).toBe("image/png");
  expect(kind("RIFF....WEBPVP8 ")).toBe("image/webp");
  expect(kind("GIF89a......")).toBe("image/gif");
  expect(kind("....ftypavif")).toBe("image/avif");
  expect(kind("\xff\xd8\xff\xe0........")).toBe("image/jpeg");
  for (const text of [
    "<!doctype html><html>",
    "<svg xmlns='http://www.w3.org/2000/svg'>",
    "GIF89a",
    "RIFF....WAVEfmt ",
  ])
    expect(kind(text)).toBeNull();
});
