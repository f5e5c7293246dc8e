import type { Clip } from "@hypecast/contracts/clip.ts";
import type { MomentDecision } from "@hypecast/contracts/moment.ts";
import type { ClipChange, LiveEvent, StreamChange } from "@hypecast/contracts/push.ts";
import type { VideoState } from "@hypecast/contracts/video.ts";
import type { Vod } from "@hypecast/contracts/vod.ts";
import type { Hub } from "../push/hub.ts";
import { MOMENTS_MS } from "./folds.ts";

/** What stands in KV buckets, told to the topics as it changes. */
export interface BucketFeeds {
  readonly video: (login: string, state: VideoState | null) => void;
  readonly clip: (id: string, clip: Clip | null, isNews: boolean) => void;
  readonly stream: (id: string, stream: Vod | null, isNews: boolean) => void;
  readonly decision: (decision: MomentDecision) => void;
}

export const feedBuckets = (hub: Hub): BucketFeeds => ({
  video(login, state) {
    if (state === null) hub.forget(`video:${login}`);
    else hub.publish(`video:${login}`, JSON.stringify(state), Date.now());
  },
  clip(id, clip, isNews) {
    // A page that opens asks for the list, so what was there before is not told.
    if (!isNews) return;
    const change: ClipChange = clip ?? { id, removed: true };
    hub.publish("clips", JSON.stringify(change), Date.now());
  },
  stream(id, stream, isNews) {
    if (!isNews) return;
    const change: StreamChange = stream ?? { id, removed: true };
    hub.publish("streams", JSON.stringify(change), Date.now());
  },
  decision(decision) {
    const nowMs = Date.now();
    const keepMs = MOMENTS_MS - (nowMs - decision.atMs);
    if (keepMs <= 0) return;
    const event: LiveEvent = { kind: "decision", decision };
    hub.publish(`events:${decision.login}`, JSON.stringify(event), nowMs, keepMs);
  },
});
