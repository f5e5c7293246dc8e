import { Parser } from "m3u8-parser";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startDemo, type Demo } from "../demo.ts";
import { ANCHOR_MS } from "../schedule.ts";
import { PERIOD_MS } from "../world.ts";
import { segmentsOf, type Film } from "./film.ts";
import { films } from "./films.ts";
import { adSpots, ADS } from "./shots.ts";
import { loopFolder, startStudio, type Studio } from "./studio.ts";

const LOOP_MS = ANCHOR_MS + 20_000 * PERIOD_MS;
const quiet = { info: () => undefined, warn: () => undefined };
const castle = films[0] as Film;
const count = segmentsOf(castle).length;
let folder: string;
let nowMs = LOOP_MS;
let demo: Demo | null = null;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "studio-"));
  const place = await loopFolder(join(folder, "whole"));
  for (const film of films)
    for (const { name } of film.renditions) {
      mkdirSync(join(place, film.login, name), { recursive: true });
      for (const number of segmentsOf(film).keys())
        writeFileSync(join(place, film.login, name, `${number}.ts`), `${film.login} ${name} ${number}`);
    }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  await demo?.close();
  demo = null;
});

/** The stand-in with everything rendered, its clock at `atMs` of a loop. Address of its HTTP side. */
async function playing(atMs: number): Promise<string> {
  nowMs = LOOP_MS + atMs;
  const studio = await startStudio(join(folder, "whole"), () => nowMs, quiet);
  demo = await startDemo({ http: 0, ircWs: 0, ircTcp: 0, now: () => nowMs, studio });
  return `http://127.0.0.1:${demo.ports.http}`;
}
const get = async (address: string): Promise<string> => (await fetch(address)).text();
function parsed(text: string): Parser["manifest"] {
  const parser = new Parser();
  parser.push(text);
  parser.end();
  return parser.manifest;
}

test("the master playlist has 1080p, 480p and 160p, each with its media playlist", async () => {
  const http = await playing(100_000);
  const { playlists } = parsed(await get(`${http}/hls/pepel_lamp/master.m3u8`));
  expect(playlists?.map(({ attributes }) => attributes?.RESOLUTION?.height)).toEqual([1080, 480, 160]);
  for (const { uri } of playlists ?? [])
    expect((await fetch(new URL(uri, `${http}/hls/pepel_lamp/master.m3u8`))).status).toBe(200);
});

test("unknown channels and paths are not there", async () => {
  const http = await playing(100_000);
  for (const path of [
    "tihiy_ruchey/master.m3u8",
    "pepel_lamp/720/index.m3u8",
    "pepel_lamp/160/0.ts",
    "pepel_lamp",
    "nightfern/360/../x",
  ])
    expect((await fetch(`${http}/hls/${path}`)).status, path).toBe(404);
});

test("six segments are listed, each at the time of the script that chat goes by", async () => {
  const http = await playing(100_000);
  const list = parsed(await get(`${http}/hls/pepel_lamp/160/index.m3u8`));
  expect(list.targetDuration).toBe(2);
  expect(list.segments?.map(({ programDateTime }) => (programDateTime ?? 0) - LOOP_MS)).toEqual([
    88_000, 90_000, 92_000, 94_000, 96_000, 98_000,
  ]);
  const last = list.segments?.at(-1);
  expect(await get(`${http}/hls/pepel_lamp/160/${last?.uri}`)).toBe("pepel_lamp 160 49");
});

test("at the begin of a loop, of the ads and behind them timestamps begin anew, and every playlist counts alike", async () => {
  const http = await playing(0);
  const timelines = new Map<number, number>();
  const borders = new Set<number>();
  for (const aroundMs of [ADS.fromMs, ADS.toMs, PERIOD_MS])
    for (let atMs = aroundMs - 6_000; atMs < aroundMs + 22_000; atMs += 1_000) {
      nowMs = LOOP_MS + atMs;
      const list = parsed(await get(`${http}/hls/pepel_lamp/480/index.m3u8`));
      let timeline = list.discontinuitySequence ?? -1;
      for (const [i, segment] of (list.segments ?? []).entries()) {
        if (segment.discontinuity === true) {
          timeline++;
          borders.add((segment.programDateTime ?? 0) - LOOP_MS);
        }
        const number = (list.mediaSequence ?? 0) + i;
        expect(timelines.get(number) ?? timeline, `segment ${number} at ${atMs}`).toBe(timeline);
        timelines.set(number, timeline);
        expect(segment.duration).toBe(segment.uri === `${20_000 * count + 458}.ts` ? 1 : segment.duration);
      }
    }
  expect([...borders]).toEqual([ADS.fromMs, ADS.toMs, PERIOD_MS]);
});

test("the spots of the ad break are named as Twitch names them, and its segments say whose they are", async () => {
  const http = await playing(ADS.fromMs + 36_000);
  const text = await get(`${http}/hls/pepel_lamp/160/index.m3u8`);
  const list = parsed(text);
  const ads = list.dateRanges?.filter((range) => range.class === "twitch-stitched-ad") ?? [];
  expect(ads.map(({ startDate, duration }) => [Number(startDate) - LOOP_MS, duration])).toEqual(
    adSpots.slice(0, 2).map(({ fromMs, toMs }) => [fromMs, (toMs - fromMs) / 1000]),
  );
  expect(list.segments?.every(({ title }) => title?.startsWith("Amazon") === true)).toBe(true);
  nowMs = LOOP_MS + ADS.toMs + 14_000;
  const after = await get(`${http}/hls/pepel_lamp/160/index.m3u8`);
  expect(after).not.toContain("stitched-ad");
  expect(after).not.toContain("Amazon");
});

test("two segments that are still being made are offered for prefetch", async () => {
  const http = await playing(100_000);
  const text = await get(`${http}/hls/pepel_lamp/160/index.m3u8`);
  const prefetch = [...text.matchAll(/^#EXT-X-TWITCH-PREFETCH:(.+)$/gm)].map(([, uri]) => uri);
  expect(prefetch).toEqual([`${20_000 * count + 50}.ts`, `${20_000 * count + 51}.ts`]);
});

test("POST /control/video breaks a channel's picture, says what is wrong with a request, and reset ends it", async () => {
  const http = await playing(100_000);
  const post = (name: string, body: object): Promise<Response> =>
    fetch(`${http}/control/${name}`, { method: "POST", body: JSON.stringify(body) });
  expect((await post("video", { fault: "segments", mode: "missing", count: 2 })).status).toBe(200);
  nowMs += 6_000;
  const statuses = [50, 51, 52].map(
    async (n) => (await fetch(`${http}/hls/pepel_lamp/160/${20_000 * count + n}.ts`)).status,
  );
  expect(await Promise.all(statuses)).toEqual([404, 404, 200]);
  await post("video", { login: "nightfern", fault: "playlist", mode: "unavailable" });
  expect((await fetch(`${http}/hls/nightfern/360/index.m3u8`)).status).toBe(503);
  await post("reset", {});
  expect((await fetch(`${http}/hls/nightfern/360/index.m3u8`)).status).toBe(200);
  for (const body of [
    { fault: "rain" },
    { fault: "segments", mode: "wet" },
    { login: "nobody", fault: "end" },
  ]) {
    const refused = await post("video", body);
    expect(refused.status).toBe(400);
    expect(await refused.text()).toMatch(/must be one of/);
  }
});

test("an empty folder fills from the present on, and the channel is offline until there is something to show", async () => {
  const atMs = 150_000;
  nowMs = LOOP_MS + atMs;
  // What an older drawing left is taken away.
  mkdirSync(join(folder, "fresh/loop-000000000000/pepel_lamp"), { recursive: true });
  let studio: Studio | null = null;
  try {
    studio = await startStudio(join(folder, "fresh"), () => nowMs, quiet);
    const channel = studio.broadcasts.get("pepel_lamp");
    expect(channel?.lastAt(nowMs)).toBeLessThan(channel?.first ?? 0);
    nowMs += 4_000;
    while ((channel?.lastAt(nowMs) ?? -1) < (channel?.first ?? 0)) await sleep(100);
    const picture = await channel?.body("1080", channel.first);
    // A transport stream: a sync byte every 188.
    expect([picture?.[0], picture?.[188]]).toEqual([0x47, 0x47]);
  } finally {
    await studio?.close();
  }
  expect(existsSync(join(folder, "fresh/loop-000000000000"))).toBe(false);
  expect(readdirSync(join(folder, "fresh")).length).toBe(1);
});
