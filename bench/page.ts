// What the live screen costs the machine that shows it: processor at 20 ticks a second, script bytes, first paint; then the same with a
// picture that plays at the edge (640×360, 25 frames a second, decoded by the processor). Headless Chromium without a GPU, so pixels are
// drawn by the processor too: that share stands apart as "gpuProcess".
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { chatLines, packLines, type ChatLine } from "@hypecast/contracts/chat.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { launchBrowser, openPage } from "@hypecast/tests/browser.ts";
import { startWebGateway, type WebGateway } from "@hypecast/tests/web-gateway.ts";
import { startWebVideo } from "@hypecast/tests/web-video.ts";

const TICKS_PER_S = 20;
const CHAT_LINES_PER_S = 15;
const SECONDS = 12;
const PAINTS = 5;
const GOALS = { corePercent: 20, scriptKb: 200, paintMs: 600 };
const LIVE = "/live/pepel_lamp";
const CHANNEL_ID = "1001";

const build = join(import.meta.dirname, "../web/build");
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const round = (x: number, digits = 1): number => Math.round(x * 10 ** digits) / 10 ** digits;

const gateway = await startWebGateway(TICKS_PER_S);
const browser = await launchBrowser();
// A value that never rests: the meter and the charts have something to draw at every tick.
let ticks = 0;
const moving = setInterval(() => {
  ticks += 1;
  const wave = Math.sin(ticks / 7) * 30;
  gateway.tick({
    value: 55 + wave,
    messagesPerMin: Math.round(500 + wave * 5),
    chattersPerMin: Math.round(200 + wave),
  });
}, 1000 / TICKS_PER_S);
const talking = setInterval(
  () => gateway.nc.publish(subjectOf(chatLines, CHANNEL_ID), packLines([line(), line(), line()])),
  3000 / CHAT_LINES_PER_S,
);

let lines = 0;
function line(): ChatLine {
  lines += 1;
  const nowMs = Date.now();
  return {
    id: `bench-${lines}`,
    channelId: CHANNEL_ID,
    sentAtMs: nowMs,
    receivedAtMs: nowMs,
    userId: String(lines % 300),
    login: `viewer_${lines % 300}`,
    text: `line ${lines} of somebody who saw the jump`,
  };
}

const live = await cost(browser, gateway, async (page) => {
  await page.goto(gateway.url + LIVE);
  await page.locator("[role=meter][data-state=live]").waitFor();
  await page.locator(".chat li").first().waitFor();
});
/** The limit: the same websocket and topics, every message parsed, nothing shown. */
const empty = await cost(browser, gateway, async (page) => {
  await page.goto(`${gateway.url}/theme.js`);
  await page.evaluate((channel) => {
    const socket = new WebSocket(`ws://${location.host}/ws`);
    const state = globalThis as unknown as { seen: number };
    state.seen = 0;
    socket.addEventListener("message", (event) => {
      const messages = JSON.parse(String(event.data)) as { op?: string }[];
      state.seen += messages.length;
      if (messages[0]?.op !== "hello") return;
      for (const ch of ["channels", "sys", `live:${channel}`, `events:${channel}`, `chat:${channel}`])
        socket.send(JSON.stringify({ op: "sub", ch }));
    });
  }, "pepel_lamp");
  await page.waitForFunction(() => (globalThis as unknown as { seen: number }).seen > 20);
});
const { paintMs, meterMs, requests } = await firstVisit(browser, gateway);
const video = await startWebVideo(gateway);
const scripts = new Set<string>();
const pictured = await cost(browser, gateway, async (page) => {
  page.on("request", (request) => {
    if (request.resourceType() === "script") scripts.add(new URL(request.url()).pathname);
  });
  await page.goto(gateway.url + LIVE);
  await page.locator("[role=meter][data-state=live]").waitFor();
  await page.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 1);
});
// With the player's library, which only a page with a picture loads.
const scriptKb = round(
  [...scripts].reduce((sum, path) => sum + statSync(join(build, `${path}.br`)).size, 0) / 1024,
);
await video.close();

clearInterval(moving);
clearInterval(talking);
await browser.close();
await gateway.close();

console.log(
  JSON.stringify({
    bench: "page",
    figures: {
      ticksPerS: TICKS_PER_S,
      chatLinesPerS: CHAT_LINES_PER_S,
      rendererPercentOfCore: live.renderer,
      mainThreadPercent: live.mainThread,
      gpuProcessPercentOfCore: live.gpu,
      emptyRendererPercentOfCore: empty.renderer,
      emptyGpuProcessPercentOfCore: empty.gpu,
      heapMb: live.heapMb,
      videoRendererPercentOfCore: pictured.renderer,
      videoMainThreadPercent: pictured.mainThread,
      videoGpuProcessPercentOfCore: pictured.gpu,
      videoHeapMb: pictured.heapMb,
      scriptKbBr: scriptKb,
      requests,
      firstPaintMs: paintMs,
      meterShownMs: meterMs,
    },
    ratios: {
      "live page ÷ empty page with the same websocket": round(live.renderer / Math.max(0.1, empty.renderer)),
    },
    meets: {
      [`≤ ${GOALS.corePercent} % of a core`]: live.renderer <= GOALS.corePercent,
      [`≤ ${GOALS.scriptKb} KB br`]: scriptKb <= GOALS.scriptKb,
      [`first paint ≤ ${GOALS.paintMs} ms`]: paintMs <= GOALS.paintMs,
    },
  }),
);

/** Percent of one core over SECONDS: the page's renderer process with all its threads, its main thread, and the process that draws. */
async function cost(
  browser: Browser,
  gateway: WebGateway,
  prepare: (page: Page) => Promise<void>,
): Promise<{ renderer: number; mainThread: number; gpu: number; heapMb: number }> {
  const { page, context } = await openPage(browser, gateway.url, { reducedMotion: false });
  await prepare(page);
  await pause(2000);
  const whole = await browser.newBrowserCDPSession();
  const own = await context.newCDPSession(page);
  await own.send("Performance.enable");
  const used = async (type: string): Promise<number> => {
    const { processInfo } = await whole.send("SystemInfo.getProcessInfo");
    return processInfo.filter((one) => one.type === type).reduce((sum, one) => sum + one.cpuTime, 0);
  };
  const metric = async (name: string): Promise<number> =>
    (await own.send("Performance.getMetrics")).metrics.find((one) => one.name === name)?.value ?? Number.NaN;
  const before = {
    renderer: await used("renderer"),
    gpu: await used("GPU"),
    tasks: await metric("TaskDuration"),
    at: performance.now(),
  };
  await pause(SECONDS * 1000);
  const seconds = (performance.now() - before.at) / 1000;
  const result = {
    renderer: round((((await used("renderer")) - before.renderer) * 100) / seconds),
    mainThread: round((((await metric("TaskDuration")) - before.tasks) * 100) / seconds),
    gpu: round((((await used("GPU")) - before.gpu) * 100) / seconds),
    heapMb: round((await metric("JSHeapUsedSize")) / 1e6),
  };
  await context.close();
  return result;
}

/** Cold visits of the live page: first contentful paint and the meter (medians), and how much it asks for. */
async function firstVisit(
  browser: Browser,
  gateway: WebGateway,
): Promise<{ paintMs: number; meterMs: number; requests: number }> {
  const paints: number[] = [];
  const meters: number[] = [];
  let requests = 0;
  for (let i = 0; i < PAINTS; i++) {
    const { page, context } = await openPage(browser, gateway.url, {});
    requests = 0;
    page.on("request", () => {
      requests += 1;
    });
    await page.goto(gateway.url + LIVE);
    await page.locator("[role=meter][data-state=live]").waitFor();
    paints.push(
      await page.evaluate(
        () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN,
      ),
    );
    meters.push(await page.evaluate(() => performance.now()));
    await context.close();
  }
  return {
    paintMs: round(median(paints), 0),
    meterMs: round(median(meters), 0),
    requests,
  };
}
