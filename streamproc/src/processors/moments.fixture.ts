import type { Moment, ReactionLag } from "@hypecast/contracts/moment.ts";
import { bursts } from "./bursts.ts";
import { calm, crowd, lineOf, T, type Said } from "./chat.fixture.ts";
import type { FoldInput } from "./fold.ts";
import { hype } from "./hype.ts";
import { lag } from "./lag.ts";
import { moments } from "./moments.ts";
import { runOf, type Run } from "./run.ts";
import { screenEvents, type Screen } from "./screen.fixture.ts";
import { windows } from "./windows.ts";

export interface Scene {
  said?: readonly Said[];
  screen?: Partial<Omit<Screen, "channelId" | "beginMs">>;
  others?: readonly { atS: number; input: FoldInput }[];
  untilS: number;
  /** Whether the source speaks for the chat; default yes. */
  alive?: boolean;
  /** The states go through their bytes then. */
  reloadS?: readonly number[];
}

export interface Seen {
  all: Moment[];
  /** Last version of each, by when they opened. */
  last: Moment[];
  lags: ReactionLag[];
  run: Run;
}

/** Plays chat and screen in the order in which they come to the log. */
export function watch(scene: Scene): Seen {
  const run = runOf([windows, bursts, hype, lag, moments], "7");
  const events: { atS: number; input: FoldInput }[] = [
    ...(scene.said ?? []).map((one, i) => ({
      atS: one.atS,
      input: { type: "lines", lines: [lineOf(one, i)], emoteSet: "set" } as FoldInput,
    })),
    ...(scene.screen === undefined
      ? []
      : screenEvents({ channelId: "7", beginMs: T, fromS: 0, untilS: scene.untilS, ...scene.screen })),
    ...(scene.others ?? []),
  ].toSorted((a, b) => a.atS - b.atS);
  const seen: Seen = { all: [], last: [], lags: [], run };
  const step = (input: FoldInput): void => {
    for (const output of run.step(input)) {
      if (output.type === "moment") seen.all.push(output.moment);
      if (output.type === "lag") seen.lags.push(output.lag);
    }
  };
  let next = 0;
  for (let s = 0; s <= scene.untilS; s++) {
    for (; next < events.length && events[next]!.atS < s; next++) step(events[next]!.input);
    if (scene.alive !== false) step({ type: "alive", atMs: T + s * 1000 });
    if (scene.reloadS?.includes(s) === true) run.reload();
  }
  seen.last = [...new Map(seen.all.map((moment) => [moment.id, moment])).values()];
  return seen;
}

/** Chat laughs from `atS` on: 60 people in 6 s. */
export const laugh = (atS: number, firstUser = 1000): Said[] =>
  crowd(atS, 60, 6, (i) => (i % 2 === 0 ? "KEKW" : "lol KEKW"), firstUser);
/** Two lines a second, without any reaction. */
export const quietChat = (untilS: number): Said[] => calm(0, untilS);
