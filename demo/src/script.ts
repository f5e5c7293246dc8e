import type { ChatEvent, Said } from "./chat-event.ts";
import type { Chatter } from "./chatters.ts";
import { createRandom, type Random } from "./random.ts";
import { PERIOD_MS } from "./world.ts";

export type Extra = Partial<Pick<Said, "action" | "bits" | "firstMessage" | "replyTo" | "cause" | "mood">>;

/** Collects a loop's events in any order; `finish` sorts and numbers them. */
export class Script {
  readonly random: Random;
  private readonly drafts: ChatEvent[] = [];
  private readonly introduced = new Set<string>();

  constructor(seed: number) {
    this.random = createRandom(seed);
  }

  say(atMs: number, who: Chatter, text: string, extra: Extra = {}): Said {
    const said: Said = {
      type: "message",
      n: 0,
      atMs,
      who,
      text: text.slice(0, 500),
      action: false,
      bits: 0,
      firstMessage: false,
      replyTo: null,
      cause: null,
      mood: null,
      ...extra,
    };
    this.drafts.push(said);
    return said;
  }

  /** True once per chatter and loop: what first-msg says. */
  introduces(who: Chatter): boolean {
    if (this.introduced.has(who.login)) return false;
    this.introduced.add(who.login);
    return true;
  }

  add(event: Exclude<ChatEvent, Said>): void {
    this.drafts.push(event);
  }

  finish(): ChatEvent[] {
    for (const draft of this.drafts)
      draft.atMs = ((Math.round(draft.atMs) % PERIOD_MS) + PERIOD_MS) % PERIOD_MS;
    const sorted = this.drafts
      .map((draft, i) => [draft, i] as const)
      .sort(([a, i], [b, j]) => a.atMs - b.atMs || i - j);
    const last = new Map<string, Said>();
    return sorted.map(([draft], n) => {
      draft.n = n;
      if (draft.type === "message") {
        // Twitch drops the same text of the same author within 30 s, so people change something.
        const before = last.get(draft.who.login);
        if (before?.text === draft.text && draft.atMs - before.atMs < 30_000)
          draft.text += ` ${draft.text.split(" ").at(-1)}`;
        last.set(draft.who.login, draft);
      }
      return draft;
    });
  }
}

/** Draws chatters by weight, and nobody twice within their own pause. */
export function chooser(
  people: readonly Chatter[],
  weightOf: (who: Chatter) => number,
  pauseMs: number,
  random: Random,
) {
  const sums: number[] = [];
  let total = 0;
  for (const who of people) sums.push((total += weightOf(who)));
  const lastAtMs = new Map<string, number>();
  return (atMs: number): Chatter => {
    for (let attempt = 0; ; attempt++) {
      const wanted = random.next() * total;
      let low = 0;
      let high = sums.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((sums[middle] ?? 0) <= wanted) low = middle + 1;
        else high = middle;
      }
      const who = people[low] as Chatter;
      const before = lastAtMs.get(who.login) ?? -Infinity;
      if (attempt < 30 && Math.abs(atMs - before) < pauseMs) continue;
      lastAtMs.set(who.login, atMs);
      return who;
    }
  };
}

/** Times of a Poisson process whose rate (per second) changes over the loop. */
export function poissonTimes(ratePerS: (ms: number) => number, most: number, random: Random): number[] {
  const times: number[] = [];
  for (let ms = random.exponential(1000 / most); ms < PERIOD_MS; ms += random.exponential(1000 / most))
    if (random.chance(ratePerS(ms) / most)) times.push(ms);
  return times;
}

/**
 * Times that follow the rate more closely than Poisson's would, each pushed about by some places: calm chat stays calm, and
 * whatever stands out of it was made to.
 */
export function steadyTimes(ratePerS: (ms: number) => number, random: Random): number[] {
  const times: number[] = [];
  const stepMs = 100;
  let due = 0;
  for (let ms = 0; ms < PERIOD_MS; ms += stepMs) {
    const rate = ratePerS(ms);
    due += (rate * stepMs) / 1000;
    for (; due >= 1; due--) {
      const places = (random.next() + random.next() + random.next() - 1.5) * 14;
      times.push(ms + (places / rate) * 1000 + random.next() * stepMs);
    }
  }
  return times.sort((a, b) => a - b);
}
