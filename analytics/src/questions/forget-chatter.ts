import { setTimeout as pause } from "node:timers/promises";
import {
  chatterId,
  chatterLines,
  chatterPlaces,
  forgetChatter,
  forgetInChunks,
} from "@hypecast/contracts/question-erase.ts";
import { defineAnswer, type Ask } from "./answer.ts";

/** Looks after its deletions for so long; then it answers what is left, well before the question's deadline. */
const WAIT_MS = 3500;
const LOOK_AGAIN_MS = 200;

const WROTE = "(userId = {userId:String} OR lower(login) = {login:String})";
const WAS_TARGET = "(targetUserId = {userId:String} OR lower(targetLogin) = {login:String})";
/** Lines of others name people as `@login`, or as a bare word. A word of letters alone that is short means something else more often than not. */
const MAY_STAND_BARE = /[\d_]|.{8}/;
const mention = (login: string): string =>
  `(?i)${MAY_STAND_BARE.test(login) ? "@?" : "@"}\\b${login.replaceAll(/[^\w]/g, "")}\\b`;
/** RE2 reads it as `mention` does; the cheap look first. */
const names = (column: string): string =>
  `(positionCaseInsensitive(${column}, {login:String}) > 0 AND match(${column}, {mention:String}))`;
const withoutName = (column: string): string => `replaceRegexpAll(${column}, {mention:String}, '@…')`;

interface Forgetting {
  readonly table: string;
  /** Rows that go. */
  readonly remove?: string;
  /** Columns that change, and in which rows. */
  readonly change?: { readonly set: string; readonly where: string };
}

const ofWriters = (table: string, ...texts: string[]): Forgetting[] => [
  { table, remove: WROTE },
  ...texts.map((column) => ({
    table,
    change: { set: `${column} = ${withoutName(column)}`, where: names(column) },
  })),
];

/** Everything in the store that names a chatter. A table that is added and names one belongs here; the test that hunts for a name finds it. */
export const FORGETTING: readonly Forgetting[] = [
  ...ofWriters("chat_lines", "text"),
  ...ofWriters("vod_lines", "text"),
  ...ofWriters("chat_notices", "text", "systemText"),
  ...ofWriters("vod_notices", "text", "systemText"),
  // A gift names whom it was for.
  ...["chat_notices", "vod_notices"].map((table) => ({
    table,
    remove: `has(arrayMap(value -> lower(value), mapValues(params)), {login:String}) OR has(mapValues(params), {userId:String})`,
  })),
  { table: "chat_moderation", remove: WAS_TARGET },
  { table: "vod_moderation", remove: WAS_TARGET },
  ...ofWriters("toxicity_scores", "text"),
  {
    table: "toxicity_packs",
    change: {
      set: "flagged = arrayFilter(line -> line.userId != {userId:String} AND lower(line.login) != {login:String} AND NOT match(line.text, {mention:String}), flagged)",
      where: `arrayExists(line -> line.userId = {userId:String} OR lower(line.login) = {login:String} OR match(line.text, {mention:String}), flagged)`,
    },
  },
  {
    table: "toxicity_spikes",
    change: {
      set: `topUsers = arrayFilter(user -> user.1 != {userId:String} AND lower(user.2) != {login:String}, topUsers),
        measureUsers = arrayFilter(user -> user != {userId:String}, measureUsers), phrases = arrayFilter(phrase -> NOT match(phrase.1, {mention:String}), phrases)`,
      where: `arrayExists(user -> user.1 = {userId:String} OR lower(user.2) = {login:String}, topUsers) OR has(measureUsers, {userId:String})
        OR arrayExists(phrase -> match(phrase.1, {mention:String}), phrases)`,
    },
  },
  // A case of many goes on without them: the fold says a version of it that does not know them.
  {
    table: "mod_cases",
    remove: `${WROTE} OR ${names("text")} OR arrayExists(line -> line.userId = {userId:String} OR lower(line.login) = {login:String} OR match(line.text, {mention:String}), lines)`,
  },
  {
    table: "mod_events",
    remove: `${WAS_TARGET} OR ${names("text")} OR ${names("reason")} OR arrayExists(value -> match(value, {mention:String}), mapValues(detail))`,
  },
  { table: "chatter_hours", remove: WROTE },
  ...ofWriters("mod_reports", "text"),
  // Its id has the subject in it.
  { table: "chat_bursts", remove: names("subject") },
  { table: "moments", change: { set: `subject = ${withoutName("subject")}`, where: names("subject") } },
  { table: "chat_chunks", change: { set: `text = ${withoutName("text")}`, where: names("text") } },
  { table: "chunk_terms", remove: "term = concat('@', {login:String})" },
  {
    table: "dead_letters",
    remove: `match(tryBase64Decode(body), {word:String}) OR positionCaseInsensitive(tryBase64Decode(body), {quotedId:String}) > 0 OR match(detail, {word:String})`,
  },
];

const parametersOf = ({ userId, login }: { userId: string; login: string }): Record<string, string> => ({
  userId,
  login: login.toLowerCase(),
  mention: mention(login),
  word: `(?i)\\b${login.replaceAll(/[^\w]/g, "")}\\b`,
  quotedId: `"${userId}"`,
});

const conditionOf = ({ remove, change }: Forgetting): string => remove ?? change?.where ?? "0";

export const answerChatterId = defineAnswer(chatterId, async ({ login }, ask) => {
  const [row] = await ask<{ userId: string }>(
    `SELECT userId FROM (
       SELECT userId, lastMs AS atMs FROM chatter_hours WHERE lower(login) = {login:String}
       UNION ALL SELECT userId, sentAtMs AS atMs FROM chat_lines WHERE lower(login) = {login:String}
       UNION ALL SELECT userId, sentAtMs AS atMs FROM vod_lines WHERE lower(login) = {login:String})
     WHERE userId != '' ORDER BY atMs DESC LIMIT 1`,
    { login: login.toLowerCase() },
  );
  return { userId: row?.userId ?? null };
});

export const answerChatterPlaces = defineAnswer(chatterPlaces, async (asked, ask) => {
  const places = await ask<{ channelId: string; lines: number; firstMs: number; lastMs: number }>(
    `SELECT channelId, count() AS lines, min(sentAtMs) AS firstMs, max(sentAtMs) AS lastMs FROM (
       SELECT channelId, sentAtMs FROM chat_lines WHERE ${WROTE} UNION ALL SELECT channelId, sentAtMs FROM vod_lines WHERE ${WROTE})
     GROUP BY channelId ORDER BY channelId`,
    parametersOf(asked),
  );
  return { places };
});

export const answerChatterLines = defineAnswer(chatterLines, async (asked, ask) => {
  const { channelId, afterMs, afterId, limit } = asked;
  const lines = await ask<{ id: string; sentAtMs: number; text: string }>(
    `SELECT id, sentAtMs, text FROM ${channelId.startsWith("vod-") ? "vod_lines" : "chat_lines"}
     WHERE channelId = {channelId:String} AND ${WROTE} AND (sentAtMs, id) > ({afterMs:Int64}, {afterId:String})
     ORDER BY sentAtMs, id LIMIT {limit:UInt32}`,
    { ...parametersOf(asked), channelId, afterMs, afterId, limit },
  );
  return { lines };
});

/** A row as the texts are compared: without the sign of a reply and the count behind it, in lower case. */
const ROW = "lowerUTF8(replaceRegexpOne(replaceRegexpOne(row, '^↳ ', ''), ' ×\\\\d+$', ''))";
const IN_CHUNK = "has(splitByChar(' ', lower(people)), {login:String})";

export const answerForgetInChunks = defineAnswer(forgetInChunks, async (asked, ask) => {
  const { channelId, texts, last } = asked;
  const parameters = { ...parametersOf(asked), channelId };
  const mine = `channelId = {channelId:String} AND ${IN_CHUNK}`;
  const starts = (
    await ask<{ startMs: number }>(`SELECT DISTINCT startMs FROM chat_chunks WHERE ${mine}`, parameters)
  ).map(({ startMs }) => startMs);
  if (starts.length === 0) return { left: 0 };
  const sets: string[] = [];
  if (texts.length > 0)
    sets.push(
      `text = arrayStringConcat(arrayFilter(row -> NOT has([${texts.map(literal).join()}], ${ROW}), splitByChar('\\n', text)), '\\n')`,
    );
  if (last)
    sets.push(
      "people = arrayStringConcat(arrayFilter(one -> lower(one) != {login:String}, splitByChar(' ', people)), ' ')",
    );
  if (sets.length > 0)
    await ask.command(
      `ALTER TABLE chat_chunks UPDATE ${sets.join(", ")} WHERE ${mine} SETTINGS mutations_sync = 1`,
      parameters,
    );
  if (!last) return { left: starts.length };
  // What was made of the old text is made anew by whoever embeds and indexes.
  const of = `channelId = {channelId:String} AND startMs IN (${starts.join()})`;
  for (const table of ["chunk_vectors", "chunk_terms", "chunk_lengths"])
    await ask.command(`ALTER TABLE ${table} DELETE WHERE ${of} SETTINGS mutations_sync = 1`, parameters);
  const [row] = await ask<{ n: number }>(`SELECT count() AS n FROM chat_chunks WHERE ${mine}`, parameters);
  return { left: row?.n ?? 0 };
});

/** Parameters travel in the address, which is too short for many texts. */
const literal = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

export const answerForgetChatter = defineAnswer(forgetChatter, async (asked, ask) => {
  const parameters = parametersOf(asked);
  let found: Record<string, number> | null = null;
  for (const began = performance.now(); ; await pause(LOOK_AGAIN_MS)) {
    const left = await leftIn(ask, parameters);
    found ??= left;
    if (Object.keys(left).length === 0 || performance.now() - began > WAIT_MS) return { found, left };
    for (const table of Object.keys(left)) await removeFrom(ask, table, parameters);
  }
});

async function leftIn(ask: Ask, parameters: Record<string, string>): Promise<Record<string, number>> {
  const counts = await ask<{ table: string; rows: number }>(
    FORGETTING.map(
      (one) => `SELECT '${one.table}' AS table, count() AS rows FROM ${one.table} WHERE ${conditionOf(one)}`,
    ).join(" UNION ALL "),
    parameters,
  );
  const left: Record<string, number> = {};
  for (const { table, rows } of counts) if (rows > 0) left[table] = (left[table] ?? 0) + rows;
  return left;
}

/** Mutations: they rewrite the parts that hold such rows, and the name is gone from the disk. What is under way is not begun twice. */
async function removeFrom(ask: Ask, table: string, parameters: Record<string, string>): Promise<void> {
  const [running] = await ask<{ n: number }>(
    "SELECT count() AS n FROM system.mutations WHERE database = currentDatabase() AND table = {table:String} AND NOT is_done",
    { table },
  );
  if ((running?.n ?? 0) > 0) return;
  const commands = FORGETTING.filter((one) => one.table === table).map(({ remove, change }) =>
    remove === undefined ? `UPDATE ${change!.set} WHERE ${change!.where}` : `DELETE WHERE ${remove}`,
  );
  await ask.command(`ALTER TABLE ${table} ${commands.join(", ")} SETTINGS mutations_sync = 0`, parameters);
}
