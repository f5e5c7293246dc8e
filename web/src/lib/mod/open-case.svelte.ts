import type { Problem } from "@hypecast/contracts/api.ts";
import type { UserCard } from "@hypecast/contracts/api-mod.ts";
import type { OpenEntry } from "@hypecast/contracts/journal.ts";
import type { QueueCase } from "@hypecast/contracts/mod-change.ts";
import { problemOf } from "../live/api.ts";
import { getCase, getContext, getUser, type CaseDetail, type Context } from "./api.ts";

const AROUND = 20;
/** The gateway gives no more than this to either side of one line. */
const MOST_AROUND = 200;
/** What was open lately is there at once when one comes back. */
const KEPT = 40;

interface Kept {
  detail: CaseDetail | null;
  context: Context | null;
  user: UserCard | null;
}

/** What lies beside the case that one looks at: its lines and reasons, the chat around it, its author. */
export class OpenCase {
  detail = $state.raw<CaseDetail | null>(null);
  context = $state.raw<Context | null>(null);
  user = $state.raw<UserCard | null>(null);
  detailProblem = $state.raw<Problem | null>(null);
  contextProblem = $state.raw<Problem | null>(null);
  userProblem = $state.raw<Problem | null>(null);
  growing = $state(false);
  id = $state<string | null>(null);

  readonly #login: string;
  readonly #kept = new Map<string, Kept>();
  #case: QueueCase | null = null;
  #anchor: { lineId: string; atMs: number } | null = null;
  #before = AROUND;
  #after = AROUND;

  constructor(login: string) {
    this.#login = login;
  }

  /** Shows another case; what is known of it at once, the rest as it comes. */
  show(one: QueueCase | null): void {
    if (one?.id === this.id) {
      this.#case = one;
      return;
    }
    this.id = one?.id ?? null;
    this.#case = one;
    const kept = one === null ? undefined : this.#kept.get(one.id);
    this.detail = kept?.detail ?? null;
    this.context = kept?.context ?? null;
    this.user = kept?.user ?? null;
    this.detailProblem = this.contextProblem = this.userProblem = null;
    this.#anchor = null;
    this.#before = this.#after = AROUND;
    if (one !== null) this.read();
  }

  /** Asks for all of it again. */
  read(): void {
    const one = this.#case;
    if (one === null) return;
    void this.#readDetail(one);
    if (one.count === 1) void this.#readContext({ lineId: one.lineId, atMs: one.firstAtMs });
    if (one.userId !== "") void this.#readUser(one);
  }
  /** The user card tells of acts: after one it is another. */
  readUser(): void {
    if (this.#case !== null && this.#case.userId !== "") void this.#readUser(this.#case);
  }

  /** An entry of the journal about this case, as it is made. */
  take(entry: OpenEntry): void {
    const { detail } = this;
    if (detail === null || entry.caseId !== this.id) return;
    const entries = [...detail.entries.filter(({ id }) => id !== entry.id), entry];
    this.detail = { ...detail, entries };
  }

  async more(side: "earlier" | "later"): Promise<void> {
    const { context } = this;
    if (context === null || this.growing || this.#anchor === null) return;
    if ((side === "earlier" ? context.earlier : context.later) === 0) return;
    const now = side === "earlier" ? this.#before : this.#after;
    if (now >= MOST_AROUND) return;
    this.growing = true;
    const next = Math.min(MOST_AROUND, now + 2 * AROUND);
    if (side === "earlier") this.#before = next;
    else this.#after = next;
    await this.#readContext(this.#anchor);
    this.growing = false;
  }
  get full(): boolean {
    return this.#before >= MOST_AROUND && this.#after >= MOST_AROUND;
  }

  async #readDetail(one: QueueCase): Promise<void> {
    try {
      const detail = await getCase(this.#login, one.id);
      if (this.id !== one.id) return;
      this.detail = detail;
      this.detailProblem = null;
      this.#keep();
      const worst = detail.case.lines.find(({ lineId }) => lineId === one.lineId);
      if (one.count !== 1)
        await this.#readContext({ lineId: one.lineId, atMs: worst?.sentAtMs ?? one.firstAtMs });
    } catch (error) {
      if (this.id === one.id) this.detailProblem = problemOf(error);
    }
  }
  async #readContext(anchor: { lineId: string; atMs: number }): Promise<void> {
    const id = this.id;
    this.#anchor = anchor;
    try {
      const context = await getContext(this.#login, {
        ...anchor,
        before: this.#before,
        after: this.#after,
      });
      if (this.id !== id) return;
      this.context = context;
      this.contextProblem = null;
      this.#keep();
    } catch (error) {
      if (this.id === id) this.contextProblem = problemOf(error);
    }
  }
  async #readUser(one: QueueCase): Promise<void> {
    try {
      const user = await getUser(this.#login, one.userId);
      if (this.id !== one.id) return;
      this.user = user;
      this.userProblem = null;
      this.#keep();
    } catch (error) {
      if (this.id === one.id) this.userProblem = problemOf(error);
    }
  }
  #keep(): void {
    if (this.id === null) return;
    this.#kept.delete(this.id);
    this.#kept.set(this.id, { detail: this.detail, context: this.context, user: this.user });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT) break;
      this.#kept.delete(oldest);
    }
  }
}
