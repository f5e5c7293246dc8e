import type { AudioWindow } from "@hypecast/contracts/audio.ts";
import { MOODS, type Mood } from "@hypecast/contracts/moods.ts";
import type { SceneClass, VideoShot } from "@hypecast/contracts/shot.ts";

/** What an emote of a mood says, in the words in which people ask for it. */
const MOOD_WORDS: Record<Mood, string> = {
  laugh: "laughs laughing funny смех смеются смешно ржут",
  shock: "shocked surprised scared шок удивление испуг страшно",
  hype: "hype excited cheering хайп восторг радость круто",
  love: "love cute heart любовь мило нежность",
  sad: "sad crying loss грусть печаль плачут жалко",
  anger: "angry rage mad злость ярость злятся бесит",
  cringe: "cringe awkward disgust кринж неловко стыд",
};
/** A mood is one of the chunk's when it is this share of its lines, and more than two of many. */
const MOOD_SHARE = 0.12;
const MOOD_LINES = 3;
const FEW_MESSAGES = 12;
const EMOTES = 12;

/** `uses`: lines with each emote, by name; `moods`: lines by mood in the order of MOODS. */
export function emoteWordsOf(
  uses: ReadonlyMap<string, number>,
  moods: readonly number[],
  messages: number,
): string {
  const emotes = [...uses]
    .toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, EMOTES)
    .map(([name]) => name);
  const shows = (lines: number): boolean =>
    lines > 0 && lines >= messages * MOOD_SHARE && (lines >= MOOD_LINES || messages <= FEW_MESSAGES);
  const words = MOODS.filter((_, at) => shows(moods[at]!)).map((mood) => MOOD_WORDS[mood]);
  return [...emotes, ...words].join(" ");
}

const SCENE_WORDS: Record<SceneClass, string> = {
  game: "game gameplay игра",
  menu: "menu меню",
  talking_head: "talking face camera лицо камера разговор",
  break: "break pause перерыв пауза",
  other: "",
};
/** A scene is the chunk's when it fills this share of what was seen. */
const SCENE_SHARE = 0.3;
const TEXT_SHARE = 0.3;
const MANY_CUTS_PER_MIN = 20;
const DARK_SHARE = 0.5;

export interface Scene {
  readonly fromMs: number;
  readonly toMs: number;
  readonly scene: SceneClass;
  readonly text: boolean;
  readonly cuts: boolean;
  readonly black: boolean;
  readonly frozen: boolean;
}
export const sceneOf = (shot: VideoShot): Scene => ({
  fromMs: shot.startMs,
  toMs: shot.endMs,
  scene: shot.scene,
  text: shot.text >= TEXT_SHARE,
  cuts: shot.cutsPerMin >= MANY_CUTS_PER_MIN,
  black: shot.blackShare >= DARK_SHARE,
  frozen: shot.frozenShare >= DARK_SHARE,
});

/** What a second sounds like, as bits. */
export const SOUND = { heard: 1, loud: 2, sudden: 4, speech: 8, silence: 16, music: 32 } as const;
const LOUD_LU = 6;
const SUDDEN_Z = 5;
const SPEECH_SHARE = 0.5;
const STEADY_BEAT = 0.5;
export const soundOf = (audio: AudioWindow): number =>
  SOUND.heard |
  (audio.aboveUsual >= LOUD_LU ? SOUND.loud : 0) |
  (audio.onset >= SUDDEN_Z ? SOUND.sudden : 0) |
  (audio.voice >= SPEECH_SHARE ? SOUND.speech : 0) |
  (audio.silence ? SOUND.silence : 0) |
  (audio.tempo !== null && audio.tempoStrength >= STEADY_BEAT ? SOUND.music : 0);

/** Seconds that are enough to say so, or the share of those heard. */
const SOUND_WORDS: readonly [bit: number, leastS: number, leastShare: number, words: string][] = [
  [SOUND.loud, 2, 0, "loud громко"],
  [SOUND.sudden, 1, 0, "sudden sound резкий звук"],
  [SOUND.speech, 5, 0.5, "speech речь"],
  [SOUND.silence, 5, 0.5, "silence тишина"],
  [SOUND.music, 5, 0.5, "music музыка"],
];

/** Facts of [fromMs, toMs) as words; empty where nothing was measured. `sounds`: bits of SOUND by second. */
export function screenWordsOf(
  scenes: readonly Scene[],
  sounds: ReadonlyMap<number, number>,
  fromMs: number,
  toMs: number,
): string {
  const said: string[] = [];
  const shareOf = (is: (scene: Scene) => boolean): number => {
    let all = 0;
    let some = 0;
    for (const scene of scenes) {
      const ms = Math.max(0, Math.min(scene.toMs, toMs) - Math.max(scene.fromMs, fromMs));
      all += ms;
      if (is(scene)) some += ms;
    }
    return all === 0 ? 0 : some / all;
  };
  for (const [scene, words] of Object.entries(SCENE_WORDS))
    if (words !== "" && shareOf((seen) => seen.scene === scene) >= SCENE_SHARE) said.push(words);
  if (shareOf((seen) => seen.text) >= SCENE_SHARE) said.push("text on screen текст на экране");
  if (shareOf((seen) => seen.cuts) >= SCENE_SHARE) said.push("many cuts частая смена кадра");
  if (shareOf((seen) => seen.black) >= SCENE_SHARE) said.push("black screen чёрный экран");
  if (shareOf((seen) => seen.frozen) >= SCENE_SHARE) said.push("still picture картинка застыла");
  const seconds: number[] = [];
  for (const [second, bits] of sounds)
    if (second * 1000 >= fromMs && second * 1000 < toMs) seconds.push(bits);
  for (const [bit, leastS, leastShare, words] of SOUND_WORDS) {
    const n = seconds.filter((bits) => (bits & bit) !== 0).length;
    if (n >= leastS && n >= seconds.length * leastShare) said.push(words);
  }
  return said.join(" ");
}
