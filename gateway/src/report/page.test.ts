import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { MOODS } from "@hypecast/contracts/moods.ts";
import { moment } from "@hypecast/contracts/moment.ts";
import type { Vod } from "@hypecast/contracts/vod.ts";
import { newVod } from "@hypecast/contracts/vod-steps.ts";
import type { Request } from "../http.ts";
import { reportPage, type Report } from "./page.ts";

const START_MS = Date.UTC(2026, 2, 1, 18);
const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(2)> \u202Eevil & 'x'`;

const stream: Vod = {
  ...newVod(
    "_000000000000000001",
    { url: null, chatUpload: "u", videoUpload: null, title: HOSTILE, startMs: START_MS, replaces: null },
    1,
  ),
  status: "ready",
  durationS: 7200,
  lines: 12_345,
  chatters: 678,
  moments: 2,
  broadcaster: { id: "1", login: "pepel_lamp", name: HOSTILE },
  completeness: { share: 0.871, holes: [{ kind: "capped", fromS: 60, toS: 90, lines: 10 }] },
};
const aMoment = (n: number, score: number): Report["moments"][number] => ({
  moment: moment.parse({
    id: `vod-x-1:m:${n}`,
    channelId: "vod-x-1",
    state: "final",
    version: 1,
    kind: "funny",
    origin: "chat",
    startMs: START_MS + n * 1000,
    endMs: START_MS + n * 1000 + 30_000,
    onsetMs: START_MS + n * 1000 + 5000,
    peakMs: START_MS + n * 1000 + 12_000,
    chatOnsetMs: null,
    lagMs: 6000,
    lagErrorMs: 3000,
    lagLearned: false,
    startSnap: null,
    endSnap: null,
    score,
    subject: HOSTILE,
    reasons: { "chat.times": 6.2 },
    senses: { chat: "ok", picture: "none", sound: "none", model: "none" },
    marks: [],
    detectedAtMs: START_MS,
  }),
  quotes: [{ who: HOSTILE, text: HOSTILE, similar: 137 }],
});
const report: Report = {
  stream,
  columns: Array.from({ length: 240 }, (_, i) => ({
    startMs: START_MS + i * 30_000,
    messagesPerMin: i >= 100 && i < 110 ? null : 20 + 100 * Math.abs(Math.sin(i / 20)),
    hype: i >= 100 && i < 110 ? null : (i * 7) % 100,
    mood: MOODS[Math.floor(i / 5) % 9] ?? null,
  })),
  emotes: [{ name: HOSTILE, uses: 1234 }],
  moments: [aMoment(600, 91.4), aMoment(3725, 60)],
  made: START_MS,
};
const request = (query = "", language = ""): Request => ({
  method: "GET",
  bodyless: false,
  path: `/s/${stream.id}`,
  query,
  client: "127.0.0.1",
  header: (name) => ({ host: "hype.example:4200", "accept-language": language })[name as string] ?? "",
  body: () => Promise.resolve(Buffer.alloc(0)),
  upload: null,
});
const html = (of: Report, query = "", language = ""): string =>
  reportPage(of, request(query, language)).body as string;

test("whatever people wrote stays text, and the file asks nothing of anybody", () => {
  const page = html(report);
  expect(page).not.toMatch(/<script|<img|<link|<iframe|onerror=|url\(|@import| style="/);
  // The only addresses in it lead to the player and within the page.
  const addresses = [...page.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, address]) => address ?? "");
  expect(addresses.length).toBeGreaterThan(4);
  for (const address of addresses)
    expect(address).toMatch(/^(?:#m\d+|http:\/\/hype\.example:4200\/vod\/_0{17}1\?t=\d+)$/);
  const style = /<style>(.*)<\/style>/s.exec(page)?.[1] ?? "";
  const { headers } = reportPage(report, request());
  expect(headers?.["Content-Security-Policy"]).toContain(
    `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`,
  );
});

test("it speaks the language that is asked for, or the browser's", () => {
  expect(html(report, "lang=ru")).toContain('<html lang="ru">');
  expect(html(report, "", "ru-RU,ru;q=0.9")).toContain("Лучшие моменты");
  expect(html(report, "lang=en", "ru")).toContain("Best moments");
  expect(html(report, "lang=xx")).toContain('<html lang="en">');
});

test("numbers say how complete they are, and the chart has its table", () => {
  const page = html(report, "lang=en");
  expect(page).toContain("87.1% of the chat is certainly complete");
  expect(page).toContain("stretches where Twitch let no more through");
  expect(html({ ...report, stream: { ...stream, completeness: { share: 1, holes: [] } } })).toContain(
    "Chat is complete",
  );
  expect(html({ ...report, stream: { ...stream, completeness: null } })).toContain("not known how complete");
  expect(page.match(/<rect class="none"/g)).toHaveLength(10);
  const rows = page.match(/<tr><th scope="row">\d+:\d\d:\d\d/g) ?? [];
  expect(rows.length).toBeGreaterThan(20);
  expect(page).toContain("1:02:10");
  expect(page).toContain("×137");
});

test("kept as a file it has the stream's name; a stream without anything in it has a report too", () => {
  expect(
    reportPage({ ...report, stream: { ...stream, title: "Лава" } }, request("download=1")).headers?.[
      "Content-Disposition"
    ],
  ).toMatch(/attachment; filename.*\.html/);
  const empty = { ...stream, durationS: null, lines: 0, title: "" };
  const page = html({ ...report, stream: empty, columns: [], emotes: [], moments: [] });
  expect(page).toContain("No moment stood out");
  expect(page).not.toMatch(/NaN|Infinity|undefined|null/);
});
