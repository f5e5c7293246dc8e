import type { z } from "zod";
import { modCase, type ModCase, type Severity } from "@hypecast/contracts/mod-case.ts";
import type { QueueCase } from "@hypecast/contracts/mod-change.ts";
import { modCasesById } from "@hypecast/contracts/question-mod.ts";
import type { Ask } from "../ask.ts";
import { ProblemError } from "../problems.ts";

/** Newest versions of cases as they came, over all channels: the store is a moment behind, and may be away. */
const MOST_RECENT = 10_000;
const AT_ONCE = 100;

export type Listed = Omit<QueueCase, "desk" | "claim">;

export interface Cases {
  readonly take: (one: ModCase) => void;
  /** In the order of `ids`, from memory or from the store. Throws ProblemError case_not_found where one is not of this channel or nowhere. */
  get(channelId: string, ids: readonly string[]): Promise<ModCase[]>;
  /** Cases of the channel that came since this gateway began and that wait for somebody, by severity. */
  waiting(channelId: string, waits: (id: string) => boolean): Record<Severity, number>;
  /** The chatter is to be forgotten. */
  forget(channelId: string, userId: string): void;
}

export function createCases(ask: Ask): Cases {
  const recent = new Map<string, ModCase>();
  return {
    take(one) {
      const known = recent.get(one.id);
      if (known !== undefined && known.version >= one.version) return;
      recent.delete(one.id);
      recent.set(one.id, one);
      const oldest = recent.keys().next().value;
      if (recent.size > MOST_RECENT && oldest !== undefined) recent.delete(oldest);
    },
    waiting(channelId, waits) {
      const counts = { critical: 0, alert: 0, watch: 0 };
      for (const one of recent.values())
        if (one.channelId === channelId && waits(one.id)) counts[one.severity]++;
      return counts;
    },
    async get(channelId, ids) {
      // An id names its channel: one that names another is not even looked for.
      const foreign = ids.find((id) => !id.startsWith(`${channelId}:case:`));
      if (foreign !== undefined) throw missing(foreign);
      const found = new Map<string, ModCase>();
      for (const id of ids) {
        const near = recent.get(id);
        if (near !== undefined) found.set(id, near);
      }
      const far = [...new Set(ids)].filter((id) => !found.has(id));
      for (let i = 0; i < far.length; i += AT_ONCE) {
        const answer = await ask(modCasesById, { channelId, ids: far.slice(i, i + AT_ONCE) });
        const { cases } = JSON.parse(answer) as z.infer<typeof modCasesById.answer>;
        for (const one of cases) if (one.channelId === channelId) found.set(one.id, modCase.parse(one));
      }
      return ids.map((id) => {
        const one = found.get(id);
        if (one === undefined) throw missing(id);
        return one;
      });
    },
    forget(channelId, userId) {
      for (const [id, one] of recent) {
        const names = one.userId === userId || one.lines.some((line) => line.userId === userId);
        if (one.channelId === channelId && names) recent.delete(id);
      }
    },
  };
}

const missing = (id: string): ProblemError =>
  new ProblemError("case_not_found", `there is no case ${id.slice(0, 100)} in this channel`);

/** As the queue shows it. */
export function listedOf({ lines: _lines, reasons: _reasons, scores: _scores, ...rest }: ModCase): Listed {
  return rest;
}
