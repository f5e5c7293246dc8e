import type { Logger } from "@hypecast/runtime/log.ts";
import { counter, gauge } from "@hypecast/runtime/metrics.ts";
import type { Health } from "@hypecast/runtime/report.ts";
import { storeErrorText, type Store } from "../../store.ts";
import { EmbedFailure, type Embedder } from "../embed/embedder.ts";
import { embedMissing } from "./embed-missing.ts";
import { withPresent, type EmbedSpec, type ModelsBook, type ModelsRecord } from "./models.ts";
import type { Within } from "../search/scope.ts";
import { nearest, type Near } from "./nearest.ts";
import {
  coverageOf,
  forgetModel,
  forgetOrphans,
  modelsInStore,
  type Coverage,
  type Look,
  type Passage,
} from "./vectors.ts";

/** How often the store is asked for chunks that have just come. */
const FRESH_EVERY_MS = 500;
/** Chunks younger than this are looked through each time; older ones that were missed are found by counting. */
const FRESH_S = 60;
const COUNT_EVERY_MS = 10_000;
/** Passages of one look at the store: bounds what is held in memory. */
const AT_ONCE = 2000;
/** While whole channels are gone through, fresh chunks of others wait so long at most. */
const FRESH_MEANWHILE_MS = 2000;
/** After a large import a look takes long: so many times as long passes before the next. */
const REST = 4;
/** The lease of whoever embeds is renewed so often; one that stood still for four times as long is taken over. */
const RENEW_MS = 2000;
const TAKEN_OVER_MS = 8000;
/** A search says how much of its scope has vectors: counted anew after so long. */
const COUNTED_FOR_MS = 10_000;
const MOST_COUNTED = 500;
const BACKOFF_MS = { least: 1000, most: 60_000 } as const;
/** After a change of models the vectors of others stay for so long: another process may still be answering from them. */
const OTHERS_STAY_MS = 60_000;

const embeddedTotal = counter("oracle_embedded_total", "Chunks that got a vector.", ["from"]);
const failuresTotal = counter("oracle_embed_failures_total", "Batches that got no vectors.");
const waitingGauge = gauge("oracle_without_vector", "Chunks without a vector of the present model.");
const tokensTotal = counter("oracle_embed_tokens_total", "Tokens that the embedding endpoint has counted.");

export interface IndexParts {
  readonly store: Store;
  readonly book: ModelsBook;
  readonly log: Logger;
  readonly instance: string;
  readonly present: { readonly spec: EmbedSpec; readonly embedder: Embedder };
  /** The embedder that an earlier run was set to; null: it cannot be opened any more. */
  readonly openBefore: (spec: EmbedSpec) => Promise<Embedder | null>;
  readonly now?: () => number;
}

/**
 * Keeps a vector of every chunk, and finds the chunks nearest to a text. One of several processes embeds, all answer. After a change of the model
 * everything is embedded again while the model before answers, until the present one has all.
 */
export class ChunkIndex {
  readonly #parts: IndexParts;
  readonly #now: () => number;
  readonly #stopped = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #renewing: NodeJS.Timeout | undefined;
  #record: ModelsRecord;
  #before: Embedder | null = null;
  #holds = false;
  #leaseSeen = { revision: -1, sinceMs: 0 };
  #heldAtMs = Number.NEGATIVE_INFINITY;
  #freshAtMs = Number.NEGATIVE_INFINITY;
  #lookTookMs = 0;
  #trouble: string | null = null;
  #failures = 0;
  #notBeforeMs = 0;
  #coverage: Coverage[] = [];
  #countedAtMs = Number.NEGATIVE_INFINITY;
  /** Channels whose chunks are compared with their vectors one by one; at the start all are. */
  #toCompare = new Set<string>();
  #comparedOnce = new Set<string>();
  /** Totals of scopes that were asked for lately. */
  readonly #counted = new Map<string, { atMs: number; totals: Totals }>();
  #estimated = "";
  #embedded = 0;
  #spentBefore = { texts: 0, tokens: 0, usd: 0 };

  private constructor(parts: IndexParts, record: ModelsRecord) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
    this.#record = record;
  }

  static async open(parts: IndexParts): Promise<ChunkIndex> {
    const nowMs = (parts.now ?? Date.now)();
    const record = await parts.book.change((known) => withPresent(known, parts.present.spec, nowMs));
    const index = new ChunkIndex(parts, record);
    await index.#openBefore();
    return index;
  }

  /** Begins to embed, once the store has its tables. */
  start(): void {
    // Also while an endpoint takes its time: nobody else is to pay for the same texts.
    this.#renewing = setInterval(() => {
      if (this.#holds) void this.#hold().catch(() => {});
    }, RENEW_MS / 2);
    this.#running = this.#run().catch((error: unknown) => {
      if (!this.#stopped.signal.aborted) throw error;
    });
  }

  /** Whose vectors answer now. */
  get model(): string {
    return this.#answering().model;
  }

  /** The `k` chunks nearest to a text. Rejects with an EmbedFailure when the text gets no vector. */
  async nearest(text: string, within: Within, k: number, signal?: AbortSignal): Promise<Near[]> {
    const embedder = this.#answering();
    const [vector] = await embedder.embed([text], "query", signal);
    if (vector === undefined) return [];
    return nearest(this.#parts.store, embedder.model, vector, within, k, signal);
  }

  /** How many chunks the channels have, and how many of them the answering model has no vector of. */
  async coverage(channelIds: readonly string[] | null, signal: AbortSignal): Promise<Totals> {
    const key = `${this.model} ${channelIds === null ? "*" : channelIds.join(" ")}`;
    const known = this.#counted.get(key);
    if (known !== undefined && this.#now() - known.atMs < COUNTED_FOR_MS) return known.totals;
    const counted = totals(await coverageOf(this.#parts.store, this.model, channelIds, signal));
    if (this.#counted.size >= MOST_COUNTED) this.#counted.clear();
    this.#counted.set(key, { atMs: this.#now(), totals: counted });
    return counted;
  }

  #answering(): Embedder {
    return this.#before ?? this.#parts.present.embedder;
  }

  async #openBefore(): Promise<void> {
    const { before } = this.#record;
    if (this.#before?.model === before?.model) return;
    await this.#before?.close();
    this.#before = null;
    if (before === null) return;
    this.#before = await this.#parts.openBefore(before).catch((error: unknown) => {
      this.#parts.log.warn(
        { model: before.model, error: storeErrorText(error) },
        "the model before cannot be opened: the present one answers with what it has",
      );
      return null;
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      let worked = false;
      try {
        await this.#hold();
        worked = this.#holds && this.#now() >= this.#notBeforeMs ? await this.#work() : false;
        if (this.#now() >= this.#notBeforeMs) this.#trouble = null;
      } catch (error) {
        if (signal.aborted) return;
        this.#stumble(error);
      }
      if (!worked) await pause(FRESH_EVERY_MS, signal);
    }
  }

  /** Waits longer each time; what a person must mend is tried at the longest pace. */
  #stumble(error: unknown): void {
    failuresTotal.inc();
    this.#failures++;
    const again = !(error instanceof EmbedFailure) || error.retry;
    const ms = again
      ? Math.min(BACKOFF_MS.most, BACKOFF_MS.least * 2 ** (this.#failures - 1))
      : BACKOFF_MS.most;
    this.#notBeforeMs = this.#now() + ms;
    this.#trouble = storeErrorText(error);
    this.#parts.log.warn({ error: this.#trouble, againInMs: ms }, "chunks get no vectors");
  }

  async #hold(): Promise<void> {
    const { book, instance, present } = this.#parts;
    const nowMs = this.#now();
    if (nowMs - this.#heldAtMs < RENEW_MS) return;
    this.#heldAtMs = nowMs;
    const stoodStill = nowMs - this.#leaseSeen.sinceMs >= TAKEN_OVER_MS;
    const { mine, revision } = await book.hold(instance, stoodStill ? this.#leaseSeen.revision : null);
    if (revision !== this.#leaseSeen.revision) this.#leaseSeen = { revision, sinceMs: nowMs };
    if (mine && !this.#holds) this.#countedAtMs = Number.NEGATIVE_INFINITY;
    this.#holds = mine;
    const record = await book.read();
    // A process with other settings began later: it embeds for its model, and this one goes on answering from whichever is whole.
    if (record !== null && record.present.model === present.spec.model) {
      this.#record = record;
      await this.#openBefore();
    }
  }

  /** One round. True: there was something to do, and may be more. */
  async #work(): Promise<boolean> {
    const { present } = this.#parts;
    let worked = false;
    const restMs = Math.max(this.#toCompare.size === 0 ? 0 : FRESH_MEANWHILE_MS, this.#lookTookMs * REST);
    if (this.#now() - this.#freshAtMs >= restMs) {
      const look = { sinceS: Math.floor(this.#now() / 1000) - FRESH_S };
      const began = performance.now();
      worked = await this.#embedMissing(present.embedder, look);
      // What it took to embed is no reason to rest.
      this.#lookTookMs = worked ? 0 : performance.now() - began;
      if (this.#before !== null) await this.#embedMissing(this.#before, look);
      this.#freshAtMs = this.#now();
    }
    if (this.#now() - this.#countedAtMs >= COUNT_EVERY_MS) await this.#count();
    const [channelId] = this.#toCompare;
    if (channelId !== undefined) {
      worked = true;
      if (!(await this.#embedMissing(present.embedder, { channelId }))) {
        this.#toCompare.delete(channelId);
        this.#comparedOnce.add(channelId);
        if (this.#toCompare.size === 0) this.#countedAtMs = Number.NEGATIVE_INFINITY;
      }
    }
    this.#failures = 0;
    return worked;
  }

  async #count(): Promise<void> {
    const { store, book, present, log } = this.#parts;
    const { signal } = this.#stopped;
    this.#coverage = await coverageOf(store, present.embedder.model, null, signal);
    this.#countedAtMs = this.#now();
    for (const { channelId, chunks, embedded } of this.#coverage)
      if (chunks > 0 && (embedded < chunks || !this.#comparedOnce.has(channelId)))
        this.#toCompare.add(channelId);
    await forgetOrphans(
      store,
      this.#coverage.filter(({ chunks }) => chunks === 0).map(({ channelId }) => channelId),
    );
    const { chunks, withoutVector } = totals(this.#coverage);
    waitingGauge.set(withoutVector);
    await this.#writeSpent();
    if (withoutVector > 0 || this.#toCompare.size > 0) return;
    if (this.#record.before !== null) {
      log.info(
        { model: present.spec.model, before: this.#record.before.model, chunks },
        "the present model has all chunks: it answers now",
      );
      this.#record = await book.change((known) => ({ ...known!, before: null, changedAtMs: this.#now() }));
      await this.#openBefore();
    } else if (this.#now() - this.#record.changedAtMs > OTHERS_STAY_MS) {
      for (const model of await modelsInStore(store, signal))
        if (model !== present.embedder.model) await forgetModel(store, model);
    }
  }

  /** Adds what was spent since the last time to the record, so that it outlives the process. */
  async #writeSpent(): Promise<void> {
    const { embedder, spec } = this.#parts.present;
    const { texts, tokens, usd } = embedder.spent;
    const before = this.#spentBefore;
    if (texts === before.texts) return;
    this.#record = await this.#parts.book.change((known) => {
      const sum = known!.spent[spec.model] ?? { texts: 0, tokens: 0, usd: null };
      const more = usd === null ? sum.usd : (sum.usd ?? 0) + usd - before.usd;
      const now = {
        texts: sum.texts + texts - before.texts,
        tokens: sum.tokens + tokens - before.tokens,
        usd: more,
      };
      return { ...known!, spent: { ...known!.spent, [spec.model]: now } };
    });
    tokensTotal.inc(tokens - before.tokens);
    this.#spentBefore = { texts, tokens, usd: usd ?? 0 };
  }

  /** Gives vectors to the chunks of a look that have none. True: there were some. */
  async #embedMissing(embedder: Embedder, look: Look): Promise<boolean> {
    const found = await embedMissing(this.#parts.store, embedder, look, AT_ONCE, this.#stopped.signal, {
      before: (passages) => {
        this.#sayEstimate(embedder, passages);
        // More than one look holds: whole streams are coming in. One channel after the other is read with less work.
        if (passages.length === AT_ONCE) for (const { channelId } of passages) this.#toCompare.add(channelId);
      },
      stored: async (rows, from) => {
        embeddedTotal.inc({ from }, rows);
        this.#embedded += rows;
        await this.#hold();
        return this.#holds;
      },
    });
    return found > 0;
  }

  /** Before the first batch is paid for: what all of them will cost, by what these would. */
  #sayEstimate(embedder: Embedder, passages: readonly Passage[]): void {
    const { withoutVector } = totals(this.#coverage);
    if (this.#estimated === embedder.model) return;
    const these = embedder.estimate(passages.map(({ passage }) => passage));
    if (these.usd === null && these.tokens === 0) return;
    this.#estimated = embedder.model;
    const share = Math.max(withoutVector, passages.length) / passages.length;
    this.#parts.log.info(
      {
        model: embedder.model,
        chunks: Math.round(these.texts * share),
        tokens: Math.round(these.tokens * share),
        usd: these.usd === null ? null : Number((these.usd * share).toFixed(4)),
      },
      "chunks are sent to be embedded; about so much it will cost",
    );
  }

  health(): Health {
    const { chunks, withoutVector } = totals(this.#coverage);
    const usd = this.#record.spent[this.#record.present.model]?.usd ?? null;
    return {
      status: this.#trouble === null ? "ok" : "degraded",
      reason:
        this.#trouble === null
          ? null
          : `${withoutVector} chunks have no vector: ${this.#trouble}; words find them`,
      figures: { chunks, withoutVector, embedded: this.#embedded, ...(usd === null ? {} : { usd }) },
    };
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    clearInterval(this.#renewing);
    await this.#running.catch(() => {});
    if (this.#holds) await this.#parts.book.letGo(this.#parts.instance).catch(() => {});
    await this.#before?.close();
    await this.#parts.present.embedder.close();
  }
}

interface Totals {
  readonly chunks: number;
  readonly withoutVector: number;
}
const totals = (channels: readonly Coverage[]): Totals => ({
  chunks: channels.reduce((sum, { chunks }) => sum + chunks, 0),
  withoutVector: channels.reduce((sum, { chunks, embedded }) => sum + chunks - embedded, 0),
});

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => resolve(clearTimeout(timer)), { once: true });
  });
}
