import { createServer, type Server as HttpServer } from "node:http";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CHANNELS_BUCKET } from "@hypecast/contracts/channel.ts";
import { startTwitch, type TwitchStandIn } from "@hypecast/gateway/sign-in/twitch-stand-in.ts";
import { startGateway, type Gateway } from "@hypecast/gateway/testing.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { axeFindings, launchBrowser } from "./browser.ts";
import { startNats, type Server } from "./servers.ts";

/** `localhost` is ours and `127.0.0.1` is Twitch's: to a browser they are different sites. */
let nats: Server;
let bus: NatsConnection;
let twitch: TwitchStandIn;
let gateway: Gateway;
let browser: Browser;
let elsewhere: HttpServer;
let base: string;

beforeAll(async () => {
  [nats, browser] = await Promise.all([startNats(), launchBrowser()]);
  bus = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(bus, 1);
  const addresses: string[] = [];
  twitch = await startTwitch(addresses);
  gateway = await startGateway((port) => {
    base = `http://localhost:${port}`;
    addresses.push(`${base}/auth/twitch/callback`);
    return {
      HYPECAST_NATS_URL: nats.url,
      HYPECAST_SIGN_IN: "twitch",
      HYPECAST_PUBLIC_URL: base,
      ...twitch.env,
    };
  });
  const wanted = await new Kvm(bus).open(CHANNELS_BUCKET);
  await wanted.put("lamp", JSON.stringify({ login: "lamp", addedAtMs: 1, paused: false }));
  elsewhere = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.end(`<!doctype html><title>Elsewhere</title><a href="${base}/clips?state=ready">Look</a>
<form method="post" action="${base}/api/v1/session"><button>Steal</button></form>`);
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  await browser?.close();
  elsewhere?.close();
  await gateway?.close();
  await twitch?.close();
  await bus?.close();
  await nats?.close();
});

test("in a browser: to Twitch and back by keyboard, by a link from elsewhere without signing in again, and out", async () => {
  const context = await browser.newContext({ locale: "en-GB" });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) faults.push(message.text());
  });

  await page.goto(`${base}/mod/lamp`);
  await page.getByRole("link", { name: "Sign in with Twitch" }).waitFor();
  expect(await axeFindings(page)).toEqual([]);
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "I am lamp" }).click();
  // The page in between goes on by itself, and the Strict cookie goes with it.
  await page.waitForURL(`${base}/mod/lamp`);
  await page.getByRole("button", { name: "Account: lamp" }).waitFor();
  const cookies = await context.cookies(base);
  expect(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite])).toEqual([
    ["hypecast_session", true, "Strict"],
  ]);
  expect(await page.evaluate(() => document.cookie)).toBe("");

  const address = elsewhere.address();
  await page.goto(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`);
  await page.getByRole("link", { name: "Look" }).click();
  await page.waitForURL(`${base}/clips?state=ready`);
  await page.getByRole("button", { name: "Account: lamp" }).waitFor();

  // Who is not signed in gets to the page to sign in on by the same link.
  const stranger = await (await browser.newContext({ locale: "en-GB" })).newPage();
  await stranger.goto(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`);
  await stranger.getByRole("link", { name: "Look" }).click();
  await stranger.getByRole("link", { name: "Sign in with Twitch" }).waitFor();

  await page.getByRole("button", { name: "Account: lamp" }).press("Enter");
  await expect
    .poll(() => page.getByRole("group", { name: "Account: lamp" }).locator("li").allInnerTexts())
    .toEqual(["lamp\nbroadcaster"]);
  expect(await axeFindings(page)).toEqual([]);
  const second = await context.newPage();
  await second.goto(`${base}/clips`);
  await second.getByRole("button", { name: "Account: lamp" }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).press("Enter");
  await page.getByRole("link", { name: "Sign in with Twitch" }).waitFor();
  // The other tab learns of it by its socket.
  await second.getByRole("link", { name: "Sign in with Twitch" }).waitFor();
  expect(faults).toEqual([]);
});
