import { deadLetterSubject, type DeadLetter } from "@hypecast/contracts/dead-letter.ts";
import type { StreamName } from "@hypecast/contracts/streams.ts";
import type { Config } from "@hypecast/runtime/config.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { counter, histogram } from "@hypecast/runtime/metrics.ts";
import type { Health } from "@hypecast/runtime/report.ts";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { rowsAreWrong, storeErrorText, type Store } from "../store.ts";
import { byTable, packed, readMessage, type Batch, type BatchBounds, type Message } from "./batch.ts";
import { insert, insertApart } from "./insert.ts";
import { PlanBook, PlanTaken, type Plan } from "./plan.ts";
import { Reader } from "./reader.ts";
import { singleRows, targets, type Target } from "./tables.ts";

/** The size matters only to a sink that is behind. A line is visible about `ms` plus one insert after it is on the log; fold outputs come once a second and may gather longer. */
const BOUNDS: Readonly<Record<StreamName, BatchBounds>> = {
  INPUT: { rows: 100_000, bytes: 32_000_000, ms: 50 },
  FOLD: { rows: 10_000, bytes: 8_000_000, ms: 150 },
  JOURNAL: { rows: 1000, bytes: 8_000_000, ms: 50 },
  DEAD: { rows: 1000, bytes: 8_000_000, ms: 500 },
};
/** A sink that lost its plan to another takes over when nothing has moved for so long. */
const STANDBY_MS = 5000;
/** After so long since our plan was written, look whether it still is the plan before storing. */
const RECHECK_MS = 3000;
/** A stream without a message for so long is quiet: its plan is closed. */
const QUIET_MS = 300;
/** From here on the screen says that history is delayed. */
const DELAYED_S = 5;
const BACKOFF_MS = { least: 100, most: 5000 } as const;

const rowsTotal = counter("sink_rows_total", "Rows handed to the store.", ["table"]);
const batchesTotal = counter("sink_batches_total", "Batches stored.", ["stream"]);
const retriesTotal = counter("sink_retries_total", "Inserts that the store could not take at once.", [
  "stream",
]);
const deadTotal = counter("sink_dead_letters_total", "Rows that the store refused.", ["table", "reason"]);
const insertSeconds = histogram("sink_insert_seconds", "Time of one insert.", ["table"]);

/**
 * Brings one stream into the store, every message exactly once: a batch is frozen by writing its bounds (compare-and-set),
 * stored under a token made of them, and done when the next is frozen. Whoever starts, finishes the frozen batch first.
 */
export class Sink {
  readonly #nc: NatsConnection;
  readonly #store: Store;
  readonly #config: Config;
  readonly #log: Logger;
  readonly #stream: StreamName;
  readonly #stopped = new AbortController();
  #reader: Reader | null = null;
  #running: Promise<void> = Promise.resolve();
  /** Time of the oldest message that is not stored yet, Unix ms; null when everything is. */
  #oldestMs: number | null = null;
  #inHand = 0;
  #trouble: string | null = null;
  #standby = false;
  #rowsDone = 0;
  #rowsBefore = 0;
  #rowsAt = performance.now();

  constructor(nc: NatsConnection, store: Store, config: Config, log: Logger, stream: StreamName) {
    this.#nc = nc;
    this.#store = store;
    this.#config = config;
    this.#log = log.child({ stream });
    this.#stream = stream;
  }

  start(): this {
    this.#running = this.#run();
    // A broken invariant ends the process; what is the store's or the bus's trouble never comes here.
    this.#running.catch((error: unknown) => {
      setImmediate(() => {
        throw error;
      });
    });
    return this;
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      try {
        await this.#own();
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        if (error instanceof PlanTaken) {
          this.#log.warn(error.message);
          await this.#untilQuiet();
        } else {
          this.#trouble = storeErrorText(error);
          this.#log.warn({ err: error }, "starting again from the plan");
          await this.#pause(1000);
        }
      } finally {
        this.#reader?.stop();
        this.#reader = null;
      }
    }
  }

  /** Holds the stream until it is taken away or something breaks. */
  async #own(): Promise<void> {
    const jsm = await jetstreamManager(this.#nc);
    const { created } = await jsm.streams.info(this.#stream);
    const book = await PlanBook.open(this.#nc, this.#stream, this.#config.HYPECAST_NATS_REPLICAS);
    const found = await book.read();
    let plan: Plan = found?.created === created ? found : { created, first: 1, last: 0, split: [] };
    const filters = targets[this.#stream].map((target) => target.filter);
    const reader = new Reader(this.#nc, this.#stream, filters, plan.first);
    this.#reader = reader;
    void reader.fill((error) => this.#log.debug({ err: error }, "reading again"));

    const frozen = await this.#upTo(reader, plan.last);
    if (frozen.messages.length > 0) plan = await this.#put(book, plan, frozen, performance.now());
    while (!this.#stopped.signal.aborted) {
      if (plan.first <= plan.last) {
        await reader.arrival(QUIET_MS);
        if (reader.held === 0 && !this.#stopped.signal.aborted) {
          // Nothing follows that would say it: whoever waits for the store reads here that all of this is stored.
          plan = { created, first: plan.last + 1, last: plan.last, split: [] };
          await book.write(plan);
        }
      }
      const batch = await this.#gather(reader);
      const last = batch.messages.at(-1)?.seq;
      if (last === undefined) continue;
      plan = { created, first: plan.last + 1, last, split: [] };
      await book.write(plan);
      plan = await this.#put(book, plan, batch, performance.now());
    }
  }

  /** The messages of a batch that was frozen before: all up to `last` that are still on the log. */
  async #upTo(reader: Reader, last: number): Promise<Batch> {
    const messages: Message[] = [];
    while (!this.#stopped.signal.aborted) {
      const { head } = reader;
      if (head === undefined) {
        if (reader.next > last || reader.pending === 0) break;
        await reader.arrival(200);
      } else if (head.seq > last) break;
      else {
        reader.take();
        messages.push(readMessage(this.#stream, head));
      }
    }
    return batchOf(messages);
  }

  async #gather(reader: Reader): Promise<Batch> {
    const bounds = BOUNDS[this.#stream];
    await reader.arrival(60_000);
    const until = performance.now() + bounds.ms;
    const messages: Message[] = [];
    let rows = 0;
    let bytes = 0;
    while (!this.#stopped.signal.aborted) {
      const message = reader.take();
      if (message === undefined) {
        const left = until - performance.now();
        if (left <= 0) break;
        await reader.arrival(left);
        continue;
      }
      const read = readMessage(this.#stream, message);
      messages.push(read);
      rows += read.rows;
      bytes += read.body.length;
      if (rows >= bounds.rows || bytes >= bounds.bytes) break;
    }
    // Asked to stop: what is in hand stays on the log for whoever comes next.
    return this.#stopped.signal.aborted ? batchOf([]) : batchOf(messages);
  }

  /** Stores a frozen batch, however long it takes. Resolves to the plan as it is written then. */
  async #put(book: PlanBook, plan: Plan, batch: Batch, plannedAt: number): Promise<Plan> {
    this.#oldestMs = batch.messages[0]?.atMs ?? null;
    this.#inHand = batch.messages.length;
    let current = plan;
    let checkedAt = plannedAt;
    // One after the other: a split that is written down is the plan of all of them.
    for (const [target, messages] of byTable(batch))
      for (let failures = 0; ; failures++) {
        if (failures > 0 || performance.now() - checkedAt > RECHECK_MS) await book.check();
        checkedAt = performance.now();
        try {
          current = await this.#putTable(book, current, target, messages);
          break;
        } catch (error) {
          if (error instanceof PlanTaken || this.#stopped.signal.aborted) throw error;
          retriesTotal.inc({ stream: this.#stream });
          this.#trouble = storeErrorText(error);
          if (failures % 10 === 0)
            this.#log.warn(
              { table: target.table, failures, error: this.#trouble },
              "the store does not take rows; trying again",
            );
          await this.#reader?.measure().catch(() => {});
          await this.#pause(
            Math.min(BACKOFF_MS.most, BACKOFF_MS.least * 2 ** failures) * (0.75 + Math.random() / 2),
          );
          this.#stopped.signal.throwIfAborted();
        }
      }
    batchesTotal.inc({ stream: this.#stream });
    this.#trouble = null;
    this.#oldestMs = null;
    this.#inHand = 0;
    return current;
  }

  async #putTable(book: PlanBook, plan: Plan, target: Target, messages: readonly Message[]): Promise<Plan> {
    const { table } = target;
    const token = `${plan.created}:${plan.first}-${plan.last}:${table}`;
    if (!plan.split.includes(table))
      try {
        const done = insertSeconds.startTimer({ table });
        const rows = packed(target, messages);
        if (rows.length === 0) return plan;
        const written = await insert(this.#store, { target, token, rows });
        done();
        this.#count(
          table,
          target.packing === "array" ? written : messages.reduce((sum, message) => sum + message.rows, 0),
        );
        return plan;
      } catch (error) {
        if (!rowsAreWrong(error)) throw error;
        this.#log.warn({ table, error: storeErrorText(error) }, "the store refuses a row; looking for it");
      }
    const split = plan.split.includes(table) ? plan : { ...plan, split: [...plan.split, table] };
    if (split !== plan) await book.write(split);
    await this.#putRows(target, messages, token);
    return split;
  }

  /** Row by row where needed: the refused ones become dead letters, the others are stored. */
  async #putRows(target: Target, messages: readonly Message[], token: string): Promise<void> {
    const rows = messages.flatMap((message) =>
      singleRows(target, message.body).map((row, index) => ({ message, index, row })),
    );
    const refused = await insertApart(async (from, to) => {
      const part = rows.slice(from, to).flatMap(({ row }) => [row, Buffer.from("\n")]);
      await insert(this.#store, {
        target,
        token: `${token}:${from}-${to}`,
        rows: Buffer.concat(part),
      });
    }, rows.length);
    this.#count(target.table, rows.length - refused.length);
    for (const { row: at, error } of refused) {
      const bad = rows[at];
      if (bad) await this.#setAside(target, bad.message, bad.index, bad.row, error);
    }
  }

  async #setAside(
    target: Target,
    message: Message,
    index: number,
    row: Uint8Array,
    error: unknown,
  ): Promise<void> {
    const reason = isJson(row) ? "refused_by_store" : "not_json";
    deadTotal.inc({ table: target.table, reason });
    this.#log.warn({ table: target.table, seq: message.seq, row: index, reason }, "dead letter");
    // A dead letter that cannot be stored stays on its stream; setting it aside again would never end.
    if (this.#stream === "DEAD") return;
    const letter: DeadLetter = {
      id: `${this.#stream}:${message.seq}:${index}`,
      stream: this.#stream,
      seq: message.seq,
      subject: message.subject,
      reason,
      detail: storeErrorText(error),
      body: Buffer.from(row.subarray(0, 4096)).toString("base64"),
      atMs: Math.round(message.atMs),
    };
    await jetstream(this.#nc).publish(deadLetterSubject(this.#stream), JSON.stringify(letter), {
      msgID: letter.id,
    });
  }

  #count(table: string, rows: number): void {
    rowsTotal.inc({ table }, rows);
    this.#rowsDone += rows;
  }

  /** Waits until whoever holds the stream has written nothing for a while. */
  async #untilQuiet(): Promise<void> {
    this.#standby = true;
    const book = await PlanBook.open(this.#nc, this.#stream, this.#config.HYPECAST_NATS_REPLICAS);
    let seen = -1;
    let since = performance.now();
    while (!this.#stopped.signal.aborted && performance.now() - since < STANDBY_MS) {
      await book.read();
      if (book.revision !== seen) since = performance.now();
      seen = book.revision;
      await this.#pause(500);
    }
    this.#standby = false;
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#stopped.signal.addEventListener("abort", () => resolve(clearTimeout(timer)), { once: true });
    });
  }

  health(nowMs: number): Health {
    const oldest =
      this.#oldestMs ?? (this.#reader?.head ? this.#reader.head.info.timestampNanos / 1e6 : null);
    const delayS = oldest === null ? 0 : Math.max(0, (nowMs - oldest) / 1000);
    const elapsedS = (performance.now() - this.#rowsAt) / 1000;
    const rowsPerS = elapsedS > 0 ? (this.#rowsDone - this.#rowsBefore) / elapsedS : 0;
    this.#rowsBefore = this.#rowsDone;
    this.#rowsAt = performance.now();
    const lag = this.#inHand + (this.#reader?.held ?? 0) + (this.#reader?.pending ?? 0);
    const late = !this.#standby && delayS > DELAYED_S;
    return {
      status: late || this.#trouble !== null ? "degraded" : "ok",
      reason:
        late || this.#trouble !== null
          ? `history is delayed by ${Math.round(delayS)} s${this.#trouble === null ? "" : `: ${this.#trouble}`}; live values go on`
          : null,
      figures: { lagMessages: lag, delayS, rowsPerS },
    };
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    this.#reader?.stop();
    await this.#running.catch(() => {});
  }
}

const batchOf = (messages: readonly Message[]): Batch => ({
  messages,
  rows: messages.reduce((sum, message) => sum + message.rows, 0),
  bytes: messages.reduce((sum, message) => sum + message.body.length, 0),
});

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(bytes).toString("utf8"));
    return true;
  } catch {
    return false;
  }
}
