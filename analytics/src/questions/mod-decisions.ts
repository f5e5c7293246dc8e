import type { JournalAct, JournalEntry } from "@hypecast/contracts/journal.ts";
import type { Ask } from "./answer.ts";

/** The case was right: somebody acted on it. */
export const RIGHT = ["delete", "timeout", "ban", "warn"] as const satisfies readonly JournalAct[];
/** The case was none. */
export const WRONG = ["approve", "false_positive", "allow_phrase"] as const satisfies readonly JournalAct[];
const isIn = (acts: readonly JournalAct[], act: JournalAct): boolean => acts.includes(act);

/** What people last decided about a case, and did not take back. */
export interface Decision extends Pick<JournalEntry, "atMs" | "score"> {
  readonly caseId: string;
  readonly class: string;
  readonly isRight: boolean;
}

type Row = Pick<JournalEntry, "id" | "number" | "atMs" | "act" | "caseId" | "of" | "score" | "class">;

/**
 * Decisions of [fromMs, toMs) about cases that the model found and scored. What AutoMod held and what people reported says nothing of the
 * model. An undo counts whenever it came, unless Twitch has refused it.
 */
export async function decisionsOf(
  ask: Ask,
  { channelId, fromMs, toMs }: { channelId: string; fromMs: number; toMs: number },
): Promise<Decision[]> {
  const rows = await ask<Row>(
    `SELECT id, number, atMs, act, caseId, of, score, class FROM journal FINAL
     WHERE channelId = {channelId:String} AND atMs >= {fromMs:Int64}
       AND act IN ('delete', 'timeout', 'ban', 'warn', 'approve', 'false_positive', 'allow_phrase', 'undo', 'refused')
       AND ifNull(caseId, '') NOT IN (SELECT id FROM mod_cases WHERE channelId = {channelId:String} AND firstAtMs >= {casesFromMs:Int64} AND source != 'model')
     ORDER BY number`,
    { channelId, fromMs, casesFromMs: fromMs - 86_400_000 },
  );
  return standing(rows).filter(({ atMs }) => atMs < toMs);
}

/** Of each case the last decision that stands; entries in the journal's order. */
export function standing(rows: readonly Row[]): Decision[] {
  const refused = new Set(rows.flatMap(({ act, of }) => (act === "refused" && of !== null ? [of] : [])));
  const undone = new Set(
    rows.flatMap(({ act, of, id }) => (act === "undo" && of !== null && !refused.has(id) ? [of] : [])),
  );
  const byCase = new Map<string, Decision>();
  for (const { id, act, caseId, of, atMs, score, class: ofClass } of rows) {
    const isRight = isIn(RIGHT, act);
    // An entry that names another is a part of one act on several chatters: the first stands for it.
    if (caseId === null || of !== null || (!isRight && !isIn(WRONG, act)) || undone.has(id)) continue;
    byCase.delete(caseId);
    byCase.set(caseId, { caseId, atMs, score, class: ofClass, isRight });
  }
  return [...byCase.values()].filter(({ score, class: ofClass }) => score > 0 && ofClass !== "");
}
