import {
  audience,
  insulter,
  linkSpammer,
  moobot,
  nightbot,
  raiders,
  raidLeader,
  streamer,
} from "./chatters.ts";
import { lagS, lavaAgain, reactions, type Reaction } from "./reactions.ts";
import { chooser, Script } from "./script.ts";
import { drift, emoteRun, laughter, phraseOf, typed } from "./speech.ts";
import { fill } from "./usual-chat.ts";
import { RAID_ECHO_MS, RAID_VIEWERS, type StreamEvent } from "./world.ts";
import * as phrases from "./phrases.ts";

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

export function copypasta(script: Script, event: StreamEvent): void {
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

export function raid(script: Script, event: StreamEvent): void {
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

export function causedBy(script: Script, event: StreamEvent): void {
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
