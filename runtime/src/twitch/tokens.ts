import { setTimeout as sleep } from "node:timers/promises";
import { Kvm, type KV, type KvEntry } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { z } from "zod";
import { account, ACCOUNTS_BUCKET, type Account } from "@hypecast/contracts/account.ts";
import type { Config } from "../config.ts";
import { openSecret, type Secret } from "../secret.ts";
import type { TwitchAnswer } from "./answer.ts";
import { twitchId, type TwitchId } from "./id.ts";

/** Sealed for this purpose, tokens are opened for no other. */
const PURPOSE = "tokens";
/** A token that ends sooner is refreshed before it is used: it must outlive the call. */
const SKEW_MS = 30_000;
/** Who refreshes says so for as long; one that died meanwhile holds nobody up for longer. */
const REFRESHING_MS = 15_000;
const LOOK_AGAIN_MS = 150;

const pair = z.object({ access: z.string(), refresh: z.string() });
export type TokenPair = z.infer<typeof pair>;
export const sealTokens = (secret: Secret, tokens: TokenPair): string =>
  secret.seal(PURPOSE, JSON.stringify({ access: tokens.access, refresh: tokens.refresh }));
/** Throws a sentence when they were sealed with another key. */
export const openTokens = (secret: Secret, sealed: string): TokenPair =>
  pair.parse(JSON.parse(secret.open(PURPOSE, sealed)));

export interface AccountTokens {
  /** A token that will live for half a minute at least. `unauthorized`: nobody signed in, or Twitch took it back. */
  fresh(userId: string): Promise<TwitchAnswer<string>>;
  /**
   * A call in the name of an account: with a fresh token, and once more with a new one where Twitch does not take it. What is `unauthorized`
   * then is marked on the account, so that its owner sees it.
   */
  use<Data>(
    userId: string,
    call: (token: string) => Promise<TwitchAnswer<Data>>,
  ): Promise<TwitchAnswer<Data>>;
  /** The account as it is kept; null: never signed in. */
  account(userId: string): Promise<Account | null>;
  /** Twitch did not let the account do what its role allows (`forbidden`): its roles count no more until Twitch was asked anew, which is at once. */
  doubtRoles(userId: string): Promise<void>;
}

export type TokensConfig = Pick<
  Config,
  "HYPECAST_SECRET" | "HYPECAST_DATA" | "TWITCH_ID_URL" | "TWITCH_CLIENT_ID" | "TWITCH_CLIENT_SECRET"
>;

export async function openAccountTokens(config: TokensConfig, nc: NatsConnection): Promise<AccountTokens> {
  const bucket = await new Kvm(nc).open(ACCOUNTS_BUCKET);
  return accountTokens(bucket, openSecret(config), twitchId(config));
}

export function accountTokens(bucket: KV, secret: Secret, id: Pick<TwitchId, "refresh">): AccountTokens {
  const read = async (userId: string): Promise<{ entry: KvEntry; kept: Account } | null> => {
    const entry = await bucket.get(userId);
    if (entry?.operation !== "PUT") return null;
    const kept = account.safeParse(jsonOf(entry.value));
    return kept.success ? { entry, kept: kept.data } : null;
  };
  /** False: somebody else wrote it meanwhile. */
  const write = async (entry: KvEntry, changed: Account): Promise<boolean> => {
    try {
      await bucket.update(entry.key, JSON.stringify(changed), entry.revision);
      return true;
    } catch (error) {
      if (isStale(error)) return false;
      throw error;
    }
  };

  /** `not`: a token that Twitch has just refused, however long it was to live. */
  const freshBut = async (userId: string, not: string | null): Promise<TwitchAnswer<string>> => {
    for (;;) {
      const found = await read(userId);
      if (found === null) return { kind: "unauthorized", said: "nobody signed in with this account" };
      const { entry, kept } = found;
      if (kept.tokens === null)
        return { kind: "unauthorized", said: kept.problem ?? "the account is signed out" };
      let tokens: TokenPair;
      try {
        tokens = openTokens(secret, kept.tokens);
      } catch (error) {
        return { kind: "unauthorized", said: error instanceof Error ? error.message : String(error) };
      }
      if (tokens.access !== not && kept.expiresAtMs > Date.now() + SKEW_MS)
        return { kind: "ok", data: tokens.access };
      if ((kept.refreshingUntilMs ?? 0) > Date.now()) {
        await sleep(LOOK_AGAIN_MS);
        continue;
      }
      if (!(await write(entry, { ...kept, refreshingUntilMs: Date.now() + REFRESHING_MS }))) continue;
      const answer = await id.refresh(tokens.refresh);
      // Whoever signed in meanwhile wrote newer tokens than ours: theirs stay.
      const now = await read(userId);
      if (now === null || now.kept.tokens !== kept.tokens) continue;
      if (answer.kind === "ok") {
        const { access, scopes, expiresAtMs } = answer.data;
        const renewed: Account = {
          ...now.kept,
          tokens: sealTokens(secret, answer.data),
          scopes: scopes.length === 0 ? now.kept.scopes : [...scopes],
          expiresAtMs,
          problem: null,
          refreshingUntilMs: 0,
        };
        if (await write(now.entry, renewed)) return { kind: "ok", data: access };
        continue;
      }
      const problem =
        answer.kind === "unauthorized"
          ? `Twitch took the access back: sign in again (${answer.said})`
          : now.kept.problem;
      const tokensLeft = answer.kind === "unauthorized" ? null : now.kept.tokens;
      await write(now.entry, { ...now.kept, tokens: tokensLeft, problem, refreshingUntilMs: 0 });
      return answer.kind === "unauthorized" ? { kind: "unauthorized", said: problem ?? "" } : notDone(answer);
    }
  };

  return {
    fresh: (userId) => freshBut(userId, null),
    async use(userId, call) {
      const token = await freshBut(userId, null);
      if (token.kind !== "ok") return token;
      const answer = await call(token.data);
      if (answer.kind !== "unauthorized") return answer;
      const another = await freshBut(userId, token.data);
      return another.kind === "ok" ? call(another.data) : another;
    },
    account: async (userId) => (await read(userId))?.kept ?? null,
    async doubtRoles(userId) {
      for (;;) {
        const found = await read(userId);
        if (found === null || found.kept.rolesAtMs === 0) return;
        if (await write(found.entry, { ...found.kept, rolesAtMs: 0 })) return;
      }
    },
  };
}

/** A refresh that failed never reached the call itself: whatever it was, the call was not made. */
const notDone = (answer: Exclude<TwitchAnswer<unknown>, { kind: "ok" }>): TwitchAnswer<never> =>
  answer.kind === "rate_limited" ? answer : { kind: "unavailable", said: answer.said };

const isStale = (error: unknown): boolean =>
  error instanceof Error && /wrong last sequence/i.test(error.message);

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return null;
  }
}
