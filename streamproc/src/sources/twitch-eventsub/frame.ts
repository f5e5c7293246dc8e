import { z } from "zod";

const head = z.object({
  message_id: z.string().min(1).max(200),
  message_type: z.string(),
  message_timestamp: z.string(),
});
const session = z.object({
  id: z.string().min(1).max(500),
  keepalive_timeout_seconds: z.number().positive().nullish(),
  reconnect_url: z.string().nullish(),
});
const subscription = z.object({
  id: z.string(),
  type: z.string(),
  version: z.string(),
  status: z.string(),
  condition: z.record(z.string(), z.string()),
});
export type FrameSubscription = z.output<typeof subscription>;
const frame = z.object({ metadata: head, payload: z.record(z.string(), z.unknown()) });

interface Head {
  readonly messageId: string;
  readonly sentAtMs: number;
}

/** One frame of EventSub over websocket, by what it is. */
export type Frame =
  | { readonly kind: "welcome"; readonly sessionId: string; readonly keepaliveMs: number }
  | { readonly kind: "keepalive" }
  | { readonly kind: "reconnect"; readonly url: string }
  | (Head & {
      readonly kind: "notification";
      readonly subscription: FrameSubscription;
      readonly event: unknown;
    })
  | (Head & { readonly kind: "revocation"; readonly subscription: FrameSubscription })
  | { readonly kind: "unknown"; readonly type: string }
  | { readonly kind: "malformed"; readonly detail: string };

const DEFAULT_KEEPALIVE_S = 10;

export function readFrame(text: string): Frame {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: "malformed", detail: "no JSON" };
  }
  const read = frame.safeParse(json);
  if (!read.success) return { kind: "malformed", detail: "no metadata and payload" };
  const { metadata, payload } = read.data;
  const sentAtMs = Math.round(Date.parse(metadata.message_timestamp));
  const wrong = (what: string): Frame => ({ kind: "malformed", detail: `${metadata.message_type}: ${what}` });
  switch (metadata.message_type) {
    case "session_welcome": {
      const said = session.safeParse(payload["session"]);
      if (!said.success) return wrong("no session");
      return {
        kind: "welcome",
        sessionId: said.data.id,
        keepaliveMs: (said.data.keepalive_timeout_seconds ?? DEFAULT_KEEPALIVE_S) * 1000,
      };
    }
    case "session_keepalive":
      return { kind: "keepalive" };
    case "session_reconnect": {
      const said = session.safeParse(payload["session"]);
      const url = said.success ? said.data.reconnect_url : null;
      return url === null || url === undefined ? wrong("no reconnect_url") : { kind: "reconnect", url };
    }
    case "notification":
    case "revocation": {
      const about = subscription.safeParse(payload["subscription"]);
      if (!about.success) return wrong("no subscription");
      if (Number.isNaN(sentAtMs)) return wrong("no time");
      const said = { messageId: metadata.message_id, sentAtMs, subscription: about.data };
      return metadata.message_type === "revocation"
        ? { kind: "revocation", ...said }
        : { kind: "notification", ...said, event: payload["event"] };
    }
    default:
      return { kind: "unknown", type: metadata.message_type.slice(0, 64) };
  }
}
