import type { z } from "zod";
import type { Problem } from "@hypecast/contracts/api.ts";
import type { ChatBurst } from "@hypecast/contracts/burst.ts";
import type { momentAt } from "@hypecast/contracts/question.ts";
import { isHype } from "../text/words.ts";
import { problemOf } from "./api.ts";
import type { LiveFeed } from "./feed.svelte.ts";

export type Then = z.infer<typeof momentAt.answer>;

/** "What was then": a chosen place, else the newest burst, so that the panel is never idle. */
export class Looking {
  atMs = $state<number | null>(null);
  /** The burst that was chosen, if it was one. */
  burstId = $state<string | null>(null);
  answer = $state.raw<Then | null>(null);
  answeredMs = $state<number | null>(null);
  problem = $state.raw<Problem | null>(null);
  following = $state(true);
  #turn = 0;
  #followed: string | null = null;

  constructor(
    readonly feed: LiveFeed,
    readonly ask: (atMs: number) => Promise<Then>,
  ) {}

  async show(atMs: number, burstId: string | null = null): Promise<void> {
    this.atMs = atMs;
    this.burstId = burstId;
    const turn = ++this.#turn;
    try {
      const answer = await this.ask(atMs);
      if (turn !== this.#turn) return;
      this.answer = answer;
      this.answeredMs = atMs;
      this.problem = null;
    } catch (error) {
      if (turn === this.#turn) this.problem = problemOf(error);
    }
  }

  /** Called when the bursts have changed. */
  follow(): void {
    const newest = this.feed.bursts.find(({ kind, open }) => isHype[kind] && !open);
    if (!this.following || newest === undefined || newest.id === this.#followed || !this.feed.historyLoaded)
      return;
    this.#followed = newest.id;
    void this.show(newest.peakMs, newest.id);
  }

  choose(atMs: number): void {
    this.following = false;
    void this.show(atMs);
  }
  chooseBurst(burst: ChatBurst): void {
    this.following = false;
    void this.show(burst.peakMs, burst.id);
  }
  /** Lets go of the chosen place. */
  back(): void {
    this.#turn += 1;
    this.following = true;
    this.#followed = null;
    this.atMs = this.burstId = this.answer = null;
  }
  /** One burst on or back in time; null: there is none. */
  walk(step: 1 | -1): ChatBurst | null {
    const ordered = this.feed.bursts.filter(({ kind }) => isHype[kind]);
    const at = ordered.findIndex(({ id }) => id === this.burstId);
    // Newest first: the next in time is one up.
    const next = ordered[at < 0 ? 0 : Math.max(0, Math.min(ordered.length - 1, at - step))];
    if (next !== undefined) this.chooseBurst(next);
    return next ?? null;
  }
}
