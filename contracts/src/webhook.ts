import { z } from "zod";

/** What a webhook may be told of. */
export const WEBHOOK_EVENTS = [
  "stream.ready",
  "stream.error",
  "clip.ready",
  "clip.failed",
  "answer.done",
] as const;
export const webhookId = z.string().regex(/^[0-9a-z]{8,40}$/);
/** KV bucket; key: webhook id. */
export const WEBHOOKS_BUCKET = "webhooks";
export const webhook = z.object({
  id: webhookId,
  url: z.string().max(2000),
  events: z.array(z.enum(WEBHOOK_EVENTS)).min(1),
  /** Signs with HMAC-SHA256 over `<id>.<timestamp>.<body>`; shown once, when it is made. */
  secret: z.string(),
  createdAtMs: z.int(),
  /** How the last delivery went. */
  last: z
    .object({ atMs: z.int(), status: z.int().nullable(), detail: z.string(), tries: z.int() })
    .nullable(),
});
export type Webhook = z.infer<typeof webhook>;
/** BullMQ queue of deliveries. */
export const WEBHOOK_QUEUE = "webhooks";
