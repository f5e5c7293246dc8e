import { request as httpRequest } from "node:http";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ACCOUNTS_BUCKET, type Account } from "@hypecast/contracts/account.ts";
import { CHANNEL_STATE_BUCKET, type ChannelState } from "@hypecast/contracts/channel.ts";
import { HOUSE } from "@hypecast/contracts/journal.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { openJournal } from "@hypecast/runtime/journal.ts";
import { openSecret } from "@hypecast/runtime/secret.ts";
import { openAccountTokens } from "@hypecast/runtime/twitch/tokens.ts";
import { startNats, type Server } from "@hypecast/tests/servers.ts";
import { openPage, startGateway, type Gateway, type Page } from "../testing.ts";
import { PEOPLE, startTwitch, type TwitchStandIn } from "./twitch-stand-in.ts";

const TOKEN = "operators-token-of-thirty-chars";
const SECRET = Buffer.alloc(32, 7).toString("base64url");
/** Two gateways under one address, as behind a proxy. */
const HOST = "hype.localhost";
const BASE = `http://${HOST}`;
const CHANNELS: Record<string, string> = { lamp: PEOPLE["lamp"] ?? "", other: "5151" };

let nats: Server;
let bus: NatsConnection;
let twitch: TwitchStandIn;
let first: Gateway;
let second: Gateway;
let env: Record<string, string>;

beforeAll(async () => {
  nats = await startNats();
  bus = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(bus, 1);
  twitch = await startTwitch([`${BASE}/auth/twitch/callback`]);
  env = {
    HYPECAST_NATS_URL: nats.url,
    HYPECAST_SIGN_IN: "twitch",
    HYPECAST_TOKEN: TOKEN,
    HYPECAST_SECRET: SECRET,
    HYPECAST_PUBLIC_URL: BASE,
    ...twitch.env,
  };
  [first, second] = await Promise.all([startGateway(env), startGateway(env)]);
  const states = await new Kvm(bus).open(CHANNEL_STATE_BUCKET);
  for (const [login, id] of Object.entries(CHANNELS)) {
    expect((await operator("POST", "/api/v1/channels", { channel: login })).status).toBe(201);
    await states.put(login, JSON.stringify(stateOf(login, id)));
  }
});
afterAll(async () => {
  await Promise.all([first?.close(), second?.close(), twitch?.close()]);
  await bus?.close();
  await nats?.close();
});
beforeEach(() => {
  twitch.moderates.clear();
  twitch.away = false;
  twitch.client = env["TWITCH_CLIENT_ID"] ?? "";
});

const stateOf = (login: string, channelId: string): ChannelState => ({
  ...{ login, channelId, name: login, state: "live", reason: null, sinceMs: 1, attempt: 0 },
  ...{
    nextAttemptAtMs: null,
    lastLineAtMs: null,
    aliveAtMs: null,
    connection: null,
    emotes: [],
    stream: null,
  },
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly cookies: string[];
  readonly body: string;
}

/** One request under the address that people know. */
const ask = (
  gateway: Gateway,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: unknown,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const text = body === undefined ? null : JSON.stringify(body);
    const request = httpRequest(
      {
        ...{ host: "127.0.0.1", port: gateway.port, method, path },
        headers: {
          host: HOST,
          ...(text === null
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
          ...headers,
        },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers as Record<string, string>,
            cookies: answer.headers["set-cookie"] ?? [],
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    request.once("error", reject);
    request.end(text ?? undefined);
  });
const operator = (method: string, path: string, body?: unknown): Promise<Answer> =>
  ask(first, method, path, { authorization: `Bearer ${TOKEN}` }, body);
const problemIn = ({ body }: Answer): string =>
  (JSON.parse(body) as { type: string }).type.replace("/problems/", "");

/** A browser: it keeps the cookies that it is given. */
class Browser {
  readonly cookies = new Map<string, string>();
  gateway: Gateway;
  constructor(gateway: Gateway = first) {
    this.gateway = gateway;
  }
  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }
  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const own = { cookie: this.cookie, ...(method === "GET" ? {} : { origin: BASE }) };
    const answer = await ask(this.gateway, method, path, { ...own, ...headers }, body);
    for (const line of answer.cookies) {
      const [pair = ""] = line.split(";");
      const at = pair.indexOf("=");
      if (/Max-Age=0\b/.test(line)) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return answer;
  }
  /** To Twitch: where it is sent. */
  async begin(query = ""): Promise<string> {
    const answer = await this.ask("GET", `/auth/twitch${query}`);
    expect([answer.status, answer.body]).toEqual([303, ""]);
    return answer.headers["location"] ?? "";
  }
  /** Back from Twitch. */
  back(address: string): Promise<Answer> {
    const { pathname, search } = new URL(address);
    return this.ask("GET", pathname + search);
  }
  async signIn(login: string, query = ""): Promise<Answer> {
    const answer = await this.back(twitch.allow(await this.begin(query), login));
    expect([answer.status, answer.body]).toEqual([200, expect.stringContaining('http-equiv="refresh"')]);
    return answer;
  }
  async me(): Promise<{
    person: { login: string };
    roles: { login: string; role: string }[];
    twitch: { scopes: string[]; problem: string | null } | null;
  }> {
    const answer = await this.ask("GET", "/api/v1/me");
    expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
    return JSON.parse(answer.body) as never;
  }
  openPage(headers: Record<string, string> = {}): Promise<Page> {
    return openPage(this.gateway.port, { host: HOST, origin: BASE, cookie: this.cookie, ...headers });
  }
}
const rolesOf = async (browser: Browser): Promise<string[]> =>
  (await browser.me()).roles.map(({ login, role }) => `${role} of ${login}`);
const isErr =
  (ch: string) =>
  (message: Record<string, unknown>): boolean =>
    message["op"] === "err" && message["ch"] === ch;
const isSubbed =
  (ch: string) =>
  (message: Record<string, unknown>): boolean =>
    message["op"] === "subbed" && message["ch"] === ch;

test("a person signs in with Twitch: their roles come from there, at every gateway and after a restart", async () => {
  twitch.moderates.set(PEOPLE["ana"] ?? "", [{ id: CHANNELS["lamp"] ?? "", login: "lamp" }]);
  const ana = new Browser();
  const to = new URL(await ana.begin("?next=/mod/lamp"));
  expect(Object.fromEntries(to.searchParams)).toEqual({
    response_type: "code",
    client_id: env["TWITCH_CLIENT_ID"],
    redirect_uri: `${BASE}/auth/twitch/callback`,
    scope: "user:read:moderated_channels",
    state: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: "S256",
  });
  const answer = await ana.back(twitch.allow(to.href, "ana"));
  expect(answer.body).toContain('content="0;url=/mod/lamp"');
  expect(answer.headers["referrer-policy"]).toBe("no-referrer");
  expect(answer.cookies).toEqual([
    expect.stringMatching(/^hypecast_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/),
    "hypecast_sign_in=; Path=/auth/twitch; HttpOnly; SameSite=Lax; Max-Age=0",
  ]);
  expect(await rolesOf(ana)).toEqual(["moderator of lamp"]);
  ana.gateway = second;
  expect(await rolesOf(ana)).toEqual(["moderator of lamp"]);
  await second.restart();
  expect(await ana.me()).toMatchObject({
    person: { kind: "twitch", login: "ana" },
    twitch: { scopes: ["user:read:moderated_channels"], problem: null },
  });
  const lamp = new Browser(second);
  await lamp.signIn("lamp");
  expect(await rolesOf(lamp)).toEqual(["broadcaster of lamp"]);
  // Tokens lie sealed.
  const accounts = await new Kvm(bus).open(ACCOUNTS_BUCKET);
  const kept = (await accounts.get(PEOPLE["ana"] ?? ""))?.json<Account>();
  expect(kept).toMatchObject({ login: "ana", name: "ANA" });
  expect(Buffer.from(kept?.tokens ?? "", "base64").toString()).not.toMatch(/access|refresh/);
});

test("connecting for moderating asks for more; looking in again takes none of it away, and nobody is asked for what they do not need", async () => {
  const ana = new Browser();
  await ana.signIn("ana", "?for=moderate");
  const scopes = (await ana.me()).twitch?.scopes ?? [];
  expect(scopes).toContain("moderator:manage:banned_users");
  const again = new Browser();
  await again.signIn("ana");
  expect((await again.me()).twitch?.scopes).toEqual(scopes);
  expect(new URL(await new Browser().begin("?for=me")).searchParams.get("scope")).toBe("");
});

test("a callback counts once, in the browser that began, with Twitch's own word behind it", async () => {
  const refused = async (browser: Browser, address: string): Promise<[number, string]> => {
    const { status, body, cookies } = await browser.back(address);
    expect(cookies.join()).not.toContain("hypecast_session=");
    return [status, /<p class="wrong"[^>]*><strong>[^<]*<\/strong> ([^<]*)/.exec(body)?.[1] ?? ""];
  };
  const eve = new Browser();
  const mine = twitch.allow(await eve.begin(), "eve");
  // Eve's own callback in somebody else's browser: they would go on as Eve.
  expect(await refused(new Browser(), mine)).toEqual([403, expect.stringContaining("another browser")]);
  const ana = new Browser();
  await ana.begin();
  expect(await refused(ana, mine)).toEqual([403, expect.stringContaining("does not belong")]);
  // The cookie of another installation, or one that was changed.
  eve.cookies.set("hypecast_sign_in", "AAAA");
  expect(await refused(eve, mine)).toEqual([403, expect.stringContaining("does not belong")]);

  // Once more with everything as it was: the state, then the code.
  const replay = new Browser();
  const address = twitch.allow(await replay.begin(), "ana");
  const cookie = replay.cookies.get("hypecast_sign_in") ?? "";
  expect((await replay.back(address)).status).toBe(200);
  const thief = new Browser();
  thief.cookies.set("hypecast_sign_in", cookie);
  expect(await refused(thief, address)).toEqual([403, expect.stringContaining("used already")]);
  const other = new Browser();
  const usedCode = new URL(twitch.allow(await other.begin(), "ana"));
  usedCode.searchParams.set("code", new URL(address).searchParams.get("code") ?? "");
  expect(await refused(other, usedCode.href)).toEqual([
    403,
    expect.stringContaining("did not take the code"),
  ]);

  const no = new Browser();
  const state = new URL(await no.begin()).searchParams.get("state") ?? "";
  const denial = `${BASE}/auth/twitch/callback?error=access_denied&state=${state}`;
  expect(await refused(no, denial)).toEqual([403, expect.stringContaining("not allowed")]);

  // A token that was given to another application says nothing about who is here.
  const foreign = new Browser();
  const given = twitch.allow(await foreign.begin(), "lamp");
  twitch.client = "another-application";
  expect(await refused(foreign, given)).toEqual([403, expect.stringContaining("another application")]);

  const late = new Browser();
  const unanswered = twitch.allow(await late.begin(), "ana");
  twitch.away = true;
  expect(await refused(late, unanswered)).toEqual([502, expect.stringContaining("did not answer")]);
});

test("what is to come after signing in has to be here", async () => {
  const answer = await new Browser().ask("GET", `/auth/twitch?next=${encodeURIComponent("//evil.example/")}`);
  expect([answer.status, problemIn(answer), answer.cookies]).toEqual([400, "invalid_parameters", []]);
});

test("reached by another name it leads to its own address first, where the cookie has to be", async () => {
  const answer = await ask(first, "GET", "/auth/twitch?for=me", { host: `127.0.0.1:${first.port}` });
  expect([answer.status, answer.headers["location"], answer.cookies]).toEqual([
    303,
    `${BASE}/auth/twitch?for=me`,
    [],
  ]);
});

test("a session does nothing for a page of another origin", async () => {
  const lamp = new Browser();
  await lamp.signIn("lamp");
  for (const headers of [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "", "sec-fetch-site": "cross-site" },
  ]) {
    const answer = await lamp.ask("PATCH", "/api/v1/channels/lamp", { paused: true }, headers);
    expect([answer.status, problemIn(answer)]).toEqual([403, "wrong_origin"]);
    const out = await lamp.ask("DELETE", "/api/v1/session", undefined, headers);
    expect([out.status, problemIn(out)]).toEqual([403, "wrong_origin"]);
  }
  await expect(lamp.openPage({ origin: "https://evil.example" })).rejects.toThrow("HTTP 403");
  await expect(lamp.openPage({ cookie: "" })).rejects.toThrow("HTTP 401");
  expect((await lamp.ask("PATCH", "/api/v1/channels/lamp", { paused: false })).status).toBe(200);
});

test("a moderator of one channel has no say and no view in another, by call or by subscription", async () => {
  twitch.moderates.set(PEOPLE["ana"] ?? "", [{ id: CHANNELS["lamp"] ?? "", login: "lamp" }]);
  const ana = new Browser();
  await ana.signIn("ana");
  for (const [method, path, body] of [
    ["GET", "/api/v1/channels/other"],
    ["GET", "/api/v1/channels/nobody_knows"],
    ["GET", "/api/v1/channels/other/chat"],
    ["GET", "/api/v1/mod/other/roles"],
    ["POST", "/api/v1/mod/lamp/roles", { user: "ana", role: "broadcaster" }],
    ["PATCH", "/api/v1/channels/lamp", { paused: true }],
    ["DELETE", "/api/v1/channels/lamp"],
    ["POST", "/api/v1/channels", { channel: "eve" }],
    ["POST", "/api/v1/channels", { channel: "https://video.example/ana/master.m3u8" }],
    ["POST", "/api/v1/clips", { login: "other", startMs: 1, endMs: 20_000, layouts: ["16:9"] }],
    ["GET", "/api/v1/webhooks"],
    ["GET", "/media/live/other/playlist.m3u8"],
    ["GET", `/media/segment/${CHANNELS["other"]}/1/1.ts`],
    ["GET", "/metrics"],
  ] as const) {
    const answer = await ana.ask(method, path, body);
    expect([method, path, answer.status, problemIn(answer)]).toEqual([method, path, 403, "forbidden"]);
  }
  const listed = JSON.parse((await ana.ask("GET", "/api/v1/channels")).body) as {
    channels: { login: string }[];
  };
  expect(listed.channels.map(({ login }) => login)).toEqual(["lamp"]);
  expect((await ana.ask("GET", "/api/v1/channels/lamp")).status).toBe(200);

  const page = await ana.openPage();
  for (const ch of ["live:other", "mod:other", "chat:other", "mod:lamp", "channels", "streams"])
    page.say({ op: "sub", ch });
  for (const ch of ["live:other", "mod:other", "chat:other"])
    expect(await page.until(isErr(ch))).toMatchObject({ code: "forbidden" });
  for (const ch of ["mod:lamp", "channels", "streams"]) await page.until(isSubbed(ch));
  const list = await page.until((message) => message["ch"] === "channels" && message["d"] !== undefined);
  expect((list["d"] as { login: string }[]).map(({ login }) => login)).toEqual(["lamp"]);
  page.socket.terminate();

  // Who has no role at all has come in for their own sake alone.
  const eve = new Browser();
  await eve.signIn("eve", "?for=me");
  expect(await rolesOf(eve)).toEqual([]);
  for (const path of ["/api/v1/system", "/api/v1/channels/lamp"])
    expect((await eve.ask("GET", path)).status).toBe(403);
  const stranger = await eve.openPage();
  for (const ch of ["sys", "channels"]) stranger.say({ op: "sub", ch });
  await stranger.until(isErr("sys"));
  expect((await stranger.until((message) => message["ch"] === "channels" && "d" in message))["d"]).toEqual(
    [],
  );
  stranger.socket.terminate();
});

test("a granted role counts at once and with a new session id; taken away, calls and subscriptions end at once", async () => {
  const lamp = new Browser();
  await lamp.signIn("lamp");
  const boris = new Browser(second);
  await boris.signIn("boris");
  expect((await boris.ask("GET", "/api/v1/channels/lamp")).status).toBe(403);
  const before = boris.cookie;
  const grant = (role: string | null): Promise<Answer> =>
    lamp.ask("POST", "/api/v1/mod/lamp/roles", { user: "boris", role });
  expect((await grant("moderator")).status).toBe(204);
  await expect.poll(() => rolesOf(boris)).toEqual(["moderator of lamp"]);
  expect(boris.cookie).not.toBe(before);
  // What left with the old id still arrives.
  expect((await ask(second, "GET", "/api/v1/me", { cookie: before })).status).toBe(200);
  const roles = await boris.ask("GET", "/api/v1/mod/lamp/roles");
  expect([roles.status, JSON.parse(roles.body)]).toMatchObject([
    200,
    {
      roles: expect.arrayContaining([
        expect.objectContaining({ login: "boris", role: "moderator", from: "grant" }),
      ]),
    },
  ]);
  // One whom a broadcaster has made a moderator makes nobody anything.
  expect((await boris.ask("POST", "/api/v1/mod/lamp/roles", { user: "eve", role: "analyst" })).status).toBe(
    403,
  );

  const page = await boris.openPage();
  for (const ch of ["mod:lamp", "live:lamp", "channels"]) page.say({ op: "sub", ch });
  for (const ch of ["mod:lamp", "live:lamp", "channels"]) await page.until(isSubbed(ch));
  expect((await grant("analyst")).status).toBe(204);
  expect(await page.until(isErr("mod:lamp"))).toMatchObject({ code: "forbidden" });
  expect(page.messages.filter(isErr("live:lamp"))).toEqual([]);
  expect((await grant(null)).status).toBe(204);
  await page.until(isErr("live:lamp"));
  await page.until((message) => message["ch"] === "channels" && JSON.stringify(message["d"]) === "[]");
  expect((await boris.ask("GET", "/api/v1/channels/lamp")).status).toBe(403);
  page.socket.terminate();
});

test("a moderator whom Twitch no longer names is none: when it is asked again, and at once after it refused something", async () => {
  const ana = new Browser();
  twitch.moderates.set(PEOPLE["ana"] ?? "", [{ id: CHANNELS["lamp"] ?? "", login: "lamp" }]);
  await ana.signIn("ana");
  const page = await ana.openPage();
  page.say({ op: "sub", ch: "mod:lamp" });
  await page.until(isSubbed("mod:lamp"));
  twitch.moderates.clear();
  // As whoever acts at Twitch does after a 403.
  const tokens = await openAccountTokens(readConfig({ ...env, HYPECAST_SECRET: SECRET }), bus);
  await tokens.doubtRoles(PEOPLE["ana"] ?? "");
  await page.until(isErr("mod:lamp"));
  await expect.poll(() => rolesOf(ana)).toEqual([]);
  page.socket.terminate();

  // While Twitch is away its word of an hour ago is not believed; it counts again when it is said again.
  const accounts = await new Kvm(bus).open(ACCOUNTS_BUCKET);
  const kept = (await accounts.get(PEOPLE["ana"] ?? ""))?.json<Account>();
  twitch.away = true;
  const hourAgoMs = Date.now() - 61 * 60_000;
  const moderates = [{ channelId: CHANNELS["lamp"] ?? "", login: "lamp" }];
  await accounts.put(PEOPLE["ana"] ?? "", JSON.stringify({ ...kept, moderates, rolesAtMs: hourAgoMs }));
  expect((await ana.ask("GET", "/api/v1/channels/lamp")).status).toBe(403);
  twitch.away = false;
  twitch.moderates.set(PEOPLE["ana"] ?? "", [{ id: CHANNELS["lamp"] ?? "", login: "lamp" }]);
  // The request itself waits for Twitch's word.
  expect((await ana.ask("GET", "/api/v1/channels/lamp")).status).toBe(200);
});

test("who signs out is out in that browser; who disconnects is out everywhere, here and at Twitch", async () => {
  const [one, two] = [new Browser(), new Browser(second)];
  await one.signIn("lamp", "?for=broadcast");
  await two.signIn("lamp");
  const stolen = one.cookie;
  const page = await one.openPage();
  page.say({ op: "ping" });
  expect((await one.ask("DELETE", "/api/v1/session")).status).toBe(204);
  expect(await page.closed).toMatchObject({ code: 4401 });
  expect((await ask(first, "GET", "/api/v1/me", { cookie: stolen })).status).toBe(401);
  expect((await two.me()).person.login).toBe("lamp");

  const still = await two.openPage();
  const before = twitch.live();
  expect((await two.ask("POST", "/api/v1/me/disconnect", {})).status).toBe(204);
  expect(await still.closed).toMatchObject({ code: 4401 });
  expect((await two.ask("GET", "/api/v1/me")).status).toBe(401);
  expect(twitch.live()).toBe(before - 1);
  const kept = (await (await new Kvm(bus).open(ACCOUNTS_BUCKET)).get(PEOPLE["lamp"] ?? ""))?.json<Account>();
  expect(kept).toMatchObject({ tokens: null, scopes: [], problem: "disconnected" });
});

test("whom Twitch takes its access back from is signed out when it is asked again", async () => {
  const eve = new Browser();
  await eve.signIn("eve");
  twitch.takeBack(PEOPLE["eve"] ?? "");
  const tokens = await openAccountTokens(readConfig({ ...env, HYPECAST_SECRET: SECRET }), bus);
  await tokens.doubtRoles(PEOPLE["eve"] ?? "");
  await expect.poll(async () => (await eve.ask("GET", "/api/v1/me")).status).toBe(401);
});

test("a page says how to come in, in the reader's language, and nothing is served before", async () => {
  const page = await ask(first, "GET", "/mod/lamp?case=1", { accept: "text/html", "accept-language": "ru" });
  expect([page.status, page.headers["content-type"]]).toEqual([401, "text/html; charset=utf-8"]);
  expect(page.body).toContain("Войти через Twitch");
  expect(page.body).toContain("/auth/twitch?for&#61;look&#38;next&#61;%2Fmod%2Flamp%3Fcase%3D1");
  expect(page.body).toContain('action="/api/v1/session"');
  const link = await ask(first, "GET", "/mod/lamp", { accept: "text/html", "sec-fetch-site": "cross-site" });
  expect([link.status, link.body]).toEqual([200, expect.stringContaining('content="0;url=/mod/lamp"')]);
  const again = { accept: "text/html", "sec-fetch-site": "cross-site", cookie: "hypecast_reloaded=1" };
  expect((await ask(first, "GET", "/mod/lamp", again)).status).toBe(401);
  for (const path of ["/api/v1/me", "/api/v1/channels", "/metrics", "/theme.js"])
    expect((await ask(first, "GET", path)).status).toBe(401);
});

test("every sign-in stands in the journal of the house, with the person sealed", async () => {
  const journal = await openJournal(bus, openSecret({ HYPECAST_SECRET: SECRET, HYPECAST_DATA: "" }));
  const entries = [];
  for await (const { entry } of journal.read(HOUSE)) entries.push(entry);
  expect(JSON.stringify(entries)).not.toMatch(/"(?:ana|lamp|eve|boris)"|127\.0\.0\.1/);
  const opened = await Promise.all(entries.map((entry) => journal.open(entry)));
  const said = new Set(
    opened.map((entry) => `${entry.act} ${entry.private?.login ?? "?"} ${entry.reason}`.trim()),
  );
  for (const line of [
    "sign_in ana",
    "connect ana",
    "sign_out lamp",
    "disconnect lamp",
    "sign_in_refused ? forged",
    "sign_in_refused ? used",
    "sign_in_refused ? no_browser",
    "sign_in_refused ? other_client",
  ])
    expect([...said]).toContain(line);
  expect(await journal.verify(HOUSE)).toMatchObject({ broken: null });
  const granted = [];
  for await (const { entry } of journal.read(CHANNELS["lamp"] ?? "")) granted.push(entry);
  expect(granted.map(({ act, by, detail }) => [act, by.login, detail["role"]])).toEqual([
    ["grant", "lamp", "moderator"],
    ["grant", "lamp", "analyst"],
    ["revoke", "lamp", "analyst"],
  ]);
});
