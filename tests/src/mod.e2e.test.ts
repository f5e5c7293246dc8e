import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { ChannelPolicy } from "@hypecast/contracts/journal.ts";
import { asker, signedIn, watchChannel, type Asker } from "@hypecast/gateway/mod/testing.ts";
import { startGateway, type Gateway } from "@hypecast/gateway/testing.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { axeFindings, launchBrowser, openPage, type Look, type Watched } from "./browser.ts";
import { startNats, type Server } from "./servers.ts";
import { HOSTILE, oneLine, startModWorld, type ModWorld } from "./web-mod.ts";

const LAVA = "4242";
let nats: Server;
let bus: NatsConnection;
let gateway: Gateway;
/** Carries out what is decided; nobody has connected Twitch here, so everything is recommended. */
let acts: ChildProcess;
let browser: Browser;
let world: ModWorld;
/** Asks without a browser. */
let cat: Asker;

const PEOPLE = ["ana", "ben", "cat", "eve"];
/** A session belongs to the browser that it was given to: each page has its own, and a person stays who they are. */
const signIn = (login: string): Promise<string> =>
  signedIn(bus, {
    userId: login === "lava" ? LAVA : String(1000 + PEOPLE.indexOf(login)),
    login,
    moderates: login === "eve" || login === "lava" ? [] : [{ channelId: LAVA, login: "lava" }],
  });

beforeAll(async () => {
  [nats, browser] = await Promise.all([startNats(), launchBrowser()]);
  bus = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "test");
  await ensureStreams(bus, 1);
  await watchChannel(bus, "lava", LAVA);
  cat = asker(
    {
      get url() {
        return gateway.url;
      },
    },
    await signIn("cat"),
  );
  world = startModWorld(bus, LAVA);
  const env = {
    HYPECAST_NATS_URL: nats.url,
    HYPECAST_SECRET: "s".repeat(42) + "A",
    HYPECAST_SIGN_IN: "twitch",
    TWITCH_CLIENT_ID: "test",
    TWITCH_CLIENT_SECRET: "test",
    TWITCH_ID_URL: "http://127.0.0.1:1",
    TWITCH_HELIX_URL: "http://127.0.0.1:1",
  };
  const part = join(import.meta.dirname, "../../streamproc/src/moderation/acts/test-acts.ts");
  acts = spawn(process.execPath, [part], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, HYPECAST_LOG_LEVEL: "error", ...env },
  });
  gateway = await startGateway(env);
  await vi.waitFor(async () => expect((await cat.get("lava")).status).toBe(200), 10_000);
  const nowMs = Date.now();
  await world.saySpike();
  await world.say(
    oneLine(LAVA, "a", "you are such a worthless thing", { part: "such a worthless", lastAtMs: nowMs }),
    oneLine(LAVA, "b", "i know which bus you take, vorobey7", {
      part: "know which bus",
      class: "threat",
      lastAtMs: nowMs - 1000,
    }),
    oneLine(LAVA, "c", "БЕСПЛАТНЫЕ СКИНЫ", {
      class: "spam",
      kind: "copies",
      count: 137,
      users: 9,
      coordinated: true,
      language: "ru",
      lastAtMs: nowMs - 2000,
    }),
    ...HOSTILE.map((text, i) =>
      oneLine(LAVA, `h${i}`, text, {
        severity: "alert",
        name: text.slice(0, 300),
        lastAtMs: nowMs - 3000 - i,
      }),
    ),
    ...Array.from({ length: 600 }, (_, i) =>
      oneLine(LAVA, `w${i}`, `клоун номер ${i}`, {
        severity: "watch",
        part: "клоун",
        lastAtMs: nowMs - 9000 - i,
      }),
    ),
  );
});
afterAll(async () => {
  world?.close();
  await browser?.close();
  acts?.kill("SIGKILL");
  await gateway?.close();
  await bus?.close();
  await nats?.close();
});

/** What the browser itself says of answers that a test provokes. */
const REFUSED = /Failed to load resource.*(?:401|403|404|409)/;
async function open(who: string, look: Look = {}): Promise<Watched> {
  const watched = await openPage(browser, gateway.url, look, REFUSED);
  const [name = "", value = ""] = (await signIn(who)).split("=");
  await watched.context.addCookies([{ name, value, url: gateway.url }]);
  await watched.page.goto(`${gateway.url}/mod/lava`);
  return watched;
}
const rows = (page: Page) => page.locator("[role=option]");
const row = (page: Page, text: string | RegExp) => rows(page).filter({ hasText: text });
const current = (page: Page) => page.locator(".case.focused");

test("in both languages, themes and widths, with dialogs: axe, policy, console, requests, overflow, targets", async () => {
  const found: string[] = [];
  for (const look of [{ locale: "ru", width: 1440 } as const, { locale: "en", width: 390 } as const]) {
    const { page, context, faults } = await open("ana", look);
    const check = async (what: string): Promise<void> => {
      for (const theme of ["dark", "light"]) {
        await page.evaluate((name) => (document.documentElement.dataset["theme"] = name), theme);
        for (const finding of await axeFindings(page))
          found.push(`${what} ${look.width} ${theme} ${finding}`);
      }
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (beyond > 0) found.push(`${what} is ${beyond} px too wide`);
    };
    await rows(page).first().waitFor();
    await page.evaluate(() => document.fonts.ready);
    await check("queue");
    if (look.width < 500) {
      const small = await page.evaluate(() =>
        [...document.querySelectorAll("main button, main select, main a, main [role=option]")]
          .filter((one) => one.getClientRects().length > 0)
          .filter((one) => one.getBoundingClientRect().height < 44)
          .map((one) => one.outerHTML.slice(0, 120)),
      );
      expect(small).toEqual([]);
      await row(page, "know which bus").click();
      await page.locator(".hit").waitFor();
      await check("case");
      await page.getByRole("button", { name: "User" }).click();
      await page.getByText("was sev_veter").waitFor();
      await check("user");
    } else {
      for (const [key, title] of [
        ["t", "Тайм-аут"],
        ["f", "Не токсично: почему?"],
        ["p", "Разрешить фразу"],
        ["b", "Забанить навсегда?"],
      ] as const) {
        await page.keyboard.press(key);
        await page.getByRole("dialog", { name: title }).waitFor();
        await check(title);
        await page.keyboard.press("Escape");
        // The next key is the page's again.
        await page.getByRole("dialog", { name: title }).waitFor({ state: "hidden" });
      }
    }
    for (const [route, title] of [
      ["/mod/lava/log", /Журнал|Log/],
      ["/mod/lava/effect", /Результат|Effect/],
      ["/mod/lava/policy", /Правила|Rules/],
      ["/privacy", /Приватность|Privacy/],
    ] as const) {
      await page.goto(gateway.url + route);
      await page.getByRole("heading", { level: 1, name: title }).waitFor();
      // What it is about, or why there is nothing: the frame alone is no page.
      await page.locator("main .panel").first().waitFor();
      await check(route);
    }
    expect(faults).toEqual([]);
    await context.close();
  }
  expect(found).toEqual([]);
});

test("lines that are made to break the layout stay in their rows, and only what is looked at is in the page", async () => {
  const { page, context, faults } = await open("ana");
  await row(page, "WWWW").first().waitFor();
  const heights = await rows(page).evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height));
  expect(new Set(heights)).toEqual(new Set([60]));
  expect(await page.locator("img[src=x]").count()).toBe(0);
  for (let i = 0; i < HOSTILE.length + 3; i++) await page.keyboard.press("ArrowDown");
  const wide = await page.evaluate(() =>
    [...document.querySelectorAll("main .panel")].map((one) => one.scrollWidth - one.clientWidth),
  );
  expect(Math.max(...wide)).toBeLessThanOrEqual(0);
  await page.keyboard.press("3");
  await row(page, "клоун номер 0").first().waitFor();
  expect(await rows(page).count()).toBeLessThan(40);
  expect(faults).toEqual([]);
  await context.close();
});

test("two moderators on one queue: claims, an act and its undoing are seen by both; new cases wait", async () => {
  const ana = await open("ana");
  await row(ana.page, "worthless").click();
  await ana.page.getByText("у вас").waitFor();
  const other = await open("ben", { locale: "en" });
  // Ben sees whose it is, and when he is about to act is told so.
  await row(other.page, "worthless").getByText("ana is on this").waitFor();
  await row(other.page, "worthless").click();
  await other.page.keyboard.press("d");
  await other.page.getByText("ana is on this. Press again to act anyway.").waitFor();

  // Ana deletes with one key; it is a recommendation, since nobody has connected Twitch, and both see it.
  await ana.page.keyboard.press("d");
  await row(ana.page, "worthless").getByText("рекомендовано, не сделано").waitFor();
  await row(other.page, "worthless").getByText("recommended, not done").waitFor();
  await current(ana.page).filter({ hasNotText: "worthless" }).waitFor();
  await ana.page.keyboard.press("u");
  await row(other.page, "worthless").getByText("recommended").waitFor({ state: "detached" });
  await current(ana.page).filter({ hasText: "worthless" }).waitFor();

  // A new case waits until it is asked for.
  const before = await rows(ana.page).first().innerText();
  await world.say(oneLine(LAVA, "new1", "совсем новое слово", { lastAtMs: Date.now() }));
  await ana.page.getByRole("button", { name: "1 новое, нажмите ." }).waitFor();
  expect((await rows(ana.page).first().innerText()).split("\n")[1]).toBe(before.split("\n")[1]);
  await ana.page.keyboard.press(".");
  await rows(ana.page).first().filter({ hasText: "совсем новое" }).waitFor();
  expect([ana.faults, other.faults]).toEqual([[], []]);
  await Promise.all([ana.context.close(), other.context.close()]);
});

test("who is slower is told what the other decided, and may decide anew on purpose", async () => {
  const { page, context, faults } = await open("ana");
  await row(page, "know which bus").click();
  const [id = ""] = [...world.cases.keys()].filter((key) => key.endsWith(":b"));
  await page.route("**/acts", async (route) => {
    await cat.send("lava/acts", { key: "cat-was-quicker", act: "approve", caseIds: [id] });
    await route.continue();
  });
  await page.keyboard.press("b");
  await page.getByRole("textbox").fill("угроза");
  await page.keyboard.press("Enter");
  const told = page.getByText("cat — раньше вас: Одобрено.");
  await told.waitFor();
  await row(page, "know which bus").getByText("Одобрено").waitFor();
  await page.unroute("**/acts");
  await page.getByRole("button", { name: "Всё равно" }).click();
  await row(page, "know which bus").getByText("Бан: рекомендовано").waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("by keyboard alone: time out, note, wrong and why, all of a tab, seen; words are hidden and shown", async () => {
  const { page, context, faults } = await open("ana");
  await row(page, "СКИНЫ").waitFor();
  while (!(await current(page).innerText()).includes("СКИНЫ")) await page.keyboard.press("j");
  await page.keyboard.press("n");
  await page.keyboard.type("второй раз за вечер");
  await page.keyboard.press("Enter");
  await page.getByText("второй раз за вечер").waitFor();
  await page.keyboard.press("t");
  await page.keyboard.press("3");
  await row(page, "СКИНЫ").getByText("Тайм-аут").waitFor();
  await page.keyboard.press("2");
  await row(page, "WWWW").first().waitFor();
  await page.keyboard.press("r");
  await row(page, "WWWW").getByText("вы видели").waitFor();
  await page.keyboard.press("f");
  await page.keyboard.press("1");
  await page.getByText("Не токсично", { exact: true }).first().waitFor();
  await page.keyboard.press("Control+a");
  await page.getByText(/выбрано: \d/).waitFor();
  await page.keyboard.press("Escape");
  await page.getByText(/выбрано: \d/).waitFor({ state: "detached" });
  // Calm: one case, its words hidden until they are asked for.
  await page.keyboard.press("Shift+H");
  await expect.poll(() => rows(page).count()).toBe(1);
  await page.locator(".hit .veil").first().waitFor();
  await page.keyboard.press("v");
  await page.locator(".hit .veil").first().waitFor({ state: "detached" });
  // Help is made of the bindings.
  await page.keyboard.press("Shift+?");
  await page.getByRole("dialog").getByText("Не токсично, и почему").waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("the rules: limits, consent to keep chat, roles given and taken back; each by whom it is to be, and there for the next who looks", async () => {
  await signIn("eve");
  const { page, context, faults } = await open("lava");
  const told = page.locator("main [role=status]");
  const policyNow = async () =>
    ((await cat.get("lava/policy")).body as unknown as { policy: ChannelPolicy }).policy;
  await page.goto(`${gateway.url}/mod/lava/policy`);

  const limits = page.locator("section", { has: page.getByRole("heading", { name: "С какой оценки" }) });
  const save = limits.getByRole("button", { name: "Сохранить" });
  const [critical, alert] = [limits.getByRole("slider").nth(0), limits.getByRole("slider").nth(1)];
  await alert.fill("0.99");
  await limits.getByRole("alert").waitFor();
  expect(await save.isDisabled()).toBe(true);
  await critical.fill("1");
  await save.click();
  await told.filter({ hasText: "Сохранено" }).waitFor();
  expect((await policyNow()).thresholds).toMatchObject({ critical: 1, alert: 0.99 });

  const keep = page.locator("section", { has: page.getByRole("heading", { name: "Сколько хранится чат" }) });
  await keep.getByLabel("Исходный чат, часов").fill("48");
  await keep.getByText("это согласие, которое может дать только владелец канала").waitFor();
  await keep.getByRole("button", { name: "Сохранить" }).click();
  await keep.getByText(/^Согласие: lava, /).waitFor();
  expect(await policyNow()).toMatchObject({ rawHours: 48, consent: { by: { login: "lava" } } });

  const given = page.locator("section", { has: page.getByRole("heading", { name: "Роли" }) });
  const give = async (whom: string): Promise<void> => {
    await given.getByRole("textbox").fill(whom);
    await given.getByRole("combobox").selectOption("moderator");
    await given.getByRole("button", { name: "Выдать" }).click();
  };
  await give("nobody_here");
  await told.filter({ hasText: "nobody_here" }).waitFor();
  const eve = asker(gateway, await signIn("eve"));
  expect((await eve.get("lava")).status).toBe(403);
  await give("eve");
  const row = given.getByRole("row", { name: "eve" });
  await row.waitFor();
  expect((await eve.get("lava")).status).toBe(200);
  await row.getByRole("button", { name: "Забрать" }).click();
  await row.waitFor({ state: "detached" });
  expect((await eve.get("lava")).status).toBe(403);
  expect(faults).toEqual([]);
  await context.close();

  // A moderator sets limits, and what is kept no longer than a day; consent is not theirs.
  const moderator = await open("ana");
  await moderator.page.goto(`${gateway.url}/mod/lava/policy`);
  await moderator.page.getByText(/^Согласие: lava, /).waitFor();
  await moderator.page.getByLabel("Исходный чат, часов").fill("720");
  await moderator.page.getByRole("button", { name: "Сохранить" }).nth(1).click();
  await moderator.page.getByText("Ваша роль этого не позволяет").waitFor();
  expect(await policyNow()).toMatchObject({ rawHours: 48, consent: { by: { login: "lava" } } });
  expect(moderator.faults).toEqual([]);
  await moderator.context.close();
});

test("who may not is told so, and what fails stands where it failed", async () => {
  const eve = await open("eve");
  await eve.page.getByRole("heading", { name: "Вы не модератор канала lava" }).waitFor();
  await eve.context.close();
  const { page, context, faults } = await open("ana");
  await row(page, "клоун").or(rows(page)).first().waitFor();
  await page.keyboard.press("3");
  await row(page, "клоун номер 0").first().click();
  await page.route("**/acts", (route) => route.abort());
  await page.keyboard.press("d");
  await row(page, "клоун номер 0").first().getByText("Не отправлено").waitFor();
  await page.unroute("**/acts");
  await page.getByRole("button", { name: "Повторить" }).click();
  await row(page, "клоун номер 0").first().getByText("рекомендовано").waitFor();
  // The gateway goes and comes back: the page says how old it is, and goes on.
  await gateway.restart();
  await vi.waitFor(async () => expect((await cat.get("lava")).status).toBe(200), 10_000);
  await world.say(oneLine(LAVA, "after", "после перезапуска", { lastAtMs: Date.now() }));
  await page.getByRole("button", { name: /нажмите \./ }).waitFor();
  expect(
    faults.filter((fault) => !/WebSocket|ERR_CONNECTION|ERR_FAILED|Failed to load resource/.test(fault)),
  ).toEqual([]);
  await context.close();
});
