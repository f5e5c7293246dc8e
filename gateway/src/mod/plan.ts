import { createHash } from "node:crypto";
import type { z } from "zod";
import type { CaseAct, channelAct } from "@hypecast/contracts/api-mod.ts";
import { DETAIL } from "@hypecast/contracts/desk.ts";
import { personKey, type JournalPrivate, type Person } from "@hypecast/contracts/journal.ts";
import type { CaseLine, ModCase } from "@hypecast/contracts/mod-case.ts";
import type { Draft } from "@hypecast/runtime/journal.ts";

const TIMEOUT_S = 600;
/** Of a phrase in a policy: a longer one the folds would not read, nor any policy that holds it. */
const PHRASE_LENGTH = 200;
/** What Twitch takes for slow mode, so that the journal never says something else than what was set. */
const SLOW_S = { least: 3, most: 120 };

/** What is missing in an act or too much; null: nothing. */
export function wrongInAct({ act, words, reason }: Pick<CaseAct, "act" | "words" | "reason">): string | null {
  if (act === "note" && words.trim() === "") return "words: a note has some";
  if (act === "allow_phrase" && words.trim() === "") return "words: the phrase to allow";
  if (act === "allow_phrase" && words.trim().length > PHRASE_LENGTH)
    return `words: a phrase has at most ${PHRASE_LENGTH} characters`;
  if (act === "warn" && reason.trim() === "")
    return "reason: Twitch shows it to the chatter, so a warning has one";
  return null;
}

export function wrongInMeasure({
  act,
  durationS,
  spikeId,
}: Pick<z.output<typeof channelAct>, "act" | "durationS" | "spikeId">): string | null {
  if ((act === "snooze" || act === "resolve") && spikeId === null) return "spikeId: name the spike";
  if (act === "slow" && durationS !== 0 && (durationS < SLOW_S.least || durationS > SLOW_S.most))
    return `durationS: of slow mode ${SLOW_S.least} to ${SLOW_S.most} seconds, or 0`;
  return null;
}

/** Acts that concern every author of a case's lines; the others concern the case, in the name of its worst line. */
const OF_EACH: ReadonlySet<CaseAct["act"]> = new Set(["delete", "timeout", "ban", "warn"]);

/** That somebody has looked says nothing of a chatter. */
const SAYS_NOTHING: ReadonlySet<CaseAct["act"]> = new Set(["review", "unreview"]);

/** The id of an entry that one person asks for under one key: asked twice it is the same entry, and nobody else's. */
export const entryId = (key: string, by: Person, ...about: string[]): string =>
  `${key}.${createHash("sha256")
    .update([personKey(by), ...about].join("\n"))
    .digest("hex")
    .slice(0, 20)}`;

/**
 * The entries that an act on one case is, the leading one first: an entry names one chatter, since what names a chatter is sealed under
 * their own key. Near-copies of several are decided together.
 */
export function draftsOf(
  { key, act, durationS, reason, words }: CaseAct,
  one: ModCase,
  by: Person,
): [Draft, ...Draft[]] {
  const worst: CaseLine = one.lines.find(({ lineId }) => lineId === one.lineId) ?? {
    lineId: one.lineId,
    userId: one.userId,
    login: one.login,
    name: one.name,
    text: one.text,
    sentAtMs: one.lastAtMs,
    toxicity: one.score,
    span: one.span,
    removedAtMs: null,
  };
  const draft = (lines: readonly CaseLine[], of: string | null): Draft => {
    const first = lines[0] ?? worst;
    const about: JournalPrivate | null = SAYS_NOTHING.has(act)
      ? null
      : {
          userId: first.userId,
          login: first.login,
          lineIds: lines.map(({ lineId }) => lineId),
          text: first.text,
          words: act === "note" || act === "allow_phrase" ? words : "",
        };
    return {
      channelId: one.channelId,
      id: entryId(key, by, one.id, first.userId),
      by,
      act,
      caseId: one.id,
      of,
      durationS: act === "timeout" ? (durationS ?? TIMEOUT_S) : 0,
      reason,
      score: one.score,
      class: one.class,
      count: of === null && !OF_EACH.has(act) ? one.count : lines.length,
      // Twitch's own hold is decided by its own call.
      detail: one.heldId === "" || of !== null ? {} : { [DETAIL.held]: one.heldId },
      private: about,
    };
  };
  if (!OF_EACH.has(act)) return [draft([worst], null)];
  const standing = one.lines.filter(({ removedAtMs }) => removedAtMs === null);
  const lines = act === "delete" && standing.length > 0 ? standing : one.lines;
  const byUser = new Map<string, CaseLine[]>();
  for (const line of lines.length > 0 ? lines : [worst])
    byUser.set(line.userId, [...(byUser.get(line.userId) ?? []), line]);
  const lead = byUser.get(worst.userId) ?? [...byUser.values()][0] ?? [worst];
  const leading = draft(
    [...lead].sort((a, b) => rank(b, worst) - rank(a, worst)),
    null,
  );
  const others = [...byUser.values()].filter((group) => group !== lead);
  return [leading, ...others.map((group) => draft(group, leading.id))];
}

const rank = ({ lineId }: CaseLine, worst: CaseLine): number => (lineId === worst.lineId ? 1 : 0);
