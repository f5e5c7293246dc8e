import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Secret } from "@hypecast/runtime/secret.ts";
import { z } from "zod";

/** What a person is asked to allow: nothing but who they are · to look · to moderate · to moderate as the broadcaster. */
export const CONSENTS = ["me", "look", "moderate", "broadcast"] as const;
export type Consent = (typeof CONSENTS)[number];

/** So long a person may take at Twitch. */
export const PENDING_MS = 10 * 60_000;
const PURPOSE = "sign-in";

/**
 * A sign-in that has begun. It is kept by the browser alone, sealed in a cookie: so the callback works only in the browser that began, at
 * whichever gateway, and nobody can fill our memory by beginning.
 */
const pending = z.object({
  state: z.string(),
  verifier: z.string(),
  consent: z.enum(CONSENTS),
  next: z.string(),
  untilMs: z.int(),
});
export type Pending = z.infer<typeof pending>;

export const beginPending = (asked: Pick<Pending, "consent" | "next">, nowMs: number): Pending => ({
  ...asked,
  state: randomBytes(32).toString("base64url"),
  verifier: randomBytes(48).toString("base64url"),
  untilMs: nowMs + PENDING_MS,
});
export const sealPending = (secret: Secret, value: Pending): string =>
  encodeURIComponent(secret.seal(PURPOSE, JSON.stringify(value)));

/** PKCE's S256 (RFC 7636). */
export const challengeOf = ({ verifier }: Pick<Pending, "verifier">): string =>
  createHash("sha256").update(verifier).digest("base64url");

/** The sign-in that a callback ends, or why it ends none. */
export function openPending(
  secret: Secret,
  sealed: string | null,
  state: string,
  nowMs: number,
): Pending | "no_browser" | "forged" | "expired" {
  if (sealed === null) return "no_browser";
  let value: Pending;
  try {
    value = pending.parse(JSON.parse(secret.open(PURPOSE, decodeURIComponent(sealed))));
  } catch {
    return "forged";
  }
  if (!same(value.state, state)) return "forged";
  return value.untilMs <= nowMs ? "expired" : value;
}

/** In the same time however much of it is right. */
function same(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
