import type { ChannelState } from "@hypecast/contracts/channel.ts";
import type { EmoteNames } from "./annotate.ts";

/** The third-party emotes that are in force in a channel, as of now. */
export interface ChannelEmotes {
  /** From now on this channel's sets are fetched and kept fresh. */
  use(channelId: string): void;
  of(channelId: string): { names: EmoteNames; hash: string };
  states(channelId: string): ChannelState["emotes"];
  close(): void;
}
