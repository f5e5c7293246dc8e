import type { NatsConnection } from "@nats-io/transport-node";
import type { ChannelSummary, SystemState, Topic } from "@hypecast/contracts/push.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Channels } from "../channels.ts";
import type { Hub } from "../push/hub.ts";
import { feedChannelList } from "./channel-list.ts";
import { feedChat } from "./chat.ts";
import { feedFolds } from "./folds.ts";
import { feedLive } from "./live.ts";
import { feedSystem } from "./system.ts";

export interface Feeds {
  readonly system: () => SystemState;
  now(channelId: string): ChannelSummary["now"];
  watched(topic: Topic, watched: boolean): void;
  columnOf(topic: Topic): (() => string | null) | undefined;
  forget(login: string): void;
  close(): void;
}

/** From the bus to the topics: one feed a kind of topic. */
export function feedAll(
  nc: NatsConnection,
  hub: Hub,
  channels: Channels,
  version: string,
  log: Logger,
): Feeds {
  const live = feedLive(nc, hub, channels.loginOf);
  const system = feedSystem(nc, hub, version);
  const chat = feedChat(nc, hub, channels.loginOf);
  const folds = feedFolds(nc, hub, channels, log);
  const list = feedChannelList(channels, hub);
  return {
    system: system.state,
    now: live.now,
    watched(topic, watched) {
      // Nobody was looking, so its numbers may be old.
      if (topic === "channels" && watched) return list.watched();
      const [kind, login = ""] = topic.split(":");
      const channelId = channels.idOf(login);
      if (channelId === null) return;
      if (kind === "live" && watched) live.watched(channelId, login);
      if (kind === "chat" && watched) chat.watched(channelId, login);
    },
    columnOf(topic) {
      const [kind, login = ""] = topic.split(":");
      if (kind !== "chat") return undefined;
      return () => {
        const channelId = channels.idOf(login);
        return channelId === null ? null : chat.column(channelId);
      };
    },
    forget(login) {
      chat.forget(login);
      for (const kind of ["live", "chat", "events", "video"] as const) hub.forget(`${kind}:${login}`);
    },
    close() {
      for (const feed of [live, chat, folds, system, list]) feed.close();
    },
  };
}
