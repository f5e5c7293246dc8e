import type { Account } from "@hypecast/contracts/account.ts";
import type { HelixModeration } from "@hypecast/runtime/twitch/helix.ts";
import type { AccountTokens } from "@hypecast/runtime/twitch/tokens.ts";

const REMEMBERED = 5000;
const WITHIN_MS = 1500;

/** When an account was made, as Twitch tells those who are connected; null: not known. A page does not wait long for it. */
export type AccountAge = (
  userId: string,
  askers: { own: Account | null; broadcaster: Account | null },
) => Promise<number | null>;

export function createAccountAge(
  helix: Pick<HelixModeration, "users">,
  tokens: Pick<AccountTokens, "use">,
): AccountAge {
  const known = new Map<string, number>();
  return async (userId, { own, broadcaster }) => {
    const found = known.get(userId);
    if (found !== undefined) return found;
    const asker = [own, broadcaster].find((account) => account !== null && account.tokens !== null) ?? null;
    if (asker === null || !/^\d+$/.test(userId)) return null;
    const asked = tokens
      .use(asker.userId, (token) => helix.users(token, [userId]))
      .then((answer) => {
        const createdAtMs = answer.kind === "ok" ? (answer.data[0]?.createdAtMs ?? 0) : 0;
        if (createdAtMs === 0) return null;
        known.set(userId, createdAtMs);
        const oldest = known.keys().next().value;
        if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
        return createdAtMs;
      })
      .catch(() => null);
    const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), WITHIN_MS).unref());
    return Promise.race([asked, late]);
  };
}
