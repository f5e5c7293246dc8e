import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  claim,
  CLAIM_MS,
  claimKey,
  CLAIMS_BUCKET,
  personKey,
  type Claim,
  type Person,
} from "@hypecast/contracts/journal.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import { watchBucket } from "@hypecast/runtime/watch.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { onBus } from "../bucket.ts";

const LOOK_MS = 5000;
/** Somebody else writes the same claim at the same time: so often it is looked at again. */
const TRIES = 10;

/** Who has which case in hand. A hint for others, no lock: what decides a case is the journal. */
export interface Claims {
  /** Null: nobody, or nobody who has shown a sign of life. */
  of(caseId: string): Claim | null;
  /**
   * Takes a case that is free, says that one is still at it, lets it go, or takes it over. Resolves to who has it afterwards: with several
   * who try at once, one of them.
   */
  change(
    channelId: string,
    caseId: string,
    by: Person,
    how: { release: boolean; steal: boolean },
  ): Promise<Claim | null>;
  readonly close: () => void;
}

export async function watchClaims(
  nc: NatsConnection,
  changed: (caseId: string, channelId: string) => void,
  log: Logger,
): Promise<Claims> {
  const bucket = await whenTheLogAnswers(nc, () => new Kvm(nc).open(CLAIMS_BUCKET));
  const claims = new Map<string, { claim: Claim; revision: number }>();
  const keep = (key: string, value: Claim | null, revision: number): void => {
    const before = claims.get(key);
    if (before !== undefined && before.revision >= revision) return;
    if (value !== null) claims.set(key, { claim: value, revision });
    else claims.delete(key);
    // A sign of life changes nothing that anybody sees.
    const said = value ?? before?.claim;
    const isSame =
      value !== null && before !== undefined && personKey(before.claim.by) === personKey(value.by);
    if (said !== undefined && !isSame) changed(said.caseId, said.channelId);
  };
  const watch = watchBucket(bucket, log, (key, entry, revision) => keep(key, entry && read(entry), revision));
  const timer = setInterval(() => {
    for (const [key, { claim: one, revision }] of claims)
      if (one.seenMs + CLAIM_MS <= Date.now())
        // Every gateway looks; the first one removes it. One that has shown a sign of life meanwhile has another revision.
        bucket.delete(key, { previousSeq: revision }).catch(() => undefined);
  }, LOOK_MS);

  const of = (caseId: string): Claim | null => {
    const found = claims.get(claimKey(caseId));
    const isAlive = found !== undefined && found.claim.seenMs + CLAIM_MS > Date.now();
    return isAlive && found.claim.caseId === caseId ? found.claim : null;
  };

  return {
    of,
    async change(channelId, caseId, by, { release, steal }) {
      const key = claimKey(caseId);
      for (let tries = 0; tries < TRIES; tries++) {
        const entry = await onBus(() => bucket.get(key));
        const held = entry !== null && entry.operation === "PUT" ? read(entry) : null;
        const nowMs = Date.now();
        const alive = held !== null && held.seenMs + CLAIM_MS > nowMs ? held : null;
        const isMine = alive !== null && personKey(alive.by) === personKey(by);
        if (release ? !isMine : alive !== null && !isMine && !steal) return alive;
        const after: Claim | null = release
          ? null
          : { caseId, channelId, by, sinceMs: isMine ? alive.sinceMs : nowMs, seenMs: nowMs };
        try {
          if (after === null) {
            await onBus(() => bucket.delete(key, { previousSeq: entry?.revision ?? 0 }));
            keep(key, null, (entry?.revision ?? 0) + 1);
            return null;
          }
          const text = JSON.stringify(after);
          const revision = await onBus(() =>
            entry === null ? bucket.create(key, text) : bucket.update(key, text, entry.revision),
          );
          keep(key, after, revision);
          return after;
        } catch (error) {
          if (!(error instanceof Error && /wrong last sequence|key exists/i.test(error.message))) throw error;
        }
      }
      return of(caseId);
    },
    close() {
      clearInterval(timer);
      watch.close();
    },
  };
}

function read(entry: { json(): unknown }): Claim | null {
  try {
    const parsed = claim.safeParse(entry.json());
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
