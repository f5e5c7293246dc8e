import { DETAIL } from "@hypecast/contracts/desk.ts";
import type { JournalEntry, JournalPrivate } from "@hypecast/contracts/journal.ts";
import type { TwitchAnswer } from "@hypecast/runtime/twitch/answer.ts";
import type { ChatSettings, HelixModeration } from "@hypecast/runtime/twitch/helix.ts";

/** What came of one try. `wait`: certainly not done, to be tried again. */
export type Came =
  | { readonly kind: "done" | "refused" | "doubtful"; readonly said: string; readonly detail: Detail }
  | { readonly kind: "wait"; readonly said: string; readonly untilMs: number | null };
type Detail = Readonly<Record<string, string>>;

/** An act with what it needs: whom it is about, and for `undo` the act that is taken back and what its end said. */
export interface Task {
  readonly entry: Pick<JournalEntry, "act" | "channelId" | "durationS" | "reason" | "detail">;
  readonly about: JournalPrivate | null;
  readonly undoes: {
    readonly entry: Pick<JournalEntry, "act" | "durationS" | "detail">;
    /** What its `done` said: settings from before it. */
    readonly detail: Detail;
  } | null;
}

/** Twitch, in the name of one account. */
export interface Hand {
  readonly channelId: string;
  readonly helix: HelixModeration;
  /** With a fresh token. */
  readonly use: <Data>(
    call: (as: { channelId: string; userId: string; token: string }) => Promise<TwitchAnswer<Data>>,
  ) => Promise<TwitchAnswer<Data>>;
}

const done = (said = "", detail: Detail = {}): Came => ({ kind: "done", said, detail });
const refused = (said: string): Came => ({ kind: "refused", said, detail: {} });

/** What an answer means for an act that is one call. `already`: it is so, which is what was wanted. */
function cameOf(answer: TwitchAnswer<unknown>, detail: Detail = {}): Came {
  switch (answer.kind) {
    case "ok":
      return done("", detail);
    case "conflict":
      return done(answer.said, detail);
    case "rate_limited":
      return { kind: "wait", said: answer.said, untilMs: answer.retryAtMs };
    case "unavailable":
      return { kind: "wait", said: answer.said, untilMs: null };
    case "unknown":
      return { kind: "doubtful", said: answer.said, detail };
    default:
      return refused(answer.said);
  }
}

/** One try to carry an act out. Never throws. */
export async function carryOut(task: Task, hand: Hand): Promise<Came> {
  const { entry, about, undoes } = task;
  const { helix, use } = hand;
  switch (entry.act) {
    case "timeout":
    case "ban": {
      if (about === null) return refused(NOBODY);
      const durationS = entry.act === "ban" ? null : entry.durationS;
      return cameOf(await use((as) => helix.ban(as, about.userId, durationS, entry.reason)));
    }
    case "unban":
    case "untimeout":
      return about === null ? refused(NOBODY) : cameOf(await use((as) => helix.unban(as, about.userId)));
    case "warn":
      return about === null
        ? refused(NOBODY)
        : cameOf(await use((as) => helix.warn(as, about.userId, entry.reason)));
    case "approve":
      return cameOf(await use((as) => helix.autoMod(as, entry.detail[DETAIL.held] ?? "", "ALLOW")));
    case "delete":
      if (about === null) return refused(NOBODY);
      return (entry.detail[DETAIL.held] ?? "") === ""
        ? deleteLines(about.lineIds, hand)
        : cameOf(await use((as) => helix.autoMod(as, entry.detail[DETAIL.held] ?? "", "DENY")));
    case "slow":
    case "followers":
    case "subscribers":
      return set(changeOf(entry), hand);
    case "shield":
      return cameOf(await use((as) => helix.setShield(as, entry.durationS > 0)), {
        before: String(entry.durationS === 0),
      });
    case "undo":
      return undoes === null ? refused("what it takes back is not known") : takeBack(undoes, about, hand);
    default:
      return refused(`${entry.act} is nothing that Twitch does`);
  }
}

const NOBODY = "whom it is about was erased since";

/** Lines one after the other: what is gone already is gone. */
async function deleteLines(lineIds: readonly string[], { helix, use }: Hand): Promise<Came> {
  let deleted = 0;
  let gone = "";
  for (const lineId of lineIds) {
    const answer = await use((as) => helix.deleteMessage(as, lineId));
    if (answer.kind === "ok" || answer.kind === "conflict") deleted++;
    else if (answer.kind === "not_found") gone = answer.said;
    else {
      const came = cameOf(answer);
      if (deleted === 0 || came.kind !== "refused") return came;
      return refused(`${deleted} of ${lineIds.length} deleted, then: ${answer.said}`);
    }
  }
  if (deleted === 0 && lineIds.length > 0) return refused(gone);
  return done(gone === "" ? "" : `${deleted} of ${lineIds.length} deleted; the others were gone`);
}

const changeOf = ({ act, durationS }: Pick<JournalEntry, "act" | "durationS">): Partial<ChatSettings> =>
  act === "slow"
    ? { slowS: durationS === 0 ? null : durationS }
    : act === "followers"
      ? { followersMin: durationS === 0 ? null : Math.ceil(durationS / 60) }
      : { subscribers: durationS > 0 };

/** Notes what was set before, so that it can be set again. */
async function set(change: Partial<ChatSettings>, { helix, use }: Hand): Promise<Came> {
  const before = await use((as) => helix.chatSettings(as));
  // Nothing has been changed yet, whatever this is.
  if (before.kind !== "ok") return before.kind === "unknown" ? waitFor(before.said) : cameOf(before);
  const was = Object.fromEntries(
    Object.keys(change).map((field) => [field, before.data[field as keyof ChatSettings]]),
  );
  return cameOf(await use((as) => helix.setChatSettings(as, change)), { before: JSON.stringify(was) });
}
const waitFor = (said: string): Came => ({ kind: "wait", said, untilMs: null });

/** What cannot be taken back at Twitch is said so; the case is open again all the same. */
async function takeBack(
  { entry, detail }: NonNullable<Task["undoes"]>,
  about: JournalPrivate | null,
  hand: Hand,
): Promise<Came> {
  const { helix, use } = hand;
  switch (entry.act) {
    case "timeout":
    case "ban":
      return about === null ? refused(NOBODY) : cameOf(await use((as) => helix.unban(as, about.userId)));
    case "delete":
      return done("Twitch brings no deleted line back; the case is open again");
    case "warn":
      return done("Twitch takes no warning back; the case is open again");
    case "approve":
      return done("what AutoMod has let through stays; the case is open again");
    case "slow":
    case "followers":
    case "subscribers": {
      const before = settingsIn(detail["before"]);
      return set(before ?? changeOf({ act: entry.act, durationS: 0 }), hand);
    }
    case "shield":
      return cameOf(await use((as) => helix.setShield(as, detail["before"] === "true")));
    default:
      return done();
  }
}

function settingsIn(text: string | undefined): Partial<ChatSettings> | null {
  if (text === undefined) return null;
  try {
    return JSON.parse(text) as Partial<ChatSettings>;
  } catch {
    return null;
  }
}

/** What Twitch says of an act of which we do not know whether it was done. */
export type Found = "done" | "not_done" | "unknown";

/**
 * Looks up what became of an act that was sent at `sentAtMs` by the account `as`. Bans, timeouts and settings can be asked for; of a deleted line
 * and a warning only the echo tells (`echoed`: Twitch has told that it was done).
 */
export async function lookUp(
  { entry, about, undoes }: Task,
  broadcaster: Hand | null,
  hand: Hand,
  echoed: boolean,
  sentAtMs: number,
): Promise<Found> {
  if (echoed) return "done";
  const act = entry.act === "undo" ? undoes?.entry.act : entry.act;
  const backwards = entry.act === "undo";
  switch (act) {
    case "timeout":
    case "ban": {
      if (about === null || broadcaster === null) return "unknown";
      const answer = await broadcaster.use((as) => broadcaster.helix.banned(as, [about.userId]));
      if (answer.kind !== "ok") return "unknown";
      const ban = answer.data.find(({ userId }) => userId === about.userId);
      if (backwards) return ban === undefined ? "done" : "not_done";
      if (ban === undefined) return "not_done";
      const isFor = (durationS: number): boolean =>
        ban.untilMs !== null && Math.abs(ban.untilMs - sentAtMs - durationS * 1000) < SAME_MS;
      return (act === "ban" ? ban.untilMs === null : isFor(entry.durationS)) ? "done" : "not_done";
    }
    case "slow":
    case "followers":
    case "subscribers": {
      const answer = await hand.use((as) => hand.helix.chatSettings(as));
      if (answer.kind !== "ok") return "unknown";
      const wanted = backwards
        ? (settingsIn(undoes?.detail["before"]) ?? {})
        : changeOf({ act, durationS: entry.durationS });
      const isSo = Object.entries(wanted).every(
        ([field, value]) => answer.data[field as keyof ChatSettings] === value,
      );
      return isSo ? "done" : "not_done";
    }
    case "shield": {
      const answer = await hand.use((as) => hand.helix.shield(as));
      if (answer.kind !== "ok") return "unknown";
      const wanted = backwards ? undoes?.detail["before"] === "true" : entry.durationS > 0;
      return answer.data === wanted ? "done" : "not_done";
    }
    default:
      return "unknown";
  }
}
/** A timeout ends so near to when it would, if it is the one that we sent. */
const SAME_MS = 30_000;
