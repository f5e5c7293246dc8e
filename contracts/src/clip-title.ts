import type { Moment, MomentKind } from "./moment.ts";
import { plainText } from "./plain-text.ts";

export type TitleLanguage = "en" | "ru";

const WHAT = {
  en: {
    funny: "Chat bursts out laughing",
    hype: "Chat goes wild",
    fail: "That went wrong",
    shock: "Nobody saw that coming",
    sad: "Chat is in tears",
    love: "Chat sends love",
    anger: "Chat is furious",
    cringe: "Chat looks away",
    action: "Full speed",
    loud: "Turn the sound down",
    marked: "Marked moment",
  },
  ru: {
    funny: "Чат смеётся",
    hype: "Чат взрывается",
    fail: "Что-то пошло не так",
    shock: "Этого никто не ждал",
    sad: "Чат в слезах",
    love: "Чат полон любви",
    anger: "Чат в ярости",
    cringe: "Чат отводит глаза",
    action: "На полной скорости",
    loud: "Сделайте потише",
    marked: "Отмеченный момент",
  },
} as const satisfies Record<TitleLanguage, Record<MomentKind, string>>;

const TITLE_POINTS = 100;
const SUBJECT_POINTS = 40;
/** A smaller burst is no boast. */
const TIMES_WORTH_SAYING = 3;

/**
 * A title for a clip from the moment's reasons: what kind it is, the emote or words that led, how many times the usual. A person changes it;
 * the machine never claims what it has not measured.
 */
export function clipTitle(
  moment: Pick<Moment, "kind" | "subject" | "reasons">,
  language: TitleLanguage,
): string {
  const subject = plainText(moment.subject, SUBJECT_POINTS).trim();
  const times = Math.round(moment.reasons["chat.times"] ?? 0);
  const lead = moment.kind === "marked" && subject !== "" ? subject : WHAT[language][moment.kind];
  const led = moment.kind === "marked" || subject === "" ? "" : `: ${subject}`;
  const more = times >= TIMES_WORTH_SAYING ? ` ×${times}` : "";
  return plainText(`${lead}${led}${more}`, TITLE_POINTS);
}
