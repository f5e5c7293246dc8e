import type { z } from "zod";
import type { ChatBurst } from "@hypecast/contracts/burst.ts";
import type { Problem } from "@hypecast/contracts/api.ts";
import type { ForecastOutcome, HypeForecast, HypeValue } from "@hypecast/contracts/hype.ts";
import type { LiveTick } from "@hypecast/contracts/live.ts";
import type { ChatColumn, LiveEvent } from "@hypecast/contracts/push.ts";
import type { extent, forecastRecord, heatmap } from "@hypecast/contracts/question.ts";
import { ask, problemOf } from "./api.ts";
import { HiddenMinute, withColumn, type ChatRow, type Hidden } from "./chat.ts";
import { SecondRing, StreamBins, trailingMinute } from "./series.ts";
import type { LiveSocket } from "./socket.ts";

type Heatmap = z.infer<typeof heatmap.answer>;
/** Events that are not about chat. */
export type SeenEvent = Exclude<
  LiveEvent,
  { kind: "window" | "burst" | "hype" | "forecast" | "outcome" | "gap" }
>;
type Extent = z.infer<typeof extent.answer>;
export type Record10 = z.infer<typeof forecastRecord.answer>;

/** Text changes at most so often; a faster number cannot be read. */
const TEXT_MS = 250;
const BIN_MS = 10_000;
const HOUR_MS = 3_600_000;
/** Longest stream that the heatmap shows. */
const LONGEST_MS = 12 * HOUR_MS;
/** The store's final values fill in behind the live edge so often. */
const REFILL_MS = 15_000;
const RECORD_MS = 30_000;
/** What the store does not know about so late is unmeasured; later than that it may only be on its way. */
const NOT_YET_MS = 40_000;
const BURSTS = 200;
/** Quarter seconds of chat that wait while the column is paused: what is older is only counted. */
const PAUSED_COLUMNS = 240;

/**
 * One channel's live data. What changes many times a second lies in rings that the charts read when they draw; what is text is
 * copied to reactive fields four times a second; lists are replaced whole. Knows nothing of the DOM.
 */
export class LiveFeed {
  readonly seconds = new SecondRing(900);
  readonly bins = new StreamBins(BIN_MS, LONGEST_MS / BIN_MS);
  /** What was said a minute before each second (messages per minute). */
  readonly said = new SecondRing(900);
  /** The newest tick, unthrottled. */
  latest: LiveTick | null = null;
  latestAtMs = 0;
  /** Counts ticks, so that a chart knows whether to draw again. */
  revision = 0;

  tick = $state.raw<LiveTick | null>(null);
  nowMs = $state(0);
  bursts = $state.raw<readonly ChatBurst[]>([]);
  calls = $state.raw<readonly ForecastOutcome[]>([]);
  record = $state.raw<Record10 | null>(null);
  extent = $state.raw<Extent | null>(null);
  chat = $state.raw<readonly ChatRow[]>([]);
  hidden = $state.raw<Hidden>({ shown: 0, tooFast: 0, repeats: 0, bots: 0 });
  paused = $state(false);
  /** Rows that came while paused. */
  waiting = $state(0);
  /** Why the past cannot be shown; live goes on. */
  historyProblem = $state.raw<Problem | null>(null);
  historyLoaded = $state(false);
  refusal = $state.raw<{ code: string; detail: string } | null>(null);
  /** What picture, sound and people say: the video feed takes it. One listener, since a topic has one. */
  seen: ((event: SeenEvent) => void) | null = null;
  /** The events begin anew: what was said in between must be asked for. */
  begun: (() => void) | null = null;

  readonly #clock: () => number;
  readonly #hiddenMinute = new HiddenMinute();
  #columns: ChatColumn[] = [];
  #eventOffsetMs = Number.NEGATIVE_INFINITY;
  #offsetAtMs = 0;
  #lastSaid: { second: number; value: number } | null = null;
  #pipelineMs = 0;
  #shownTick: LiveTick | null = null;
  #stops: (() => void)[] = [];

  constructor(
    readonly login: string,
    clock: () => number = Date.now,
  ) {
    this.#clock = clock;
    this.nowMs = clock();
  }

  /** Subscribes, loads the past, and keeps both going until the returned function is called. */
  follow(socket: LiveSocket): () => void {
    const refused = (code: string, detail: string): void => {
      this.refusal = { code, detail };
    };
    this.#stops = [
      socket.subscribe(`live:${this.login}`, {
        message: ({ d, t }) => this.takeTick(d as LiveTick, t),
        refused,
      }),
      socket.subscribe(`events:${this.login}`, {
        message: ({ d, snap }) => {
          if (Array.isArray(d)) for (const event of d as LiveEvent[]) this.takeEvent(event);
          else this.takeEvent(d as LiveEvent);
          if (snap !== true) return;
          void this.load();
          this.begun?.();
        },
      }),
      socket.subscribe(`chat:${this.login}`, { message: ({ d }) => this.takeChat(d as ChatColumn) }),
    ];
    const text = setInterval(() => this.flush(), TEXT_MS);
    const refill = setInterval(() => void this.load(), REFILL_MS);
    const record = setInterval(() => void this.#loadRecord(), RECORD_MS);
    void this.load();
    void this.#loadRecord();
    // A tab that was away has drawn nothing meanwhile: fill what its rings have missed.
    const seen = (): void => {
      if (document.visibilityState === "visible") void this.load().then(() => this.flush());
    };
    document.addEventListener("visibilitychange", seen);
    this.#stops.push(
      () => clearInterval(text),
      () => clearInterval(refill),
      () => clearInterval(record),
      () => document.removeEventListener("visibilitychange", seen),
    );
    return () => {
      for (const stop of this.#stops) stop();
      this.#stops = [];
    };
  }

  /** Event time as it runs on between ticks, without jumping back when one is a little late. */
  eventNowMs(): number {
    return this.#eventOffsetMs === Number.NEGATIVE_INFINITY
      ? this.#clock()
      : this.#clock() + this.#eventOffsetMs;
  }

  /** Milliseconds since the newest data left Twitch's socket, as far as we know. */
  ageMs(): number {
    return this.latest === null
      ? Number.POSITIVE_INFINITY
      : this.#clock() - this.latestAtMs + this.#pipelineMs;
  }

  takeTick(tick: LiveTick, gatewayMs: number): void {
    const now = this.#clock();
    if (tick.newestReceivedAtMs !== null && tick.newestReceivedAtMs !== this.latest?.newestReceivedAtMs) {
      const through = Math.max(0, gatewayMs - tick.newestReceivedAtMs);
      // Steady enough to read: a tick in silence repeats an old line and says nothing of the pipeline.
      if (through < 5000) this.#pipelineMs = this.#pipelineMs * 0.8 + through * 0.2;
    }
    this.latest = tick;
    this.latestAtMs = now;
    const offset = tick.atMs - now;
    if (offset > this.#eventOffsetMs || now - this.#offsetAtMs > 10_000) {
      this.#eventOffsetMs = offset;
      this.#offsetAtMs = now;
    }
    if (!tick.gap)
      this.seconds.put(Math.floor(tick.atMs / 1000), tick.messagesPerMin, tick.value ?? Number.NaN);
    if (tick.forecast !== null) this.#takeForecast(tick.forecast);
    this.revision += 1;
    if (this.tick === null) this.flush();
  }

  takeEvent(event: LiveEvent): void {
    switch (event.kind) {
      case "window":
        if (event.window.sizeS === BIN_MS / 1000) {
          const { startMs, messages, gapS, sizeS } = event.window;
          const heard = sizeS - gapS;
          this.bins.put(startMs, BIN_MS, { rate: heard < 1 ? null : (messages / heard) * 60 });
        }
        break;
      case "hype":
        this.bins.putHype(event.hype.atMs, event.hype.value ?? Number.NaN);
        this.#takeHype(event.hype);
        break;
      case "burst":
        this.takeBursts([event.burst]);
        break;
      case "forecast":
        this.#takeForecast(event.forecast);
        break;
      case "outcome":
        if (event.outcome.kind === "rate1")
          this.calls = [...this.calls.filter(({ id }) => id !== event.outcome.id), event.outcome].slice(-10);
        break;
      case "gap":
        this.bins.put(event.fromMs, event.toMs - event.fromMs, { rate: null });
        break;
      default:
        this.seen?.(event);
    }
  }

  takeBursts(bursts: readonly ChatBurst[]): void {
    const byId = new Map(this.bursts.map((burst) => [burst.id, burst]));
    for (const burst of bursts) {
      const known = byId.get(burst.id);
      // The closing word about a burst is final; an older one of it may come after.
      if (known === undefined || known.open || !burst.open) byId.set(burst.id, burst);
    }
    this.bursts = [...byId.values()].sort((a, b) => b.startMs - a.startMs).slice(0, BURSTS);
  }

  takeChat(column: ChatColumn): void {
    this.#hiddenMinute.add(this.#clock(), column);
    this.#columns.push(column);
    if (this.#columns.length > PAUSED_COLUMNS) this.#columns.shift();
  }

  /** The heatmap of the whole stream. */
  takeStream(answer: Heatmap): void {
    const notYetMs = this.eventNowMs() - NOT_YET_MS;
    for (const column of answer.columns) {
      // The newest seconds are not final yet, which is no gap.
      if (column.messagesPerMin === null && column.gapS === 0 && column.startMs > notYetMs) continue;
      this.bins.put(column.startMs, answer.stepMs, {
        rate: column.messagesPerMin,
        hype: column.hype,
        mood: column.mood,
      });
    }
  }

  /** The last minutes at one column a second: the trailing minute of each, as the live ticks count it. */
  takeMinutes(answer: Heatmap): void {
    if (answer.stepMs !== 1000) return;
    const perSecond = answer.columns.map(({ messagesPerMin }) =>
      messagesPerMin === null ? Number.NaN : messagesPerMin / 60,
    );
    let hype = Number.NaN;
    for (const [i, column] of answer.columns.entries()) {
      hype = column.hype ?? (column.messagesPerMin === null ? Number.NaN : hype);
      const second = Math.floor(column.startMs / 1000);
      // Ticks know the present better than the store.
      if (i < 59 || !Number.isNaN(this.seconds.rate(second))) continue;
      const rate = trailingMinute(perSecond, i);
      if (!Number.isNaN(rate)) this.seconds.put(second, rate, hype);
    }
    this.revision += 1;
  }

  /** Final values come every five seconds: they fill what no tick told this page. */
  #takeHype({ atMs, messagesPerMin, value }: HypeValue): void {
    const last = Math.floor(atMs / 1000);
    for (let second = last - 4; second <= last; second++)
      if (Number.isNaN(this.seconds.rate(second)))
        this.seconds.put(second, messagesPerMin, value ?? Number.NaN);
  }

  #takeForecast(forecast: HypeForecast): void {
    const next = forecast.horizons?.find(({ minutes }) => minutes === 1);
    if (next === undefined) return;
    const second = Math.floor(forecast.atMs / 1000) + 60;
    const before = this.#lastSaid;
    const steps =
      before === null || second - before.second > 15 || second <= before.second ? 0 : second - before.second;
    for (let i = 1; i < steps; i++)
      this.said.put(
        (before?.second ?? 0) + i,
        (before?.value ?? 0) + ((next.p50 - (before?.value ?? 0)) * i) / steps,
        Number.NaN,
      );
    this.said.put(second, next.p50, Number.NaN);
    this.#lastSaid = { second, value: next.p50 };
  }

  /** Copies to what the eye reads. Called four times a second; free when the tab is hidden. */
  flush(): void {
    if (typeof document !== "undefined" && document.visibilityState === "hidden") return;
    this.nowMs = this.#clock();
    if (this.latest !== this.#shownTick) {
      this.tick = this.latest;
      this.#shownTick = this.latest;
    }
    this.hidden = this.#hiddenMinute.sum(this.nowMs);
    if (this.paused) {
      this.waiting = this.#columns.reduce(
        (sum, { lines, notices }) => sum + lines.length + notices.length,
        0,
      );
      // What moderators remove disappears at once, paused or not.
      const moderation = this.#columns.flatMap((column) => column.moderation);
      if (moderation.length > 0)
        this.chat = withColumn(this.chat, {
          lines: [],
          notices: [],
          moderation,
          hidden: { tooFast: 0, repeats: 0, bots: 0 },
        });
      return;
    }
    this.waiting = 0;
    if (this.#columns.length === 0) return;
    let rows: readonly ChatRow[] = this.chat;
    for (const column of this.#columns) rows = withColumn(rows, column);
    this.#columns = [];
    this.chat = rows;
  }

  /** What the store knows: the stream so far, the last minutes in seconds, the bursts. Live goes on without it. */
  async load(): Promise<void> {
    const { login } = this;
    const nowMs = this.eventNowMs();
    try {
      this.extent ??= await ask("GET", "/api/v1/channels/{login}/extent", { login });
      const known = this.historyLoaded ? (this.bins.endMs ?? nowMs) - 90_000 : 0;
      const from = Math.max(this.extent.firstMs ?? nowMs - 60_000, nowMs - LONGEST_MS, known);
      const start = Math.floor(from / BIN_MS) * BIN_MS;
      const end = Math.ceil(nowMs / BIN_MS) * BIN_MS;
      const fine = Math.floor(nowMs / 1000) * 1000;
      const [stream, minutes, bursts, forecasts] = await Promise.all([
        ask("GET", "/api/v1/channels/{login}/heatmap", {
          login,
          query: { from: start, to: end, columns: Math.min(1000, Math.max(1, (end - start) / BIN_MS)) },
        }),
        ask("GET", "/api/v1/channels/{login}/heatmap", {
          login,
          query: { from: fine - 360_000, to: fine, columns: 360 },
        }),
        ask("GET", "/api/v1/channels/{login}/bursts", {
          login,
          query: { from: start, to: end, limit: BURSTS },
        }),
        this.historyLoaded
          ? { forecasts: [] }
          : ask("GET", "/api/v1/channels/{login}/forecasts", {
              login,
              query: { from: fine - 420_000, to: fine, limit: 100 },
            }),
      ]);
      this.takeStream(stream);
      this.takeMinutes(minutes);
      this.takeBursts(bursts.bursts);
      for (const forecast of forecasts.forecasts.toSorted((a, b) => a.atMs - b.atMs))
        this.#takeForecast(forecast);
      this.historyLoaded = true;
      this.historyProblem = null;
      // An empty channel: ask again next time where its first minute is.
      if (this.extent.firstMs === null) this.extent = null;
    } catch (error) {
      this.historyProblem = problemOf(error);
    }
  }

  async #loadRecord(): Promise<void> {
    try {
      this.record = await ask("GET", "/api/v1/channels/{login}/forecast-record", {
        login: this.login,
        query: { limit: 10 },
      });
      this.calls = this.record.calls;
    } catch {
      // Said by historyProblem already: the same store answers both.
    }
  }
}
