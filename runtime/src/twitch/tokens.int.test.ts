import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Kvm, type KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { account, ACCOUNTS_BUCKET, type Account } from "@hypecast/contracts/account.ts";
import { startNats, temporaryFolder, type Server } from "@hypecast/tests/servers.ts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { connectBus, ensureStreams } from "../bus.ts";
import { readConfig } from "../config.ts";
import { openSecret, type Secret } from "../secret.ts";
import type { TwitchAnswer } from "./answer.ts";
import type { Tokens } from "./id.ts";
import { accountTokens, openTokens, sealTokens, type AccountTokens } from "./tokens.ts";

let nats: Server;
let nc: NatsConnection;
let bucket: KV;
let secret: Secret;
let folder: string;
let refreshes = 0;
let answer: (n: number) => TwitchAnswer<Tokens>;

/** Twitch, as far as a refresh goes: slow enough that everybody asks meanwhile. */
const twitch = {
  async refresh(): Promise<TwitchAnswer<Tokens>> {
    const n = ++refreshes;
    await sleep(80);
    return answer(n);
  },
};
const tokens = (): AccountTokens => accountTokens(bucket, secret, twitch);
const renewed = (n: number): TwitchAnswer<Tokens> => ({
  kind: "ok",
  data: { access: `new-${n}`, refresh: "r", scopes: ["a:b"], expiresAtMs: Date.now() + 3_600_000 },
});
async function keep(change: Partial<Account> = {}): Promise<void> {
  const kept: Account = {
    userId: "5",
    login: "ana",
    name: "Ana",
    tokens: sealTokens(secret, { access: "old", refresh: "r" }),
    scopes: ["a:b"],
    expiresAtMs: Date.now() + 3_600_000,
    moderates: [],
    rolesAtMs: 0,
    problem: null,
    signedInAtMs: 0,
    ...change,
  };
  await bucket.put("5", JSON.stringify(kept));
}
const kept = async (): Promise<Account> => account.parse((await bucket.get("5"))?.json());

beforeAll(async () => {
  nats = await startNats();
  folder = temporaryFolder("tokens");
  nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(nc, 1);
  bucket = await new Kvm(nc).open(ACCOUNTS_BUCKET);
  secret = openSecret({ HYPECAST_SECRET: "", HYPECAST_DATA: folder });
});
afterAll(async () => {
  await nc.close();
  await nats.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  refreshes = 0;
  answer = renewed;
});

test("a token that lives is given as it is, one that ends within half a minute is renewed first", async () => {
  await keep();
  expect(await tokens().fresh("5")).toEqual({ kind: "ok", data: "old" });
  await keep({ expiresAtMs: Date.now() + 29_000 });
  expect(await tokens().fresh("5")).toEqual({ kind: "ok", data: "new-1" });
  const now = await kept();
  expect(openTokens(secret, now.tokens ?? "")).toEqual({ access: "new-1", refresh: "r" });
  expect(now).toMatchObject({ problem: null, refreshingUntilMs: 0 });
});

test("many processes renew a token once", async () => {
  await keep({ expiresAtMs: 0 });
  const all = await Promise.all(Array.from({ length: 8 }, () => tokens().fresh("5")));
  expect(new Set(all.map((one) => JSON.stringify(one)))).toEqual(
    new Set([JSON.stringify({ kind: "ok", data: "new-1" })]),
  );
  expect(refreshes).toBe(1);
});

test("a token that Twitch refuses in the middle of its life is renewed once, and the call made again", async () => {
  await keep();
  const used: string[] = [];
  const done = await tokens().use("5", (token) => {
    used.push(token);
    return Promise.resolve(
      token === "old"
        ? { kind: "unauthorized" as const, said: "Invalid OAuth token" }
        : { kind: "ok" as const, data: "done" },
    );
  });
  expect(done).toEqual({ kind: "ok", data: "done" });
  expect(used).toEqual(["old", "new-1"]);
});

test("access that was taken back is said on the account, and nobody asks for it again", async () => {
  await keep({ expiresAtMs: 0 });
  answer = () => ({ kind: "unauthorized", said: "Invalid refresh token" });
  expect((await tokens().fresh("5")).kind).toBe("unauthorized");
  expect(await kept()).toMatchObject({ tokens: null, problem: expect.stringMatching(/sign in again/) });
  expect((await tokens().fresh("5")).kind).toBe("unauthorized");
  expect(refreshes).toBe(1);
});

test("a Twitch that is away takes nothing back, and a call that was never made is no doubt", async () => {
  await keep({ expiresAtMs: 0 });
  answer = () => ({ kind: "unavailable", said: "away" });
  const done = await tokens().use("5", () => Promise.resolve({ kind: "ok" as const, data: null }));
  expect(done).toEqual({ kind: "unavailable", said: "away" });
  expect((await kept()).tokens).not.toBeNull();
  answer = renewed;
  expect((await tokens().fresh("5")).kind).toBe("ok");
});

test("who signs in while a token is renewed keeps what they were given", async () => {
  await keep({ expiresAtMs: 0 });
  const asking = tokens().fresh("5");
  await sleep(30);
  await keep({ tokens: sealTokens(secret, { access: "signed-in", refresh: "s" }), signedInAtMs: 9 });
  expect(await asking).toEqual({ kind: "ok", data: "signed-in" });
  expect((await kept()).signedInAtMs).toBe(9);
});

test("a process that died while renewing holds the others up no longer than it said", async () => {
  await keep({ expiresAtMs: 0, refreshingUntilMs: Date.now() + 250 });
  const began = Date.now();
  expect(await tokens().fresh("5")).toEqual({ kind: "ok", data: "new-1" });
  expect(Date.now() - began).toBeGreaterThanOrEqual(200);
});

test("nobody, and what was sealed with another key, may nothing", async () => {
  expect((await tokens().fresh("404")).kind).toBe("unauthorized");
  await keep({ tokens: "c29tZXRoaW5nIGVsc2UsIGxvbmcgZW5vdWdoIHRvIGJlIGl0" });
  expect((await tokens().fresh("5")).kind).toBe("unauthorized");
});
