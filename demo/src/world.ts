import { createRandom } from "./random.ts";

/** One run of «Пепельный замок» with everything around it; then the next run begins. */
export const PERIOD_MS = 30 * 60_000;
export const GAME = "Пепельный замок";
/** Each broadcast begins with this attempt … */
export const FIRST_ATTEMPT = 31;
/** … and is six hours long. */
export const RUNS_PER_BROADCAST = 12;

export const EVENT_KINDS = [
  "run_start",
  "jump",
  "near_miss",
  "checkpoint",
  "lava",
  "copypasta",
  "poll",
  "three_spikes",
  "glitch",
  "giveaway",
  "boss_phase",
  "death",
  "joke",
  "ad_start",
  "ad_end",
  "secret",
  "raid",
  "gift_bomb",
  "pause_start",
  "pause_end",
  "boss_miss",
  "boss_hit",
  "win",
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** Something that happens on screen (or, for `copypasta`, in chat alone), `atMs` after the start of the loop. */
export interface StreamEvent {
  readonly id: string;
  readonly kind: EventKind;
  readonly atMs: number;
  /** What the screen says at that moment; empty: nothing. */
  readonly screen: string;
  /** What the streamer says, for the sound and for who asks. */
  readonly says: string;
}

const at = (id: string, kind: EventKind, s: number, screen = "", says = ""): StreamEvent => ({
  id,
  kind,
  atMs: Math.round(s * 1000),
  screen,
  says,
});

/** What the chat answers to, each far enough from the next that the channel's usual returns between them. */
const MAIN: readonly StreamEvent[] = [
  at("start", "run_start", 5, "ПОПЫТКА {attempt}", "Ну что, ещё разок. Теперь-то точно."),
  at("gate", "checkpoint", 52, "ВОРОТА ЗАМКА"),
  at("lava-1", "lava", 97, "ВЫ СГОРЕЛИ", "Да я же… я же прыгнул!"),
  at("paste-lava", "copypasta", 176),
  at("poll", "poll", 266, "НАЛЕВО [1] · НАПРАВО [2]", "Чат, голосуем: налево — один, направо — два."),
  at("spikes", "three_spikes", 352, "ТРИ ШИПА · БЕЗ УРОНА", "Подождите. Подождите! Я это сделал?!"),
  at("hall", "checkpoint", 398, "ЗАЛ ЛАТНИКОВ"),
  at("glitch", "glitch", 446, "СОХРАНЕНИЕ ПОВРЕЖДЕНО", "Она съела чекпоинт. Игра съела мой чекпоинт."),
  at(
    "giveaway",
    "giveaway",
    536,
    "РОЗЫГРЫШ КЛЮЧА: !play",
    "Пишите восклицательный знак play, разыграем ключ.",
  ),
  at("boss-1", "boss_phase", 622, "ПРИВРАТНИК · ФАЗА 1", "Так. Привратник. Собрались."),
  at("death", "death", 702, "ВЫ ПОГИБЛИ", "Ну и всё. Минус ран. Минус настроение."),
  at("joke", "joke", 784, "", "Почему скелет не пошёл на бал? Ему не с кем… то есть не с чем."),
  at("ad", "ad_start", 842, "РЕКЛАМА 1:15", "Реклама, не уходите, я за чаем."),
  at("ad-end", "ad_end", 917),
  at("secret", "secret", 968, "ТАЙНАЯ КОМНАТА", "Стоп. Что это за дверь? Её тут не было!"),
  at("raid", "raid", 1066, "РЕЙД: koshka_v_plashe, 340", "О-о, Кошка! Спасибо за рейд! Привет всем!"),
  at("gifts", "gift_bomb", 1208, "hedgefog ДАРИТ 20 ПОДПИСОК", "Двадцать?! Хеджфог, ты с ума сошёл."),
  at("lava-2", "lava", 1286, "ВЫ СГОРЕЛИ", "В ту же лаву. В ту же самую лаву!"),
  at("paste-granny", "copypasta", 1366),
  at("pause", "pause_start", 1414, "ТЕХНИЧЕСКАЯ ПАУЗА", "У меня отвалился захват, одну минуту."),
  at("pause-end", "pause_end", 1468),
  at("boss-2", "boss_phase", 1506, "КОРОЛЬ ПЕПЛА · ФАЗА 3", "Третья фаза. Никто не дышит."),
  at("boss-miss", "boss_miss", 1592, "ПРОМАХ", "Я ударил стену. Я. Ударил. Стену."),
  at("boss-hit", "boss_hit", 1654, "КОРОЛЬ: 4 %"),
  at("win", "win", 1696, "ЗАМОК ПАЛ · 24:51", "ДА! ДА-А-А! Всё! Замок пал!"),
];

/** What the chat hardly notices: it makes the video move. Seeded; never on top of a main event. */
function minor(): StreamEvent[] {
  const random = createRandom(1987);
  const events: StreamEvent[] = [];
  const still = (s: number): boolean => sceneAt(s * 1000).tempo === 0;
  for (let s = 12; s < PERIOD_MS / 1000 - 20; s += 1.4 + random.exponential(2.2))
    if (!still(s)) events.push(at(`jump-${events.length}`, "jump", s));
  let misses = 0;
  for (let s = 30; s < PERIOD_MS / 1000 - 40; s += 34 + random.exponential(26)) {
    const clear = MAIN.every((event) => s * 1000 < event.atMs - 22_000 || s * 1000 > event.atMs + 32_000);
    if (clear && !still(s))
      events.push(at(`near-${misses++}`, "near_miss", s, "", random.pick(["Фух.", "Ого.", "Близко."])));
  }
  return events;
}

/** Where the run is: picture and tempo of the music. `tempo` 0: nobody plays. */
export interface Scene {
  readonly fromMs: number;
  readonly place:
    | "gate"
    | "cave"
    | "spikes"
    | "hall"
    | "gatekeeper"
    | "ads"
    | "secret"
    | "camp"
    | "pause"
    | "throne"
    | "after";
  readonly title: string;
  /** Beats a minute. */
  readonly tempo: number;
}
const scene = (s: number, place: Scene["place"], title: string, tempo: number): Scene => ({
  fromMs: s * 1000,
  place,
  title,
  tempo,
});
export const scenes: readonly Scene[] = [
  scene(0, "gate", "Ворота", 96),
  scene(60, "cave", "Лавовая пещера", 120),
  scene(250, "gate", "Развилка", 90),
  scene(310, "spikes", "Коридор шипов", 132),
  scene(398, "hall", "Зал латников", 112),
  scene(590, "gatekeeper", "Привратник", 148),
  scene(712, "camp", "Костёр", 70),
  scene(842, "ads", "Реклама", 0),
  scene(917, "hall", "Библиотека", 104),
  scene(966, "secret", "Тайная комната", 84),
  scene(1040, "camp", "Костёр", 72),
  scene(1235, "cave", "Лавовая пещера", 122),
  scene(1330, "hall", "Мост", 110),
  scene(1414, "pause", "Техническая пауза", 0),
  scene(1468, "throne", "Тронный зал", 152),
  scene(1730, "after", "Титры", 66),
];
export const sceneAt = (ms: number): Scene =>
  scenes.findLast((scene) => scene.fromMs <= ms) ?? (scenes[0] as Scene);

export const events: readonly StreamEvent[] = [...MAIN, ...minor()].sort((a, b) => a.atMs - b.atMs);
export const mainEvents = MAIN;

/** Hero's place along the castle, 0–1: it grows while somebody plays, and falls back where the run falls back. */
export function progressAt(ms: number): number {
  const played = (until: number): number =>
    scenes.reduce((sum, part, i) => {
      const end = Math.min(until, scenes[i + 1]?.fromMs ?? PERIOD_MS);
      return part.tempo === 0 || end <= part.fromMs ? sum : sum + end - part.fromMs;
    }, 0);
  const setbacks = MAIN.filter(
    (event) => (event.kind === "lava" || event.kind === "death") && event.atMs <= ms,
  ).length;
  return Math.max(0, Math.min(1, (played(ms) - setbacks * 60_000) / (played(PERIOD_MS) - 180_000)));
}

/** Shared chat with nightfern, who draws the map of the castle meanwhile. */
export const SHARED_CHAT = { fromMs: 1_225_000, toMs: 1_390_000 } as const;
/** For so long after the raid new people greet and the mods hold slow mode. */
export const RAID_ECHO_MS = 120_000;
export const RAID_VIEWERS = 340;
/** When the mods add `lateEmote` on 7TV, and when (in the next run) they take it off. */
export const LATE_EMOTE = { addedAtMs: 1_622_000, removedAtMs: 60_000 } as const;
