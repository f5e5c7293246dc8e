import { connect, createServer, type Socket } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { axeFindings, launchBrowser, openPage, type Look } from "./browser.ts";
import { freePort } from "./servers.ts";
import { startWebGateway, type WebGateway } from "./web-gateway.ts";

let browser: Browser;
let gateway: WebGateway;
beforeAll(async () => {
  [browser, gateway] = await Promise.all([launchBrowser(), startWebGateway()]);
});
afterAll(async () => {
  await browser.close();
  await gateway.close();
});

const LIVE = "/live/pepel_lamp";
/** The sample's emotes have no images: the gateway says 404 or 502, the page shows their names. */
const NO_PICTURE = /Failed to load resource.*(?:404|502|400)/;
/** A killed gateway is an error in the console by Chromium's own hand. */
const NO_SERVER = /WebSocket connection|ERR_CONNECTION|Failed to load resource|WebSocket is closed/;

const meter = (page: Page) => page.getByRole("meter");
async function meterIs(page: Page, state: string): Promise<void> {
  await page.locator(`[role=meter][data-state=${state}]`).waitFor();
}

describe("every route, in both languages, both themes, wide and narrow", () => {
  const looks: Look[] = [
    { locale: "ru", width: 1440 },
    { locale: "en", width: 1440 },
    { locale: "ru", width: 390 },
    { locale: "en", width: 390 },
  ];
  // Two cores look at two pages in the time of one.
  test.concurrent.each(looks)(
    "$locale at $width px: axe, policy, console, requests, overflow",
    async (look) => {
      const { page, context, faults } = await openPage(browser, gateway.url, look, NO_PICTURE);
      const found: string[] = [];
      for (const route of [LIVE, "/", "/system", "/dev/parts"]) {
        await page.goto(gateway.url + route);
        if (route === LIVE) await meterIs(page, "live");
        await page.locator("h1, h2").first().waitFor({ state: "attached" });
        await page.evaluate(() => document.fonts.ready);
        for (const theme of ["dark", "light"]) {
          await page.evaluate((name) => (document.documentElement.dataset["theme"] = name), theme);
          for (const finding of await axeFindings(page)) found.push(`${route} ${theme} ${finding}`);
        }
        // Words for screen readers that escape their scrolled list would leave an empty tail.
        const tail = await page.evaluate(
          () => document.documentElement.scrollHeight - Math.max(document.body.scrollHeight, innerHeight),
        );
        expect(tail, "an empty tail below the page").toBeLessThanOrEqual(1);
        const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (beyond > 0) found.push(`${route} is ${beyond} px too wide`);
        const cyrillic =
          look.locale === "en" &&
          (await page.evaluate(() =>
            /[а-яё]/i.test(
              [...document.querySelectorAll("button, h1, h2, h3, label, .chip, dt")]
                .map((one) => one.textContent)
                .filter((text) => !text?.includes("мы — лава") && !text?.includes("Рус"))
                .join(),
            ),
          ));
        if (cyrillic) found.push(`${route}: Russian words on an English page`);
      }
      expect(found).toEqual([]);
      expect(faults).toEqual([]);
      await context.close();
    },
  );
});

test("each state of the live screen is clean too, and has words of its own", async () => {
  const { page, context, faults } = await openPage(browser, gateway.url, {}, NO_PICTURE);
  const said = new Set<string>();
  for (const state of [
    "stale",
    "reconnecting",
    "warming",
    "sparse",
    "capped",
    "error",
    "empty",
    "waiting",
    "not_watched",
    "paused",
    "refused",
    "unreachable",
    "history",
  ]) {
    await page.goto(`${gateway.url}/dev/parts?screen=${state}`);
    await page.locator("main h2").first().waitFor({ state: "attached" });
    expect([state, await axeFindings(page)]).toEqual([state, []]);
    said.add(await page.locator(".told, .screen, .instruments .chip.watch").first().innerText());
    // Something can be done about it.
    expect(await page.locator("main").locator("a, button").count()).toBeGreaterThan(0);
  }
  // "empty" is a meter that is warming.
  expect(said.size).toBe(12);
  expect(faults).toEqual([]);
  await context.close();
});

test("the live page shows the ticks and says how old they are", async () => {
  const { page, context, faults } = await openPage(
    browser,
    gateway.url,
    { reducedMotion: false },
    NO_PICTURE,
  );
  await page.goto(gateway.url + LIVE);
  await meterIs(page, "live");
  expect(await meter(page).getAttribute("aria-valuetext")).toBe("78 из 100, горячо");
  gateway.tick({ value: 31, messagesPerMin: 205, messagesTimes: 0.8 });
  await page.locator("[role=meter][aria-valuenow='31']").waitFor();
  expect(await page.locator(".facts dd").first().innerText()).toMatch(/205\s+×0,8/);
  expect(await page.locator("header .chip.ok").innerText()).toMatch(/^В эфире\s*данным\s*\d,\d\sс$/);
  gateway.tick({});
  expect(faults).toEqual([]);
  await context.close();
});

test("without ticks the value turns grey with its age after five seconds, and is live again with the next", async () => {
  const { page, context } = await openPage(browser, gateway.url, {}, NO_PICTURE);
  await page.goto(gateway.url + LIVE);
  await meterIs(page, "live");
  gateway.tick(null);
  await meterIs(page, "stale");
  expect(await meter(page).innerText()).toMatch(/78\s+\d+ с назад/);
  expect(await page.locator("header .chip.watch").first().innerText()).toMatch(/Данным \d+ с/);
  gateway.tick({});
  await meterIs(page, "live");
  await context.close();
});

test("a gateway that dies and returns with another epoch heals the open tab, without a reload", async () => {
  const { page, context, faults } = await openPage(
    browser,
    gateway.url,
    {},
    new RegExp(`${NO_SERVER.source}|${NO_PICTURE.source}`),
  );
  await page.goto(gateway.url + LIVE);
  await meterIs(page, "live");
  await page.evaluate(() => ((globalThis as Record<string, unknown>)["sameTab"] = true));
  await gateway.kill();
  await meterIs(page, "reconnecting");
  expect(await page.getByRole("button", { name: "Подключиться сейчас" }).isVisible()).toBe(true);
  await gateway.start();
  gateway.tick({ value: 44 });
  await page.locator("[role=meter][data-state=live][aria-valuenow='44']").waitFor();
  expect(await page.evaluate(() => (globalThis as Record<string, unknown>)["sameTab"])).toBe(true);
  gateway.tick({});
  expect(faults).toEqual([]);
  await context.close();
});

test("a socket that stalls shows old data as old, and goes on where the present is", async () => {
  const slow = await slowProxy(Number(new URL(gateway.url).port));
  const origin = `http://127.0.0.1:${slow.port}`;
  const { page, context } = await openPage(browser, origin, {}, NO_PICTURE);
  await page.goto(origin + LIVE);
  await meterIs(page, "live");
  slow.stall(true);
  await meterIs(page, "stale");
  gateway.tick({ value: 12 });
  slow.stall(false);
  await page.locator("[role=meter][data-state=live][aria-valuenow='12']").waitFor();
  gateway.tick({});
  await context.close();
  slow.close();
});

test("by keyboard alone: skip link, help from the bindings, heatmap, moment, table, chat pause", async () => {
  const { page, context, faults } = await openPage(browser, gateway.url, {}, NO_PICTURE);
  await page.goto(gateway.url + LIVE);
  await meterIs(page, "live");
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("К содержимому");

  await page.keyboard.press("Shift+Slash");
  const help = page.getByRole("dialog", { name: "Клавиши" });
  await help.waitFor();
  const keys = await help.locator("dt").allInnerTexts();
  expect(keys.map((text) => text.replace(/\s+/g, " ").trim())).toEqual([
    ...["M", "J", "K", "L", "←", "→", "E", "F", "V", "N", "P", "I", "O", "C", "Enter", "X"],
    ...["⇧ C", "Esc", "B", "⇧ B", "S", "Z", "⇧ Z", "T", "⇧ P"],
    ...[
      "?",
      "G затем H",
      "G затем L",
      "G затем M",
      "G затем C",
      "G затем V",
      "G затем A",
      "G затем O",
      "G затем S",
    ],
    ...["U", "/", "⇧ D", "⇧ L"],
  ]);
  await page.keyboard.press("Escape");

  const slider = page.getByRole("slider", { name: /Тепловая полоса/ });
  await slider.waitFor();
  await page.keyboard.press("s");
  expect(await slider.evaluate((element) => element === document.activeElement)).toBe(true);
  const before = Number(await slider.getAttribute("aria-valuenow"));
  await page.keyboard.press("PageDown");
  await page.keyboard.press("ArrowLeft");
  await expect.poll(async () => Number(await slider.getAttribute("aria-valuenow"))).toBe(before - 11);
  expect(await slider.getAttribute("aria-valuetext")).toMatch(
    /^1:\d\d:\d\d, \d+ сообщений в минуту, хайп \d+$/,
  );
  await page.keyboard.press("Enter");
  await page.locator(".moment").getByText("ОН В ЛАВЕ").waitFor();

  await page.keyboard.press("t");
  const table = page.getByRole("dialog", { name: "Таблица" });
  await table.getByRole("row").nth(20).waitFor();
  expect(await table.getByRole("row").nth(1).innerText()).toMatch(/\+15 мин\s+прогноз\s+300/);
  await page.keyboard.press("Escape");

  await page.keyboard.press("Shift+P");
  await page.getByRole("button", { name: /Продолжить/ }).waitFor();
  await page.keyboard.press("Shift+P");

  await page.locator(".meter .label button").focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Shift+Tab");
  await page.getByRole("tooltip").getByText("50 — его обычная минута").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("tooltip").waitFor({ state: "hidden" });

  await page.keyboard.press("g");
  await page.keyboard.press("h");
  await page.waitForURL(`${gateway.url}/`);
  expect(faults).toEqual([]);
  await context.close();
});

test("channels: a wrong name is told in place, a link is taken, removing can be undone, pausing shows", async () => {
  const { page, context, faults } = await openPage(browser, gateway.url, {}, NO_PICTURE);
  await page.goto(gateway.url);
  const field = page.getByRole("textbox", { name: "Имя канала или ссылка на Twitch" });
  await field.fill("не канал");
  await field.press("Enter");
  await page.getByRole("alert").getByText("Это не похоже на канал").waitFor();
  await field.fill("pepel_lamp");
  await page.getByRole("alert").getByText("pepel_lamp уже в списке").waitFor();

  await field.fill("https://www.twitch.tv/NightFern?x=1");
  await field.press("Enter");
  const card = page.getByRole("article").filter({ has: page.getByRole("link", { name: "nightfern" }) });
  await card.getByText("Ждём источник").waitFor();

  await card.getByRole("button", { name: "Приостановить nightfern" }).click();
  await card.getByText("На паузе").waitFor();
  await card.getByRole("button", { name: "Убрать nightfern" }).click();
  await card.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Отменить" }).click();
  await card.getByText("На паузе").waitFor();
  await card.getByRole("button", { name: "Убрать nightfern" }).click();
  await card.waitFor({ state: "detached" });
  expect(faults).toEqual([]);
  await context.close();
});

test("a channel that nobody watches is a page that says so and offers to", async () => {
  const { page, context } = await openPage(browser, gateway.url, { locale: "en" }, NO_PICTURE);
  await page.goto(`${gateway.url}/live/somebody_else`);
  await page.getByRole("heading", { name: "somebody_else is not watched" }).waitFor();
  await page.getByRole("button", { name: "Watch somebody_else" }).waitFor();
  await context.close();
});

/** A wire between page and gateway that can be held: what was sent waits, nothing is lost. */
async function slowProxy(to: number): Promise<{ port: number; stall(on: boolean): void; close(): void }> {
  const pairs = new Set<[Socket, Socket]>();
  const server = createServer((near) => {
    const far = connect(to, "127.0.0.1");
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    near.pipe(far);
    far.pipe(near);
    const end = (): void => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const side of pair) side.on("error", end).on("close", end);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    port,
    stall(on) {
      for (const [near, far] of pairs) {
        if (on) {
          far.unpipe(near);
          far.pause();
        } else far.pipe(near);
      }
    },
    close() {
      for (const pair of pairs) for (const side of pair) side.destroy();
      server.close();
    },
  };
}
