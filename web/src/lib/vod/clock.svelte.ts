import type { Playing, PlayerState } from "../video/player.svelte.ts";

const TICK_MS = 200;
export const SPEEDS = [0.5, 1, 1.5, 2, 4] as const;

/** Where a clock stands that stood at `atMs` when it was `sinceMs`, and has run `rate` times as fast since; never beyond the end. */
export const clockAt = (
  from: { readonly atMs: number; readonly sinceMs: number; readonly rate: number },
  nowMs: number,
  endMs: number,
): number => Math.min(endMs, from.atMs + Math.max(0, nowMs - from.sinceMs) * from.rate);

/** A stream without a picture has a clock of its own: chat is replayed by it, and everything that asks a player asks it. */
export class ChatClock implements Playing {
  state = $state<PlayerState>("paused");
  atMs = $state<number | null>(null);
  rate = $state(1);
  readonly following = false;
  readonly buffered: readonly (readonly [number, number])[] = [];
  #from = { atMs: 0, sinceMs: 0, rate: 1 };
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    public startMs: number,
    public endMs: number,
    readonly now: () => number = () => performance.now(),
  ) {
    this.#set(startMs);
  }

  exactMs(): number | null {
    return this.state === "playing" ? clockAt(this.#from, this.now(), this.endMs) : this.atMs;
  }

  /** Reading ahead of what is imported so far is of no use. */
  span(startMs: number, endMs: number): void {
    const first = this.startMs !== startMs;
    this.startMs = startMs;
    this.endMs = endMs;
    if (first && this.atMs !== null && (this.atMs < startMs || this.atMs > endMs)) this.#set(startMs);
  }

  #set(atMs: number): void {
    this.atMs = Math.min(this.endMs, Math.max(this.startMs, atMs));
    this.#from = { atMs: this.atMs, sinceMs: this.now(), rate: this.rate };
  }

  seek(toMs: number): void {
    this.#set(toMs);
  }
  by(seconds: number): void {
    this.#set((this.exactMs() ?? this.startMs) + seconds * 1000);
  }

  play(): void {
    if (this.state === "playing") return;
    if (this.atMs !== null && this.atMs >= this.endMs) this.#set(this.startMs);
    else this.#set(this.atMs ?? this.startMs);
    this.state = "playing";
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }
  pause(): void {
    this.#set(this.exactMs() ?? this.startMs);
    this.state = "paused";
    clearInterval(this.#timer);
  }
  toggle(): void {
    if (this.state === "playing") this.pause();
    else this.play();
  }
  setRate(rate: number): void {
    const at = this.exactMs();
    this.rate = rate;
    if (at !== null) this.#set(at);
  }

  #tick(): void {
    this.atMs = clockAt(this.#from, this.now(), this.endMs);
    if (this.atMs >= this.endMs) this.pause();
  }
  stop(): void {
    clearInterval(this.#timer);
  }
}
