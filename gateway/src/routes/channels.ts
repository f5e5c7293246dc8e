import {
  bursts,
  extent,
  forecastRecord,
  forecasts,
  heatmap,
  momentAt,
  sparklines,
  topEmotes,
  windows,
} from "@hypecast/contracts/question.ts";
import { hasPassword, namedChannel } from "@hypecast/contracts/wanted.ts";
import { ProblemError } from "../problems.ts";
import { askedOf } from "./asked.ts";
import { given } from "./given.ts";
import type { Handlers, Parts } from "./handlers.ts";

const RECORD_MS = 24 * 3_600_000;

/** The list of channels, and what is known of their chat. */
export function channelHandlers(parts: Parts) {
  const { channels, vods, ask, system, filesAllowed, roles } = parts;
  const { watched, channelIdOf, spanned } = askedOf(parts);
  /** A file of this machine is for whoever sits at it. */
  const checkVideo = (video: string | null | undefined): void => {
    if (typeof video === "string" && hasPassword(video))
      throw new ProblemError(
        "invalid_parameters",
        "video: an address with a name or a password in it would be shown to everybody who sees the channels; give one without",
      );
    if (video?.startsWith("file:") === true && !filesAllowed)
      throw new ProblemError(
        "invalid_parameters",
        "video: a file: address is allowed only where the gateway needs no login; add it with ./hypecast channels on that machine",
      );
  };
  return {
    listChannels: ({ person }) => ({
      channels: channels.list().filter(({ login }) => roles.may(person, login, "analyst")),
    }),
    addChannel({ body, person }) {
      const named = namedChannel(body.channel);
      // The contract has checked it.
      if (named === null) throw new ProblemError("invalid_parameters", "channel: not understood");
      const { login, video, chat } = { ...named, ...given({ video: body.video, chat: body.chat }) };
      checkVideo(video);
      if (!chat && (video ?? "") === "")
        throw new ProblemError("invalid_parameters", "video: a channel without chat needs an address");
      return channels.add(login, {
        ...{ video, chat },
        ...(person.kind === "twitch" ? { addedBy: person.userId } : {}),
      });
    },
    getChannel: ({ params }) => watched(params.login),
    changeChannel({ params, body: { paused, video } }) {
      checkVideo(video);
      return channels.change(params.login, given({ paused, video }));
    },
    async removeChannel({ params }) {
      await channels.remove(params.login);
      return {};
    },
    channelExtent: ({ params }) => ask(extent, { channelId: channelIdOf(params.login) }),
    channelWindows: ({ params, query: { size, ...query } }) =>
      spanned(windows, params, Object.assign(query, { sizeS: size })),
    channelHeatmap: ({ params, query }) => spanned(heatmap, params, query),
    channelBursts: ({ params, query }) => spanned(bursts, params, query),
    channelEmotes: ({ params, query }) => spanned(topEmotes, params, query),
    channelMoment: ({ params, query }) =>
      ask(momentAt, { channelId: channelIdOf(params.login), atMs: query.at, aroundS: query.around }),
    channelForecasts: ({ params, query }) => spanned(forecasts, params, query),
    channelForecastRecord: ({ params, query }) =>
      ask(forecastRecord, {
        channelId: channelIdOf(params.login),
        sinceMs: query.since ?? vods.get(params.login)?.startMs ?? Date.now() - RECORD_MS,
        limit: query.limit,
      }),
    channelSparklines: ({ query, person }) => {
      const channelIds = channels
        .list()
        .flatMap(({ login }) => (roles.may(person, login, "analyst") ? (channels.idOf(login) ?? []) : []));
      return ask(sparklines, { channelIds: channelIds.slice(0, 1000), minutes: query.minutes });
    },
    system,
  } satisfies Partial<Handlers>;
}
