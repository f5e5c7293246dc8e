import type { ClipRequest } from "@hypecast/contracts/clip.ts";
import type { VideoSegment } from "@hypecast/contracts/video.ts";
import { checkSpan } from "../clips.ts";
import { channelIdOf } from "../places.ts";
import { ProblemError } from "../problems.ts";
import type { Handlers, Parts } from "./handlers.ts";

const MOST_LISTED = 500;

/** Clips: asked for, listed, changed, deleted. */
export function clipHandlers(parts: Parts) {
  const { clips } = parts;
  return {
    async makeClip({ body }) {
      return clips.make({ request: body, channelId: await checkClip(parts, body), parts: [], batch: null });
    },
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

type Span = Pick<ClipRequest, "login" | "startMs" | "endMs" | "picture">;

/** Looks whether a span can be made a clip of. Resolves to the id under which its channel stands in the store; throws ProblemError. */
export async function checkClip(
  parts: Pick<Parts, "channels" | "vods" | "kept" | "videoStates">,
  span: Span,
): Promise<string> {
  const channelId = channelIdOf(parts, span.login);
  const state = parts.videoStates.get(span.login);
  const segments = span.picture === "chat" ? [] : await parts.kept.within(state, span.startMs, span.endMs);
  checkSpan(span, state, shownMs(segments, span));
  return channelId;
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
