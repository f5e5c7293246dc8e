import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@hypecast/tests/servers.ts";
import { afterAll, expect, test } from "vitest";
import { namedOnCommandLine } from "./named.ts";

const folder = temporaryFolder("named");
mkdirSync(join(folder, "a b"));
writeFileSync(join(folder, "a b/run.mp4"), "");
writeFileSync(join(folder, "twitch.tv"), "");
afterAll(() => rmSync(folder, { recursive: true }));

test("a file is meant from where the person stands, alone or for a channel", () => {
  const video = `file://${folder}/a%20b/run.mp4`;
  expect(namedOnCommandLine("a b/run.mp4", folder)).toMatchObject({ video, chat: false });
  expect(namedOnCommandLine(join(folder, "a b/run.mp4"), "/")).toMatchObject({ video, chat: false });
  expect(namedOnCommandLine("nightfern=a b/run.mp4", folder)).toEqual({
    login: "nightfern",
    video,
    chat: true,
  });
});

test("a login, a link and a playlist are what they are everywhere", () => {
  expect(namedOnCommandLine("nightfern", folder)).toEqual({ login: "nightfern", video: null, chat: true });
  expect(namedOnCommandLine("twitch.tv/nightfern", folder)).toMatchObject({ login: "nightfern", chat: true });
  expect(namedOnCommandLine("https://example.org/a/harbour.m3u8", folder)).toMatchObject({ chat: false });
});

test("what is none of these is said in a sentence", () => {
  expect(() => namedOnCommandLine("no/such/file.mp4", folder)).toThrow(/there is no file .*such\/file\.mp4/);
  expect(() => namedOnCommandLine("ftp://a.example/x", folder)).toThrow(
    '"ftp://a.example/x" is no Twitch channel',
  );
});
