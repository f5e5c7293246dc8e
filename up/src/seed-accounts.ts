import { account, ACCOUNTS_BUCKET, type Account } from "@hypecast/contracts/account.ts";
import type { Config } from "@hypecast/runtime/config.ts";
import { openSecret } from "@hypecast/runtime/secret.ts";
import { helixModeration } from "@hypecast/runtime/twitch/helix.ts";
import { twitchId } from "@hypecast/runtime/twitch/id.ts";
import { BROADCAST_SCOPES } from "@hypecast/runtime/twitch/scopes.ts";
import { sealTokens } from "@hypecast/runtime/twitch/tokens.ts";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";

/** The third of the demo's channels stays unconnected: what moderators do there is a recommendation. */
const CONNECTED = ["pepel_lamp", "nightfern"] as const;
/** Nothing listens there: the code is read from where the stand-in would send a browser. */
const BACK = "http://127.0.0.1/auth/callback";

/**
 * Connects the demo's broadcasters, as they would by signing in once: the same code flow, with our stand-in for Twitch saying yes. Moderation
 * then reaches the stand-in, and it is heard, without anybody signing in. An account that somebody has signed in with stays as it is.
 */
export async function seedTheAccounts(
  config: Config,
  bus: NatsConnection,
  tell: (line: string) => void,
): Promise<void> {
  const bucket = await new Kvm(bus).open(ACCOUNTS_BUCKET);
  const id = twitchId(config);
  const helix = helixModeration(config);
  const secret = openSecret(config);
  for (const login of CONNECTED) {
    const page = new URL(
      id.authorizeUrl({
        redirectUri: BACK,
        scopes: BROADCAST_SCOPES,
        state: "",
        codeChallenge: null,
        forceVerify: false,
      }),
    );
    page.searchParams.set("as", login);
    const sent = await fetch(page, { redirect: "manual" });
    const code = new URL(sent.headers.get("location") ?? BACK).searchParams.get("code") ?? "";
    const tokens = await id.exchange(code, BACK, null);
    if (tokens.kind !== "ok") throw new Error(`the demo's ${login} could not be connected: ${tokens.said}`);
    const who = await id.validate(tokens.data.access);
    if (who.kind !== "ok") throw new Error(`the demo's ${login} could not be connected: ${who.said}`);
    const known = account.safeParse(jsonOf((await bucket.get(who.data.userId))?.value));
    if (known.success && known.data.tokens !== null && known.data.problem === null) continue;
    const moderates = await helix.moderatedChannels(tokens.data.access, who.data.userId);
    const nowMs = Date.now();
    const connected: Account = {
      userId: who.data.userId,
      login,
      name: login,
      tokens: sealTokens(secret, tokens.data),
      scopes: [...tokens.data.scopes],
      expiresAtMs: tokens.data.expiresAtMs,
      moderates: moderates.kind === "ok" ? moderates.data : [],
      rolesAtMs: nowMs,
      problem: null,
      signedInAtMs: nowMs,
    };
    await bucket.put(who.data.userId, JSON.stringify(connected));
    tell(`the demo's ${login} is connected: moderation acts in their name`);
  }
}

function jsonOf(body: Uint8Array | undefined): unknown {
  try {
    return body === undefined ? null : JSON.parse(new TextDecoder().decode(body));
  } catch {
    return null;
  }
}
