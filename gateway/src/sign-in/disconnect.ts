import type { Person } from "@hypecast/contracts/journal.ts";
import type { Secret } from "@hypecast/runtime/secret.ts";
import type { TwitchId } from "@hypecast/runtime/twitch/id.ts";
import { openTokens } from "@hypecast/runtime/twitch/tokens.ts";
import { ProblemError } from "../problems.ts";
import type { Accounts } from "./accounts.ts";
import type { Audit } from "./audit.ts";
import type { Sessions } from "./sessions.ts";

export type Disconnect = (person: Person) => Promise<void>;

/**
 * Takes back at Twitch what a person allowed, forgets the tokens, and signs them out everywhere. Throws ProblemError twitch_away: here it is
 * done, at Twitch it is not.
 */
export function disconnecting(parts: {
  readonly accounts: Accounts;
  readonly sessions: Pick<Sessions, "endAllOf">;
  readonly secret: Secret;
  readonly id: Pick<TwitchId, "revoke">;
  readonly audit: Audit;
}): Disconnect {
  const { accounts, sessions, audit } = parts;
  return async (person) => {
    if (person.kind !== "twitch")
      throw new ProblemError("forbidden", "only who has signed in with Twitch can be disconnected from it");
    const { userId, login } = person;
    let sealed: string | null = null;
    await accounts.of.change(userId, (now) => {
      sealed = now.tokens;
      return {
        ...now,
        tokens: null,
        scopes: [],
        moderates: [],
        problem: "disconnected",
        refreshingUntilMs: 0,
      };
    });
    await sessions.endAllOf(userId);
    const revoked = sealed === null ? null : await revokeSealed(parts, sealed);
    await audit.note({ act: "disconnect", person: { userId, login }, client: "", reason: revoked ?? "" });
    if (revoked !== null)
      throw new ProblemError(
        "twitch_away",
        `you are disconnected here, but Twitch did not confirm it (${revoked}): take the access back at twitch.tv/settings/connections, too`,
      );
  };
}

/** Takes an access back at Twitch. Null: it is done; else why not. */
export async function revokeSealed(
  { secret, id }: { readonly secret: Secret; readonly id: Pick<TwitchId, "revoke"> },
  sealed: string,
): Promise<string | null> {
  let access: string;
  try {
    ({ access } = openTokens(secret, sealed));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const answer = await id.revoke(access);
  // One that Twitch does not know any more is as good as taken back.
  return answer.kind === "ok" || ["unauthorized", "refused", "not_found"].includes(answer.kind)
    ? null
    : answer.said;
}
