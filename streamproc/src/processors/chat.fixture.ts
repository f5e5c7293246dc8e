import type { ChatLine, LineEmote } from "@hypecast/contracts/chat.ts";
import type { FoldInput, FoldOutput } from "./fold.ts";
import { folds } from "./index.ts";
import { runOf, type Run } from "./run.ts";

/** Begins a minute. */
export const T = 1_700_000_040_000;

export interface Said {
  atS: number;
  text: string;
  user: number;
  more?: Partial<ChatLine>;
}

/** Emotes that the made-up channel knows. */
const EMOTES = ["KEKW", "Sadge", "lampHA", "lampGO"];

export function lineOf(said: Said, i: number): ChatLine {
  const emotes: LineEmote[] = [];
  let at = 0;
  for (const word of said.text.split(" ")) {
    const { length } = Array.from(word);
    if (EMOTES.includes(word)) emotes.push([`test:${word}`, word, at, at + length - 1]);
    at += length + 1;
  }
  return {
    id: `l${i}`,
    channelId: "7",
    sentAtMs: T + Math.round(said.atS * 1000),
    userId: String(said.user),
    login: `u${said.user}`,
    text: said.text,
    ...(emotes.length > 0 ? { emotes } : {}),
    ...said.more,
  };
}

/** Calm chat: `perS` lines a second, evenly mixed, of 40 people, no two texts alike. */
export function calm(fromS: number, untilS: number, perS = 2): Said[] {
  const said: Said[] = [];
  const words = ["map", "gate", "left", "boss", "rune", "night", "lamp", "door", "song", "tea"];
  let turn = 12_345;
  for (let atS = fromS; atS < untilS; atS += 1 / perS) {
    turn = (Math.imul(turn, 1_103_515_245) + 12_345) >>> 0;
    const text = `the ${words[turn % 10]} ${words[(turn >>> 8) % 10]} ${Math.round(atS * 10)}`;
    said.push({ atS: atS + ((turn >>> 4) % 400) / 1000, text, user: 1 + ((turn >>> 12) % 40) });
  }
  return said;
}

/** `count` lines over `seconds`, each of somebody else. */
export const crowd = (
  atS: number,
  count: number,
  seconds: number,
  text: string | ((i: number) => string),
  firstUser = 1000,
): Said[] =>
  Array.from({ length: count }, (_, i) => ({
    atS: atS + (i * seconds) / count,
    text: typeof text === "string" ? text : text(i),
    user: firstUser + i,
  }));

export interface Played {
  outputs: FoldOutput[];
  run: Run;
}

/** Plays lines and other events in order of time with an alive mark each second until `untilS`. `reloadS`: the states go through their bytes then. */
export function play(
  said: readonly Said[],
  untilS: number,
  others: readonly { atS: number; input: FoldInput }[] = [],
  reloadS = Infinity,
): Played {
  const run = runOf(folds, "7");
  const outputs: FoldOutput[] = [];
  const events = [
    ...said.map((one, i) => ({
      atS: one.atS,
      input: { type: "lines", lines: [lineOf(one, i)], emoteSet: "set" } as FoldInput,
    })),
    ...others,
  ].toSorted((a, b) => a.atS - b.atS);
  let next = 0;
  for (let s = 0; s <= untilS; s++) {
    for (; next < events.length && events[next]!.atS < s; next++)
      outputs.push(...run.step(events[next]!.input));
    outputs.push(...run.step({ type: "alive", atMs: T + s * 1000 }));
    if (s === reloadS) run.reload();
  }
  return { outputs, run };
}
