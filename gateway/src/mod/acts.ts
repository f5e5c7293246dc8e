import { z } from "zod";
import type { CaseAct, channelAct } from "@hypecast/contracts/api-mod.ts";
import { DETAIL, waits } from "@hypecast/contracts/desk.ts";
import {
  personKey,
  type JournalAct,
  type JournalEntry,
  type OpenEntry,
  type Person,
} from "@hypecast/contracts/journal.ts";
import type { CaseDesk } from "@hypecast/contracts/mod-change.ts";
import { modEntries } from "@hypecast/contracts/question-mod.ts";
import type { Draft, Journal } from "@hypecast/runtime/journal.ts";
import type { Ask } from "../ask.ts";
import { ProblemError } from "../problems.ts";
import type { Cases } from "./cases.ts";
import type { Held, Journals } from "./journals.ts";
import { draftsOf, entryId, wrongInAct, wrongInMeasure } from "./plan.ts";

/** What a person may do again to a case that others have decided: it decides nothing. */
const BESIDE: ReadonlySet<JournalAct> = new Set<JournalAct>(["review", "unreview", "note"]);
const UNDOABLE: ReadonlySet<JournalAct> = new Set<JournalAct>([
  ...(["approve", "delete", "timeout", "ban", "warn", "note", "allow_phrase", "false_positive"] as const),
  ...(["slow", "followers", "subscribers", "shield", "snooze", "resolve"] as const),
]);

const BY_NAME: Partial<Record<JournalAct, JournalAct>> = { ban: "unban", timeout: "untimeout" };

export interface Acts {
  /** Throws ProblemError where nothing can be done. */
  decide(
    channelId: string,
    act: CaseAct,
    by: Person,
  ): Promise<{ entries: OpenEntry[]; decided: { caseId: string; desk: CaseDesk }[] }>;
  measure(channelId: string, act: z.output<typeof channelAct>, by: Person): Promise<OpenEntry[]>;
  undo(
    channelId: string,
    asked: { key: string; entryIds: readonly string[]; reason: string },
    by: Person,
  ): Promise<OpenEntry[]>;
  comment(
    channelId: string,
    of: string,
    asked: { key: string; words: string },
    by: Person,
  ): Promise<OpenEntry>;
}

/** What people do, written into the journal. It is done when it stands there; carrying it out at Twitch is another's work. */
export function createActs({
  journal,
  journals,
  cases,
  ask,
}: {
  journal: Journal;
  journals: Journals;
  cases: Cases;
  ask: Ask;
}): Acts {
  const open = async (entries: readonly JournalEntry[]): Promise<OpenEntry[]> =>
    Promise.all(entries.map((entry) => journal.open(entry)));

  /** An entry of this channel, however old. Throws ProblemError entry_not_found. */
  async function entryOf(channelId: string, id: string): Promise<JournalEntry> {
    const near = journals.entry(channelId, id);
    if (near !== null) return near;
    const answer = await ask(modEntries, { channelId, ids: [id], limit: 1 });
    const { entries } = JSON.parse(answer) as z.infer<typeof modEntries.answer>;
    const found = entries.find((entry) => entry.id === id && entry.channelId === channelId);
    if (found === undefined)
      throw new ProblemError("entry_not_found", `there is no entry ${id.slice(0, 100)} in this channel`);
    return found;
  }

  /** Writes it under its id, or finds what was written under it for the same act. */
  const write = async (draft: Draft): Promise<JournalEntry> =>
    sameAs(draft, (await journals.write(draft)).entry);

  return {
    async decide(channelId, act, by) {
      const wrong = wrongInAct(act);
      if (wrong !== null) throw new ProblemError("invalid_parameters", wrong);
      const over = new Set(act.over);
      const ids = [...new Set(act.caseIds)];
      const entries: JournalEntry[] = [];
      const decided: { caseId: string; desk: CaseDesk }[] = [];
      for (const one of await cases.get(channelId, ids)) {
        const [lead, ...others] = draftsOf(act, one, by);
        const standing = (held: Held): CaseDesk | null => {
          const desk = held.desk.caseDesk(one.id);
          const isFree =
            BESIDE.has(act.act) ||
            waits(desk) ||
            desk.entryId === null ||
            over.has(desk.entryId) ||
            // Asked before under the same key, or their own.
            desk.entryId === lead.id ||
            ownerOf(channelId, desk.entryId) === personKey(by);
          return isFree ? null : desk;
        };
        const known = journals.entry(channelId, lead.id);
        const written =
          known ??
          (await journals.writeIf(channelId, (held) => (standing(held) === null ? lead : null)))?.entry;
        if (written === undefined) {
          decided.push({ caseId: one.id, desk: journals.of(channelId).desk.caseDesk(one.id) });
          continue;
        }
        entries.push(sameAs(lead, written));
        for (const other of others) entries.push(await write(other));
      }
      const [first] = decided;
      if (entries.length === 0 && first !== undefined)
        throw new ProblemError(
          "case_decided",
          `${first.desk.by ?? "somebody"} has decided it: ${first.desk.act ?? ""} (${first.desk.status})`,
        );
      return { entries: await open(entries), decided };
    },

    async measure(channelId, { key, act, durationS, spikeId, words }, by) {
      const wrong = wrongInMeasure({ act, durationS, spikeId });
      if (wrong !== null) throw new ProblemError("invalid_parameters", wrong);
      if (spikeId !== null && !spikeId.startsWith(`${channelId}:spike:`))
        throw new ProblemError("case_not_found", "there is no such spike in this channel");
      const entry = await write({
        channelId,
        id: entryId(key, by, act, spikeId ?? ""),
        by,
        act,
        durationS,
        detail: {
          ...(spikeId === null ? {} : { [DETAIL.spike]: spikeId }),
          ...(words === "" ? {} : { [DETAIL.words]: words }),
        },
      });
      return open([entry]);
    },

    async undo(channelId, { key, entryIds, reason }, by) {
      const asked: JournalEntry[] = [];
      for (const id of new Set(entryIds)) {
        const { desk } = journals.of(channelId);
        for (const member of desk.groupOf(id)) {
          const entry = await entryOf(channelId, member);
          if (!UNDOABLE.has(entry.act))
            throw new ProblemError("entry_state", `${entry.act} is nothing that could be taken back`);
          if (!asked.includes(entry)) asked.push(entry);
        }
      }
      const entries: JournalEntry[] = [];
      for (const entry of asked) {
        const { private: about } = await journal.open(entry);
        const draft: Draft = {
          channelId,
          id: entryId(key, by, entry.id),
          by,
          // The desk no longer knows what is older than it: there the journal asks Twitch by name.
          act: journals.entry(channelId, entry.id) === null ? (BY_NAME[entry.act] ?? "undo") : "undo",
          caseId: entry.caseId,
          of: entry.id,
          reason,
          score: entry.score,
          class: entry.class,
          detail: spikeOf(entry),
          private: about === null ? null : { ...about, words: "" },
        };
        const before = (held: Held): string | null => held.desk.act(entry.id)?.undoneBy ?? null;
        const written = await journals.writeIf(channelId, (held) => (before(held) === null ? draft : null));
        // Somebody else has taken it back at the same time: that is what was asked for.
        const there =
          written?.entry ?? journals.entry(channelId, before(journals.of(channelId)) ?? draft.id) ?? null;
        if (there !== null) entries.push(there);
      }
      return open(entries);
    },

    async comment(channelId, of, { key, words }, by) {
      const about = await entryOf(channelId, of);
      const { private: names } = await journal.open(about);
      const entry = await write({
        channelId,
        id: entryId(key, by, "comment", of),
        by,
        act: "comment",
        caseId: about.caseId,
        of,
        // Words about a chatter are sealed with what names them, and go with it.
        ...(names === null
          ? { detail: { [DETAIL.words]: words } }
          : { private: { ...names, lineIds: [], text: "", words } }),
      });
      return journal.open(entry);
    },
  };

  function ownerOf(channelId: string, id: string): string | null {
    const entry = journals.entry(channelId, id);
    return entry === null ? null : personKey(entry.by);
  }
}

function spikeOf({ detail }: JournalEntry): Record<string, string> {
  const spike = detail[DETAIL.spike];
  return spike === undefined ? {} : { [DETAIL.spike]: spike };
}

/** Throws ProblemError where the same key stands for another act. */
function sameAs(draft: Draft, entry: JournalEntry): JournalEntry {
  if (entry.act !== draft.act || entry.caseId !== (draft.caseId ?? null))
    throw new ProblemError("idempotency_key_used", `the key stands for another act already: ${entry.act}`);
  return entry;
}
