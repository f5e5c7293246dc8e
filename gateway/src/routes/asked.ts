import type { ChannelSummary } from "@hypecast/contracts/push.ts";
import type { Question } from "@hypecast/contracts/question.ts";
import { isVodId } from "@hypecast/contracts/vod.ts";
import { channelIdOf } from "../places.ts";
import { ProblemError } from "../problems.ts";
import { spanOfVod } from "../vods.ts";
import type { Parts } from "./handlers.ts";

const HOUR_MS = 3_600_000;
/** A span of a live channel without `from` begins so long before its end. */
const SPAN_MS = 2 * HOUR_MS;

export interface Asked {
  readonly watched: (login: string) => ChannelSummary;
  /** Throws ProblemError unless it is a watched channel or an imported stream. */
  readonly known: (login: string) => void;
  /** What was measured of a channel stays readable after it was removed, as long as its state names it. */
  readonly channelIdOf: (login: string) => string;
  /** Asks about a span of a channel; of an imported stream, all of it where nothing else is said. */
  readonly spanned: (
    question: Question,
    channel: { login: string },
    query: { from?: number | undefined; to?: number | undefined; [more: string]: unknown },
  ) => Promise<string>;
}

/** What many routes ask first: which channel, which span. Throws ProblemError where there is none. */
export function askedOf(parts: Pick<Parts, "channels" | "vods" | "ask">): Asked {
  const { channels, vods, ask } = parts;
  const watched = (login: string): ChannelSummary => {
    const summary = channels.get(login);
    if (summary === null) throw new ProblemError("channel_not_watched", `${login} is not watched`);
    return summary;
  };
  return {
    watched,
    known(login) {
      if (!isVodId(login)) watched(login);
      else if (vods.get(login) === null)
        throw new ProblemError("stream_not_found", `there is no imported stream ${login}`);
    },
    channelIdOf: (login) => channelIdOf(parts, login),
    spanned(question, { login }, { from, to, ...rest }) {
      const channelId = channelIdOf(parts, login);
      const stream = isVodId(login) ? vods.get(login) : null;
      const whole = stream === null ? null : spanOfVod(stream);
      const toMs = to ?? whole?.toMs ?? Date.now();
      const fromMs = from ?? whole?.fromMs ?? toMs - SPAN_MS;
      if (fromMs >= toMs) throw new ProblemError("invalid_parameters", "from: must be before to");
      return ask(question, { channelId, fromMs, toMs, ...rest });
    },
  };
}
