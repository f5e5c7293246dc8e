import { createReadStream } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Writable } from "node:stream";
import type { NatsConnection } from "@nats-io/transport-node";
import { spanProblem, type ChannelLayout, type Clip, type ClipLayout } from "@hypecast/contracts/clip.ts";
import { thumbKey } from "@hypecast/contracts/object-keys.ts";
import { LINE_KEPT_MS, overlayBox, overlayLines } from "@hypecast/contracts/overlay-layout.ts";
import type { EmoteCache } from "@hypecast/runtime/emotes/cache.ts";
import { readKeptVideo } from "@hypecast/runtime/kept-video.ts";
import { DiskFull, type Objects } from "@hypecast/runtime/objects.ts";
import { chatFrames, measureWith, type Chat } from "./chat/draw.ts";
import { loadPictures } from "./chat/pictures.ts";
import { readSpoken } from "./chat/spoken.ts";
import {
  baseSize,
  CHAT_FPS,
  copyArgs,
  exactArgs,
  fileName,
  gainTo,
  hasSound,
  joinArgs,
  layoutSize,
  partArgs,
  lengthOf,
  loudnessIn,
  measureArgs,
  thumbnailArgs,
  type ExactOutput,
  type Input,
} from "./cut.ts";
import { ClipFailure, diskFull } from "./failure.ts";
import { runFfmpeg, writeTo } from "./ffmpeg.ts";
import { gather, READ_BEFORE_MS, type Material } from "./material.ts";
import { mp4Facts } from "./mp4-facts.ts";
import { lagAt, momentOf } from "./told.ts";

export interface RenderTools {
  readonly nc: NatsConnection;
  readonly objects: Objects;
  readonly emotes: EmoteCache;
  /** Of one encoder. */
  readonly threads: number;
}

export type Rendered = Pick<Clip, "leftOut" | "files" | "thumbKey">;
type Told = (stage: Clip["stage"], progress: number) => void;

/** Lines that are quoted may be older than those that are shown. */
const QUOTED_MS = 60_000;
/** Where a clip without a moment is at its best: nobody knows. */
const THUMBNAIL_SHARE = 0.4;

export const clipKey = (id: string, name: string): string => `clips/${id}/${name}`;

/** Makes all files of a clip and stores them; on failure none of them is left. Rejects with ClipFailure, or with the signal's reason. */
export async function render(
  clip: Clip,
  layout: ChannelLayout,
  folder: string,
  tools: RenderTools,
  signal: AbortSignal,
  tell: Told,
): Promise<Rendered> {
  const problem = spanProblem(clip, { oldestMs: -Infinity, newestMs: Infinity });
  if (problem !== null) throw new ClipFailure(problem.code, problem.detail, problem.action);
  try {
    tell("segments", 0);
    const kept = await readKeptVideo(
      tools,
      clip.channelId,
      clip.startMs - READ_BEFORE_MS,
      clip.endMs + READ_BEFORE_MS,
    );
    const material = await gather(clip, kept, tools.objects, folder, signal);
    try {
      const thumbnail = {
        atS: await peakIn(clip, material.inputs, tools.nc),
        path: join(folder, "thumb.jpg"),
      };
      const made =
        clip.cut === "instant" && canCopy(material.inputs)
          ? await copyFiles(clip, material, folder, thumbnail, tools.objects, signal, tell)
          : await encodeFiles(clip, layout, material, folder, thumbnail, tools, signal, tell);
      tell("finish", 0.95);
      return await store(clip, made, thumbnail.path, material, tools.objects, signal);
    } finally {
      await material.release();
    }
  } catch (error) {
    throw isFull(error) ? diskFull(error) : error;
  }
}

const isFull = (error: unknown): boolean =>
  error instanceof DiskFull ||
  (error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT"));

interface Thumbnail {
  readonly atS: number;
  readonly path: string;
}

interface Made {
  readonly layout: ClipLayout;
  readonly path: string;
  readonly startMs: number;
}

/** A copy needs one decoder all the way, and one that every player has. */
function canCopy(inputs: readonly Input[]): boolean {
  const [first] = inputs;
  return inputs.every(
    ({ cut }) =>
      cut.codec === "h264" &&
      cut.size.width === first?.cut.size.width &&
      cut.size.height === first.cut.size.height &&
      cut.hasSound === first.cut.hasSound,
  );
}

async function copyFiles(
  clip: Clip,
  { inputs }: Material,
  folder: string,
  thumbnail: Thumbnail,
  objects: Objects,
  signal: AbortSignal,
  tell: Told,
): Promise<Made[]> {
  tell("render", 0.1);
  const path = join(folder, fileName("16:9"));
  const [first] = inputs;
  if (inputs.length === 1) await runFfmpeg({ args: copyArgs(first, clip.title, path), signal });
  else {
    const names = [];
    for (const [i, input] of inputs.entries()) {
      const name = `part-${i}.ts`;
      await runFfmpeg({ args: partArgs(input, join(folder, name)), signal });
      names.push(name);
      tell("render", 0.1 + (0.8 * (i + 1)) / inputs.length);
    }
    const list = join(folder, "parts.txt");
    await writeFile(list, `ffconcat version 1.0\n${names.map((name) => `file ${name}\n`).join("")}`);
    await runFfmpeg({ args: joinArgs(list, clip.title, path), signal });
  }
  // The one that was made when the segment was measured costs nothing.
  const measured = await measuredThumbnail(inputs, thumbnail.atS, objects);
  if (measured === null)
    await runFfmpeg({ args: thumbnailArgs(path, thumbnail.atS, thumbnail.path), signal });
  else await writeFile(thumbnail.path, measured);
  return [{ layout: "16:9", path, startMs: first.cut.keyframeMs }];
}

async function measuredThumbnail(
  inputs: readonly Input[],
  atS: number,
  objects: Objects,
): Promise<Buffer | null> {
  let beforeS = 0;
  for (const { cut } of inputs) {
    const lengthS = cut.endS - cut.startS;
    const atMs = cut.startMs + (atS - beforeS) * 1000;
    const segment =
      atS < beforeS + lengthS &&
      cut.run.segments.find(({ startMs, durationMs }) => atMs < startMs + durationMs);
    if (segment) return objects.get(thumbKey(segment.channelId, segment.epoch, segment.seq));
    beforeS += lengthS;
  }
  return null;
}

async function encodeFiles(
  clip: Clip,
  layout: ChannelLayout,
  { inputs }: Material,
  folder: string,
  thumbnail: Thumbnail,
  tools: RenderTools,
  signal: AbortSignal,
  tell: Told,
): Promise<Made[]> {
  const totalS = lengthOf(inputs);
  let gainDb: number | null = null;
  if (clip.normalise && clip.cut === "exact" && hasSound(inputs)) {
    const lufs = loudnessIn(await runFfmpeg({ args: measureArgs(inputs), signal }));
    gainDb = lufs === null ? null : gainTo(lufs);
  }
  tell("chat", 0.05);
  const base = baseSize(inputs);
  const choices = [...new Set(clip.layouts)].map((one) => ({
    layout: one,
    cropX: clip.cropX,
    facecam: layout.facecam,
  }));
  const chats =
    clip.chat.on && clip.cut === "exact"
      ? await composeChats(
          clip,
          choices.map((choice) => ({ layout: choice.layout, size: layoutSize(choice, base) })),
          inputs,
          tools,
          signal,
        )
      : [];
  const outputs: ExactOutput[] = choices.map((choice, i) => ({
    choice,
    chat: chats[i] ?? null,
    path: join(folder, fileName(choice.layout)),
  }));
  tell("render", 0.1);
  await runFfmpeg({
    args: exactArgs({ inputs, outputs, gainDb, threads: tools.threads, title: clip.title, thumbnail }),
    signal,
    progress: (doneS) => tell("render", 0.1 + 0.85 * Math.min(1, doneS / totalS)),
    inputs: chats.map((chat) => async (pipe: Writable) => {
      for (const bytes of chatFrames(chat, CHAT_FPS, Math.ceil(totalS * CHAT_FPS) + 1))
        await writeTo(pipe, bytes);
    }),
  });
  return outputs.map(({ choice, path }) => ({
    layout: choice.layout,
    path,
    startMs: inputs[0]?.cut.startMs ?? clip.startMs,
  }));
}

/** What chat shows in each layout. */
async function composeChats(
  clip: Clip,
  layouts: readonly { layout: ClipLayout; size: { width: number; height: number } }[],
  inputs: readonly Input[],
  { nc, emotes }: RenderTools,
  signal: AbortSignal,
): Promise<Chat[]> {
  const shiftMs = clip.chat.shiftMs ?? (await lagOf(clip, nc));
  const { lines, moderation } = await readSpoken(
    nc,
    clip.channelId,
    clip.startMs + shiftMs - LINE_KEPT_MS - QUOTED_MS,
    clip.endMs + shiftMs,
  );
  const clipTime = clipTimeOf(inputs);
  const chats: Chat[] = [];
  for (const { layout, size } of layouts) {
    const box = overlayBox(layout, clip.chat, size);
    const pictures =
      chats.find((chat) => chat.box.fontPx === box.fontPx)?.pictures ??
      (await loadPictures(lines, emotes, box.fontPx, signal));
    chats.push({
      box,
      look: clip.chat,
      pictures,
      lines: overlayLines(lines, moderation, {
        box,
        measure: measureWith(clip.chat, box.fontPx),
        aspectOf: (ref) => pictures.aspectOf(ref),
        clipTime,
        shiftMs,
      }),
    });
  }
  return chats;
}

async function lagOf(clip: Clip, nc: NatsConnection): Promise<number> {
  const moment =
    clip.momentId === null ? null : await momentOf(nc, clip.channelId, clip.momentId, clip.startMs);
  return moment?.lagMs ?? lagAt(nc, clip.channelId, clip.endMs);
}

/** Where a moment of the stream stands in the clip; null where it was left out. */
function clipTimeOf(inputs: readonly Input[]): (streamMs: number) => number | null {
  let atMs = 0;
  const parts = inputs.map(({ cut }) => {
    const part = { fromMs: cut.startMs, lengthMs: (cut.endS - cut.startS) * 1000, atMs };
    atMs += part.lengthMs;
    return part;
  });
  return (streamMs) => {
    const [first] = parts;
    if (first !== undefined && streamMs < first.fromMs) return streamMs - first.fromMs;
    const part = parts.find(({ fromMs, lengthMs }) => streamMs >= fromMs && streamMs < fromMs + lengthMs);
    return part === undefined ? null : part.atMs + streamMs - part.fromMs;
  };
}

/** Seconds into the clip of what it was made for. */
async function peakIn(clip: Clip, inputs: readonly Input[], nc: NatsConnection): Promise<number> {
  const totalS = lengthOf(inputs);
  const moment =
    clip.momentId === null ? null : await momentOf(nc, clip.channelId, clip.momentId, clip.startMs);
  const shown = moment === null ? null : clipTimeOf(inputs)(moment.onsetMs);
  return shown === null || shown < 0 ? totalS * THUMBNAIL_SHARE : Math.min(shown / 1000, totalS - 0.2);
}

async function store(
  clip: Clip,
  made: readonly Made[],
  thumb: string,
  { leftOut }: Material,
  objects: Objects,
  signal: AbortSignal,
): Promise<Rendered> {
  const keys: string[] = [];
  const keep = async (path: string, name: string): Promise<{ key: string; bytes: number }> => {
    signal.throwIfAborted();
    const key = clipKey(clip.id, name);
    keys.push(key);
    return { key, bytes: await objects.put(key, createReadStream(path)) };
  };
  try {
    const files: Clip["files"] = [];
    for (const { layout, path, startMs } of made) {
      const facts = await mp4Facts(path);
      files.push({ layout, ...(await keep(path, fileName(layout))), ...facts, startMs });
      // What is stored needs no second place on the disk.
      await rm(path);
    }
    const { key: thumbKey } = await keep(thumb, "thumb.jpg");
    return { leftOut: [...leftOut], files, thumbKey };
  } catch (error) {
    for (const key of keys) await objects.remove(key).catch(() => undefined);
    throw error;
  }
}
