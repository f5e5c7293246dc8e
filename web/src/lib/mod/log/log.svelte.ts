import type { Problem } from "@hypecast/contracts/api.ts";
import { ask, problemOf } from "../../live/api.ts";
import type { ResultOf } from "../api.ts";

export type LogRow = ResultOf<"modLog">["rows"][number];
export type Verified = ResultOf<"modVerify">;
export interface LogFilter {
  by: string;
  whom: string;
  act: string;
  source: string;
  text: string;
}
export const NO_FILTER: LogFilter = { by: "", whom: "", act: "", source: "", text: "" };

const PAGE = 100;

/** A channel's moderation log as far as it was read, newest first. */
export class ModLog {
  readonly login: string;
  filter = $state<LogFilter>({ ...NO_FILTER });
  rows = $state.raw<LogRow[]>([]);
  next = $state<string | null>(null);
  problem = $state.raw<Problem | null>(null);
  reading = $state(false);
  /** Read at least once. */
  known = $state(false);
  verified = $state.raw<Verified | null>(null);
  verifying = $state(false);
  #turn = 0;

  constructor(login: string) {
    this.login = login;
  }

  /** What the filter says, as the address has it: fields that are empty are not asked for. */
  query(): Record<string, string | undefined> {
    return Object.fromEntries(
      Object.entries(this.filter).map(([name, value]) => [name, value.trim() || undefined]),
    );
  }
  /** Where the same rows are as a file. */
  address(format: "csv" | "ndjson"): string {
    const query = new URLSearchParams({ format });
    for (const [name, value] of Object.entries(this.query())) if (value !== undefined) query.set(name, value);
    return `/api/v1/mod/${this.login}/log?${query}`;
  }

  /** From the newest on; with `more` behind what is there. */
  async read(more = false): Promise<void> {
    const mine = ++this.#turn;
    this.reading = true;
    try {
      const { rows, next } = await ask("GET", "/api/v1/mod/{login}/log", {
        login: this.login,
        query: { ...this.query(), limit: PAGE, cursor: more ? (this.next ?? undefined) : undefined },
      });
      if (mine !== this.#turn) return;
      this.rows = more ? [...this.rows, ...rows] : rows;
      this.next = next;
      this.problem = null;
      this.known = true;
    } catch (error) {
      if (mine === this.#turn) this.problem = problemOf(error);
    } finally {
      if (mine === this.#turn) this.reading = false;
    }
  }

  async verify(): Promise<void> {
    this.verifying = true;
    try {
      this.verified = await ask("GET", "/api/v1/mod/{login}/log/verify", { login: this.login });
    } catch (error) {
      this.problem = problemOf(error);
    } finally {
      this.verifying = false;
    }
  }

  /** Throws ApiProblem. */
  async comment(row: LogRow, words: string): Promise<void> {
    const { entry } = await ask("POST", "/api/v1/mod/{login}/log/{id}/comments", {
      login: this.login,
      id: row.id,
      body: { key: crypto.randomUUID(), words },
    });
    this.rows = this.rows.map((one) =>
      one.id === row.id ? { ...one, comments: [...one.comments, entry] } : one,
    );
  }
}
