import type { Mood } from "@hypecast/contracts/moods.ts";
import {
  audience,
  brookAudience,
  fernAudience,
  insulter,
  linkSpammer,
  moobot,
  nightbot,
  raiders,
  raidLeader,
  streamer,
  type Chatter,
} from "./chatters.ts";
import * as phrases from "./phrases.ts";
import { createRandom, type Random } from "./random.ts";
import { lagS, lavaAgain, reactions, type Reaction } from "./reactions.ts";
import { trouble } from "./trouble-scenes.ts";
import { chosen, drift, emoteRun, laughter, phraseOf, typed } from "./speech.ts";
import {
  events,
  LATE_EMOTE,
  mainEvents,
  PERIOD_MS,
  RAID_ECHO_MS,
  RAID_VIEWERS,
  sceneAt,
  type StreamEvent,
} from "./world.ts";

/** One thing that the chat server says, `atMs` after the start of the loop. `n` numbers them within the loop. */
export type ChatEvent =
  | Said
  | Announced
  | Moderated
  | RoomChanged
  | Warned
  | Held
  | Decided
  | Suspicious
  | UnbanAsked;

export interface Said {
  readonly type: "message";
  n: number;
  atMs: number;
  readonly who: Chatter;
  /** `{attempt}` stands for the number of the run. */
  text: string;
  readonly action: boolean;
  readonly bits: number;
  readonly firstMessage: boolean;
  readonly replyTo: Said | null;
  /** Id of the stream event that caused it; null: ordinary chat. */
  readonly cause: string | null;
  /** What its author feels, where they show it by an emote or a plain word: for the truth only. */
  readonly mood: Mood | null;
}

/** USERNOTICE. */
export interface Announced {
  readonly type: "notice";
  n: number;
  atMs: number;
  readonly who: Chatter;
  readonly kind: "sub" | "resub" | "subgift" | "submysterygift" | "raid" | "announcement";
  /** `msg-param-*`, without the prefix, not yet escaped. */
  readonly params: Readonly<Record<string, string>>;
  readonly system: string;
  readonly text: string;
  readonly cause: string | null;
}

/** CLEARCHAT (timeout, ban) and CLEARMSG (delete) against one message's author. */
export interface Moderated {
  readonly type: "timeout" | "ban" | "delete";
  n: number;
  atMs: number;
  readonly target: Said;
  readonly durationS: number;
  readonly by: Chatter;
  readonly reason: string;
}

/** What moderators hear of over EventSub alone. */
export interface Warned {
  readonly type: "warn";
  n: number;
  atMs: number;
  readonly target: Said;
  readonly by: Chatter;
  readonly reason: string;
}
/** AutoMod holds a line: chat does not see it until somebody lets it through. */
export interface Held {
  readonly type: "hold";
  n: number;
  atMs: number;
  readonly who: Chatter;
  readonly text: string;
  readonly category: string;
  readonly level: number;
  readonly span: readonly [number, number];
}
export interface Decided {
  readonly type: "decide";
  n: number;
  atMs: number;
  readonly held: Held;
  readonly by: Chatter;
  readonly status: "approved" | "denied";
}
/** Twitch thinks that the author is somebody who was banned. */
export interface Suspicious {
  readonly type: "suspicious";
  n: number;
  atMs: number;
  readonly target: Said;
}
export interface UnbanAsked {
  readonly type: "unban_request";
  n: number;
  atMs: number;
  readonly who: Chatter;
  readonly text: string;
}

export interface RoomChanged {
  readonly type: "room";
  n: number;
  atMs: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly notice: { readonly id: string; readonly text: string };
}

type Extra = Partial<Pick<Said, "action" | "bits" | "firstMessage" | "replyTo" | "cause" | "mood">>;

/** Collects a loop's events in any order; `finish` sorts and numbers them. */
class Script {
  readonly random: Random;
  private readonly drafts: ChatEvent[] = [];
  private readonly introduced = new Set<string>();

  constructor(seed: number) {
    this.random = createRandom(seed);
  }

  say(atMs: number, who: Chatter, text: string, extra: Extra = {}): Said {
    const said: Said = {
      type: "message",
      n: 0,
      atMs,
      who,
      text: text.slice(0, 500),
      action: false,
      bits: 0,
      firstMessage: false,
      replyTo: null,
      cause: null,
      mood: null,
      ...extra,
    };
    this.drafts.push(said);
    return said;
  }

  /** True once per chatter and loop: what first-msg says. */
  introduces(who: Chatter): boolean {
    if (this.introduced.has(who.login)) return false;
    this.introduced.add(who.login);
    return true;
  }

  add(event: Exclude<ChatEvent, Said>): void {
    this.drafts.push(event);
  }

  finish(): ChatEvent[] {
    for (const draft of this.drafts)
      draft.atMs = ((Math.round(draft.atMs) % PERIOD_MS) + PERIOD_MS) % PERIOD_MS;
    const sorted = this.drafts
      .map((draft, i) => [draft, i] as const)
      .sort(([a, i], [b, j]) => a.atMs - b.atMs || i - j);
    const last = new Map<string, Said>();
    return sorted.map(([draft], n) => {
      draft.n = n;
      if (draft.type === "message") {
        // Twitch drops the same text of the same author within 30 s, so people change something.
        const before = last.get(draft.who.login);
        if (before?.text === draft.text && draft.atMs - before.atMs < 30_000)
          draft.text += ` ${draft.text.split(" ").at(-1)}`;
        last.set(draft.who.login, draft);
      }
      return draft;
    });
  }
}

/** Draws chatters by weight, and nobody twice within their own pause. */
function chooser(
  people: readonly Chatter[],
  weightOf: (who: Chatter) => number,
  pauseMs: number,
  random: Random,
) {
  const sums: number[] = [];
  let total = 0;
  for (const who of people) sums.push((total += weightOf(who)));
  const lastAtMs = new Map<string, number>();
  return (atMs: number): Chatter => {
    for (let attempt = 0; ; attempt++) {
      const wanted = random.next() * total;
      let low = 0;
      let high = sums.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((sums[middle] ?? 0) <= wanted) low = middle + 1;
        else high = middle;
      }
      const who = people[low] as Chatter;
      const before = lastAtMs.get(who.login) ?? -Infinity;
      if (attempt < 30 && Math.abs(atMs - before) < pauseMs) continue;
      lastAtMs.set(who.login, atMs);
      return who;
    }
  };
}

/** Times of a Poisson process whose rate (per second) changes over the loop. */
function poissonTimes(ratePerS: (ms: number) => number, most: number, random: Random): number[] {
  const times: number[] = [];
  for (let ms = random.exponential(1000 / most); ms < PERIOD_MS; ms += random.exponential(1000 / most))
    if (random.chance(ratePerS(ms) / most)) times.push(ms);
  return times;
}

/**
 * Times that follow the rate more closely than Poisson's would, each pushed about by some places: calm chat stays calm, and
 * whatever stands out of it was made to.
 */
function steadyTimes(ratePerS: (ms: number) => number, random: Random): number[] {
  const times: number[] = [];
  const stepMs = 100;
  let due = 0;
  for (let ms = 0; ms < PERIOD_MS; ms += stepMs) {
    const rate = ratePerS(ms);
    due += (rate * stepMs) / 1000;
    for (; due >= 1; due--) {
      const places = (random.next() + random.next() + random.next() - 1.5) * 14;
      times.push(ms + (places / rate) * 1000 + random.next() * stepMs);
    }
  }
  return times.sort((a, b) => a - b);
}

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
const fill = (text: string, random: Random): string =>
  text
    .replaceAll("{name}", () => random.pick(audience.slice(0, 96)).name)
    .replaceAll("{n}", () => String(random.int(2, 19)));

function background(script: Script): void {
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
function conversations(script: Script): void {
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

function bots(script: Script): void {
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

const plan = (who: Chatter): string => (who.badges.includes("premium") ? "Prime" : "1000");
const planWords = (who: Chatter): string => (plan(who) === "Prime" ? "with Prime" : "at Tier 1");

function supporters(script: Script): void {
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

/** Lines of a reaction: everybody who watches may wake up, nobody floods. */
function react(script: Script, event: StreamEvent, reaction: Reaction): void {
  const { random } = script;
  const choose = chooser(audience, (who) => 0.35 + Math.sqrt(who.weight), 1_600, random);
  const weights = reaction.mix.map(([weight]) => weight);
  const times = Array.from({ length: reaction.lines }, () => event.atMs + lagS(reaction, random) * 1000).sort(
    (a, b) => a - b,
  );
  for (const atMs of times) {
    const who = choose(atMs);
    const [, mood, say] = reaction.mix[random.weighted(weights)] ?? [0, null, laughter];
    script.say(atMs, who, fill(say(who, random), random), { cause: event.id, mood });
  }
}

const BUILD_UP_MS = 24_000;
/** Before a boss the chat grows a little: what makes a burst foreseeable. */
function buildUp(script: Script, event: StreamEvent): void {
  const { random } = script;
  const choose = chooser(audience, (who) => who.weight, 8_000, random);
  for (let i = 0; i < 20; i++) {
    const atMs = event.atMs - BUILD_UP_MS * Math.sqrt(random.next());
    const who = choose(atMs);
    script.say(atMs, who, typed(phraseOf(phrases.bossReady, who, random), who, 0.1, random), {
      cause: event.id,
    });
  }
}

function copypasta(script: Script, event: StreamEvent): void {
  const { random } = script;
  const paste = event.id === "paste-lava" ? phrases.PASTE_LAVA : phrases.PASTE_GRANNY;
  const choose = chooser(audience, (who) => (who.habit === "parrot" ? 1 : 0.02), 7_000, random);
  let atMs = event.atMs;
  for (let copy = 0; copy < 84; copy++) {
    // One posts it, then it catches on, then it tires.
    atMs += random.exponential(copy < 4 ? 900 : copy < 55 ? 230 : 700);
    script.say(atMs, choose(atMs), drift(paste, copy, random), { cause: event.id });
  }
}

function poll(script: Script, event: StreamEvent): void {
  const { random } = script;
  const choose = chooser(audience, (who) => 0.3 + Math.sqrt(who.weight), 12_000, random);
  const times = Array.from(
    { length: 270 },
    () =>
      event.atMs + 1_500 + (random.chance(0.75) ? random.logNormal(5_000, 0.5) : random.exponential(14_000)),
  ).sort((a, b) => a - b);
  for (const atMs of times) {
    const vote = random.chance(0.61) ? "1" : "2";
    const text = random.chance(0.86)
      ? vote
      : random.pick([
          `${vote}${vote}${vote}`,
          `${vote}!`,
          vote === "1" ? "налево 1" : "направо 2",
          `${vote} конечно`,
        ]);
    script.say(atMs, choose(atMs), text, { cause: event.id });
  }
  script.say(event.atMs + 600, moobot, "Голосуем: 1 — налево, 2 — направо", { cause: event.id });
  script.say(event.atMs + 41_000, moobot, "Голоса: 1 — 61 %, 2 — 39 %. Идём налево!", { cause: event.id });
}

function giveaway(script: Script, event: StreamEvent): void {
  const { random } = script;
  const choose = chooser(audience, (who) => 0.4 + Math.sqrt(who.weight), 25_000, random);
  script.say(event.atMs + 500, nightbot, "Розыгрыш начат! Напишите !play, чтобы участвовать", {
    cause: event.id,
  });
  for (let i = 0; i < 210; i++) {
    const atMs =
      event.atMs + 2_000 + (random.chance(0.7) ? random.logNormal(6_000, 0.55) : random.exponential(18_000));
    const who = choose(atMs);
    script.say(
      atMs,
      who,
      random.chance(0.94) ? "!play" : random.pick(["!Play", "!play ", "!play pls", "!PLAY"]),
      { cause: event.id },
    );
    if (i % 9 === 0)
      script.say(atMs + random.int(300, 900), nightbot, `@${who.name}, ты в списке (${i + 1})`, {
        cause: event.id,
      });
  }
  script.say(
    event.atMs + 46_000,
    nightbot,
    `Победитель: @${random.pick(audience.slice(10, 60)).name}! Поздравляем`,
    { cause: event.id },
  );
}

function raid(script: Script, event: StreamEvent): void {
  const { random } = script;
  script.add({
    type: "notice",
    n: 0,
    atMs: event.atMs,
    who: raidLeader,
    kind: "raid",
    params: {
      displayName: raidLeader.name,
      login: raidLeader.login,
      profileImageURL: "https://static-cdn.jtvnw.net/jtv_user_pictures/koshka-profile_image-%s.png",
      viewerCount: String(RAID_VIEWERS),
    },
    system: `${RAID_VIEWERS} raiders from ${raidLeader.name} have joined!`,
    text: "",
    cause: event.id,
  });
  const chooseRaider = chooser(raiders, () => 1, 4_000, random);
  const times = Array.from(
    { length: 300 },
    () =>
      event.atMs + 1_200 + (random.chance(0.6) ? random.logNormal(6_500, 0.55) : random.exponential(17_000)),
  ).sort((a, b) => a - b);
  for (const atMs of times) {
    const who = chooseRaider(atMs);
    const greeting = typed(phraseOf(phrases.raidGreeting, who, random), who, 0.35, random);
    const text = random.chance(0.45)
      ? emoteRun("koshkaRAID", who, random)
      : random.chance(0.5)
        ? `${greeting} koshkaRAID`
        : random.chance(0.3)
          ? emoteRun("koshkaLOVE", who, random)
          : greeting;
    script.say(atMs, who, text, { cause: event.id, firstMessage: script.introduces(who) });
  }
  const chooseHost = chooser(audience, (who) => who.weight, 12_000, random);
  for (let i = 0; i < 46; i++) {
    const atMs = event.atMs + 3_000 + random.logNormal(9_000, 0.6);
    const who = chooseHost(atMs);
    script.say(atMs, who, typed(phraseOf(phrases.raidWelcome, who, random), who, 0.15, random), {
      cause: event.id,
    });
  }
  // Some stay and ask.
  for (let i = 0; i < 44; i++) {
    const atMs = event.atMs + 25_000 + random.next() * (RAID_ECHO_MS - 30_000);
    const who = chooseRaider(atMs);
    script.say(
      atMs,
      who,
      typed(phraseOf(phrases.newcomer, who, random), who, 0.05, random).replace("{n}", "25"),
      { cause: event.id, firstMessage: script.introduces(who) },
    );
  }
  script.say(
    event.atMs + 9_000,
    moobot,
    "!so koshka_v_plashe: загляните на twitch.tv/koshka_v_plashe, там готовят и мурчат",
    { cause: event.id },
  );
  script.add({
    type: "notice",
    n: 0,
    atMs: event.atMs + 14_000,
    who: audience.find((who) => who.moderator) ?? moobot,
    kind: "announcement",
    params: { color: "PURPLE" },
    system: "",
    text: "Привет рейдерам! Идём на короля пепла, правила у бота.",
    cause: event.id,
  });
  script.add({
    type: "room",
    n: 0,
    atMs: event.atMs + 6_000,
    tags: { slow: "3" },
    notice: { id: "slow_on", text: "This room is now in slow mode. You may send messages every 3 seconds." },
  });
  script.add({
    type: "room",
    n: 0,
    atMs: event.atMs + RAID_ECHO_MS,
    tags: { slow: "0" },
    notice: { id: "slow_off", text: "This room is no longer in slow mode." },
  });
  const spam = script.say(
    event.atMs + 38_000,
    linkSpammer,
    "Cheap viewers and followers at best-viewers.example (remove the space)",
    { cause: event.id, firstMessage: true },
  );
  const seen = { n: 0, target: spam, durationS: 0, by: moobot, reason: "spam" } as const;
  script.add({ type: "delete", ...seen, atMs: event.atMs + 39_600 });
  script.add({ type: "ban", ...seen, atMs: event.atMs + 40_300 });
}

const GIFTS = 20;
function giftBomb(script: Script, event: StreamEvent): void {
  const { random } = script;
  const giver = audience.find((who) => who.login === "hedgefog") ?? streamer;
  const gift = "6541239870012345678";
  const common = { "origin-id": gift, "sub-plan": "1000", "community-gift-id": gift };
  script.add({
    type: "notice",
    n: 0,
    atMs: event.atMs,
    who: giver,
    kind: "submysterygift",
    params: { ...common, "mass-gift-count": String(GIFTS), "sender-count": "74" },
    system: `${giver.name} is gifting ${GIFTS} Tier 1 Subs to pepel_lamp's community! They've gifted a total of 74 in the channel!`,
    text: "",
    cause: event.id,
  });
  const lucky = audience.filter((who) => !who.subscriber).slice(40, 40 + GIFTS);
  for (const [i, who] of lucky.entries())
    script.add({
      type: "notice",
      n: 0,
      atMs: event.atMs + 120 + i * 90,
      who: giver,
      kind: "subgift",
      params: {
        ...common,
        "gift-months": "1",
        months: "1",
        "recipient-display-name": who.name,
        "recipient-id": who.userId,
        "recipient-user-name": who.login,
        "sender-count": "0",
        "sub-plan-name": "Channel Subscription (pepel_lamp)",
      },
      system: `${giver.name} gifted a Tier 1 sub to ${who.name}!`,
      text: "",
      cause: event.id,
    });
  const choose = chooser(audience, (who) => 0.2 + Math.sqrt(who.weight), 6_000, random);
  for (let i = 0; i < 150; i++) {
    const atMs =
      event.atMs + (random.chance(0.6) ? random.logNormal(5_000, 0.45) : 4_000 + random.exponential(10_000));
    const who = choose(atMs);
    const thanks = typed(phraseOf(phrases.gifts, who, random), who, 0.25, random);
    const roll = random.next();
    const text =
      roll < 0.5
        ? emoteRun("lampLOVE", who, random)
        : roll < 0.6
          ? `${thanks} lampLOVE`
          : roll < 0.68
            ? random.pick(["❤️", "💛", "<3", "<3 <3"])
            : thanks;
    script.say(atMs, who, text, { cause: event.id, mood: roll < 0.68 ? "love" : null });
  }
}

function chorus(
  script: Script,
  event: StreamEvent,
  list: phrases.Phrases,
  lines: number,
  overS: number,
): void {
  const { random } = script;
  const choose = chooser(audience, (who) => who.weight, 10_000, random);
  for (let i = 0; i < lines; i++) {
    const atMs = event.atMs + 2_500 + random.next() * overS * 1000;
    const who = choose(atMs);
    script.say(atMs, who, typed(phraseOf(list, who, random), who, 0.05, random), { cause: event.id });
  }
}

/** Somebody goes too far after the glitch and gets ten minutes. */
function quarrel(script: Script, event: StreamEvent): void {
  script.say(event.atMs + 15_000, insulter, "стример просто рукожоп, игра ни при чём", { cause: event.id });
  const insult = script.say(event.atMs + 21_000, insulter, "и чат у вас тупой весь до одного", {
    cause: event.id,
  });
  const moderator = audience.find((who) => who.moderator) ?? moobot;
  script.add({
    type: "timeout",
    n: 0,
    atMs: event.atMs + 23_400,
    target: insult,
    durationS: 600,
    by: moderator,
    reason: "остынь",
  });
  script.say(event.atMs + 27_000, moderator, `@${insulter.name} остынь, поговорим через 10 минут`, {
    cause: event.id,
  });
}

function causedBy(script: Script, event: StreamEvent): void {
  const reaction = event.id === "lava-2" ? lavaAgain : reactions[event.kind];
  if (reaction !== undefined) react(script, event, reaction);
  switch (event.kind) {
    case "boss_phase":
      return buildUp(script, event);
    case "copypasta":
      return copypasta(script, event);
    case "poll":
      return poll(script, event);
    case "giveaway":
      return giveaway(script, event);
    case "raid":
      return raid(script, event);
    case "gift_bomb":
      return giftBomb(script, event);
    case "glitch":
      return quarrel(script, event);
    case "ad_end":
      return chorus(script, event, phrases.adBack, 12, 18);
    case "pause_end":
      return chorus(script, event, phrases.pauseBack, 14, 18);
    case "win":
      return chorus(script, event, phrases.afterWin, 40, 75);
    default:
  }
}

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
