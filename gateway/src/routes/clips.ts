import type { ClipRequest } from "@hypecast/contracts/clip.ts";
import type { VideoSegment } from "@hypecast/contracts/video.ts";
import { isVodId } from "@hypecast/contracts/vod.ts";
import { checkSpan, loginsOf } from "../clips.ts";
import { channelIdOf } from "../places.ts";
import { ProblemError } from "../problems.ts";
import type { Handlers, Parts } from "./handlers.ts";

const MOST_LISTED = 500;

/** Clips: asked for, listed, changed, deleted. */
export function clipHandlers(parts: Parts) {
  const { clips, roles } = parts;
  return {
    async makeClip({ body }) {
      const channelId = await checkClip(parts, body);
      const made = await clips.make({ request: body, channelId, parts: [], batch: null });
      await countClips(parts, made.login);
      return made;
    },
    listClips({ query: { login, state, before, limit }, person }) {
      if (limit < 1 || limit > MOST_LISTED)
        throw new ProblemError("invalid_parameters", `limit: 1 to ${MOST_LISTED}`);
      const older = clips
        .list({ login, state })
        .filter(
          (clip) =>
            (before === undefined || clip.createdAtMs < before) &&
            loginsOf(clip).every((of) => roles.may(person, of, "analyst")),
        );
      return { clips: older.slice(0, limit), more: older.length > limit };
    },
    getClip({ params: { id } }) {
      const clip = clips.get(id);
      if (clip === null) throw new ProblemError("clip_not_found", `there is no clip ${id}`);
      return clip;
    },
    changeClip: ({ params: { id }, body }) => clips.change(id, body),
    async removeClip({ params: { id } }) {
      const login = clips.get(id)?.login;
      await clips.remove(id);
      if (login !== undefined) await countClips(parts, login);
      return {};
    },
  } satisfies Partial<Handlers>;
}

/** An imported stream says how many clips of it there are. That it does not, for once, is no reason to refuse the clip. */
export async function countClips(
  { clips, vods }: Pick<Parts, "clips" | "vods">,
  login: string,
): Promise<void> {
  if (isVodId(login)) await vods.haveClips(login, clips.list({ login }).length).catch(() => undefined);
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
