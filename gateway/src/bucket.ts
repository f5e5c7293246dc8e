import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import type { z } from "zod";
import type { Logger } from "@hypecast/runtime/log.ts";
import { watchBucket } from "@hypecast/runtime/watch.ts";
import { ProblemError } from "./problems.ts";

const KV_TIMEOUT_MS = 3000;
/** Others may write the same record at the same time: so often a change is tried on what they wrote. */
const CHANGE_TRIES = 10;

/** Waits for the log's word, but not for long. What the log refuses (not its absence) goes to the caller as it is. */
export async function onBus<Result>(effect: () => Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), KV_TIMEOUT_MS);
  });
  try {
    return await Promise.race([effect(), late]);
  } catch (error) {
    if (isTaken(error)) throw error;
    throw new ProblemError("bus_down", "the log did not confirm the change", { "Retry-After": "2" });
  } finally {
    clearTimeout(timer);
  }
}

/** Another has written this key since it was read. */
const isTaken = (error: unknown): boolean =>
  error instanceof Error && /wrong last sequence|key exists/i.test(error.message);

/** A bucket's values in memory, as they are and as they change. */
export interface Kept<Value> {
  get(key: string): Value | null;
  values(): Iterable<Value>;
  entries(): Iterable<readonly [key: string, value: Value]>;
  /** True when the whole bucket has been read since the start. */
  readonly ready: () => boolean;
  put(key: string, value: Value): Promise<void>;
  /** Writes it unless the key is there already. Resolves to what is there then. */
  create(key: string, value: Value): Promise<{ value: Value; isNew: boolean }>;
  /**
   * Writes what `change` makes of the value, unless another has written meanwhile: then of what the other wrote. `change` returns null to
   * leave it. Null: there is no such value.
   */
  change(key: string, change: (value: Value) => Value | null): Promise<Value | null>;
  remove(key: string): Promise<void>;
  readonly close: () => void;
}

/** `changed`: told of every value and every change, `null` for one that is gone; `isNews` false while the bucket is read for the first time. */
export async function keepBucket<Schema extends z.ZodType>(
  nc: NatsConnection,
  name: string,
  schema: Schema,
  log: Logger,
  changed: (key: string, value: z.output<Schema> | null, isNews: boolean) => void = () => undefined,
): Promise<Kept<z.output<Schema>>> {
  type Value = z.output<Schema>;
  const bucket = await new Kvm(nc).open(name);
  /** A watch may tell of an older value than the one that was just written: the newer revision stays. */
  const entries = new Map<string, { value: Value; revision: number }>();
  const read = (entry: { json(): unknown }): Value | null => {
    try {
      const parsed = schema.safeParse(entry.json());
      return parsed.success ? parsed.data : null;
    } catch {
      return null;
    }
  };
  const keep = (key: string, value: Value | null, revision: number, isNews: boolean): void => {
    const known = entries.get(key);
    if (known !== undefined && known.revision >= revision) return;
    if (value !== null) entries.set(key, { value, revision });
    else if (!entries.delete(key)) return;
    changed(key, value, isNews);
  };
  const watch = watchBucket(bucket, log, (key, entry, revision) =>
    keep(key, entry && read(entry), revision, watch.ready()),
  );
  return {
    get: (key) => entries.get(key)?.value ?? null,
    *values() {
      for (const { value } of entries.values()) yield value;
    },
    *entries() {
      for (const [key, { value }] of entries) yield [key, value];
    },
    ready: watch.ready,
    async put(key, value) {
      keep(key, value, await onBus(() => bucket.put(key, JSON.stringify(value))), true);
    },
    async create(key, value) {
      try {
        keep(key, value, await onBus(() => bucket.create(key, JSON.stringify(value))), true);
        return { value, isNew: true };
      } catch (error) {
        if (!isTaken(error)) throw error;
        const entry = await onBus(() => bucket.get(key));
        const there = entry === null ? null : read(entry);
        if (there === null) throw error;
        return { value: there, isNew: false };
      }
    },
    async change(key, change) {
      for (let tries = 0; tries < CHANGE_TRIES; tries++) {
        const entry = await onBus(() => bucket.get(key));
        const before = entry === null || entry.operation !== "PUT" ? null : read(entry);
        if (entry === null || before === null) return null;
        const after = change(before);
        if (after === null) return before;
        try {
          keep(
            key,
            after,
            await onBus(() => bucket.update(key, JSON.stringify(after), entry.revision)),
            true,
          );
          return after;
        } catch (error) {
          if (!isTaken(error)) throw error;
        }
      }
      throw new ProblemError("bus_down", `${name}: too many write it at once`, { "Retry-After": "1" });
    },
    async remove(key) {
      await onBus(() => bucket.delete(key));
      if (entries.delete(key)) changed(key, null, true);
    },
    close: watch.close,
  };
}

const FIRST_READ_MS = 3000;
/** Who asks at once must not be told that nothing is there: waits until they have been read, but not for long. */
export async function firstRead(...watches: readonly { readonly ready: () => boolean }[]): Promise<void> {
  const until = Date.now() + FIRST_READ_MS;
  while (!watches.every((watch) => watch.ready()) && Date.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 10));
}
