import { setTimeout as sleep } from "node:timers/promises";
import { Kvm, type KV } from "@nats-io/kv";
import { ERASURE_PURPOSE, ERASURES_BUCKET, erasure, type Erasure } from "@hypecast/contracts/account.ts";
import { HOUSE, SYSTEM } from "@hypecast/contracts/journal.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import type { Journal } from "@hypecast/runtime/journal.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Secret } from "@hypecast/runtime/secret.ts";
import { z } from "zod";
import { eraseChatter, type EraseTools } from "./erase.ts";
import { signed } from "./report.ts";

const LOOK_EVERY_MS = 2000;
/** After failures in a row. */
const LOOK_SELDOM_MS = 60_000;
/** One that nobody has touched for so long is taken up again: whoever had it is gone. */
const ABANDONED_MS = 60_000;
const BEAT_MS = 10_000;
const sealedChatter = z.object({ userId: z.string(), login: z.string() });

/** Carries erasures out, one at a time. The records are the truth: any number of processes may look, and one takes each. */
export function startEraser(
  tools: EraseTools,
  journal: Pick<Journal, "append">,
  secret: Secret,
  log: Logger,
): { running(): number; close(): Promise<void> } {
  const closing = new AbortController();
  let running = 0;
  let pauseMs = LOOK_EVERY_MS;
  const over = (async () => {
    const bucket = await whenTheLogAnswers(tools.nc, () => new Kvm(tools.nc).open(ERASURES_BUCKET));
    while (!closing.signal.aborted) {
      try {
        for (const id of await waiting(bucket, tools)) {
          running = 1;
          await carryOut(bucket, id);
        }
        pauseMs = LOOK_EVERY_MS;
      } catch (error) {
        if (!closing.signal.aborted) log.warn({ err: error }, "an erasure stopped; it is tried again");
        pauseMs = Math.min(pauseMs * 2, LOOK_SELDOM_MS);
      }
      running = 0;
      await sleep(pauseMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  })();

  async function carryOut(bucket: KV, id: string): Promise<void> {
    const taken = await change(bucket, id, (record) => (isWaiting(record) ? { state: "running" } : null));
    if (taken === null || taken.sealed === null) return;
    const { userId, login } = sealedChatter.parse(JSON.parse(secret.open(ERASURE_PURPOSE, taken.sealed)));
    log.info({ erasure: id }, "erasing");
    const beat = setInterval(() => void change(bucket, id, () => ({})).catch(() => undefined), BEAT_MS);
    try {
      const done = await eraseChatter(
        { userId, login: login.toLowerCase() },
        taken.target,
        taken,
        tools,
        closing.signal,
        async (doing, so) => void (await change(bucket, id, () => ({ doing, ...so }))),
      );
      const whole = Object.values(done.left).every((n) => n === 0);
      // Once, whoever does this twice; it names nobody.
      await journal.append({
        ...{ channelId: HOUSE, id: `${id}:done`, by: SYSTEM, act: "erase_done", of: id },
        detail: Object.fromEntries(Object.entries(done.removed).map(([place, n]) => [place, String(n)])),
      });
      await change(bucket, id, (record) =>
        signed(
          {
            ...record,
            ...done,
            state: "done",
            doing: whole ? "" : "done, with something left",
            doneAtMs: Date.now(),
            sealed: null,
          },
          secret,
        ),
      );
      log.info({ erasure: id, removed: done.removed, left: done.left }, "erased");
    } catch (error) {
      if (closing.signal.aborted) return;
      await change(bucket, id, () => ({
        error: error instanceof Error ? error.message : String(error),
        state: "asked",
      }));
      throw error;
    } finally {
      clearInterval(beat);
    }
  }

  return {
    running: () => running,
    async close() {
      closing.abort();
      await over;
    },
  };
}

const isWaiting = ({ state, touchedAtMs }: Erasure): boolean =>
  state === "asked" || (state === "running" && Date.now() - touchedAtMs > ABANDONED_MS);

async function waiting(bucket: KV, { nc }: EraseTools): Promise<string[]> {
  const ids: string[] = [];
  if ((await whenTheLogAnswers(nc, () => bucket.status())).values === 0) return ids;
  for await (const key of await whenTheLogAnswers(nc, () => bucket.keys())) {
    const record = recordOf(await whenTheLogAnswers(nc, () => bucket.get(key)));
    if (record !== null && isWaiting(record)) ids.push(key);
  }
  return ids;
}

function recordOf(entry: Awaited<ReturnType<KV["get"]>>): Erasure | null {
  return entry?.operation === "PUT" ? (erasure.safeParse(entry.json()).data ?? null) : null;
}

/** Writes what `by` makes of the record as it is now; null from it leaves it. Null: it was left, or is gone. */
async function change(
  bucket: KV,
  id: string,
  by: (record: Erasure) => Partial<Erasure> | null,
): Promise<Erasure | null> {
  for (;;) {
    const entry = await bucket.get(id);
    const before = recordOf(entry);
    if (entry === null || before === null) return null;
    const changed = by(before);
    if (changed === null) return null;
    const after: Erasure = { ...before, ...changed, revision: before.revision + 1, touchedAtMs: Date.now() };
    try {
      await bucket.update(id, JSON.stringify(after), entry.revision);
      return after;
    } catch (error) {
      if (!(error instanceof Error && /wrong last sequence/i.test(error.message))) throw error;
    }
  }
}
