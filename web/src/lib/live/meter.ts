import type { ChannelSummary } from "@hypecast/contracts/push.ts";
import type { LiveTick } from "@hypecast/contracts/live.ts";
import type { MeterState } from "../draw/gauge.ts";
import type { Link } from "./socket.ts";

/** Data older than this is shown as old: grey, with its age. */
export const STALE_MS = 5000;

type SourceState = NonNullable<ChannelSummary["state"]>["state"];
/** Twitch said no: only a person can change it. */
export const REFUSED = new Set<SourceState>([
  "not_found",
  "suspended",
  "banned",
  "renamed",
  "token_refused",
  "join_refused",
]);

/** A page of its own instead of the instrument: there is nothing to measure with. */
export type Screen = "connecting" | "unreachable" | "not_watched" | "paused" | "refused" | "lost" | "waiting";

export interface Situation {
  link: Link;
  /** Null: the list has not come yet; undefined: it has, without this channel. */
  summary: ChannelSummary | null | undefined;
  tick: LiveTick | null;
  /** Age of the newest tick. */
  ageMs: number;
}

export type Reading =
  | { screen: Screen }
  | {
      screen: null;
      state: MeterState;
      /** 0–100, for `warming` percent of the warm-up, for `sparse` messages per minute; null for none. */
      value: number | null;
      /** Whose connection is broken, while reconnecting. */
      broken?: "page" | "twitch";
    };

/** What the meter shows: the worst thing that is true, since a number must never look better than its source. */
export function readMeter({ link, summary, tick, ageMs }: Situation): Reading {
  const source = summary?.state?.state;
  if (tick === null) {
    if (link.state === "refused") return { screen: "unreachable" };
    if (link.state !== "open")
      return { screen: link.state === "waiting" || link.attempt > 0 ? "unreachable" : "connecting" };
    if (summary === undefined) return { screen: "not_watched" };
    if (summary === null) return { screen: "connecting" };
    if (summary.paused) return { screen: "paused" };
    if (source !== undefined && REFUSED.has(source)) return { screen: "refused" };
    return { screen: source === "lost" ? "lost" : "waiting" };
  }
  if (summary === undefined && link.state === "open") return { screen: "not_watched" };
  if (summary?.paused === true) return { screen: "paused" };
  const value = tick.value;
  if (link.state === "refused" || (source !== undefined && REFUSED.has(source)))
    return { screen: null, state: "error", value: null };
  if (link.state !== "open") return { screen: null, state: "reconnecting", value, broken: "page" };
  if (source === "lost" || source === "joining" || tick.gap)
    return { screen: null, state: "reconnecting", value, broken: "twitch" };
  if (ageMs > STALE_MS) return { screen: null, state: "stale", value };
  switch (tick.state) {
    case "warming":
      return { screen: null, state: "warming", value: tick.warm * 100 };
    case "too_sparse":
      return { screen: null, state: "sparse", value: tick.messagesPerMin };
    case "capped":
      return { screen: null, state: "capped", value };
    case "ok":
      return { screen: null, state: "live", value };
  }
}

/** Six words for 0–100; 50 is the channel's usual minute, 90 its top 5 %. */
export const WORDS = ["quiet", "calm", "usual", "lively", "hot", "boiling"] as const;
export function wordFor(value: number): (typeof WORDS)[number] {
  const at = [15, 35, 60, 75, 90].findIndex((limit) => value < limit);
  return WORDS[at === -1 ? WORDS.length - 1 : at] ?? "usual";
}
