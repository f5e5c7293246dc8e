import type { Access } from "./access.ts";
import type { Reply, Request } from "./http.ts";
import { cookieOf, written } from "./sign-in/cookies.ts";
import { escaped, languageOf, signInPage } from "./sign-in/pages.ts";

const WORDS = {
  en: {
    unauthorized: "That token is not right.",
    too_many_requests: "Too many wrong tokens; wait a minute.",
    twitch: "Sign in with Twitch",
    why: "Twitch tells us who you are and which channels you moderate, and nothing else.",
    me: "Twitch tells us who you are, and nothing else.",
    by: "With the operator's token",
    token: "Token",
    enter: "Enter",
    value: "The value of HYPECAST_TOKEN.",
    onward: "One moment …",
    go: "Go on",
  },
  ru: {
    unauthorized: "Этот токен не подходит.",
    too_many_requests: "Слишком много попыток, подождите минуту.",
    twitch: "Войти через Twitch",
    why: "Twitch сообщит, кто вы и какие каналы модерируете, больше ничего.",
    me: "Twitch сообщит, кто вы, больше ничего.",
    by: "По токену оператора",
    token: "Токен",
    enter: "Войти",
    value: "Значение HYPECAST_TOKEN.",
    onward: "Минуту …",
    go: "Продолжить",
  },
} as const;

/** Set for the one reload of `onward`, so that there is no second one. */
const RELOADED = "hypecast_reloaded";
const RELOADED_S = 10;

/** Where a person comes in: with Twitch, or with the shared token. */
export function loginPage(
  access: Pick<Access, "signIn" | "byToken">,
  request: Request,
  wrong: "unauthorized" | "too_many_requests" | null,
): Reply {
  const language = languageOf(request);
  const words = WORDS[language];
  if (wrong === null && isLinkFromElsewhere(request)) return reloadPage(request);
  const here = request.method === "GET" ? pathOf(request) : "/";
  const forMe = here.startsWith("/privacy");
  const notice = wrong === null ? "" : `<p class="wrong" role="alert">${words[wrong]}</p>`;
  const focus = (first: boolean): string => (first ? " autofocus" : "");
  const twitch = `<a class="button twitch" href="${escaped(`/auth/twitch?for=${forMe ? "me" : "look"}&next=${encodeURIComponent(here)}`)}"${focus(wrong === null)}>${words.twitch}</a><p>${forMe ? words.me : words.why}</p>`;
  const form = (first: boolean): string =>
    `<form method="post" action="/api/v1/session">${notice}<label for="token">${words.token}</label>
<input id="token" name="token" type="password" autocomplete="current-password" required${focus(first)}>
<button>${words.enter}</button><p>${words.value}</p></form>`;
  let body = twitch;
  if (access.signIn !== "twitch") body = form(true);
  else if (access.byToken)
    body = `${twitch}<details${wrong === null ? "" : " open"}><summary>${words.by}</summary>${form(wrong !== null)}</details>`;
  return signInPage(
    wrong === "too_many_requests" ? 429 : 401,
    language,
    body,
    "",
    wrong === "too_many_requests" ? { "Retry-After": "60" } : {},
  );
}

const pathOf = ({ path, query }: Request): string => (query === "" ? path : `${path}?${query}`);

/**
 * A link on another site brings no Strict cookie, and who is signed in would be asked to sign in. A page of ours that loads the same address
 * again brings it, if there is one.
 */
const isLinkFromElsewhere = (request: Request): boolean =>
  request.method === "GET" &&
  request.header("sec-fetch-site") === "cross-site" &&
  cookieOf(request.header("cookie"), RELOADED) === null;

function reloadPage(request: Request): Reply {
  const language = languageOf(request);
  const words = WORDS[language];
  const to = escaped(pathOf(request));
  return {
    ...signInPage(
      200,
      language,
      `<p role="status">${words.onward}</p><a class="button" href="${to}">${words.go}</a>`,
      `<meta http-equiv="refresh" content="0;url=${to}">`,
    ),
    cookies: [written(RELOADED, "1", { seconds: RELOADED_S, site: "Lax", path: "/", secure: false })],
  };
}
