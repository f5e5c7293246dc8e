import { expect, test } from "vitest";
import type { Session } from "@hypecast/contracts/account.ts";
import { clientOf, createAccess, type Access, type Claim, type Who } from "./access.ts";
import { ABSOLUTE_MS, GRACE_MS, IDLE_MS, ROTATE_MS, sessionsIn, type Sessions } from "./sign-in/sessions.ts";

const TOKEN = "a-token-of-twenty-or-more";
const claim = (over: Partial<Claim> = {}): Claim => ({
  host: "127.0.0.1:4200",
  origin: "",
  authorization: "",
  cookie: "",
  client: "127.0.0.1",
  site: "",
  ...over,
});
/** The bucket of sessions as a map: the real one is in sign-in.int.test.ts. */
function sessionsInMemory(now: () => number) {
  const held = new Map<string, Session>();
  return sessionsIn(
    {
      get: (key) => held.get(key) ?? null,
      entries: () => held.entries(),
      put: async (key, value) => void held.set(key, value),
      async change(key, change) {
        const before = held.get(key);
        if (before === undefined) return null;
        held.set(key, change(before) ?? before);
        return held.get(key) ?? null;
      },
      remove: async (key) => void held.delete(key),
    },
    now,
  );
}
const ANA = { userId: "77", login: "ana" };
const access = (
  host: string,
  token = "",
  more: {
    sessions?: Sessions;
    origins?: string;
    signIn?: "twitch";
    publicUrl?: string;
    marks?: string[];
    now?: () => number;
  } = {},
) => {
  const { now = Date.now, marks = ["m"] } = more;
  return createAccess(
    {
      HYPECAST_HOST: host,
      HYPECAST_TOKEN: token,
      HYPECAST_ORIGINS: more.origins ?? "",
      HYPECAST_SIGN_IN: more.signIn ?? "",
      HYPECAST_PUBLIC_URL: more.publicUrl ?? "",
    },
    {
      sessions: more.sessions ?? sessionsInMemory(now),
      account: (userId) => (userId === ANA.userId ? ANA : null),
      markOf: () => marks.at(-1) ?? "",
      hash: (text) => `hash of ${text}`,
    },
    now,
  );
};
const refusalOf = (gate: Access, over: Partial<Claim>): string | null => {
  const who = gate.who(claim(over));
  return typeof who === "string" ? who : null;
};
const valueIn = (setCookie: string): string => setCookie.split(";")[0] ?? "";

test("bound to anything but loopback it needs a token of 20 characters, or the sign-in with Twitch", () => {
  expect(() => access("0.0.0.0")).toThrow(/HYPECAST_HOST=0\.0\.0\.0 is reachable .* set HYPECAST_TOKEN/);
  expect(() => access("0.0.0.0", "short")).toThrow("HYPECAST_TOKEN has 5 characters: use at least 20");
  for (const host of ["127.0.0.1", "127.8.0.1", "localhost", "::1"]) expect(access(host).signIn).toBe("none");
  expect(access("0.0.0.0", TOKEN).signIn).toBe("token");
  expect(access("0.0.0.0", "", { signIn: "twitch" })).toMatchObject({ signIn: "twitch", byToken: false });
  expect(access("0.0.0.0", TOKEN, { signIn: "twitch" })).toMatchObject({ signIn: "twitch", byToken: true });
});

test.each([
  ["127.0.0.1:4200", null],
  ["localhost:4200", null],
  ["[::1]:4200", null],
  ["hypecast.localhost:4200", null],
  ["stream.example", null],
  ["evil.example:4200", "wrong_host"],
  ["127.0.0.1.evil.example", "wrong_host"],
  ["", "wrong_host"],
])("on loopback a request to Host %j is %j: a rebound name does not come in", (host, refused) => {
  expect(refusalOf(access("127.0.0.1", "", { origins: "https://stream.example" }), { host })).toBe(refused);
});

test("on loopback with the sign-in on, nobody is the operator for being there", () => {
  const gate = access("127.0.0.1", "", { signIn: "twitch" });
  expect(refusalOf(gate, {})).toBe("unauthorized");
  expect(refusalOf(gate, { authorization: "Bearer " })).toBe("unauthorized");
  expect(refusalOf(gate, { authorization: "Bearer x" })).toBe("unauthorized");
});

test.each([
  ["http://127.0.0.1:4200", "same-origin", true],
  ["https://stream.example", "cross-site", true],
  ["https://hype.example", "cross-site", true],
  ["", "", true],
  ["", "same-origin", true],
  ["", "none", true],
  ["", "cross-site", false],
  ["", "same-site", false],
  ["http://127.0.0.1:4201", "", false],
  ["https://evil.example", "", false],
  ["null", "", false],
  ["https://stream.example.evil.example", "", false],
])("a page of origin %j (Sec-Fetch-Site %j) may write: %j", (origin, site, allowed) => {
  const gate = access("127.0.0.1", "", {
    origins: "https://stream.example",
    publicUrl: "https://hype.example",
  });
  expect(gate.originAllowed(claim({ origin, site }))).toBe(allowed);
});

test("with a token the bearer or a session lets in, and nothing else", async () => {
  const gate = access("0.0.0.0", TOKEN);
  const host = "anything.example";
  expect(refusalOf(gate, { host })).toBe("unauthorized");
  expect(refusalOf(gate, { host, authorization: `Bearer ${TOKEN}` })).toBeNull();
  expect(refusalOf(gate, { host, authorization: `Bearer ${TOKEN}x` })).toBe("unauthorized");
  const session = await gate.logIn(TOKEN, "1.2.3.4", true);
  if (typeof session === "string") throw new Error(session);
  expect(session.cookie).toMatch(
    /^hypecast_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+; Secure$/,
  );
  const cookie = valueIn(session.cookie);
  expect(gate.who(claim({ host, cookie: `theme=dark; ${cookie}` }))).toMatchObject({
    person: { kind: "operator" },
  });
  expect(refusalOf(gate, { host, cookie: `hypecast_session=${"A".repeat(43)}` })).toBe("unauthorized");
  await gate.logOut(cookie, false);
  expect(refusalOf(gate, { host, cookie })).toBe("unauthorized");
});

test("the operator's sessions outlive the gateway, and end when the token is changed or people's sign-in is turned off", async () => {
  const sessions = sessionsInMemory(Date.now);
  const before = access("0.0.0.0", TOKEN, { sessions, signIn: "twitch" });
  const session = await before.logIn(TOKEN, "1.2.3.4", false);
  const cookie = typeof session === "string" ? "" : valueIn(session.cookie);
  const ana = valueIn(await before.begin(ANA.userId, "", false));
  const after = access("0.0.0.0", TOKEN, { sessions });
  expect(refusalOf(after, { cookie })).toBeNull();
  expect(refusalOf(after, { cookie: ana })).toBe("unauthorized");
  expect(refusalOf(access("0.0.0.0", `${TOKEN}-new`, { sessions }), { cookie })).toBe("unauthorized");
  expect(refusalOf(access("0.0.0.0", "", { sessions, signIn: "twitch" }), { cookie })).toBe("unauthorized");
});

test("behind a known https address the cookie is Secure and no subdomain can plant it", async () => {
  const gate = access("0.0.0.0", TOKEN, { publicUrl: "https://hype.example" });
  const session = await gate.logIn(TOKEN, "1.2.3.4", false);
  if (typeof session === "string") throw new Error(session);
  expect(session.cookie).toMatch(/^__Host-hypecast_session=[\w-]{43}; Path=\/; HttpOnly; .*; Secure$/);
  const cookie = valueIn(session.cookie);
  expect(refusalOf(gate, { cookie })).toBeNull();
  expect(refusalOf(gate, { cookie: cookie.replace("__Host-", "") })).toBe("unauthorized");
});

test("a session ends a week after it was used last, and 30 days after it began", async () => {
  let nowMs = 0;
  const gate = access("0.0.0.0", TOKEN, { now: () => nowMs });
  const begin = async (): Promise<string> => {
    const session = await gate.logIn(TOKEN, "1.2.3.4", false);
    return typeof session === "string" ? "" : valueIn(session.cookie);
  };
  const idle = await begin();
  nowMs += IDLE_MS - 1;
  expect(refusalOf(gate, { cookie: idle })).toBeNull();
  nowMs += IDLE_MS - 1;
  expect(refusalOf(gate, { cookie: idle })).toBeNull();
  nowMs += IDLE_MS;
  expect(refusalOf(gate, { cookie: idle })).toBe("unauthorized");

  const busy = await begin();
  const beganMs = nowMs;
  for (; nowMs < beganMs + ABSOLUTE_MS; nowMs += IDLE_MS / 2)
    expect(refusalOf(gate, { cookie: busy })).toBeNull();
  expect(refusalOf(gate, { cookie: busy })).toBe("unauthorized");
});

test("a person's session gets a new id in time and when their roles change; the old one lives on for a moment", async () => {
  let nowMs = 0;
  const marks = ["analyst"];
  const gate = access("0.0.0.0", "", { signIn: "twitch", marks, now: () => nowMs });
  const first = valueIn(await gate.begin(ANA.userId, "", false));
  const whoWith = (cookie: string): Who => {
    const who = gate.who(claim({ cookie }));
    if (typeof who === "string") throw new Error(who);
    return who;
  };
  expect(whoWith(first).person).toEqual({ kind: "twitch", ...ANA });
  expect(gate.isDue(whoWith(first))).toBe(false);
  nowMs = ROTATE_MS;
  expect(gate.isDue(whoWith(first))).toBe(true);
  const came = whoWith(first);
  const second = valueIn((await gate.renew(came, false)) ?? "");
  // A request that left with the old id at the same time gets no third one.
  expect(await gate.renew(came, false)).toBeNull();
  expect(gate.isDue(whoWith(first))).toBe(false);
  expect(gate.isDue(whoWith(second))).toBe(false);
  nowMs += GRACE_MS;
  expect(refusalOf(gate, { cookie: first })).toBe("unauthorized");
  expect(refusalOf(gate, { cookie: second })).toBeNull();
  // A socket that was opened with the first id is still this person's.
  expect(gate.again(came)?.person).toEqual({ kind: "twitch", ...ANA });

  marks.push("moderator");
  expect(gate.isDue(whoWith(second))).toBe(true);
  const third = valueIn((await gate.renew(whoWith(second), false)) ?? "");
  expect(gate.isDue(whoWith(third))).toBe(false);
  await gate.logOut(third, false);
  expect(gate.again(came)).toBeNull();
});

test("signing in again ends the session that the browser came with: an id that was planted is worth nothing", async () => {
  const gate = access("0.0.0.0", "", { signIn: "twitch" });
  const planted = valueIn(await gate.begin(ANA.userId, "", false));
  const own = valueIn(await gate.begin(ANA.userId, planted, false));
  expect(own).not.toBe(planted);
  expect(refusalOf(gate, { cookie: planted })).toBe("unauthorized");
  expect(refusalOf(gate, { cookie: own })).toBeNull();
});

test("who was disconnected is out, whatever their session says", async () => {
  const gate = access("0.0.0.0", TOKEN, { signIn: "twitch" });
  const nobody = valueIn(await gate.begin("99", "", false));
  expect(refusalOf(gate, { cookie: nobody })).toBe("unauthorized");
});

test("after ten wrong tokens in a minute a client is not even compared; another one is", async () => {
  let nowMs = 0;
  const gate = access("0.0.0.0", TOKEN, { now: () => nowMs });
  for (let i = 0; i < 10; i++) expect(await gate.logIn(`wrong ${i}`, "1.2.3.4", false)).toBe("unauthorized");
  expect(await gate.logIn(TOKEN, "1.2.3.4", false)).toBe("too_many_requests");
  const bearer = { authorization: `Bearer ${TOKEN}` };
  expect(refusalOf(gate, { client: "1.2.3.4", ...bearer })).toBe("too_many_requests");
  expect(refusalOf(gate, { client: "5.6.7.8", ...bearer })).toBeNull();
  nowMs = 60_001;
  expect(refusalOf(gate, { client: "1.2.3.4", ...bearer })).toBeNull();
});

test.each([
  ["127.0.0.1", "9.9.9.9", "9.9.9.9"],
  ["10.0.3.4", "8.8.8.8, 9.9.9.9", "9.9.9.9"],
  ["203.0.113.7", "9.9.9.9", "203.0.113.7"],
  ["127.0.0.1", "not an address", "127.0.0.1"],
  ["127.0.0.1", "", "127.0.0.1"],
])("from peer %s saying %j the client is %s", (peer, forwarded, client) => {
  expect(clientOf(peer, forwarded)).toBe(client);
});
