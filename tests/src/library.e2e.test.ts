import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { axeFindings, launchBrowser, openPage } from "./browser.ts";
import { startWebGateway, type WebGateway } from "./web-gateway.ts";
import { startWebImports } from "./web-imports.ts";
import { startWebVods, WHOLE } from "./web-vods.ts";

let browser: Browser;
let gateway: WebGateway;
let stops: { close(): void }[];
beforeAll(async () => {
  [browser, gateway] = await Promise.all([launchBrowser(), startWebGateway(1, true)]);
  stops = [await startWebVods(gateway.nc, 20), await startWebImports(gateway.nc, 120)];
});
afterAll(async () => {
  for (const one of stops) one.close();
  await browser.close();
  await gateway.close();
});

const card = (page: Page, name: string | RegExp) => page.getByRole("article", { name });
/** As a person lets files go over the page; `hold` keeps them in the air. */
const drop = (page: Page, files: readonly (readonly [name: string, text: string])[], hold = false) =>
  page.evaluate(
    ([files, hold]) => {
      const data = new DataTransfer();
      for (const [name, text] of files) data.items.add(new File([text], name));
      const send = (type: string): boolean =>
        window.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
      send("dragenter");
      if (!hold) send("drop");
    },
    [files, hold] as const,
  );

test("the library in both languages and themes, wide and narrow: axe, policy, console, overflow", async () => {
  const found: string[] = [];
  for (const look of [{ locale: "ru", width: 1440 } as const, { locale: "en", width: 390 } as const]) {
    const { page, context, faults } = await openPage(browser, gateway.url, look);
    const check = async (what: string): Promise<void> => {
      await page.evaluate(() => document.fonts.ready);
      for (const theme of ["dark", "light"]) {
        await page.evaluate((name) => (document.documentElement.dataset["theme"] = name), theme);
        for (const finding of await axeFindings(page)) found.push(`${what} ${theme} ${finding}`);
      }
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (beyond > 0) found.push(`${what} is ${beyond} px too wide`);
    };
    await page.goto(`${gateway.url}/library`);
    await card(page, "Charity night with Sonya").waitFor();
    await check("cards");
    if (look.width < 500) {
      const small = await page.evaluate(() =>
        [...document.querySelectorAll("main button, main .btn, main select, main input:not([type=file])")]
          .filter((one) => one.getClientRects().length > 0 && !one.matches(".chip"))
          .filter((one) => one.getBoundingClientRect().height < 40)
          .map((one) => one.outerHTML.slice(0, 120)),
      );
      expect(small).toEqual([]);
    }
    await page.getByRole("button", { name: /^(?:Добавить запись|Add a stream)/ }).click();
    await page.locator("dialog[open] input[type=file]").setInputFiles([
      { name: "evening.json", mimeType: "application/json", buffer: Buffer.from("[]") },
      { name: "capture.mp4", mimeType: "video/mp4", buffer: Buffer.from("-") },
      { name: "odd.bin", mimeType: "", buffer: Buffer.from("-") },
    ]);
    await page.getByText(/Одна запись или несколько|One stream or several/).waitFor();
    await check("adding");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: /12 (?:плохих строк|bad lines)/ }).click();
    await page.getByRole("table").waitFor();
    await check("details");
    await page.goto(`${gateway.url}/library?status=error&text=nothing%20like%20it`);
    await page.getByText(/(?:6 записей скрыто|6 streams are hidden)/).waitFor();
    await check("nothing matches");
    expect(faults).toEqual([]);
    await context.close();
  }
  expect(found).toEqual([]);
});

test("chat files are dropped, uploaded, read and asked about; what cannot be read says why", async () => {
  const { page, context, faults } = await openPage(browser, gateway.url);
  await page.goto(`${gateway.url}/library`);
  await card(page, "Charity night with Sonya").waitFor();
  const line = '{"time":1,"name":"anna","text":"лава"}\n';
  const files = [
    ["evening-castle.ndjson", line.repeat(20_000)],
    ["bad.json", "nothing of ours"],
  ] as const;
  await drop(page, files, true);
  await page.getByText("Отпустите, чтобы добавить").waitFor();
  await drop(page, files);
  const busy = card(page, "evening-castle.ndjson");
  // Both stand there only until all of it is read: neither is waited for behind the other.
  const question = busy.getByRole("link", { name: "Спросить эту часть" });
  const [address] = await Promise.all([
    question.getAttribute("href"),
    busy.getByText("Уже работает").waitFor({ state: "attached" }),
  ]);
  expect(address).toMatch(/^\/oracle\?stream=_\w{18}$/);
  await page.getByRole("status").getByText("Запись готова: evening-castle.ndjson").waitFor();
  await busy.getByText("41 208 сообщений").waitFor();
  const bad = card(page, "bad.json");
  await bad.getByText("Это не файл чата").waitFor();
  await bad.getByRole("button", { name: "Повторить: Разбор" }).waitFor();

  // What has become ready is asked.
  await busy.getByRole("button", { name: "Ещё о записи evening-castle.ndjson" }).click();
  await busy.locator("a[href^='/oracle']:focus").waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/oracle\?stream=_/);
  await page.getByRole("textbox", { name: "Вопрос" }).fill("момент где он упал в лаву");
  await page.keyboard.press("Enter");
  await page.locator("article.hit").nth(2).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("a link twice is one stream; a chat and a video apart are asked about; the keyboard alone suffices", async () => {
  const { page, context, faults } = await openPage(browser, gateway.url);
  await page.goto(`${gateway.url}/library`);
  await card(page, "Charity night with Sonya").waitFor();
  const paste = (): Promise<void> =>
    page.evaluate(() => {
      const data = new DataTransfer();
      data.setData("text", "twitch.tv/videos/1201462028");
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
    });
  await paste();
  await page.getByText("Видео Twitch.").waitFor();
  await page.getByRole("textbox", { name: "Название", exact: true }).fill("Пасхальный забег");
  await page.keyboard.press("Enter");
  await card(page, "Пасхальный забег").waitFor();
  await paste();
  // The dialog has it: before that Enter is nobody's.
  await page.getByText("Видео Twitch.").waitFor();
  await page.keyboard.press("Enter");
  await page.getByText("Это уже есть здесь: «Пасхальный забег»").waitFor();
  await page.getByRole("button", { name: "Закрыть" }).first().click();

  await drop(page, [
    ["evening.json", "[]"],
    ["capture.mp4", "-"],
  ]);
  await page.getByText("Одна запись или несколько?").waitFor();
  await page.getByRole("button", { name: "Одна запись с capture.mp4" }).click();
  await page.getByRole("button", { name: "Две записи" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });

  // U, a link that is none, and out again.
  await page.keyboard.press("u");
  await page.getByRole("dialog", { name: "Добавить запись" }).waitFor();
  await page.keyboard.type("просто слова");
  await page.keyboard.press("Enter");
  await page.getByText("Это не ссылка.").waitFor();
  await page.keyboard.press("Escape");

  // Filters stand in the address, and a question goes to the oracle.
  await page.getByRole("button", { name: /^Не вышло/ }).click();
  await page.waitForURL(/\/library\?status=error$/);
  await card(page, "Пасхальный забег").waitFor({ state: "detached" });
  await page.keyboard.press("c");
  await page.waitForURL(/\/library$/);
  await page.keyboard.press("Slash");
  await page.keyboard.type("когда чат взорвался");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/oracle\?/);
  expect(faults).toEqual([]);
  await context.close();
});

test("a stream is renamed, its import stopped and gone on with, and deleted after a word about what goes", async () => {
  const { page, context, faults } = await openPage(browser, gateway.url);
  await page.goto(`${gateway.url}/library`);
  const stopped = card(page, "Talk and tea, no game");
  await stopped.getByText("Остановлена").waitFor();
  await stopped.getByRole("button", { name: /^Ещё о записи/ }).click();
  await page.getByRole("button", { name: "Переименовать" }).click();
  await page.getByRole("textbox", { name: "Название", exact: true }).fill("Чай и разговоры");
  await page.keyboard.press("Enter");
  const renamed = card(page, "Чай и разговоры");
  await renamed.waitFor();

  const twice = card(page, "castle-27 (1).json");
  expect(await twice.getByRole("link", { name: "Открыть" }).getAttribute("href")).toBe(`/vod/${WHOLE}`);
  await twice.getByRole("button", { name: "Удалить эту" }).click();
  await page.getByText("Исчезнут её чат").waitFor();
  await page.getByRole("button", { name: "Удалить", exact: true }).click();
  await twice.waitFor({ state: "detached" });

  // The gateway goes and comes back: what stands there stays, and says that it may be old. (A pointer over a link would ask for its page.)
  await page.mouse.move(1, 1);
  await gateway.kill();
  await page
    .getByText(/Списку \d+ с|пока без новостей/)
    .first()
    .waitFor();
  await renamed.waitFor();
  await gateway.start();
  await page.getByText("пока без новостей").first().waitFor({ state: "detached" });
  expect(faults.filter((fault) => !/WebSocket|ERR_CONNECTION|Failed to load resource/.test(fault))).toEqual(
    [],
  );
  await context.close();
});

test("clips of streams: a batch stands together, a film says of how many places, chat alone is named so", async () => {
  const { page, context, faults } = await openPage(browser, gateway.url);
  const part = (fromS: number) => ({ stream: WHOLE, fromS, toS: fromS + 20 });
  for (const as of ["clips", "film"])
    await page.request.post(`${gateway.url}/api/v1/render`, {
      data: { parts: [part(4350), part(5900), part(2250)], as, title: as === "film" ? "Лучшее" : "" },
    });
  await page.goto(`${gateway.url}/clips?channel=${WHOLE}`);
  const batch = page.getByRole("region", { name: "Подборка из 3 клипов" });
  await batch.getByText("3 из 3").first().waitFor();
  expect(await batch.getByRole("article").allInnerTexts()).toEqual(
    [1, 2, 3].map((n) => expect.stringMatching(new RegExp(`${n} из 3[^]*только чат`))),
  );
  const film = page.getByRole("article", { name: "Лучшее" });
  await film.getByText("фильм из 3 мест").waitFor();
  await film.getByRole("link", { name: "Пепельный замок, попытка 27" }).waitFor();
  expect(await axeFindings(page)).toEqual([]);
  await page.getByLabel("Из чего сделан").selectOption("film");
  await page.waitForURL(/made=film/);
  await batch.waitFor({ state: "detached" });
  expect(faults).toEqual([]);
  await context.close();
});
