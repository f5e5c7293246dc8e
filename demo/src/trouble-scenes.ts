import { insulter, linkSpammer, moobot, type Chatter } from "./chatters.ts";
import type { ChatEvent, Held, Said } from "./chat-event.ts";
import {
  bridgeBurner,
  dasha,
  evader,
  grump,
  haters,
  heldOne,
  justValera,
  kot,
  lampochka,
  sadOne,
  scammers,
} from "./trouble.ts";
import { createRandom, type Random } from "./random.ts";

/** Where the script's events are put. */
interface Stage {
  say(
    atMs: number,
    who: Chatter,
    text: string,
    extra: { cause: string; replyTo?: Said | null; firstMessage?: boolean },
  ): Said;
  add(event: Exclude<ChatEvent, Said>): void;
}

/** What moderators have to do with, once a run; its lines have its id as their cause. */
export interface TroubleScene {
  readonly id: string;
  readonly kind: "quarrel" | "harassment" | "self_harm" | "hate_raid" | "flood" | "automod" | "evasion";
  readonly fromMs: number;
  readonly toMs: number;
}
const scene = (id: string, kind: TroubleScene["kind"], fromS: number, toS: number): TroubleScene => ({
  id,
  kind,
  fromMs: fromS * 1000,
  toMs: toS * 1000,
});
const QUARREL = scene("trouble-quarrel", "quarrel", 196, 252);
const HARASSMENT = scene("trouble-harassment", "harassment", 404, 440);
const SELF_HARM = scene("trouble-self-harm", "self_harm", 916, 918);
const AUTOMOD = scene("trouble-automod", "automod", 582, 612);
const EVASION = scene("trouble-evasion", "evasion", 940, 964);
/** Both come with the raid, when nobody looks at single lines. */
const HATE_RAID = scene("trouble-hate-raid", "hate_raid", 1096, 1126);
const FLOOD = scene("trouble-flood", "flood", 1128, 1168);
export const troubleScenes: readonly TroubleScene[] = [
  QUARREL,
  HARASSMENT,
  AUTOMOD,
  SELF_HARM,
  EVASION,
  HATE_RAID,
  FLOOD,
];

const HATE: Readonly<Record<"ru" | "en", readonly string[]>> = {
  en: [
    "nobody wants you here, get off the stream",
    "you people are disgusting, go back where you came from",
    "your whole kind should be banned from this site",
    "we know where you live, sleep well tonight",
    "delete your channel or we come back every day",
    "everyone in this chat is garbage, hope you all choke",
    "people like you should not exist",
    "shut it down you worthless freak",
  ],
  ru: [
    "таким как ты тут не место, проваливай",
    "вас всех надо выгнать отсюда, мерзкие твари",
    "закрывай канал, а то пожалеешь",
    "мы знаем где ты живёшь, оглядывайся",
    "весь ваш чат - отбросы",
    "ненавижу таких как вы, чтоб вы все сдохли",
    "уродина, выключи камеру и не позорься",
  ],
};

/** One text, as those write it who want it to look like many: what is meant stays the same. */
function disguised(random: Random, copy: number): string {
  const link = random.pick([
    "skin-vault.example/claim",
    "skin-vault . example/claim",
    "skln-vault.example/claim",
    "skin-vau1t.example/claim",
  ]);
  const text = `FREE SKINS only today, claim yours now -> ${link}`;
  switch (random.int(0, 5)) {
    case 0:
      return text.replace("FREE", "FR33").replace("SKINS", "SK1NS");
    case 1:
      return text.replace("FREE SKINS", "F.R.E.E S.K.I.N.S");
    case 2:
      return text.replace("SKINS", "SK\u200bINS").replace("claim", "cl\u200baim");
    case 3:
      // Cyrillic letters that look Latin.
      return text.replace("FREE", "FRЕЕ").replace("claim", "сlаim");
    case 4:
      return `${text} ${copy}`;
    default:
      return text;
  }
}

/** The lines that a moderator is there for. They are few beside the rest, and the script's own moderators see some of them. */
export function trouble(stage: Stage): void {
  const random = createRandom(6_021);
  quarrel(stage);
  harassment(stage);
  automod(stage);
  selfHarm(stage);
  evasion(stage);
  hateRaid(stage, random);
  flood(stage, random);
}

function quarrel(stage: Stage): void {
  const at = (s: number): number => QUARREL.fromMs + s * 1000;
  const say = (s: number, who: Chatter, text: string, replyTo: Said | null = null): Said =>
    stage.say(at(s), who, text, { cause: QUARREL.id, replyTo });
  const first = say(0, bridgeBurner, "он играет как слепой крот, смотреть невозможно");
  const second = say(5, justValera, "@zhgu_mosty_dotla так не смотри, кто тебя держит", first);
  const third = say(10, bridgeBurner, "@prosto_valera_77 тебя забыл спросить, клоун", second);
  say(15, justValera, "@zhgu_mosty_dotla сам ты клоун, иди уроки делай", third);
  say(20, bridgeBurner, "ты тупой или притворяешься? закрой рот уже");
  say(25, grump, "lol both of you are idiots, shut up");
  say(30, bridgeBurner, "@GrumpMaster_88 nobody asked you, moron", null);
  const pathetic = say(34, justValera, "какой же ты жалкий, никому ты тут не нужен");
  const threat = say(40, bridgeBurner, "@prosto_valera_77 я тебя найду и руки тебе переломаю, урод");
  stage.add({ type: "delete", n: 0, atMs: at(44), target: threat, durationS: 0, by: dasha, reason: "" });
  stage.add({
    type: "timeout",
    n: 0,
    atMs: at(46),
    target: threat,
    durationS: 600,
    by: dasha,
    reason: "угрозы",
  });
  stage.add({ type: "warn", n: 0, atMs: at(49), target: pathetic, by: dasha, reason: "без оскорблений" });
  stage.say(at(51), dasha, "@prosto_valera_77 и вы заканчивайте, пожалуйста", { cause: QUARREL.id });
}

function harassment(stage: Stage): void {
  const at = (s: number): number => HARASSMENT.fromMs + s * 1000;
  const say = (s: number, text: string): Said => stage.say(at(s), grump, text, { cause: HARASSMENT.id });
  say(0, "streamer is a pathetic loser, how does anyone watch this");
  say(11, "you are trash at this game, uninstall it and get a real job");
  say(24, "go cry to your mom you worthless clown");
}

function automod(stage: Stage): void {
  const text = "стример тупая курица, заткнись уже";
  const held: Held = {
    type: "hold",
    n: 0,
    atMs: AUTOMOD.fromMs,
    who: heldOne,
    text,
    category: "bullying",
    level: 3,
    span: [8, 19],
  };
  stage.add(held);
  stage.add({ type: "decide", n: 0, atMs: AUTOMOD.fromMs + 26_000, held, by: kot, status: "denied" });
  // Nobody decides on this one: it is for who sits at the queue.
  stage.add({
    type: "hold",
    n: 0,
    atMs: AUTOMOD.fromMs + 9_000,
    who: heldOne,
    text: "да это просто адский уровень, чёрт возьми",
    category: "swearing",
    level: 2,
    span: [30, 33],
  });
}

function selfHarm(stage: Stage): void {
  stage.say(SELF_HARM.fromMs, sadOne, "простите что не по теме. я больше не хочу жить, правда", {
    cause: SELF_HARM.id,
  });
}

function evasion(stage: Stage): void {
  const back = stage.say(EVASION.fromMs, evader, "ну что, соскучились? вам меня не заткнуть", {
    cause: EVASION.id,
    firstMessage: true,
  });
  stage.add({ type: "suspicious", n: 0, atMs: EVASION.fromMs + 120, target: back });
  const again = stage.say(EVASION.fromMs + 14_000, evader, "чат тупых баранов, и стример ваш баран", {
    cause: EVASION.id,
  });
  stage.add({ type: "suspicious", n: 0, atMs: EVASION.fromMs + 14_120, target: again });
  stage.add({
    type: "unban_request",
    n: 0,
    atMs: EVASION.toMs + 4_000,
    who: insulter,
    text: "я больше так не буду, снимите бан пожалуйста",
  });
}

function hateRaid(stage: Stage, random: Random): void {
  const lengthMs = HATE_RAID.toMs - HATE_RAID.fromMs;
  const seen = new Set<string>();
  const lines: Said[] = [];
  for (let i = 0; i < 42; i++) {
    const who = haters[i % haters.length] ?? linkSpammer;
    const atMs = HATE_RAID.fromMs + ((i + random.next()) / 42) * lengthMs;
    lines.push(
      stage.say(atMs, who, random.pick(HATE[who.language]), {
        cause: HATE_RAID.id,
        firstMessage: !seen.has(who.login),
      }),
    );
    seen.add(who.login);
  }
  // Two moderators have seen four of the fourteen before the next wave comes.
  for (const [i, target] of lines.slice(5, 9).entries()) {
    const by = i % 2 === 0 ? lampochka : dasha;
    const atMs = target.atMs + 6_000 + i * 1_500;
    stage.add({ type: "ban", n: 0, atMs, target, durationS: 0, by, reason: "hate raid" });
  }
}

function flood(stage: Stage, random: Random): void {
  const lengthMs = FLOOD.toMs - FLOOD.fromMs;
  const seen = new Set<string>();
  const lines: Said[] = [];
  for (let i = 0; i < 137; i++) {
    const who = scammers[i % scammers.length] ?? linkSpammer;
    const atMs = FLOOD.fromMs + ((i + random.next() * 0.8) / 137) * lengthMs;
    lines.push(
      stage.say(atMs, who, disguised(random, i), { cause: FLOOD.id, firstMessage: !seen.has(who.login) }),
    );
    seen.add(who.login);
  }
  for (const [i, target] of lines.slice(60, 63).entries())
    stage.add({
      type: "delete",
      n: 0,
      atMs: target.atMs + 2_000,
      target,
      durationS: 0,
      by: i === 2 ? kot : moobot,
      reason: "",
    });
  for (const target of lines.slice(88, 90))
    stage.add({
      type: "ban",
      n: 0,
      atMs: target.atMs + 3_000,
      target,
      durationS: 0,
      by: kot,
      reason: "scam links",
    });
}
