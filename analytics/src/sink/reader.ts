import {
  AckPolicy,
  DeliverPolicy,
  jetstream,
  jetstreamManager,
  type Consumer,
  type JsMsg,
} from "@nats-io/jetstream";
import { nanos, type NatsConnection } from "@nats-io/transport-node";

/** Messages in memory: one request's worth. While the store is away nothing more is asked for; the log keeps it. */
const MESSAGES_AHEAD = 1024;
/** … and about so many bytes: packs of a fast chat are megabytes. A request is sized by the packs that came lately. */
const BYTES_AHEAD = 64_000_000;
const REQUEST_MS = 5000;

/**
 * A stream's messages in order from a sequence on, none missing and none twice. Nothing is acknowledged: where to begin is in the plan.
 * `fill` runs until stopped; a lost connection or consumer makes it begin again behind the last message it gave.
 */
export class Reader {
  readonly #nc: NatsConnection;
  readonly #stream: string;
  readonly #filters: string[];
  readonly #queue: JsMsg[] = [];
  #next: number;
  #bytes = 0;
  #meanBytes = 0;
  #wake: (() => void) | null = null;
  #room: (() => void) | null = null;
  #stopped = false;
  #consumerName: string | null = null;
  /** Messages on the log behind the newest that we hold; null before the log has said so. */
  pending: number | null = null;

  constructor(nc: NatsConnection, stream: string, filters: readonly string[], from: number) {
    this.#nc = nc;
    this.#stream = stream;
    this.#filters = [...filters];
    this.#next = from;
  }

  /** The sequence from which more is asked for. */
  get next(): number {
    return this.#next;
  }
  get held(): number {
    return this.#queue.length;
  }
  get head(): JsMsg | undefined {
    return this.#queue[0];
  }

  take(): JsMsg | undefined {
    const message = this.#queue.shift();
    this.#bytes -= message?.data.length ?? 0;
    if (!this.#full) this.#room?.();
    return message;
  }

  get #full(): boolean {
    return this.#queue.length >= MESSAGES_AHEAD || this.#bytes >= BYTES_AHEAD;
  }

  /** Resolves when there is a message, after `ms`, or when stopped. */
  async arrival(ms: number): Promise<void> {
    if (this.#queue.length > 0 || this.#stopped || ms <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }

  /** Asks the log how many messages lie behind the newest that we hold. */
  async measure(): Promise<void> {
    if (this.#consumerName === null) return;
    const jsm = await jetstreamManager(this.#nc);
    this.pending = (await jsm.consumers.info(this.#stream, this.#consumerName)).num_pending;
  }

  async fill(onTrouble: (error: unknown) => void): Promise<void> {
    while (!this.#stopped) {
      try {
        const consumer = await this.#consumer();
        await this.#pump(consumer);
      } catch (error) {
        if (this.#stopped) return;
        onTrouble(error);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  }

  async #consumer(): Promise<Consumer> {
    const jsm = await jetstreamManager(this.#nc);
    const info = await jsm.consumers.add(this.#stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: Math.max(1, this.#next),
      filter_subjects: this.#filters,
      inactive_threshold: nanos(600_000),
      mem_storage: true,
      num_replicas: 1,
    });
    this.#consumerName = info.name;
    this.pending = info.num_pending;
    return jetstream(this.#nc).consumers.get(this.#stream, info.name);
  }

  async #pump(consumer: Consumer): Promise<void> {
    let delivered = 0;
    while (!this.#stopped) {
      if (this.#full) {
        await new Promise<void>((resolve) => (this.#room = resolve));
        this.#room = null;
        continue;
      }
      const messages = await consumer.fetch({
        max_messages: Math.max(1, Math.min(MESSAGES_AHEAD, Math.floor(BYTES_AHEAD / (this.#meanBytes + 1)))),
        expires: REQUEST_MS,
        idle_heartbeat: 1000,
      });
      for await (const message of messages) {
        const { deliverySequence, streamSequence, pending } = message.info;
        // Delivered into a connection that was just lost: ask again from where we are.
        if (deliverySequence !== delivered + 1) throw new Error(`missed messages before ${streamSequence}`);
        delivered = deliverySequence;
        this.#next = streamSequence + 1;
        this.pending = pending;
        this.#queue.push(message);
        this.#bytes += message.data.length;
        this.#meanBytes += (message.data.length - this.#meanBytes) / 64;
        this.#wake?.();
        if (this.#stopped) return;
      }
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
    this.#room?.();
  }
}
