import type { Account } from "@hypecast/contracts/account.ts";
import type { Person } from "@hypecast/contracts/journal.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { MODERATE_SCOPES } from "@hypecast/runtime/twitch/scopes.ts";
import type { Roles } from "../roles.ts";
import type { Accounts } from "./accounts.ts";
import type { Sessions } from "./sessions.ts";

const EVERY_MS = 10 * 60_000;
/** Somebody who is just signing in has no session yet. */
const YOUNG_MS = 60 * 60_000;

/**
 * Who has no session any more, no role here, and has not connected their account for moderating is forgotten: of a chatter who signed in once
 * to look at what is kept of them nothing is kept for having looked.
 */
export function forgetPeople(parts: {
  readonly accounts: Accounts;
  readonly sessions: Pick<Sessions, "owners"> & { readonly ready: () => boolean };
  readonly roles: Pick<Roles, "placesOf">;
  /** Takes back at Twitch what they allowed. */
  readonly revoke: (sealed: string) => Promise<string | null>;
  readonly log: Logger;
}): { close(): void } {
  const { accounts, sessions, roles, revoke, log } = parts;
  const timer = setInterval(() => {
    void look(Date.now()).catch((error: unknown) =>
      log.warn({ err: error }, "people who have gone are still known"),
    );
  }, EVERY_MS);
  async function look(nowMs: number): Promise<void> {
    // Before the sessions are read everybody would look gone.
    if (!sessions.ready() || !accounts.ready()) return;
    const here = sessions.owners();
    for (const account of [...accounts.of.values()]) {
      if (!isGone(account, here, roles.placesOf(personOf(account)).length > 0, nowMs)) continue;
      if (account.tokens !== null) await revoke(account.tokens);
      await accounts.of.remove(account.userId);
    }
  }
  return { close: () => clearInterval(timer) };
}

const personOf = ({ userId, login }: Account): Person => ({ kind: "twitch", userId, login });

export function isGone(
  account: Pick<Account, "userId" | "tokens" | "scopes" | "signedInAtMs">,
  here: ReadonlySet<string>,
  hasRole: boolean,
  nowMs: number,
): boolean {
  const connected = account.tokens !== null && account.scopes.includes(MODERATES);
  return !hasRole && !connected && !here.has(account.userId) && account.signedInAtMs < nowMs - YOUNG_MS;
}
const MODERATES: (typeof MODERATE_SCOPES)[number] = "moderator:manage:banned_users";
