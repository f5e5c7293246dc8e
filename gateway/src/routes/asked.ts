import type { ChannelSummary } from "@hypecast/contracts/push.ts";
import type { Question } from "@hypecast/contracts/question.ts";
import type { Ask } from "../ask.ts";
import type { Channels } from "../channels.ts";
import { ProblemError } from "../problems.ts";

const HOUR_MS = 3_600_000;
/** A span without `from` begins so long before its end. */
const SPAN_MS = 2 * HOUR_MS;

export interface Asked {
  readonly watched: (login: string) => ChannelSummary;
  /** What was measured of a channel stays readable after it was removed, as long as its state names it. */
  readonly channelIdOf: (login: string) => string;
  /** Asks about a span of a channel. */
  readonly spanned: (
    question: Question,
    channel: { login: string },
    query: { from?: number | undefined; to?: number | undefined; [more: string]: unknown },
  ) => Promise<string>;
}

/** What many routes ask first: which channel, which span. Throws ProblemError where there is none. */
export function askedOf({ channels, ask }: { channels: Channels; ask: Ask }): Asked {
  const watched = (login: string): ChannelSummary => {
    const summary = channels.get(login);
    if (summary === null) throw new ProblemError("channel_not_watched", `${login} is not watched`);
    return summary;
  };
  const channelIdOf = (login: string): string => {
    const id = channels.idOf(login);
    if (id !== null) return id;
    const { state } = watched(login);
    const says =
      state === null ? "no source has spoken of it yet" : `its source says: ${state.reason ?? state.state}`;
    throw new ProblemError("channel_not_heard", `${login}: ${says}`, { "Retry-After": "2" });
  };
  return {
    watched,
    channelIdOf,
    spanned(question, { login }, { from, to, ...rest }) {
      const channelId = channelIdOf(login);
      const toMs = to ?? Date.now();
      const fromMs = from ?? toMs - SPAN_MS;
      if (fromMs >= toMs) throw new ProblemError("invalid_parameters", "from: must be before to");
      return ask(question, { channelId, fromMs, toMs, ...rest });
    },
  };
}
