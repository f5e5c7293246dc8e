import { createCanvas } from "@napi-rs/canvas";
import sharp from "sharp";
import { expect, test } from "vitest";
import type { ChatLine, ChatModeration } from "@hypecast/contracts/chat.ts";
import { LINE_KEPT_MS, overlayLines, type OverlayBox } from "@hypecast/contracts/overlay-layout.ts";
import type { EmoteCache } from "@hypecast/runtime/emotes/cache.ts";
import { chatFrames, measureWith, type Chat } from "./draw.ts";
import { loadPictures } from "./pictures.ts";

const FPS = 15;
const box: OverlayBox = { x: 0, y: 0, width: 320, height: 200, fontPx: 20 };
const look = { font: "sans", opacity: 0.6 } as const;
const line = (id: string, sentAtMs: number, text: string, more: Partial<ChatLine> = {}): ChatLine => ({
  id,
  channelId: "1",
  sentAtMs,
  userId: id,
  login: `user_${id}`,
  text,
  color: "#ffffff",
  ...more,
});

const cacheOf = (pictures: Record<string, Buffer>): EmoteCache => ({
  keyOf: ({ id }) => id,
  image: ({ id }) => {
    const bytes = pictures[id];
    return bytes === undefined
      ? Promise.reject(new Error("HTTP 503"))
      : Promise.resolve({ type: "image/webp", bytes });
  },
});

async function chatOf(
  lines: ChatLine[],
  moderation: ChatModeration[] = [],
  cache = cacheOf({}),
): Promise<Chat> {
  const pictures = await loadPictures(lines, cache, box.fontPx, new AbortController().signal);
  return {
    box,
    look,
    pictures,
    lines: overlayLines(lines, moderation, {
      box,
      measure: measureWith(look, box.fontPx),
      aspectOf: (ref) => pictures.aspectOf(ref),
      clipTime: (streamMs) => streamMs,
      shiftMs: 0,
    }),
  };
}
const inked = (frame: Uint8Array): number => {
  let count = 0;
  for (let at = 3; at < frame.length; at += 4) if ((frame[at] ?? 0) > 0) count++;
  return count;
};

test("a line's pixels appear when it was said and vanish when it is old", async () => {
  const frames = [...chatFrames(await chatOf([line("a", 2000, "hello there")]), FPS, 30 * FPS)];
  const first = frames.findIndex((frame) => inked(frame) > 0);
  const last = frames.findLastIndex((frame) => inked(frame) > 0);
  // It comes in from below: in the first frame nothing of it is seen yet.
  expect(first).toBe(2 * FPS + 1);
  expect(last).toBeLessThan(((2000 + LINE_KEPT_MS) / 1000) * FPS);
  expect(last).toBeGreaterThan(((1000 + LINE_KEPT_MS) / 1000) * FPS);
});

test("a deleted line draws no pixel, though it was deleted after the clip", async () => {
  const removed: ChatModeration = {
    id: "m",
    channelId: "1",
    sentAtMs: 900_000,
    action: "delete",
    targetMessageId: "bad",
  };
  const without = [...chatFrames(await chatOf([line("a", 1000, "fine")]), FPS, 60)];
  const withDeleted = [
    ...chatFrames(await chatOf([line("a", 1000, "fine"), line("bad", 2000, "slur")], [removed]), FPS, 60),
  ];
  expect(withDeleted.map((frame) => Buffer.from(frame).toString("base64"))).toEqual(
    without.map((frame) => Buffer.from(frame).toString("base64")),
  );
});

test("nothing is drawn again while nothing changes", async () => {
  const frames = [...chatFrames(await chatOf([line("a", 0, "one"), line("b", 3000, "two")]), FPS, 6 * FPS)];
  // Two lines come in over a quarter of a second each.
  expect(new Set(frames).size).toBeLessThan(14);
});

test("alpha is straight, as ffmpeg takes it: the ground has its own colour, however thin it is", async () => {
  const [frame = new Uint8Array()] = chatFrames(await chatOf([line("a", -1000, "white")]), FPS, 1);
  expect(inked(frame)).toBeGreaterThan(500);
  const thin = [];
  for (let at = 0; at < frame.length; at += 4)
    if (frame[at + 3] === Math.round(look.opacity * 255)) thin.push(frame[at] ?? 0);
  expect(thin.length).toBeGreaterThan(500);
  for (const red of thin) expect(Math.abs(red - 0x12)).toBeLessThanOrEqual(2);
});

test("animated emotes move at their own delays, broken and missing ones are names", async () => {
  const solid = (r: number, g: number): Promise<Buffer> =>
    sharp({ create: { width: 28, height: 28, channels: 4, background: { r, g, b: 0, alpha: 1 } } })
      .png()
      .toBuffer();
  const moving = await sharp([await solid(255, 0), await solid(0, 255)], { join: { animated: true } })
    .webp({ loop: 0, delay: [200, 400], lossless: true })
    .toBuffer();
  const cache = cacheOf({ "1": moving, "2": Buffer.from("GIF89a then nothing"), "4": await solid(0, 0) });
  const said = line("a", -1000, "K L M", {
    emotes: [
      ["twitch:1", "K", 0, 0],
      ["twitch:2", "L", 2, 2],
      ["twitch:3", "M", 4, 4],
    ],
  });
  const chat = await chatOf([said], [], cache);
  expect(
    ["twitch:1", "twitch:2", "twitch:3", "evil:../../x"].map((ref) => chat.pictures.aspectOf(ref)),
  ).toEqual([1, null, null, null]);
  expect([0, 199, 200, 599, 600].map((tMs) => chat.pictures.frameOf("twitch:1", tMs)?.index)).toEqual([
    0, 0, 1, 1, 0,
  ]);
  const written = chat.lines[0]?.pieces.flatMap((piece) => (piece.kind === "text" ? [piece.text] : []));
  expect(written).toContain("L M");
  const [red, green] = [0, 4].map((i) => [...chatFrames(chat, FPS, 5)][i] ?? new Uint8Array());
  const has = (frame: Uint8Array | undefined, part: number): boolean => {
    for (let at = 0; at < (frame?.length ?? 0); at += 4)
      if (
        (frame?.[at + part] ?? 0) > 200 &&
        (frame?.[at + 1 - part] ?? 0) < 60 &&
        (frame?.[at + 2] ?? 0) < 60
      )
        return true;
    return false;
  };
  expect([has(red, 0), has(red, 1), has(green, 0), has(green, 1)]).toEqual([true, false, false, true]);
});

test("every script that chat writes has letters here, not empty boxes", () => {
  const pen = createCanvas(64, 64).getContext("2d");
  const drawn = (text: string): string => {
    pen.clearRect(0, 0, 64, 64);
    pen.fillStyle = "#fff";
    pen.font = `24px "Noto Sans", "Noto Color Emoji", sans-serif`;
    pen.fillText(text, 4, 40);
    return Buffer.from(pen.getImageData(0, 0, 64, 64).data).toString("base64");
  };
  const missing = drawn("\u{10ffff}");
  for (const letter of ["ж", "日", "한", "م", "ש", "ไ", "😂"]) expect(drawn(letter)).not.toBe(missing);
});
