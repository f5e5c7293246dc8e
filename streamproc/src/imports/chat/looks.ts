import { ImportFailure } from "./failure.ts";

/** What a file is that is no chat, by its first bytes. For the sentence that a person reads. */
const MAGIC: readonly [test: (start: Buffer, text: string) => boolean, what: string, video: boolean][] = [
  [(b) => b.toString("latin1", 4, 8) === "ftyp", "an MP4 or MOV video", true],
  [(b) => b.readUInt32BE(0) === 0x1a45dfa3, "a Matroska or WebM video", true],
  [(b) => b[0] === 0x47 && b[188] === 0x47, "an MPEG-TS video", true],
  [(b) => b.toString("latin1", 0, 4) === "RIFF", "a RIFF file (AVI, WAV or WebP)", false],
  [(b) => b.toString("latin1", 0, 3) === "FLV", "a Flash video", true],
  [(b) => b.toString("latin1", 1, 4) === "PNG", "a PNG picture", false],
  [(b) => b[0] === 0xff && b[1] === 0xd8 && b[2] === 0xff, "a JPEG picture", false],
  [(b) => b.toString("latin1", 0, 4) === "GIF8", "a GIF picture", false],
  [(b) => b.toString("latin1", 0, 4) === "%PDF", "a PDF document", false],
  [(b) => b.toString("latin1", 0, 3) === "ID3", "an MP3 file", false],
  [(b) => b.toString("latin1", 0, 4) === "OggS", "an Ogg file", false],
  [(b) => b.toString("latin1", 0, 4) === "fLaC", "a FLAC file", false],
  [(b) => b.toString("latin1", 0, 15) === "SQLite format 3", "an SQLite database", false],
  [(b) => b.toString("latin1", 0, 2) === "MZ" || b.readUInt32BE(0) === 0x7f454c46, "a program", false],
  [(b) => b.toString("latin1", 0, 4) === "Rar!", "a RAR archive", false],
  [(b) => b.toString("latin1", 0, 2) === "7z" && b[2] === 0xbc, "a 7z archive", false],
  [(b) => b.toString("latin1", 0, 6) === "\u{fd}7zXZ\0", "an XZ archive", false],
  [(b) => b.toString("latin1", 0, 3) === "BZh", "a bzip2 archive", false],
  [(_, t) => /^\s*(?:<!doctype html|<html|<head|<body)/i.test(t), "an HTML page", false],
  [(_, t) => /^\s*<\?xml|^\s*<\w+[\s>]/.test(t), "an XML file", false],
  [(_, t) => /^\s*WEBVTT/.test(t), "WebVTT subtitles", false],
  [(_, t) => /^\s*\d+\r?\n\d\d:\d\d:\d\d,\d{3} --> /.test(t), "SubRip subtitles", false],
  [(_, t) => /^\s*\[Script Info\]/.test(t), "SSA subtitles", false],
  [(_, t) => /^\s*#EXTM3U/.test(t), "an HLS playlist", true],
];

const EXPORT =
  "Export the chat as JSON with TwitchDownloader, chat-downloader or twitch-dl, or as a raw IRC log, CSV or NDJSON; docs/import.md shows each.";

export function notAChat(start: Buffer, why = ""): ImportFailure {
  const padded = Buffer.concat([start.subarray(0, 4096), Buffer.alloc(256)]);
  const head = padded.toString("utf8");
  for (const [test, what, video] of MAGIC)
    if (test(padded, head))
      return new ImportFailure(
        "not_a_chat",
        `It looks like ${what}, not like a chat.`,
        video
          ? "Give it as the video of the stream."
          : /archive/.test(what)
            ? "Unpack it, or pack it as a zip."
            : EXPORT,
      );
  const binary = start.subarray(0, 4096).some((byte) => byte < 9);
  return new ImportFailure(
    "not_a_chat",
    why !== ""
      ? why
      : binary
        ? "It is a binary file of a kind that is not known."
        : `It is text in none of the forms that are known. It begins “${head.replaceAll("\0", "").trim().slice(0, 60)}”.`,
    EXPORT,
  );
}
