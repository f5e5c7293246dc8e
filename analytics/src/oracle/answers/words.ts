import type { Hit } from "@hypecast/contracts/oracle.ts";
import { timecode } from "./windows.ts";

type Language = "en" | "ru";

/** Longest quote in a sentence. */
const QUOTE_CHARS = 80;

const quoted = (text: string, language: Language): string => {
  const short = text.length > QUOTE_CHARS ? `${text.slice(0, QUOTE_CHARS - 1)}…` : text;
  return language === "ru" ? `«${short}»` : `“${short}”`;
};

const RU = new Intl.PluralRules("ru");
const ruPlaces = (count: number): string =>
  ({ one: "место", few: "места", many: "мест", other: "места", zero: "мест", two: "места" })[
    RU.select(count)
  ];

/** The answer of the lines themselves: where, how sure, and what the best of them says. No word of it is guessed. */
export function extractText(hits: readonly Hit[], zeroMs: (hit: Hit) => number, language: Language): string {
  const [best] = hits;
  if (best === undefined) return notFoundText(language);
  const time = timecode((best.atMs - zeroMs(best)) / 1000);
  const line = best.lines[0];
  const also = line === undefined ? 0 : line.similar - 1;
  if (language === "ru") {
    const head = hits.length === 1 ? "Одно место" : `${hits.length} ${ruPlaces(hits.length)}, лучшее`;
    const quote = line === undefined ? "" : `: чат пишет ${quoted(line.text, language)}`;
    return `${head} — ${time}${quote}${also > 0 ? ` и ещё ${also} похожих` : ""}.`;
  }
  const head = hits.length === 1 ? "One place" : `${hits.length} places, the best`;
  const quote = line === undefined ? "" : `: chat says ${quoted(line.text, language)}`;
  return `${head} at ${time}${quote}${also > 0 ? ` and ${also} more like it` : ""}.`;
}

export const notFoundText = (language: Language): string =>
  language === "ru"
    ? "Не найдено: ни одна строка чата не говорит об этом достаточно ясно."
    : "Not found: no line of chat speaks of it clearly enough.";
