import type { ChatEvent } from "./chat-event.ts";
import { audience, brookAudience, fernAudience, moobot, streamer } from "./chatters.ts";
import { causedBy } from "./scenes.ts";
import { chooser, poissonTimes, Script } from "./script.ts";
import { emoteRun, phraseOf, typed } from "./speech.ts";
import { trouble } from "./trouble-scenes.ts";
import { background, bots, conversations, supporters } from "./usual-chat.ts";
import { events, LATE_EMOTE, PERIOD_MS } from "./world.ts";
import * as phrases from "./phrases.ts";

/** What moderators' new emote is used for, once it is there. */
function lateEmoteUses(script: Script): void {
  const { random } = script;
  const choose = chooser(audience, (who) => who.weight, 20_000, random);
  const moderator = audience.find((who) => who.moderator) ?? moobot;
  script.say(LATE_EMOTE.addedAtMs + 1_500, moderator, "добавила mechVSTENE на 7TV, пользуйтесь");
  for (let s = 12; s < 170; s += 3 + random.exponential(7)) {
    const atMs = LATE_EMOTE.addedAtMs + s * 1000;
    script.say(
      atMs,
      choose(atMs),
      random.chance(0.5)
        ? "mechVSTENE"
        : `mechVSTENE ${random.pick(["лучший", "уже в истории", "клип дайте", "nice one"])}`,
      { mood: "laugh" },
    );
  }
}

function streamerWrites(script: Script): void {
  script.say(60_000, streamer, "тест чата, всем привет");
  script.say(880_000, streamer, "я тут, чай наливаю, сейчас вернусь");
  script.say(1_430_000, streamer, "захват отвалился, минуту, никуда не уходите");
  script.say(1_760_000, streamer, "спасибо вам, это лучший чат. сейчас ещё одна попытка");
}

function pepelScript(): ChatEvent[] {
  const script = new Script(20_261_121);
  background(script);
  conversations(script);
  bots(script);
  supporters(script);
  for (const event of events) causedBy(script, event);
  lateEmoteUses(script);
  streamerWrites(script);
  trouble(script);
  return script.finish();
}

const FERN: phrases.Phrases = {
  ru: [],
  en: [
    "that green is lovely",
    "what brush is this",
    "so calm in here",
    "tea time",
    "the moss looks real",
    "draw a frog next",
    "frog please",
    "layer names are a myth",
    "undo is a lifestyle",
    "how long did the tree take",
    "my cat is watching too",
    "love the light there",
    "is it for the castle map",
    "what size is the canvas",
    "the river turned out great",
    "hello fern",
    "just got here",
    "cozy hours",
    "can we see the sketch",
    "those hands are perfect",
    "I always mess up perspective",
    "the tiny lamp in the window!",
    "what music is this",
    "rain sounds please",
    "good night all",
    "thumbnail when",
  ],
};
function fernScript(): ChatEvent[] {
  const script = new Script(502);
  const { random } = script;
  const choose = chooser(fernAudience, (who) => 0.2 + who.weight, 9_000, random);
  for (const atMs of poissonTimes(() => 0.8, 1, random)) {
    const who = choose(atMs);
    const roll = random.next();
    script.say(
      atMs,
      who,
      roll < 0.1
        ? emoteRun("fernLEAF", who, random)
        : roll < 0.16
          ? emoteRun("fernCOZY", who, random)
          : typed(phraseOf(FERN, who, random), who, 0.03, random),
    );
  }
  return script.finish();
}

const BROOK: phrases.Phrases = {
  ru: [
    "привет",
    "рыба клюёт?",
    "тишина какая",
    "красивая река",
    "уже поймал?",
    "комары не едят?",
    "а что на наживку",
    "зашла посмотреть",
    "хорошо у вас",
    "ветер слышно",
  ],
  en: [],
};
function brookScript(): ChatEvent[] {
  const script = new Script(73);
  const { random } = script;
  const choose = chooser(brookAudience, () => 1, 20_000, random);
  for (const atMs of poissonTimes(() => 0.045, 0.1, random)) {
    const who = choose(atMs);
    script.say(atMs, who, typed(phraseOf(BROOK, who, random), who, 0, random));
  }
  return script.finish();
}

const scripts = { pepel_lamp: pepelScript, nightfern: fernScript, tihiy_ruchey: brookScript } as const;
export type ScriptedChannel = keyof typeof scripts;
export const scriptedChannels = Object.keys(scripts) as ScriptedChannel[];
const compiled = new Map<ScriptedChannel, readonly ChatEvent[]>();

/** One loop of a channel's chat, in order of time: always the same. */
export function scriptOf(channel: ScriptedChannel): readonly ChatEvent[] {
  const known = compiled.get(channel) ?? scripts[channel]();
  compiled.set(channel, known);
  return known;
}

/** The chat events of [fromMs, toMs), counted from the stream's start; the stream repeats every `PERIOD_MS`. */
export function* streamAt(
  channel: ScriptedChannel,
  fromMs: number,
  toMs: number,
): Generator<{ readonly event: ChatEvent; readonly loop: number; readonly atMs: number }> {
  const script = scriptOf(channel);
  for (let loop = Math.floor(fromMs / PERIOD_MS); loop * PERIOD_MS < toMs; loop++) {
    const start = loop * PERIOD_MS;
    let low = 0;
    let high = script.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((script[middle]?.atMs ?? 0) < fromMs - start) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < script.length; i++) {
      const event = script[i] as ChatEvent;
      if (start + event.atMs >= toMs) return;
      yield { event, loop, atMs: start + event.atMs };
    }
  }
}
