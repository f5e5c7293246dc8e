const MINUTE_MS = 60_000;

/**
 * A budget of so much a minute that fills as time goes: a full minute's worth may be spent at once, never more in any stretch than that and what has come
 * in since. Time comes in as an argument.
 */
export class MinuteBudget {
  readonly #perMinute: number;
  #left: number;
  #atMs: number;

  constructor(perMinute: number, nowMs: number) {
    this.#perMinute = perMinute;
    this.#left = perMinute;
    this.#atMs = nowMs;
  }

  /** Milliseconds until `amount` may be spent; 0: now. More than a minute's worth waits for a full budget. */
  waitMs(amount: number, nowMs: number): number {
    this.#fill(nowMs);
    const lacks = Math.min(amount, this.#perMinute) - this.#left;
    return lacks <= 0 ? 0 : Math.ceil((lacks * MINUTE_MS) / this.#perMinute);
  }

  /** Also below zero: what was spent beyond the budget is waited for afterwards. */
  spend(amount: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#left -= amount;
  }

  #fill(nowMs: number): void {
    const came = ((nowMs - this.#atMs) * this.#perMinute) / MINUTE_MS;
    this.#left = Math.min(this.#perMinute, this.#left + Math.max(0, came));
    this.#atMs = Math.max(this.#atMs, nowMs);
  }
}
