import { createWriteStream, readFileSync } from "node:fs";
import { mkdir, mkdtemp, open, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { uploadPrefix } from "@hypecast/contracts/upload.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import { OPEN_FILES } from "../../media/isolation.ts";
import { ImportFailure } from "../chat/failure.ts";

/** Containers that name no other files; playlists and AVI with its subtitle tricks are none of them. */
const CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,flv,mpeg,ogg";
/** Besides the pieces. */
const OTHER_FILES = 56;
const MOST_PIECES = 4000;
/** As many pieces can be open at once: uploads of 60 GB, where the machine allows it. What came in more is put together first. */
const mostPieces = (): number => {
  const hard = /^Max open files\s+\S+\s+(\d+|unlimited)/m.exec(limitsOf())?.[1];
  const open = hard === "unlimited" ? Infinity : hard === undefined ? OPEN_FILES : Number(hard);
  return Math.min(MOST_PIECES, open - OTHER_FILES);
};
function limitsOf(): string {
  try {
    return readFileSync("/proc/self/limits", "utf8");
  } catch {
    return "";
  }
}

/** A file as ffmpeg and ffprobe may read it, and nothing else. */
export interface FfmpegInput {
  /** Options and, last, its name. `-i` stands between for ffmpeg. */
  readonly options: readonly string[];
  readonly name: string;
  readonly bytes: number;
  /** How many files are open while it is read. */
  readonly openFiles: number;
  /** Its first bytes: what it is where it is no video. */
  readonly head: Uint8Array;
  release(): Promise<void>;
}

/** A file of this machine. */
export async function openLocalFile(address: string): Promise<FfmpegInput> {
  const path = fileURLToPath(address);
  const found = await stat(path).catch(() => null);
  if (found?.isFile() !== true)
    throw new ImportFailure("not_found", `There is no file ${path}.`, "Check the path.");
  const head = await beginningOf(path);
  return { ...inputOf(`file:${path}`, "file"), bytes: found.size, head, release: async () => undefined };
}

/** An upload, whose pieces lie in `objects`: read where they are, as one file. */
export async function openUpload(id: string, objects: Objects, scratch: string): Promise<FfmpegInput> {
  const pieces: { key: string; bytes: number }[] = [];
  for await (const { key, bytes } of objects.list(uploadPrefix(id)))
    if (bytes > 0) pieces.push({ key, bytes });
  pieces.sort((a, b) => (a.key < b.key ? -1 : 1));
  if (pieces.length === 0)
    throw new ImportFailure("not_found", "The uploaded video is not here any more.", "Upload it again.");
  const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
  await mkdir(scratch, { recursive: true });
  await sweep(scratch, Date.now());
  const folder = await mkdtemp(join(scratch, "upload-"));
  const opened: { path: string; release(): Promise<void> }[] = [];
  const release = async (): Promise<void> => {
    for (const one of opened) await one.release().catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    if (pieces.length > mostPieces()) {
      const whole = join(folder, "whole");
      await pipeline(Readable.from(bytesOf(pieces, objects)), createWriteStream(whole));
      return { ...inputOf(`file:${whole}`, "file"), bytes, head: await beginningOf(whole), release };
    }
    for (const { key } of pieces) {
      const file = await objects.file(key);
      if (file === null)
        throw new ImportFailure("not_found", "A piece of the uploaded video is gone.", "Upload it again.");
      opened.push(file);
    }
    const [first] = opened;
    if (first === undefined) throw new Error("an upload without pieces");
    const head = await beginningOf(first.path);
    if (opened.length === 1) return { ...inputOf(`file:${first.path}`, "file"), bytes, head, release };
    const list = join(folder, "pieces");
    await writeFile(list, opened.map(({ path }) => `file:${path}\n`).join(""));
    return {
      ...inputOf(`concatf:${list}`, "concatf,file", Math.max(OPEN_FILES, opened.length + OTHER_FILES)),
      bytes,
      head,
      release,
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** What a kill has left: no import takes so long. */
const LEFT_BEHIND_MS = 24 * 3_600_000;
async function sweep(scratch: string, nowMs: number): Promise<void> {
  for (const name of await readdir(scratch)) {
    const folder = join(scratch, name);
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Infinity }));
    if (nowMs - mtimeMs > LEFT_BEHIND_MS) await rm(folder, { recursive: true, force: true });
  }
}

const HEAD_BYTES = 512;
async function beginningOf(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function* bytesOf(pieces: readonly { key: string }[], objects: Objects): AsyncGenerator<Uint8Array> {
  for (const { key } of pieces) {
    const found = await objects.read(key);
    if (found === null)
      throw new ImportFailure("not_found", "A piece of the uploaded video is gone.", "Upload it again.");
    yield* found.body;
  }
}

const inputOf = (
  name: string,
  protocols: string,
  openFiles = OPEN_FILES,
): Pick<FfmpegInput, "options" | "name" | "openFiles"> => ({
  options: ["-protocol_whitelist", protocols, "-format_whitelist", CONTAINERS],
  name,
  openFiles,
});
