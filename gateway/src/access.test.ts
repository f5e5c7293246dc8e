import { expect, test } from "vitest";
import { clientOf, createAccess, type Claim } from "./access.ts";

const TOKEN = "a-token-of-twenty-or-more";
const claim = (over: Partial<Claim> = {}): Claim => ({
  host: "127.0.0.1:4200",
  origin: "",
  authorization: "",
  cookie: "",
  client: "127.0.0.1",
  ...over,
});
const access = (host: string, token = "", origins = "", now?: () => number) =>
  createAccess({ HYPECAST_HOST: host, HYPECAST_TOKEN: token, HYPECAST_ORIGINS: origins }, now);

test("bound to anything but loopback it needs a token of 20 characters", () => {
  expect(() => access("0.0.0.0")).toThrow(/HYPECAST_HOST=0\.0\.0\.0 is reachable .* set HYPECAST_TOKEN/);
  expect(() => access("0.0.0.0", "short")).toThrow("HYPECAST_TOKEN has 5 characters: use at least 20");
  for (const host of ["127.0.0.1", "127.8.0.1", "localhost", "::1"]) expect(access(host).needed).toBe(false);
  expect(access("0.0.0.0", TOKEN).needed).toBe(true);
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
  expect(access("127.0.0.1", "", "https://stream.example").refuse(claim({ host }))).toBe(refused);
});

test.each([
  ["http://127.0.0.1:4200", true],
  ["https://stream.example", true],
  ["", true],
  ["http://127.0.0.1:4201", false],
  ["https://evil.example", false],
  ["null", false],
  ["https://stream.example.evil.example", false],
])("a page of origin %j may write: %j", (origin, allowed) => {
  expect(access("127.0.0.1", "", "https://stream.example").originAllowed(claim({ origin }))).toBe(allowed);
});

test("with a token the bearer or a session lets in, and nothing else", () => {
  const gate = access("0.0.0.0", TOKEN);
  const host = "anything.example";
  expect(gate.refuse(claim({ host }))).toBe("unauthorized");
  expect(gate.refuse(claim({ host, authorization: `Bearer ${TOKEN}` }))).toBeNull();
  expect(gate.refuse(claim({ host, authorization: `Bearer ${TOKEN}x` }))).toBe("unauthorized");
  const session = gate.logIn(TOKEN, "1.2.3.4", true);
  if (typeof session === "string") throw new Error(session);
  expect(session.cookie).toMatch(
    /^hypecast_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+; Secure$/,
  );
  const cookie = session.cookie.split(";")[0] ?? "";
  expect(gate.refuse(claim({ host, cookie: `theme=dark; ${cookie}` }))).toBeNull();
  expect(gate.refuse(claim({ host, cookie: `hypecast_session=${"A".repeat(43)}` }))).toBe("unauthorized");
  gate.logOut(cookie);
  expect(gate.refuse(claim({ host, cookie }))).toBe("unauthorized");
});

test("a session ends after 30 days", () => {
  let nowMs = 0;
  const gate = access("0.0.0.0", TOKEN, "", () => nowMs);
  const session = gate.logIn(TOKEN, "1.2.3.4", false);
  const cookie = typeof session === "string" ? "" : (session.cookie.split(";")[0] ?? "");
  nowMs = 30 * 86_400_000 - 1;
  expect(gate.refuse(claim({ cookie }))).toBeNull();
  nowMs += 1;
  expect(gate.refuse(claim({ cookie }))).toBe("unauthorized");
});

test("after ten wrong tokens in a minute a client is not even compared; another one is", () => {
  let nowMs = 0;
  const gate = access("0.0.0.0", TOKEN, "", () => nowMs);
  for (let i = 0; i < 10; i++) expect(gate.logIn(`wrong ${i}`, "1.2.3.4", false)).toBe("unauthorized");
  expect(gate.logIn(TOKEN, "1.2.3.4", false)).toBe("too_many_requests");
  expect(gate.refuse(claim({ client: "1.2.3.4", authorization: `Bearer ${TOKEN}` }))).toBe(
    "too_many_requests",
  );
  expect(gate.refuse(claim({ client: "5.6.7.8", authorization: `Bearer ${TOKEN}` }))).toBeNull();
  nowMs = 60_001;
  expect(gate.refuse(claim({ client: "1.2.3.4", authorization: `Bearer ${TOKEN}` }))).toBeNull();
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
