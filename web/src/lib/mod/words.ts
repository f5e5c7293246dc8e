import type { FALSE_POSITIVE_REASONS } from "@hypecast/contracts/api-mod.ts";
import type { Severity } from "@hypecast/contracts/mod-case.ts";
import type { CaseDesk } from "@hypecast/contracts/mod-change.ts";
import type { Language, Measure, SpikeKind, ToxicityClass } from "@hypecast/contracts/toxicity.ts";
import { m } from "../paraglide/messages.js";
import { day, number, percent, timeOfDay } from "../text/numbers.ts";
import type { ActName, ActWish, MeasureWish, SpikeNow } from "./api.ts";
import type { MarkShape } from "./minutes.ts";
import type { Tab } from "./queue.ts";

/** Closed lists of the contracts in words of the page's language. A new member does not compile until it has some. */
export const tabWord: Record<Tab, () => string> = {
  critical: m.mod_critical,
  alert: m.mod_alert,
  watch: m.mod_watch,
  done: m.mod_done,
};
export const severityWord: Record<Severity, () => string> = tabWord;

export const classWord: Record<ToxicityClass | "none", () => string> = {
  insult: m.tox_insult,
  identity: m.tox_identity,
  threat: m.tox_threat,
  sexual: m.tox_sexual,
  harassment: m.tox_harassment,
  self_harm: m.tox_self_harm,
  spam: m.tox_spam,
  none: m.tox_none,
};
/** The list that a select offers; the record above keeps it whole. */
export const CLASSES = Object.keys(classWord).filter((name) => name !== "none") as ToxicityClass[];

export const languageWord: Record<Language, () => string> = {
  en: m.mod_language_en,
  ru: m.mod_language_ru,
  other: m.mod_language_other,
};
export const LANGUAGES = Object.keys(languageWord) as Language[];

type WhyFalse = (typeof FALSE_POSITIVE_REASONS)[number];
export const whyFalseWord: Record<WhyFalse, () => string> = {
  game_talk: m.mod_false_game_talk,
  banter: m.mod_false_banter,
  quote: m.mod_false_quote,
  reclaimed: m.mod_false_reclaimed,
  wrong_language: m.mod_false_wrong_language,
  emote: m.mod_false_emote,
  other: m.mod_false_other,
};
export const WHY_FALSE = Object.keys(whyFalseWord) as WhyFalse[];

export const spikeWord: Record<SpikeKind, () => string> = {
  toxicity: m.mod_spike,
  hate_raid: m.mod_spike_hate_raid,
  flood: m.mod_spike_flood,
  follow_bots: m.mod_spike_follow_bots,
};

export const markWord: Record<MarkShape, () => string> = {
  timeout: m.mod_mark_timeout,
  delete: m.mod_mark_delete,
  ban: m.mod_mark_ban,
  measure: m.mod_mark_measure,
};

export const measureWord: Record<Measure, () => string> = {
  none: m.mod_measure_none,
  slow: m.mod_measure_slow,
  followers: m.mod_measure_followers,
  subscribers: m.mod_measure_subscribers,
  shield: m.mod_measure_shield,
  timeouts: m.mod_measure_timeouts,
};

/** "10 s", "90 min", "1 h", "7 d": whole where it can be, else the unit that says enough. */
export function span(seconds: number): string {
  if (seconds > 0 && seconds % 86_400 === 0) return m.days_short({ n: number(seconds / 86_400) });
  if (seconds > 0 && seconds % 3600 === 0) return m.hours_short({ n: number(seconds / 3600) });
  if (seconds < 120 && seconds % 60 !== 0) return m.seconds_short({ n: number(seconds) });
  if (seconds < 7200) return m.minutes_short({ n: number(Math.round(seconds / 60)) });
  if (seconds < 172_800) return m.hours_short({ n: number(Math.round(seconds / 3600)) });
  return m.days_short({ n: number(Math.round(seconds / 86_400)) });
}
/** How long ago something was, or how old: "5 min", "3 h", "14 mo", "2 y 1 mo". */
export function age(ms: number): string {
  const days = Math.floor(ms / 86_400_000);
  if (days < 1) return span(Math.max(1, Math.floor(ms / 1000)));
  const months = Math.floor(days / 30.44);
  if (months < 1) return m.days_short({ n: number(days) });
  if (months < 24) return m.months_short({ n: number(months) });
  const years = m.years_short({ n: number(Math.floor(months / 12)) });
  return months % 12 === 0 ? years : `${years} ${m.months_short({ n: number(months % 12) })}`;
}
/** "0:52", "12:03", "3:40:10", over a day "2 d": digits that stand under each other in a list. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds >= 86_400) return m.days_short({ n: number(Math.floor(seconds / 86_400)) });
  const two = (value: number): string => String(value).padStart(2, "0");
  const h = Math.floor(seconds / 3600);
  const min = Math.floor(seconds / 60) % 60;
  return h > 0 ? `${h}:${two(min)}:${two(seconds % 60)}` : `${min}:${two(seconds % 60)}`;
}
/** Today the time, else the day. */
export const when = (atMs: number, nowMs: number): string =>
  nowMs - atMs < 20 * 3_600_000 ? timeOfDay(atMs, false) : day(atMs);

const ACT_WORDS: Record<ActName, () => string> = {
  review: m.mod_did_review,
  unreview: m.mod_did_unreview,
  approve: m.mod_did_approve,
  delete: m.mod_did_delete,
  timeout: m.mod_did_timeout,
  ban: m.mod_did_ban,
  warn: m.mod_did_warn,
  note: m.mod_did_note,
  allow_phrase: m.mod_did_allow,
  false_positive: m.mod_did_false_positive,
};
/** An act of the journal, or what Twitch told; one that this build does not know is shown by its own name. */
export function actWord(act: string): string {
  const others: Record<string, () => string> = {
    ...ACT_WORDS,
    unban: m.mod_did_unban,
    untimeout: m.mod_did_untimeout,
    undo: m.mod_did_undo,
    comment: m.mod_did_comment,
    sending: m.mod_did_sending,
    done: m.mod_did_done,
    refused: m.mod_did_refused,
    doubtful: m.mod_did_doubtful,
    recommended: m.mod_did_recommended,
    slow: m.mod_measure_slow,
    followers: m.mod_measure_followers,
    subscribers: m.mod_measure_subscribers,
    shield: m.mod_measure_shield,
    shield_begin: m.mod_measure_shield,
    clear: m.mod_did_clear,
    warning_acknowledge: m.mod_did_warning_acknowledge,
    emoteonly: m.mod_did_emoteonly,
    emoteonlyoff: m.mod_did_emoteonlyoff,
    followersoff: m.mod_did_followersoff,
    uniquechat: m.mod_did_uniquechat,
    uniquechatoff: m.mod_did_uniquechatoff,
    slowoff: m.mod_did_slowoff,
    subscribersoff: m.mod_did_subscribersoff,
    raid: m.mod_did_raid,
    unraid: m.mod_did_unraid,
    mod: m.mod_did_mod,
    unmod: m.mod_did_unmod,
    vip: m.mod_did_vip,
    unvip: m.mod_did_unvip,
    add_blocked_term: m.mod_did_add_blocked_term,
    add_permitted_term: m.mod_did_add_permitted_term,
    remove_blocked_term: m.mod_did_remove_blocked_term,
    remove_permitted_term: m.mod_did_remove_permitted_term,
    approve_unban_request: m.mod_did_approve_unban_request,
    deny_unban_request: m.mod_did_deny_unban_request,
    unban_request_create: m.mod_did_unban_request_create,
    automod_hold: m.mod_did_automod_hold,
    automod_update: m.mod_did_automod_update,
    automod_settings: m.mod_did_automod_settings,
    suspicious_message: m.mod_did_suspicious_message,
    suspicious_update: m.mod_did_suspicious_update,
    shield_end: m.mod_did_shield_end,
    settings: m.mod_did_settings,
    unheard: m.mod_did_unheard,
    snooze: m.mod_did_snooze,
    resolve: m.mod_did_resolve,
    policy: m.mod_did_policy,
    consent: m.mod_did_consent,
    grant: m.mod_did_grant,
    revoke: m.mod_did_revoke,
  };
  return others[act]?.() ?? act;
}

/** What was done, for the toast that offers to undo it. */
export function didWords(
  wish: ActWish,
  what: { cases: number; lines: number; name: string; recommends: boolean },
): string {
  const { cases, lines, name } = what;
  const lead = what.recommends && ["delete", "timeout", "ban", "warn"].includes(wish.act);
  const words = ((): string => {
    switch (wish.act) {
      case "delete":
        return m.mod_toast_delete({ count: lines, n: number(lines) });
      case "timeout":
        return cases === 1
          ? m.mod_toast_timeout({ name, span: span(wish.durationS ?? 0) })
          : m.mod_toast_timeouts({ n: number(cases), span: span(wish.durationS ?? 0) });
      case "ban":
        return cases === 1 ? m.mod_toast_ban({ name }) : m.mod_toast_bans({ n: number(cases) });
      case "warn":
        return cases === 1 ? m.mod_toast_warn({ name }) : m.mod_toast_warns({ n: number(cases) });
      default:
        return cases === 1 ? actWord(wish.act) : `${actWord(wish.act)}: ${number(cases)}`;
    }
  })();
  return lead ? m.mod_toast_recommended({ what: words }) : words;
}
export function measureDidWords(wish: MeasureWish, recommends: boolean): string {
  if (wish.act === "snooze") return m.mod_toast_snooze({ span: span(wish.durationS ?? 0) });
  if (wish.act === "resolve") return m.mod_toast_resolve();
  const what = measureWord[wish.act]();
  return recommends ? m.mod_toast_recommended({ what }) : m.mod_toast_measure({ what });
}

export interface Standing {
  tone: "ok" | "watch" | "critical" | "";
  word: string;
  /** Who, or Twitch's own words. */
  more: string;
}
/** How a decided case stands: a word that can be told without its colour. Null: it is open and nothing was tried. */
export function standingOf(desk: CaseDesk, sending: boolean, failure: string | null): Standing | null {
  const what = desk.act === null ? "" : actWord(desk.act);
  const by = desk.by ?? "";
  if (failure !== null) return { tone: "critical", word: m.mod_standing_failed(), more: failure };
  switch (desk.status) {
    case "open":
      return null;
    case "asked":
      return {
        tone: "",
        word: sending ? m.mod_standing_sending({ what }) : m.mod_standing_asked({ what }),
        more: by,
      };
    case "done":
      return { tone: "ok", word: what, more: by };
    case "recommended":
      return { tone: "watch", word: m.mod_standing_recommended({ what }), more: by };
    case "refused":
      return { tone: "critical", word: m.mod_standing_refused({ what }), more: desk.why ?? "" };
    case "doubtful":
      return { tone: "watch", word: m.mod_standing_doubtful({ what }), more: desk.why ?? by };
    case "false_positive":
      return { tone: "ok", word: actWord(desk.act ?? "false_positive"), more: by };
    case "approved":
      return { tone: "ok", word: m.mod_did_approve(), more: by };
  }
}

export function spikeTitle(spike: SpikeNow): string {
  const users = number(spike.users);
  switch (spike.kind) {
    case "toxicity":
      return m.mod_title_toxicity({ times: number(spike.times, spike.times >= 9.95 ? 0 : 1) });
    case "hate_raid":
      return m.mod_title_hate_raid({ count: spike.users, n: users });
    case "flood":
      return m.mod_title_flood({ count: spike.users, n: users });
    case "follow_bots":
      return m.mod_title_follow_bots({ count: spike.users, n: users });
  }
}
/** What mostly drives it, in one sentence. Names and phrases of the chat are cut, never trusted. */
export function driverWords(spike: SpikeNow, tame: (text: string) => string): string {
  const cut = (text: string): string => {
    const points = Array.from(tame(text));
    return points.length > 60 ? `${points.slice(0, 60).join("")}…` : points.join("");
  };
  const [phrase] = spike.phrases;
  const [user] = spike.topUsers;
  const crowd = m.mod_driver_crowd({ count: spike.users, n: number(spike.users) });
  switch (spike.driver) {
    case "one_phrase":
      return phrase === undefined
        ? crowd
        : m.mod_driver_phrase({ phrase: cut(phrase[0]), lines: number(phrase[1]), users: number(phrase[2]) });
    case "one_user":
      return user === undefined
        ? crowd
        : m.mod_driver_user({ name: cut(user[1]), n: number(user[2]), all: number(spike.lines) });
    case "few_users":
      return m.mod_driver_few({
        names: spike.topUsers
          .slice(0, 3)
          .map(([, login]) => cut(login))
          .join(", "),
      });
    case "newcomers":
      return m.mod_driver_newcomers({ n: number(spike.newUsers), all: number(spike.users) });
    case "crowd":
      return crowd;
  }
}
/** The facts beside it, the weightiest first. */
export function spikeTags(spike: SpikeNow): string[] {
  const tags = [m.mod_tag_users({ count: spike.users, n: number(spike.users) })];
  if (spike.newUsers > 0) tags.push(m.mod_tag_new({ count: spike.newUsers, n: number(spike.newUsers) }));
  const [worst] = Object.entries(spike.classes).toSorted((a, b) => b[1] - a[1]);
  if (worst !== undefined && spike.lines > 0)
    tags.push(
      m.mod_tag_class({
        share: percent(Math.min(1, worst[1] / spike.lines)),
        what: classWord[worst[0] as ToxicityClass](),
      }),
    );
  const spoken = Object.entries(spike.languages).toSorted((a, b) => b[1] - a[1]);
  const all = spoken.reduce((sum, [, n]) => sum + n, 0);
  const [most] = spoken;
  if (most !== undefined && most[0] !== "other" && most[1] > all * 0.6)
    tags.push(m.mod_tag_language({ language: languageWord[most[0] as Language]() }));
  return tags;
}

/** Numbers behind a case or a suggestion, by the names that the folds give them. A name that this build does not know is left out. */
const REASONS: Record<string, (value: number) => string | null> = {
  copies: (n) => (n > 1 ? m.mod_reason_copies({ n: number(n) }) : null),
  authorLines: (n) => (n > 1 ? m.mod_reason_author_lines({ n: number(n) }) : null),
  mention: (n) => (n > 0 ? m.mod_reason_mention() : null),
  reply: (n) => (n > 0 ? m.mod_reason_reply() : null),
  firstMessage: (n) => (n > 0 ? m.mod_reason_first_message() : null),
  reports: (n) => (n > 0 ? m.mod_reason_reports({ n: number(n) }) : null),
  users: (n) => (n > 1 ? m.mod_reason_users({ n: number(n) }) : null),
  newcomers: (n) => (n > 0 ? m.mod_reason_newcomers({ n: number(n) }) : null),
  newcomersShare: (share) => (share > 0 ? m.mod_reason_newcomers_share({ share: percent(share) }) : null),
  topUsersShare: (share) => (share > 0 ? m.mod_reason_top_users_share({ share: percent(share) }) : null),
  topUserShare: (share) => (share >= 0.3 ? m.mod_reason_top_user_share({ share: percent(share) }) : null),
  raiders: (n) => (n > 0 ? m.mod_reason_raiders({ n: number(n) }) : null),
  similarNames: (n) => (n > 1 ? m.mod_reason_similar_names({ n: number(n) }) : null),
  acted: (n) => (n > 0 ? m.mod_reason_acted({ n: number(n) }) : null),
  suspicious: (n) => (n > 0 ? m.mod_because_suspicious() : null),
};
export const reasonsFor = (reasons: Readonly<Record<string, number>>): string[] =>
  Object.entries(reasons).flatMap(([name, value]) => REASONS[name]?.(value) ?? []);
/** What speaks against it. */
export const reasonsAgainst = (reasons: Readonly<Record<string, number>>): string[] =>
  (reasons["gameTerm"] ?? 0) > 0 ? [m.mod_reason_game_term()] : [];
