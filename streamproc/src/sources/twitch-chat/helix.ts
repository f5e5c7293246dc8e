import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { ChannelState } from "@hypecast/contracts/channel.ts";
import type { Config } from "@hypecast/runtime/config.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { TwitchChat } from "./source.ts";

/** Title, game and start change seldom; a hundred channels are one call, of 800 a minute that an application may make. */
const ASK_EVERY_MS = 60_000;
/** A channel that is new, or was refused, is looked up at once. */
const LOOK_EVERY_MS = 2_000;
const PER_CALL = 100;
const TIMEOUT_MS = 10_000;

const token = z.object({ access_token: z.string(), expires_in: z.number() });
const users = z.object({
  data: z.array(z.object({ id: z.string(), login: z.string(), display_name: z.string() })),
});
const streams = z.object({
  data: z.array(
    z.object({
      user_login: z.string(),
      title: z.string(),
      game_name: z.string(),
      started_at: z.string(),
    }),
  ),
});

/**
 * Asks Helix about the channels: display name, whether they exist (and what a renamed one is called now), title, game and
 * start of a live stream. Does nothing without an application id and secret. A Helix that is down costs only that.
 */
export function askHelix(
  config: Config,
  log: Logger,
  chat: Pick<TwitchChat, "states" | "describe" | "dated">,
): { close(): void } {
  const stop = new AbortController();
  if (config.TWITCH_CLIENT_ID === "" || config.TWITCH_CLIENT_SECRET === "") return { close() {} };
  let bearer = "";
  let bearerUntil = 0;
  let pausedUntil = 0;

  const signal = (): AbortSignal => AbortSignal.any([stop.signal, AbortSignal.timeout(TIMEOUT_MS)]);

  const authorise = async (): Promise<void> => {
    const answer = await fetch(`${config.TWITCH_ID_URL}/token`, {
      method: "POST",
      signal: signal(),
      body: new URLSearchParams({
        client_id: config.TWITCH_CLIENT_ID,
        client_secret: config.TWITCH_CLIENT_SECRET,
        grant_type: "client_credentials",
      }),
    });
    if (!answer.ok)
      throw new Error(
        `Twitch gave no application token (${answer.status}): check TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET`,
      );
    const said = token.parse(await answer.json());
    bearer = said.access_token;
    bearerUntil = performance.now() + Math.max(60, said.expires_in - 60) * 1000;
  };

  const get = async <Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> => {
    if (performance.now() > bearerUntil) await authorise();
    const answer = await fetch(`${config.TWITCH_HELIX_URL}/${path}`, {
      signal: signal(),
      headers: { "client-id": config.TWITCH_CLIENT_ID, authorization: `Bearer ${bearer}` },
    });
    const date = Date.parse(answer.headers.get("date") ?? "");
    if (!Number.isNaN(date)) chat.dated(date);
    if (answer.status === 401) bearerUntil = 0;
    if (answer.status === 429) {
      const reset = Number(answer.headers.get("ratelimit-reset")) * 1000 - Date.now();
      pausedUntil = performance.now() + Math.min(Math.max(reset || 0, 5_000), 60_000);
    }
    if (!answer.ok) {
      await answer.body?.cancel();
      throw new Error(`Helix answered ${answer.status}`);
    }
    return schema.parse(await answer.json());
  };

  const lookUp = async (states: readonly ChannelState[]): Promise<void> => {
    const logins = states.map((state) => state.login);
    const found = await get(`users?${query("login", logins)}`, users);
    const byLogin = new Map(found.data.map((user) => [user.login.toLowerCase(), user]));
    const missing = states.filter((state) => !byLogin.has(state.login));
    const ids = missing.flatMap((state) => state.channelId ?? []);
    const renamed = ids.length === 0 ? { data: [] } : await get(`users?${query("id", ids)}`, users);
    for (const { login, channelId } of states) {
      const user = byLogin.get(login);
      if (user !== undefined) {
        chat.describe(login, { name: user.display_name });
        continue;
      }
      const now = renamed.data.find((other) => other.id === channelId);
      if (now === undefined)
        chat.describe(login, { gone: "not_found", reason: "Twitch knows no channel of this name" });
      else chat.describe(login, { gone: "renamed", reason: `the channel is called ${now.login} now` });
    }
  };

  const askStreams = async (logins: readonly string[]): Promise<void> => {
    const found = await get(`streams?first=${PER_CALL}&${query("user_login", logins)}`, streams);
    const live = new Map(found.data.map((stream) => [stream.user_login.toLowerCase(), stream]));
    for (const login of logins) {
      const stream = live.get(login);
      const startedAtMs = Date.parse(stream?.started_at ?? "");
      chat.describe(login, {
        stream:
          stream === undefined || Number.isNaN(startedAtMs)
            ? null
            : { title: stream.title, game: stream.game_name, startedAtMs },
      });
    }
  };

  const follow = async (): Promise<void> => {
    /** What is known of each channel, and in which state it was looked up. */
    const known = new Map<string, { asked: number; refused: boolean }>();
    let failing = false;
    for (;;) {
      try {
        const states = chat.states().filter((state) => state.state !== "paused");
        const now = performance.now();
        const due = states.filter((state) => {
          const before = known.get(state.login);
          return (
            before === undefined || now - before.asked > ASK_EVERY_MS || refused(state) !== before.refused
          );
        });
        for (let from = 0; from < due.length; from += PER_CALL) {
          if (performance.now() < pausedUntil) break;
          const some = due.slice(from, from + PER_CALL);
          for (const state of some) known.set(state.login, { asked: now, refused: refused(state) });
          await lookUp(some);
          await askStreams(some.map((state) => state.login));
        }
        failing = false;
      } catch (error) {
        if (stop.signal.aborted) return;
        if (!failing) log.warn({ err: error }, "Helix does not answer: no titles and games");
        failing = true;
        pausedUntil = Math.max(pausedUntil, performance.now() + 15_000);
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal: stop.signal }).catch(() => {});
      if (stop.signal.aborted) return;
    }
  };
  void follow();
  return { close: () => stop.abort() };
}

const refused = (state: ChannelState): boolean =>
  state.state === "join_refused" || state.state === "suspended" || state.state === "not_found";

const query = (name: string, values: readonly string[]): string =>
  values.map((value) => `${name}=${encodeURIComponent(value)}`).join("&");
