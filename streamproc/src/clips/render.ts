import { createReadStream } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Writable } from "node:stream";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  filmProblem,
  spanProblem,
  type ChannelLayout,
  type Clip,
  type ClipLayout,
  type ClipPart,
} from "@hypecast/contracts/clip.ts";
import { thumbKey } from "@hypecast/contracts/object-keys.ts";
import { LINE_KEPT_MS, overlayBox, overlayLines, standingLines } from "@hypecast/contracts/overlay-layout.ts";
import { vodIdOf } from "@hypecast/contracts/vod.ts";
import type { EmoteCache } from "@hypecast/runtime/emotes/cache.ts";
import { readKeptVideo } from "@hypecast/runtime/kept-video.ts";
import { fetchVodSegment } from "@hypecast/runtime/vod-fetch.ts";
import { DiskFull, type Objects } from "@hypecast/runtime/objects.ts";
import { aloneLook, aloneSize, ALONE, CURVE_COLUMNS, paintGround } from "./chat/alone.ts";
import { curveOf } from "./chat/curve.ts";
import { chatFrames, measureWith, type Chat } from "./chat/draw.ts";
import { partTitle, titleFrames } from "./chat/part-title.ts";
import { loadPictures } from "./chat/pictures.ts";
import { readSpoken } from "./chat/spoken.ts";
import {
  aloneArgs,
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
  type InFilm,
  type Input,
  type Laid,
} from "./cut.ts";
import { ClipFailure, diskFull } from "./failure.ts";
import { runFfmpeg, writeTo } from "./ffmpeg.ts";
import type { PictureSize } from "./h264-size.ts";
import { landscape } from "./layouts.ts";
import { gather, READ_BEFORE_MS, type Material } from "./material.ts";
import { mp4Facts } from "./mp4-facts.ts";
import { lagAt, momentOf } from "./told.ts";

export interface RenderTools {
  readonly nc: NatsConnection;
  readonly objects: Objects;
  readonly emotes: EmoteCache;
  /** What a person has set for a channel: where its camera stands. */
  layoutOf(login: string): Promise<ChannelLayout>;
  /** What stands on a picture of chat alone: whose it is. */
  nameOf(login: string): Promise<string>;
  /** What stands for a chatter beside the files, where nobody is named. */
  readonly chatterHash: (userId: string) => string;
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
/** Whose lines are in its pictures, as a list of keyed hashes: who is to be forgotten is found by it. Nobody is sent it. */
export const clipChattersKey = (id: string): string => clipKey(id, "chatters.json");

/** Makes all files of a clip and stores them; on failure none of them is left. Rejects with ClipFailure, or with the signal's reason. */
export async function render(
  clip: Clip,
  folder: string,
  tools: RenderTools,
  signal: AbortSignal,
  tell: Told,
): Promise<Rendered> {
  const job: Job = { clip, folder, thumb: join(folder, "thumb.jpg"), drawn: new Set(), tools, signal, tell };
  try {
    tell("segments", 0);
    const { made, leftOut } =
      clip.parts.length > 0 ? await renderFilm(job) : await renderStretch(clip, null, job);
    tell("finish", 0.95);
    return await store(job, made, leftOut);
  } catch (error) {
    throw isFull(error) ? diskFull(error) : error;
  }
}

const isFull = (error: unknown): boolean =>
  error instanceof DiskFull ||
  (error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT"));

/** One clip's rendering: what everything in it needs. */
interface Job {
  readonly clip: Clip;
  readonly folder: string;
  /** Where the thumbnail is to be. */
  readonly thumb: string;
  /** User ids of those whose lines may be in the picture. */
  readonly drawn: Set<string>;
  readonly tools: RenderTools;
  readonly signal: AbortSignal;
  readonly tell: Told;
}

/** What is shown in one go. */
type Stretch = Pick<Clip, "login" | "channelId" | "startMs" | "endMs" | "picture">;

/** A stretch as a part of a film. */
interface Part extends InFilm {
  /** Its number and what it is called; null: nothing is written. */
  readonly heading: string | null;
}

interface Thumbnail {
  readonly atS: number;
  readonly path: string;
}

interface Made {
  readonly layout: ClipLayout;
  readonly path: string;
  readonly startMs: number;
}
interface AllMade {
  readonly made: readonly Made[];
  readonly leftOut: Clip["leftOut"];
}

async function renderStretch(stretch: Stretch, part: Part | null, job: Job): Promise<AllMade> {
  const problem = spanProblem(stretch, { oldestMs: -Infinity, newestMs: Infinity });
  if (problem !== null) throw new ClipFailure(problem.code, problem.detail, problem.action);
  return stretch.picture === "chat" ? renderAlone(stretch, part, job) : renderVideo(stretch, part, job);
}

async function renderVideo(stretch: Stretch, part: Part | null, job: Job): Promise<AllMade> {
  const { clip, folder, tools, signal } = job;
  const kept = await readKeptVideo(
    tools,
    stretch.channelId,
    stretch.startMs - READ_BEFORE_MS,
    stretch.endMs + READ_BEFORE_MS,
  );
  const material = await gather(
    stretch,
    kept,
    tools.objects,
    ({ channelId, seq }) => fetchVodSegment(tools.nc, channelId, seq),
    folder,
    signal,
  );
  try {
    const thumbnail = { atS: await peakIn(stretch, material.inputs, job), path: job.thumb };
    const made =
      part === null && clip.cut === "instant" && canCopy(material.inputs)
        ? await copyFiles(material, thumbnail, job)
        : await encodeFiles(stretch, part, material, thumbnail, job);
    return { made, leftOut: [...material.leftOut] };
  } finally {
    await material.release();
  }
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

async function copyFiles({ inputs }: Material, thumbnail: Thumbnail, job: Job): Promise<Made[]> {
  const { clip, folder, tools, signal, tell } = job;
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
  const measured = await measuredThumbnail(inputs, thumbnail.atS, tools.objects);
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
  stretch: Stretch,
  part: Part | null,
  { inputs }: Material,
  thumbnail: Thumbnail,
  job: Job,
): Promise<Made[]> {
  const { clip, folder, tools, signal, tell } = job;
  const isExact = part !== null || clip.cut === "exact";
  const totalS = lengthOf(inputs);
  let gainDb: number | null = null;
  if (clip.normalise && isExact && hasSound(inputs)) {
    const lufs = loudnessIn(await runFfmpeg({ args: measureArgs(inputs), signal }));
    gainDb = lufs === null ? null : gainTo(lufs);
  }
  tell("chat", 0.05);
  const base = part?.base ?? baseSize(inputs);
  const { facecam } = await tools.layoutOf(stretch.login);
  const choices = layoutsOf(clip).map((layout) => ({ layout, cropX: clip.cropX, facecam }));
  const sizes = choices.map((choice) => layoutSize(choice, base));
  const chats =
    clip.chat.on && isExact
      ? await composeChats(
          stretch,
          choices.map(({ layout }, i) => ({ layout, size: sizes[i] ?? base })),
          inputs,
          job,
        )
      : [];
  const frames = Math.ceil(totalS * CHAT_FPS) + 1;
  const feeds: Feed[] = [];
  const outputs: ExactOutput[] = choices.map((choice, i) => {
    const laid: Laid[] = [];
    const chat = chats[i];
    if (chat !== undefined) {
      laid.push({ box: chat.box });
      feeds.push(feed(() => chatFrames(chat, CHAT_FPS, frames)));
    }
    if (part !== null && part.heading !== null) {
      const title = partTitle(part.heading, sizes[i] ?? base);
      laid.push({ box: title.box });
      feeds.push(feed(() => titleFrames(title, CHAT_FPS)));
    }
    return { choice, laid, path: join(folder, part === null ? fileName(choice.layout) : `${i}.part.ts`) };
  });
  tell("render", 0.1);
  await runFfmpeg({
    args: exactArgs({
      ...{ inputs, outputs, gainDb, threads: tools.threads, title: clip.title, film: part, thumbnail },
    }),
    signal,
    progress: (doneS) => tell("render", 0.1 + 0.85 * Math.min(1, doneS / totalS)),
    inputs: feeds,
  });
  return outputs.map(({ choice, path }) => ({
    layout: choice.layout,
    path,
    startMs: inputs[0]?.cut.startMs ?? stretch.startMs,
  }));
}

type Feed = (pipe: Writable) => Promise<void>;
const feed =
  (frames: () => Iterable<Uint8Array>): Feed =>
  async (pipe) => {
    for (const bytes of frames()) await writeTo(pipe, bytes);
  };

const layoutsOf = (clip: Clip): ClipLayout[] => [...new Set(clip.layouts)];

/** Chat without a picture: every layout is drawn for itself. */
async function renderAlone(stretch: Stretch, part: Part | null, job: Job): Promise<AllMade> {
  const { clip, folder, drawn, tools, signal, tell } = job;
  const { channelId, startMs, endMs } = stretch;
  tell("chat", 0.02);
  const { lines, moderation } = await readSpoken(
    tools.nc,
    channelId,
    startMs - LINE_KEPT_MS - QUOTED_MS,
    endMs,
    signal,
  );
  for (const { userId } of lines) drawn.add(userId);
  const inside = standingLines(lines, moderation).filter(
    ({ sentAtMs }) => sentAtMs >= startMs && sentAtMs < endMs,
  );
  if (inside.length === 0) throw nothingSaid(stretch, Date.now());
  const stream = await tools.nameOf(stretch.login);
  const columns = curveOf(inside, startMs, endMs, CURVE_COLUMNS);
  const liveliest = columns.findIndex(({ height }) => height === 1);
  const lengthS = (endMs - startMs) / 1000;
  const thumbS = Math.max(0, Math.min(lengthS - 1, ((liveliest + 2) / CURVE_COLUMNS) * lengthS));
  const layouts = layoutsOf(clip);
  const made: Made[] = [];
  for (const [i, layout] of layouts.entries()) {
    const choice = { layout, cropX: clip.cropX, facecam: null };
    const size = part === null ? aloneSize(layout) : layoutSize(choice, part.base);
    const look = aloneLook(layout, size, clip.chat);
    const pictures = await loadPictures(lines, tools.emotes, look.chat.fontPx, signal);
    const chat: Chat = {
      box: look.chat,
      look: { font: clip.chat.font, opacity: ALONE_OPACITY },
      pictures,
      lines: overlayLines(lines, moderation, {
        box: look.chat,
        measure: measureWith(clip.chat, look.chat.fontPx),
        aspectOf: (ref) => pictures.aspectOf(ref),
        clipTime: (streamMs) => streamMs - startMs,
        // There is no picture that it could be too late for.
        shiftMs: 0,
      }),
    };
    const ground = paintGround(look, columns, { title: part?.heading ?? clip.title, stream });
    const path = join(folder, part === null ? fileName(layout) : `${i}.part.ts`);
    await runFfmpeg({
      args: aloneArgs({
        size,
        lengthS,
        laid: [{ box: chat.box }],
        curve: look.curve,
        film: part !== null,
        threads: tools.threads,
        title: `${clip.title} (chat only)`.trim(),
        path,
        thumbnail: i === 0 ? { atS: thumbS, path: job.thumb } : null,
      }),
      signal,
      progress: (doneS) => tell("render", 0.1 + (0.85 * (i + Math.min(1, doneS / lengthS))) / layouts.length),
      inputs: [
        (pipe) => writeTo(pipe, ground),
        feed(() => chatFrames(chat, CHAT_FPS, Math.ceil(lengthS * CHAT_FPS) + 1)),
      ],
    });
    made.push({ layout, path, startMs });
  }
  return { made, leftOut: [] };
}

/** Letters on the picture's own dark ground need little more. */
const ALONE_OPACITY = 0.3;
/** A live channel's lines stand on the log for so long. */
const LINES_KEPT_MS = 47 * 3_600_000;

function nothingSaid({ channelId, startMs, endMs }: Stretch, nowMs: number): ClipFailure {
  const isLive = vodIdOf(channelId) === null;
  if (isLive && endMs > nowMs)
    return new ClipFailure(
      "not_yet",
      "The clip would end in the future.",
      "Wait until the stream is there, or choose an earlier end.",
    );
  if (isLive && startMs < nowMs - LINES_KEPT_MS)
    return new ClipFailure(
      "not_kept",
      "The chat of that time is not kept any more.",
      "Choose a later start.",
    );
  return new ClipFailure("nothing_left", "Nobody wrote anything in this span.", "Choose another span.");
}

/** All parts alike, each with its number over its beginning, joined without encoding them again. */
async function renderFilm(job: Job): Promise<AllMade> {
  const { clip, folder, tools, signal, tell } = job;
  const problem = filmProblem(clip.parts);
  if (problem !== null) throw new ClipFailure(problem.code, problem.detail, problem.action);
  const base = await filmSize(clip.parts, tools);
  const layouts = layoutsOf(clip);
  const leftOut: Clip["leftOut"] = [];
  let startMs: number | null = null;
  for (const [i, stretch] of clip.parts.entries()) {
    const room = join(folder, `part-${i}`);
    await mkdir(room);
    const heading = clip.titles ? `${i + 1}  ${stretch.title}`.trim() : null;
    const done = await renderStretch(
      stretch,
      { base, heading },
      {
        ...job,
        folder: room,
        thumb: i === 0 ? job.thumb : join(room, "thumb.jpg"),
        tell: (stage, progress) => tell(stage, (0.95 * (i + progress)) / clip.parts.length),
      },
    ).catch((error: unknown) => {
      throw error instanceof ClipFailure ? inPart(i + 1, error) : error;
    });
    leftOut.push(...done.leftOut);
    startMs ??= done.made[0]?.startMs ?? stretch.startMs;
  }
  const made: Made[] = [];
  for (const [i, layout] of layouts.entries()) {
    const list = join(folder, `parts-${i}.txt`);
    const names = clip.parts.map((_, n) => `file part-${n}/${i}.part.ts\n`);
    await writeFile(list, `ffconcat version 1.0\n${names.join("")}`);
    const path = join(folder, fileName(layout));
    await runFfmpeg({ args: joinArgs(list, clip.title, path), signal });
    made.push({ layout, path, startMs: startMs ?? clip.startMs });
  }
  return { made, leftOut };
}

const inPart = (number: number, { error }: ClipFailure): ClipFailure =>
  new ClipFailure(error.code, `Part ${number}: ${error.detail}`, error.action);

/** As large as the largest picture of its parts; of chat alone, as that is drawn. */
async function filmSize(parts: readonly ClipPart[], tools: RenderTools): Promise<PictureSize> {
  let largest: PictureSize | null = null;
  for (const { picture, channelId, startMs, endMs } of parts) {
    if (picture === "chat") continue;
    const { segments } = await readKeptVideo(tools, channelId, startMs, endMs);
    for (const { source } of segments)
      if (source !== null && source.width * source.height > (largest?.width ?? 0) * (largest?.height ?? 0))
        largest = { width: source.width, height: source.height };
  }
  return largest === null ? ALONE : landscape(largest);
}

/** What chat shows in each layout. */
async function composeChats(
  stretch: Stretch,
  layouts: readonly { layout: ClipLayout; size: PictureSize }[],
  inputs: readonly Input[],
  job: Job,
): Promise<Chat[]> {
  const { clip, signal } = job;
  const { nc, emotes } = job.tools;
  const shiftMs = clip.chat.shiftMs ?? (await lagOf(stretch, job));
  const { lines, moderation } = await readSpoken(
    nc,
    stretch.channelId,
    stretch.startMs + shiftMs - LINE_KEPT_MS - QUOTED_MS,
    stretch.endMs + shiftMs,
    signal,
  );
  for (const { userId } of lines) job.drawn.add(userId);
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

async function lagOf({ channelId, startMs, endMs }: Stretch, { clip, tools }: Job): Promise<number> {
  const moment = clip.momentId === null ? null : await momentOf(tools.nc, channelId, clip.momentId, startMs);
  return moment?.lagMs ?? lagAt(tools.nc, channelId, endMs);
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
async function peakIn(
  { channelId, startMs }: Stretch,
  inputs: readonly Input[],
  { clip, tools }: Job,
): Promise<number> {
  const totalS = lengthOf(inputs);
  const moment = clip.momentId === null ? null : await momentOf(tools.nc, channelId, clip.momentId, startMs);
  const shown = moment === null ? null : clipTimeOf(inputs)(moment.onsetMs);
  return shown === null || shown < 0 ? totalS * THUMBNAIL_SHARE : Math.min(shown / 1000, totalS - 0.2);
}

async function store(
  { clip, thumb, drawn, tools: { objects, chatterHash }, signal }: Job,
  made: readonly Made[],
  leftOut: Clip["leftOut"],
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
    const chatters = [...drawn].map(chatterHash);
    keys.push(clipChattersKey(clip.id));
    await objects.put(clipChattersKey(clip.id), Buffer.from(JSON.stringify(chatters)));
    return { leftOut, files, thumbKey };
  } catch (error) {
    for (const key of keys) await objects.remove(key).catch(() => undefined);
    throw error;
  }
}
