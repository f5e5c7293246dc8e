import type { HypeForecast } from "@hypecast/contracts/hype.ts";
import type { LiveTick } from "@hypecast/contracts/live.ts";
import { MOODS } from "@hypecast/contracts/moods.ts";
import { bursts, lastMinute, recentDigests, type BurstsState } from "./bursts.ts";
import type { Fold } from "./fold.ts";
import { hype, perMinute, provisionalOf, TICK_S, type Counts, type HypeState } from "./hype.ts";
import { folds } from "./index.ts";
import { LATENESS_MS, windows, type WindowsState } from "./windows.ts";

const place = (fold: Fold): number => folds.indexOf(fold);
const WINDOWS = place(windows);
const BURSTS = place(bursts);
const HYPE = place(hype);

/** The provisional value looks at as many seconds as the final one. */
const VALUE_S = 15;
const TOP_EMOTES = 8;

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
  const heard = states[WINDOWS] as WindowsState;
  const reacted = states[BURSTS] as BurstsState;
  const meter = states[HYPE] as HypeState;
  const { clockMs } = heard;
  if (clockMs === null) return null;
  const open = heard.panes;
  const nowS = Math.floor(clockMs / 1000);
  const counts = countsSince(reacted, open, nowS - VALUE_S);
  const { value, parts } = provisionalOf(meter, counts, nowS - VALUE_S < reacted.greetUntilS);
  const last = meter.last;

  let openMessages = 0;
  const openChatters = new Set<number>();
  let lastSecond = 0;
  const openMoods = MOODS.map(() => 0);
  for (const pane of open) {
    openMessages += pane.messages;
    for (const user of pane.rowUser) openChatters.add(user);
    if (pane.second === nowS - 1) lastSecond = pane.messages;
    for (let mood = 0; mood < MOODS.length; mood++) openMoods[mood]! += pane.moods[mood]!;
  }
  const minute = lastMinute(reacted);
  const written = writtenLastMinute(meter, nowS);
  const moods: LiveTick["moods"] = {};
  const moodTimes: LiveTick["moodTimes"] = {};
  for (const [at, mood] of MOODS.entries()) {
    const lines = minute.moods[at]!.lines + openMoods[at]!;
    if (lines === 0) continue;
    moods[mood] = lines;
    const { times } = minute.moods[at]!;
    if (times !== null) moodTimes[mood] = times;
  }
  return {
    channelId,
    atMs: clockMs,
    run,
    lines: heard.countedLines,
    newestSentAtMs: heard.newestSentAtMs,
    newestReceivedAtMs: heard.newestReceivedAtMs,
    state: last?.state ?? "warming",
    value,
    warm: last?.warm ?? 0,
    trend: last?.trend ?? null,
    usualLow: last?.usualLow ?? null,
    usualHigh: last?.usualHigh ?? null,
    peak: value === null ? null : Math.max(value, last?.peak ?? 0),
    // Who of the open seconds wrote before them is known when they are final; until then no fewer than they show.
    ...perMinute(meter, written.messages + openMessages, Math.max(written.chatters, openChatters.size)),
    messagesPerS: lastSecond,
    moods,
    moodTimes,
    emotes: minute.emotes
      .filter((emote) => emote.lines > 0)
      .toSorted((a, b) => b.lines - a.lines || (a.key < b.key ? -1 : 1))
      .slice(0, TOP_EMOTES)
      .map((emote) => [emote.key, emote.name, emote.lines, emote.times]),
    parts,
    forecast,
    gap: heard.gaps.some((gap) => gap.fromMs < clockMs && gap.toMs > clockMs - LATENESS_MS),
  };
}

function countsSince(state: BurstsState, open: Parameters<typeof recentDigests>[1], fromS: number): Counts {
  const users: number[] = [];
  const moods = MOODS.map(() => 0);
  let lines = 0;
  let emoteLines = 0;
  for (const digest of recentDigests(state, open, fromS, users)) {
    lines += digest.lines;
    emoteLines += digest.emoteLines;
    for (let mood = 0; mood < MOODS.length; mood++) moods[mood]! += digest.moods[mood]!;
  }
  return {
    rate: lines,
    chatters: new Set(users).size,
    emotes: emoteLines,
    moods: Math.max(...moods),
    emoteShare: lines === 0 ? 0 : emoteLines / lines,
  };
}

/** Final lines of the last minute and how many wrote them, both of the same slots. */
function writtenLastMinute(state: HypeState, nowS: number): { messages: number; chatters: number } {
  const fromTick = Math.ceil((nowS - 60) / TICK_S);
  let newestTick = fromTick - 1;
  let messages = 0;
  for (const slot of state.slots) {
    if (slot.tick < fromTick) continue;
    messages += slot.messages;
    newestTick = Math.max(newestTick, slot.tick);
  }
  return { messages, chatters: state.chatters.count(newestTick - fromTick + 1) };
}
