import { mainEvents } from "./world.ts";

type Language = "ru" | "en";

/** Within so many seconds of a true place an answer is right. */
const TOLERANCE_S = 5;
/** What happens in chat alone has no second on the screen: chat's own beginning counts, and the lag may be taken off it. */
const CHAT_ALONE_S = 8;
const CHAT_ALONE: ReadonlySet<string> = new Set(["copypasta", "poll", "giveaway", "gift_bomb", "raid"]);

/** What a person who has seen the stream would ask, and which events of the script would be a right answer. Written from the script, not from what a search finds. */
const asked: readonly (readonly [events: string, ru: readonly string[], en: readonly string[]])[] = [
  ["start", ["начало попытки"], ["when does the run start"]],
  [
    "lava-1 lava-2",
    ["момент где он упал в лаву", "где он сгорел", "чат угорает с падения в лаву", "пол это лава"],
    [
      "when did he fall into the lava",
      "he just walked into lava",
      "clip of him getting roasted",
      "lava swim",
    ],
  ],
  ["lava-1", ["первый раз когда он упал в лаву"], ["the first time he fell in the lava"]],
  [
    "lava-2",
    ["где он второй раз упал в лаву", "опять та же лава"],
    ["the second time he fell in the lava", "same lava again after the raid"],
  ],
  ["paste-lava paste-granny", [], ["where did everybody post the same copypasta"]],
  ["poll", ["голосование налево или направо"], ["the vote: left or right"]],
  [
    "spikes",
    ["прыжок между тремя шипами", "три шипа без урона", "где он сделал невозможное с шипами"],
    [
      "three spikes in a row",
      "when did he get through the spikes without damage",
      "pixel perfect spike jump",
    ],
  ],
  [
    "glitch",
    ["игра съела сохранение", "баг с чекпоинтом", "когда чат ругался на разработчиков"],
    ["the game ate his save", "chat is mad about a bug", "when did he lose the checkpoint to a glitch"],
  ],
  ["giveaway", ["розыгрыш ключа"], ["the key giveaway"]],
  [
    "boss-1",
    ["начало боя с привратником", "сейчас будет босс"],
    ["the fight with the gatekeeper starts", "chat gets ready for the first boss"],
  ],
  [
    "death",
    ["где он погиб и все грустили", "чат пишет F", "оставался один удар и он умер"],
    ["F in chat", "when did he die so close to the end of the fight", "one hit left and he died"],
  ],
  [
    "joke",
    ["шутка про скелета", "испанский стыд", "папина шутка"],
    ["the cringe dad joke", "when did chat beg him to stop joking", "joke about a skeleton"],
  ],
  ["ad", ["началась реклама"], ["the ad break"]],
  [
    "secret",
    ["тайная комната", "дверь которой раньше не было", "нашёл секрет"],
    ["the secret room", "a door that was never there", "when did he discover something nobody had seen"],
  ],
  ["raid", ["рейд от кошки", "когда пришли рейдеры"], ["the raid", "when did koshka's raiders arrive"]],
  ["gifts", ["подарили двадцать подписок", "хеджфог щедрый"], ["twenty gifted subs", "hedgefog gifts"]],
  ["pause", ["картинка пропала"], ["black screen, technical problems"]],
  ["boss-2", ["третья фаза короля пепла"], ["the third phase of the king"]],
  [
    "boss-miss",
    ["ударил стену вместо босса", "меч застрял в стене", "промахнулся по огромному боссу"],
    ["he hit the wall instead of the boss", "sword stuck in the wall", "excalibur joke"],
  ],
  ["boss-hit", ["у короля осталось четыре процента"], ["the king has four percent left"]],
  [
    "win",
    ["когда он победил", "замок пал", "новый рекорд", "чат кричит от радости в конце"],
    ["when did he win", "the castle has fallen", "new record", "when did chat lose it over the final boss"],
  ],
];

/** What did not happen. Some speak of what chat does mention, which makes them hard. */
const nothing: Readonly<Record<Language, readonly string[]>> = {
  ru: [
    "где он поёт под гитару",
    "момент где он играет в шахматы",
    "когда он разбил клавиатуру",
    "где он готовит борщ на кухне",
    "как он выиграл в лотерею",
    "когда к нему пришёл курьер",
    "момент с драконом",
    "где он катается на лошади",
    "гол в ворота на последней минуте",
    "он перешёл на хардкор на арене в доте",
    "где он показывает свою машину",
    "пожарная тревога",
    "реакция на трейлер фильма",
    "танцует в костюме динозавра",
  ],
  en: [
    "when did he play the piano",
    "the helicopter crash",
    "when does he propose to his girlfriend",
    "he opens a pack of football cards",
    "the underwater level with sharks",
    "when did the police show up",
    "headshot with a sniper rifle",
    "he unboxes a new phone",
    "the parkour race in minecraft",
    "arm wrestling with a guest",
    "when did he cut his hair",
    "cooking stream burns the pancakes",
    "the plane lands",
    "quiz about european capitals",
  ],
};

/** `demo/questions.json`: seconds of the loop, which are those of the exported stream. */
export function questions() {
  const placeOf = (id: string): { atS: number; alone: boolean } => {
    const event = mainEvents.find((one) => one.id === id);
    if (event === undefined) throw new Error(`no event ${id}`);
    return { atS: event.atMs / 1000, alone: CHAT_ALONE.has(event.kind) };
  };
  const list = asked.flatMap(([ids, ru, en]) => {
    const places = ids.split(" ").map(placeOf);
    const one = (language: Language, text: string) => ({
      language,
      text,
      atS: places.map(({ atS }) => atS),
      toleranceS: places.some(({ alone }) => alone) ? CHAT_ALONE_S : TOLERANCE_S,
    });
    return [...ru.map((text) => one("ru", text)), ...en.map((text) => one("en", text))];
  });
  return {
    about:
      "Generated by `node demo/src/main.ts --questions demo/questions.json` from demo/src/questions.ts. `atS`: seconds of the demo's stream, each of which is a right answer within `toleranceS`; `none`: what did not happen in it.",
    questions: list.map((question, i) => ({ id: `q${i + 1}`, ...question })),
    none: (["ru", "en"] as const).flatMap((language) =>
      nothing[language].map((text) => ({ language, text })),
    ),
  };
}
