import type { Problem } from "@hypecast/contracts/api.ts";
import { ask, problemOf } from "../../live/api.ts";
import type { ResultOf } from "../api.ts";

type PolicyNow = ResultOf<"modPolicy">;
export type RoleRow = ResultOf<"modGrants">["roles"][number];
export type Limits = PolicyNow["policy"]["thresholds"];

/** How a channel is moderated, as a person changes it: nothing is sent before they say so. */
export class Policy {
  readonly login: string;
  now = $state.raw<PolicyNow | null>(null);
  roles = $state.raw<RoleRow[]>([]);
  problem = $state.raw<Problem | null>(null);
  /** Why the last change was not taken. */
  refused = $state.raw<Problem | null>(null);
  saved = $state(false);
  busy = $state(false);

  constructor(login: string) {
    this.login = login;
  }

  async read(): Promise<void> {
    try {
      const { login } = this;
      this.now = await ask("GET", "/api/v1/mod/{login}/policy", { login });
      this.roles = (await ask("GET", "/api/v1/mod/{login}/roles", { login })).roles;
      this.problem = null;
    } catch (error) {
      this.problem = problemOf(error);
    }
  }
  change(what: {
    thresholds?: Limits;
    allow?: string[];
    rawHours?: number;
    deletedHours?: number;
  }): Promise<void> {
    return this.#do(() =>
      ask("PATCH", "/api/v1/mod/{login}/policy", {
        login: this.login,
        body: { key: crypto.randomUUID(), ...what },
      }),
    );
  }
  grant(user: string, role: RoleRow["role"] | null): Promise<void> {
    return this.#do(() =>
      ask("POST", "/api/v1/mod/{login}/roles", { login: this.login, body: { user, role } }),
    );
  }
  async #do(effect: () => Promise<unknown>): Promise<void> {
    this.busy = true;
    this.saved = false;
    try {
      await effect();
      this.refused = null;
      await this.read();
      this.saved = true;
    } catch (error) {
      this.refused = problemOf(error);
    } finally {
      this.busy = false;
    }
  }
}
