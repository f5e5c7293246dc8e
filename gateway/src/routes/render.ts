import { chatOverlay, clipRequest, type Clip, type ClipRequest } from "@hypecast/contracts/clip.ts";
import { isVodId } from "@hypecast/contracts/vod.ts";
import { ProblemError } from "../problems.ts";
import { channelIdOf } from "../places.ts";
import { makeClip } from "./clips.ts";
import type { Handlers, Input, Parts } from "./handlers.ts";

type Part = Input<"render">["body"]["parts"][number];

/** Places to MP4: each a clip, numbered where there are several, or all of them one film. */
export function renderHandlers(parts: Parts) {
  const { vods, channels } = parts;
  /** Event time of a stream's second 0. */
  const zeroOf = (stream: string): number => {
    channelIdOf(parts, stream);
    const zeroMs = isVodId(stream)
      ? vods.get(stream)?.startMs
      : channels.get(stream)?.state?.stream?.startedAtMs;
    if (zeroMs === undefined || zeroMs === null)
      throw new ProblemError(
        "invalid_parameters",
        `${stream}: it is not known when this stream began; POST /api/v1/clips takes times of the clock`,
      );
    return zeroMs;
  };
  const requestOf = (part: Part, title: string, body: Input<"render">["body"]): ClipRequest => {
    const zeroMs = zeroOf(part.stream);
    return clipRequest.parse({
      login: part.stream,
      startMs: Math.round(zeroMs + part.fromS * 1000),
      endMs: Math.round(zeroMs + part.toS * 1000),
      layouts: body.layouts,
      chat: chatOverlay.parse({ on: body.chat }),
      title,
    });
  };
  return {
    async render({ body }) {
      if (body.as === "film" && body.parts.length > 1)
        throw new ProblemError("invalid_parameters", "as: films are not made yet");
      const requests = body.parts.map((part, i) => requestOf(part, titleOf(body, i), body));
      const made: Clip[] = [];
      for (const request of requests) made.push(await makeClip(parts, request));
      return { task_ids: made.map(({ id }) => id) };
    },
  } satisfies Partial<Handlers>;
}

function titleOf({ title, parts }: Input<"render">["body"], i: number): string {
  const own = parts[i]?.title === "" ? title : (parts[i]?.title ?? title);
  return parts.length === 1 ? own : `${i + 1}. ${own}`.trim().slice(0, 140);
}
