import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { chatLine, type ChatLine, type ChatModeration, type ChatNotice } from "@hypecast/contracts/chat.ts";
import { UNKNOWN_START_MS } from "@hypecast/contracts/vod.ts";
import type { VodErrorCode } from "@hypecast/contracts/vod-words.ts";
import { FORMS, ircLine, said, START_MS, v5Comment, VIDEO, type Said } from "./chats.fixture.ts";
import { ImportFailure } from "./failure.ts";
import { chatBatches, surveyChat, type ChatSurvey, type KnownOfStream } from "./read-chat.ts";
import { bytesSource, type ByteSource } from "./source.ts";
import { zipOf } from "./zip.fixture.ts";

const NOTHING_KNOWN: KnownOfStream = { startMs: null, durationS: null };
const chat = said(600);

interface Read {
  readonly survey: ChatSurvey;
  readonly lines: ChatLine[];
  readonly notices: ChatNotice[];
  readonly moderation: ChatModeration[];
}

async function read(file: string | Uint8Array | ByteSource, known = NOTHING_KNOWN): Promise<Read> {
  const source =
    typeof file === "string"
      ? bytesSource(Buffer.from(file))
      : file instanceof Uint8Array
        ? bytesSource(file)
        : file;
  const survey = await surveyChat(source, known);
  const all: Read = { survey, lines: [], notices: [], moderation: [] };
  for await (const batch of chatBatches(source, survey, "vod-x-1")) {
    all.lines.push(...batch.lines);
    all.notices.push(...batch.notices);
    all.moderation.push(...batch.moderation);
  }
  return all;
}

async function failure(
  file: string | Uint8Array | ByteSource,
): Promise<ImportFailure["error"] & { code: VodErrorCode }> {
  try {
    await read(file);
  } catch (error) {
    if (error instanceof ImportFailure) return error.error;
    throw error;
  }
  throw new Error("it was read");
}

describe("every dialect", () => {
  for (const [name, write] of Object.entries(FORMS))
    test(`${name} gives every message with its second, viewer and text`, async () => {
      const { survey, lines } = await read(write(chat));
      expect(survey.dialect).toBe(name.split(",")[0]);
      expect(survey.badLines).toEqual({ count: 0, first: [] });
      expect(survey.lines).toBe(chat.length);
      expect(lines.map((line) => line.text)).toEqual(chat.map((one) => one.text));
      expect(lines.map((line) => line.login)).toEqual(chat.map((one) => one.login));
      // A log without offsets begins with its first line.
      const shiftS =
        ["irc", "rus", "ndj"].includes(name.slice(0, 3)) && !name.includes("offsets")
          ? Math.floor(chat[0]!.atS)
          : 0;
      for (const [i, line] of lines.entries())
        expect(Math.abs((line.sentAtMs - survey.startMs) / 1000 + shiftS - chat[i]!.atS)).toBeLessThan(1.31);
      for (const line of lines) expect(chatLine.safeParse(line).success).toBe(true);
      expect(new Set(lines.map((line) => line.id)).size).toBe(lines.length);
      expect(lines.every((line, i) => i === 0 || line.sentAtMs >= lines[i - 1]!.sentAtMs)).toBe(true);
      expect(new Set(lines.map((line) => line.channelId))).toEqual(new Set(["vod-x-1"]));
    });

  test("what is asked of the file is the same whatever it is packed in and called", async () => {
    const plain = Buffer.from(FORMS["twitch-gql"]!(chat));
    const sidecar = Buffer.from(
      JSON.stringify({
        vod_id: 2134567890,
        title: VIDEO.title,
        duration: 3600,
        created_at: "2024-05-01 18:00:00",
      }),
    );
    const packed = [
      gzipSync(plain),
      zstdCompressSync(plain),
      zipOf([["a/chat.json", plain]]),
      zipOf([
        ["a.chat.json.gz", gzipSync(plain)],
        ["a.vod.json", sidecar],
        ["__MACOSX/x", Buffer.from("x")],
      ]),
      zstdCompressSync(gzipSync(plain)),
      Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), plain]),
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(plain.toString("utf8"), "utf16le")]),
      Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(plain.toString("utf8"), "utf16le").swap16()]),
    ];
    const expected = await read(plain);
    for (const one of packed) {
      const got = await read(one);
      expect(got.survey.contentHash).toBe(expected.survey.contentHash);
      expect(got.lines.map((line) => line.id)).toEqual(expected.lines.map((line) => line.id));
    }
    const withSidecar = await surveyChat(bytesSource(packed[3]!), NOTHING_KNOWN);
    expect(withSidecar.facts).toMatchObject({ twitchId: VIDEO.id, title: VIDEO.title, durationS: 3600 });
    expect(withSidecar.startMs).toBe(Date.UTC(2024, 4, 1, 18));
  });

  test("dialects of the same comments have the same hash", async () => {
    const hashes = await Promise.all(
      [
        "twitch-downloader",
        "twitch-v5",
        "twitch-gql",
        "twitch-gql, pages",
        "twitch-dl",
        "chat-downloader",
      ].map(async (name) => (await read(FORMS[name]!(chat))).survey.contentHash),
    );
    expect(new Set(hashes).size).toBe(1);
    const other = await read(FORMS["twitch-v5"]!(chat.slice(1)));
    expect(other.survey.contentHash).not.toBe(hashes[0]);
  });

  test("TwitchDownloader's metadata, chapters and embedded emotes are taken", async () => {
    const { survey, lines } = await read(FORMS["twitch-downloader"]!(chat));
    expect(survey.facts).toEqual({
      twitchId: VIDEO.id,
      title: VIDEO.title,
      broadcaster: { id: VIDEO.ownerId, login: VIDEO.login, name: VIDEO.name },
      game: "Ashen",
      chapters: [{ atS: 0, title: "Ashen" }],
      durationS: VIDEO.lengthS,
    });
    expect(survey).toMatchObject({ startMs: START_MS, startKnown: true });
    expect(lines.find((line) => line.text === "KEKW KEKW")!.emotes).toEqual([
      ["bttv:60ae958e229664e8667aea38", "KEKW", 0, 3],
      ["bttv:60ae958e229664e8667aea38", "KEKW", 5, 8],
    ]);
    expect(lines.find((line) => line.text === "LUL")!.emotes).toEqual([["twitch:425618", "LUL", 0, 2]]);
    expect(lines[0]).toMatchObject({ badges: "subscriber/3", color: "#1B58AE" });
  });
});

describe("time", () => {
  const node = (offset: number, createdAt: string, text: string): object => ({
    id: `id-${text}`,
    commenter: { id: "1", login: "a", displayName: "a" },
    contentOffsetSeconds: offset,
    createdAt,
    message: { fragments: [{ text, emote: null }] },
  });

  test("whole seconds get their fraction, and the start, from the comments' own clock where all agree", async () => {
    const times = [0.2, 0.9, 5.1, 5.8, 9.99, 12];
    const { survey, lines } = await read(
      JSON.stringify(
        times.map((at, i) => node(Math.floor(at), new Date(START_MS + at * 1000).toISOString(), `m${i}`)),
      ),
    );
    expect(survey.startKnown).toBe(true);
    expect(Math.abs(survey.startMs - START_MS)).toBeLessThanOrEqual(10);
    for (const [i, line] of lines.entries())
      expect(Math.abs(line.sentAtMs - START_MS - times[i]! * 1000)).toBeLessThanOrEqual(20);
  });

  test("where they do not agree the file's order is kept over each second, and the start is not known", async () => {
    const one = "2021-11-10T15:47:11.811Z";
    const { survey, lines } = await read(
      JSON.stringify([
        node(3, one, "a"),
        node(3, one, "b"),
        node(3, one, "c"),
        node(3, one, "d"),
        node(700, one, "e"),
      ]),
    );
    expect(survey).toMatchObject({ startKnown: false, startMs: UNKNOWN_START_MS });
    expect(lines.map((line) => [line.text, line.sentAtMs - UNKNOWN_START_MS])).toEqual([
      ["a", 3000],
      ["b", 3250],
      ["c", 3500],
      ["d", 3750],
      ["e", 700_000],
    ]);
  });

  test("what is known from elsewhere goes before the file", async () => {
    const { survey } = await read(FORMS["twitch-downloader"]!(chat), {
      startMs: 1_700_000_000_000,
      durationS: 4000,
    });
    expect(survey).toMatchObject({ startMs: 1_700_000_000_000, startKnown: true });
    expect(survey.lastMs).toBeGreaterThan(1_700_000_000_000);
  });

  test("messages before the stream keep their negative offset; those 100 hours away are unreadable", async () => {
    const file = [
      { ...chat[0]!, atS: -30 },
      { ...chat[1]!, atS: 10 },
      { ...chat[2]!, atS: 400_000 },
    ];
    const { survey, lines } = await read(FORMS["csv"]!(file));
    expect(lines.map((line) => line.sentAtMs - survey.startMs)).toEqual([-30_000, 10_000]);
    expect(survey.badLines).toMatchObject({
      count: 1,
      first: [{ line: 4, why: "its offset is more than 100 hours from the start" }],
    });
  });

  test.each(["a little", "backwards"])("a file that is out of order %s comes in order", async (how) => {
    const many = said(3000, 5 * 3600);
    const mixed =
      how === "backwards"
        ? many.toReversed()
        : many.map((_, i) => many[i % 2 === 0 ? Math.min(i + 1, many.length - 1) : i - 1]!);
    const { lines } = await read(FORMS["twitch-v5"]!(mixed));
    expect(lines.map((line) => line.text)).toEqual(many.map((one) => one.text));
  });

  test("a log's clock that passes midnight goes on", async () => {
    const { survey, lines } = await read("[23:59:58] a: one\n[23:59:59] b: two\n[00:00:01] c: three\n");
    expect(lines.map((line) => line.sentAtMs - survey.startMs)).toEqual([0, 1000, 3000]);
    expect(survey.startKnown).toBe(false);
  });
});

describe("going on after an interruption", () => {
  test("the items after `skip` are the same ones", async () => {
    const source = bytesSource(Buffer.from(FORMS["twitch-gql"]!(said(5000))));
    const survey = await surveyChat(source, NOTHING_KNOWN);
    const stored = JSON.parse(JSON.stringify(survey)) as ChatSurvey;
    const ids = async (skip: number): Promise<string[]> => {
      const all: string[] = [];
      for await (const batch of chatBatches(source, stored, "vod-x-1", { skip }))
        all.push(...batch.lines.map((line) => line.id));
      return all;
    };
    const whole = await ids(0);
    expect(whole.length).toBe(5000);
    for (const skip of [1, 2000, 4999]) expect(await ids(skip)).toEqual(whole.slice(skip));
  });
});

describe("raw logs", () => {
  test("notices, timeouts and deletions come beside the lines; other rooms' lines of a shared chat say so", async () => {
    const at = (line: string, ms: number): string =>
      line.replace(/tmi-sent-ts=\d+/, `tmi-sent-ts=${START_MS + ms}`);
    const file = [
      at(ircLine(chat[0]!, 0), 0),
      `@room-id=${VIDEO.ownerId};msg-id=raid;msg-param-viewerCount=40;system-msg=40\\sraiders;login=x;user-id=5;id=n1;tmi-sent-ts=${START_MS + 10} :tmi.twitch.tv USERNOTICE #${VIDEO.login}`,
      `@ban-duration=150;room-id=${VIDEO.ownerId};target-user-id=100;tmi-sent-ts=${START_MS + 20} :tmi.twitch.tv CLEARCHAT #${VIDEO.login} :onche`,
      "PING :tmi.twitch.tv",
      `:tmi.twitch.tv 353 justinfan = #${VIDEO.login} :a b c`,
      ":nobody!nobody@x PRIVMSG #pepel_lamp :no time",
    ].join("\r\n");
    const { survey, notices, moderation } = await read(file);
    expect(survey).toMatchObject({
      dialect: "irc-raw",
      lines: 1,
      notices: 1,
      moderation: 1,
      startKnown: true,
    });
    expect(notices[0]).toMatchObject({ kind: "raid", count: 40, sentAtMs: START_MS + 10 });
    expect(moderation[0]).toMatchObject({ action: "timeout", durationS: 150, targetLogin: "onche" });
    expect(survey.badLines.first).toEqual([
      { line: 6, why: "it has no time (tmi-sent-ts)", text: ":nobody!nobody@x PRIVMSG #pepel_lamp :no time" },
    ]);
  });

  test("two channels in one file are named", async () => {
    const file = chat
      .map((one, i) => (i % 3 === 0 ? ircLine(one, i, "nightfern", "42") : ircLine(one, i)))
      .join("\n");
    expect(await failure(file)).toMatchObject({
      code: "several_channels",
      detail: expect.stringContaining(`${VIDEO.ownerId} (400 messages), 42 (200 messages)`),
    });
  });
});

describe("bad input", () => {
  test("unreadable lines are counted, the first ten are shown, the rest is read", async () => {
    const file = chat
      .map((one, i) => (i % 20 === 7 ? "{broken" : JSON.stringify({ ...v5Comment(one, i) })))
      .join("\n");
    const { survey } = await read(file);
    expect(survey.lines).toBe(570);
    expect(survey.badLines.count).toBe(30);
    expect(survey.badLines.first.length).toBe(10);
    expect(survey.badLines.first[0]).toEqual({ line: 8, why: "it is no JSON", text: "{broken" });
  });

  test.each([2, 4000])(
    "a message with a broken quote costs itself, also in a file of one line (%d messages)",
    async (count) => {
      const messages = said(count).map((one, i) => JSON.stringify(v5Comment(one, i)));
      messages.splice(count / 2, 0, messages[0]!.replace('"body":"', '"body":'));
      const { survey } = await read(`{"comments":[${messages.join(",")}],"video":{"title":"behind"}}`);
      expect(survey).toMatchObject({
        lines: count,
        badLines: { count: 1, first: [{ why: "it is no JSON" }] },
        notes: [],
      });
      expect(survey.facts.title).toBe("behind");
    },
  );

  test("JSON that ends in the middle keeps what was read, and says so", async () => {
    const whole = FORMS["twitch-downloader"]!(chat);
    const { survey } = await read(whole.slice(0, whole.length / 2));
    expect(survey.lines).toBeGreaterThan(200);
    expect(survey.notes).toMatchObject([{ code: "truncated" }]);
    expect(await failure(whole.slice(0, whole.indexOf("comments") + 40))).toMatchObject({
      code: "truncated",
    });
  });

  test("a packed file that ends in the middle keeps what came out", async () => {
    const packed = gzipSync(Buffer.from(FORMS["twitch-v5"]!(said(5000))));
    const { survey } = await read(packed.subarray(0, packed.length / 2));
    expect(survey.lines).toBeGreaterThan(500);
    expect(survey.notes).toMatchObject([{ code: "truncated" }]);
  });

  test("a line of 4 GB costs neither memory nor the rest of the file", { timeout: 60_000 }, async () => {
    const block = Buffer.alloc(1024 * 1024, "x");
    const blocks = 4096;
    const source: ByteSource = {
      name: "long",
      bytes: blocks * block.length,
      async *read() {
        yield Buffer.from(`${ircLine(chat[0]!, 0)}\n`);
        for (let i = 0; i < blocks; i++) yield await Promise.resolve(block);
        yield Buffer.from(`\n${ircLine(chat[1]!, 1)}\n`);
      },
    };
    const before = process.memoryUsage().rss;
    const survey = await surveyChat(source, NOTHING_KNOWN);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
    expect(survey).toMatchObject({
      lines: 2,
      badLines: { count: 1, first: [{ why: "it is longer than 1 MB" }] },
      notes: [{ code: "too_large" }],
    });
  });

  test("an object of a JSON list that is too long is left out", async () => {
    const long = { ...(v5Comment(chat[1]!, 1) as { message: object }), filler: "x".repeat(2_000_000) };
    const { survey } = await read(JSON.stringify([v5Comment(chat[0]!, 0), long, v5Comment(chat[2]!, 2)]));
    expect(survey).toMatchObject({ lines: 2, badLines: { count: 1 }, notes: [{ code: "too_large" }] });
  });

  test("bombs are refused before they fill anything", async () => {
    const zeros = Buffer.alloc(80 * 1024 * 1024, `[0:00:01] a: ${"b".repeat(50_000)}\n`);
    expect(await failure(gzipSync(zeros))).toMatchObject({ code: "too_large" });
    expect(await failure(zstdCompressSync(zeros))).toMatchObject({ code: "too_large" });
    expect(await failure(zipOf([["chat.log", zeros]]))).toMatchObject({ code: "too_large" });
  });

  test("archives: a way out of it, several chats, no chat, a zip in a gzip, rubbish", async () => {
    const file = Buffer.from(FORMS["csv"]!(chat));
    expect(await failure(zipOf([["../../etc/chat.csv", file]]))).toMatchObject({
      code: "bad_archive",
      detail: expect.stringContaining("invalid relative path"),
    });
    expect(
      await failure(
        zipOf([
          ["a.csv", file],
          ["b.csv", file],
        ]),
      ),
    ).toMatchObject({ code: "bad_archive", detail: expect.stringContaining("2 chats: “a.csv”, “b.csv”") });
    expect(
      await failure(
        zipOf([
          ["a.txt", Buffer.from("hello")],
          ["b.txt", Buffer.from("hello")],
        ]),
      ),
    ).toMatchObject({ code: "bad_archive" });
    expect(await failure(gzipSync(zipOf([["a.csv", file]])))).toMatchObject({ code: "bad_archive" });
    expect(await failure(zipOf([["a.csv", file]]).subarray(0, 500))).toMatchObject({ code: "bad_archive" });
  });

  test.each<[string, string | Uint8Array, VodErrorCode, RegExp]>([
    ["an HTML page", "<!DOCTYPE html><html><body>[12:00] a: b</body></html>", "not_a_chat", /HTML page/],
    [
      "a picture",
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]),
      "not_a_chat",
      /PNG/,
    ],
    [
      "a video",
      Buffer.concat([Buffer.from([0, 0, 0, 32]), Buffer.from("ftypisom"), Buffer.alloc(4000)]),
      "not_a_chat",
      /MP4/,
    ],
    [
      "another program's JSON",
      JSON.stringify({ name: "x", dependencies: { a: "1" }, contributors: [{ name: "a" }] }),
      "not_a_chat",
      /another program.*name, dependencies/,
    ],
    [
      "a JSON list of something else",
      JSON.stringify(Array.from({ length: 2000 }, (_, i) => ({ product: i, price: 3 }))),
      "not_a_chat",
      /another program.*product, price/,
    ],
    ["prose", "It was a dark and stormy night.\nThe end.\n", "not_a_chat", /begins “It was a dark/],
    ["subtitles", "WEBVTT\n\n00:01.000 --> 00:02.000\nhello\n", "not_a_chat", /WebVTT/],
    ["nothing", "", "empty", /no message/],
    ["blank lines", "\n \n\n", "empty", /no message/],
    [
      "a chat without a message",
      JSON.stringify({
        FileInfo: { Version: { Major: 1 } },
        streamer: { name: "a" },
        video: { title: "b" },
        comments: [],
      }),
      "empty",
      /no message/,
    ],
    ["an empty list", "[]", "empty", /no message/],
    [
      "Windows-1251",
      Buffer.from([...Buffer.from("[0:00:01] a: "), 0xef, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2, 10]),
      "bad_encoding",
      /UTF-8/,
    ],
    [
      "UTF-16 without a mark",
      Buffer.from("[0:00:01] a: b\n".repeat(20), "utf16le"),
      "bad_encoding",
      /UTF-16/,
    ],
  ])("%s is no chat, and a sentence says what it is", async (_, file, code, detail) => {
    const error = await failure(file);
    expect(error.code).toBe(code);
    expect(error.detail).toMatch(detail);
    expect(error.action).not.toBe("");
  });

  test("an emoji-only chat is a chat", async () => {
    const emoji: Said[] = chat
      .slice(0, 20)
      .map((one) => ({ ...one, text: "😹😹🔥", emoteId: undefined }) as unknown as Said);
    const { lines } = await read(FORMS["csv"]!(emoji));
    expect(new Set(lines.map((line) => line.text))).toEqual(new Set(["😹😹🔥"]));
  });

  test("broken characters in a line cost that line", async () => {
    const lines = chat.slice(0, 3).map((one, i) => Buffer.from(`${ircLine(one, i)}\n`));
    // Behind the part of the file by which it is recognised.
    const many = Buffer.concat([
      ...Array.from({ length: 2000 }, () => lines[0]!),
      Buffer.concat([lines[1]!.subarray(0, -2), Buffer.from([0xff, 10])]),
      lines[2]!,
    ]);
    const { survey } = await read(many);
    expect(survey.badLines).toMatchObject({ count: 1, first: [{ why: "it is no UTF-8" }] });
  });

  test("a comment of an account that is gone keeps its words", async () => {
    const { lines } = await read(JSON.stringify([{ ...v5Comment(chat[0]!, 0), commenter: null }]));
    expect(lines[0]).toMatchObject({ userId: "unknown", login: "unknown", text: chat[0]!.text });
  });
});
