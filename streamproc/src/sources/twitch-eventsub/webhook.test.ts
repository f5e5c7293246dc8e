import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { moderate, notification, SENT_MS } from "./payload.fixture.ts";
import { readNotification } from "./payload.ts";
import { newMessages } from "./seen.ts";
import { readWebhook, type WebhookRequest } from "./webhook.ts";

const SECRET = "at least ten characters";
const [type, version, event] = moderate("ban", { ban: { user_id: "66", user_login: "lee", reason: "" } });
const subscription = {
  id: "s-1",
  type,
  version,
  status: "enabled",
  cost: 0,
  condition: { broadcaster_user_id: "700100200", moderator_user_id: "55" },
  transport: { method: "webhook", callback: "https://hype.example.org/eventsub" },
};

interface Sent {
  id?: string;
  time?: string;
  type?: string;
  body?: object | string;
  secret?: string;
  /** What is sent instead of what was signed. */
  instead?: string;
  unsigned?: boolean;
}
function request(sent: Sent, isNew = newMessages(), nowMs = SENT_MS): WebhookRequest {
  const id = sent.id ?? "m-1";
  const time = sent.time ?? new Date(SENT_MS).toISOString();
  const body = sent.body ?? { subscription, event };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const signature = createHmac("sha256", sent.secret ?? SECRET)
    .update(id + time + text)
    .digest("hex");
  const headers: Record<string, string> = {
    "twitch-eventsub-message-id": id,
    "twitch-eventsub-message-timestamp": time,
    "twitch-eventsub-message-type": sent.type ?? "notification",
    ...(sent.unsigned === true ? {} : { "twitch-eventsub-message-signature": `sha256=${signature}` }),
  };
  return readWebhook((name) => headers[name] ?? null, Buffer.from(sent.instead ?? text), {
    ...{ secret: SECRET, isNew, nowMs },
  });
}

test("a signed notification says the same act as one over the websocket", () => {
  const read = request({});
  expect(read).toMatchObject({ kind: "notification", message: { messageId: "m-1", sentAtMs: SENT_MS } });
  if (read.kind !== "notification") return;
  const act = readNotification({
    type,
    version,
    messageId: "n-1",
    sentAtMs: SENT_MS,
    event: read.message.event,
  });
  expect(act).toEqual(readNotification(notification([type, version, event])));
});

test("Twitch's question whether the callback is ours is answered with its own word", () => {
  const asked = {
    type: "webhook_callback_verification",
    body: { challenge: "pogchamp-kappa-360", subscription },
  };
  expect(request(asked)).toMatchObject({ kind: "challenge", challenge: "pogchamp-kappa-360" });
});

test("an end that Twitch makes is a revocation, with why", () => {
  const body = { subscription: { ...subscription, status: "notification_failures_exceeded" } };
  expect(request({ type: "revocation", body })).toMatchObject({
    kind: "revocation",
    subscription: { status: "notification_failures_exceeded" },
  });
});

test("the same message again is answered, and changes nothing", () => {
  const isNew = newMessages();
  expect(request({}, isNew).kind).toBe("notification");
  expect(request({}, isNew)).toEqual({ kind: "again" });
});

test.each([
  ["no signature", { unsigned: true }, 403, "unsigned"],
  ["another secret", { secret: "somebody else's" }, 403, "forged"],
  ["another body than was signed", { instead: '{"subscription":{}}' }, 403, "forged"],
  [
    "a body that is one byte longer",
    { instead: `${JSON.stringify({ subscription, event })} ` },
    403,
    "forged",
  ],
  ["a message of eleven minutes ago", { time: new Date(SENT_MS - 11 * 60_000).toISOString() }, 403, "old"],
  ["a message of the future", { time: new Date(SENT_MS + 11 * 60_000).toISOString() }, 403, "old"],
  ["a time that is none", { time: "yesterday" }, 403, "old"],
  ["a body that is no JSON", { body: "{" }, 400, "malformed"],
  ["no subscription", { body: { event } }, 400, "malformed"],
  ["a challenge without its word", { type: "webhook_callback_verification" }, 400, "malformed"],
  ["a websocket's welcome", { type: "session_welcome", body: { session: { id: "x" } } }, 400, "malformed"],
  ["a type of tomorrow", { type: "batch" }, 400, "unknown_type"],
  ["a body without end", { body: "x".repeat(300_000) }, 413, "too_large"],
] as const)("%s is refused", (_what, sent, status, why) => {
  expect(request(sent)).toEqual({ kind: "refused", status, why });
});

test("a forged message does not use up the id of the true one", () => {
  const isNew = newMessages();
  expect(request({ secret: "somebody else's" }, isNew).kind).toBe("refused");
  expect(request({}, isNew).kind).toBe("notification");
});
