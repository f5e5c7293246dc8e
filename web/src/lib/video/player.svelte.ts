import type Hls from "hls.js";
import type { ErrorData } from "hls.js";
import { dateAt, secondsAt, type Piece } from "./clock.ts";
import { HLS_OPTIONS, loadHls } from "./hls.ts";
import { keepVolume, readVolume } from "./volume.ts";

/** `idle` nothing to play · `loading` · `playing` · `paused` by a person · `stalled` waits for data · `failed` says why and tries again. */
export type PlayerState = "idle" | "loading" | "playing" | "paused" | "stalled" | "failed";

/** Why nothing plays. `unsupported` and `media` need a person; the others heal by themselves. */
export type Failure = "unreachable" | "gone" | "media" | "unsupported";

const TEXT_MS = 250;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 8000;
/** This near the newest picture that can be played steadily is "at the edge". */
const EDGE_S = 5;
/** At the edge, and yet so far behind it: a stall has passed, the player jumps on. */
const FALLEN_BEHIND_S = 20;
/** A decoder error within so long of the last one is not healed by another try. */
const MEDIA_AGAIN_MS = 5000;

/**
 * Plays one HLS address with the stream's clock. It follows the edge until a person pauses or goes back; then it stays where they
 * are. What changes with every frame is asked for (`exactMs`), what is text is copied four times a second.
 */
export class Player {
  state = $state<PlayerState>("idle");
  failure = $state<Failure | null>(null);
  /** What is on screen, the newest that can be played, the oldest: the stream's clock. */
  atMs = $state<number | null>(null);
  edgeMs = $state<number | null>(null);
  oldestMs = $state<number | null>(null);
  /** Seconds behind the newest picture that exists. */
  behindS = $state(0);
  /** At the live edge, and stays there. */
  following = $state(true);
  buffered = $state.raw<readonly (readonly [fromMs: number, toMs: number])[]>([]);
  level = $state(0.8);
  muted = $state(true);
  width = $state(0);
  height = $state(0);
  rate = $state(1);

  #video: HTMLVideoElement | null = null;
  #hls: Hls | null = null;
  #pieces: readonly Piece[] = [];
  #live = true;
  #wantsPlay = true;
  #retryMs = FIRST_RETRY_MS;
  #retry = 0;
  #mediaErrorAtMs = Number.NEGATIVE_INFINITY;
  /** A time that was asked for before there was a playlist. */
  #pendingMs: number | null = null;
  #ended = false;

  /** `alone`: it begins to play by itself; otherwise it waits at its first picture for a person or a `seek`. */
  constructor(readonly alone = true) {
    this.#wantsPlay = alone;
  }

  /** Plays `address` in `video` until the returned function is called. */
  attach(video: HTMLVideoElement, address: string): () => void {
    this.#video = video;
    this.#ended = false;
    this.state = "loading";
    const { level, muted } = readVolume();
    this.level = video.volume = level;
    this.muted = video.muted = muted;
    video.defaultPlaybackRate = video.playbackRate = this.rate;
    const off = [
      on(video, "playing", () => this.#going()),
      on(video, "waiting", () => {
        if (this.state === "playing") this.state = "stalled";
      }),
      on(video, "pause", () => {
        if (!video.ended && this.state !== "failed" && this.state !== "loading") this.state = "paused";
      }),
      on(video, "ended", () => (this.state = "paused")),
      on(video, "loadeddata", () => {
        if (!this.#wantsPlay) this.state = "paused";
      }),
      on(video, "loadedmetadata", () => {
        this.width = video.videoWidth;
        this.height = video.videoHeight;
      }),
      on(video, "resize", () => {
        this.width = video.videoWidth;
        this.height = video.videoHeight;
      }),
    ];
    const text = setInterval(() => this.#tell(), TEXT_MS);
    void this.#open(video, address);
    return () => {
      this.#ended = true;
      clearInterval(text);
      clearTimeout(this.#retry);
      for (const stop of off) stop();
      this.#hls?.destroy();
      this.#hls = null;
      this.#video = null;
      this.#pieces = [];
      this.state = "idle";
      this.failure = null;
      this.atMs = this.edgeMs = this.oldestMs = null;
      this.buffered = [];
      this.following = true;
      this.#wantsPlay = this.alone;
    };
  }

  async #open(video: HTMLVideoElement, address: string): Promise<void> {
    let library: typeof Hls | null;
    try {
      library = await loadHls();
    } catch {
      // A newer build has replaced the file, or the server is away.
      return this.#fail("unreachable", () => void this.#open(video, address));
    }
    if (this.#ended) return;
    if (library === null) return this.#fail("unsupported", null);
    const hls = new library(HLS_OPTIONS);
    this.#hls = hls;
    hls.on(library.Events.LEVEL_UPDATED, (_event, { details }) => {
      this.#live = details.live;
      this.#pieces = details.fragments.flatMap(({ start, duration, programDateTime }) =>
        programDateTime === null ? [] : [{ startS: start, durationS: duration, dateMs: programDateTime }],
      );
      this.#retryMs = FIRST_RETRY_MS;
      if (this.#pendingMs !== null) this.seek(this.#pendingMs);
    });
    hls.on(library.Events.MANIFEST_PARSED, () => this.#play());
    hls.on(library.Events.ERROR, (_event, data) => this.#error(library, hls, data, address));
    hls.loadSource(address);
    hls.attachMedia(video);
  }

  #error({ ErrorTypes }: typeof Hls, hls: Hls, data: ErrorData, address: string): void {
    if (!data.fatal) return;
    if (data.type === ErrorTypes.NETWORK_ERROR) {
      const gone = data.response?.code === 404;
      // The playlist itself, or a file of it: either way it is asked for again, slower each time.
      this.#fail(gone ? "gone" : "unreachable", () => {
        if (this.#pieces.length === 0) hls.loadSource(address);
        hls.startLoad(this.following ? -1 : (this.#video?.currentTime ?? -1));
        this.#play();
      });
      return;
    }
    const now = performance.now();
    const again = now - this.#mediaErrorAtMs < MEDIA_AGAIN_MS;
    this.#mediaErrorAtMs = now;
    if (data.type === ErrorTypes.MEDIA_ERROR && !again) {
      hls.recoverMediaError();
      this.#play();
    } else
      this.#fail("media", () => {
        // Behind what cannot be decoded there is more.
        hls.recoverMediaError();
        this.toEdge();
      });
  }

  #fail(failure: Failure, retry: (() => void) | null): void {
    this.failure = failure;
    this.state = "failed";
    clearTimeout(this.#retry);
    if (retry === null) return;
    this.#retry = window.setTimeout(() => {
      if (!this.#ended) retry();
    }, this.#retryMs);
    this.#retryMs = Math.min(LONGEST_RETRY_MS, this.#retryMs * 2);
  }

  #going(): void {
    this.state = "playing";
    this.failure = null;
    this.#retryMs = FIRST_RETRY_MS;
  }

  #play(): void {
    const video = this.#video;
    if (video === null || !this.#wantsPlay) return;
    void video.play().catch((error: unknown) => {
      // The browser lets no page speak before a person has touched it: it plays without sound.
      if (error instanceof DOMException && error.name === "NotAllowedError" && !video.muted) {
        this.muted = video.muted = true;
        void video.play().catch(() => (this.state = "paused"));
      } else if (error instanceof DOMException && error.name === "NotAllowedError") this.state = "paused";
    });
  }

  /** What is on screen this instant; null before the first picture. */
  exactMs(): number | null {
    return this.#video === null ? null : dateAt(this.#pieces, this.#video.currentTime);
  }

  #tell(): void {
    const video = this.#video;
    const first = this.#pieces[0];
    const last = this.#pieces.at(-1);
    if (video === null || first === undefined || last === undefined) return;
    const edgeS = this.#edgeS();
    this.atMs = dateAt(this.#pieces, video.currentTime);
    this.edgeMs = dateAt(this.#pieces, edgeS);
    this.oldestMs = first.dateMs;
    const newestS = last.startS + last.durationS;
    this.behindS = Math.max(0, newestS - video.currentTime);
    const ranges: [number, number][] = [];
    for (let i = 0; i < video.buffered.length; i++) {
      const from = dateAt(this.#pieces, video.buffered.start(i));
      const to = dateAt(this.#pieces, video.buffered.end(i));
      if (from !== null && to !== null) ranges.push([from, to]);
    }
    this.buffered = ranges;
    if (
      this.following &&
      this.#live &&
      this.state === "playing" &&
      edgeS - video.currentTime > FALLEN_BEHIND_S
    )
      video.currentTime = edgeS;
  }

  #edgeS(): number {
    const last = this.#pieces.at(-1);
    const newest = last === undefined ? 0 : last.startS + last.durationS;
    return this.#live ? (this.#hls?.liveSyncPosition ?? newest) : newest;
  }

  /** To a time of the stream; in a hole to the first picture behind it. */
  seek(toMs: number): void {
    const video = this.#video;
    const to = secondsAt(this.#pieces, toMs);
    if (video === null || to === null) {
      this.#pendingMs = toMs;
      return;
    }
    this.#pendingMs = null;
    const edgeS = this.#edgeS();
    this.following = this.#live && to > edgeS - EDGE_S;
    video.currentTime = this.following ? edgeS : to;
    this.atMs = dateAt(this.#pieces, video.currentTime);
    if (this.state === "failed") this.state = "loading";
    this.#play();
  }

  by(seconds: number): void {
    const now = this.exactMs();
    if (now !== null) this.seek(now + seconds * 1000);
  }

  toEdge(): void {
    const video = this.#video;
    if (video === null) return;
    this.following = true;
    this.#wantsPlay = true;
    if (this.#pieces.length > 0) video.currentTime = this.#edgeS();
    this.#play();
  }

  /** Pausing leaves the edge: going on continues where it was. */
  toggle(): void {
    const video = this.#video;
    if (video === null || this.state === "idle") return;
    if (video.paused) {
      this.#wantsPlay = true;
      this.#play();
    } else {
      this.#wantsPlay = false;
      this.following = false;
      video.pause();
    }
  }

  /** Speed, 1 as it was. Kept for what is opened next. */
  setRate(rate: number): void {
    this.rate = rate;
    if (this.#video !== null) this.#video.defaultPlaybackRate = this.#video.playbackRate = rate;
  }
  /** Goes on where a person, or the page, had stopped it. */
  play(): void {
    this.#wantsPlay = true;
    this.#play();
  }

  setLevel(level: number): void {
    this.level = Math.min(1, Math.max(0, level));
    this.muted = this.level === 0;
    this.#sound();
  }
  toggleMuted(): void {
    this.muted = !this.muted;
    if (!this.muted && this.level === 0) this.level = 0.5;
    this.#sound();
  }
  #sound(): void {
    if (this.#video !== null) {
      this.#video.volume = this.level;
      this.#video.muted = this.muted;
    }
    keepVolume({ level: this.level, muted: this.muted });
  }
}

/** What a timeline and a desk ask of whatever plays: a picture, or chat alone. */
export type Playing = Pick<
  Player,
  | "state"
  | "atMs"
  | "following"
  | "buffered"
  | "rate"
  | "seek"
  | "by"
  | "toggle"
  | "play"
  | "exactMs"
  | "setRate"
>;

function on(element: HTMLMediaElement, name: string, run: () => void): () => void {
  element.addEventListener(name, run);
  return () => element.removeEventListener(name, run);
}
