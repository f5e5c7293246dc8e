import { jetstream } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { account, ACCOUNTS_BUCKET, type Account } from "@hypecast/contracts/account.ts";
import type { ChannelState, EventSubState } from "@hypecast/contracts/channel.ts";
import { chatModeration } from "@hypecast/contracts/chat.ts";
import { deadLetterSubject, type DeadLetter } from "@hypecast/contracts/dead-letter.ts";
import { modEvent, type ModEvent } from "@hypecast/contracts/mod-event.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import { watchBucket } from "@hypecast/runtime/watch.ts";
import type { Config } from "@hypecast/runtime/config.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { counter, gauge, histogram } from "@hypecast/runtime/metrics.ts";
import { leftOut, type OptOuts } from "@hypecast/runtime/opt-outs.ts";
import { helixModeration } from "@hypecast/runtime/twitch/helix.ts";
import { openAccountTokens } from "@hypecast/runtime/twitch/tokens.ts";
import type { LogWriter } from "../publish.ts";
import { openAccountLink, type AccountLink, type Unheard } from "./account-link.ts";
import type { Frame } from "./frame.ts";
import { readNotification } from "./payload.ts";
import type { Removals } from "./removals.ts";
import { sameActs } from "./same-act.ts";
import { newMessages } from "./seen.ts";
import { kindsFor } from "./subscriptions.ts";

const LOOK_EVERY_MS = 50;
const DEAD_LETTER_BODY_BYTES = 4096;
const MODERATE = "channel.moderate";
/** So long another account is asked where Twitch has turned one away. */
const ANOTHER_FOR_MS = 10 * 60_000;

const heard = counter("eventsub_messages_total", "Messages of EventSub, by what became of them", ["outcome"]);
const delay = histogram("eventsub_seconds", "From Twitch's time on a message to the log's queue");
const connectionsUp = gauge("eventsub_connections", "Sessions of EventSub that are up");

type Outcome =
  | "act"
  | "told_before"
  | "again"
  | "old"
  | "not_asked"
  | "unknown_type"
  | "unknown_action"
  | "malformed"
  | "opted_out";

export interface EventSub {
  /** The channels as chat knows them; those that are watched are heard where an account may. Call it when they change, and now and then. */
  settle(states: readonly ChannelState[]): void;
  stateOf(channelId: string | null): EventSubState | undefined;
  figures(): { readonly reason: string | null; readonly live: number };
  close(): void;
}

export interface EventSubParts {
  readonly config: Config;
  readonly log: Logger;
  readonly nc: NatsConnection;
  readonly writer: LogWriter;
  readonly optOuts: Pick<OptOuts, "leavesOut">;
  readonly removals: Removals;
  readonly lastState: (login: string) => Promise<ChannelState | null>;
}

/** Moderation of the watched channels, as Twitch tells it to accounts that signed in here, into the log. */
export async function openEventSub(parts: EventSubParts): Promise<EventSub> {
  const { config, log, nc, writer, optOuts, removals } = parts;
  const accounts = new Map<string, Account>();
  const links = new Map<string, { link: AccountLink; signedInAtMs: number }>();
  const helix = helixModeration(config);
  const tokens = await openAccountTokens(config, nc);
  const bucket = await whenTheLogAnswers(nc, () => new Kvm(nc).open(ACCOUNTS_BUCKET));
  const js = jetstream(nc);
  const isNew = newMessages();
  const acts = sameActs();
  /** Since when a channel is not heard by anybody here; null: it is, or never was; absent: what an earlier process heard is not read yet. */
  const before = new Map<string, Unheard | null>();
  const reading = new Set<string>();
  /** `<user id> <channel id>`, until when (monotonic) another account is preferred, since Twitch has turned this one away. */
  const turnedAway = new Map<string, number>();
  const unknown = new Set<string>();
  const off: EventSubState = {
    ...{ state: "off", reason: "nobody who moderates here has signed in", sinceMs: Date.now() },
    ...{ account: null, missing: [], heardAtMs: null },
  };
  let watched: readonly ChannelState[] = [];
  let closed = false;

  // ── what Twitch says ──────────────────────────────────────────────────────────────────────────────────────────────

  const publish = (event: ModEvent): void => {
    writer.event(modEvent, event);
    removals.byEventSub(event, performance.now());
  };

  const take = (link: AccountLink, message: Extract<Frame, { kind: "notification" }>): Outcome => {
    const { subscription, messageId, sentAtMs, event } = message;
    const nowMs = Date.now();
    const channelId = subscription.condition["broadcaster_user_id"] ?? "";
    // A subscription that we never asked for: somebody else's word, or a server gone wrong.
    if (!link.follows(channelId)) return "not_asked";
    const age = isNew(messageId, sentAtMs, nowMs);
    if (age !== "new") return age;
    const { type, version } = subscription;
    const reading = readNotification({ type, version, messageId, sentAtMs, event });
    switch (reading.kind) {
      case "malformed":
        setAside(message, reading.detail);
        return "malformed";
      case "unknown_type":
      case "unknown_action": {
        const what = reading.kind === "unknown_type" ? `${type} v${version}` : reading.action;
        if (unknown.size < 100 && !unknown.has(what))
          log.warn({ what }, "EventSub tells what is not known here");
        unknown.add(what);
        return reading.kind;
      }
      case "act": {
        const { act } = reading;
        if (act.channelId !== channelId) return "not_asked";
        if (act.targetUserId !== "" && optOuts.leavesOut(channelId, act.targetUserId, act.targetLogin)) {
          leftOut.inc({ where: "eventsub" });
          return "opted_out";
        }
        delay.observe(Math.max(0, nowMs - sentAtMs) / 1000);
        const told = acts.take(act, reading.poor && link.hears(channelId, MODERATE), performance.now());
        if (told === null) return "told_before";
        publish(told);
        return "act";
      }
    }
  };

  const setAside = (message: Extract<Frame, { kind: "notification" }>, detail: string): void => {
    const letter: DeadLetter = {
      id: `eventsub:${message.messageId}:0`,
      stream: "eventsub",
      seq: 0,
      subject: message.subscription.type.slice(0, 100),
      reason: "wrong_shape",
      detail,
      body: Buffer.from(JSON.stringify(message.event ?? null))
        .subarray(0, DEAD_LETTER_BODY_BYTES)
        .toString("base64"),
      atMs: Date.now(),
    };
    js.publish(deadLetterSubject("eventsub"), JSON.stringify(letter), { msgID: letter.id }).catch(
      (error: unknown) => log.warn({ err: error }, "a dead letter of EventSub is lost"),
    );
  };

  const unheard = (channelId: string, fromMs: number, toMs: number, reason: string): void => {
    const event: ModEvent = {
      id: `${channelId}:unheard:${fromMs}`,
      channelId,
      atMs: toMs,
      action: "unheard",
      heardBy: "eventsub",
      moderatorId: "",
      moderatorLogin: "",
      targetUserId: "",
      targetLogin: "",
      targetMessageId: "",
      text: "",
      reason: "",
      durationS: Math.max(1, Math.round((toMs - fromMs) / 1000)),
      detail: { reason, fromMs: String(fromMs), toMs: String(toMs) },
      sourceChannelId: "",
      messageId: "",
    };
    writer.event(modEvent, event);
  };

  // ── accounts and channels ─────────────────────────────────────────────────────────────────────────────────────────

  const linkOf = (one: Account): AccountLink => {
    const known = links.get(one.userId);
    // Whoever signs in again starts anew: what was revoked or refused before says nothing any more.
    if (known?.signedInAtMs === one.signedInAtMs) return known.link;
    known?.link.close();
    for (const key of turnedAway.keys()) if (key.startsWith(`${one.userId} `)) turnedAway.delete(key);
    const link = openAccountLink({
      url: config.TWITCH_EVENTSUB_URL,
      account: one,
      subscribe: (asked) => tokens.use(one.userId, (token) => helix.subscribe(token, asked)),
      unsubscribe: (id) => tokens.use(one.userId, (token) => helix.unsubscribe(token, id)),
      notification: (message) => heard.inc({ outcome: take(link, message) }),
      unheard,
      malformed(detail) {
        heard.inc({ outcome: "malformed" });
        log.debug({ detail }, "a frame of EventSub that is none");
      },
      log,
    });
    links.set(one.userId, { link, signedInAtMs: one.signedInAtMs });
    return link;
  };

  const mayHear = (one: Account, channelId: string): boolean =>
    one.tokens !== null &&
    one.problem === null &&
    (one.userId === channelId || one.moderates.some((place) => place.channelId === channelId)) &&
    kindsFor({ channelId, userId: one.userId }, one.scopes).kinds.length > 0;

  /** The broadcaster before moderators, who hears `channel.moderate` before who does not; of whom Twitch has turned away, last. */
  const chosen = (channelId: string): Account | null => {
    const rank = (one: Account): number => {
      const key = `${one.userId} ${channelId}`;
      const state = links.get(one.userId)?.link.state(channelId)?.state;
      if (state === "refused" || state === "revoked") turnedAway.set(key, performance.now() + ANOTHER_FOR_MS);
      const { kinds } = kindsFor({ channelId, userId: one.userId }, one.scopes);
      return (
        ((turnedAway.get(key) ?? 0) > performance.now() ? 4 : 0) +
        (kinds.some(({ type }) => type === MODERATE) ? 0 : 2) +
        (one.userId === channelId ? 0 : 1)
      );
    };
    const possible = [...accounts.values()].filter((one) => mayHear(one, channelId));
    possible.sort((a, b) => rank(a) - rank(b) || a.userId.localeCompare(b.userId));
    return possible[0] ?? null;
  };

  /** Nobody hears the channel now, or somebody else is about to. */
  const leave = (channelId: string, link: AccountLink, why: string): void => {
    const state = link.state(channelId);
    const fromMs = state?.heardAtMs ?? null;
    if (fromMs !== null)
      before.set(channelId, { fromMs, reason: state?.state === "revoked" ? "revoked" : why });
  };

  const settle = (): void => {
    if (closed) return;
    const wanted = new Map<string, { channelId: string; unheard: Unheard | null }[]>();
    for (const { channelId, login, state } of watched) {
      if (channelId === null) continue;
      const unheard = before.get(channelId);
      if (unheard === undefined) {
        void remember(channelId, login);
        continue;
      }
      const one = state === "paused" ? null : chosen(channelId);
      const holder = [...links].find(([, { link }]) => link.follows(channelId));
      const stays = holder?.[0] === one?.userId && holder?.[1].signedInAtMs === one?.signedInAtMs;
      if (holder !== undefined && !stays)
        leave(channelId, holder[1].link, state === "paused" ? "paused" : "account_changed");
      if (one === null) continue;
      wanted.set(one.userId, [
        ...(wanted.get(one.userId) ?? []),
        { channelId, unheard: before.get(channelId) ?? null },
      ]);
    }
    for (const [userId, { link }] of links) {
      if (wanted.has(userId)) continue;
      link.close();
      links.delete(userId);
    }
    for (const [userId, channels] of wanted) {
      const one = accounts.get(userId);
      if (one === undefined) continue;
      const link = linkOf(one);
      link.want(channels);
      // Told once, by whoever hears it first.
      for (const { channelId } of channels) if (link.follows(channelId)) before.set(channelId, null);
    }
    const here = new Set(watched.map(({ channelId }) => channelId));
    for (const channelId of before.keys()) if (!here.has(channelId)) before.delete(channelId);
  };

  const remember = async (channelId: string, login: string): Promise<void> => {
    if (reading.has(channelId)) return;
    reading.add(channelId);
    try {
      const last = await parts.lastState(login);
      const fromMs = last?.channelId === channelId ? (last.eventSub?.heardAtMs ?? null) : null;
      before.set(channelId, fromMs === null ? null : { fromMs, reason: "source_restarted" });
    } catch (error) {
      log.debug({ err: error, login }, "cannot read until when moderation was heard");
    }
    reading.delete(channelId);
    settle();
  };

  const watch = watchBucket(bucket, log, (key, entry) => {
    const read = entry === null ? null : account.safeParse(jsonOf(entry.value));
    if (read?.success === true) accounts.set(key, read.data);
    else accounts.delete(key);
    settle();
  });

  const timer = setInterval(() => {
    const now = performance.now();
    for (const event of acts.due(now)) publish(event);
    for (const removal of removals.due(now)) writer.event(chatModeration, removal);
  }, LOOK_EVERY_MS);

  const stateOf = (channelId: string | null): EventSubState | undefined => {
    if (channelId === null) return undefined;
    for (const { link } of links.values()) {
      const state = link.state(channelId);
      if (state !== null) return state;
    }
    return { ...off, heardAtMs: before.get(channelId)?.fromMs ?? null };
  };

  return {
    settle(states) {
      watched = states;
      settle();
    },
    stateOf,
    figures() {
      connectionsUp.set([...links.values()].reduce((sum, { link }) => sum + link.connections(), 0));
      const states = watched.map((one) => stateOf(one.channelId));
      const wrong = states.find(
        (state) => state !== undefined && ["lost", "refused", "revoked"].includes(state.state),
      );
      return {
        reason: wrong === undefined ? null : `moderation is not heard: ${wrong.reason ?? wrong.state}`,
        live: states.filter((state) => state?.state === "live" || state?.state === "partial").length,
      };
    },
    close() {
      closed = true;
      clearInterval(timer);
      watch.close();
      for (const { link } of links.values()) link.close();
    },
  };
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return null;
  }
}
