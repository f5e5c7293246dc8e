import type { VideoState } from "@hypecast/contracts/video.ts";

/** The states of a channel's picture; a list here, so that the page need not bring the schemas. */
const STATES: Record<VideoState["state"], true> = {
  off: true,
  waiting: true,
  live: true,
  stalled: true,
  ended: true,
  paused: true,
  refused: true,
  failed: true,
};
export const VIDEO_STATES = Object.keys(STATES) as VideoState["state"][];
