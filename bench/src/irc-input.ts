import { createReadStream, createWriteStream, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

export interface IrcInput {
  readonly folder: string;
  readonly lines: number;
  /** How many of them are PRIVMSG. */
  readonly messages: number;
}

/** Channel `#ch000`'s; the others follow. */
export const FIRST_ROOM_ID = 71_000_000;

const SHIFTED =
  /tmi-sent-ts=(\d+)|(?<![a-z-])user-id=(\d+)|room-id=(\d+)|;id=([0-9a-f]{8})(?=-)|(?<= )(#\w+)/g;

/**
 * A long chat log out of a short real one, in the form that the Flink peer reads (`part-0.txt`, `meta.json`): every channel plays
 * the same real lines at their real pace, side by side, over and over. Channel, room, user, id and time are shifted; a
 * channel's own offset is below a second, so disorder stays below the two seconds of lateness.
 */
export async function makeInput(
  source: string,
  folder: string,
  channels: number,
  lines: number,
): Promise<IrcInput> {
  const template = gunzipSync(readFileSync(source))
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map(shifting);
  const firstMs = Math.min(...template.map(({ atMs }) => atMs));
  const spanMs = Math.max(...template.map(({ atMs }) => atMs)) - firstMs + 1000;
  mkdirSync(folder, { recursive: true });
  const out = createWriteStream(join(folder, "part-0.txt"), { highWaterMark: 1 << 20 });
  let n = 0;
  let messages = 0;
  let block = "";
  for (let round = 0; n < lines; round++)
    for (const { write, atMs, isMessage } of template) {
      for (let channel = 0; channel < channels && n < lines; channel++) {
        block += write(channel, atMs + round * spanMs + ((channel * 37) % 997), n);
        n++;
        if (isMessage) messages++;
      }
      if (block.length > 1 << 20) {
        if (!out.write(block)) await once(out, "drain");
        block = "";
      }
      if (n === lines) break;
    }
  out.end(block);
  await once(out, "finish");
  writeFileSync(
    join(folder, "meta.json"),
    JSON.stringify({ channels, lines: n, messages, parts: 1 }).replaceAll(/([:,])/g, "$1 "),
  );
  // Into the page cache, so that the disk is no part of what is measured.
  for await (const _chunk of createReadStream(join(folder, "part-0.txt"), { highWaterMark: 1 << 22 }));
  return { folder, lines: n, messages };
}

interface Shifting {
  atMs: number;
  isMessage: boolean;
  write: (channel: number, atMs: number, n: number) => string;
}

function shifting(line: string): Shifting {
  const headEnd = line.indexOf(" :", line.indexOf(" ") + 2);
  const head = headEnd < 0 ? line : line.slice(0, headEnd);
  const tail = (headEnd < 0 ? "" : line.slice(headEnd)) + "\n";
  const pieces: (string | ((channel: number, atMs: number, n: number) => string))[] = [];
  let at = 0;
  let sentAtMs = 0;
  for (const found of head.matchAll(SHIFTED)) {
    pieces.push(head.slice(at, found.index));
    at = found.index + found[0].length;
    const user = Number(found[2]);
    if (found[1] !== undefined) {
      sentAtMs = Number(found[1]);
      pieces.push((_channel, ms) => `tmi-sent-ts=${ms}`);
    } else if (found[2] !== undefined) pieces.push((channel) => `user-id=${user + channel}`);
    else if (found[3] !== undefined) pieces.push((channel) => `room-id=${FIRST_ROOM_ID + channel}`);
    else if (found[4] !== undefined)
      pieces.push((_channel, _ms, n) => `;id=${n.toString(16).padStart(8, "0")}`);
    else pieces.push((channel) => `#ch${String(channel).padStart(3, "0")}`);
  }
  pieces.push(head.slice(at) + tail);
  return {
    atMs: sentAtMs,
    isMessage: head.includes(" PRIVMSG "),
    write(channel, atMs, n) {
      let text = "";
      for (const piece of pieces) text += typeof piece === "string" ? piece : piece(channel, atMs, n);
      return text;
    },
  };
}
