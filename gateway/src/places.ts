import type { Place, vodRoutes } from "@hypecast/contracts/api-vods.ts";
import type { Hit, within } from "@hypecast/contracts/oracle.ts";
import { isVodId, vodIdOf } from "@hypecast/contracts/vod.ts";
import type { z } from "zod";
import type { Person } from "@hypecast/contracts/journal.ts";
import type { Channels } from "./channels.ts";
import { ProblemError } from "./problems.ts";
import type { Roles } from "./roles.ts";
import { channelOfVod, type Vods } from "./vods.ts";

export type Scope = z.output<typeof vodRoutes.search.body>["scope"];
type Within = z.infer<typeof within>;
interface Known {
  readonly vods: Pick<Vods, "get" | "list">;
  readonly channels: Pick<Channels, "get" | "list" | "idOf" | "loginOf">;
}
interface Seen extends Known {
  /** There is more than they may see: every place that is meant has to be named. */
  readonly isPart: boolean;
}

/** What of it a person may look at. Throws nothing: the rest is not there for them. */
export function seenBy(known: Known & { readonly roles: Pick<Roles, "may"> }, person: Person): Seen {
  const { vods, channels, roles } = known;
  const sees = (login: string): boolean => roles.may(person, login, "analyst");
  return {
    isPart: person.kind === "twitch",
    vods: {
      get: (id) => (sees(id) ? vods.get(id) : null),
      list: () => vods.list().filter(({ id }) => sees(id)),
    },
    channels: {
      get: (login) => (sees(login) ? channels.get(login) : null),
      list: () => channels.list().filter(({ login }) => sees(login)),
      idOf: (login) => (sees(login) ? channels.idOf(login) : null),
      loginOf: channels.loginOf,
    },
  };
}

/** More channels than this are not listed one by one in a question: everything that is stored is meant then. */
const MOST_LISTED = 500;
const DAY_MS = 24 * 3_600_000;

/** Where a scope looks, by the ids of the store. Null: everything that is stored. Throws ProblemError: there is no such stream. */
export function withinOf(known: Seen, { kind, stream, channel }: Scope): Within | null {
  const { vods, channels } = known;
  const ids: string[] = [];
  if (kind === "stream") {
    if (stream === null) throw new ProblemError("invalid_parameters", "scope.stream: name a stream");
    ids.push(channelIdOf(known, stream));
  } else {
    if (kind === "channel" && channel === null)
      throw new ProblemError("invalid_parameters", "scope.channel: name a channel");
    for (const one of vods.list()) {
      const id = channelOfVod(one);
      if (id !== null && (kind === "all" || one.broadcaster?.login === channel)) ids.push(id);
    }
    for (const { login } of channels.list()) {
      const id = channels.idOf(login);
      if (id !== null && (kind === "all" || login === channel)) ids.push(id);
    }
  }
  if (kind === "channel" && ids.length === 0)
    throw new ProblemError("stream_not_found", `there is no stream of ${channel} here`);
  if (known.isPart && ids.length === 0)
    throw new ProblemError("stream_not_found", "there is nothing here that you may look through");
  if (!known.isPart && (ids.length === 0 || ids.length > MOST_LISTED)) return null;
  return ids.slice(-MOST_LISTED).map((channelId) => ({ channelId, fromMs: null, toMs: null }));
}

/** The id under which a watched channel or an imported stream stands in the store. Throws ProblemError, which says what is waited for. */
export function channelIdOf({ vods, channels }: Pick<Known, "vods" | "channels">, login: string): string {
  if (isVodId(login)) {
    const stream = vods.get(login);
    if (stream === null) throw new ProblemError("stream_not_found", `there is no imported stream ${login}`);
    const id = channelOfVod(stream);
    if (id === null)
      throw new ProblemError(
        "stream_not_ready",
        `nothing of ${login} has been read yet: it is ${stream.status}`,
        {
          "Retry-After": "2",
        },
      );
    return id;
  }
  const id = channels.idOf(login);
  if (id !== null) return id;
  const summary = channels.get(login);
  if (summary === null) throw new ProblemError("channel_not_watched", `${login} is not watched`);
  const says =
    summary.state === null
      ? "no source has spoken of it yet"
      : `its source says: ${summary.state.reason ?? summary.state.state}`;
  throw new ProblemError("channel_not_heard", `${login}: ${says}`, { "Retry-After": "2" });
}

/** Hits as people read them. Those of a stream that has been deleted meanwhile are left out. */
export const placesOf = (known: Known, hits: readonly Hit[]): Place[] =>
  hits.flatMap((hit) => {
    const where = whereIs(known, hit.channelId, hit.atMs);
    if (where === null) return [];
    const { stream, title, zeroMs } = where;
    const atS = (hit.atMs - zeroMs) / 1000;
    const startS = Math.max(0, (hit.startMs - zeroMs) / 1000);
    return {
      ...hit,
      stream,
      title,
      atS,
      timecode: timecodeOf(atS),
      link: isVodId(stream)
        ? `/vod/${stream}?t=${Math.floor(startS)}`
        : `/live/${stream}?t=${Math.round(hit.startMs)}`,
    };
  });

function whereIs(
  { vods, channels }: Known,
  channelId: string,
  atMs: number,
): { stream: string; title: string; zeroMs: number } | null {
  const id = vodIdOf(channelId);
  if (id !== null) {
    const stream = vods.get(id);
    return stream === null ? null : { stream: id, title: stream.title, zeroMs: stream.startMs };
  }
  const login = channels.loginOf(channelId);
  if (login === null) return null;
  const live = channels.get(login)?.state?.stream ?? null;
  const startedAtMs = live?.startedAtMs ?? null;
  // Of a stream before the present one only the day is known: its time of day (UTC) stands there.
  return startedAtMs !== null && startedAtMs <= atMs
    ? { stream: login, title: live?.title ?? login, zeroMs: startedAtMs }
    : { stream: login, title: login, zeroMs: atMs - (atMs % DAY_MS) };
}

/** h:mm:ss */
export function timecodeOf(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}
