import type { NatsConnection } from "@nats-io/transport-node";
import { VIDEO_STATE_BUCKET, videoState, type VideoState } from "@hypecast/contracts/video.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { isVodId } from "@hypecast/contracts/vod.ts";
import { keepBucket, type Kept } from "./bucket.ts";
import { videoStateOfVod, type Vods } from "./vods.ts";

/** What the source says of each channel's picture, by login. */
export type VideoStates = Pick<Kept<VideoState>, "get" | "ready" | "close">;

export const watchVideoStates = (
  nc: NatsConnection,
  log: Logger,
  changed: (login: string, state: VideoState | null) => void,
): Promise<VideoStates> => keepBucket(nc, VIDEO_STATE_BUCKET, videoState, log, changed);

/** The same of imported streams too, by their ids. */
export const withVods = (live: VideoStates, vods: Pick<Vods, "get">): VideoStates => ({
  ...live,
  get(login) {
    if (!isVodId(login)) return live.get(login);
    const stream = vods.get(login);
    return stream === null ? null : videoStateOfVod(stream);
  },
});
