import { journalEntry, type JournalEntry } from "@hypecast/contracts/journal.ts";
import { modEntries } from "@hypecast/contracts/question-mod.ts";
import { defineAnswer, type Ask } from "./answer.ts";
import { listOf } from "./mod-text.ts";

const COLUMNS = Object.keys(journalEntry.shape)
  .map((name) => `\`${name}\``)
  .join(", ");

/** Entries of a channel's journal. */
export const entriesWhere = async (
  ask: Ask,
  channelId: string,
  where: string,
  tail: string,
  params: Record<string, unknown> = {},
): Promise<JournalEntry[]> =>
  ask<JournalEntry>(
    `SELECT ${COLUMNS} FROM journal FINAL WHERE channelId = {channelId:String} AND (${where}) ${tail}`,
    { ...params, channelId },
  );

export const answerModEntries = defineAnswer(modEntries, async (asked, ask) => {
  const { channelId, caseIds, target, of, ids, limit } = asked;
  const where = [
    ...(caseIds === undefined ? [] : [`caseId IN ${listOf(caseIds)}`]),
    ...(target === undefined ? [] : ["target = {target:String}"]),
    ...(of === undefined ? [] : [`of IN ${listOf(of)}`]),
    ...(ids === undefined ? [] : [`id IN ${listOf(ids)}`]),
  ];
  if (where.length === 0) where.push("1");
  return {
    entries: await entriesWhere(
      ask,
      channelId,
      where.join(" AND "),
      "ORDER BY number DESC LIMIT {limit:UInt32}",
      { limit, target },
    ),
  };
});
