import { personKey, TWITCH_ACTS, type JournalAct, type JournalEntry } from "./journal.ts";
import type { CaseDesk } from "./mod-change.ts";

/** What of an entry the desk looks at. It names no chatter. */
export type DeskEntry = Pick<
  JournalEntry,
  "id" | "number" | "atMs" | "by" | "act" | "caseId" | "of" | "durationS" | "detail"
>;

/** What became of an act at Twitch. `sending`: somebody has it in hand, or died with it. */
export const OUTCOMES = ["sending", "done", "refused", "doubtful", "recommended"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Acts that decide a case. An act on several chatters of one case is several entries: the first leads, the others name it as `of`. */
const DECIDING: ReadonlySet<JournalAct> = new Set<JournalAct>([
  "approve",
  "delete",
  "timeout",
  "ban",
  "warn",
  "allow_phrase",
  "false_positive",
]);
const AT_TWITCH: ReadonlySet<JournalAct> = new Set<JournalAct>(TWITCH_ACTS);
const isOutcome = (act: JournalAct): act is Outcome => (OUTCOMES as readonly JournalAct[]).includes(act);

/** By which name an entry's `detail` says … */
export const DETAIL = {
  /** … which spike it is about. */
  spike: "spike",
  /** … which message AutoMod holds. */
  held: "held",
  /** … what Twitch said, or why something is as it is. */
  said: "said",
  /** … whose account acts, or acted. */
  as: "as",
  /** … how often it was sent. */
  attempt: "attempt",
  /** … words about the channel, which name nobody. */
  words: "words",
} as const;

/** An act and what became of it. */
export interface ActState {
  readonly entry: DeskEntry;
  /** Null: nobody has it in hand. */
  readonly outcome: Outcome | null;
  readonly why: string | null;
  /** The newest `sending`. */
  readonly sentAtMs: number | null;
  readonly attempts: number;
  /** The entry that takes it back, unless Twitch has refused that; null: it stands. */
  readonly undoneBy: string | null;
  /** What the newest outcome says besides. */
  readonly detail: Readonly<Record<string, string>>;
}

export interface SpikeDesk {
  readonly snoozedUntilMs: number | null;
  readonly resolved: string | null;
}

/** What an entry has changed. */
export interface Touched {
  readonly caseId: string | null;
  readonly spikeId: string | null;
}

/** One channel's journal, folded: what each case and spike stands at, and what is still to be sent. Takes entries in the journal's order. */
export interface Desk {
  take(entry: DeskEntry): Touched;
  caseDesk(caseId: string): CaseDesk;
  spike(spikeId: string): SpikeDesk;
  act(id: string): ActState | null;
  /** The entries of an act on a case: the one that leads first. */
  groupOf(id: string): readonly string[];
  /** Acts for Twitch without an end, oldest first: those in hand (`sending`) among them, those taken back in time not. */
  pending(): ActState[];
  /** Cases of which anything was said. */
  cases(): Iterable<string>;
}

interface Act {
  readonly entry: DeskEntry;
  outcome: Outcome | null;
  why: string | null;
  sentAtMs: number | null;
  attempts: number;
  undo: Act | null;
  detail: Readonly<Record<string, string>>;
}

interface Case {
  /** Leading entries of acts that decide it, oldest first. */
  readonly decided: Act[];
  readonly reviewedBy: Set<string>;
  readonly notes: Act[];
}

const OPEN: CaseDesk = {
  status: "open",
  entryId: null,
  act: null,
  by: null,
  atMs: null,
  why: null,
  reviewedBy: [],
  notes: 0,
};

/** Waits for somebody: nobody has decided it, or Twitch has not done what was decided. */
export const waits = ({ status }: Pick<CaseDesk, "status">): boolean =>
  status === "open" || status === "refused" || status === "doubtful";

/** Does Twitch have a part in it? An approval only where AutoMod holds the message; taking back only what Twitch did. */
function goesToTwitch(entry: DeskEntry, undoes: Act | null): boolean {
  if (!AT_TWITCH.has(entry.act)) return false;
  if (entry.act === "approve") return (entry.detail[DETAIL.held] ?? "") !== "";
  if (entry.act === "undo") return undoes !== null && goesToTwitch(undoes.entry, null);
  return true;
}

const stands = (act: Act): boolean => act.undo === null || act.undo.outcome === "refused";

export function createDesk(): Desk {
  const acts = new Map<string, Act>();
  const parts = new Map<string, string[]>();
  const cases = new Map<string, Case>();
  const spikes = new Map<string, Act[]>();
  /** Acts for Twitch without an end. */
  const open = new Map<string, Act>();

  const caseOf = (id: string): Case => {
    let found = cases.get(id);
    if (found === undefined) cases.set(id, (found = { decided: [], reviewedBy: new Set(), notes: [] }));
    return found;
  };
  const groupOf = (id: string): readonly string[] => {
    const lead = acts.get(id)?.entry.of ?? null;
    const first = lead !== null && parts.has(lead) && acts.get(id)?.entry.act !== "undo" ? lead : id;
    return [first, ...(parts.get(first) ?? [])];
  };
  const touched = (entry: DeskEntry): Touched => ({
    caseId: entry.caseId,
    spikeId: entry.detail[DETAIL.spike] ?? null,
  });

  function settle(of: string, entry: DeskEntry, outcome: Outcome): Touched {
    const act = acts.get(of);
    if (act === undefined) return touched(entry);
    // What has ended stays ended; a doubt may be cleared up.
    if (outcome === "sending" && (act.outcome === null || act.outcome === "sending")) {
      act.outcome = "sending";
      act.sentAtMs = entry.atMs;
      act.attempts++;
      act.why = entry.detail[DETAIL.said] ?? null;
      act.detail = entry.detail;
    } else if (
      outcome !== "sending" &&
      (act.outcome === null || ["sending", "doubtful"].includes(act.outcome))
    ) {
      act.outcome = outcome;
      act.why = entry.detail[DETAIL.said] ?? null;
      act.detail = entry.detail;
      open.delete(of);
    }
    const about = act.entry.act === "undo" ? (acts.get(act.entry.of ?? "")?.entry ?? act.entry) : act.entry;
    return touched(about);
  }

  function take(entry: DeskEntry): Touched {
    if (isOutcome(entry.act)) return settle(entry.of ?? "", entry, entry.act);
    const act: Act = {
      entry,
      outcome: null,
      why: null,
      sentAtMs: null,
      attempts: 0,
      undo: null,
      detail: entry.detail,
    };
    acts.set(entry.id, act);
    const undoes = entry.act === "undo" ? (acts.get(entry.of ?? "") ?? null) : null;
    if (goesToTwitch(entry, undoes)) open.set(entry.id, act);
    if (undoes !== null) {
      undoes.undo = act;
      // Nobody had it in hand: it is never sent.
      if (undoes.outcome === null) open.delete(undoes.entry.id);
      return touched(undoes.entry);
    }
    const { caseId } = entry;
    if (caseId !== null) {
      const one = caseOf(caseId);
      if (entry.act === "review") one.reviewedBy.add(personKey(entry.by));
      else if (entry.act === "unreview") one.reviewedBy.delete(personKey(entry.by));
      else if (entry.act === "note") one.notes.push(act);
      else if (DECIDING.has(entry.act)) {
        // A part: the one that leads stands for it.
        if (entry.of !== null) parts.set(entry.of, [...(parts.get(entry.of) ?? []), entry.id]);
        else one.decided.push(act);
      }
    }
    const spikeId = entry.detail[DETAIL.spike];
    if (spikeId !== undefined && (entry.act === "snooze" || entry.act === "resolve"))
      spikes.set(spikeId, [...(spikes.get(spikeId) ?? []), act]);
    return touched(entry);
  }

  const membersOf = (lead: Act): Act[] =>
    groupOf(lead.entry.id).flatMap((id) => {
      const member = acts.get(id);
      return member === undefined ? [] : [member];
    });

  return {
    take,
    groupOf,
    caseDesk(caseId) {
      const one = cases.get(caseId);
      if (one === undefined) return OPEN;
      const seen = { reviewedBy: [...one.reviewedBy], notes: one.notes.filter(stands).length };
      const lead = one.decided.findLast((act) => membersOf(act).some(stands));
      if (lead === undefined) {
        // What Twitch has done and does not take back is said: deleted lines stay deleted.
        const last = one.decided.at(-1);
        return { ...OPEN, ...seen, why: last?.outcome === "done" ? (last.undo?.why ?? null) : null };
      }
      const { entry } = lead;
      const { status, why } = statusOf(membersOf(lead).filter(stands));
      return {
        ...seen,
        ...{ status, why, entryId: entry.id, act: entry.act, by: entry.by.login, atMs: entry.atMs },
      };
    },
    spike(spikeId) {
      let snoozedUntilMs: number | null = null;
      let resolved: string | null = null;
      for (const { entry, undo } of spikes.get(spikeId) ?? []) {
        if (undo !== null) continue;
        if (entry.act === "resolve") resolved = entry.detail[DETAIL.words] ?? "";
        else snoozedUntilMs = entry.durationS === 0 ? null : entry.atMs + entry.durationS * 1000;
      }
      return { snoozedUntilMs, resolved };
    },
    act(id) {
      const act = acts.get(id);
      return act === undefined ? null : stateOf(act);
    },
    pending: () => [...open.values()].map(stateOf),
    cases: () => cases.keys(),
  };
}

const stateOf = (act: Act): ActState => ({
  entry: act.entry,
  outcome: act.outcome,
  why: act.why,
  sentAtMs: act.sentAtMs,
  attempts: act.attempts,
  undoneBy: stands(act) ? null : (act.undo?.entry.id ?? null),
  detail: act.detail,
});

/** Of the entries of one act that stand. What needs a person most is said. */
function statusOf(members: readonly Act[]): Pick<CaseDesk, "status" | "why"> {
  const act = members[0]?.entry.act;
  if (act === "false_positive" || act === "allow_phrase") return { status: "false_positive", why: null };
  const atTwitch = members.filter(({ entry }) => goesToTwitch(entry, null));
  const settled = act === "approve" ? "approved" : "done";
  if (atTwitch.length === 0) return { status: settled, why: null };
  const kept = atTwitch.find(({ undo }) => undo?.outcome === "refused");
  if (kept !== undefined)
    return { status: "refused", why: `it could not be undone: ${kept.undo?.why ?? ""}` };
  const waiting = atTwitch.filter(({ outcome }) => outcome === null || outcome === "sending");
  // Why it takes long, where Twitch has us wait.
  if (waiting.length > 0)
    return { status: "asked", why: waiting.find(({ why }) => why !== null)?.why ?? null };
  for (const outcome of ["doubtful", "refused", "recommended"] as const) {
    const such = atTwitch.filter((member) => member.outcome === outcome);
    const first = such[0];
    if (first === undefined) continue;
    const of = atTwitch.length === 1 ? "" : `${such.length} of ${atTwitch.length}: `;
    return { status: outcome, why: first.why === null ? null : `${of}${first.why}` };
  }
  return { status: settled, why: null };
}
