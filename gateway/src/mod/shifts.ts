import type { NatsConnection } from "@nats-io/transport-node";
import { z } from "zod";
import { person, personKey, type Person } from "@hypecast/contracts/journal.ts";

/** Without a sign of life for so long somebody is off shift. */
const AWAY_MS = 3 * 60_000;
const LOOK_MS = 5000;
/** Gateways tell each other at most so often. */
const SAY_MS = 20_000;
const SUBJECT = "mod.shift";
const MOST = 10_000;

export interface OnShift {
  readonly key: string;
  readonly login: string;
  readonly sinceMs: number;
}

/** Who is at a channel's moderation now, over all gateways. Nothing of it is kept: it is for people who work beside each other. */
export interface Shifts {
  /** A sign of life. */
  seen(channelId: string, by: Person): void;
  of(channelId: string): OnShift[];
  close(): void;
}

const sign = z.object({ channelId: z.string(), by: person, sinceMs: z.int(), seenMs: z.int() });
type Sign = z.infer<typeof sign>;

export function createShifts(
  nc: NatsConnection,
  changed: (channelId: string, people: OnShift[]) => void,
): Shifts {
  const signs = new Map<string, Sign>();
  const said = new Map<string, number>();
  const keyOf = ({ channelId, by }: Pick<Sign, "channelId" | "by">): string =>
    `${channelId} ${personKey(by)}`;
  const of = (channelId: string): OnShift[] =>
    [...signs.values()]
      .filter((one) => one.channelId === channelId)
      .map(({ by, sinceMs }) => ({ key: personKey(by), login: by.login, sinceMs }))
      .sort((a, b) => a.sinceMs - b.sinceMs);
  const take = (one: Sign): void => {
    const key = keyOf(one);
    const before = signs.get(key);
    if (before === undefined && signs.size >= MOST) return;
    signs.set(key, {
      ...one,
      sinceMs: Math.min(one.sinceMs, before?.sinceMs ?? one.sinceMs),
      seenMs: Math.max(one.seenMs, before?.seenMs ?? 0),
    });
    if (before === undefined) changed(one.channelId, of(one.channelId));
  };
  const subscription = nc.subscribe(SUBJECT, {
    callback: (_error, message) => {
      const read = sign.safeParse(jsonOf(message));
      if (read.success && read.data.seenMs > Date.now() - AWAY_MS) take(read.data);
    },
  });
  const timer = setInterval(() => {
    for (const [key, { channelId, seenMs }] of signs)
      if (seenMs < Date.now() - AWAY_MS) {
        signs.delete(key);
        said.delete(key);
        changed(channelId, of(channelId));
      }
  }, LOOK_MS);
  return {
    of,
    seen(channelId, by) {
      const nowMs = Date.now();
      const key = keyOf({ channelId, by });
      const one: Sign = { channelId, by, sinceMs: signs.get(key)?.sinceMs ?? nowMs, seenMs: nowMs };
      take(one);
      if ((said.get(key) ?? 0) > nowMs - SAY_MS) return;
      said.set(key, nowMs);
      nc.publish(SUBJECT, JSON.stringify(one));
    },
    close() {
      clearInterval(timer);
      subscription.unsubscribe();
    },
  };
}

function jsonOf(message: { json(): unknown }): unknown {
  try {
    return message.json();
  } catch {
    return null;
  }
}
