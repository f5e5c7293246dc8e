import type { Vod } from "@hypecast/contracts/vod.ts";
import type { VodStatus } from "@hypecast/contracts/vod-words.ts";
import { cursorAfter, readCursor } from "../cursors.ts";
import { ProblemError } from "../problems.ts";
import { taskOf } from "../tasks.ts";
import type { Handlers, Parts } from "./handlers.ts";

const MOST_LISTED = 200;

/** Imported streams: asked for, listed, changed, deleted; and how far tasks are. */
export function streamHandlers(parts: Pick<Parts, "vods" | "clips" | "roles">) {
  const { vods, roles } = parts;
  return {
    async addStream({ body }) {
      const { stream, existing } = await vods.add(body);
      return { task_id: stream.id, stream, existing };
    },
    listStreams({ query: { cursor, limit, ...filter }, person }) {
      if (limit < 1 || limit > MOST_LISTED)
        throw new ProblemError("invalid_parameters", `limit: 1 to ${MOST_LISTED}`);
      const nowMs = Date.now();
      const after = cursor === undefined ? null : readCursor(cursor, filter, nowMs);
      const { status, sort, ...rest } = filter;
      const fitting = vods
        .list()
        .filter((stream) => fits(stream, rest) && roles.may(person, stream.id, "analyst"));
      const counts: Record<VodStatus, number> = { processing: 0, ready: 0, error: 0 };
      for (const stream of fitting) counts[stream.status]++;
      const ordered = fitting
        .filter((stream) => status === undefined || stream.status === status)
        .map((stream) => ({ stream, by: SORTED_BY[sort](stream) }))
        .sort((a, b) => b.by - a.by || (a.stream.id < b.stream.id ? 1 : -1));
      const from =
        after === null
          ? 0
          : ordered.findIndex(({ stream, by }) => by < after[0] || (by === after[0] && stream.id < after[1]));
      const page = from < 0 ? [] : ordered.slice(from, from + limit);
      const last = page.at(-1);
      const more = last !== undefined && from + page.length < ordered.length;
      return {
        streams: page.map(({ stream }) => stream),
        counts,
        next: more ? cursorAfter([last.by, last.stream.id], filter, nowMs) : null,
      };
    },
    getStream: ({ params: { id } }) => found(vods.get(id), id),
    changeStream: ({ params: { id }, body }) => vods.change(id, body),
    async removeStream({ params: { id } }) {
      await vods.remove(id);
      return {};
    },
    taskStatus({ params: { task_id: id } }) {
      const task = taskOf(parts, id);
      if (task === null) throw new ProblemError("task_not_found", `there is no task ${id}`);
      return task;
    },
  } satisfies Partial<Handlers>;
}

const found = (stream: Vod | null, id: string): Vod => {
  if (stream === null) throw new ProblemError("stream_not_found", `there is no imported stream ${id}`);
  return stream;
};

/** Largest first. */
const SORTED_BY = {
  newest: ({ createdAtMs }: Vod) => createdAtMs,
  oldest: ({ createdAtMs }: Vod) => -createdAtMs,
  longest: ({ durationS }: Vod) => durationS ?? 0,
  liveliest: ({ lines, durationS }: Vod) => lines / Math.max(60, durationS ?? 60),
} as const;

interface Filter {
  readonly channel?: string | undefined;
  readonly text?: string | undefined;
  readonly before?: number | undefined;
  readonly after?: number | undefined;
}

function fits(stream: Vod, { channel, text, before, after }: Filter): boolean {
  return (
    (channel === undefined || stream.broadcaster?.login === channel) &&
    (before === undefined || stream.createdAtMs < before) &&
    (after === undefined || stream.createdAtMs > after) &&
    (text === undefined || words(stream).includes(text.trim().toLowerCase()))
  );
}

/** What a person would know it by. */
const words = ({ title, broadcaster, game, twitchId }: Vod): string =>
  [title, broadcaster?.name, broadcaster?.login, game, twitchId].join("\n").toLowerCase();
