import { createHash } from "node:crypto";
import type { Access } from "./access.ts";
import type { Reply, Request } from "./http.ts";

const STYLE = `:root{color-scheme:dark light}body{font:16px/1.5 system-ui,sans-serif;display:grid;place-items:center;min-height:100vh;margin:0;background:#0d0f14;color:#e8eaf0}
form{display:grid;gap:12px;width:min(340px,90vw)}h1{font-size:22px;margin:0}p{margin:0;color:#a8afbf}.wrong{color:#ffb4a3}
input,button{font:inherit;padding:10px 12px;border-radius:8px;border:1px solid #3a4152;background:#171b24;color:inherit}
button{background:#e8eaf0;color:#0d0f14;border:0;font-weight:600;cursor:pointer}:focus-visible{outline:2px solid #7cc4ff;outline-offset:2px}`;
const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

const WORDS = {
  unauthorized: "That token is not right. · Этот токен не подходит.",
  too_many_requests: "Too many wrong tokens; wait a minute. · Слишком много попыток, подождите минуту.",
} as const;

/** Where a person gives the shared token. One page without scripts, since the app itself is behind the login. */
export function loginPage(_access: Access, _request: Request, wrong: keyof typeof WORDS | null): Reply {
  const status = wrong === "too_many_requests" ? 429 : 401;
  const notice = wrong === null ? "" : `<p class="wrong" role="alert">${WORDS[wrong]}</p>`;
  return {
    status,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-store",
      "Content-Security-Policy": POLICY,
      ...(status === 429 ? { "Retry-After": "60" } : {}),
    },
    body: `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Hypecast</title><style>${STYLE}</style>
<form method="post" action="/api/v1/session"><h1>Hypecast</h1>${notice}<label for="token">Token · Токен</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Enter · Войти</button><p>The value of HYPECAST_TOKEN. · Значение HYPECAST_TOKEN.</p></form></html>`,
  };
}
