import type { Mood } from "@hypecast/contracts/moods.ts";
import type { Chatter } from "./chatters.ts";
import * as phrases from "./phrases.ts";
import type { Phrases } from "./phrases.ts";
import type { Random } from "./random.ts";
import { emoteRun, laughter, phraseOf, typed } from "./speech.ts";
import type { EventKind } from "./world.ts";

export type Say = (who: Chatter, random: Random) => string;

/** How the chat answers one kind of event. */
export interface Reaction {
  /** Lines in all. */
  readonly lines: number;
  /** From the event to a line: most come log-normally around the median … */
  readonly lagMedianS: number;
  readonly lagSigma: number;
  /** … and this share trails off after it. */
  readonly tailShare: number;
  readonly tailMeanS: number;
  /** What is said: weight, the mood that it shows, the line. */
  readonly mix: readonly (readonly [number, Mood | null, Say])[];
  /** Bursts that must be seen: emotes and moods by name; the volume rises too. */
  readonly emotes: readonly string[];
  readonly moods: readonly Mood[];
}

const emote =
  (name: string): Say =>
  (who, random) =>
    emoteRun(name, who, random);
const phrase =
  (list: Phrases, heat: number): Say =>
  (who, random) =>
    typed(phraseOf(list, who, random), who, heat, random);
const withEmote =
  (list: Phrases, heat: number, name: string): Say =>
  (who, random) =>
    `${typed(phraseOf(list, who, random), who, heat, random)} ${name}`;
const emoji =
  (...list: string[]): Say =>
  (_who, random) =>
    random.pick(list).repeat(random.int(1, 4));
const calm = { emotes: [], moods: [] } as const;

/** Kinds that are not here cause nothing (jumps) or something of their own in stream.ts (raid, poll, ads …). */
export const reactions: Partial<Record<EventKind, Reaction>> = {
  run_start: {
    ...{ lines: 16, lagMedianS: 6, lagSigma: 0.6, tailShare: 0.5, tailMeanS: 12, ...calm },
    mix: [[1, null, phrase(phrases.runStart, 0.05)]],
  },
  checkpoint: {
    ...{ lines: 5, lagMedianS: 5, lagSigma: 0.6, tailShare: 0.4, tailMeanS: 8, ...calm },
    mix: [
      [
        1,
        null,
        (who, random) =>
          typed(
            random.pick(
              who.language === "ru"
                ? ["чекпоинт", "сохранились", "уф, костёр", "можно выдохнуть"]
                : ["checkpoint", "saved", "breathe"],
            ),
            who,
            0,
            random,
          ),
      ],
    ],
  },
  near_miss: {
    ...{ lines: 7, lagMedianS: 3, lagSigma: 0.5, tailShare: 0.3, tailMeanS: 5, ...calm },
    mix: [
      [9, null, phrase(phrases.nearMiss, 0.1)],
      [1, "shock", emote("monkaS")],
    ],
  },
  lava: {
    ...{ lines: 390, lagMedianS: 4.4, lagSigma: 0.36, tailShare: 0.42, tailMeanS: 8.5 },
    mix: [
      [40, "laugh", emote("lampHA")],
      [12, "laugh", emote("KEKW")],
      [5, "laugh", emote("OMEGALUL")],
      [4, "laugh", emote("LULW")],
      [4, "laugh", emote("LUL")],
      [17, "laugh", laughter],
      [15, null, phrase(phrases.lava, 0.55)],
      [6, "laugh", withEmote(phrases.lava, 0.4, "lampHA")],
      [6, null, emote("lampFIRE")],
      [3, "shock", emote("lampOH")],
      [3, "laugh", emoji("😂", "🤣", "🔥", "💀")],
    ],
    emotes: ["lampHA", "KEKW"],
    moods: ["laugh"],
  },
  three_spikes: {
    ...{ lines: 330, lagMedianS: 3.2, lagSigma: 0.36, tailShare: 0.4, tailMeanS: 8 },
    mix: [
      [38, "shock", emote("lampOH")],
      [8, "shock", emote("WAYTOODANK")],
      [10, "hype", emote("Pog")],
      [8, "hype", emote("PogChamp")],
      [26, "shock", phrase(phrases.threeSpikes, 0.7)],
      [6, "shock", withEmote(phrases.threeSpikes, 0.5, "lampOH")],
      [3, "shock", emoji("😱", "🤯", "👀")],
      [2, null, emote("EZ")],
    ],
    emotes: ["lampOH"],
    moods: ["shock"],
  },
  glitch: {
    ...{ lines: 260, lagMedianS: 5, lagSigma: 0.4, tailShare: 0.45, tailMeanS: 9 },
    mix: [
      [42, "anger", emote("lampRAGE")],
      [34, "anger", phrase(phrases.glitch, 0.5)],
      [8, "anger", withEmote(phrases.glitch, 0.4, "lampRAGE")],
      [5, "cringe", emote("NotLikeThis")],
      [4, "anger", emoji("😡", "🤬")],
      [4, "sad", emote("Sadge")],
    ],
    emotes: ["lampRAGE"],
    moods: ["anger"],
  },
  boss_phase: {
    ...{ lines: 280, lagMedianS: 3.8, lagSigma: 0.4, tailShare: 0.45, tailMeanS: 9 },
    mix: [
      [46, "hype", emote("lampGO")],
      [8, "hype", emote("catJAM")],
      [6, "hype", emote("Clap")],
      [24, "hype", phrase(phrases.bossPhase, 0.6)],
      [8, "hype", withEmote(phrases.bossPhase, 0.5, "lampGO")],
      [4, null, emote("lampSWORD")],
      [3, "hype", emoji("🔥", "⚔️", "💪")],
    ],
    emotes: ["lampGO"],
    moods: ["hype"],
  },
  death: {
    ...{ lines: 270, lagMedianS: 5.2, lagSigma: 0.42, tailShare: 0.45, tailMeanS: 9 },
    mix: [
      [44, "sad", emote("lampF")],
      [9, "sad", emote("Sadge")],
      [4, "sad", emote("PepeHands")],
      [4, "sad", emote("BibleThump")],
      [28, "sad", phrase(phrases.death, 0.25)],
      [6, "sad", withEmote(phrases.death, 0.2, "lampF")],
      [3, "sad", emoji("😭", "😢", "🕯️")],
    ],
    emotes: ["lampF"],
    moods: ["sad"],
  },
  joke: {
    ...{ lines: 220, lagMedianS: 4.6, lagSigma: 0.4, tailShare: 0.4, tailMeanS: 9 },
    mix: [
      [46, "cringe", emote("lampEW")],
      [8, "cringe", emote("cmonBruh")],
      [28, "cringe", phrase(phrases.joke, 0.25)],
      [7, "cringe", withEmote(phrases.joke, 0.2, "lampEW")],
      [3, "cringe", emoji("💀", "😬")],
    ],
    emotes: ["lampEW"],
    moods: ["cringe"],
  },
  secret: {
    ...{ lines: 300, lagMedianS: 3.6, lagSigma: 0.38, tailShare: 0.42, tailMeanS: 9 },
    mix: [
      [40, "shock", emote("lampOH")],
      [8, "shock", emote("monkaS")],
      [6, "shock", emote("WAYTOODANK")],
      [32, "shock", phrase(phrases.secret, 0.55)],
      [7, "shock", withEmote(phrases.secret, 0.4, "lampOH")],
      [4, "shock", emoji("👀", "😳")],
    ],
    emotes: ["lampOH"],
    moods: ["shock"],
  },
  boss_miss: {
    ...{ lines: 470, lagMedianS: 4.2, lagSigma: 0.36, tailShare: 0.42, tailMeanS: 9 },
    mix: [
      [40, "laugh", emote("lampHA")],
      [12, "laugh", emote("KEKW")],
      [5, "laugh", emote("LUL")],
      [5, "laugh", emote("OMEGALUL")],
      [14, "laugh", laughter],
      [18, "laugh", phrase(phrases.bossMiss, 0.6)],
      [7, "laugh", withEmote(phrases.bossMiss, 0.5, "lampHA")],
      [6, "shock", emote("lampOH")],
      [4, null, emote("lampSWORD")],
      [3, "laugh", emoji("😂", "💀", "🗡️")],
    ],
    emotes: ["lampHA", "KEKW"],
    moods: ["laugh"],
  },
  boss_hit: {
    ...{ lines: 18, lagMedianS: 5, lagSigma: 0.7, tailShare: 0.5, tailMeanS: 12, ...calm },
    mix: [[1, null, phrase(phrases.bossHit, 0.2)]],
  },
  win: {
    ...{ lines: 760, lagMedianS: 3.3, lagSigma: 0.42, tailShare: 0.5, tailMeanS: 11 },
    mix: [
      [34, "hype", emote("lampGO")],
      [10, "hype", emote("Pog")],
      [9, "hype", emote("PogChamp")],
      [9, "hype", emote("Clap")],
      [26, "hype", phrase(phrases.win, 0.8)],
      [8, "hype", withEmote(phrases.win, 0.7, "lampGO")],
      [4, null, emote("EZ")],
      [5, "love", emote("lampLOVE")],
      [3, "sad", emote("FeelsStrongMan")],
      [4, "hype", emoji("🎉", "🏆", "🔥")],
    ],
    emotes: ["lampGO", "Pog"],
    moods: ["hype"],
  },
};

/** The second fall is another joke than the first. */
export const lavaAgain: Reaction = {
  ...(reactions.lava as Reaction),
  lines: 430,
  mix: (reactions.lava as Reaction).mix.map(([weight, mood, say], i) =>
    i === 6
      ? [weight, mood, phrase(phrases.lavaAgain, 0.55)]
      : i === 7
        ? [weight, mood, withEmote(phrases.lavaAgain, 0.4, "lampHA")]
        : [weight, mood, say],
  ),
};

/** Seconds from an event to one line of its reaction. */
export function lagS(reaction: Reaction, random: Random): number {
  const lag = random.logNormal(reaction.lagMedianS, reaction.lagSigma);
  return random.chance(reaction.tailShare)
    ? reaction.lagMedianS * 0.9 + random.exponential(reaction.tailMeanS)
    : Math.max(0.9, lag);
}
