import type { EventSubState } from "@hypecast/contracts/channel.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { counter } from "@hypecast/runtime/metrics.ts";
import type { TwitchAnswer } from "@hypecast/runtime/twitch/answer.ts";
import type { EventSubCost, EventSubSubscription } from "@hypecast/runtime/twitch/helix.ts";
import { backoffMs } from "../twitch-chat/link.ts";
import type { Frame, FrameSubscription } from "./frame.ts";
import { openSession } from "./session.ts";
import { kindsFor, type Kind } from "./subscriptions.ts";

/** Twitch's limits for one account of one application. */
const CONNECTIONS = 3;
const SUBSCRIPTIONS_PER_CONNECTION = 300;
/** Subscriptions that an account asks for: so many at once, then so many a minute. 800 calls a minute are all that it may make, and people act with it too. */
const ASKS = { atOnce: 200, perMinute: 300 };
const WORK_EVERY_MS = 50;
/** When to ask again for what Twitch refuses: a role may be given (back). */
const REFUSED_AGAIN_MS = { first: 5 * 60_000, most: 60 * 60_000 };
const FULL = /transport|subscription|cost/i;
/** A connection that was up so long counts as healthy. */
const HEALTHY_MS = 30_000;

const lost = counter("eventsub_lost_total", "Sessions of EventSub that were lost, by why", ["why"]);
const subscribed = counter("eventsub_subscribe_total", "Subscriptions asked for, by Twitch's answer", [
  "answer",
]);
const revocations = counter("eventsub_revoked_total", "Subscriptions that Twitch ended, by why", ["why"]);

interface Sub {
  readonly kind: Kind;
  state: "due" | "asked" | "enabled" | "refused" | "revoked";
  id: string | null;
  /** Monotonic ms; of `due` and `refused`. */
  retryAt: number;
  attempt: number;
  reason: string | null;
}
interface Followed {
  readonly channelId: string;
  readonly subs: Sub[];
  /** Not allowed by the account's scopes. */
  readonly missing: readonly string[];
  /** Since when nothing is heard, and why; null: heard, or never was. */
  unheard: Unheard | null;
  told: EventSubState | null;
}
interface Slot {
  session: { close(): void } | null;
  sessionId: string | null;
  readonly channels: Map<string, Followed>;
  welcomedAt: number;
  attempt: number;
  retryAt: number;
  /** Twitch's last words about a lost connection. */
  reason: string | null;
  heardAtMs: number | null;
}

export interface AccountLinkParts {
  readonly url: string;
  readonly account: { readonly userId: string; readonly login: string; readonly scopes: readonly string[] };
  /** In the account's name. */
  readonly subscribe: (asked: {
    type: string;
    version: string;
    condition: Record<string, string>;
    sessionId: string;
  }) => Promise<TwitchAnswer<EventSubSubscription & EventSubCost>>;
  readonly unsubscribe: (id: string) => Promise<unknown>;
  readonly notification: (message: Extract<Frame, { kind: "notification" }>) => void;
  readonly unheard: (channelId: string, fromMs: number, toMs: number, reason: string) => void;
  readonly malformed: (detail: string) => void;
  readonly log: Logger;
}

/** Since when a channel's moderation is not heard, and why. */
export interface Unheard {
  readonly fromMs: number;
  readonly reason: string;
}

/** All that is heard in the name of one account: up to three connections, each with the subscriptions of some channels. */
export interface AccountLink {
  /** Those to hear, whole. `unheard`: of one that is new here, what is to be said when it is heard again. */
  want(channels: readonly { channelId: string; unheard: Unheard | null }[]): void;
  follows(channelId: string): boolean;
  /** Whether a kind of event is coming in. */
  hears(channelId: string, type: string): boolean;
  state(channelId: string): EventSubState | null;
  connections(): number;
  close(): void;
}

export function openAccountLink(parts: AccountLinkParts): AccountLink {
  const { account, log } = parts;
  const slots: Slot[] = [];
  let pausedUntil = 0;
  let working = false;
  let asksLeft = ASKS.atOnce;
  let asksAt = performance.now();
  let closed = false;

  // ── connections ───────────────────────────────────────────────────────────────────────────────────────────────────

  const dial = (slot: Slot): void => {
    const session = openSession(parts.url, {
      welcome(sessionId, kept) {
        slot.sessionId = sessionId;
        slot.heardAtMs = Date.now();
        if (kept) return;
        slot.welcomedAt = performance.now();
        for (const channel of slot.channels.values())
          for (const sub of channel.subs) if (sub.state === "asked" || sub.state === "enabled") beDue(sub);
        void work();
      },
      heard() {
        slot.heardAtMs = Date.now();
      },
      notification: parts.notification,
      revoked: (subscription) => revoked(slot, subscription),
      malformed: parts.malformed,
      lost(why, reason) {
        if (slot.session !== session) return;
        lost.inc({ why });
        const up = slot.sessionId !== null;
        if (up && performance.now() - slot.welcomedAt > HEALTHY_MS) slot.attempt = 0;
        slot.session = null;
        slot.sessionId = null;
        slot.reason = reason;
        const waitMs = backoffMs(slot.attempt++, Math.random());
        slot.retryAt = performance.now() + waitMs;
        for (const channel of slot.channels.values()) {
          if (up && isHeard(channel) && slot.heardAtMs !== null)
            channel.unheard ??= { fromMs: slot.heardAtMs, reason: "connection_lost" };
          for (const sub of channel.subs) if (sub.state === "asked" || sub.state === "enabled") beDue(sub);
        }
        log.warn(
          { account: account.login, why, reason, waitMs: Math.round(waitMs) },
          "lost a connection to EventSub",
        );
      },
    });
    slot.session = session;
  };

  const revoked = (slot: Slot, { id, type, condition, status }: FrameSubscription): void => {
    const channel = slot.channels.get(condition["broadcaster_user_id"] ?? "");
    const sub = channel?.subs.find((one) => one.id === id || one.kind.type === type);
    if (channel === undefined || sub === undefined) return;
    revocations.inc({ why: WHY_REVOKED[status] === undefined ? "other" : status });
    if (slot.heardAtMs !== null && isHeard(channel))
      channel.unheard ??= { fromMs: slot.heardAtMs, reason: "revoked" };
    sub.state = "revoked";
    sub.id = null;
    sub.reason = WHY_REVOKED[status] ?? `Twitch ended it: ${status.slice(0, 100)}`;
    log.warn({ account: account.login, channel: channel.channelId, type, status }, "revoked by Twitch");
  };

  // ── subscribing ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** The most important that is due, over all channels: `channel.moderate` of each before anything else of any. */
  const nextDue = (): { slot: Slot; channel: Followed; sub: Sub } | null => {
    const now = performance.now();
    let best: { slot: Slot; channel: Followed; sub: Sub; rank: number } | null = null;
    for (const slot of slots) {
      if (slot.sessionId === null) continue;
      for (const channel of slot.channels.values())
        for (const [rank, sub] of channel.subs.entries()) {
          const due = (sub.state === "due" || sub.state === "refused") && now >= sub.retryAt;
          if (due && rank < (best?.rank ?? Infinity)) best = { slot, channel, sub, rank };
        }
    }
    return best;
  };

  const work = async (): Promise<void> => {
    if (working) return;
    working = true;
    for (;;) {
      const now = performance.now();
      asksLeft = Math.min(ASKS.atOnce, asksLeft + ((now - asksAt) * ASKS.perMinute) / 60_000);
      asksAt = now;
      if (closed || now < pausedUntil || asksLeft < 1) break;
      const next = nextDue();
      if (next === null) break;
      asksLeft -= 1;
      await ask(next.slot, next.channel, next.sub);
    }
    working = false;
  };

  const ask = async (slot: Slot, channel: Followed, sub: Sub): Promise<void> => {
    const { sessionId } = slot;
    if (sessionId === null) return;
    sub.state = "asked";
    const place = { channelId: channel.channelId, userId: account.userId };
    const { type, version } = sub.kind;
    const answer = await parts.subscribe({ type, version, condition: sub.kind.condition(place), sessionId });
    // Connections, subscriptions and their cost have limits too, which no waiting for a minute changes.
    const full = answer.kind === "rate_limited" && FULL.test(answer.said);
    subscribed.inc({ answer: full ? "full" : answer.kind });
    if (slot.channels.get(channel.channelId) !== channel) {
      // Nobody wants it any more.
      if (answer.kind === "ok") await parts.unsubscribe(answer.data.id);
      return;
    }
    // Another session by now: it was marked due again with it.
    if (slot.sessionId !== sessionId || sub.state !== "asked") return;
    const later = (waitMs: number): void => {
      sub.state = "due";
      sub.retryAt = performance.now() + waitMs;
    };
    const refused = (said: string): void => {
      sub.state = "refused";
      sub.reason = said;
      sub.retryAt =
        performance.now() +
        Math.min(REFUSED_AGAIN_MS.most, REFUSED_AGAIN_MS.first * 2 ** Math.min(sub.attempt++, 6));
      log.warn(
        { account: account.login, channel: channel.channelId, type, said },
        "Twitch does not let us hear this",
      );
    };
    switch (answer.kind) {
      case "ok":
      case "conflict":
        sub.state = "enabled";
        sub.id = answer.kind === "ok" ? answer.data.id : null;
        sub.attempt = 0;
        sub.reason = null;
        return heardAgain(channel);
      case "rate_limited":
        if (full) return refused(answer.said);
        pausedUntil = performance.now() + Math.max(1_000, answer.retryAtMs - Date.now());
        sub.reason = answer.said;
        return later(0);
      case "unavailable":
      case "unknown":
        sub.reason = answer.said;
        return later(backoffMs(sub.attempt++, Math.random()));
      default: {
        // The session went away between its welcome and this; that is said by its end.
        if (answer.kind === "refused" && /session/i.test(answer.said))
          return later(backoffMs(sub.attempt++, Math.random()));
        return refused(answer.said);
      }
    }
  };

  /** What was done meanwhile is never told: the log says so. */
  const heardAgain = (channel: Followed): void => {
    if (channel.unheard === null || !isHeard(channel)) return;
    const { fromMs, reason } = channel.unheard;
    channel.unheard = null;
    const nowMs = Date.now();
    if (nowMs > fromMs) parts.unheard(channel.channelId, fromMs, nowMs, reason);
  };

  const timer = setInterval(() => {
    const now = performance.now();
    for (const slot of slots)
      if (slot.session === null && slot.channels.size > 0 && now >= slot.retryAt) dial(slot);
    void work();
  }, WORK_EVERY_MS);

  // ── channels ──────────────────────────────────────────────────────────────────────────────────────────────────────

  const slotOf = (channelId: string): Slot | undefined => slots.find((slot) => slot.channels.has(channelId));

  const add = (channelId: string, unheard: Unheard | null): void => {
    const { kinds, missing } = kindsFor({ channelId, userId: account.userId }, account.scopes);
    const room = (slot: Slot): boolean =>
      [...slot.channels.values()].reduce((sum, one) => sum + one.subs.length, 0) + kinds.length <=
      SUBSCRIPTIONS_PER_CONNECTION;
    let slot = slots.find(room);
    if (slot === undefined && slots.length < CONNECTIONS) {
      slot = {
        session: null,
        sessionId: null,
        channels: new Map(),
        welcomedAt: 0,
        attempt: 0,
        retryAt: 0,
        reason: null,
        heardAtMs: null,
      };
      slots.push(slot);
    }
    slot?.channels.set(channelId, {
      channelId,
      subs: kinds.map((kind) => ({
        kind,
        state: "due",
        id: null,
        retryAt: 0,
        attempt: 0,
        reason: null,
      })),
      missing,
      unheard,
      told: null,
    });
  };

  const remove = (slot: Slot, channel: Followed): void => {
    slot.channels.delete(channel.channelId);
    const ids = channel.subs.flatMap((sub) => sub.id ?? []);
    if (slot.channels.size > 0) void unsubscribe(ids);
    else {
      // With its session all of its subscriptions go.
      slot.session?.close();
      slot.session = null;
      slot.sessionId = null;
    }
  };
  const unsubscribe = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids) {
      if (closed) return;
      await parts.unsubscribe(id);
    }
  };

  return {
    want(channels) {
      const wanted = new Set(channels.map(({ channelId }) => channelId));
      for (const slot of slots)
        for (const channel of [...slot.channels.values()])
          if (!wanted.has(channel.channelId)) remove(slot, channel);
      for (const { channelId, unheard } of channels)
        if (slotOf(channelId) === undefined) add(channelId, unheard);
    },
    follows: (channelId) => slotOf(channelId) !== undefined,
    hears: (channelId, type) =>
      slotOf(channelId)
        ?.channels.get(channelId)
        ?.subs.some((sub) => sub.kind.type === type && sub.state === "enabled") === true,
    state(channelId) {
      const slot = slotOf(channelId);
      const channel = slot?.channels.get(channelId);
      if (slot === undefined || channel === undefined) return null;
      const { state, reason } = how(slot, channel);
      const silent = channel.subs.filter((sub) => sub.state === "refused" || sub.state === "revoked");
      const missing = [...channel.missing, ...silent.map((sub) => sub.kind.type)];
      const before = channel.told;
      const same = before !== null && before.state === state && before.reason === reason;
      channel.told = {
        state,
        reason,
        sinceMs: same ? before.sinceMs : Date.now(),
        account: account.login,
        missing,
        heardAtMs:
          slot.sessionId !== null && isHeard(channel) ? slot.heardAtMs : (channel.unheard?.fromMs ?? null),
      };
      return channel.told;
    },
    connections: () => slots.filter((slot) => slot.sessionId !== null).length,
    close() {
      closed = true;
      clearInterval(timer);
      for (const slot of slots) slot.session?.close();
    },
  };
}

const WHY_REVOKED: Readonly<Record<string, string>> = {
  authorization_revoked: "the account took the permission back, or its password changed: sign in again",
  user_removed: "the account or the channel is gone from Twitch",
  moderator_removed: "the account is no moderator of the channel any more",
  version_removed: "Twitch no longer speaks this version",
};

const beDue = (sub: Sub): void => {
  sub.state = "due";
  sub.id = null;
  sub.retryAt = 0;
};

/** Heard is a channel whose first kind comes in: `channel.moderate`, where it is allowed. */
const isHeard = (channel: Followed): boolean =>
  channel.subs.find((sub) => sub.state !== "refused" && sub.state !== "revoked")?.state === "enabled";

function how(slot: Slot, channel: Followed): Pick<EventSubState, "state" | "reason"> {
  const [first] = channel.subs;
  if (first === undefined)
    return { state: "refused", reason: "the account has allowed nothing of moderation: sign in again" };
  if (slot.sessionId === null)
    return slot.reason === null
      ? { state: "connecting", reason: null }
      : { state: "lost", reason: slot.reason };
  const stopped = channel.subs.filter((sub) => sub.state === "refused" || sub.state === "revoked");
  if (stopped.length === channel.subs.length || stopped.includes(first))
    return { state: first.state === "revoked" ? "revoked" : "refused", reason: first.reason };
  if (channel.subs.some((sub) => sub.state === "due" || sub.state === "asked"))
    return {
      state: "connecting",
      reason: channel.subs.find((sub) => sub.state === "due" && sub.reason !== null)?.reason ?? null,
    };
  if (stopped.length > 0) return { state: "partial", reason: stopped[0]?.reason ?? null };
  return channel.missing.length > 0
    ? { state: "partial", reason: "the account has not allowed all of it" }
    : { state: "live", reason: null };
}
