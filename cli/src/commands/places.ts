import type { Place } from "@hypecast/contracts/api-vods.ts";
import { safe } from "../output.ts";

const WORDS = {
  en: {
    sure: "sure",
    likely: "likely",
    maybe: "maybe",
    more: (n: number) => `and ${n} like it`,
    second: "s",
  },
  ru: {
    sure: "точно",
    likely: "похоже",
    maybe: "возможно",
    more: (n: number) => `и ещё ${n} ${n % 10 === 1 && n % 100 !== 11 ? "похожая" : "похожих"}`,
    second: "с",
  },
} as const;

/** Places as a person reads them: when, how sure, and the lines that say so. */
export function placesText(places: readonly Place[], language: "en" | "ru", server: string): string {
  const words = WORDS[language];
  return places
    .map((place) => {
      const lines = place.lines
        .slice(0, 3)
        .map(
          ({ text, similar }) => `     “${safe(text)}”${similar > 1 ? ` ${words.more(similar - 1)}` : ""}`,
        );
      const error = Math.max(1, Math.round(place.errorMs / 1000));
      return [
        `${String(place.rank).padStart(2)}. ${place.timecode} ±${error} ${words.second}  ${words[place.certainty]} · ${place.score.toFixed(2)}  ${safe(place.title)}`,
        ...(place.why === "" ? [] : [`     ${safe(place.why)}`]),
        ...lines,
        `     ${server}${place.link}`,
      ].join("\n");
    })
    .join("\n");
}
