import { setTimeout as sleep } from "node:timers/promises";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { answer as answerShape, ANSWERS_BUCKET, type Answer } from "@hypecast/contracts/oracle.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import { watchBucket } from "@hypecast/runtime/watch.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { counter } from "@hypecast/runtime/metrics.ts";
import type { Health } from "@hypecast/runtime/report.ts";
import { answering, type Looking } from "./answering.ts";
import type { Llm } from "./llm.ts";

/** Answers that are worked on at a time, in one process. */
const AT_ONCE = 4;
/** What is shown of an unfinished answer is written so often at most. */
const SHOW_EVERY_MS = 150;
/** While it works, a record is touched so often … */
const TOUCH_EVERY_MS = 5000;
/** … and one that was not touched for so long has lost whoever worked on it. */
const LOST_AFTER_MS = 20_000;
const LOOK_EVERY_MS = 5000;

const answered = counter("oracle_answers_total", "Answers by who wrote them.", ["by"]);
const refused = counter("oracle_model_refused_total", "Answers of the language model that do not stand.");

const unfinished = ({ state }: Answer): boolean =>
  state === "asked" || state === "searching" || state === "reading";

export interface Desk {
  health(): Health;
  close(): Promise<void>;
}

/**
 * Takes answers that were asked for, one process each by compare-and-set, and writes them as they grow. Any number of processes may do so;
 * what a dead one leaves is taken up by another. A record that is gone, or `stopped`, ends its work.
 */
export async function openDesk(
  nc: NatsConnection,
  tools: { looking: Looking; llm: Llm | null; log: Logger; now?: () => number },
): Promise<Desk> {
  const { looking, llm, log, now = Date.now } = tools;
  const bucket = await whenTheLogAnswers(nc, async () => new Kvm(nc).open(ANSWERS_BUCKET));
  const atWork = new Map<string, AbortController>();
  const running = new Set<Promise<void>>();
  const waiting = new Set<string>();
  const closing = new AbortController();
  let lastTrouble: { atMs: number; detail: string } | null = null;

  async function work(id: string): Promise<void> {
    const taken = await claim(id);
    if (taken === null) return;
    const stop = new AbortController();
    atWork.set(id, stop);
    const signal = AbortSignal.any([stop.signal, closing.signal]);
    const shown = shower(id, signal);
    const touching = setInterval(() => shown.say({}), TOUCH_EVERY_MS);
    try {
      const before = taken.after === null ? null : ((await read(taken.after))?.record ?? null);
      const done = await answering(taken, before, {
        looking,
        llm,
        show: (soFar) => shown.say(soFar),
        signal,
      });
      await shown.settle();
      const tookMs = now() - taken.askedAtMs;
      await change(id, (record) => (unfinished(record) ? { ...done, tookMs } : null));
      answered.inc({ by: done.by ?? "nobody" });
      if (done.model?.refused != null) {
        refused.inc();
        log.warn({ answer: id, why: done.model.refused }, "the language model's answer does not stand");
      }
    } catch (error) {
      await shown.settle();
      if (signal.aborted) return;
      const detail = error instanceof Error ? error.message : String(error);
      lastTrouble = { atMs: now(), detail };
      log.warn({ answer: id, err: error }, "no answer");
      await change(id, (record) =>
        unfinished(record) ? { state: "failed", error: detail.slice(0, 400) } : null,
      );
    } finally {
      clearInterval(touching);
      atWork.delete(id);
    }
  }

  /** Makes it ours, if nobody works on it. */
  async function claim(id: string): Promise<Answer | null> {
    const known = await read(id);
    if (known === null || !unfinished(known.record)) return null;
    const { record, revision } = known;
    if (record.state !== "asked" && now() - record.touchedAtMs < LOST_AFTER_MS) return null;
    return write(id, { ...record, state: "searching", text: "" }, revision);
  }

  async function read(id: string): Promise<{ record: Answer; revision: number } | null> {
    const entry = await whenTheLogAnswers(nc, () => bucket.get(id));
    if (entry?.operation !== "PUT") return null;
    const record = parsed(entry.value);
    return record === null ? null : { record, revision: entry.revision };
  }

  /** Null: somebody else has written it since. */
  async function write(id: string, record: Answer, revision: number): Promise<Answer | null> {
    const next = { ...record, revision: record.revision + 1, touchedAtMs: now() };
    try {
      await whenTheLogAnswers(nc, () => bucket.update(id, JSON.stringify(next), revision));
      return next;
    } catch (error) {
      if (error instanceof Error && /wrong last sequence/i.test(error.message)) return null;
      throw error;
    }
  }

  async function change(id: string, to: (record: Answer) => Partial<Answer> | null): Promise<void> {
    for (let tries = 0; tries < 20; tries++) {
      const known = await read(id);
      if (known === null) return;
      const changed = to(known.record);
      if (changed === null || (await write(id, { ...known.record, ...changed }, known.revision)) !== null)
        return;
    }
    throw new Error(`the record of answer ${id} is written by too many at once`);
  }

  /** Writes what is to be shown, the newest of it, not more often than a person can see. */
  function shower(
    id: string,
    signal: AbortSignal,
  ): { say(soFar: Partial<Answer>): void; settle(): Promise<void> } {
    let next: Partial<Answer> | null = null;
    let writing: Promise<void> | null = null;
    const over = new AbortController();
    const pump = async (): Promise<void> => {
      while (next !== null && !signal.aborted) {
        const soFar = next;
        next = null;
        await change(id, (record) => (unfinished(record) ? soFar : null)).catch((error: unknown) =>
          log.debug({ err: error }, "what there is so far was not shown"),
        );
        await sleep(SHOW_EVERY_MS, undefined, { signal: over.signal }).catch(() => undefined);
      }
      writing = null;
    };
    return {
      say(soFar) {
        next = { ...next, ...soFar };
        writing ??= pump();
      },
      async settle() {
        next = null;
        over.abort();
        await writing;
      },
    };
  }

  const begin = (): void => {
    for (const id of waiting) {
      if (running.size >= AT_ONCE || closing.signal.aborted) return;
      waiting.delete(id);
      if (atWork.has(id)) continue;
      const one = work(id)
        .catch((error: unknown) => log.warn({ answer: id, err: error }, "an answer could not be worked on"))
        .finally(() => {
          running.delete(one);
          begin();
        });
      running.add(one);
    }
  };
  /** Every unfinished answer, as the bucket told it last. */
  const open = new Map<string, Answer>();
  const consider = (record: Answer): void => {
    const lost = record.state !== "asked" && now() - record.touchedAtMs >= LOST_AFTER_MS;
    if (!atWork.has(record.id) && (record.state === "asked" || lost)) waiting.add(record.id);
    begin();
  };
  const watch = watchBucket(bucket, log, (id, entry) => {
    const record = entry && parsed(entry.value);
    if (record !== null && unfinished(record)) {
      open.set(id, record);
      consider(record);
      return;
    }
    open.delete(id);
    atWork.get(id)?.abort(new Error(record === null ? "the answer was deleted" : "stopped"));
  });
  // Nobody tells of an answer whose process has died.
  const again = setInterval(() => open.forEach(consider), LOOK_EVERY_MS);

  return {
    health() {
      const recent = lastTrouble !== null && now() - lastTrouble.atMs < 30_000 ? lastTrouble.detail : null;
      return {
        status: recent === null ? "ok" : "degraded",
        reason: recent === null ? null : `a question could not be answered: ${recent}`,
        figures: { atWork: running.size, waiting: waiting.size },
      };
    },
    async close() {
      clearInterval(again);
      closing.abort(new Error("the process stops"));
      watch.close();
      await Promise.allSettled(running);
    },
  };
}

function parsed(body: Uint8Array): Answer | null {
  try {
    return answerShape.safeParse(JSON.parse(new TextDecoder().decode(body))).data ?? null;
  } catch {
    return null;
  }
}
