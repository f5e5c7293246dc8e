import { setTimeout as pause } from "node:timers/promises";
import { forgetChannel } from "@hypecast/contracts/question.ts";
import { defineAnswer, type Ask } from "./answer.ts";

/** Looks after its deletions for so long; then it answers what is left, well before the question's deadline. */
const WAIT_MS = 3500;
const LOOK_AGAIN_MS = 200;
/** Dead letters name the channel in their subject. */
const OF_DEAD_LETTERS = "endsWith(subject, concat('.', {channelId:String}))";
const OF_OTHERS = "channelId = {channelId:String}";

/**
 * Every table that has a channel forgets it, also ones that are added later. A deletion that is under way is not begun twice, so that
 * asking again only looks.
 */
export const answerForgetChannel = defineAnswer(forgetChannel, async ({ channelId }, ask) => {
  const tables = await ask<{ table: string }>(
    `SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'channelId'
       AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree') ORDER BY table`,
    {},
  );
  const names = [...tables.map(({ table }) => table), "dead_letters"];
  for (const began = performance.now(); ; await pause(LOOK_AGAIN_MS)) {
    const left = await leftIn(ask, names, channelId);
    if (Object.keys(left).length === 0 || performance.now() - began > WAIT_MS) return { left };
    for (const table of Object.keys(left)) await removeFrom(ask, table, channelId);
  }
});

const conditionOf = (table: string): string => (table === "dead_letters" ? OF_DEAD_LETTERS : OF_OTHERS);

async function leftIn(
  ask: Ask,
  tables: readonly string[],
  channelId: string,
): Promise<Record<string, number>> {
  const counts = await ask<{ table: string; rows: number }>(
    tables
      .map((table) => `SELECT '${table}' AS table, count() AS rows FROM ${table} WHERE ${conditionOf(table)}`)
      .join(" UNION ALL "),
    { channelId },
  );
  return Object.fromEntries(counts.filter(({ rows }) => rows > 0).map(({ table, rows }) => [table, rows]));
}

/** A mutation: it rewrites the parts that hold rows of the channel, and they are gone from the disk. */
async function removeFrom(ask: Ask, table: string, channelId: string): Promise<void> {
  const [running] = await ask<{ n: number }>(
    `SELECT count() AS n FROM system.mutations
     WHERE database = currentDatabase() AND table = {table:String} AND NOT is_done AND position(command, {channelId:String}) > 0`,
    { table, channelId },
  );
  if ((running?.n ?? 0) > 0) return;
  await ask.command(`ALTER TABLE ${table} DELETE WHERE ${conditionOf(table)} SETTINGS mutations_sync = 0`, {
    channelId,
  });
}
