import type { CaseDesk, QueueCase } from "@hypecast/contracts/mod-change.ts";
import type { Severity } from "@hypecast/contracts/mod-case.ts";
import type { Language, ToxicityClass } from "@hypecast/contracts/toxicity.ts";

/** The queue's order and what may stand in it; pure. */
export const SEVERITY_ORDER: readonly Severity[] = ["critical", "alert", "watch"];
export type Tab = Severity | "done";

export type Row =
  | { kind: "case"; key: string; id: string }
  /** Between two severities: `of` ends here, `left` wait in the next. */
  | { kind: "end"; key: string; of: Severity; next: Severity };

export interface Filter {
  language: Language | null;
  class: ToxicityClass | null;
}
export const NO_FILTER: Filter = { language: null, class: null };

/** Decided by anybody. What Twitch refused, or perhaps never did, waits for somebody again (`waits` of the contract). */
export const decided = ({ status }: CaseDesk): boolean =>
  status !== "open" && status !== "refused" && status !== "doubtful";
/** Nothing is left to do here for this person. */
export const settled = (desk: CaseDesk, me: string): boolean => decided(desk) || desk.reviewedBy.includes(me);

export const tabOf = (one: QueueCase): Tab => (decided(one.desk) ? "done" : one.severity);
export const passes = (one: QueueCase, filter: Filter): boolean =>
  (filter.language === null || one.language === filter.language) &&
  (filter.class === null || one.class === filter.class);

/** As the gateway orders its pages: worst first, of the same severity the newest. */
export function compare(a: QueueCase, b: QueueCase): number {
  return (
    SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity) ||
    b.lastAtMs - a.lastAtMs ||
    (a.id > b.id ? -1 : 1)
  );
}

/** What comes later: a higher version of the same case; of the same version, the desk of whoever speaks last. */
export function newer(known: QueueCase | undefined, come: QueueCase): QueueCase {
  return known === undefined || come.version >= known.version ? come : known;
}

/** One severity's part of the list, as far as it was asked for. */
export interface Part {
  ids: readonly string[];
  next: string | null;
  loaded: boolean;
}
export const NO_PART: Part = { ids: [], next: null, loaded: false };

/** The rows of a tab: its own severity, then the milder ones, each only when what is before it has come whole. */
export function rowsOf(tab: Tab, parts: Readonly<Record<Tab, Part>>): Row[] {
  const cases = (ids: readonly string[]): Row[] => ids.map((id) => ({ kind: "case", key: id, id }));
  if (tab === "done") return cases(parts.done.ids);
  const rows: Row[] = [];
  const from = SEVERITY_ORDER.indexOf(tab);
  for (let at = from; at < SEVERITY_ORDER.length; at++) {
    const of = SEVERITY_ORDER[at] ?? "watch";
    const part = parts[of];
    rows.push(...cases(part.ids));
    const next = SEVERITY_ORDER[at + 1];
    if (!part.loaded || part.next !== null || next === undefined) break;
    if (parts[next].loaded && parts[next].ids.length === 0) continue;
    rows.push({ kind: "end", key: `end ${of}`, of, next });
  }
  return rows;
}

/** Which part is to be asked for next, when one has come near the end of a tab; null: all of it is here. */
export function wanting(tab: Tab, parts: Readonly<Record<Tab, Part>>): Tab | null {
  const chain: readonly Tab[] = tab === "done" ? ["done"] : SEVERITY_ORDER.slice(SEVERITY_ORDER.indexOf(tab));
  return chain.find((of) => !parts[of].loaded || parts[of].next !== null) ?? null;
}

/** The nearest row from `at` on in one direction that is still to be decided; null: none. */
export function nextOpen(
  rows: readonly Row[],
  at: number,
  step: 1 | -1,
  open: (id: string) => boolean,
): string | null {
  for (let i = at + step; i >= 0 && i < rows.length; i += step) {
    const row = rows[i];
    if (row?.kind === "case" && open(row.id)) return row.id;
  }
  return null;
}
