import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { startDemo } from "@hypecast/demo/demo.ts";
import { DEMO_CLIENT, DEMO_CLIP_TOKEN } from "@hypecast/demo/helix.ts";
import { createTwitchClip } from "./twitch-clip.ts";

const NOW = 1_800_000_000_000;
const clip = { channelId: "4711", endMs: NOW - 5000 };

async function against<Result>(
  status: number,
  body: string,
  ask: (url: string, asked: IncomingMessage[]) => Promise<Result>,
): Promise<Result> {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    response.writeHead(status, { "Content-Type": "application/json" }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await ask(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked);
  } finally {
    server.close();
  }
}
const settings = (url: string, token = "secret") => ({
  TWITCH_HELIX_URL: url,
  TWITCH_CLIENT_ID: "app",
  TWITCH_CLIP_TOKEN: token,
});

test("with a token Twitch is asked for a clip of the channel", () =>
  against(202, '{"data":[{"id":"FunnyClip-1","edit_url":"https://evil.example"}]}', async (url, asked) => {
    expect(await createTwitchClip(settings(url), clip, NOW)).toBe("https://clips.twitch.tv/FunnyClip-1");
    const [request] = asked;
    expect([request?.method, request?.url]).toEqual(["POST", "/clips?broadcaster_id=4711"]);
    expect(request?.headers).toMatchObject({ authorization: "Bearer secret", "client-id": "app" });
  }));

test("Helix as Twitch describes it makes a clip of who is live, for a token that may", async () => {
  const demo = await startDemo({ http: 0, ircWs: 0, ircTcp: 0, now: () => NOW });
  try {
    const ask = (channelId: string, token = DEMO_CLIP_TOKEN): Promise<string | null> => {
      const address = settings(`http://127.0.0.1:${demo.ports.http}/helix`, token);
      return createTwitchClip({ ...address, TWITCH_CLIENT_ID: DEMO_CLIENT.id }, { ...clip, channelId }, NOW);
    };
    expect(await ask("811204512")).toMatch(/^https:\/\/clips\.twitch\.tv\/AshenCastle1-\w+$/);
    // Offline, nobody, and a token of somebody who was not asked.
    await expect(ask("644120031")).rejects.toThrow("HTTP 404");
    await expect(ask("1")).rejects.toThrow("HTTP 400");
    await expect(ask("811204512", "another")).rejects.toThrow("HTTP 401");
    const form = {
      client_id: DEMO_CLIENT.id,
      client_secret: DEMO_CLIENT.secret,
      grant_type: "client_credentials",
    };
    const granted = await fetch(`http://127.0.0.1:${demo.ports.http}/oauth2/token`, {
      method: "POST",
      body: new URLSearchParams(form),
    });
    const { access_token: application } = (await granted.json()) as { access_token: string };
    // An application's token clips nothing.
    await expect(ask("811204512", application)).rejects.toThrow("HTTP 401");
  } finally {
    await demo.close();
  }
});

test("without a token, or for what is long over, Twitch is not asked", () =>
  against(202, "{}", async (url, asked) => {
    expect(await createTwitchClip(settings(url, ""), clip, NOW)).toBeNull();
    expect(await createTwitchClip(settings(url), { ...clip, endMs: NOW - 120_000 }, NOW)).toBeNull();
    expect(asked).toEqual([]);
  }));

test.each([
  [401, "{}", "HTTP 401"],
  [202, '{"data":[{"id":"../../x"}]}', "did not say which"],
  [202, '{"data":[]}', "did not say which"],
])("a refusal (%d %s) is said", (status, body, said) =>
  against(status, body, async (url) => {
    await expect(createTwitchClip(settings(url), clip, NOW)).rejects.toThrow(said);
  }),
);
