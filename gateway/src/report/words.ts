import type { Mood } from "@hypecast/contracts/moods.ts";
import type { VOD_HOLES } from "@hypecast/contracts/vod-words.ts";

export type Language = "en" | "ru";

/** What a report says beside what chat said. */
export interface Words {
  readonly report: string;
  readonly unknownTitle: string;
  readonly complete: string;
  readonly completeUnknown: string;
  readonly completeShare: (percent: string) => string;
  readonly holes: Readonly<Record<(typeof VOD_HOLES)[number], string>>;
  readonly heat: string;
  readonly heatAbout: string;
  readonly heatLegend: string;
  readonly notMeasured: string;
  readonly table: string;
  readonly time: string;
  readonly rate: string;
  readonly hype: string;
  readonly mood: string;
  readonly moods: Readonly<Record<Mood, string>>;
  readonly moments: string;
  readonly noMoments: string;
  readonly score: string;
  readonly emotes: string;
  readonly emote: string;
  readonly uses: string;
  readonly figures: string;
  readonly length: string;
  readonly messages: string;
  readonly chatters: string;
  readonly perMinute: string;
  readonly peak: string;
  readonly momentCount: string;
  readonly open: string;
  readonly made: string;
  readonly processing: string;
  readonly gone: string;
  readonly goneWhy: string;
}

export const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    report: "Report of a stream",
    unknownTitle: "A stream without a title",
    complete: "Chat is complete",
    completeUnknown: "It is not known how complete the chat is",
    completeShare: (percent) => `${percent} of the chat is certainly complete`,
    holes: {
      gap: "gaps",
      capped: "stretches where Twitch let no more through",
      head_missing: "beginning missing",
      tail_missing: "end missing",
      removed_users: "people who were removed",
    },
    heat: "How chat went",
    heatAbout:
      "Height: messages a minute. Colour: hype against what is usual on this channel. Ribbon: the mood that stood out.",
    heatLegend: "Numbers of the best moments stand above.",
    notMeasured: "not measured",
    table: "The same as a table",
    time: "Time",
    rate: "Messages a minute",
    hype: "Hype, 0–100",
    mood: "Mood",
    moods: {
      laugh: "laughter",
      shock: "shock",
      hype: "excitement",
      love: "love",
      sad: "sadness",
      anger: "anger",
      cringe: "cringe",
    },
    moments: "Best moments",
    noMoments: "No moment stood out.",
    score: "score",
    emotes: "Most used emotes",
    emote: "Emote",
    uses: "Uses",
    figures: "Figures",
    length: "Length",
    messages: "Messages",
    chatters: "People who wrote",
    perMinute: "Messages a minute",
    peak: "Busiest",
    momentCount: "Moments",
    open: "Open in Hypecast",
    made: "Made",
    processing: "The import is still running: figures will change.",
    gone: "There is no such stream",
    goneWhy: "It was deleted, or the address is not right.",
  },
  ru: {
    report: "Отчёт о стриме",
    unknownTitle: "Стрим без названия",
    complete: "Чат полный",
    completeUnknown: "Неизвестно, насколько полный чат",
    completeShare: (percent) => `Чат точно полный на ${percent}`,
    holes: {
      gap: "пропуски",
      capped: "участки, где Twitch не пропускал больше",
      head_missing: "нет начала",
      tail_missing: "нет конца",
      removed_users: "удалённые люди",
    },
    heat: "Как шёл чат",
    heatAbout:
      "Высота — сообщения в минуту. Цвет — хайп относительно обычного для канала. Лента — настроение, которое выделялось.",
    heatLegend: "Сверху стоят номера лучших моментов.",
    notMeasured: "не измерено",
    table: "То же таблицей",
    time: "Время",
    rate: "Сообщений в минуту",
    hype: "Хайп, 0–100",
    mood: "Настроение",
    moods: {
      laugh: "смех",
      shock: "шок",
      hype: "восторг",
      love: "любовь",
      sad: "грусть",
      anger: "злость",
      cringe: "кринж",
    },
    moments: "Лучшие моменты",
    noMoments: "Ни один момент не выделился.",
    score: "оценка",
    emotes: "Самые частые эмоуты",
    emote: "Эмоут",
    uses: "Раз",
    figures: "Цифры",
    length: "Длина",
    messages: "Сообщений",
    chatters: "Писавших",
    perMinute: "Сообщений в минуту",
    peak: "Пик",
    momentCount: "Моментов",
    open: "Открыть в Hypecast",
    made: "Составлен",
    processing: "Импорт ещё идёт: цифры изменятся.",
    gone: "Такого стрима нет",
    goneWhy: "Его удалили, или адрес неверный.",
  },
};
