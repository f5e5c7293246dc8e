import { createHash } from "node:crypto";
import type { Reply, Request } from "../http.ts";

const STYLE = `:root{color-scheme:dark light}body{font:16px/1.5 system-ui,sans-serif;display:grid;place-items:center;min-height:100vh;margin:0;background:#0d0f14;color:#e8eaf0}
main{display:grid;gap:14px;width:min(360px,90vw)}form{display:grid;gap:12px}h1{font-size:22px;margin:0}p,summary{margin:0;color:#a8afbf}.wrong{color:#ffb4a3}summary{cursor:pointer;margin-bottom:12px}
input,button,.button{font:inherit;padding:10px 12px;border-radius:8px;border:1px solid #3a4152;background:#171b24;color:inherit;text-align:center;text-decoration:none}
button,.button{background:#e8eaf0;color:#0d0f14;border:0;font-weight:600;cursor:pointer}.twitch{background:#9146ff;color:#fff}.plain{background:none;color:#9cd0ff;font-weight:400}:focus-visible{outline:2px solid #7cc4ff;outline-offset:2px}`;
const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

/** Why a sign-in was refused. */
export type Refused =
  | "no_browser"
  | "forged"
  | "expired"
  | "used"
  | "denied"
  | "code_refused"
  | "other_client"
  | "twitch_away";

const WORDS = {
  en: {
    onward: "Signed in. Going on …",
    go: "Go on",
    refused: "You are not signed in",
    again: "Try again",
    home: "Start page",
    no_browser:
      "This sign-in was begun in another browser, or too long ago. Begin it again, and let this site keep cookies.",
    forged: "What came back from Twitch does not belong to the sign-in that was begun here.",
    expired: "That took longer than ten minutes.",
    used: "This sign-in has been used already.",
    denied: "Twitch says that the access was not allowed.",
    code_refused: "Twitch did not take the code back. It may have been used already.",
    other_client: "Twitch says that this access was given to another application.",
    twitch_away: "Twitch did not answer. Try again in a minute.",
  },
  ru: {
    onward: "Вход выполнен. Продолжаем …",
    go: "Продолжить",
    refused: "Войти не получилось",
    again: "Попробовать ещё раз",
    home: "На главную",
    no_browser:
      "Этот вход начали в другом браузере или слишком давно. Начните заново и разрешите сайту cookie.",
    forged: "Ответ Twitch не относится ко входу, который начали здесь.",
    expired: "Прошло больше десяти минут.",
    used: "Этот вход уже использован.",
    denied: "Twitch сообщает, что доступ не разрешили.",
    code_refused: "Twitch не принял код. Возможно, он уже использован.",
    other_client: "Twitch сообщает, что доступ выдан другому приложению.",
    twitch_away: "Twitch не ответил. Попробуйте через минуту.",
  },
} as const satisfies Record<string, Record<Refused | "onward" | "go" | "refused" | "again" | "home", string>>;
export type Language = keyof typeof WORDS;

export const languageOf = (request: Pick<Request, "header">): Language =>
  /^\s*ru\b/i.test(request.header("accept-language")) ? "ru" : "en";

/** A page without scripts, since the app itself is behind it. `head` and `body` are HTML. */
export function signInPage(
  status: number,
  language: Language,
  body: string,
  head = "",
  headers: Record<string, string> = {},
): Reply {
  return {
    status,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-store",
      "Content-Security-Policy": POLICY,
      // The address may hold a code of Twitch's.
      "Referrer-Policy": "no-referrer",
      Vary: "Accept-Language",
      ...headers,
    },
    body: `<!doctype html><html lang="${language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Hypecast</title>${head}<style>${STYLE}</style>
<main><h1>Hypecast</h1>${body}</main></html>`,
  };
}

/** For text and for the values of attributes. */
export const escaped = (text: string): string =>
  text.replaceAll(/[&<>"'`=]/g, (character) => `&#${character.charCodeAt(0)};`);

/** Goes on by itself. This navigation is our own page's, so the browser sends the Strict cookie with it; a redirect would still be Twitch's. */
export function onwardPage(path: string, request: Request): Reply {
  const language = languageOf(request);
  const words = WORDS[language];
  return signInPage(
    200,
    language,
    `<p role="status">${words.onward}</p><a class="button" href="${escaped(path)}">${words.go}</a>`,
    `<meta http-equiv="refresh" content="0;url=${escaped(path)}">`,
  );
}

export function refusedPage(reason: Refused, request: Request): Reply {
  const language = languageOf(request);
  const words = WORDS[language];
  return signInPage(
    reason === "twitch_away" ? 502 : 403,
    language,
    `<p class="wrong" role="alert"><strong>${words.refused}.</strong> ${words[reason]}</p>
<a class="button twitch" href="/auth/twitch" autofocus>${words.again}</a><a class="button plain" href="/">${words.home}</a>`,
  );
}
