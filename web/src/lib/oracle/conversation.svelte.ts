import type { Problem } from "@hypecast/contracts/api.ts";
import { problemOf } from "../live/api.ts";
import { getLocale } from "../paraglide/runtime.js";
import { askOracle, getAnswer, judgeAnswer, stopAnswer, type QuestionWish, type Told } from "../vod/api.ts";
import { ANSWER_EVENTS } from "../vod/events.ts";
import { followRecord, newer } from "../vod/records.ts";

export const isWritten = ({ state }: Pick<Told, "state">): boolean =>
  state === "done" || state === "failed" || state === "stopped";
type Verdict = "right" | "wrong" | "earlier_5s" | "later_5s" | "none_of_these";

/** Most earlier questions that are read back from an answer's thread. */
const EARLIER = 12;

/** How the conversation reaches the gateway; tests bring their own. */
export interface OracleApi {
  ask(wish: QuestionWish): Promise<Told>;
  get(id: string): Promise<Told>;
  judge(id: string, body: { rank: number; verdict: Verdict }): Promise<Told>;
  stop(id: string): Promise<unknown>;
  follow(
    id: string,
    more: { take: (told: Told) => void; done: (told: Told) => boolean; lost: (lost: boolean) => void },
  ): () => void;
}
export const gatewayOracle: OracleApi = {
  ask: askOracle,
  get: getAnswer,
  judge: judgeAnswer,
  stop: stopAnswer,
  follow: (id, more) => followRecord<Told>(ANSWER_EVENTS(id), more),
};

/** Question after question: the one that is read, and what was asked before it, newest first. */
export class Conversation {
  current = $state.raw<Told | null>(null);
  earlier = $state.raw<readonly Told[]>([]);
  /** A question is on its way and has no answer's id yet. */
  asking = $state<string | null>(null);
  loading = $state(false);
  problem = $state.raw<Problem | null>(null);
  /** The connection over which the answer is written is cut. */
  lost = $state(false);

  get writing(): boolean {
    return this.current !== null && !isWritten(this.current);
  }
  #stop: (() => void) | null = null;
  #turn = 0;

  constructor(readonly api: OracleApi = gatewayOracle) {}

  /** Asks; the answer's id, or null where the gateway refused (`problem` says why). */
  async ask(
    question: string,
    scope: NonNullable<QuestionWish["scope"]>,
    goesOn: boolean,
  ): Promise<string | null> {
    const turn = ++this.#turn;
    this.#end();
    this.asking = question;
    this.problem = null;
    const before = this.current;
    try {
      const told = await this.api.ask({
        question,
        scope,
        after: goesOn && before !== null ? before.id : null,
        language: getLocale() === "ru" ? "ru" : "en",
      });
      if (turn !== this.#turn) return null;
      if (before !== null) this.earlier = [before, ...this.earlier].slice(0, EARLIER);
      this.#read(told);
      return told.id;
    } catch (error) {
      if (turn === this.#turn) this.problem = problemOf(error);
      return null;
    } finally {
      if (turn === this.#turn) this.asking = null;
    }
  }

  /** An answer by its id, from the address, with what was asked before it. */
  async open(id: string): Promise<void> {
    if (this.current?.id === id) return;
    const turn = ++this.#turn;
    this.#end();
    this.loading = true;
    this.problem = null;
    const known = this.earlier.find((one) => one.id === id);
    try {
      const told = known ?? (await this.api.get(id));
      if (turn !== this.#turn) return;
      // What was read before stays in the list; it is another order, not another conversation.
      const rest = [this.current, ...this.earlier].filter(
        (one): one is Told => one !== null && one.id !== id,
      );
      this.earlier = rest.sort((a, b) => b.askedAtMs - a.askedAtMs).slice(0, EARLIER);
      this.#read(told);
      this.loading = false;
      await this.#before(told, turn);
    } catch (error) {
      if (turn === this.#turn) this.problem = problemOf(error);
    } finally {
      if (turn === this.#turn) this.loading = false;
    }
  }

  async #before(told: Told, turn: number): Promise<void> {
    let after = told.after;
    while (after !== null && this.earlier.length < EARLIER) {
      const id: string = after;
      const known = this.earlier.find((one) => one.id === id);
      const one: Told | null = known ?? (await this.api.get(id).catch(() => null));
      if (turn !== this.#turn || one === null) return;
      if (known === undefined)
        this.earlier = [...this.earlier, one].sort((a, b) => b.askedAtMs - a.askedAtMs);
      after = one.after;
    }
  }

  #read(told: Told): void {
    this.current = told;
    this.lost = false;
    if (isWritten(told)) return;
    this.#stop = this.api.follow(told.id, {
      take: (news) => {
        if (this.current?.id === news.id) this.current = newer(this.current, news);
      },
      done: isWritten,
      lost: (lost) => (this.lost = lost),
    });
  }
  #end(): void {
    this.#stop?.();
    this.#stop = null;
    this.lost = false;
  }

  /** Nothing more is written; what was asked stays on the page. */
  async halt(): Promise<void> {
    const told = this.current;
    if (told === null || isWritten(told)) return;
    this.#end();
    this.current = { ...told, state: "stopped" };
    await this.api.stop(told.id).catch(() => {});
  }

  /** Back to an empty page. */
  clear(): void {
    this.#turn += 1;
    this.#end();
    this.current = null;
    this.asking = this.problem = null;
    this.loading = false;
  }

  async judge(rank: number, verdict: Verdict): Promise<void> {
    const told = this.current;
    if (told === null) return;
    // Shown at once; the gateway's word follows.
    this.current = { ...told, feedback: [...told.feedback, { rank, verdict, atMs: Date.now() }] };
    try {
      const judged = await this.api.judge(told.id, { rank, verdict });
      if (this.current?.id === judged.id) this.current = judged;
    } catch (error) {
      if (this.current?.id === told.id) this.current = told;
      throw error;
    }
  }

  close(): void {
    this.#turn += 1;
    this.#end();
  }
}

/** Hits that a person has not said "not it" to. */
export const rejected = (told: Pick<Told, "feedback">, rank: number): boolean =>
  told.feedback.some((one) => one.rank === rank && one.verdict === "wrong");
export const noneFits = (told: Pick<Told, "feedback">): boolean =>
  told.feedback.some(({ verdict }) => verdict === "none_of_these");
