import { join } from "node:path";
import { expect, test } from "vitest";
import { readConfig, settings } from "./config.ts";

const root = join(import.meta.dirname, "../..");

test("every wrong setting is named at once, with what it should be", () => {
  expect(() => readConfig({ HYPECAST_PORT: "70000", TWITCH_IRC_URL: "http://example.org" })).toThrow(
    /HYPECAST_PORT="70000".*\n\s+TWITCH_IRC_URL="http:\/\/example.org": an address that begins with wss:\/\/ or ws:\/\//,
  );
});

test("without any setting the defaults bind to loopback and read Twitch anonymously", () => {
  const config = readConfig({});
  expect(config.HYPECAST_HOST).toBe("127.0.0.1");
  expect(config.TWITCH_TOKEN).toBe("");
  expect(config.HYPECAST_PORT).toBe(4200);
});

test(".env.example lists every setting with its meaning and default", async () => {
  const lines = Object.entries(settings).map(
    ([name, [, fallback, meaning]]) => `# ${meaning}\n#${name}=${fallback}\n`,
  );
  const text = `# Every setting of Hypecast, with its default. Copy to .env and uncomment what you change; docker compose reads it.\n\n${lines.join("\n")}`;
  await expect(text).toMatchFileSnapshot(join(root, ".env.example"));
});

test("docs/settings.md has a row for every setting", async () => {
  const rows = Object.entries(settings).map(
    ([name, [, fallback, meaning]]) =>
      `| \`${name}\` | ${fallback === "" ? "" : `\`${fallback}\``} | ${meaning} |\n`,
  );
  const text = `# Settings\n\nEnvironment variables (or lines of \`.env\`), read once at start by \`runtime/src/config.ts\`; a wrong one is named with what it should be.\n\n| setting | default | meaning |\n|---|---|---|\n${rows.join("")}`;
  await expect(text).toMatchFileSnapshot(join(root, "docs/settings.md"));
});
