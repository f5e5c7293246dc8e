import { expect, test } from "vitest";
import { attachment } from "./attachment.ts";

test.each([
  ["a plain name", "clip.mp4", `attachment; filename="clip.mp4"; filename*=UTF-8''clip.mp4`],
  [
    "Cyrillic",
    "Упал в лаву.mp4",
    `attachment; filename="____ _ ____.mp4"; filename*=UTF-8''%D0%A3%D0%BF%D0%B0%D0%BB%20%D0%B2%20%D0%BB%D0%B0%D0%B2%D1%83.mp4`,
  ],
  [
    "paths",
    "../../etc/passwd.mp4",
    `attachment; filename="etc passwd.mp4"; filename*=UTF-8''etc%20passwd.mp4`,
  ],
  [
    "quotes and line ends",
    'a"\r\nSet-Cookie: x=1.mp4',
    `attachment; filename="a Set-Cookie x=1.mp4"; filename*=UTF-8''a%20Set-Cookie%20x%3D1.mp4`,
  ],
  [
    "a turned reading direction",
    "exe\u202E4pm.mp4",
    `attachment; filename="exe 4pm.mp4"; filename*=UTF-8''exe%204pm.mp4`,
  ],
  [
    "nothing that is left",
    "\u200f...:.mp4",
    `attachment; filename="hypecast.mp4"; filename*=UTF-8''hypecast.mp4`,
  ],
  [
    "what RFC 8187 does not allow",
    "it's (1)*.mp4",
    `attachment; filename="it's (1).mp4"; filename*=UTF-8''it%27s%20%281%29.mp4`,
  ],
])("%s", (_what, name, value) => expect(attachment(name)).toBe(value));

test("a name is never longer than a file system bears, nor cut inside a character", () => {
  const value = attachment(`${"🔥".repeat(500)}.mp4`);
  expect(decodeURIComponent(value.split("UTF-8''")[1] ?? "")).toBe(`${"🔥".repeat(62)}.mp4`);
});
