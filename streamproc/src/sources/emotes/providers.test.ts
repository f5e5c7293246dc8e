import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { readConfig } from "@hypecast/runtime/config.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fetchSet, MOST_EMOTES, type FetchedSet, type Provider } from "./providers.ts";

/** What the server answers, by path; each test sets its own. */
const answers = new Map<string, { status?: number; body: string }>();
let server: Server;

beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = answers.get(request.url ?? "") ?? { status: 404, body: "{}" };
    response.writeHead(answer.status ?? 200).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => server.close());

const ask = (provider: Provider, channelId: string | null): Promise<FetchedSet> => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = readConfig({ BTTV_API_URL: url, FFZ_API_URL: url, SEVENTV_API_URL: url });
  return fetchSet(config, provider, channelId, new AbortController().signal);
};
const emotes = (count: number): { id: string; name: string }[] =>
  Array.from({ length: count }, (_, i) => ({ id: `id${i}`, name: `emote${i}` }));
const user = (list: unknown): string =>
  JSON.stringify({ user: { id: "u1" }, emote_set: { id: "s1", emotes: list } });

test("each provider's own form is read", async () => {
  answers.set("/cached/emotes/global", { body: JSON.stringify([{ id: "b1", code: "BttvGlobal" }]) });
  answers.set("/cached/users/twitch/7", {
    body: JSON.stringify({
      channelEmotes: [{ id: "b2", code: "Own" }],
      sharedEmotes: [{ id: "b3", code: "Shared" }],
    }),
  });
  answers.set("/set/global", {
    body: JSON.stringify({
      default_sets: [3],
      sets: {
        "3": { emoticons: [{ id: 31, name: "FfzGlobal" }] },
        "4": { emoticons: [{ id: 32, name: "NotForAll" }] },
      },
    }),
  });
  answers.set("/users/twitch/7", { body: user([{ id: "s2", name: "Seven" }]) });
  expect((await ask("bttv", null)).emotes).toEqual([["b1", "BttvGlobal"]]);
  expect((await ask("bttv", "7")).emotes).toEqual([
    ["b2", "Own"],
    ["b3", "Shared"],
  ]);
  expect((await ask("ffz", null)).emotes).toEqual([["31", "FfzGlobal"]]);
  expect(await ask("7tv", "7")).toMatchObject({
    emotes: [["s2", "Seven"]],
    follow: { setId: "s1", userId: "u1" },
  });
});

test("a channel that the provider does not know has no emotes; that the global set is missing is an error", async () => {
  for (const provider of ["bttv", "ffz", "7tv"] as const)
    expect((await ask(provider, "404")).emotes).toEqual([]);
  await expect(ask("7tv", null)).rejects.toThrow("answered 404");
});

test("10,000 emotes in a set are taken, an absurd number is refused with a reason", async () => {
  answers.set("/users/twitch/1", { body: user(emotes(10_000)) });
  expect((await ask("7tv", "1")).emotes).toHaveLength(10_000);
  answers.set("/users/twitch/2", { body: user(emotes(MOST_EMOTES + 1)) });
  await expect(ask("7tv", "2")).rejects.toThrow("more than 20000 emotes");
});

test("an answer that never ends being large is cut off", async () => {
  answers.set("/users/twitch/3", { body: " ".repeat(65 * 1024 * 1024) });
  await expect(ask("7tv", "3")).rejects.toThrow("larger than 64 MB");
});

test.each([
  ["<html>", "no JSON"],
  ['{"sets": [', "no JSON"],
  ["[]", "not as expected"],
  ['{"emote_set": 5}', "not as expected"],
])("%s is refused: %s", async (body, reason) => {
  answers.set("/users/twitch/4", { body });
  await expect(ask("7tv", "4")).rejects.toThrow(reason);
});

test("an emote that is none is left out, the others stay", async () => {
  answers.set("/users/twitch/5", {
    body: user([
      null,
      5,
      { id: "a" },
      { id: "../x", name: "path" },
      { id: "b", name: "two words" },
      { id: "c", name: "" },
      { id: "ok", name: "fine" },
    ]),
  });
  expect((await ask("7tv", "5")).emotes).toEqual([["ok", "fine"]]);
});
