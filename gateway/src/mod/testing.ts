import { createHash, randomBytes } from "node:crypto";
import { jetstream } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { ACCOUNTS_BUCKET, SESSIONS_BUCKET, type Account, type Session } from "@hypecast/contracts/account.ts";
import { CHANNEL_STATE_BUCKET, CHANNELS_BUCKET, type ChannelState } from "@hypecast/contracts/channel.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { modCases, type ModCase } from "@hypecast/contracts/mod-case.ts";
import type { Gateway } from "../testing.ts";

/** A channel that the gateway watches, as a source would have said it. */
export async function watchChannel(bus: NatsConnection, login: string, channelId: string): Promise<void> {
  const kvm = new Kvm(bus);
  await (
    await kvm.open(CHANNELS_BUCKET)
  ).put(login, JSON.stringify({ login, addedAtMs: 1, paused: false, video: null, chat: true }));
  const state: ChannelState = {
    ...{ login, channelId, name: null, state: "live", reason: null, sinceMs: 1, attempt: 0 },
    ...{ nextAttemptAtMs: null, lastLineAtMs: null, aliveAtMs: null, connection: null },
    ...{ emotes: [], stream: null },
  };
  await (await kvm.open(CHANNEL_STATE_BUCKET)).put(login, JSON.stringify(state));
}

/** Somebody who has signed in with Twitch and moderates these channels. Resolves to the cookie that their browser sends. */
export async function signedIn(
  bus: NatsConnection,
  { userId, login, moderates }: { userId: string; login: string; moderates: Account["moderates"] },
): Promise<string> {
  const kvm = new Kvm(bus);
  const nowMs = Date.now();
  const account: Account = {
    userId,
    login,
    name: login,
    tokens: null,
    scopes: [],
    expiresAtMs: nowMs + 3_600_000,
    moderates,
    rolesAtMs: nowMs,
    problem: null,
    signedInAtMs: nowMs,
  };
  await (await kvm.open(ACCOUNTS_BUCKET)).put(userId, JSON.stringify(account));
  // Each call is another browser.
  const id = randomBytes(32).toString("base64url");
  const session: Session = {
    userId,
    createdAtMs: nowMs,
    issuedAtMs: nowMs,
    seenAtMs: nowMs,
    untilMs: nowMs + 3_600_000,
    mark: "",
    replacedBy: null,
  };
  await (
    await kvm.open(SESSIONS_BUCKET)
  ).put(createHash("sha256").update(id).digest("hex"), JSON.stringify(session));
  return `hypecast_session=${id}`;
}

/** A case as the fold says it. */
export function caseOf(channelId: string, name: string, more: Partial<ModCase> = {}): ModCase {
  const atMs = more.firstAtMs ?? Date.now();
  const line = {
    lineId: name,
    userId: "77",
    login: "severny_veter",
    name: "Severny_Veter",
    text: "you are a disgrace",
    sentAtMs: atMs,
    toxicity: 0.93,
    span: null,
    removedAtMs: null,
  };
  return {
    id: `${channelId}:case:${name}`,
    channelId,
    version: 1,
    state: "open",
    kind: "series",
    source: "model",
    severity: "critical",
    class: "insult",
    score: 0.93,
    severityScore: 0.8,
    action: 0.7,
    scores: [0.93, 0, 0, 0, 0, 0, 0],
    ...{ lineId: name, userId: line.userId, login: line.login, name: line.name, text: line.text },
    span: null,
    language: "en",
    firstAtMs: atMs,
    lastAtMs: atMs,
    count: 1,
    users: 1,
    removed: 0,
    coordinated: false,
    newcomers: 0,
    reports: 0,
    heldId: "",
    spikeId: null,
    lines: [line],
    reasons: {},
    model: "test@1",
    receivedAtMs: 0,
    detectedAtMs: atMs,
    ...more,
  };
}

export async function sayCases(bus: NatsConnection, cases: readonly ModCase[]): Promise<void> {
  const [first] = cases;
  if (first !== undefined)
    await jetstream(bus).publish(subjectOf(modCases, first.channelId), JSON.stringify(cases));
}

/** What a person's browser asks. */
export interface Asker {
  get(path: string): Promise<{ status: number; body: Json }>;
  send(path: string, body: unknown, method?: string): Promise<{ status: number; body: Json }>;
}
type Json = Record<string, unknown> & { [field: string]: never };

export function asker(gateway: Pick<Gateway, "url">, given: string): Asker {
  let cookie = given;
  const ask = async (path: string, init: RequestInit): Promise<{ status: number; body: Json }> => {
    const answer = await fetch(`${gateway.url}/api/v1/mod/${path}`, {
      ...init,
      headers: { cookie, "content-type": "application/json" },
    });
    // As a browser does: a session gets a new id now and then.
    const renewed = answer.headers.getSetCookie().find((one) => one.startsWith("hypecast_session="));
    if (renewed !== undefined) cookie = renewed.split(";")[0]!;
    const text = await answer.text();
    return { status: answer.status, body: (text === "" ? {} : JSON.parse(text)) as Json };
  };
  return {
    get: (path) => ask(path, {}),
    send: (path, body, method = "POST") => ask(path, { method, body: JSON.stringify(body) }),
  };
}
