import { modCase, SEVERITIES, type ModCase } from "@hypecast/contracts/mod-case.ts";
import { modQueue } from "@hypecast/contracts/question-mod.ts";
import { defineAnswer, type Ask } from "./answer.ts";
import { spanOf } from "./mod-text.ts";

export const LISTED = Object.keys(modCase.omit({ lines: true, reasons: true, scores: true }).shape).join(
  ", ",
);
type Listed = Omit<ModCase, "lines" | "reasons" | "scores">;
/** Cases of one answer that are looked through, newest first; those beyond it are in none of its pages. */
const MOST = 200_000;

interface Place {
  readonly id: string;
  readonly severity: ModCase["severity"];
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** First the places of all, which are light; then the page's cases whole. */
export const answerModQueue = defineAnswer(modQueue, async (asked, ask) => {
  const { channelId, sinceMs, severity, class: ofClass, language, user, spikeId, limit } = asked;
  const where = [
    "lastAtMs >= {sinceMs:Int64}",
    ...(ofClass === undefined ? [] : ["class = {class:String}"]),
    ...(language === undefined ? [] : ["language = {language:String}"]),
    ...(spikeId === undefined ? [] : ["spikeId = {spikeId:String}"]),
    ...(user === undefined
      ? []
      : [
          "(userId = {user:String} OR login = lower({user:String}) OR arrayExists(line -> line.userId = {user:String} OR line.login = lower({user:String}), lines))",
        ]),
  ];
  const places = await ask<Place>(
    `SELECT id, severity, firstAtMs, lastAtMs FROM mod_cases FINAL
     WHERE channelId = {channelId:String} AND firstAtMs >= {beganMs:Int64} AND (${where.join(" AND ")})
     ORDER BY lastAtMs DESC, id DESC LIMIT ${MOST}`,
    {
      ...{ channelId, sinceMs, beganMs: sinceMs - LONGEST_MS },
      ...{ class: ofClass, language, spikeId, user },
    },
  );
  const except = new Set(asked.except);
  const only = asked.only === undefined || asked.only.length === 0 ? null : new Set(asked.only);
  const counts = { critical: 0, alert: 0, watch: 0 };
  const left: Place[][] = SEVERITIES.map(() => []);
  for (const place of places) {
    if (except.has(place.id) || (only !== null && !only.has(place.id))) continue;
    counts[place.severity]++;
    if (severity === undefined || severity === place.severity)
      left[SEVERITIES.indexOf(place.severity)]!.push(place);
  }
  const ordered = left.flat();
  const from = asked.cursor === undefined ? 0 : ordered.findIndex(isBehind(asked.cursor));
  const page = from < 0 ? [] : ordered.slice(from, from + limit);
  const last = page.at(-1);
  const hasMore = from >= 0 && from + limit < ordered.length && last !== undefined;
  return { cases: await wholeCases(ask, channelId, page), next: hasMore ? cursorOf(last) : null, counts };
});

/** A case goes on for no longer than this. */
const LONGEST_MS = 3600_000;
const cursorOf = ({ severity, lastAtMs, id }: Place): string => `${severity} ${lastAtMs} ${id}`;

/** Whether a place comes after the cursor. */
function isBehind(cursor: string): (place: Place) => boolean {
  const [severity = "", lastAtMs = "0", ...rest] = cursor.split(" ");
  const rank = SEVERITIES.findIndex((one) => one === severity);
  const at = Number(lastAtMs);
  const id = rest.join(" ");
  return (place) => {
    const own = SEVERITIES.indexOf(place.severity);
    if (own !== rank) return own > rank;
    return place.lastAtMs !== at ? place.lastAtMs < at : place.id < id;
  };
}

async function wholeCases(
  ask: Ask,
  channelId: string,
  page: readonly Place[],
): Promise<(Listed & { kept: boolean })[]> {
  if (page.length === 0) return [];
  const rows = await ask<Listed>(
    `SELECT ${LISTED} FROM mod_cases FINAL
     WHERE channelId = {channelId:String} AND firstAtMs IN (${[...new Set(page.map((place) => place.firstAtMs))].join()})`,
    { channelId },
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return page.flatMap(({ id }) => {
    const row = byId.get(id);
    return row === undefined ? [] : [listed(row)];
  });
}

export const listed = (row: Listed): Listed & { kept: boolean } => ({
  ...row,
  span: spanOf(row.span),
  kept: row.text !== "",
});
