import { setTimeout as sleep } from "node:timers/promises";
import type { KV, KvEntry } from "@nats-io/kv";
import type { Logger } from "./log.ts";

/** While the log is away, and between a watch that has ended and the next. */
const AGAIN_MS = 500;
/** A watch that has told nothing for so long, though there is news, will not tell it. */
const CHECK_EVERY_MS = 2000;

export interface BucketWatch {
  /** True when everything that was there has been told. */
  readonly ready: () => boolean;
  /** Resolves then. */
  readonly whole: Promise<void>;
  readonly close: () => void;
}

/** `entry` is null when the key is gone, as of `revision`. That may be told more than once. */
export type TellEntry = (key: string, entry: KvEntry | null, revision: number) => void;

/**
 * Tells what is in a bucket (or under one key of it) and then each change, for good; for any one key in the order of its revisions.
 *
 * The client's watch falls silent when the server that feeds it dies or forgets it, and finds out after a minute. So it is held against
 * the bucket itself: when that has news which the watch does not tell, another one takes its place.
 */
export function watchBucket(bucket: KV, log: Logger, tell: TellEntry, key?: string): BucketWatch {
  const closing = new AbortController();
  const { signal } = closing;
  const told = new Map<string, number>();
  /** Everything up to this revision has been told, or is not there any more. */
  let seen = 0;
  let isWhole = false;
  let markWhole = (): void => undefined;
  const whole = new Promise<void>((resolve) => (markWhole = resolve));
  let stop: (() => void) | null = null;

  const newest = async (): Promise<{ last: number; isEmpty: boolean }> => {
    if (key !== undefined) {
      const entry = await bucket.get(key);
      return { last: entry?.revision ?? 0, isEmpty: entry === null };
    }
    const { last_seq: last, messages } = (await bucket.status()).streamInfo.state;
    return { last, isEmpty: messages === 0 };
  };

  /** One watch, from what is there until it ends. */
  const follow = async (): Promise<void> => {
    const { last: before, isEmpty } = await newest();
    const entries = await bucket.watch(key === undefined ? {} : { key });
    stop = () => entries.stop();
    if (signal.aborted) stop();
    /** What an earlier watch told of and this one does not is gone, without an entry that says so. */
    const missing = new Set(told.keys());
    let isReading = true;
    const caughtUp = (): void => {
      if (!isReading) return;
      isReading = false;
      for (const gone of missing) {
        if ((told.get(gone) ?? 0) > before) continue;
        told.delete(gone);
        tell(gone, null, before);
      }
      seen = Math.max(seen, before);
      isWhole = true;
      markWhole();
    };
    if (isEmpty) caughtUp();
    for await (const entry of entries) {
      const isNews = entry.revision > (told.get(entry.key) ?? 0);
      if (entry.operation !== "PUT") {
        told.delete(entry.key);
        tell(entry.key, null, entry.revision);
      } else if (isNews) {
        told.set(entry.key, entry.revision);
        tell(entry.key, entry, entry.revision);
      }
      missing.delete(entry.key);
      seen = Math.max(seen, entry.revision);
      if (entry.delta === 0) caughtUp();
    }
  };
  void (async () => {
    while (!signal.aborted) {
      try {
        await follow();
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error }, "a watch ended; beginning again");
      }
      stop = null;
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
  })();

  let earlier = { last: 0, seen: 0 };
  let checking = false;
  const check = async (): Promise<void> => {
    if (checking) return;
    checking = true;
    try {
      const { last, isEmpty } = await newest();
      const isSilent = seen === earlier.seen && (seen < earlier.last || (isEmpty && !isWhole));
      earlier = { last, seen };
      if (!isSilent || stop === null) return;
      log.debug({ seen, last }, "a watch has fallen silent; beginning again");
      stop();
    } catch {
      // The log is away: that is said where it matters.
    } finally {
      checking = false;
    }
  };
  const timer = setInterval(() => void check(), CHECK_EVERY_MS);

  return {
    ready: () => isWhole,
    whole,
    close() {
      clearInterval(timer);
      closing.abort();
      stop?.();
    },
  };
}
