import type { Config } from "@hypecast/runtime/config.ts";
import { isLoopback } from "../access.ts";

/** Where Twitch sends people back to. */
export const CALLBACK = "/auth/twitch/callback";

export interface SignInSettings {
  /** The address under which people reach the web app, without a slash at its end. */
  readonly base: string;
  readonly redirectUri: string;
  /** Whether browsers are told to send the cookies over https alone. */
  readonly secure: boolean;
}

type Needed = Pick<
  Config,
  | "HYPECAST_SIGN_IN"
  | "HYPECAST_HOST"
  | "HYPECAST_PORT"
  | "HYPECAST_PUBLIC_URL"
  | "TWITCH_CLIENT_ID"
  | "TWITCH_CLIENT_SECRET"
>;

/** Null: people do not sign in here. Throws a sentence where they were to, and could not. */
export function signInSettings(config: Needed): SignInSettings | null {
  if (config.HYPECAST_SIGN_IN !== "twitch") return null;
  const missing = (["TWITCH_CLIENT_ID", "TWITCH_CLIENT_SECRET"] as const).filter(
    (name) => config[name] === "",
  );
  if (missing.length > 0)
    throw new Error(
      `HYPECAST_SIGN_IN=twitch needs ${missing.join(" and ")}: register the application at dev.twitch.tv/console`,
    );
  const loopback = isLoopback(config.HYPECAST_HOST);
  if (config.HYPECAST_PUBLIC_URL === "" && !loopback)
    throw new Error(
      `HYPECAST_SIGN_IN=twitch with HYPECAST_HOST=${config.HYPECAST_HOST} needs HYPECAST_PUBLIC_URL: Twitch sends people back there`,
    );
  const host = config.HYPECAST_HOST.includes(":") ? `[${config.HYPECAST_HOST}]` : config.HYPECAST_HOST;
  const base =
    config.HYPECAST_PUBLIC_URL === ""
      ? `http://${host}:${config.HYPECAST_PORT}`
      : config.HYPECAST_PUBLIC_URL.toLowerCase();
  const { protocol, hostname } = new URL(base);
  // Twitch itself sends nobody there, and the session would be read by everybody on the way.
  if (protocol !== "https:" && !isLoopback(hostname))
    throw new Error(`HYPECAST_PUBLIC_URL=${base} has to begin with https:// (http is for localhost alone)`);
  return { base, redirectUri: `${base}${CALLBACK}`, secure: protocol === "https:" };
}

/**
 * A path of this site, with its query, to go on to afterwards. Null: it is none, or leads elsewhere. Browsers read `//host`, `\host` and
 * what has control characters in it as other addresses than it looks.
 */
export function pathWithin(base: string, text: string): string | null {
  if (!/^\/[\x21-\x7e]*$/.test(text) || text.length > 500 || text.startsWith("//")) return null;
  const url = URL.canParse(text, base) ? new URL(text, base) : null;
  if (url === null || url.origin !== new URL(base).origin) return null;
  const path = url.pathname + url.search + url.hash;
  return path.startsWith("/auth/") || path.startsWith("//") ? null : path;
}
