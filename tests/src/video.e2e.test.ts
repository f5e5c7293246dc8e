import { jetstream } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CLIPS_BUCKET, type Clip } from "@hypecast/contracts/clip.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { moments as found, type Moment } from "@hypecast/contracts/moment.ts";
import { sampleClips } from "../../web/src/routes/dev/parts/sample-video.ts";
import { axeFindings, launchBrowser, openPage, type Look } from "./browser.ts";
import { startWebGateway, untilNow, type WebGateway } from "./web-gateway.ts";
import { startWebVideo, type WebVideo } from "./web-video.ts";

let browser: Browser;
let gateway: WebGateway;
let video: WebVideo;
beforeAll(async () => {
  [browser, gateway] = await Promise.all([launchBrowser(), startWebGateway(10, true)]);
  video = await startWebVideo(gateway);
});
afterAll(async () => {
  await browser?.close();
  await video?.close();
  await gateway?.close();
});

const LIVE = "/live/pepel_lamp";
/** The sample's emotes have no images: the gateway says 404 or 502, the page shows their names. */
const NO_PICTURE = /Failed to load resource.*(?:404|502|400)/;

const playing = (page: Page): Promise<void> =>
  expect
    .poll(() => page.locator("video").evaluate((element: HTMLVideoElement) => element.currentTime))
    .toBeGreaterThan(0.3);
const time = (page: Page): Promise<number> =>
  page.locator("video").evaluate((element: HTMLVideoElement) => element.currentTime);

describe("every new route, in both languages, both themes, wide and narrow", () => {
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
      const problems: string[] = [];
      for (const route of [LIVE, "/clips", "/overlay", "/overlay/pepel_lamp"]) {
        await page.goto(gateway.url + route);
        await page.locator("h1, h2").first().waitFor({ state: "attached" });
        if (route === LIVE) await page.locator("video").waitFor();
        if (route.startsWith("/overlay")) await page.locator(".plate").first().waitFor();
        for (const theme of ["dark", "light"]) {
          await page.evaluate((name) => (document.documentElement.dataset["theme"] = name), theme);
          for (const finding of await axeFindings(page)) problems.push(`${route} ${theme} ${finding}`);
        }
        // Words for screen readers that escape their scrolled list would leave an empty tail.
        const tail = await page.evaluate(
          () => document.documentElement.scrollHeight - Math.max(document.body.scrollHeight, innerHeight),
        );
        expect(tail, "an empty tail below the page").toBeLessThanOrEqual(1);
        const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (beyond > 0) problems.push(`${route} is ${beyond} px too wide`);
      }
      expect(problems).toEqual([]);
      expect(faults).toEqual([]);
      await context.close();
    },
  );
});

test("the picture plays silently by itself, says that it is at the edge, and J, K, L and the timeline move it", async () => {
  const { page, context, faults } = await openPage(browser, gateway.url, {}, NO_PICTURE);
  await page.goto(gateway.url + LIVE);
  await playing(page);
  await page.getByText("у края эфира").waitFor();
  expect(await page.locator("video").evaluate((element: HTMLVideoElement) => element.muted)).toBe(true);

  await page.keyboard.press("k");
  await page.getByRole("button", { name: "Играть" }).waitFor();
  const paused = await time(page);
  await page.keyboard.press("j");
  await expect.poll(() => time(page)).toBeLessThan(paused - 8);
  // On a Russian keyboard the same key has another letter.
  await page.evaluate(() =>
    window.dispatchEvent(new KeyboardEvent("keydown", { key: "\u0434", code: "KeyL", bubbles: true })),
  );
  await expect.poll(() => time(page)).toBeGreaterThan(paused - 4);

  // What is kept stands at the right end of the timeline: a click there goes back in time, and chat goes with it.
  await page.getByRole("group", { name: "Сколько эфира видно" }).getByText("6 мин").click();
  const bar = await page.getByRole("slider", { name: /Тепловая полоса/ }).boundingBox();
  if (bar === null) throw new Error("the timeline has no place");
  await page.mouse.click(bar.x + bar.width * 0.8, bar.y + 30);
  await page.getByRole("button", { name: /К краю эфира/ }).waitFor();
  await page
    .locator(".chat")
    .getByText(/тогда, /)
    .waitFor();
  await page.keyboard.press("e");
  await page.getByText("у края эфира").waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("a person's ends stand: a later version of the moment does not move them, new ones wait behind a button", async () => {
  const { page, context, faults } = await openPage(browser, gateway.url, {}, NO_PICTURE);
  await page.goto(gateway.url + LIVE);
  await playing(page);
  await page.keyboard.press("n");
  const chosen = page.locator(".one.chosen");
  await chosen.waitFor();
  const start = chosen.getByRole("group", { name: "Начало" }).locator(".tc");
  const before = await start.innerText();
  await page.getByRole("button", { name: "Начало: +1 с" }).click();
  await expect.poll(() => start.innerText()).not.toBe(before);
  const moved = await start.innerText();
  await chosen.getByText("границы ваши").waitFor();

  const first = gateway.moments[0];
  if (first === undefined) throw new Error("the sample has no moments");
  const later: Moment = {
    ...first,
    version: 9,
    startMs: first.startMs - 9000,
    endMs: first.endMs + 9000,
    score: 97,
  };
  const fresh: Moment = { ...first, id: "1001:m:1", peakMs: Date.now(), score: 99 };
  await jetstream(gateway.nc).publish(subjectOf(found, "1001"), JSON.stringify([later, fresh]), {});
  await chosen.getByText("97", { exact: true }).waitFor();
  expect(await start.innerText()).toBe(moved);
  await page.getByRole("button", { name: "Новых: 1" }).waitFor();
  expect(await page.locator(".one").count()).toBe(gateway.moments.length);

  await page.keyboard.press("u");
  await expect.poll(() => start.innerText()).not.toBe(moved);
  expect(faults).toEqual([]);
  await context.close();
});

test("M marks the moment; C makes a clip of the chosen one, whose progress shows beside it and in the top bar", async () => {
  const { page, context, faults } = await openPage(browser, gateway.url, {}, NO_PICTURE);
  await page.goto(gateway.url + LIVE);
  await playing(page);
  await page.keyboard.press("m");
  await page.getByText("Момент отмечен").waitFor();

  await page.keyboard.press("n");
  await page.locator(".one.chosen").waitFor();
  const asked = page.waitForRequest(
    (request) => request.method() === "POST" && request.url().endsWith("/clips"),
  );
  await page.keyboard.press("c");
  const wish = (await asked).postDataJSON() as { layouts: string[]; cut: string; startMs: number };
  expect(wish).toMatchObject({ layouts: ["16:9", "9:16"], cut: "exact" });
  await page.locator(".one.chosen").getByText("в очереди").waitFor();
  await page.getByRole("link", { name: /задания/ }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("the clip dialog shows the upright picture, whose window covers the source and is dragged, and draws the camera once", async () => {
  const { page, context, faults } = await openPage(browser, gateway.url, {}, NO_PICTURE);
  await page.goto(gateway.url + LIVE);
  await playing(page);
  await page.keyboard.press("i");
  await page.keyboard.press("Shift+C");
  const dialog = page.getByRole("dialog", { name: "Клип: кадр, чат, вид" });
  await dialog.getByRole("button", { name: "Смотреть" }).nth(2).click();
  const crop = dialog.getByRole("slider", { name: "Окно 9:16" });
  const [window, source, stage] = await Promise.all(
    [crop, dialog.locator(".source"), dialog.locator(".stage canvas")].map((one) => one.boundingBox()),
  );
  if (window == null || source == null || stage == null) throw new Error("the dialog has no pictures");
  expect(window.height).toBeGreaterThan(source.height * 0.95);
  expect(stage.height).toBeLessThan(400);
  await page.mouse.move(window.x + window.width / 2, window.y + window.height / 2);
  await page.mouse.down();
  await page.mouse.move(source.x + source.width, window.y + window.height / 2);
  await page.mouse.up();
  expect(await crop.getAttribute("aria-valuenow")).toBe("100");

  await dialog.getByRole("button", { name: "Обвести камеру" }).click();
  await page.mouse.move(source.x + source.width * 0.1, source.y + source.height * 0.2);
  await page.mouse.down();
  await page.mouse.move(source.x + source.width * 0.3, source.y + source.height * 0.5);
  await page.mouse.up();
  await page.getByText("Запомнено для канала").waitFor();
  const drawn = await dialog.locator(".camera").boundingBox();
  expect((drawn?.width ?? 0) / source.width).toBeCloseTo(0.2, 1);
  expect(await axeFindings(page)).toEqual([]);
  expect(faults).toEqual([]);
  await context.close();
});

test("the gallery shows every state with what to do, filters by address, and follows the jobs", async () => {
  const clips = await new Kvm(gateway.nc).open(CLIPS_BUCKET);
  const sample = untilNow(sampleClips());
  for (const clip of sample) await clips.put(clip.id, JSON.stringify(clip));
  const { page, context, faults } = await openPage(browser, gateway.url, {}, NO_PICTURE);
  await page.goto(`${gateway.url}/clips`);
  const running = page.getByRole("article", { name: "Fell into the lava" });
  await running.getByText("63\u00a0%").waitFor();
  await running.getByText(/кодирую/).waitFor();
  await page.getByText("Диск заполнен. Удалите клипы и повторите.").waitFor();
  expect(await axeFindings(page)).toEqual([]);

  const done: Clip = {
    ...(sample[3] as Clip),
    ...(sample[0] as Clip),
    revision: 9,
    state: "ready",
    progress: 1,
    files: (sample[3] as Clip).files,
  };
  await clips.put(done.id, JSON.stringify(done));
  await running.getByRole("link", { name: "Скачать 16:9" }).waitFor();
  await page.getByText(/Клип готов, 24/).waitFor();

  await page.getByRole("button", { name: /Не вышло/ }).click();
  await page.waitForURL(/state=failed/);
  expect(await page.getByRole("article").count()).toBe(2);
  await page.goto(`${gateway.url}/clips?kind=cringe`);
  await page.getByRole("heading", { name: "Под эти фильтры ничего не подходит" }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("an overlay is transparent where it shows nothing, has no frame, and obeys its address", async () => {
  const { page, context, faults } = await openPage(browser, gateway.url, { width: 480 }, NO_PICTURE);
  await page.goto(`${gateway.url}/overlay/pepel_lamp?parts=meter&align=right&text=00ff00`);
  await page.locator(".plate.meter").waitFor();
  expect(await page.locator("nav, header").count()).toBe(0);
  const clear = await page.evaluate(() =>
    [document.documentElement, document.body].map((one) => getComputedStyle(one).backgroundColor),
  );
  expect(clear).toEqual(["rgba(0, 0, 0, 0)", "rgba(0, 0, 0, 0)"]);
  expect(await page.locator(".number").evaluate((one) => getComputedStyle(one).color)).toBe("rgb(0, 255, 0)");
  // Corner pixels of the picture itself: a PNG that begins with a filter byte 0 and four zero bytes has a clear first pixel.
  const alpha = await page.evaluate(
    async (png) => {
      const image = new Image();
      image.src = `data:image/png;base64,${png}`;
      await image.decode();
      const canvas = document.createElement("canvas");
      canvas.width = image.width;
      canvas.height = image.height;
      const pen = canvas.getContext("2d", { willReadFrequently: true });
      pen?.drawImage(image, 0, 0);
      return [2, image.width - 3].map((x) => pen?.getImageData(x, image.height - 3, 1, 1).data[3]);
    },
    (await page.screenshot({ omitBackground: true })).toString("base64"),
  );
  expect(alpha).toEqual([0, 0]);
  expect(faults).toEqual([]);
  await context.close();
});

test("without a picture the slot says what to do, and takes an address in place", async () => {
  const { page, context } = await openPage(browser, gateway.url, {}, /./);
  await video.state({ state: "off", oldestMs: null, newestMs: null });
  await page.goto(gateway.url + LIVE);
  await page.getByText("Картинки нет").waitFor();
  await page.getByRole("button", { name: "Подключить картинку" }).click();
  await page.getByLabel("Адрес плейлиста HLS (.m3u8)").fill("ftp://nowhere");
  await page.getByLabel("Адрес плейлиста HLS (.m3u8)").press("Enter");
  await page.getByRole("alert").waitFor();
  await video.state({});
  await playing(page);
  await context.close();
});
