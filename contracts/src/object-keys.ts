import { vodIdOf, vodPrefix } from "./vod.ts";

/**
 * Where files of a channel's picture lie in `objects`. Everything of an imported stream has one prefix, whatever run it was made in, so that
 * deletion finds it and nothing else ages it away.
 */
const folder = (kind: "video" | "frames" | "thumbs" | "measured", channelId: string): string => {
  const id = vodIdOf(channelId);
  return id === null ? `${kind}/${channelId}` : `${vodPrefix(id)}${kind}`;
};

/** `<epoch>/<file>` stand behind it. */
export const segmentFolder = (channelId: string): string => folder("video", channelId);
export const segmentKey = (channelId: string, epoch: number | string, file: string): string =>
  `${segmentFolder(channelId)}/${epoch}/${file}`;
export const framesKey = (channelId: string, epoch: number, seq: number): string =>
  `${folder("frames", channelId)}/${epoch}/${seq}.rgb`;
export const thumbKey = (channelId: string, epoch: number | string, seq: number | string): string =>
  `${folder("thumbs", channelId)}/${epoch}/${seq}.jpg`;
/** What was measured of an imported stream's segment, JSON in zstd: the log forgets it, and the run that joins chat and picture needs it. */
export const measuredKey = (channelId: string, epoch: number, seq: number): string =>
  `${folder("measured", channelId)}/${epoch}/${seq}.json.zst`;
