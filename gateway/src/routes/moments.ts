import { markerFile } from "@hypecast/contracts/markers.ts";
import type { Moment } from "@hypecast/contracts/moment.ts";
import { momentList } from "@hypecast/contracts/question.ts";
import type { z } from "zod";
import { ProblemError } from "../problems.ts";
import { spanOfVod } from "../vods.ts";
import { askedOf } from "./asked.ts";
import { given } from "./given.ts";
import { FileAnswer, type Handlers, type Parts } from "./handlers.ts";

/** Marks are of what was seen: the log keeps so long, and clocks differ a little. */
const MARK_AGE_MS = 48 * 3_600_000;
const MARK_AHEAD_MS = 60_000;
/** A moment begins so close to the peak that its id names. */
const AROUND_MS = 15 * 60_000;
const MOST_MARKERS = 1000;

/** Moments, and what people say of them. */
export function momentHandlers(parts: Parts) {
  const { channels, vods, moments, videoStates, ask } = parts;
  const { watched, channelIdOf, spanned } = askedOf(parts);
  type List = z.infer<typeof momentList.answer>;
  /** As people want them: without the discarded, with the ends where they have put them. */
  const asDecided = (found: readonly Moment[]): Moment[] =>
    found.flatMap((moment) => {
      const decision = moments.decisionOn(moment.id);
      if (decision?.verdict === "discarded") return [];
      return {
        ...moment,
        startMs: decision?.startMs ?? moment.startMs,
        endMs: decision?.endMs ?? moment.endMs,
      };
    });
  return {
    async channelMoments({ params, query }) {
      const list = JSON.parse(await spanned(momentList, params, query)) as List;
      return {
        ...list,
        moments: list.moments.map((moment) => ({ ...moment, decision: moments.decisionOn(moment.id) })),
      };
    },
    async decideMoment({ params: { login, id }, body: { verdict, startMs, endMs } }) {
      const channelId = channelIdOf(login);
      const peakMs = peakIn(id, channelId);
      const change = given({ verdict, startMs, endMs });
      // Where only one end is a person's, the other is the machine's. While the store is away what is known is checked.
      const machine =
        startMs === undefined && endMs === undefined
          ? null
          : await ask(momentList, {
              channelId,
              fromMs: peakMs - AROUND_MS,
              toMs: peakMs + AROUND_MS,
              limit: 1000,
            }).then(
              (text) => (JSON.parse(text) as List).moments.find((moment) => moment.id === id) ?? null,
              (): Moment | null => null,
            );
      return moments.decide({ momentId: id, channelId, login }, change, machine);
    },
    async markMoment({ params: { login }, body: { atMs = Date.now(), label, via } }) {
      watched(login);
      const channelId = channelIdOf(login);
      const agoMs = Date.now() - atMs;
      if (agoMs > MARK_AGE_MS || agoMs < -MARK_AHEAD_MS)
        throw new ProblemError("invalid_parameters", "atMs: not a time of the last 48 hours");
      const { id } = await moments.mark({ channelId, atMs, via, label });
      return { id, atMs };
    },
    async channelMarkers({ params: { login }, query: { format, fps, language, from, to } }) {
      const video = videoStates.get(login);
      const stream = vods.get(login);
      const endMs = to ?? (stream === null ? null : spanOfVod(stream).toMs) ?? video?.newestMs ?? Date.now();
      const zeroMs =
        from ??
        stream?.startMs ??
        channels.get(login)?.state?.stream?.startedAtMs ??
        video?.oldestMs ??
        undefined;
      const list = JSON.parse(
        await spanned(momentList, { login }, { from: zeroMs, to: endMs, limit: MOST_MARKERS }),
      ) as List;
      const file = markerFile(format, asDecided(list.moments), {
        zeroMs: zeroMs ?? list.moments.at(-1)?.startMs ?? endMs,
        endMs,
        fps,
        title: stream?.title ?? login,
        language,
      });
      if (file === null)
        throw new ProblemError("too_few_moments", "YouTube takes three chapters or more, ten seconds apart");
      return new FileAnswer(file.name, file.type, file.text);
    },
  } satisfies Partial<Handlers>;
}

/** The time in a moment's id. Throws ProblemError: it is none of this channel. */
function peakIn(id: string, channelId: string): number {
  const peak = /^([\w-]+):m:(\d{1,15})$/.exec(id);
  if (peak?.[1] !== channelId)
    throw new ProblemError("not_found", `${id.slice(0, 100)} is no moment of this channel`);
  return Number(peak[2]);
}
