import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ANALYST_MAY_LOWER, ENGINE_LIMITS } from "./limits.ts";

const users = readFileSync(join(import.meta.dirname, "../server/users.d/analyst.xml"), "utf8");

test("a server's analyst has the limits of the embedded one, and can lift none of them", () => {
  const [profile = "", constraints = ""] = users.split("<constraints>");
  for (const [name, value] of Object.entries(ENGINE_LIMITS.analystSettings)) {
    expect(profile).toContain(`<${name}>${value}</${name}>`);
    expect(constraints).toContain(
      ANALYST_MAY_LOWER.has(name)
        ? `<${name}><max>${value}</max></${name}>`
        : `<${name}><readonly/></${name}>`,
    );
  }
});

test("what runs at once leaves threads of libuv's pool of 16 for the rest of the process", () => {
  const { writes, reads, analyst } = ENGINE_LIMITS;
  expect(writes.running + reads.running + analyst.running).toBeLessThan(16);
});
