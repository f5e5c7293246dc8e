import type { NatsConnection } from "@nats-io/transport-node";
import { reportHealth } from "@hypecast/runtime/report.ts";
import type { Process } from "@hypecast/runtime/run.ts";
import { openChannels } from "./channels.ts";
import { openEmotes } from "./emotes/sets.ts";
import { openLog } from "./publish.ts";
import { openLimiter } from "./twitch-chat/limits.ts";
import { openTwitchChat } from "./twitch-chat/source.ts";

/** All live sources of this process. Channels come and go by the KV bucket; what is heard goes into the log. */
export async function startSources(process: Process, nc: NatsConnection): Promise<void> {
  const { config, log, instance } = process;
  const writer = process.own(await openLog(nc, log));
  const account = config.TWITCH_LOGIN === "" ? "anonymous" : config.TWITCH_LOGIN.toLowerCase();
  const limiter = process.own(openLimiter(config.HYPECAST_REDIS_URL, account, () => 1, log));
  let dated = (_atMs: number): void => {};
  const emotes = process.own(await openEmotes(config, log, (atMs) => dated(atMs)));
  const buckets = process.own(await openChannels(nc, log));
  const chat = await openTwitchChat({
    config,
    log,
    nc,
    writer,
    limiter,
    emotes,
    lastState: (login) => buckets.lastState(login),
  });
  process.own(chat);
  dated = (atMs) => chat.dated(atMs);
  await buckets.follow(
    (wanted) => chat.want(wanted),
    () => chat.states(),
  );
  process.own(reportHealth(nc, "sources", instance, () => chat.health()));
}
