import { expect, test } from "vitest";
import { openSecret } from "@hypecast/runtime/secret.ts";
import { cookieOf } from "./cookies.ts";
import { isGone } from "./forget.ts";
import { beginPending, challengeOf, openPending, PENDING_MS, sealPending } from "./pending.ts";
import { pathWithin, signInSettings } from "./settings.ts";

const secretOf = (byte: number) =>
  openSecret({ HYPECAST_SECRET: Buffer.alloc(32, byte).toString("base64url"), HYPECAST_DATA: "" });

const settings = {
  HYPECAST_SIGN_IN: "twitch",
  HYPECAST_HOST: "127.0.0.1",
  HYPECAST_PORT: 4200,
  HYPECAST_PUBLIC_URL: "",
  TWITCH_CLIENT_ID: "id",
  TWITCH_CLIENT_SECRET: "secret",
} as const;

test("without HYPECAST_SIGN_IN nobody signs in, and nothing is asked of the settings", () => {
  expect(signInSettings({ ...settings, HYPECAST_SIGN_IN: "", TWITCH_CLIENT_ID: "" })).toBeNull();
});

test.each([
  [{}, "http://127.0.0.1:4200", false],
  [{ HYPECAST_HOST: "::1" }, "http://[::1]:4200", false],
  [{ HYPECAST_PUBLIC_URL: "http://localhost:8080" }, "http://localhost:8080", false],
  [{ HYPECAST_HOST: "0.0.0.0", HYPECAST_PUBLIC_URL: "https://Hype.example" }, "https://hype.example", true],
] as const)("with %j people come back to %s", (more, base, secure) => {
  const expected = { base, redirectUri: `${base}/auth/twitch/callback`, secure };
  expect(signInSettings({ ...settings, ...more })).toEqual(expected);
});

test.each([
  [{ TWITCH_CLIENT_ID: "" }, "needs TWITCH_CLIENT_ID:"],
  [{ TWITCH_CLIENT_ID: "", TWITCH_CLIENT_SECRET: "" }, "needs TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET:"],
  [{ HYPECAST_HOST: "0.0.0.0" }, "HYPECAST_HOST=0.0.0.0 needs HYPECAST_PUBLIC_URL"],
  [{ HYPECAST_PUBLIC_URL: "http://hype.example" }, "has to begin with https://"],
] as const)("with %j it does not start: %s", (more, says) => {
  expect(() => signInSettings({ ...settings, ...more })).toThrow(says);
});

test.each([
  ["/", "/"],
  ["/mod/lamp?case=4242:case:1#top", "/mod/lamp?case=4242:case:1#top"],
  ["/a/../b", "/b"],
  ["/a%0a", "/a%0a"],
  ["", null],
  ["mod/lamp", null],
  ["https://evil.example/", null],
  ["javascript:alert(1)", null],
  ["//evil.example/", null],
  ["/\\evil.example/", null],
  ["\\\\evil.example", null],
  ["/..//evil.example", null],
  ["/\t/evil.example", null],
  ["/a\n/b", null],
  [" /a", null],
  ["/é", null],
  ["/auth/twitch?next=/", null],
  [`/${"a".repeat(500)}`, null],
])("after signing in %j leads to %j", (next, path) => {
  expect(pathWithin("https://hype.example", next)).toBe(path);
});

test("a sign-in ends where it began, within ten minutes, with its own state", () => {
  const secret = secretOf(1);
  const begun = beginPending({ consent: "look", next: "/mod/lamp" }, 1000);
  const cookie = sealPending(secret, begun);
  const at = 1000 + PENDING_MS;
  expect(openPending(secret, cookie, begun.state, at - 1)).toEqual(begun);
  expect(openPending(secret, cookie, begun.state, at)).toBe("expired");
  expect(openPending(secret, null, begun.state, at - 1)).toBe("no_browser");
  const other = beginPending({ consent: "look", next: "/" }, 1000);
  expect(other.state).not.toBe(begun.state);
  for (const state of ["", other.state, begun.state.slice(1), `${begun.state}=`])
    expect(openPending(secret, cookie, state, at - 1)).toBe("forged");
  expect(openPending(secretOf(2), cookie, begun.state, at - 1)).toBe("forged");
  expect(openPending(secret, "%", begun.state, at - 1)).toBe("forged");
  expect(cookie).not.toContain(begun.verifier);
  expect(cookieOf(`theme=dark; x=${cookie}; y=1`, "x")).toBe(cookie);
});

test("the challenge is S256 as RFC 7636 has it", () => {
  expect(challengeOf({ verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" })).toBe(
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  );
});

test("who has gone is forgotten, unless a role or a connected account is left of them", () => {
  const account = {
    userId: "1",
    tokens: "sealed",
    scopes: ["user:read:moderated_channels"],
    signedInAtMs: 0,
  };
  const nowMs = 7_200_000;
  const nobody = new Set<string>();
  expect(isGone(account, nobody, false, nowMs)).toBe(true);
  expect(isGone(account, new Set(["1"]), false, nowMs)).toBe(false);
  expect(isGone(account, nobody, true, nowMs)).toBe(false);
  expect(isGone({ ...account, signedInAtMs: nowMs - 1000 }, nobody, false, nowMs)).toBe(false);
  const connected = { ...account, scopes: ["moderator:manage:banned_users"] };
  expect(isGone(connected, nobody, false, nowMs)).toBe(false);
  expect(isGone({ ...connected, tokens: null }, nobody, false, nowMs)).toBe(true);
});
