import { createDecipheriv, createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Rendition, VideoGap, VideoSegment } from "@hypecast/contracts/video.ts";
import { DiskFull, type Objects } from "@hypecast/runtime/objects.ts";
import { NotFound, TooLarge, type Fetch } from "./fetch.ts";
import { mediaKind } from "./media-kind.ts";
import { bytesKept, fetchFailures, fetchSeconds } from "./metrics.ts";
import type { SegmentStep } from "./plan.ts";
import { Refused, type Listed, type Part, type Variant } from "./playlist.ts";

export interface SegmentParts {
  readonly fetch: Fetch;
  readonly objects: Pick<Objects, "put">;
  readonly mostBytes: number;
  /** A segment that cannot be had for so long is given up. */
  readonly giveUpMs: number;
  readonly signal: AbortSignal;
}

const ATTEMPT_MS = 10_000;
const NOT_FOUND_TRIES = 2;
const RETRY_MS = { first: 250, most: 3000 };
const KEY_BYTES = 16;
const MOST_KEYS = 16;

export type Kept =
  | { readonly rendition: Rendition }
  | { readonly why: VideoGap["reason"]; readonly detail: string };

/** Fetches, checks, deciphers and stores the files of one rendition of one channel. */
export function openRendition(
  parts: SegmentParts,
  variant: Variant,
  folder: string,
  name: string,
): (step: SegmentStep, listed: Listed) => Promise<Kept> {
  /** Keys and initialisation sections serve many segments. */
  const keys = new Map<string, Buffer>();
  const inits = new Map<string, NonNullable<Rendition["init"]>>();

  const read = async (part: Part, mostBytes: number, what: "segment" | "init" | "key"): Promise<Buffer> => {
    const from = performance.now();
    const { body } = await parts
      .fetch(part.url, { mostBytes, withinMs: ATTEMPT_MS }, parts.signal, part.range)
      .catch((error: unknown) => {
        fetchFailures.inc({ what });
        throw error;
      });
    fetchSeconds.observe({ what }, (performance.now() - from) / 1000);
    if (part.key === null) return body;
    return decipher(body, await keyOf(part.key.url), part.key.iv);
  };

  const keyOf = async (url: string): Promise<Buffer> => {
    const known = keys.get(url);
    if (known !== undefined) return known;
    const key = await read({ url, range: null, key: null }, 1024, "key");
    if (key.length !== KEY_BYTES)
      throw new Refused(`the key has ${key.length} bytes instead of ${KEY_BYTES}`);
    keys.set(url, key);
    for (const old of keys.keys()) if (keys.size > MOST_KEYS) keys.delete(old);
    return key;
  };

  const initOf = async (part: Part, epoch: number): Promise<NonNullable<Rendition["init"]>> => {
    const from = `${epoch} ${part.url} ${part.range?.from ?? ""}`;
    const known = inits.get(from);
    if (known !== undefined) return known;
    const body = await read(part, parts.mostBytes, "init");
    if (mediaKind(body) !== "fmp4") throw new Refused("the initialisation section is no MP4");
    const content = createHash("sha256").update(body).digest("hex").slice(0, 12);
    const key = `${folder}/${epoch}/init-${name}-${content}.mp4`;
    const init = { key, bytes: await parts.objects.put(key, body) };
    inits.set(from, init);
    for (const old of inits.keys()) if (inits.size > MOST_KEYS) inits.delete(old);
    return init;
  };

  const keep = async ({ epoch, seq }: { epoch: number; seq: number }, listed: Listed): Promise<Rendition> => {
    const body = await read(listed, parts.mostBytes, "segment");
    const kind = mediaKind(body);
    if (kind === null)
      throw new Refused(body.length === 0 ? "the segment is empty" : "the segment is no media file");
    const init = listed.init === null ? null : await initOf(listed.init, epoch);
    const key = `${folder}/${epoch}/${seq}-${name}.${kind === "ts" ? "ts" : "m4s"}`;
    const bytes = await parts.objects.put(key, body);
    const { width, height, bandwidth } = variant;
    return { key, bytes, width, height, bandwidth, container: kind, init };
  };

  return async (step, listed) => {
    if (listed.absent) return { why: "not_found", detail: "the playlist says that there is no file" };
    const until = performance.now() + parts.giveUpMs;
    let wait = RETRY_MS.first;
    let missing = 0;
    for (;;) {
      try {
        const rendition = await keep({ epoch: step.epoch, seq: step.listed.seq }, listed);
        return { rendition };
      } catch (error) {
        parts.signal.throwIfAborted();
        const detail = error instanceof Error ? error.message : String(error);
        if (error instanceof DiskFull) return { why: "disk_full", detail: "there was no room on the disk" };
        if (error instanceof Refused) return { why: "refused", detail };
        if (error instanceof TooLarge) return { why: "too_large", detail };
        if (error instanceof NotFound && ++missing >= NOT_FOUND_TRIES) return { why: "not_found", detail };
        if (performance.now() + wait > until) return { why: "failed", detail };
        await sleep(wait * (0.5 + Math.random()), undefined, { signal: parts.signal });
        wait = Math.min(wait * 2, RETRY_MS.most);
      }
    }
  };
}

function decipher(body: Buffer, key: Buffer, iv: Uint8Array): Buffer {
  const aes = createDecipheriv("aes-128-cbc", key, iv);
  try {
    return Buffer.concat([aes.update(body), aes.final()]);
  } catch {
    throw new Refused("the segment cannot be deciphered with the key that the playlist names");
  }
}

/** What is told of a step: the segment with what could be had of it, or a gap with why nothing could. */
export function toldOf(
  step: SegmentStep,
  channelId: string,
  analysis: Kept,
  source: Kept,
): { segment: VideoSegment } | { gap: VideoGap } {
  const { epoch, startMs, durationMs, listed, uncertainMs } = step;
  const { seq, discontinuity, ad } = listed;
  const id = `${channelId}:${epoch}`;
  if ("why" in analysis && "why" in source) {
    // A full disk is the cause that a person can do something about.
    const { why, detail } = source.why === "disk_full" ? source : analysis;
    const toMs = startMs + durationMs;
    return {
      gap: {
        id: `${id}:${seq}-${seq}`,
        channelId,
        epoch,
        fromMs: startMs,
        toMs,
        toSeq: seq,
        reason: why,
        detail,
      },
    };
  }
  if ("rendition" in analysis) bytesKept.inc({ rendition: "analysis" }, analysis.rendition.bytes);
  if ("rendition" in source && source !== analysis)
    bytesKept.inc({ rendition: "source" }, source.rendition.bytes);
  return {
    segment: {
      ...{ id: `${id}:${seq}`, channelId, epoch, seq, startMs, durationMs },
      ...(uncertainMs !== null && { uncertainMs }),
      ...{ discontinuity, ad },
      analysis: "rendition" in analysis ? analysis.rendition : null,
      source: "rendition" in source ? source.rendition : null,
    },
  };
}
