import { z } from "zod";
import type { Config } from "../config.ts";
import type { TwitchAnswer } from "./answer.ts";
import { call } from "./call.ts";

/** What Twitch gives for a code or a refresh token. */
export interface Tokens {
  readonly access: string;
  readonly refresh: string;
  readonly expiresAtMs: number;
  readonly scopes: readonly string[];
}
export interface Validated {
  readonly userId: string;
  readonly login: string;
  readonly scopes: readonly string[];
  readonly expiresAtMs: number;
}

const token = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1),
  expires_in: z.number().nonnegative(),
  // Twitch leaves it out, or writes null, where none was asked for.
  scope: z
    .array(z.string())
    .nullish()
    .transform((scopes) => scopes ?? []),
});
const validated = z.object({
  client_id: z.string(),
  login: z.string(),
  user_id: z.string(),
  scopes: z
    .array(z.string())
    .nullish()
    .transform((scopes) => scopes ?? []),
  expires_in: z.number().nonnegative(),
});

/** Twitch's accounts (TWITCH_ID_URL): where people allow what we do in their name. */
export interface TwitchId {
  /** Where a person's browser goes to sign in. */
  authorizeUrl(asked: {
    readonly redirectUri: string;
    readonly scopes: readonly string[];
    readonly state: string;
    /** PKCE, S256; null: none. */
    readonly codeChallenge: string | null;
    /** Asks even a person who has allowed it before. */
    readonly forceVerify: boolean;
  }): string;
  /** `refused`: the code was used, is old, or belongs to another address or client. */
  exchange(code: string, redirectUri: string, codeVerifier: string | null): Promise<TwitchAnswer<Tokens>>;
  /** `unauthorized`: Twitch took the access back (the person disconnected us, or changed the password). */
  refresh(refreshToken: string): Promise<TwitchAnswer<Tokens>>;
  validate(accessToken: string): Promise<TwitchAnswer<Validated>>;
  revoke(accessToken: string): Promise<TwitchAnswer>;
}

export function twitchId(
  config: Pick<Config, "TWITCH_ID_URL" | "TWITCH_CLIENT_ID" | "TWITCH_CLIENT_SECRET">,
): TwitchId {
  const base = config.TWITCH_ID_URL;
  const ours = { client_id: config.TWITCH_CLIENT_ID, client_secret: config.TWITCH_CLIENT_SECRET };

  const tokens = async (form: Record<string, string>): Promise<TwitchAnswer<Tokens>> => {
    const askedAtMs = Date.now();
    const answer = await call({
      url: `${base}/token`,
      method: "POST",
      body: new URLSearchParams({ ...ours, ...form }),
      schema: token,
      changes: false,
    });
    if (answer.kind !== "ok") return answer;
    const { access_token: access, refresh_token: refresh, expires_in: s, scope: scopes } = answer.data;
    return { kind: "ok", data: { access, refresh, scopes, expiresAtMs: Math.round(askedAtMs + s * 1000) } };
  };

  return {
    authorizeUrl({ redirectUri, scopes, state, codeChallenge, forceVerify }) {
      const query = new URLSearchParams({
        response_type: "code",
        client_id: config.TWITCH_CLIENT_ID,
        redirect_uri: redirectUri,
        scope: scopes.join(" "),
        state,
        ...(codeChallenge === null ? {} : { code_challenge: codeChallenge, code_challenge_method: "S256" }),
        ...(forceVerify ? { force_verify: "true" } : {}),
      });
      return `${base}/authorize?${query.toString()}`;
    },
    exchange: (code, redirectUri, codeVerifier) =>
      tokens({
        grant_type: "authorization_code",
        code,
        redirect_uri: redirectUri,
        ...(codeVerifier === null ? {} : { code_verifier: codeVerifier }),
      }),
    async refresh(refreshToken) {
      const answer = await tokens({ grant_type: "refresh_token", refresh_token: refreshToken });
      // "Invalid refresh token" comes with 400.
      return answer.kind === "refused" && /refresh token/i.test(answer.said)
        ? { kind: "unauthorized", said: answer.said }
        : answer;
    },
    async validate(accessToken) {
      const askedAtMs = Date.now();
      const answer = await call({
        url: `${base}/validate`,
        method: "GET",
        headers: { authorization: `OAuth ${accessToken}` },
        schema: validated,
      });
      if (answer.kind !== "ok") return answer;
      const { client_id: client, user_id: userId, login, scopes, expires_in: s } = answer.data;
      if (client !== config.TWITCH_CLIENT_ID)
        return { kind: "unauthorized", said: "the token was given to another application" };
      return {
        kind: "ok",
        data: { userId, login, scopes, expiresAtMs: Math.round(askedAtMs + s * 1000) },
      };
    },
    revoke: (accessToken) =>
      call({
        url: `${base}/revoke`,
        method: "POST",
        body: new URLSearchParams({ client_id: config.TWITCH_CLIENT_ID, token: accessToken }),
        schema: null,
        changes: false,
      }),
  };
}
