import type { Clip, ClipRequest } from "@hypecast/contracts/clip.ts";
import type { VideoSegment } from "@hypecast/contracts/video.ts";
import { channelIdOf } from "../places.ts";
import { ProblemError } from "../problems.ts";
import type { Handlers, Parts } from "./handlers.ts";

const MOST_LISTED = 500;

/** Clips: asked for, listed, changed, deleted. */
export function clipHandlers(parts: Parts) {
  const { clips } = parts;
  return {
    makeClip: ({ body }) => makeClip(parts, body),
    listClips({ query: { login, state, before, limit } }) {
      if (limit < 1 || limit > MOST_LISTED)
        throw new ProblemError("invalid_parameters", `limit: 1 to ${MOST_LISTED}`);
      const older = clips
        .list({ login, state })
        .filter(({ createdAtMs }) => before === undefined || createdAtMs < before);
      return { clips: older.slice(0, limit), more: older.length > limit };
    },
    getClip({ params: { id } }) {
      const clip = clips.get(id);
      if (clip === null) throw new ProblemError("clip_not_found", `there is no clip ${id}`);
      return clip;
    },
    changeClip: ({ params: { id }, body }) => clips.change(id, body),
    async removeClip({ params: { id } }) {
      await clips.remove(id);
      return {};
    },
  } satisfies Partial<Handlers>;
}

/** Queues a clip of what is kept. */
export async function makeClip(parts: Parts, request: ClipRequest): Promise<Clip> {
  const { clips, kept, videoStates } = parts;
  const channelId = channelIdOf(parts, request.login);
  const state = videoStates.get(request.login);
  const segments = await kept.within(state, request.startMs, request.endMs);
  return clips.make(request, channelId, state, shownMs(segments, request));
}

/** How much of the span has a picture that is no advertisement. */
function shownMs(
  segments: readonly VideoSegment[],
  { startMs, endMs }: Pick<ClipRequest, "startMs" | "endMs">,
): number {
  let sum = 0;
  for (const segment of segments)
    if (!segment.ad && segment.source !== null)
      sum += Math.max(
        0,
        Math.min(endMs, segment.startMs + segment.durationMs) - Math.max(startMs, segment.startMs),
      );
  return sum;
}
