import { setTimeout as sleep } from "node:timers/promises";
import type { Account } from "@hypecast/contracts/account.ts";
import type { Person } from "@hypecast/contracts/journal.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { TwitchAnswer } from "@hypecast/runtime/twitch/answer.ts";
import type { HelixModeration } from "@hypecast/runtime/twitch/helix.ts";
import type { TwitchId } from "@hypecast/runtime/twitch/id.ts";
import { LOOK_SCOPES } from "@hypecast/runtime/twitch/scopes.ts";
import type { AccountTokens } from "@hypecast/runtime/twitch/tokens.ts";
import type { Cache } from "../cache.ts";
import { ROLES_TRUSTED_MS } from "../roles.ts";
import type { Accounts } from "./accounts.ts";
import type { Sessions } from "./sessions.ts";

/** Twitch is asked again before its word is five minutes old. */
const ASK_MS = 4 * 60_000;
const LOOK_MS = 20_000;
/** Twitch wants every application to look hourly whether its tokens still stand. */
const VALIDATE_MS = 55 * 60_000;
/** A request waits so long at most for Twitch's word on its person. */
const WAIT_MS = 3000;
/** Who was seen so lately is using it. */
const SEEN_MS = 10 * 60_000;
const MOST_SEEN = 10_000;
/** Of several gateways one asks, and where Twitch does not answer the next look does. */
const DOUBT_MS = 2000;
/** People that are asked about at the same time. */
const AT_ONCE = 4;

export interface TwitchRoles {
  /** Somebody asks for something: keeps their roles fresh, and waits for Twitch where its last word is too old to be believed. */
  freshen(person: Person): Promise<void>;
  /** An account has changed: where its roles are in doubt, Twitch is asked at once. */
  changed(userId: string): void;
  close(): void;
}

/** What Twitch says of people's roles and tokens, asked again for as long as they are here. */
export function followTwitchRoles(parts: {
  readonly accounts: Accounts;
  readonly sessions: Pick<Sessions, "endAllOf">;
  readonly tokens: AccountTokens;
  readonly helix: Pick<HelixModeration, "moderatedChannels">;
  readonly id: Pick<TwitchId, "validate">;
  /** People who have a page open. */
  readonly open: () => Iterable<Person>;
  readonly cache: Pick<Cache, "claim">;
  readonly log: Logger;
}): TwitchRoles {
  const { accounts, sessions, tokens, helix, id, cache, log } = parts;
  const seen = new Map<string, number>();
  const asking = new Map<string, Promise<void>>();

  async function ask(userId: string): Promise<void> {
    const before = accounts.of.get(userId);
    // Twitch has taken its tokens back: whoever holds a session of it has to sign in again.
    if (before === null || before.tokens === null) return sessions.endAllOf(userId);
    const readsRoles = before.scopes.includes(LOOK_SCOPES[0]);
    const answer: TwitchAnswer<Account["moderates"]> = readsRoles
      ? await tokens.use(userId, (token) => helix.moderatedChannels(token, userId))
      : { kind: "ok", data: [] };
    // What Twitch does not answer stays as it was, until it is too old to be believed.
    if (answer.kind === "ok" || answer.kind === "forbidden") {
      const moderates = answer.kind === "ok" ? answer.data : [];
      await accounts.of.change(userId, (now) => ({ ...now, moderates, rolesAtMs: Date.now() }));
    }
    if (answer.kind === "unauthorized") return lost(userId, answer.said);
    if (!(await cache.claim(`validate:${userId}`, "", VALIDATE_MS))) return;
    const valid = await tokens.use(userId, (token) => id.validate(token));
    if (valid.kind === "unauthorized") return lost(userId, valid.said);
    if (valid.kind === "ok" && valid.data.userId === userId)
      // People rename themselves.
      await accounts.of.change(userId, (now) =>
        now.login === valid.data.login ? null : { ...now, login: valid.data.login },
      );
  }

  async function lost(userId: string, said: string): Promise<void> {
    await accounts.of.change(userId, (now) => ({
      ...now,
      ...{ tokens: null, moderates: [], rolesAtMs: Date.now() },
      problem: now.problem ?? said,
    }));
    await sessions.endAllOf(userId);
  }

  function askOnce(userId: string): Promise<void> {
    let running = asking.get(userId);
    if (running === undefined) {
      running = ask(userId)
        .catch((error: unknown) =>
          log.warn({ err: error, userId }, "a person's roles could not be looked up"),
        )
        .finally(() => asking.delete(userId));
      asking.set(userId, running);
    }
    return running;
  }

  const look = setInterval(() => void lookAfterAll(), LOOK_MS);
  let looking = false;
  async function lookAfterAll(): Promise<void> {
    if (looking) return;
    looking = true;
    const nowMs = Date.now();
    for (const [userId, atMs] of seen) if (atMs < nowMs - SEEN_MS) seen.delete(userId);
    const here = new Set(seen.keys());
    for (const { kind, userId } of parts.open()) if (kind === "twitch") here.add(userId);
    const due = [...here].filter(
      (userId) => (accounts.of.get(userId)?.rolesAtMs ?? 0) < nowMs - ASK_MS + LOOK_MS,
    );
    const next = async (): Promise<void> => {
      for (let userId = due.pop(); userId !== undefined; userId = due.pop())
        // Of several gateways one asks; the others hear of it by the bucket.
        if (await cache.claim(`roles:${userId}`, "", ASK_MS / 2)) await askOnce(userId);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    looking = false;
  }

  return {
    async freshen({ kind, userId }) {
      if (kind !== "twitch") return;
      const nowMs = Date.now();
      if (seen.size < MOST_SEEN || seen.has(userId)) seen.set(userId, nowMs);
      const ageMs = nowMs - (accounts.of.get(userId)?.rolesAtMs ?? nowMs);
      if (ageMs < ASK_MS) return;
      const asked = askOnce(userId);
      if (ageMs >= ROLES_TRUSTED_MS) await Promise.race([asked, sleep(WAIT_MS, undefined, { ref: false })]);
    },
    changed(userId) {
      if (accounts.of.get(userId)?.rolesAtMs !== 0 || asking.has(userId)) return;
      void cache.claim(`doubt:${userId}`, "", DOUBT_MS).then((mine) => (mine ? askOnce(userId) : undefined));
    },
    close: () => clearInterval(look),
  };
}
