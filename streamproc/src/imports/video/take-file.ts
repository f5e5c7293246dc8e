import type { Rendition } from "@hypecast/contracts/video.ts";
import { segmentKey } from "@hypecast/contracts/object-keys.ts";
import type { VodError } from "@hypecast/contracts/vod.ts";
import { parametersIn, sizeIn, type PictureSize } from "../../clips/h264-size.ts";
import { inOrder } from "../../media/in-order.ts";
import { demuxTs } from "../../media/mpegts.ts";
import { timed, Uncuttable, type Piece, type TimedPiece } from "./cut-ts.ts";
import { filePieces, notAVideo, type FileFacts } from "./file.ts";
import type { FfmpegInput } from "./ffmpeg-input.ts";
import type { Told } from "./told.ts";
import type { OfVod, VideoTools } from "./tools.ts";

/** About four seconds a segment: a keyframe every two is usual. Above the most, or above what a media worker takes, the picture is encoded anew. */
const CUT = { targetMs: 4000, mostMs: 20_000, mostBytes: 48_000_000 };
/** Less than this is not worth a seek. */
const SEEK_FROM_MS = 60_000;
const SAME_MS = 50;
/** Segments that are on their way into `objects`: what waits for a disk waits together. */
const STORED_AT_ONCE = 4;
/** So much of what the file says it lasts may be missing at its end. */
const MISSING_S = 10;

function sizeOf(piece: Buffer): PictureSize | null {
  const parameters = parametersIn(demuxTs(piece).video?.units[0]?.data ?? Buffer.alloc(0));
  return parameters === null ? null : sizeIn(parameters);
}

/**
 * Cuts a file into segments of `objects` and tells them, from behind the last one that was told. H.264 and AAC go as they are; what no browser
 * plays, or what has too few keyframes, is encoded, and the notes say so.
 */
export async function takeFile(
  vod: OfVod,
  input: FfmpegInput,
  facts: FileFacts,
  told: Told,
  tools: Pick<VideoTools, "objects" | "config" | "log">,
  signal: AbortSignal,
): Promise<VodError[]> {
  const notes: VodError[] = [];
  const epoch = told.segments[0]?.epoch ?? Date.now();
  let encode = facts.encodes;
  let seeks = true;
  /** The next segment is the first that is encoded behind copied ones. */
  let switched = false;
  for (;;) {
    const last = told.segments.at(-1);
    const doneMs = last === undefined ? 0 : last.startMs + last.durationMs - vod.startMs;
    // A clock that began anew in the file cannot be sought.
    const jumped = told.segments.some(
      ({ discontinuity, seq }) => discontinuity && seq > 0 && encode === null,
    );
    const seek = seeks && !jumped && (doneMs > SEEK_FROM_MS || (encode !== null && doneMs > 0));
    const fromMs = seek ? facts.originMs + doneMs : null;
    try {
      const { broken, lost } = await takeFrom(fromMs, doneMs);
      if (lost) {
        // The seek landed behind: then everything is read again, and only what is new is told.
        seeks = false;
        continue;
      }
      if (told.segments.length === 0)
        throw notAVideo(`Nothing of the file can be taken: ${broken ?? "it has no keyframe"}.`);
      notes.push(...endNotes(broken));
      break;
    } catch (error) {
      if (!(error instanceof Uncuttable) || encode !== null) throw error;
      tools.log.info({ vod: vod.id, why: error.message }, "the picture is encoded from here on");
      encode = `its keyframes lie too far apart (${error.message})`;
      switched = told.segments.length > 0;
    }
  }
  if (encode !== null)
    notes.unshift({
      code: "failed",
      detail: `The picture was encoded anew: ${encode}.`,
      action: "Nothing to do; a file in H.264 with a keyframe every few seconds is imported much faster.",
    });
  return notes;

  async function takeFrom(
    fromMs: number | null,
    doneMs: number,
  ): Promise<{ broken: string | null; lost: boolean }> {
    let broken: string | null = null;
    const pieces = filePieces(
      input,
      {
        ...CUT,
        ...{ fromMs, encode: encode !== null, encodeSound: facts.encodesSound },
        mostHeight: tools.config.HYPECAST_VIDEO_HEIGHT,
      },
      signal,
    );
    async function* all(): AsyncGenerator<Piece> {
      for (;;) {
        const next = await pieces.next();
        if (next.done === true) {
          broken = next.value.broken;
          return;
        }
        yield next.value;
      }
    }
    let lost = false;
    /** What is not told yet. */
    async function* wanted(): AsyncGenerator<TimedPiece & { seq: number }> {
      let seq = (told.segments.at(-1)?.seq ?? -1) + 1;
      let follows = doneMs === 0 || (fromMs !== null && encode !== null);
      for await (const piece of timed(all(), facts.originMs)) {
        if (piece.atMs + piece.durationMs <= doneMs + SAME_MS && doneMs > 0) continue;
        const isNext = follows || Math.abs(piece.atMs - doneMs) <= SAME_MS;
        if (!isNext && fromMs !== null) {
          lost = true;
          return;
        }
        follows = true;
        yield { ...piece, seq, discontinuity: piece.discontinuity || !isNext || switched };
        switched = false;
        seq++;
      }
    }
    let size: PictureSize | null = encode === null ? facts : null;
    const put = async ({ seq, bytes }: { seq: number; bytes: Buffer }): Promise<Rendition> => {
      const key = segmentKey(told.channelId, epoch, `${seq}-${facts.height}.ts`);
      // What is encoded may be smaller, and stand upright.
      size ??= sizeOf(bytes) ?? facts;
      const { width, height } = size;
      const file = { key, bytes: await tools.objects.put(key, bytes), width, height };
      return { ...file, bandwidth: facts.bandwidth, container: "ts", init: null };
    };
    for await (const { item, result: file } of inOrder(wanted(), STORED_AT_ONCE, put)) {
      const { seq, atMs, durationMs, discontinuity } = item;
      await told.segment({
        ...{ id: `${told.channelId}:${epoch}:${seq}`, channelId: told.channelId, epoch, seq },
        ...{ startMs: vod.startMs + atMs, durationMs, discontinuity },
        ...{ ad: false, analysis: file, source: file },
      });
    }
    return { broken, lost };
  }

  function endNotes(broken: string | null): VodError[] {
    const last = told.segments.at(-1);
    if (last === undefined || facts.durationS === null) return [];
    const takenS = (last.startMs + last.durationMs - vod.startMs) / 1000;
    const missingS = facts.durationS - takenS;
    if (missingS < MISSING_S || missingS < facts.durationS * 0.01) return [];
    if (broken !== null) tools.log.info({ vod: vod.id, said: broken }, "the file ends early");
    return [
      {
        code: "truncated",
        detail: `The file says that it lasts ${Math.round(facts.durationS)} s; ${Math.round(takenS)} s of picture could be read.`,
        action: "What is there can be used. Give the whole file to have the rest.",
      },
    ];
  }
}
