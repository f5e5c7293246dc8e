import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { EXIT } from "./failure.ts";

/** The program as a person calls it; nothing listens at its address. */
const hypecast = (...args: string[]): { code: number | null; out: string; err: string } => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", new URL("main.ts", import.meta.url).pathname, ...args],
    { encoding: "utf8", env: { PATH: process.env["PATH"], HYPECAST_URL: "http://127.0.0.1:1" } },
  );
  return { code: status, out: stdout, err: stderr };
};

test("help is an answer, on stdout, of the whole and of each command", () => {
  for (const args of [["--help"], ["help"], ["render", "--help"]]) {
    const { code, out } = hypecast(...args);
    expect(code).toBe(EXIT.ok);
    expect(out).toContain("hypecast render STREAM FROM-TO…");
  }
});

test.each([
  [[], "which command?"],
  [["bogus"], "no command 'bogus'"],
  [["journal"], "journal verify [CHANNEL…]"],
  [["status", "--delete"], "delete what?"],
  [["status", "_aaaaaaaaaaaaaaaaaa", "--retry", "--cancel"], "--cancel and --retry: one of them"],
  [["render", "_aaaaaaaaaaaaaaaaaa", "now"], "a place is FROM-TO"],
  [["export", "_aaaaaaaaaaaaaaaaaa", "--as", "song"], "--as song: one of"],
])("%j is not understood, and says why", (args, says) => {
  const { code, err } = hypecast(...args);
  expect(code).toBe(EXIT.usage);
  expect(err).toContain(says);
});

test("where nothing listens, it says so and ends with a code of its own", () => {
  const { code, err } = hypecast("status");
  expect(code).toBe(EXIT.unreachable);
  expect(err).toContain("nothing answers at http://127.0.0.1:1");
});
