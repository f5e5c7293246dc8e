import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { axeFindings, launchBrowser, openPage, type Look } from "./browser.ts";
import { startWebGateway, type WebGateway } from "./web-gateway.ts";
import { BUSY, startWebVods, WHOLE } from "./web-vods.ts";

let browser: Browser;
let gateway: WebGateway;
let vods: Awaited<ReturnType<typeof startWebVods>>;
beforeAll(async () => {
  [browser, gateway] = await Promise.all([launchBrowser(), startWebGateway(1, true)]);
  vods = await startWebVods(gateway.nc, 20);
});
afterAll(async () => {
  vods.close();
  await browser.close();
  await gateway.close();
});

const ORACLE = `/oracle?stream=${WHOLE}`;
const NO_PICTURE = /Failed to load resource.*(?:404|502|400|503)/;
const LAVA = "момент где он упал в лаву";
const GUITAR = "где он поёт под гитару";

const question = (page: Page) => page.getByRole("textbox", { name: /Вопрос|Question/ });
const places = (page: Page) => page.locator("article.hit");
async function ask(page: Page, text: string): Promise<void> {
  await question(page).fill(text);
  await question(page).press("Enter");
}
const clock = async (page: Page): Promise<string> =>
  (await page.locator(".stage .at").first().innerText()).split("/")[0]?.trim() ?? "";

describe("the oracle and the player, in both languages, both themes, wide and narrow", () => {
  const looks: Look[] = [
    { locale: "ru", width: 1440 },
    { locale: "en", width: 390 },
  ];
  test.concurrent.each(looks)("$locale at $width px: axe, policy, console, overflow", async (look) => {
    const { page, context, faults } = await openPage(browser, gateway.url, look, NO_PICTURE);
    const found: string[] = [];
    const look1 = async (what: string): Promise<void> => {
      await page.evaluate(() => document.fonts.ready);
      for (const theme of ["dark", "light"]) {
        await page.evaluate((name) => (document.documentElement.dataset["theme"] = name), theme);
        for (const finding of await axeFindings(page)) found.push(`${what} ${theme} ${finding}`);
      }
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (beyond > 0) found.push(`${what} is ${beyond} px too wide`);
      const words = await page.evaluate(() =>
        [...document.querySelectorAll("button.btn, h1, h2, .segment button, .chip b, kbd")]
          .map((one) => one.textContent)
          .filter((text) => /[а-яё]/i.test(text ?? "") && !/Пепельный|Лавовый|Попытка|Босс/.test(text ?? ""))
          .join(),
      );
      if (look.locale === "en" && words !== "")
        found.push(`${what}: Russian words on an English page: ${words}`);
    };
    await page.goto(`${gateway.url}/oracle`);
    await page.getByRole("heading", { name: /Где искать|Where to look/ }).waitFor();
    await look1("nothing asked");
    await page.goto(gateway.url + ORACLE);
    await ask(page, LAVA);
    await places(page).nth(2).waitFor();
    await page.locator(".lens .clip").waitFor();
    await look1("found");
    await ask(page, GUITAR);
    await page.getByRole("heading", { name: /Не найдено|Not found/ }).waitFor();
    await look1("not found");
    await page.goto(`${gateway.url}/vod/${WHOLE}?t=4350`);
    await page.getByRole("log").getByText("лол").first().waitFor();
    await look1("player");
    expect(found).toEqual([]);
    expect(faults).toEqual([]);
    await context.close();
  });
});

test("a question becomes places, each a second of the stream with its lines; one is played and taken home", async () => {
  const { page, context, faults } = await openPage(browser, gateway.url, {}, NO_PICTURE);
  await page.goto(`${gateway.url}/library`);
  await page.getByRole("link", { name: "Пепельный замок, попытка 27" }).first().click();
  await page.waitForURL(`${gateway.url}/vod/${WHOLE}`);
  await page.getByRole("link", { name: "Спросить" }).click();
  await page.waitForURL(gateway.url + ORACLE);
  // The bar says which stream is asked, though another page has just left it.
  await page.locator("header").getByText("Пепельный замок, попытка 27").waitFor();
  await ask(page, LAVA);
  await places(page).nth(2).waitFor();
  const first = places(page).first();
  expect(await first.innerText()).toMatch(/1:12:38\s+± 2 с\s+точно · 0,91/);
  expect(await first.locator(".quote").first().innerText()).toMatch(
    /1:12:43\s+.*ОН В ЛАВЕ и ещё 136 похожих/s,
  );
  expect(await first.locator("mark").first().innerText()).toBe("ЛАВЕ");
  await page.getByText("Это сами строки чата").waitFor();
  // The player stands at the place before anybody has touched it.
  await expect.poll(() => clock(page)).toBe("1:12:38");

  // By keys: the next place plays; space holds it; the question stays.
  await page.keyboard.press("n");
  await expect.poll(() => clock(page)).toMatch(/^1:38:2[3-9]$/);
  await page.getByRole("button", { name: "Пауза" }).waitFor();
  await page.keyboard.press("Space");
  await page
    .getByRole("button", { name: "Играть" })
    .or(page.getByRole("button", { name: /Воспроизвести|Смотреть/ }))
    .first()
    .waitFor();
  expect(await question(page).inputValue()).toBe(LAVA);
  expect(new URL(page.url()).searchParams.get("hit")).toBe("2");

  // All of it stands in the address.
  await page.reload();
  await places(page).nth(2).waitFor();
  expect(await page.locator("article.hit[aria-current]").innerText()).toContain("1:38:26");

  // The range by keys, then the clip.
  await page.keyboard.press("p");
  // The range is the place's that is current: a key before that would move the other one's.
  await page.locator("article.hit[aria-current]").filter({ hasText: "1:12:38" }).waitFor();
  await page.getByRole("slider", { name: "Начало отрезка" }).press("Shift+ArrowLeft");
  await places(page)
    .first()
    .getByRole("button", { name: /Клип 0:36/ })
    .click();
  await page.getByRole("status").getByText("Клип из одного чата на 36 с делается").waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("what does not fit is said, what is not there is not invented, and a conversation goes on", async () => {
  const { page, context, faults } = await openPage(browser, gateway.url, {}, NO_PICTURE);
  await page.goto(gateway.url + ORACLE);
  await ask(page, LAVA);
  await places(page).nth(2).waitFor();
  await page.getByRole("button", { name: "а следующий раз?" }).waitFor();
  await places(page).first().getByRole("button", { name: "Не то" }).click();
  await page.locator("article.hit.rejected").waitFor();
  expect(await page.locator("article.hit[aria-current]").innerText()).toContain("1:38:26");
  await page.getByRole("button", { name: "а следующий раз?" }).click();
  await page.getByText("В следующий раз — на боссе.").waitFor();
  expect(await places(page).count()).toBe(1);
  await page.getByText(`До этого: «${LAVA}»`).waitFor();

  await ask(page, GUITAR);
  await page.getByText("Лучшее совпадение 0,21, нужно 0,45.").waitFor();
  await page.getByRole("button", { name: "Место 1, 1:30:20" }).click();
  await expect.poll(() => clock(page)).toMatch(/^1:30:(?:1|2)/);
  await page.getByRole("button", { name: "Искать по всему каналу pepel_lamp" }).waitFor();

  await page.getByRole("button", { name: `До этого: «${LAVA}»` }).click();
  await places(page).nth(2).waitFor();
  await page.getByRole("checkbox").nth(0).check();
  await page.getByRole("checkbox").nth(1).check();
  await page.getByRole("group", { name: "Подборка" }).getByText("Выбрано 2 места").waitFor();
  await page.getByRole("button", { name: "Один фильм" }).click();
  await page.getByRole("status").getByText("Фильм из выбранных мест делается").waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("a stream is replayed by its chat: keys, search, a stream beside it; what is still being read says so", async () => {
  const { page, context, faults } = await openPage(browser, gateway.url, {}, NO_PICTURE);
  await page.goto(`${gateway.url}/vod/${WHOLE}?t=4350`);
  await expect.poll(() => clock(page)).toBe("1:12:30");
  await page.keyboard.press("l");
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => clock(page)).toBe("1:12:45");
  await page.getByRole("log").getByText("ОН В ЛАВЕ").first().waitFor();
  await page.keyboard.press("Period");
  await page.getByRole("button", { name: "Скорость ×1,5" }).waitFor();
  await page.keyboard.press("BracketLeft");
  await page.getByRole("slider", { name: "Конец отрезка" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("p");
  await expect.poll(() => clock(page)).toMatch(/^1:12:3/);
  await page.keyboard.press("Slash");
  await page.keyboard.type("лава");
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "Искать в чате записи" }).getByText("5 строк, по порядку").waitFor();
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Рядом", exact: true }).click();
  await page.getByRole("button", { name: /Speedrun practice/ }).click();
  await page.waitForURL(/with=_mi1aaaaaheadless00&align=start/);
  await page.getByRole("button", { name: "лучшему моменту" }).click();
  await page.waitForURL(/align=event/);
  const clocks = page.locator(".stage .at");
  await expect
    .poll(async () => {
      const [one, other] = await clocks.allInnerTexts();
      return one?.slice(0, 6) === other?.slice(0, 6);
    })
    .toBe(true);

  await page.goto(`${gateway.url}/vod/${BUSY}`);
  await page.locator("header").getByText("искать можно до 1:05:00").waitFor();
  await page.goto(`${gateway.url}/vod/_mi1aaaaaaaaaaaaaaa`);
  await page.getByRole("heading", { name: "Такой записи нет" }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});
