import type { Hit } from "@hypecast/contracts/oracle.ts";

type Language = "en" | "ru";

/** Longest quote in a sentence. */
const QUOTE_CHARS = 80;

const quoted = (text: string, language: Language): string => {
  const short = text.length > QUOTE_CHARS ? `${text.slice(0, QUOTE_CHARS - 1)}…` : text;
  return language === "ru" ? `«${short}»` : `“${short}”`;
};

const RU = new Intl.PluralRules("ru");
const ru = (count: number, one: string, few: string, many: string): string =>
  `${count} ${RU.select(count) === "one" ? one : RU.select(count) === "few" ? few : many}`;

/** The answer of the lines themselves: how many places, and what the best of them says. No word of it is guessed; when it was stands beside it. */
export function extractText(hits: readonly Hit[], language: Language): string {
  const [best] = hits;
  if (best === undefined) return notFoundText(language);
  const line = best.lines[0];
  const also = line === undefined ? 0 : line.similar - 1;
  if (language === "ru") {
    const head =
      hits.length === 1 ? "Одно место" : `${ru(hits.length, "место", "места", "мест")}, лучшее первым`;
    const more = also > 0 ? ` и ещё ${ru(also, "похожая строка", "похожие строки", "похожих строк")}` : "";
    return `${head}${line === undefined ? "" : `. Чат пишет ${quoted(line.text, language)}${more}`}.`;
  }
  const head = hits.length === 1 ? "One place" : `${hits.length} places, the best first`;
  const more = also > 0 ? ` and ${also} more ${also === 1 ? "line" : "lines"} like it` : "";
  return `${head}${line === undefined ? "" : `. Chat says ${quoted(line.text, language)}${more}`}.`;
}

export const notFoundText = (language: Language): string =>
  language === "ru"
    ? "Ни одна строка чата не говорит об этом достаточно ясно."
    : "No line of chat speaks of it clearly enough.";
