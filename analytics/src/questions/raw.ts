import { VOD_CHANNEL } from "@hypecast/contracts/event.ts";

/** Tables with what was written in a channel: an imported stream's are kept for good, a live channel's for hours. */
export const rawTables = (channelId: string): { lines: string; moderation: string } =>
  channelId.startsWith(VOD_CHANNEL)
    ? { lines: "vod_lines", moderation: "vod_moderation" }
    : { lines: "chat_lines", moderation: "chat_moderation" };
