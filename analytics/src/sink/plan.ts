import { Kvm, type KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { z } from "zod";

/** KV bucket of the sinks' plans; key: stream. */
const BUCKET = "sink";

/**
 * What is being stored: the messages first–last of a stream. Written before the insert, so that whoever comes after a crash
 * stores exactly the same batch under the same token, which the store recognises. The next plan says that this one is done: one
 * whose `first` is behind its `last` is of nothing, and was written because the stream is quiet.
 */
const planSchema = z.object({
  /** When the stream was created: a stream that was made anew counts from 1 again, and its batches are others. */
  created: z.string(),
  first: z.int(),
  last: z.int(),
  /** Tables of this batch that are stored in parts because the store refused a row: their whole batch must not be tried again. */
  split: z.array(z.string()),
});
export type Plan = z.infer<typeof planSchema>;

/** Another sink has gone on from here. */
export class PlanTaken extends Error {}

export class PlanBook {
  readonly #kv: KV;
  readonly #key: string;
  #revision = 0;

  private constructor(kv: KV, key: string) {
    this.#kv = kv;
    this.#key = key;
  }

  static async open(nc: NatsConnection, key: string, replicas: number): Promise<PlanBook> {
    return new PlanBook(await new Kvm(nc).create(BUCKET, { history: 1, replicas }), key);
  }

  get revision(): number {
    return this.#revision;
  }

  /** The latest plan, or null; later writes build on this one. */
  async read(): Promise<Plan | null> {
    const entry = await this.#kv.get(this.#key);
    this.#revision = entry?.revision ?? 0;
    return entry === null || entry.length === 0 ? null : planSchema.parse(entry.json());
  }

  /** Throws PlanTaken when another has written since. */
  async write(plan: Plan): Promise<void> {
    const data = JSON.stringify(plan);
    try {
      this.#revision =
        this.#revision === 0
          ? await this.#kv.create(this.#key, data)
          : await this.#kv.update(this.#key, data, this.#revision);
    } catch (error) {
      if (error instanceof Error && /wrong last sequence|key exists/i.test(error.message))
        throw new PlanTaken(`another sink has gone on with ${this.#key}`, { cause: error });
      throw error;
    }
  }

  /** Throws PlanTaken when another has written since. */
  async check(): Promise<void> {
    const entry = await this.#kv.get(this.#key);
    if ((entry?.revision ?? 0) !== this.#revision)
      throw new PlanTaken(`another sink has gone on with ${this.#key}`);
  }
}
