import { clipRequest, filmProblem, type ClipPart, type ClipRequest } from "@hypecast/contracts/clip.ts";
import { isVodId } from "@hypecast/contracts/vod.ts";
import { batchIdOf, type ClipOrder } from "../clips.ts";
import { ProblemError } from "../problems.ts";
import { channelIdOf, timecodeOf } from "../places.ts";
import { spanOfVod } from "../vods.ts";
import { checkClip, countClips } from "./clips.ts";
import type { Handlers, Input, Parts } from "./handlers.ts";

type Body = Input<"render">["body"];
type Part = Body["parts"][number];

/** Places to MP4: each a clip, numbered where there are several, or all of them one film. Nothing is made where one of them cannot be. */
export function renderHandlers(parts: Parts) {
  const { vods, channels, layouts, clips } = parts;
  /** Event time of a stream's second 0. */
  const zeroOf = ({ stream, fromS }: Part): number => {
    channelIdOf(parts, stream);
    const vod = isVodId(stream) ? vods.get(stream) : null;
    if (vod !== null) {
      const { fromMs, toMs } = spanOfVod(vod);
      if (fromMs + fromS * 1000 >= toMs)
        throw new ProblemError(
          "invalid_parameters",
          `${stream}: it ends at ${timecodeOf((toMs - fromMs) / 1000)}, before ${timecodeOf(fromS)}`,
        );
      return fromMs;
    }
    const zeroMs = channels.get(stream)?.state?.stream?.startedAtMs;
    if (zeroMs === undefined || zeroMs === null)
      throw new ProblemError(
        "invalid_parameters",
        `${stream}: it is not known when this stream began; POST /api/v1/clips takes times of the clock`,
      );
    return zeroMs;
  };
  /** A part as it can be made. `auto` takes the picture where there is one, and chat alone elsewhere. */
  const partOf = async (part: Part, picture: Body["picture"]): Promise<ClipPart> => {
    const zeroMs = zeroOf(part);
    const span = {
      login: part.stream,
      startMs: Math.round(zeroMs + part.fromS * 1000),
      endMs: Math.round(zeroMs + part.toS * 1000),
    };
    const as = async (of: ClipPart["picture"]): Promise<ClipPart> => ({
      ...span,
      channelId: await checkClip(parts, { ...span, picture: of }),
      picture: of,
      title: part.title,
    });
    if (picture !== "auto") return as(picture);
    try {
      return await as("video");
    } catch (error) {
      if (error instanceof ProblemError && WITHOUT_PICTURE.has(error.code)) return as("chat");
      throw error;
    }
  };
  const requestOf = (part: ClipPart, title: string, body: Body): ClipRequest => {
    const { login, startMs, endMs, picture } = part;
    const { cropX, chat } = layouts.of(login);
    return clipRequest.parse({
      login,
      startMs,
      endMs,
      picture,
      layouts: body.layouts,
      cropX,
      chat: { ...chat, on: body.chat },
      title,
    });
  };
  return {
    async render({ body }) {
      const made: ClipPart[] = [];
      for (const part of body.parts) made.push(await partOf(part, body.picture));
      const [first] = made;
      if (first === undefined) throw new ProblemError("invalid_parameters", "parts: name one");
      const orders =
        body.as === "film" && made.length > 1 ? [filmOf(first, made, body)] : clipsOf(made, body);
      const ids: string[] = [];
      for (const order of orders) ids.push((await clips.make(order)).id);
      for (const stream of new Set(made.map(({ login }) => login))) await countClips(parts, stream);
      return { task_ids: ids };
    },
  } satisfies Partial<Handlers>;

  function filmOf(first: ClipPart, all: ClipPart[], body: Body): ClipOrder {
    const problem = filmProblem(all);
    if (problem !== null) throw new ProblemError("invalid_parameters", problem.detail);
    return {
      request: requestOf(first, body.title, body),
      channelId: first.channelId,
      parts: all,
      batch: null,
    };
  }

  function clipsOf(all: readonly ClipPart[], body: Body): ClipOrder[] {
    const batch = all.length === 1 ? null : batchIdOf(body);
    return all.map((part, i) => ({
      request: requestOf(part, part.title === "" ? body.title : part.title, body),
      channelId: part.channelId,
      parts: [],
      batch: batch === null ? null : { id: batch, number: i + 1, of: all.length },
    }));
  }
}

/** Why there may be no picture although there is chat. */
const WITHOUT_PICTURE: ReadonlySet<string> = new Set([
  "no_video",
  "clip_not_kept",
  "clip_not_yet",
  "clip_nothing_left",
]);
