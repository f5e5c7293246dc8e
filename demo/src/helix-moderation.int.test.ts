import { helixModeration, type Acting, type HelixModeration } from "@hypecast/runtime/twitch/helix.ts";
import { twitchId, type TwitchId } from "@hypecast/runtime/twitch/id.ts";
import { BROADCAST_SCOPES, MODERATE_SCOPES } from "@hypecast/runtime/twitch/scopes.ts";
import { createHash } from "node:crypto";
import { createServer, type AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { audience, insulter, PEPEL_ID, streamer } from "./chatters.ts";
import { startDemo, type Demo } from "./demo.ts";
import { ANCHOR_MS, linesBetween } from "./schedule.ts";
import { PERIOD_MS } from "./world.ts";

/** Our client against our stand-in: what one answers the other must understand, status by status. */
const BACK = "http://127.0.0.1:4999/auth/callback";
const [lurker = streamer] = audience.filter((one) => !one.moderator);

let demo: Demo;
let id: TwitchId;
let helix: HelixModeration;
/** The stream stands where the quarrel has just been. */
const shiftMs = ANCHOR_MS + 20_000 * PERIOD_MS + 260_000 - Date.now();
const now = (): number => Date.now() + shiftMs;

const at = (path: string): string => `http://127.0.0.1:${demo.ports.http}${path}`;
const fault = (name: string, body: object): Promise<Response> =>
  fetch(at(`/control/${name}`), { method: "POST", body: JSON.stringify(body) });

interface Asked {
  scopes?: readonly string[];
  redirectUri?: string;
  challenge?: string | null;
  as?: string;
}
async function codeFor({ scopes = [], redirectUri = BACK, challenge = null, as = "dasha_risuet" }: Asked) {
  const url = new URL(
    id.authorizeUrl({ redirectUri, scopes, state: "a state", codeChallenge: challenge, forceVerify: true }),
  );
  url.searchParams.set("as", as);
  const answer = await fetch(url, { redirect: "manual" });
  const to = answer.headers.get("location");
  return { status: answer.status, to: to === null ? null : new URL(to) };
}
async function signedIn(login: string, scopes: readonly string[] = BROADCAST_SCOPES): Promise<Acting> {
  const { to } = await codeFor({ scopes, as: login });
  const tokens = await id.exchange(to?.searchParams.get("code") ?? "", BACK, null);
  if (tokens.kind !== "ok") throw new Error(tokens.said);
  const who = await id.validate(tokens.data.access);
  if (who.kind !== "ok") throw new Error(who.said);
  return { channelId: PEPEL_ID, userId: who.data.userId, token: tokens.data.access };
}
let dasha: Acting;
let pepel: Acting;

beforeAll(async () => {
  demo = await startDemo({ http: 0, ircWs: 0, ircTcp: 0, now });
  const config = {
    TWITCH_HELIX_URL: at("/helix"),
    TWITCH_ID_URL: at("/oauth2"),
    TWITCH_CLIENT_ID: "hypecast-demo",
    TWITCH_CLIENT_SECRET: "hypecast-demo-secret",
  };
  id = twitchId(config);
  helix = helixModeration(config);
  dasha = await signedIn("dasha_risuet", MODERATE_SCOPES);
  pepel = await signedIn("pepel_lamp");
});
afterAll(() => demo.close());
beforeEach(async () => {
  await fault("reset", {});
});

// ── signing in ────────────────────────────────────────────────────────────────────────────────────────────────────────

test("a code is used once, with its own address, client and verifier", async () => {
  const verifier = "v".repeat(64);
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const { status, to } = await codeFor({ challenge, scopes: ["user:read:chat"] });
  expect([status, to?.origin, to?.searchParams.get("state")]).toEqual([
    302,
    "http://127.0.0.1:4999",
    "a state",
  ]);
  const code = to?.searchParams.get("code") ?? "";
  expect(await id.exchange(code, BACK, verifier)).toMatchObject({
    kind: "ok",
    data: { scopes: ["user:read:chat"] },
  });
  expect((await id.exchange(code, BACK, verifier)).kind).toBe("refused");
  const wrong = async (how: (code: string) => ReturnType<TwitchId["exchange"]>): Promise<string> =>
    (await how((await codeFor({ challenge })).to?.searchParams.get("code") ?? "")).kind;
  expect(await wrong((one) => id.exchange(one, BACK, null))).toBe("refused");
  expect(await wrong((one) => id.exchange(one, BACK, "w".repeat(64)))).toBe("refused");
  expect(await wrong((one) => id.exchange(one, `${BACK}/x`, verifier))).toBe("refused");
});

test("an address that is not registered is never sent to, and a person may say no", async () => {
  expect((await codeFor({ redirectUri: "https://evil.example/callback" })).to).toBeNull();
  expect((await codeFor({ redirectUri: "http://127.0.0.1.evil.example/" })).to).toBeNull();
  const no = await codeFor({ as: "-" });
  expect(no.to?.searchParams.get("error")).toBe("access_denied");
  const page = await (
    await fetch(
      id.authorizeUrl({
        redirectUri: BACK,
        scopes: [],
        state: '"><script>',
        codeChallenge: null,
        forceVerify: false,
      }),
    )
  ).text();
  expect(page).toContain("moderator of pepel_lamp");
  expect(page).not.toContain("<script>");
});

test("tokens are refreshed, validated and taken back", async () => {
  const { to } = await codeFor({ scopes: LOOKING });
  const tokens = await id.exchange(to?.searchParams.get("code") ?? "", BACK, null);
  if (tokens.kind !== "ok") throw new Error(tokens.said);
  const renewed = await id.refresh(tokens.data.refresh);
  if (renewed.kind !== "ok") throw new Error(renewed.said);
  expect(renewed.data.access).not.toBe(tokens.data.access);
  expect(await id.validate(renewed.data.access)).toMatchObject({
    kind: "ok",
    data: { login: "dasha_risuet" },
  });
  expect((await id.revoke(renewed.data.access)).kind).toBe("ok");
  expect((await id.validate(renewed.data.access)).kind).toBe("unauthorized");
  expect((await id.refresh("no such token")).kind).toBe("unauthorized");
});
const LOOKING = ["user:read:moderated_channels"];

// ── moderation ────────────────────────────────────────────────────────────────────────────────────────────────────────

test("a ban is a ban, a second one a conflict, and only the broadcaster may look it up", async () => {
  const { userId } = insulter;
  expect((await helix.ban(dasha, userId, 600, "insults")).kind).toBe("ok");
  expect((await helix.ban(dasha, userId, null, "insults")).kind).toBe("ok");
  expect(await helix.ban(dasha, userId, null, "again")).toMatchObject({ kind: "conflict" });
  const found = await helix.banned(pepel, [userId, "1"]);
  expect(found).toMatchObject({
    kind: "ok",
    data: [{ userId, untilMs: null, reason: "insults", moderatorLogin: "dasha_risuet" }],
  });
  expect((await helix.banned({ ...pepel, token: dasha.token }, [userId])).kind).toBe("forbidden");
  expect((await helix.unban(dasha, userId)).kind).toBe("ok");
  expect((await helix.unban(dasha, userId)).kind).toBe("conflict");
});

test("nobody is above the rules of the room, and some are above being banned", async () => {
  expect((await helix.ban(dasha, PEPEL_ID, 600, "")).kind).toBe("refused");
  expect((await helix.warn(dasha, PEPEL_ID, "no")).kind).toBe("refused");
  expect((await helix.warn(dasha, lurker.userId, "")).kind).toBe("refused");
  expect((await helix.warn(dasha, lurker.userId, "be kind")).kind).toBe("ok");
  expect((await helix.ban(dasha, "999999999999", 60, "")).kind).toBe("not_found");
  await fault("gone", { login: lurker.login });
  expect((await helix.ban(dasha, lurker.userId, 60, "")).kind).toBe("not_found");
});

test("a line is deleted once", async () => {
  const idOf = (fromMs: number): string =>
    linesBetween("pepel_lamp", fromMs, fromMs + 20_000)
      .map(
        ({ line }) => / PRIVMSG /.test(line) && !/[;@]mod=1/.test(line) && /[;@]id=([^;]+)/.exec(line)?.[1],
      )
      .find((one) => typeof one === "string") || "";
  const line = idOf(now() - 30_000);
  expect((await helix.deleteMessage(dasha, line)).kind).toBe("ok");
  expect((await helix.deleteMessage(dasha, line)).kind).toBe("not_found");
  expect((await helix.deleteMessage(dasha, "no-such-line")).kind).toBe("not_found");
});

test("settings and shield mode change the room", async () => {
  expect(await helix.setChatSettings(dasha, { slowS: 10, followersMin: 0 })).toMatchObject({
    kind: "ok",
    data: { slowS: 10, followersMin: 0, subscribers: false },
  });
  expect(await helix.chatSettings(dasha)).toMatchObject({ kind: "ok", data: { slowS: 10 } });
  await helix.setChatSettings(dasha, { slowS: null, followersMin: null });
  expect(await helix.chatSettings(dasha)).toMatchObject({
    kind: "ok",
    data: { slowS: null, followersMin: null },
  });
  expect(await helix.setShield(dasha, true)).toEqual({ kind: "ok", data: true });
  expect(await helix.shield(dasha)).toEqual({ kind: "ok", data: true });
  await helix.setShield(dasha, false);
});

test("who may not is told so, each in Twitch's own way", async () => {
  const viewer = await signedIn("grib_ok", MODERATE_SCOPES);
  expect((await helix.ban(viewer, insulter.userId, 60, "")).kind).toBe("forbidden");
  const looking = await signedIn("dasha_risuet", LOOKING);
  expect(await helix.ban(looking, insulter.userId, 60, "")).toMatchObject({
    kind: "forbidden",
    said: expect.stringMatching(/Missing scope/),
  });
  expect((await helix.ban({ ...dasha, userId: PEPEL_ID }, insulter.userId, 60, "")).kind).toBe("forbidden");
  expect((await helix.ban({ ...dasha, token: "nonsense" }, insulter.userId, 60, "")).kind).toBe(
    "unauthorized",
  );
  await fault("moderator", { login: "dasha_risuet", on: false });
  expect((await helix.ban(dasha, insulter.userId, 60, "")).kind).toBe("forbidden");
  await fault("moderator", { login: "dasha_risuet", on: true });
});

test("limits, other people's hands and broken answers leave no doubt but where there is one", async () => {
  await fault("moderation", { mode: "limited", resetMs: 3_000 });
  const limited = await helix.ban(dasha, insulter.userId, 60, "");
  expect(limited.kind).toBe("rate_limited");
  if (limited.kind === "rate_limited") expect(limited.retryAtMs).toBeGreaterThan(Date.now());
  await fault("moderation", { mode: "busy" });
  expect((await helix.ban(dasha, insulter.userId, 60, "")).kind).toBe("unavailable");
  await fault("moderation", { mode: "error" });
  expect((await helix.ban(dasha, insulter.userId, 60, "")).kind).toBe("unknown");
  await fault("provider", { provider: "helix", mode: "garbage" });
  expect((await helix.chatSettings(dasha)).kind).toBe("unavailable");
  expect((await helix.setShield(dasha, true)).kind).toBe("unknown");
  await fault("provider", { provider: "helix", mode: "down" });
  expect((await helix.ban(dasha, insulter.userId, 60, "")).kind).toBe("unknown");
  expect((await helix.shield(dasha)).kind).toBe("unavailable");
  await fault("reset", {});
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const nobody = helixModeration({ TWITCH_HELIX_URL: `http://127.0.0.1:${port}`, TWITCH_CLIENT_ID: "x" });
  expect((await nobody.ban(dasha, insulter.userId, 60, "")).kind).toBe("unavailable");
});

test("accounts say how old they are, and moderators where they moderate", async () => {
  const users = await helix.users(dasha.token, [insulter.userId, PEPEL_ID, "1"]);
  expect(users).toMatchObject({ kind: "ok", data: [{ login: "zloy_tapok228" }, { login: "pepel_lamp" }] });
  expect(await helix.moderatedChannels(dasha.token, dasha.userId)).toEqual({
    kind: "ok",
    data: [{ channelId: PEPEL_ID, login: "pepel_lamp" }],
  });
});
