import type { Mood } from "@hypecast/contracts/moods.ts";
import type { Said } from "./chat-event.ts";
import { audience, moobot, nightbot, type Chatter } from "./chatters.ts";
import type { Random } from "./random.ts";
import { reactions } from "./reactions.ts";
import { chooser, poissonTimes, Script, steadyTimes, type Extra } from "./script.ts";
import { chosen, emoteRun, laughter, typed } from "./speech.ts";
import { mainEvents, PERIOD_MS, sceneAt } from "./world.ts";
import * as phrases from "./phrases.ts";

const BACKGROUND_PER_S = 5.4;
function backgroundRate(ms: number): number {
  const place = sceneAt(ms).place;
  const attention =
    { ads: 0.62, pause: 0.8, camp: 0.92, throne: 1.1, gatekeeper: 1.06 }[place as string] ?? 1;
  const wave = 1 + 0.1 * Math.sin(ms / 190_000) + 0.06 * Math.sin(ms / 47_000 + 1);
  const raid = mainEvents.find((event) => event.kind === "raid");
  const newcomers =
    raid !== undefined && ms > raid.atMs ? 1 + 0.12 * Math.exp((raid.atMs - ms) / 400_000) : 1;
  // While something happens, people look instead of talking about pelmeni.
  const watching = mainEvents.some(
    (event) =>
      (reactions[event.kind]?.moods.length ?? 0) > 0 && ms > event.atMs + 2_000 && ms < event.atMs + 14_000,
  );
  return BACKGROUND_PER_S * attention * wave * newcomers * (watching ? 0.5 : 1);
}

/** Emotes of calm chat with their shares: every mood has its small usual. */
const CALM_EMOTES: readonly (readonly [string, number, Mood | null])[] = [
  ["lampHA", 22, "laugh"],
  ["KEKW", 10, "laugh"],
  ["LUL", 5, "laugh"],
  ["OMEGALUL", 3, "laugh"],
  ["LULW", 3, "laugh"],
  ["lampOH", 7, "shock"],
  ["monkaS", 5, "shock"],
  ["WAYTOODANK", 2, "shock"],
  ["lampGO", 10, "hype"],
  ["catJAM", 8, "hype"],
  ["Pog", 5, "hype"],
  ["PogChamp", 3, "hype"],
  ["Clap", 3, "hype"],
  ["lampF", 5, "sad"],
  ["Sadge", 5, "sad"],
  ["PepeHands", 2, "sad"],
  ["BibleThump", 1, "sad"],
  ["lampLOVE", 7, "love"],
  ["<3", 4, "love"],
  ["lampRAGE", 4, "anger"],
  ["lampEW", 4, "cringe"],
  ["NotLikeThis", 3, "cringe"],
  ["cmonBruh", 3, "cringe"],
  ["lampNAP", 5, null],
  ["lampSWORD", 4, null],
  ["lampFIRE", 4, null],
  ["Kappa", 7, null],
  ["HeyGuys", 3, null],
  ["SeemsGood", 3, null],
  ["EZ", 3, null],
  ["FeelsStrongMan", 2, "sad"],
];
const CALM_EMOJI = ["🙂", "👀", "🔥", "❤️", "👍", "😴", "🐈", "🫠", "👨‍💻", "☕", "🌧️"];
const LINKS = [
  "https://clips.twitch.tv/LampaPadaetVLavu",
  "карта замка: ashen-castle.example/map",
  "https://ashen-castle.example/wiki/vorota",
  "гайд тут https://ashen-castle.example/guide",
  "https://youtu.be/dQw4w9WgXcQ не рикролл",
];

/** Fills `{name}` and `{n}`; `{attempt}` stays for whoever knows the loop. */
export const fill = (text: string, random: Random): string =>
  text
    .replaceAll("{name}", () => random.pick(audience.slice(0, 96)).name)
    .replaceAll("{n}", () => String(random.int(2, 19)));

export function background(script: Script): void {
  const { random } = script;
  const choose = chooser(audience, (who) => who.weight, 9_000, random);
  const shares = CALM_EMOTES.map(([, share]) => share);
  const lastUsed = new Map<string, number>();
  const lastSaid = new Map<string, number>();
  /** Nobody says what was just said: calm chat has no accidental copypasta. */
  const fresh = (list: readonly string[], atMs: number): string => {
    for (let attempt = 0; ; attempt++) {
      const template = random.pick(list);
      const phrase = chosen(template, random);
      const worn =
        atMs - (lastUsed.get(template) ?? -Infinity) < 14_000 ||
        atMs - (lastSaid.get(phrase) ?? -Infinity) < 150_000;
      if (attempt < 25 && worn) continue;
      lastUsed.set(template, atMs);
      lastSaid.set(phrase, atMs);
      return phrase;
    }
  };
  const lastEmotes: { name: string; mood: Mood | null; atMs: number }[] = [];
  /** Emotes come in no clusters of their own: a cluster is what the stream's events make. */
  const calmEmote = (atMs: number): (typeof CALM_EMOTES)[number] => {
    while ((lastEmotes[0]?.atMs ?? atMs) < atMs - 12_000) lastEmotes.shift();
    for (let attempt = 0; ; attempt++) {
      const emote = CALM_EMOTES[random.weighted(shares)] ?? (["Kappa", 0, null] as const);
      const [name, share, mood] = emote;
      const same = lastEmotes.filter((one) => one.name === name).length;
      const alike = lastEmotes.filter((one) => one.mood === mood && mood !== null).length;
      if (attempt < 20 && (same > share / 6 + 0.5 || alike > 5)) continue;
      lastEmotes.push({ name, mood, atMs });
      return emote;
    }
  };
  const recent: Said[] = [];
  for (const atMs of steadyTimes(backgroundRate, random)) {
    const who = choose(atMs);
    const extra: Extra = {
      firstMessage: who.habit === "lurker" && random.chance(0.12) && script.introduces(who),
    };
    const roll = random.next();
    if (roll < 0.21 || (who.habit === "spammer" && roll < 0.4)) {
      const [name, , mood] = calmEmote(atMs);
      script.say(atMs, who, emoteRun(name, who, random), { ...extra, mood });
      continue;
    }
    if (roll > 0.945) {
      script.say(atMs, who, laughter(who, random), { ...extra, mood: "laugh" });
      continue;
    }
    if (roll > 0.935) {
      script.say(atMs, who, random.pick(CALM_EMOJI).repeat(random.int(1, 3)), extra);
      continue;
    }
    if (roll > 0.93) {
      script.say(atMs, who, random.pick(LINKS), extra);
      continue;
    }
    const list = roll < 0.36 ? phrases.byPlace[sceneAt(atMs).place] : phrases.smallTalk;
    const text = typed(fill(fresh(list[who.language], atMs), random), who, 0.04, random);
    const parent = recent.length > 4 && random.chance(0.05) ? random.pick(recent) : null;
    const said = script.say(
      atMs,
      who,
      parent !== null && parent.who !== who
        ? `@${parent.who.name} ${random.pick(who.language === "ru" ? ["да", "согласен", "не, не так", "точно", "хз", "ага", "лол да"] : ["yes", "agreed", "nah", "true", "no idea", "yep"])}`
        : text,
      {
        ...extra,
        action: parent === null && random.chance(0.006),
        replyTo: parent !== null && parent.who !== who ? parent : null,
      },
    );
    if (!said.action && said.replyTo === null) recent.push(said);
    if (recent.length > 12) recent.shift();
  }
}

/** Questions, and answers some seconds later, most of them as replies in the thread. */
export function conversations(script: Script): void {
  const { random } = script;
  const choose = chooser(audience, (who) => who.weight + (who.habit === "asker" ? 2 : 0), 20_000, random);
  for (const atMs of poissonTimes(() => 1 / 24, 1 / 12, random)) {
    const asker = choose(atMs);
    const [question = "", ...answers] = random.pick(phrases.dialogues)[asker.language];
    const asked = script.say(atMs, asker, typed(question, asker, 0, random));
    let later = atMs;
    for (const answer of answers.slice(0, random.int(1, answers.length))) {
      later += 3500 + random.exponential(3500);
      const helper = choose(later);
      const reply = random.chance(0.7);
      const text = typed(answer, helper, 0, random);
      script.say(later, helper, reply ? `@${asker.name} ${text}` : text, { replyTo: reply ? asked : null });
    }
  }
}

const COMMANDS: readonly (readonly [string, Chatter, string])[] = [
  ["!рекорд", moobot, "@{who}, рекорд канала 24:58, мировой 22:40"],
  ["!discord", nightbot, "Наш сервер: discord.example/pepel_lamp"],
  ["!попытка", moobot, "@{who}, идёт попытка {attempt}"],
  ["!song", nightbot, "Сейчас играет: Ash & Ember, «Castle Below»"],
  ["!uptime", nightbot, "@{who}, стрим идёт дольше, чем кажется"],
];
const TIMERS = [
  "Первый раз тут? Правила: не спойлерить, не ругаться, пить воду.",
  "Понравилось? Подпишись, чтобы не пропустить следующую попытку.",
  "Карта замка и список рун: ashen-castle.example/map",
];

export function bots(script: Script): void {
  const { random } = script;
  const choose = chooser(audience, (who) => who.weight, 60_000, random);
  for (const atMs of poissonTimes(() => 1 / 45, 1 / 20, random)) {
    const who = choose(atMs);
    const [command, bot, answer] = random.pick(COMMANDS);
    const asked = script.say(atMs, who, command);
    script.say(atMs + random.int(400, 1100), bot, answer.replace("{who}", asked.who.name));
  }
  for (let s = 150, i = 0; s < PERIOD_MS / 1000; s += 300, i++)
    script.say(s * 1000, moobot, TIMERS[i % TIMERS.length] ?? "");
}

export const plan = (who: Chatter): string => (who.badges.includes("premium") ? "Prime" : "1000");
const planWords = (who: Chatter): string => (plan(who) === "Prime" ? "with Prime" : "at Tier 1");

export function supporters(script: Script): void {
  const { random } = script;
  const choose = chooser(
    audience.filter((who) => who.subscriber),
    () => 1,
    300_000,
    random,
  );
  const anybody = chooser(audience, (who) => who.weight, 300_000, random);
  for (const atMs of poissonTimes(() => 1 / 80, 1 / 40, random)) {
    const who = choose(atMs);
    const months = Number(who.badgeInfo.split("/")[1] ?? 1);
    const first = months <= 1;
    const streak = random.chance(0.5) ? Math.min(months, random.int(1, 9)) : 0;
    script.add({
      type: "notice",
      n: 0,
      atMs,
      who,
      kind: first ? "sub" : "resub",
      params: {
        "cumulative-months": String(months),
        months: "0",
        "multimonth-duration": "0",
        "multimonth-tenure": "0",
        "should-share-streak": streak > 0 ? "1" : "0",
        ...(streak > 0 ? { "streak-months": String(streak) } : {}),
        "sub-plan": plan(who),
        "sub-plan-name": "Channel Subscription (pepel_lamp)",
        "was-gifted": "false",
      },
      system:
        `${who.name} subscribed ${planWords(who)}.` +
        (first
          ? ""
          : ` They've subscribed for ${months} months${streak > 0 ? `, currently on a ${streak} month streak` : ""}!`),
      text:
        first || random.chance(0.4)
          ? ""
          : typed(
              random.pick(
                who.language === "ru"
                  ? [
                      "держи на новый плащ",
                      "за замок!",
                      "уже столько месяцев, вот это да",
                      "спасибо за вечера",
                    ]
                  : ["for the castle!", "keep it up", "worth every month"],
              ),
              who,
              0.1,
              random,
            ),
      cause: null,
    });
  }
  for (const atMs of poissonTimes(() => 1 / 140, 1 / 70, random)) {
    const who = anybody(atMs);
    const bits = random.pick([50, 100, 100, 200, 500, 1000]);
    const words = random.pick(
      who.language === "ru"
        ? ["на чай", "на новый меч", "за тот прыжок", "на лаву"]
        : ["for the tea", "for that jump", "for a new sword"],
    );
    script.say(atMs, who, `Cheer${bits} ${words}`, { bits });
  }
}
