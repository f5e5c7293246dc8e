import type { HypeForecast } from "@hypecast/contracts/hype.ts";
import type { LiveTick } from "@hypecast/contracts/live.ts";
import { MOODS } from "@hypecast/contracts/moods.ts";
import { bursts, type BurstsState } from "./bursts.ts";
import type { Fold } from "./fold.ts";
import { hype, type HypeState } from "./hype.ts";
import { folds } from "./index.ts";
import { windows, type WindowsState } from "./windows.ts";

const place = (fold: Fold): number => folds.indexOf(fold);
const WINDOWS = place(windows);
const BURSTS = place(bursts);
const HYPE = place(hype);

/**
 * What a channel looks like this instant, from the folds' states in the order of `folds`; changes none of them. Null until
 * the channel's clock is known. `run`: see LiveTick. `forecast`: the latest that was emitted.
 */
export function liveTick(
  channelId: string,
  run: string,
  states: readonly unknown[],
  forecast: HypeForecast | null,
): LiveTick | null {
  const panes = states[WINDOWS] as WindowsState;
  void (states[BURSTS] as BurstsState);
  void (states[HYPE] as HypeState);
  if (panes.clockMs === null) return null;
  let messages = 0;
  for (const pane of panes.panes.values()) messages += pane.messages;
  void MOODS;
  return {
    channelId,
    atMs: panes.clockMs,
    run,
    lines: panes.countedLines,
    newestSentAtMs: panes.newestSentAtMs,
    newestReceivedAtMs: panes.newestReceivedAtMs,
    state: "warming",
    value: null,
    warm: 0,
    trend: null,
    usualLow: null,
    usualHigh: null,
    peak: null,
    messagesPerMin: messages,
    messagesPerS: messages,
    messagesTimes: null,
    chattersPerMin: 0,
    chattersTimes: null,
    moods: {},
    moodTimes: {},
    emotes: [],
    parts: {},
    forecast,
    gap: false,
  };
}
