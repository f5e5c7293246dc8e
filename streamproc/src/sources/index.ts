import type { ChannelState, WantedChannel } from "@hypecast/contracts/channel.ts";
import type { NatsConnection } from "@nats-io/transport-node";
import { openObjects } from "@hypecast/runtime/objects-open.ts";
import { watchOptOuts } from "@hypecast/runtime/opt-outs.ts";
import { openSecret } from "@hypecast/runtime/secret.ts";
import { reportHealth, type Health } from "@hypecast/runtime/report.ts";
import type { Process } from "@hypecast/runtime/run.ts";
import { openChannels } from "./channels.ts";
import { openEmotes } from "./emotes/sets.ts";
import { openHls } from "./hls/source.ts";
import { openLog } from "./publish.ts";
import { openShare, type Share } from "./share.ts";
import { askHelix } from "./twitch-chat/helix.ts";
import { openLimiter } from "./twitch-chat/limits.ts";
import { openTwitchChat, type TwitchChat } from "./twitch-chat/source.ts";
import { openRemovals } from "./twitch-eventsub/removals.ts";
import { openEventSub } from "./twitch-eventsub/source.ts";

/** Accounts tell at once when they change; channels that chat has joined meanwhile are looked for so often. */
const SETTLE_EVERY_MS = 500;

/** All live sources of this process. Channels come and go by the KV bucket; what is heard goes into the log. */
export async function startSources(process: Process, nc: NatsConnection): Promise<void> {
  const { config, log, instance, own } = process;
  let chat: TwitchChat | null = null;
  let share: Share | null = null;
  const sure = (): boolean => share?.sure() ?? true;

  const writer = own(await openLog(nc, log, sure));
  const account = config.TWITCH_LOGIN === "" ? "anonymous" : config.TWITCH_LOGIN.toLowerCase();
  const limiter = own(openLimiter(config.HYPECAST_REDIS_URL, account, () => share?.processes() ?? 1, log));
  const emotes = own(await openEmotes(config, log, (atMs) => chat?.dated(atMs)));
  const buckets = own(await openChannels(nc, log));
  const optOuts = own(await watchOptOuts(nc, openSecret(config), log));
  const removals = openRemovals();
  const { lastState } = buckets;
  chat = own(
    await openTwitchChat({ config, log, nc, writer, limiter, emotes, optOuts, removals, lastState }),
  );
  const { want, health } = chat;
  const chatStates = chat.states;
  const eventSub =
    config.TWITCH_CLIENT_ID === ""
      ? null
      : own(await openEventSub({ config, log, nc, writer, optOuts, removals, lastState }));
  const settling = setInterval(() => eventSub?.settle(chatStates()), SETTLE_EVERY_MS);
  own({ close: () => clearInterval(settling) });
  const states = (): ChannelState[] =>
    chatStates().map((state) => {
      const heard = eventSub?.stateOf(state.channelId);
      return heard === undefined ? state : { ...state, eventSub: heard };
    });
  const objects = own(openObjects(config));
  const video = own(await openHls({ config, log, nc, objects, chatState: buckets.lastState, sure }));
  const ours = (channels: WantedChannel[]): void => {
    want(channels.filter((one) => one.chat));
    video.want(channels);
  };
  share = own(await openShare(nc, instance, config.HYPECAST_NATS_REPLICAS, log, ours));
  await buckets.follow(share.want, states);
  own(askHelix(config, log, chat));
  own(
    reportHealth(nc, "sources", instance, () => {
      const both = joined(health(), video.health());
      if (eventSub === null) return both;
      const { reason, live } = eventSub.figures();
      const figures = { ...both.figures, moderationHeard: live };
      return both.status === "ok" && reason !== null
        ? { status: "degraded", reason, figures }
        : { ...both, figures };
    }),
  );
}

/** What is wrong with chat is said before what is wrong with video. */
const joined = (chat: Health, video: Health): Health => ({
  ...(chat.status === "ok" ? video : chat),
  figures: { ...chat.figures, ...video.figures },
});
