import { createClient } from "redis";
import type { Logger } from "@hypecast/runtime/log.ts";

const REDIS_WAIT_MS = 100;
const LOCAL_ENTRIES = 500;

/**
 * Small values for a short time, shared between gateways through Redis. Fails open: without Redis each gateway remembers for
 * itself, and nobody waits for one that hangs.
 */
export interface Cache {
  get(key: string): Promise<string | null>;
  set(key: string, value: string, keepMs: number): void;
  /** Sets it unless it is there; false: it is. */
  claim(key: string, value: string, keepMs: number): Promise<boolean>;
  drop(key: string): void;
  /** Counts `key` up; the count since its first within `windowMs`. */
  count(key: string, windowMs: number): Promise<number>;
  readonly shared: () => boolean;
  close(): Promise<void>;
}

const prefixed = (key: string): string => `hypecast:gateway:${key}`;

export function openCache(url: string, log: Logger): Cache {
  const socket = url.startsWith("unix://") ? { path: url.slice("unix://".length) } : {};
  const client = createClient({
    ...(url.startsWith("unix://") ? {} : { url }),
    disableOfflineQueue: true,
    socket: {
      ...socket,
      connectTimeout: 2000,
      reconnectStrategy: (tries) => Math.min(200 * 2 ** Math.min(tries, 6), 5000),
    },
  });
  let away = false;
  client.on("error", (error: unknown) => {
    if (!away) log.warn({ err: error }, "Redis is away; limits and cached answers are this process's own");
    away = true;
  });
  client.on("ready", () => {
    if (away) log.info("Redis is back");
    away = false;
  });
  void client.connect().catch(() => undefined);

  const local = new Map<string, { value: string; untilMs: number }>();
  const counts = new Map<string, { count: number; untilMs: number }>();
  const quick = async <T>(effect: Promise<T>): Promise<T> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error("Redis is slow")), REDIS_WAIT_MS);
    });
    return Promise.race([effect, late]).finally(() => clearTimeout(timer));
  };
  return {
    shared: () => client.isReady,
    async get(key) {
      const near = local.get(key);
      if (near !== undefined && near.untilMs > Date.now()) return near.value;
      if (!client.isReady) return null;
      return quick(client.get(prefixed(key))).catch(() => null);
    },
    set(key, value, keepMs) {
      keepIn(local, key, { value, untilMs: Date.now() + keepMs });
      if (client.isReady) void quick(client.set(prefixed(key), value, { PX: keepMs })).catch(() => undefined);
    },
    async claim(key, value, keepMs) {
      if (client.isReady)
        try {
          const set = await quick(client.set(prefixed(key), value, { PX: keepMs, NX: true }));
          return set !== null;
        } catch {
          // Below: for itself.
        }
      if ((local.get(key)?.untilMs ?? 0) > Date.now()) return false;
      keepIn(local, key, { value, untilMs: Date.now() + keepMs });
      return true;
    },
    drop(key) {
      local.delete(key);
      if (client.isReady) void quick(client.del(prefixed(key))).catch(() => undefined);
    },
    async count(key, windowMs) {
      const window = Math.floor(Date.now() / windowMs);
      if (client.isReady) {
        const name = prefixed(`${key}:${window}`);
        try {
          const [count] = await quick(
            client
              .multi()
              .incr(name)
              .pExpire(name, windowMs * 2)
              .exec(),
          );
          return Number(count);
        } catch {
          // Below: for itself.
        }
      }
      const known = counts.get(key);
      const current =
        known !== undefined && known.untilMs > Date.now()
          ? known
          : { count: 0, untilMs: (window + 1) * windowMs };
      current.count++;
      keepIn(counts, key, current);
      return current.count;
    },
    close: async () => {
      if (client.isOpen) client.destroy();
    },
  };
}

function keepIn<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next().value;
  if (map.size > LOCAL_ENTRIES && oldest !== undefined) map.delete(oldest);
}
