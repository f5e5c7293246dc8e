import { framesKey, thumbKey } from "@hypecast/contracts/object-keys.ts";
import type { VideoSegment } from "@hypecast/contracts/video.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import { removedBytes } from "./metrics.ts";

export interface KeepLimits {
  readonly keepMs: number;
  readonly keepBytes: number;
}

/** True: a clip that is not made yet needs the span (stream's clock). */
export type Held = (channelId: string, fromMs: number, toMs: number) => boolean;

export interface Keep {
  add(segment: VideoSegment): void;
  /** Start of the oldest segment from which on everything is kept; null: nothing is. */
  oldestMs(): number | null;
  newestMs(): number | null;
  bytes(): number;
  /** Lets go of what is over the limits, oldest first. Files are removed only when everybody can have heard of it. */
  trim(nowMs: number): Promise<void>;
  /** There was no room: keep less for now. */
  diskFull(): void;
  readonly tightened: () => boolean;
}

interface Item {
  readonly order: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly bytes: number;
  /** Monotonic. */
  readonly leavesAt: number | null;
  readonly keys: readonly string[];
  readonly inits: readonly string[];
}

/** Sampled frames and the picture of a segment, about: they are written by others. */
const MEASURED_BYTES = 60_000;
/** `video_state` is written once a second; whoever reads it plans no more with a file after this. */
const LEAVE_MS = 3000;
const RESERVED_SEGMENTS = 5;
const MOST_RESERVE = 0.2;
const RECENT = 20;
const TIGHTER = 0.9;
const LOOSER_EVERY_MS = 60_000;
const LOOSER = 1.25;

/** What is kept of one channel, and what goes when it is too much. */
export function openKeep(
  channelId: string,
  limits: KeepLimits,
  parts: { objects: Pick<Objects, "remove">; held: Held; log: Logger; monotonicMs?: () => number },
): Keep {
  const { held, log, monotonicMs = () => performance.now() } = parts;
  let items: Item[] = [];
  let leaving: Item[] = [];
  const initUsers = new Map<string, number>();
  let order = 0;
  /** Order of the newest that was let go. */
  let floor = -1;
  let bytes = 0;
  let mostBytes = limits.keepBytes;
  let changedAt = 0;
  let trimming = false;

  const isHeld = (item: Item): boolean => held(channelId, item.startMs, item.endMs);

  const remove = async (item: Item): Promise<boolean> => {
    try {
      await Promise.all(item.keys.map((key) => parts.objects.remove(key)));
      for (const init of item.inits) {
        const users = (initUsers.get(init) ?? 1) - 1;
        initUsers.set(init, users);
        if (users > 0) continue;
        initUsers.delete(init);
        await parts.objects.remove(init);
      }
    } catch (error) {
      log.warn({ err: error, channelId }, "cannot remove a segment's files, trying again");
      return false;
    }
    removedBytes.inc(item.bytes);
    return true;
  };

  return {
    add(segment) {
      const item = itemOf(segment, order++);
      items.push(item);
      bytes += item.bytes;
      for (const init of item.inits) initUsers.set(init, (initUsers.get(init) ?? 0) + 1);
    },
    oldestMs: () => items.find((item) => item.order > floor)?.startMs ?? null,
    newestMs: () => items.at(-1)?.endMs ?? null,
    bytes: () => bytes,
    tightened: () => mostBytes < limits.keepBytes,
    diskFull() {
      changedAt = monotonicMs();
      mostBytes = Math.min(mostBytes, bytes * TIGHTER);
    },
    async trim(nowMs) {
      if (trimming) return;
      trimming = true;
      const now = monotonicMs();
      if (mostBytes < limits.keepBytes && now - changedAt > LOOSER_EVERY_MS) {
        changedAt = now;
        mostBytes = Math.min(limits.keepBytes, Math.max(mostBytes, bytes) * LOOSER);
      }
      // Room for what is leaving and what is being fetched, so that the measure holds at every moment.
      const largest = items.slice(-RECENT).reduce((most, item) => Math.max(most, item.bytes), 0);
      const reserve = Math.min(mostBytes * MOST_RESERVE, RESERVED_SEGMENTS * largest);
      let over = items.reduce((sum, item) => sum + item.bytes, reserve - mostBytes);
      const staying: Item[] = [];
      for (const item of items) {
        const tooOld = item.endMs < nowMs - limits.keepMs;
        if ((!tooOld && over <= 0) || isHeld(item)) {
          staying.push(item);
          continue;
        }
        over -= item.bytes;
        floor = item.order;
        leaving.push({ ...item, leavesAt: now + LEAVE_MS });
      }
      items = staying;
      const later: Item[] = [];
      for (const item of leaving) {
        // A clip may have been asked for while it was leaving: it stays until that is made.
        const gone = (item.leavesAt ?? 0) <= now && !isHeld(item) && (await remove(item));
        if (!gone) later.push(item);
      }
      leaving = later;
      bytes = [...items, ...leaving].reduce((sum, item) => sum + item.bytes, 0);
      trimming = false;
    },
  };

  function itemOf(segment: VideoSegment, order: number): Item {
    const { epoch, seq, startMs, durationMs, analysis, source } = segment;
    const files = new Map([analysis, source].flatMap((one) => (one === null ? [] : [[one.key, one]])));
    return {
      order,
      startMs,
      endMs: startMs + durationMs,
      bytes: [...files.values()].reduce((sum, file) => sum + file.bytes, MEASURED_BYTES),
      leavesAt: null,
      keys: [...files.keys(), framesKey(channelId, epoch, seq), thumbKey(channelId, epoch, seq)],
      inits: [...new Set([...files.values()].flatMap(({ init }) => (init === null ? [] : [init.key])))],
    };
  }
}

/** Files are written up to so much after (or, by a wrong clock, before) the time that they show. */
const SWEEP_MARGIN_MS = 15 * 60_000;

/**
 * Removes what nobody accounts for any more: files of a crash between storing and saying, of channels that were removed, of removals that
 * failed. They are known by their age.
 */
export async function sweepVideo(
  objects: Pick<Objects, "list" | "remove">,
  keepMs: number,
  held: Held,
  nowMs: number,
): Promise<number> {
  let removed = 0;
  for (const prefix of ["video/", "frames/", "thumbs/"])
    for await (const { key, modifiedMs } of objects.list(prefix)) {
      const channelId = key.split("/")[1] ?? "";
      if (modifiedMs > nowMs - keepMs - SWEEP_MARGIN_MS) continue;
      if (held(channelId, modifiedMs - SWEEP_MARGIN_MS, modifiedMs + SWEEP_MARGIN_MS)) continue;
      await objects.remove(key);
      removed++;
    }
  return removed;
}
