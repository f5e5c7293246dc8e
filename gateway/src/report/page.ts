import { createHash } from "node:crypto";
import { clipTitle } from "@hypecast/contracts/clip-title.ts";
import type { Moment } from "@hypecast/contracts/moment.ts";
import type { Vod } from "@hypecast/contracts/vod.ts";
import { attachment } from "../attachment.ts";
import type { Reply, Request } from "../http.ts";
import { timecodeOf } from "../places.ts";
import { baseOf, escaped } from "../share-page.ts";
import { spanOfVod } from "../vods.ts";
import { heatChart, heatTable, type Column } from "./chart.ts";
import { WORDS, type Language, type Words } from "./words.ts";

export interface Report {
  readonly stream: Vod;
  readonly columns: readonly Column[];
  readonly emotes: readonly { readonly name: string; readonly uses: number }[];
  /** Best first. */
  readonly moments: readonly {
    readonly moment: Moment;
    readonly quotes: readonly { readonly who: string; readonly text: string; readonly similar: number }[];
  }[];
  readonly made: number;
}

/** Below this share of certainly complete chat the badge says the share. */
const COMPLETE = 0.995;

const STYLE = `:root{color-scheme:light dark;--bg:#fbfafc;--text:#1c1923;--soft:#47434f;--line:#d9d6df;--accent:#005a7d;--none:#d9d6df;--ok:#00623e;--watch:#6b5300;
--laugh:#b87a00;--shock:#1f7fb8;--hype:#948600;--love:#b05a8c;--sad:#0072b2;--anger:#c25100;--cringe:#00805d}
@media(prefers-color-scheme:dark){:root{--bg:#0f0d12;--text:#f0eff2;--soft:#bcbac2;--line:#2e2b34;--accent:#87d9ed;--none:#2e2b34;--ok:#5ed8a9;--watch:#f2d855;
--laugh:#e69f00;--shock:#56b4e9;--hype:#f0e442;--love:#dd8fbd;--sad:#4a8fd0;--anger:#e8702a;--cringe:#2bb78d}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 Inter,system-ui,sans-serif}
main{max-width:1040px;margin:0 auto;padding:24px 16px 48px}h1{font-size:24px;line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere}h2{font-size:18px;margin:32px 0 8px}
p{margin:0 0 8px}.soft,figcaption,footer{color:var(--soft);font-size:13px}a{color:var(--accent)}:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.badge{display:inline-block;border:1px solid currentColor;border-radius:999px;padding:1px 10px;font-size:13px}.ok{color:var(--ok)}.watch{color:var(--watch)}
figure{margin:0}.glass{background:#08070b;border-radius:14px;padding:12px}.glass{overflow-x:auto}svg{display:block;width:100%;min-width:640px;height:auto}.mark{fill:#87d9ed;font:600 12px sans-serif;text-anchor:middle}.tick{fill:#bcbac2;font:11px sans-serif}
.none{fill:#232128}.h0{fill:#3b3d70}.h1{fill:#54437b}.h2{fill:#6f4885}.h3{fill:#a44e85}.h4{fill:#d05465}.h5{fill:#ed7043}.h6{fill:#fb9a34}.h7{fill:#fec662}.h8{fill:#f9f0a5}
.m-laugh{fill:#e69f00}.m-shock{fill:#56b4e9}.m-hype{fill:#f0e442}.m-love{fill:#dd8fbd}.m-sad{fill:#4a8fd0}.m-anger{fill:#e8702a}.m-cringe{fill:#2bb78d}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:8px;margin:0}dl div{border:1px solid var(--line);border-radius:8px;padding:8px 12px}dt{color:var(--soft);font-size:13px}dd{margin:0;font-size:18px;font-variant-numeric:tabular-nums}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{text-align:start;padding:4px 12px 4px 0;border-bottom:1px solid var(--line);font-weight:400}thead th{color:var(--soft);font-size:13px}
.moments{list-style:none;margin:0;padding:0}.moments li{border-bottom:1px solid var(--line);padding:12px 0;break-inside:avoid}.moments h3{font-size:15px;margin:0}blockquote{margin:4px 0 0;padding-inline-start:12px;border-inline-start:2px solid var(--line);overflow-wrap:anywhere}
summary{cursor:pointer;padding:8px 0}@media print{:root{--bg:#fff;--text:#000;--soft:#333;--line:#ccc;--accent:#000}main{max-width:none;padding:0}.glass{print-color-adjust:exact;-webkit-print-color-adjust:exact}.screen{display:none}}`;
const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");
/** Nothing is fetched from anywhere, and there is no script: the file may be kept, sent and printed. */
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'`;

/** `?lang=` says it, else the browser does. */
function languageOf(request: Request): Language {
  const asked = new URLSearchParams(request.query).get("lang");
  if (asked === "ru" || asked === "en") return asked;
  return /^\s*ru\b/i.test(request.header("accept-language")) ? "ru" : "en";
}

export function reportPage(report: Report, request: Request): Reply {
  const language = languageOf(request);
  const { stream } = report;
  const name = stream.title === "" ? WORDS[language].unknownTitle : stream.title;
  const download = new URLSearchParams(request.query).get("download") === "1";
  const reply = page(200, language, escaped(name), bodyOf(report, name, language, baseOf(request)));
  return download
    ? { ...reply, headers: { ...reply.headers, "Content-Disposition": attachment(`${name}.html`) } }
    : reply;
}

/** What an address shows that leads nowhere. */
export function nothingPage(request: Request): Reply {
  const language = languageOf(request);
  const { gone, goneWhy } = WORDS[language];
  return page(404, language, gone, `<h1>${gone}</h1><p>${goneWhy}</p>`);
}

function page(status: number, language: Language, title: string, body: string): Reply {
  return {
    status,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-store",
      "Content-Security-Policy": `${POLICY}; frame-ancestors 'none'`,
      "Referrer-Policy": "no-referrer",
      "X-Robots-Tag": "noindex",
    },
    body:
      `<!doctype html><html lang="${language}"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}">` +
      `<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer"><title>${title}</title><style>${STYLE}</style></head><body><main>${body}</main></body></html>`,
  };
}

/** `base`: where this gateway is, so that links work from a kept file too. */
function bodyOf(
  { stream, columns, emotes, moments, made }: Report,
  name: string,
  language: Language,
  base: string,
): string {
  const words = WORDS[language];
  const { startMs, toMs } = { startMs: stream.startMs, toMs: spanOfVod(stream).toMs };
  const durationS = (toMs - startMs) / 1000;
  const atS = (ms: number): number => Math.max(0, (ms - startMs) / 1000);
  const player = (seconds: number): string => `${base}/vod/${stream.id}?t=${Math.floor(seconds)}`;
  const numbered = moments.map((one, i) => ({
    ...one,
    number: i + 1,
    title: clipTitle(one.moment, language),
  }));
  const counted = (n: number): string => n.toLocaleString(language);
  const peak = columns.reduce<Column | null>(
    (best, column) => ((column.messagesPerMin ?? -1) > (best?.messagesPerMin ?? -1) ? column : best),
    null,
  );
  const figures: [string, string][] = [
    [words.length, timecodeOf(durationS)],
    [words.messages, counted(stream.lines)],
    [words.chatters, counted(stream.chatters)],
    [words.perMinute, counted(Math.round((stream.lines / Math.max(1, durationS)) * 60))],
    ...(peak?.messagesPerMin === undefined || peak.messagesPerMin === null
      ? []
      : [
          [words.peak, `${counted(Math.round(peak.messagesPerMin))} · ${timecodeOf(atS(peak.startMs))}`] as [
            string,
            string,
          ],
        ]),
    [words.momentCount, counted(stream.moments)],
  ];
  const about = [
    stream.broadcaster === null ? null : `<bdi>${escaped(stream.broadcaster.name)}</bdi>`,
    stream.game === null ? null : `<bdi>${escaped(stream.game)}</bdi>`,
    stream.startKnown ? new Date(startMs).toISOString().slice(0, 10) : null,
  ].filter((part) => part !== null);
  return [
    `<header><p class="soft">${words.report}</p><h1><bdi>${escaped(name)}</bdi></h1><p class="soft">${about.join(" · ")}</p>`,
    `<p>${badgeOf(stream, words, language)}</p>`,
    stream.status === "processing" ? `<p class="watch">${words.processing}</p>` : "",
    `<p class="screen"><a href="${player(0)}">${words.open}</a></p></header>`,
    `<section><h2>${words.figures}</h2><dl>${figures.map(([term, value]) => `<div><dt>${term}</dt><dd>${value}</dd></div>`).join("")}</dl></section>`,
    `<section><h2 id="heat">${words.heat}</h2><figure><div class="glass">`,
    heatChart(
      columns,
      startMs,
      durationS,
      numbered.map(({ moment, number, title }) => ({ atS: atS(moment.onsetMs), number, title })),
      words,
      escaped,
    ),
    `</div><figcaption id="heat-about">${words.heatAbout} ${words.heatLegend}</figcaption></figure>`,
    `<details><summary>${words.table}</summary>${heatTable(columns, startMs, words)}</details></section>`,
    `<section><h2>${words.moments}</h2>`,
    numbered.length === 0 ? `<p>${words.noMoments}</p>` : "",
    `<ol class="moments">${numbered
      .map(
        ({ moment, quotes, number, title }) =>
          `<li id="m${number}"><h3>${number}. <a href="${player(atS(moment.startMs))}">${timecodeOf(atS(moment.onsetMs))}</a> <bdi>${escaped(title)}</bdi></h3>` +
          `<p class="soft">${words.score} ${Math.round(moment.score)}</p>` +
          quotes
            .map(
              ({ who, text, similar }) =>
                `<blockquote><bdi>${escaped(text)}</bdi> <span class="soft">— <bdi>${escaped(who)}</bdi>${similar > 1 ? ` ×${similar}` : ""}</span></blockquote>`,
            )
            .join("") +
          `</li>`,
      )
      .join("")}</ol></section>`,
    emotes.length === 0
      ? ""
      : `<section><h2>${words.emotes}</h2><table><thead><tr><th scope="col">${words.emote}</th><th scope="col">${words.uses}</th></tr></thead><tbody>${emotes
          .map(
            (emote) =>
              `<tr><th scope="row"><bdi>${escaped(emote.name)}</bdi></th><td>${counted(emote.uses)}</td></tr>`,
          )
          .join("")}</tbody></table></section>`,
    `<footer><p>${words.made} ${new Date(made).toISOString().slice(0, 16).replace("T", " ")} UTC · Hypecast</p></footer>`,
  ].join("");
}

/** How far the numbers may be trusted stands before them. */
function badgeOf({ completeness }: Vod, words: Words, language: Language): string {
  if (completeness === null) return `<span class="badge watch">${words.completeUnknown}</span>`;
  const { share, holes } = completeness;
  const kinds = [...new Set(holes.map(({ kind }) => words.holes[kind]))];
  if (share >= COMPLETE && kinds.length === 0) return `<span class="badge ok">${words.complete}</span>`;
  const percent = share.toLocaleString(language, { style: "percent", maximumFractionDigits: 1 });
  return `<span class="badge watch">${words.completeShare(percent)}</span>${kinds.length === 0 ? "" : ` <span class="soft">${kinds.join(", ")}</span>`}`;
}
