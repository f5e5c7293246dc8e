import type { Account } from "@hypecast/contracts/account.ts";
import type { JournalAct, Person } from "@hypecast/contracts/journal.ts";

type Known = Pick<Account, "userId" | "login" | "scopes" | "tokens" | "problem">;

/** What Twitch asks an account to have allowed, by act. */
const SCOPES: Partial<Record<JournalAct, string>> = {
  approve: "moderator:manage:automod",
  delete: "moderator:manage:chat_messages",
  timeout: "moderator:manage:banned_users",
  ban: "moderator:manage:banned_users",
  unban: "moderator:manage:banned_users",
  untimeout: "moderator:manage:banned_users",
  warn: "moderator:manage:warnings",
  slow: "moderator:manage:chat_settings",
  followers: "moderator:manage:chat_settings",
  subscribers: "moderator:manage:chat_settings",
  shield: "moderator:manage:shield_mode",
};

/**
 * Whose account carries an act out at Twitch: the person's own, so that Twitch's log names them; where that one is not connected, or has not
 * allowed it, the broadcaster's. `because`: why nobody's does, for a person.
 */
export function whoActs(
  by: Person,
  act: JournalAct,
  own: Known | null,
  broadcaster: Known | null,
): { readonly account: Known } | { readonly because: string } {
  const scope = SCOPES[act];
  const may = (account: Known | null): account is Known =>
    account !== null &&
    account.tokens !== null &&
    account.problem === null &&
    (scope === undefined || account.scopes.includes(scope));
  if (by.kind === "twitch" && may(own)) return { account: own };
  if (may(broadcaster)) return { account: broadcaster };
  if (own !== null && own.problem !== null) return { because: own.problem };
  if (own !== null && own.tokens !== null)
    return { because: `${own.login} has not allowed it at Twitch, and the broadcaster is not connected` };
  return { because: "Twitch is not connected" };
}
