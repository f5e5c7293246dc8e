/**
 * What came of a call to Twitch. Closed, so that whoever calls says for each what the person sees. `said` is Twitch's own sentence, or ours
 * where it gave none.
 */
export type TwitchAnswer<Data = null> = { readonly kind: "ok"; readonly data: Data } | TwitchRefusal;

export type TwitchRefusal =
  /** The token is not taken: refreshing may help, signing in does. */
  | { readonly kind: "unauthorized"; readonly said: string }
  /** The account may not do this: it is no moderator there (any more), or the token lacks a scope. */
  | { readonly kind: "forbidden"; readonly said: string }
  /** The user, the message or the channel is not there (any more). */
  | { readonly kind: "not_found"; readonly said: string }
  /** It is so already: banned before, not banned, AutoMod's message decided by somebody else, subscribed before. */
  | { readonly kind: "conflict"; readonly said: string }
  /** Twitch will never do this: a broadcaster cannot be banned, a value is out of range. */
  | { readonly kind: "refused"; readonly said: string }
  | { readonly kind: "rate_limited"; readonly said: string; readonly retryAtMs: number }
  /** Certainly not done: Twitch was not reached, or said so. Trying later is safe. */
  | { readonly kind: "unavailable"; readonly said: string }
  /** It was sent and nobody knows whether it was done. Only for calls that change something. */
  | { readonly kind: "unknown"; readonly said: string };

export const TWITCH_REFUSALS = [
  "unauthorized",
  "forbidden",
  "not_found",
  "conflict",
  "refused",
  "rate_limited",
  "unavailable",
  "unknown",
] as const satisfies readonly TwitchRefusal["kind"][];

const RETRY_MS = { least: 1_000, most: 60_000 };
/** Twitch says these with 400, and means that what was asked for is so already. */
const ALREADY =
  /already (?:banned|been|processed|exists|subscribed|timed out)|is already|is not banned|not in (?:a )?timeout/i;
const NOBODY = /(?:not found|does not exist|not a valid user|invalid user|was not found)/i;

/** What a status other than 2xx means. `changes`: the call was to change something, so that a broken answer leaves doubt. */
export function refusalOf(
  status: number,
  said: string,
  headers: Headers,
  changes: boolean,
  nowMs: number,
): TwitchRefusal {
  switch (true) {
    case status === 401:
      // The token itself is good; asking for a new one gives the same scopes.
      return /missing scope|must match the user id|incorrect user authorization/i.test(said)
        ? { kind: "forbidden", said }
        : { kind: "unauthorized", said };
    case status === 403:
      return { kind: "forbidden", said };
    case status === 404:
      return { kind: "not_found", said };
    case status === 409:
      // Somebody else is changing the same user right now: Twitch asks to come again. Of a subscription: it is there.
      return ALREADY.test(said) ? { kind: "conflict", said } : { kind: "unavailable", said };
    case status === 429:
      return { kind: "rate_limited", said, retryAtMs: retryAtMs(headers, nowMs) };
    case status === 503:
      return { kind: "unavailable", said };
    case status >= 500:
      return { kind: changes ? "unknown" : "unavailable", said };
    default:
      if (ALREADY.test(said)) return { kind: "conflict", said };
      return NOBODY.test(said) ? { kind: "not_found", said } : { kind: "refused", said };
  }
}

function retryAtMs(headers: Headers, nowMs: number): number {
  const reset = Number(headers.get("ratelimit-reset")) * 1000;
  const after = Number(headers.get("retry-after")) * 1000;
  const wait = reset > nowMs ? reset - nowMs : after;
  return nowMs + Math.min(RETRY_MS.most, Math.max(RETRY_MS.least, wait || 0));
}
