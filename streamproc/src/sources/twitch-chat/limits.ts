import type { Logger } from "@hypecast/runtime/log.ts";
import { createClient } from "redis";

/** Twitch: 20 JOINs and 20 log-ins in 10 s an account. A second more, since what we space evenly may arrive closer together. */
export const TWITCH_LIMIT = { count: 20, windowMs: 11_000 };

/** The last `count` grants; one more is allowed when the oldest of them has left the window. */
export interface Window {
  readonly count: number;
  readonly windowMs: number;
  grants: number[];
}

/** Takes one if it can. Returns 0 when taken, otherwise the ms to wait before asking again. Any `windowMs` long has at most `count` grants. */
export function take(window: Window, now: number): number {
  window.grants = window.grants.filter((at) => at > now - window.windowMs);
  if (window.grants.length >= window.count) return (window.grants[0] ?? now) + window.windowMs - now;
  window.grants.push(now);
  return 0;
}

/** The same in Redis, by Redis's clock, for all processes that share an account. */
const TAKE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local count, window = tonumber(ARGV[1]), tonumber(ARGV[2])
if redis.call('LLEN', KEYS[1]) >= count then
  local oldest = tonumber(redis.call('LINDEX', KEYS[1], 0))
  if oldest > now - window then return oldest + window - now end
  redis.call('LPOP', KEYS[1])
end
redis.call('RPUSH', KEYS[1], now)
redis.call('PEXPIRE', KEYS[1], window)
return 0`;

export interface Limiter {
  /** 0: go ahead; otherwise ms to wait before asking again. */
  take(kind: "join" | "auth"): Promise<number>;
  /** False while Redis is away and each process counts for itself. */
  shared(): boolean;
  close(): void;
}

/**
 * Twitch's limits, shared through Redis by all processes of an account. While Redis is away each process keeps to
 * `1 / processes()` of the limit by itself; its own grants are counted all the time, so the change costs no extra ones.
 */
export function openLimiter(
  redisUrl: string,
  account: string,
  processes: () => number,
  log: Logger,
): Limiter {
  const socket = {
    connectTimeout: 2000,
    reconnectStrategy: (tries: number) => Math.min(100 * 2 ** tries, 3000),
  };
  const client = createClient({
    ...(redisUrl.startsWith("unix://")
      ? { socket: { ...socket, path: redisUrl.slice("unix://".length), tls: false } }
      : { url: redisUrl, socket }),
    disableOfflineQueue: true,
  });
  let away = false;
  client.on("error", (error: Error) => {
    if (!away)
      log.warn({ err: error.message }, "Redis is away: Twitch's join limit is kept by this process alone");
    away = true;
  });
  client.on("ready", () => {
    away = false;
  });
  void client.connect().catch(() => {});

  const own = {
    join: { ...TWITCH_LIMIT, grants: [] as number[] },
    auth: { ...TWITCH_LIMIT, grants: [] as number[] },
  };
  return {
    shared: () => client.isReady,
    async take(kind) {
      const now = performance.now();
      const window = own[kind];
      if (client.isReady) {
        const limit = take({ ...window, grants: [...window.grants] }, now);
        if (limit > 0) return limit;
        try {
          const wait = await client.eval(TAKE, {
            keys: [`hypecast:twitch:${kind}:${account}`],
            arguments: [String(TWITCH_LIMIT.count), String(TWITCH_LIMIT.windowMs)],
          });
          if (typeof wait === "number" && wait === 0) window.grants.push(now);
          return typeof wait === "number" ? wait : 1000;
        } catch {
          // Below: by ourselves.
        }
      }
      const share = { ...window, count: Math.max(1, Math.floor(window.count / Math.max(1, processes()))) };
      const wait = take(share, now);
      window.grants = share.grants;
      return wait;
    },
    close: () => client.destroy(),
  };
}
