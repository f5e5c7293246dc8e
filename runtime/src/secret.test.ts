import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openSecret } from "./secret.ts";

const folder = mkdtempSync(join(tmpdir(), "hypecast-secret-"));
afterAll(() => rmSync(folder, { recursive: true }));
const secret = openSecret({ HYPECAST_SECRET: "", HYPECAST_DATA: folder });

test("what is sealed opens again for the same purpose, and for no other", () => {
  const sealed = secret.seal("tokens", "привет");
  expect(sealed).not.toContain("привет");
  expect(secret.open("tokens", sealed)).toBe("привет");
  expect(() => secret.open("names", sealed)).toThrow(/cannot be opened/);
});

test("a changed byte is noticed", () => {
  const bytes = Buffer.from(secret.seal("tokens", "abc"), "base64");
  bytes[bytes.length - 1]! ^= 1;
  expect(() => secret.open("tokens", bytes.toString("base64"))).toThrow(/changed since/);
});

test("the key is made once, readable by its owner alone, and stays", () => {
  expect(statSync(join(folder, "secret")).mode & 0o777).toBe(0o600);
  const again = openSecret({ HYPECAST_SECRET: "", HYPECAST_DATA: folder });
  expect(again.hash("chatters", "42")).toBe(secret.hash("chatters", "42"));
  expect(again.hash("chatters", "42")).not.toBe(secret.hash("logins", "42"));
});

test("another installation cannot open it", () => {
  const other = openSecret({ HYPECAST_SECRET: "A".repeat(43), HYPECAST_DATA: folder });
  expect(() => other.open("tokens", secret.seal("tokens", "abc"))).toThrow(/another HYPECAST_SECRET/);
});
