import type { JournalEntry } from "@hypecast/contracts/journal.ts";
import type { ModAction, ModEvent } from "@hypecast/contracts/mod-event.ts";
import { ECHO_AFTER_MS, ECHO_BEFORE_MS, isBotsAct } from "../mod-acts.ts";
import type { MeasureKind } from "./half-life.ts";

/** What was done in a channel, by us, at Twitch, or by a bot. */
export interface Done {
  readonly atMs: number;
  readonly act: string;
  readonly by: string;
  readonly source: "us" | "twitch" | "bot";
}
type Told = Pick<ModEvent, "atMs" | "action" | "moderatorId" | "moderatorLogin" | "durationS">;
type Entry = Pick<JournalEntry, "atMs" | "act" | "by" | "durationS"> & { readonly outcome: string };

/** Acts of Twitch that change what chat may do, or take something from it; by which name, when ours is meant. */
const NAMES: Partial<Record<ModAction, string>> = {
  ...{ delete: "delete", timeout: "timeout", ban: "ban", warn: "warn", clear: "clear", unban: "unban" },
  ...{ untimeout: "untimeout", slow: "slow", followers: "followers", subscribers: "subscribers" },
  ...{
    shield_begin: "shield",
    slowoff: "slow off",
    followersoff: "followers off",
    subscribersoff: "subscribers off",
  },
  ...{
    shield_end: "shield off",
    emoteonly: "emote only",
    uniquechat: "unique chat",
    automod_hold: "automod hold",
  },
};
const MODES: ReadonlySet<string> = new Set(["slow", "followers", "subscribers", "shield"]);
/** Of a mode, no duration turns it off. */
const nameOf = ({ act, durationS }: Pick<Entry, "act" | "durationS">): string =>
  MODES.has(act) && durationS === 0 ? `${act} off` : act;

/**
 * Acts with an effect in chat, oldest first, each once: Twitch's word on an act of ours is taken away, one for one by kind and time. Whom each was
 * about is not looked at: for counting it need not be.
 */
export function actsDone(entries: readonly Entry[], events: readonly Told[]): Done[] {
  const own = entries
    .filter(({ outcome }) => outcome === "done" || outcome === "sending" || outcome === "doubtful")
    .toSorted((a, b) => a.atMs - b.atMs)
    .map((entry) => ({ entry, name: nameOf(entry), isTold: false }));
  /** Of a kind, oldest first; those before `from` are too old for any event that is still to come. */
  const byName = new Map<string, { acts: typeof own; from: number }>();
  for (const one of own) {
    const known = byName.get(one.name);
    if (known === undefined) byName.set(one.name, { acts: [one], from: 0 });
    else known.acts.push(one);
  }
  const done: Done[] = own.map(({ entry, name }) => ({
    atMs: entry.atMs,
    act: name,
    by: entry.by.login,
    source: "us",
  }));
  for (const event of events.toSorted((a, b) => a.atMs - b.atMs)) {
    const name = NAMES[event.action];
    if (name === undefined) continue;
    const ours = echoed(event, byName.get(name));
    if (ours !== undefined) {
      ours.isTold = true;
      continue;
    }
    const source = isBotsAct(event) ? "bot" : "twitch";
    done.push({
      atMs: event.atMs,
      act: name,
      by: event.moderatorLogin === "" && source === "bot" ? "AutoMod" : event.moderatorLogin,
      source,
    });
  }
  return done.toSorted((a, b) => a.atMs - b.atMs);
}

interface Own {
  readonly entry: Entry;
  isTold: boolean;
}

/** Our act that an event is Twitch's word on: the oldest that nothing has told yet. */
function echoed(
  event: Told,
  ours: { readonly acts: readonly Own[]; from: number } | undefined,
): Own | undefined {
  if (ours === undefined) return undefined;
  const { acts } = ours;
  while (ours.from < acts.length && acts[ours.from]!.entry.atMs < event.atMs - ECHO_AFTER_MS) ours.from++;
  for (let i = ours.from; i < acts.length && acts[i]!.entry.atMs <= event.atMs + ECHO_BEFORE_MS; i++) {
    const { entry, isTold } = acts[i]!;
    if (isTold) continue;
    if (entry.by.kind !== "twitch" || event.moderatorId === "" || event.moderatorId === entry.by.userId)
      return acts[i];
  }
  return undefined;
}

const MEASURES: Record<string, MeasureKind> = {
  ...{ slow: "slow", followers: "followers", subscribers: "subscribers", shield: "shield" },
  ...{ timeout: "timeouts", ban: "bans", delete: "deletions" },
};
export const measureOf = (act: string): MeasureKind | null => MEASURES[act] ?? null;

/** By step, kind and who: at most `most`, the newest. */
export function actsBySteps(
  done: readonly Done[],
  stepMs: number,
  most: number,
): (Done & { count: number })[] {
  const steps = new Map<string, Done & { count: number }>();
  for (const one of done) {
    const atMs = Math.floor(one.atMs / stepMs) * stepMs;
    const key = `${atMs} ${one.act} ${one.source} ${one.by}`;
    const known = steps.get(key);
    if (known === undefined) steps.set(key, { ...one, atMs, count: 1 });
    else known.count++;
  }
  return [...steps.values()].slice(-most);
}
