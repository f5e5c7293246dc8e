import type { ChatBurst } from "@hypecast/contracts/burst.ts";
import type { Problem } from "@hypecast/contracts/api.ts";
import { STREAM_EVENTS } from "./events.ts";
import type { Vod } from "@hypecast/contracts/vod.ts";
import { ask, problemOf } from "../live/api.ts";
import { StreamBins } from "../live/series.ts";
import { VideoFeed } from "../video/feed.svelte.ts";
import { getStream, isStreamId } from "./api.ts";
import { followRecord, newer } from "./records.ts";

const BIN_MS = 10_000;
/** A hundred hours, the longest stream that is imported. */
const MOST_BINS = 36_000;
/** Most columns of one answer. */
const COLUMNS = 2000;
const BURSTS = 1000;
const MOMENTS = 500;
const SHOTS = 5000;
/** While it is imported, what is there is asked for again so often. */
const GROWS_MS = 4000;

/** Picture, sound and moments of a stream whose span is known. */
class PassedVideo extends VideoFeed {
  startMs = 0;
  endMs = 0;

  override async load(): Promise<void> {
    const { login, startMs: from, endMs: to } = this;
    try {
      const query = { from, to };
      const [moments, shots, sound, video] = await Promise.all([
        ask("GET", "/api/v1/channels/{login}/moments", { login, query: { ...query, limit: MOMENTS } }),
        ask("GET", "/api/v1/channels/{login}/shots", { login, query: { ...query, limit: SHOTS } }),
        ask("GET", "/api/v1/channels/{login}/audio", { login, query: { ...query, columns: 1500 } }),
        ask("GET", "/api/v1/channels/{login}/video", { login }),
      ]);
      this.takeMoments(moments.moments);
      this.lag = moments.lag;
      this.takeShots(shots.shots);
      this.takeAudio(sound);
      this.state = video.video;
      this.loaded = true;
      this.problem = null;
    } catch (error) {
      this.problem = problemOf(error);
    }
  }
}

/**
 * A stream that one looks at as a whole: an imported one by its id, or what is kept of a watched channel by its login. What a
 * timeline draws stands under the same names as in a live feed.
 */
export class OpenStream {
  /** Null: not known yet, or a watched channel. */
  record = $state.raw<Vod | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** The connection over which an import reports is cut. */
  lost = $state(false);
  /** Event time of its first second and of its last. Null: not known yet. */
  startMs = $state<number | null>(null);
  endMs = $state<number | null>(null);
  /** What a watched channel's times are counted from, where that is not the first second that is kept. */
  zeroMs = $state<number | null>(null);
  bins = new StreamBins(BIN_MS, MOST_BINS);
  bursts = $state.raw<readonly ChatBurst[]>([]);
  /** Moves when the timeline may have changed. */
  nowMs = $state(0);
  /** Everything that the store has of it has come once. */
  loaded = $state(false);
  /** Why the store did not answer. */
  historyProblem = $state.raw<Problem | null>(null);
  readonly video: VideoFeed;

  readonly lengthS = $derived(
    this.startMs === null || this.endMs === null ? null : (this.endMs - this.startMs) / 1000,
  );
  /** Nothing can be asked of an import before its first run has begun. */
  readonly askable = $derived.by<boolean>(
    () =>
      !isStreamId(this.login) ||
      (this.record !== null &&
        (this.record.channelId ?? this.record.making) !== null &&
        this.endMs !== null &&
        this.endMs > this.record.startMs),
  );
  readonly processing = $derived(this.record?.status === "processing");
  /** Null: not known yet. */
  readonly hasPicture = $derived.by<boolean | null>(() => {
    if (isStreamId(this.login)) return this.record === null ? null : this.record.video !== null;
    return this.video.loaded ? this.video.kept !== null : null;
  });

  readonly #passed: PassedVideo;
  #run: string | null = null;
  #loading = false;

  constructor(readonly login: string) {
    this.#passed = new PassedVideo(login);
    this.video = this.#passed;
  }

  /** Loads it, and as long as it is being imported follows that. Returns the end. */
  follow(): () => void {
    let ended = false;
    let stopEvents: (() => void) | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const grow = (): void => {
      timer = setTimeout(() => {
        if (document.visibilityState === "visible") void this.load();
        if (!ended && this.processing) grow();
      }, GROWS_MS);
    };
    const begin = async (): Promise<void> => {
      try {
        await this.#open();
        this.problem = null;
      } catch (error) {
        this.problem = problemOf(error);
        // What is not there will not come; a server that is away returns.
        if (!ended && this.problem.status !== 404) timer = setTimeout(() => void begin(), GROWS_MS);
        return;
      }
      if (ended) return;
      void this.load();
      if (!this.processing) return;
      grow();
      stopEvents = followRecord<Vod>(STREAM_EVENTS(this.login), {
        take: (record) => this.take(record),
        done: (record) => record.status !== "processing",
        lost: (lost) => (this.lost = lost),
        gone: () => this.gone(),
      });
    };
    void begin();
    return () => {
      ended = true;
      clearTimeout(timer);
      stopEvents?.();
    };
  }

  /** It was deleted while one looked at it. */
  gone(): void {
    this.problem = { type: "/problems/stream_not_found", title: "gone", status: 404, detail: "deleted" };
  }

  async #open(): Promise<void> {
    if (isStreamId(this.login)) {
      this.take(await getStream(this.login));
      return;
    }
    const { firstMs, lastMs } = await ask("GET", "/api/v1/channels/{login}/extent", { login: this.login });
    this.startMs = firstMs;
    this.endMs = lastMs;
  }

  take(record: Vod): void {
    const was = this.record;
    const now = newer(was, record);
    this.record = now;
    this.startMs = now.startMs;
    this.endMs = now.startMs + (now.durationS ?? now.searchableS) * 1000;
    if (was?.status === "processing" && now.status !== "processing") void this.load();
  }

  /** A moment of the stream as its offset. */
  offsetS(atMs: number): number {
    return (atMs - (this.zeroMs ?? this.startMs ?? atMs)) / 1000;
  }

  async load(): Promise<void> {
    const { login, startMs, endMs } = this;
    if (startMs === null || endMs === null || this.#loading || !this.askable) return;
    const run = this.record?.channelId ?? this.record?.making ?? login;
    this.#loading = true;
    this.#passed.startMs = startMs;
    this.#passed.endMs = endMs;
    try {
      if (this.#run !== run) {
        const bins = new StreamBins(BIN_MS, MOST_BINS);
        // Whoever draws looks at this number alone.
        bins.revision = this.bins.revision + 1;
        this.bins = bins;
        this.#run = run;
      }
      const from = Math.floor(startMs / BIN_MS) * BIN_MS;
      const to = Math.ceil(endMs / BIN_MS) * BIN_MS;
      const [bursts] = await Promise.all([
        ask("GET", "/api/v1/channels/{login}/bursts", { login, query: { from, to, limit: BURSTS } }),
        this.#loadHeat(from, to),
        this.#passed.load(),
      ]);
      this.bursts = bursts.bursts;
      this.loaded = true;
      this.historyProblem = null;
    } catch (error) {
      this.historyProblem = problemOf(error);
    } finally {
      this.#loading = false;
      this.nowMs += 1;
    }
  }

  async #loadHeat(from: number, to: number): Promise<void> {
    for (let at = from; at < to; at += COLUMNS * BIN_MS) {
      const until = Math.min(to, at + COLUMNS * BIN_MS);
      const columns = Math.max(1, (until - at) / BIN_MS);
      const answer = await ask("GET", "/api/v1/channels/{login}/heatmap", {
        login: this.login,
        query: { from: at, to: until, columns },
      });
      for (const { startMs, messagesPerMin, hype, mood } of answer.columns)
        this.bins.put(startMs, answer.stepMs, { rate: messagesPerMin, hype, mood });
    }
  }
}
