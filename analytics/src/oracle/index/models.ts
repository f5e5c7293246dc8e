import { Kvm, type KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { z } from "zod";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";

/** KV bucket of what the processes `oracle` tell each other. */
const BUCKET = "oracle";
const MODELS_KEY = "models";
const LEASE_KEY = "indexer";

/** An embedder as the settings named it. No key: that stays in the settings. */
const spec = z.object({ embed: z.string(), name: z.string(), model: z.string() });
export type EmbedSpec = z.infer<typeof spec>;

const spentOn = z.object({ texts: z.number(), tokens: z.number(), usd: z.number().nullable() });
const record = z.object({
  /** By whom everything is to be embedded. */
  present: spec,
  /** Whose vectors answer until the present one's are whole; null: the present one answers. */
  before: spec.nullable(),
  changedAtMs: z.int(),
  /** By model, since it was first used. */
  spent: z.record(z.string(), spentOn),
});
export type ModelsRecord = z.infer<typeof record>;

/**
 * What the record becomes when a process begins with these settings. Whoever answered goes on answering: the model before, or, where that one was
 * never whole, the one before it. Going back to the model that still answers needs nothing.
 */
export function withPresent(known: ModelsRecord | null, present: EmbedSpec, nowMs: number): ModelsRecord {
  if (known === null) return { present, before: null, changedAtMs: nowMs, spent: {} };
  if (known.present.model === present.model) return { ...known, present };
  const answering = known.before ?? known.present;
  return {
    ...known,
    present,
    before: answering.model === present.model ? null : answering,
    changedAtMs: nowMs,
  };
}

/** The record that all processes share, and the lease of the one that embeds. */
export class ModelsBook {
  readonly #nc: NatsConnection;
  readonly #kv: KV;

  private constructor(nc: NatsConnection, kv: KV) {
    this.#nc = nc;
    this.#kv = kv;
  }

  static async open(nc: NatsConnection, replicas: number): Promise<ModelsBook> {
    const kv = await whenTheLogAnswers(nc, () => new Kvm(nc).create(BUCKET, { history: 1, replicas }));
    return new ModelsBook(nc, kv);
  }

  async read(): Promise<ModelsRecord | null> {
    const entry = await whenTheLogAnswers(this.#nc, () => this.#kv.get(MODELS_KEY));
    return entry === null || entry.length === 0 ? null : record.parse(entry.json());
  }

  /** Writes what `change` makes of the record as it is now. */
  async change(change: (known: ModelsRecord | null) => ModelsRecord): Promise<ModelsRecord> {
    for (;;) {
      const entry = await whenTheLogAnswers(this.#nc, () => this.#kv.get(MODELS_KEY));
      const known = entry === null || entry.length === 0 ? null : record.parse(entry.json());
      const after = change(known);
      const data = JSON.stringify(after);
      if (known !== null && data === JSON.stringify(known)) return known;
      if ((await this.#put(MODELS_KEY, data, entry?.revision ?? 0)) !== null) return after;
    }
  }

  /**
   * Says that `instance` still embeds, or takes over: what nobody holds, or what whoever holds it has not renewed since revision `seen`. Resolves to the
   * lease's revision and whether it is ours now.
   */
  async hold(instance: string, seen: number | null): Promise<{ mine: boolean; revision: number }> {
    const entry = await whenTheLogAnswers(this.#nc, () => this.#kv.get(LEASE_KEY));
    const revision = entry?.revision ?? 0;
    const free = entry === null || entry.length === 0 || entry.string() === instance || revision === seen;
    if (!free) return { mine: false, revision };
    const written = await this.#put(LEASE_KEY, instance, revision);
    return written === null ? { mine: false, revision } : { mine: true, revision: written };
  }

  /** Lets another take over at once. */
  async letGo(instance: string): Promise<void> {
    const entry = await this.#kv.get(LEASE_KEY);
    if (entry !== null && entry.string() === instance) await this.#put(LEASE_KEY, "", entry.revision);
  }

  /** The new revision; null: another has written since `revision`. */
  async #put(key: string, data: string, revision: number): Promise<number | null> {
    try {
      return await whenTheLogAnswers(this.#nc, () =>
        revision === 0 ? this.#kv.create(key, data) : this.#kv.update(key, data, revision),
      );
    } catch (error) {
      if (error instanceof Error && /wrong last sequence|key exists/i.test(error.message)) return null;
      throw error;
    }
  }
}
