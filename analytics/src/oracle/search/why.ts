import type { Mood } from "@hypecast/contracts/moods.ts";
import type { Place } from "./places.ts";

const QUOTED = 40;
const RU = new Intl.PluralRules("ru");
const MOOD_WORDS: Readonly<Record<Mood, { readonly en: string; readonly ru: string }>> = {
  laugh: { en: "laughter", ru: "смех" },
  shock: { en: "shock", ru: "шок" },
  hype: { en: "hype", ru: "азарт" },
  love: { en: "love", ru: "любовь" },
  sad: { en: "sadness", ru: "грусть" },
  anger: { en: "anger", ru: "злость" },
  cringe: { en: "cringe", ru: "кринж" },
};
const ruLines = (count: number): string =>
  RU.select(count) === "one" ? "строка" : RU.select(count) === "few" ? "строки" : "строк";

/** What a place rests on, in a sentence of the question's language: only what was counted. */
export function whyOf(language: "en" | "ru", place: Place, words: readonly string[]): string {
  const ru = language === "ru";
  const said: string[] = [];
  if (place.notice !== null) {
    const { kind, login, count } = place.notice;
    said.push(
      ru ? `Twitch сообщил: ${kind}, ${login}, ${count}` : `Twitch said: ${kind}, ${login}, ${count}`,
    );
  }
  if (place.lines > 0) {
    const quoted = words
      .slice(0, 3)
      .map((word) => (ru ? `«${word.slice(0, QUOTED)}»` : `“${word.slice(0, QUOTED)}”`));
    const about = quoted.length === 0 ? "" : ` — ${quoted.join(", ")}`;
    said.push(
      ru
        ? `${place.lines} ${ruLines(place.lines)}, пишут ${place.people}, за ${place.seconds} с${about}`
        : `${place.lines} ${place.lines === 1 ? "line" : "lines"} by ${place.people} in ${place.seconds} s${about}`,
    );
  }
  if (place.burst !== null) {
    const { kind, mood, subject, times } = place.burst;
    const what =
      kind === "mood" && mood !== null
        ? MOOD_WORDS[mood][language]
        : subject === ""
          ? ru
            ? "сообщения"
            : "messages"
          : subject.slice(0, QUOTED);
    said.push(
      ru
        ? `${what} ×${times.toFixed(1).replace(".", ",")} к обычному`
        : `${what} ×${times.toFixed(1)} the usual`,
    );
  }
  if (said.length === 0) said.push(ru ? "близко по смыслу" : "near in meaning");
  return said.join("; ");
}
