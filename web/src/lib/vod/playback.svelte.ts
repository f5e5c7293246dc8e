import { Player, type Playing } from "../video/player.svelte.ts";
import { ChatClock } from "./clock.svelte.ts";

/** What plays a stream: its picture where it has one, else a clock of its own. Asked for a time before that is known, it remembers. */
export class Playback implements Playing {
  readonly player = new Player(false);
  readonly clock = new ChatClock(0, 0);
  /** Null: not known yet. */
  picture = $state<boolean | null>(null);
  #soughtMs: number | null = null;
  #pending: { toMs: number; play: boolean } | null = null;

  /** Said whenever more is known of the stream. */
  settle(picture: boolean | null, startMs: number | null, endMs: number | null): void {
    if (picture === null || startMs === null || endMs === null) return;
    this.clock.span(startMs, endMs);
    if (this.picture !== null && this.picture !== picture) {
      // A picture has come, or does not reach to where one wants to be: it goes on there, by the other clock.
      this.#pending ??= { toMs: this.#soughtMs ?? this.atMs ?? startMs, play: this.state === "playing" };
      if (this.clock.state === "playing") this.clock.pause();
    }
    this.picture = picture;
    const pending = this.#pending;
    this.#pending = null;
    if (pending === null) return;
    this.seek(pending.toMs);
    if (pending.play) this.play();
  }

  get #now(): Player | ChatClock {
    return this.picture === true ? this.player : this.clock;
  }
  get state(): Playing["state"] {
    return this.#now.state;
  }
  get atMs(): number | null {
    return this.picture === null ? null : this.#now.atMs;
  }
  get following(): boolean {
    return false;
  }
  get buffered(): Playing["buffered"] {
    return this.#now.buffered;
  }
  get rate(): number {
    return this.#now.rate;
  }
  exactMs(): number | null {
    return this.picture === null ? null : this.#now.exactMs();
  }
  seek(toMs: number): void {
    this.#soughtMs = toMs;
    if (this.picture === null) this.#pending = { toMs, play: this.#pending?.play ?? false };
    else this.#now.seek(toMs);
  }
  by(seconds: number): void {
    this.#now.by(seconds);
  }
  play(): void {
    if (this.#pending !== null) this.#pending = { ...this.#pending, play: true };
    else if (this.picture !== null) this.#now.play();
  }
  toggle(): void {
    this.#now.toggle();
  }
  setRate(rate: number): void {
    this.player.setRate(rate);
    this.clock.setRate(rate);
  }
  stop(): void {
    this.clock.stop();
  }
}
