import type { Problem } from "@hypecast/contracts/api.ts";
import type { accountRoutes } from "@hypecast/contracts/api-mod.ts";
import type { z } from "zod";
import { ask, problemOf } from "../live/api.ts";

export type PrivacyNow = z.output<(typeof accountRoutes)["privacy"]["result"]>;
export type ErasureNow = PrivacyNow["erasures"][number];

const LOOK_EVERY_MS = 2000;

/** A chatter's rights as the page shows them: their own, or of whom the operator names. */
export class Rights {
  /** Empty: whoever is signed in. */
  user = $state("");
  now = $state.raw<PrivacyNow | null>(null);
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);
  readonly isOut = $derived(this.now?.optOuts.some(({ channelId }) => channelId === "*") === true);
  readonly isErasing = $derived(
    this.now?.erasures.some(({ state }) => state === "asked" || state === "running") === true,
  );

  /** `user` as the API takes it. */
  get #of(): { user?: string } {
    const user = this.user.trim().toLowerCase();
    return user === "" ? {} : { user };
  }

  async read(): Promise<void> {
    try {
      this.now = await ask("GET", "/api/v1/privacy", { query: this.#of });
      this.problem = null;
    } catch (error) {
      this.problem = problemOf(error);
    }
  }
  /** Looks again while something is being erased; returns how to stop. */
  follow(): () => void {
    const timer = setInterval(() => void (this.isErasing && this.read()), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }
  setOut(on: boolean): Promise<void> {
    return this.#do(() =>
      ask("POST", "/api/v1/privacy/opt-out", { body: { ...this.#of, on, channel: null } }),
    );
  }
  erase(): Promise<void> {
    const key = crypto.randomUUID();
    return this.#do(() => ask("POST", "/api/v1/privacy/erase", { body: { ...this.#of, key, optOut: true } }));
  }
  async #do(effect: () => Promise<unknown>): Promise<void> {
    this.busy = true;
    try {
      await effect();
      await this.read();
    } catch (error) {
      this.problem = problemOf(error);
    } finally {
      this.busy = false;
    }
  }
}
