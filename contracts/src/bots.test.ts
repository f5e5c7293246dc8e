import { expect, test } from "vitest";
import { isBot } from "./bots.ts";

test("a bot is known by its whole name or by Twitch's badge, nobody else is one", () => {
  expect(isBot({ login: "nightbot" })).toBe(true);
  expect(isBot({ login: "some_helper", badges: "moderator/1,bot-badge/1" })).toBe(true);
  for (const login of ["nightbob", "nightbot2", "ghtbot", "bot"])
    expect(isBot({ login, badges: "moderator/1,subscriber/12" }), login).toBe(false);
});
