import { STREAM_PATHS } from "@hypecast/contracts/api-vods.ts";
import type { Answer } from "@hypecast/contracts/oracle.ts";
import type { Clip } from "@hypecast/contracts/clip.ts";
import type { Person } from "@hypecast/contracts/journal.ts";
import { isVodId, type Vod } from "@hypecast/contracts/vod.ts";
import { isWriting } from "../answers.ts";
import { createFollow, type Follow, type Told } from "../events.ts";
import type { Reply, Request } from "../http.ts";
import { placesOf } from "../places.ts";
import { ProblemError } from "../problems.ts";
import type { Parts } from "./handlers.ts";
import { authoriseAnswer, authoriseTask } from "./needs.ts";

/** Who follows what: told of every change of the records. */
export interface Following {
  readonly streams: Follow<Vod>;
  readonly clips: Follow<Clip>;
  readonly answers: Follow<Answer>;
}
export const createFollowing = (): Following => ({
  streams: createFollow(),
  clips: createFollow(),
  answers: createFollow(),
});

const pattern = (path: string): RegExp => new RegExp(`^${path.replace(/\{\w+\}/, "([^/]+)")}$`);
const JOB = pattern(STREAM_PATHS.jobEvents);
const ANSWER = pattern(STREAM_PATHS.answerEvents);

/** Server-sent events of imports, renders and answers. Null: the path is none of these. Throws ProblemError. */
export function serveEvents(
  parts: Pick<Parts, "vods" | "clips" | "answers" | "channels" | "roles">,
  following: Following,
): (request: Request, person: Person) => Reply | null {
  const { vods, clips, answers } = parts;
  const answerTold = (answer: Answer): Told => ({
    revision: answer.revision,
    isFinal: !isWriting(answer),
    data: {
      ...answer,
      hits: placesOf(parts, answer.hits),
      nearest: placesOf(parts, answer.nearest),
    },
  });
  return (request, person) => {
    const task = JOB.exec(request.path)?.[1];
    if (task !== undefined) {
      const authorise = (): void => authoriseTask(parts, person, task);
      const reply = isVodId(task)
        ? following.streams.reply(task, vods.get, vodTold, request, authorise)
        : following.clips.reply(task, clips.get, clipTold, request, authorise);
      if (reply === null) throw new ProblemError("task_not_found", `there is no task ${task.slice(0, 64)}`);
      return reply;
    }
    const asked = ANSWER.exec(request.path)?.[1];
    if (asked === undefined) return null;
    const authorise = (): void => authoriseAnswer(parts, person, asked);
    const reply = following.answers.reply(asked, answers.get, answerTold, request, authorise);
    if (reply === null)
      throw new ProblemError("answer_not_found", `there is no answer ${asked.slice(0, 64)}`);
    return reply;
  };
}

const vodTold = (stream: Vod): Told => ({
  revision: stream.revision,
  isFinal: stream.status !== "processing",
  data: stream,
});
const clipTold = (clip: Clip): Told => ({
  revision: clip.revision,
  isFinal: clip.state !== "queued" && clip.state !== "running",
  data: clip,
});
