import type { Chatter } from "./chatters.ts";
import type { Phrases } from "./phrases.ts";
import type { Random } from "./random.ts";

const VOWELS = /[аеёиоуыэюяaeiouy]/giu;
const NEIGHBOURS: Readonly<Record<string, string>> = {
  а: "вп",
  о: "рл",
  е: "кн",
  и: "мт",
  н: "ге",
  т: "иь",
  с: "чм",
  р: "по",
  в: "ыа",
  л: "од",
  a: "sq",
  e: "wr",
  o: "ip",
  i: "uo",
  n: "bm",
  t: "ry",
  s: "ad",
  r: "et",
  h: "gj",
  l: "ko",
};

const stretch = (text: string, random: Random): string => {
  const spots = [...text.matchAll(VOWELS)];
  if (spots.length === 0) return text;
  const at = (random.chance(0.7) ? spots.at(-1) : random.pick(spots))?.index ?? 0;
  return text.slice(0, at) + (text[at] ?? "").repeat(random.int(2, 6)) + text.slice(at);
};

const mistype = (text: string, random: Random): string => {
  if (text.length < 6) return text;
  const at = random.int(1, text.length - 2);
  const letter = text[at] ?? "";
  const wrong = NEIGHBOURS[letter];
  switch (random.int(0, 2)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + text[at + 1] + letter + text.slice(at + 2);
    default:
      return wrong === undefined
        ? text
        : text.slice(0, at) + random.pick(wrong.split("")) + text.slice(at + 1);
  }
};

/**
 * A phrase as this chatter types it. `heat` 0 (calm) … 1 (everybody shouts): capitals, stretched letters and missing
 * letters come with it.
 */
export function typed(phrase: string, who: Chatter, heat: number, random: Random): string {
  let text = phrase;
  if (who.tidy)
    return text.length > 4
      ? (text[0] ?? "").toUpperCase() +
          text.slice(1) +
          (/[\p{L}\d]$/u.test(text) && random.chance(0.4) ? "." : "")
      : text;
  if (random.chance(0.02 + 0.03 * heat)) text = mistype(text, random);
  if (random.chance(0.03 + 0.22 * heat)) text = stretch(text, random);
  if (random.chance(0.015 + 0.3 * heat)) text = text.toUpperCase();
  if (who.language === "ru") {
    if (random.chance(0.12)) text += ")".repeat(random.int(1, 3));
    else if (random.chance(0.04 + 0.12 * heat)) text += "!".repeat(random.int(1, 4));
    if (random.chance(0.12)) text = text.replaceAll("ё", "е").replaceAll(",", "");
  } else {
    if (random.chance(0.06 + 0.12 * heat)) text += "!".repeat(random.int(1, 3));
    if (random.chance(0.1)) text = text.replaceAll("'", "");
  }
  return text;
}

/** How people laugh, no two quite alike. */
export function laughter(who: Chatter, random: Random): string {
  if (who.language === "en") {
    const text = random.pick([
      "LMAO",
      "LOL",
      "lmaooo",
      "hahaha",
      "HAHAHAHA",
      "lmfao",
      "im dead",
      "LOOOL",
      "hahah",
      "dying",
    ]);
    return random.chance(0.3) ? stretch(text, random) : text;
  }
  const parts = random.int(2, 7);
  const beat = random.pick(["ха", "ах", "хах", "аха"]);
  let text = beat.repeat(parts).slice(0, random.int(4, 18));
  if (random.chance(0.1))
    text = random.pick(["ору", "лол", "ржу", "я не могу", "ору в голос", "кек", "пхах"]);
  return random.chance(0.4) ? text.toUpperCase() : text;
}

/** The same emote once or several times. */
export function emoteRun(name: string, who: Chatter, random: Random): string {
  const times = who.habit === "spammer" ? random.int(2, 7) : random.weighted([60, 16, 18, 4, 2]) + 1;
  return Array.from({ length: times }, () => name).join(" ");
}

/** A phrase with its choices made. */
export const phraseOf = (phrases: Phrases, who: Chatter, random: Random): string =>
  chosen(random.pick(phrases[who.language]), random);

const CHOICE = /\(([^()]*\|[^()]*)\)/g;
/** Innermost choices first, until none is left. */
export function chosen(template: string, random: Random): string {
  const text = template.replace(CHOICE, (_whole, options: string) => random.pick(options.split("|")));
  return text === template ? text.replace(/ {2,}/g, " ").trim() : chosen(text, random);
}

/** A copy of a copypasta as it drifts: cut, an emote at its end, a letter swapped, capitals. */
export function drift(paste: string, copy: number, random: Random): string {
  let text = paste;
  if (copy > 2 && random.chance(0.16)) text = mistype(text, random);
  if (copy > 4 && random.chance(0.12))
    text = text.slice(0, Math.round(text.length * (0.8 + 0.18 * random.next())));
  if (random.chance(0.07)) text = text.toUpperCase();
  if (random.chance(0.12)) text += random.pick([" lampNAP", " Kappa", "!!", " 🔥", ")"]);
  if (random.chance(0.08)) text = text.replaceAll(",", "");
  return text;
}
