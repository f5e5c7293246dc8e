import { personKey, type JournalAct, type JournalEntry, type Person } from "@hypecast/contracts/journal.ts";

/** A pause longer than this ends a stretch of work; each stretch counts a minute more than lies between its ends. */
const PAUSE_MS = 10 * 60_000;
const STRETCH_MS = 60_000;
const HOUR_MS = 3_600_000;

export interface Load {
  readonly by: Person;
  readonly acts: number;
  readonly reviewed: number;
  readonly shiftS: number;
  readonly hardestHour: number;
}

const LOOKS: ReadonlySet<JournalAct> = new Set(["review"]);

/** What each person did, the busiest first. `entries`: what people decided and looked at, oldest first, without what the program says of it. */
export function loadOf(entries: readonly Pick<JournalEntry, "atMs" | "by" | "act">[]): Load[] {
  const people = new Map<string, Pick<JournalEntry, "atMs" | "by" | "act">[]>();
  for (const entry of entries) {
    if (entry.by.kind === "system") continue;
    const key = personKey(entry.by);
    const theirs = people.get(key);
    if (theirs === undefined) people.set(key, [entry]);
    else theirs.push(entry);
  }
  return [...people.values()]
    .map((theirs) => {
      const hours = new Map<number, number>();
      let shiftMs = 0;
      let beforeMs = -Infinity;
      for (const { atMs } of theirs) {
        shiftMs += atMs - beforeMs > PAUSE_MS ? STRETCH_MS : atMs - beforeMs;
        beforeMs = atMs;
        const hour = Math.floor(atMs / HOUR_MS);
        hours.set(hour, (hours.get(hour) ?? 0) + 1);
      }
      const reviewed = theirs.filter(({ act }) => LOOKS.has(act)).length;
      return {
        by: theirs.at(-1)!.by,
        acts: theirs.length - reviewed,
        reviewed,
        shiftS: Math.round(shiftMs / 1000),
        hardestHour: Math.max(...hours.values()),
      };
    })
    .toSorted((a, b) => b.acts + b.reviewed - (a.acts + a.reviewed));
}
