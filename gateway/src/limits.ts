import type { Cache } from "./cache.ts";
import { ProblemError } from "./problems.ts";

/** API requests that one client may send. A page that opens needs about ten, one that browses the heatmap a few a second. */
const REQUESTS = 300;
const WINDOW_MS = 10_000;

export interface Limits {
  /** Headers that say what is left; throws ProblemError too_many_requests. */
  take(client: string): Promise<Record<string, string>>;
}

/** A fixed window a client, shared between gateways where Redis is there. */
export function createLimits(cache: Cache, requests = REQUESTS): Limits {
  return {
    async take(client) {
      const count = await cache.count(`rate:${client}`, WINDOW_MS);
      const resetS = String(Math.ceil((WINDOW_MS - (Date.now() % WINDOW_MS)) / 1000));
      const headers = {
        "RateLimit-Limit": String(requests),
        "RateLimit-Remaining": String(Math.max(0, requests - count)),
        "RateLimit-Reset": resetS,
        // The same as the later drafts of the IETF spell it.
        "RateLimit-Policy": `"client";q=${requests};w=${WINDOW_MS / 1000}`,
        RateLimit: `"client";r=${Math.max(0, requests - count)};t=${resetS}`,
      };
      if (count > requests)
        throw new ProblemError(
          "too_many_requests",
          `more than ${requests} requests in ${WINDOW_MS / 1000} s`,
          {
            ...headers,
            "Retry-After": resetS,
          },
        );
      return headers;
    },
  };
}
