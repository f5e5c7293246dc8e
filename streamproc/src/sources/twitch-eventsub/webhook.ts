import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { readFrame, type Frame, type FrameSubscription } from "./frame.ts";
import type { newMessages } from "./seen.ts";

/** Twitch's messages are a few KB. */
const BODY_BYTES = 256 * 1024;

/** What is to be done with a request to the callback, and what is answered. Everything but a good message changes nothing. */
export type WebhookRequest =
  /** Answer 200 with `challenge` as text/plain: Twitch asks whether the callback is ours. */
  | { readonly kind: "challenge"; readonly challenge: string; readonly subscription: FrameSubscription }
  | { readonly kind: "notification"; readonly message: Extract<Frame, { kind: "notification" }> }
  | { readonly kind: "revocation"; readonly subscription: FrameSubscription }
  /** Heard before: answer 2xx, so that Twitch does not send it again. */
  | { readonly kind: "again" }
  | {
      readonly kind: "refused";
      readonly status: 400 | 403 | 413;
      readonly why: "too_large" | "unsigned" | "forged" | "old" | "malformed" | "unknown_type";
    };

const verification = z.object({ challenge: z.string().min(1).max(500) });
const refused = (
  status: 400 | 403 | 413,
  why: Extract<WebhookRequest, { kind: "refused" }>["why"],
): WebhookRequest => ({ kind: "refused", status, why });

/**
 * Reads a request of EventSub over webhooks: signed with HMAC-SHA256 over message id, time and the body as it came, no older than ten minutes,
 * each id once. Nothing of the body is looked at before the signature has been. The same acts come out of it as out of the websocket.
 */
export function readWebhook(
  headers: (name: string) => string | null,
  body: Uint8Array,
  parts: { readonly secret: string; readonly isNew: ReturnType<typeof newMessages>; readonly nowMs: number },
): WebhookRequest {
  if (body.byteLength > BODY_BYTES) return refused(413, "too_large");
  const header = (name: string): string => headers(`twitch-eventsub-message-${name}`) ?? "";
  const [id, time, type, signature] = [
    header("id"),
    header("timestamp"),
    header("type"),
    header("signature"),
  ];
  if (id === "" || time === "" || signature === "") return refused(403, "unsigned");
  const ours = `sha256=${createHmac("sha256", parts.secret).update(id).update(time).update(body).digest("hex")}`;
  if (!equal(ours, signature)) return refused(403, "forged");
  const sentAtMs = Date.parse(time);
  // A challenge, too, may be recorded and played again.
  const age = Number.isNaN(sentAtMs) ? "old" : parts.isNew(id, sentAtMs, parts.nowMs);
  if (age === "old") return refused(403, "old");
  if (age === "again") return { kind: "again" };

  let payload: unknown;
  try {
    payload = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return refused(400, "malformed");
  }
  const asks = type === "webhook_callback_verification";
  const frame = readFrame(
    JSON.stringify({
      metadata: { message_id: id, message_type: asks ? "revocation" : type, message_timestamp: time },
      payload,
    }),
  );
  if (frame.kind === "unknown") return refused(400, "unknown_type");
  if (frame.kind === "notification") return { kind: "notification", message: frame };
  if (frame.kind !== "revocation") return refused(400, "malformed");
  if (!asks) return { kind: "revocation", subscription: frame.subscription };
  const asked = verification.safeParse(payload);
  return asked.success
    ? { kind: "challenge", challenge: asked.data.challenge, subscription: frame.subscription }
    : refused(400, "malformed");
}

function equal(ours: string, theirs: string): boolean {
  const [a, b] = [Buffer.from(ours), Buffer.from(theirs)];
  return a.length === b.length && timingSafeEqual(a, b);
}
