import { createHash } from "node:crypto";
import type { Clip } from "@hypecast/contracts/clip.ts";
import { sharedFilePath, sharedThumbPath, sharePath } from "@hypecast/contracts/media.ts";
import type { Reply, Request } from "./http.ts";

const STYLE = `:root{color-scheme:dark}body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#0d0f14;color:#e8eaf0;display:grid;justify-items:center}
main{width:min(960px,100%);box-sizing:border-box;padding:16px}video{display:block;width:100%;max-height:78vh;background:#000;border-radius:8px}
h1{font-size:20px;margin:16px 0 4px;overflow-wrap:anywhere}p{margin:0 0 8px;color:#a8afbf}a{color:#9cd0ff}:focus-visible{outline:2px solid #7cc4ff;outline-offset:2px}`;
const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");
const POLICY = `default-src 'none'; media-src 'self'; img-src 'self'; style-src 'sha256-${STYLE_HASH}'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'`;

const WORDS = {
  en: {
    clipOf: "A clip of",
    vertical: "Vertical",
    gone: "There is no such clip",
    why: "The link was taken back, or it was never one.",
  },
  ru: {
    clipOf: "Клип канала",
    vertical: "Вертикальный",
    gone: "Такого клипа нет",
    why: "Ссылку отозвали, или её никогда не было.",
  },
} as const;
type Language = keyof typeof WORDS;

const languageOf = (request: Request): Language =>
  /^\s*ru\b/i.test(request.header("accept-language")) ? "ru" : "en";

/** Every visible text of a clip comes from people. What turns the reading direction stays inside its own element. */
export const escaped = (text: string): string =>
  text.replaceAll(/[&<>"'`=]/g, (character) => `&#${character.charCodeAt(0)};`);

function page(status: number, language: Language, title: string, head: string, body: string): Reply {
  return {
    status,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-store",
      "Content-Security-Policy": POLICY,
      "Referrer-Policy": "no-referrer",
      "X-Robots-Tag": "noindex",
    },
    body: `<!doctype html><html lang="${language}" prefix="og: https://ogp.me/ns#"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="/favicon.svg" type="image/svg+xml"><title>${title}</title>${head}<style>${STYLE}</style></head><body><main>${body}</main></body></html>`,
  };
}

/** The public page of a shared clip: a player and what other sites show of it. No script, nothing of the app. */
export function sharePage(clip: Clip, token: string, request: Request): Reply {
  const language = languageOf(request);
  const words = WORDS[language];
  const main = clip.files.find(({ layout }) => layout === "16:9") ?? clip.files[0];
  if (main === undefined) return sharedNothing(request);
  const upright = clip.files.find(({ layout }) => layout !== "16:9" && layout !== main.layout);
  const title = escaped(clip.title === "" ? clip.login : clip.title);
  const day = new Date(clip.startMs).toISOString().slice(0, 10);
  const about = escaped(`${words.clipOf} ${clip.login}, ${day}`);
  const base = baseOf(request);
  const video = base + sharedFilePath(token, main.layout);
  const image = base + sharedThumbPath(token);
  const tags: [string, string][] = [
    ["og:site_name", "Hypecast"],
    ["og:type", "video.other"],
    ["og:url", base + sharePath(token)],
    ["og:title", title],
    ["og:description", about],
    ["og:video", video],
    ...(base.startsWith("https:") ? [["og:video:secure_url", video] as [string, string]] : []),
    ["og:video:type", "video/mp4"],
    ["og:video:width", String(main.width)],
    ["og:video:height", String(main.height)],
    ...(clip.thumbKey === null ? [] : [["og:image", image] as [string, string]]),
  ];
  const cards: [string, string][] = [
    ["twitter:card", clip.thumbKey === null ? "summary" : "summary_large_image"],
    ["twitter:title", title],
    ["twitter:description", about],
    ...(clip.thumbKey === null ? [] : [["twitter:image", image] as [string, string]]),
  ];
  const head = [
    ...tags.map(([name, content]) => `<meta property="${name}" content="${content}">`),
    ...cards.map(([name, content]) => `<meta name="${name}" content="${content}">`),
  ].join("");
  const poster = clip.thumbKey === null ? "" : ` poster="${sharedThumbPath(token)}"`;
  return page(
    200,
    language,
    title,
    head,
    `<video controls playsinline preload="metadata" src="${sharedFilePath(token, main.layout)}"${poster} width="${main.width}" height="${main.height}"></video>` +
      `<h1><bdi>${title}</bdi></h1><p>${about}</p>` +
      (upright === undefined
        ? ""
        : `<p><a href="${sharedFilePath(token, upright.layout)}">${words.vertical}</a></p>`),
  );
}

/** What a link shows that was taken back, or that somebody has made up. */
export function sharedNothing(request: Request): Reply {
  const language = languageOf(request);
  const { gone, why } = WORDS[language];
  return page(404, language, gone, "", `<h1>${gone}</h1><p>${why}</p>`);
}

/** Where this gateway is for whoever asked: other sites want whole addresses. */
export function baseOf(request: Request): string {
  const host = request.header("host");
  const secure = request.header("x-forwarded-proto") === "https";
  return /^[\w.:[\]-]{1,255}$/.test(host) ? `${secure ? "https" : "http"}://${host}` : "";
}
