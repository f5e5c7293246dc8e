import type { Problem } from "@hypecast/contracts/api.ts";
import type { Claim, OpenEntry } from "@hypecast/contracts/journal.ts";
import type { Severity } from "@hypecast/contracts/mod-case.ts";
import type { CaseDesk, ModChange, QueueCase } from "@hypecast/contracts/mod-change.ts";
import { problemOf } from "../live/api.ts";
import type { LiveSocket } from "../live/socket.ts";
import { getDesk, listCases, type Counts, type DeskNow, type SpikeNow } from "./api.ts";
import { keyOf, standing } from "./hold.svelte.ts";
import { withWindows } from "./minutes.ts";
import {
  compare,
  decided,
  newer,
  nextOpen,
  NO_FILTER,
  NO_PART,
  passes,
  rowsOf,
  settled,
  SEVERITY_ORDER,
  wanting,
  type Filter,
  type Part,
  type Tab,
} from "./queue.ts";

const PAGE = 500;
/** What cannot be known from the news is asked for again: soon after something happened, and now and then anyway. */
const SOON_MS = 700;
const AGAIN_MS = 30_000;
const MOST_EVENTS = 500;
/** A list that is shorter asks for the next part by itself. */
const FILLED = 60;

const noParts = (): Record<Tab, Part> => ({
  critical: NO_PART,
  alert: NO_PART,
  watch: NO_PART,
  done: NO_PART,
});

/**
 * A channel's moderation as this page knows it: spikes, the queue, what was decided. Truth is the gateway's; what a person does here
 * (`acting.svelte.ts`) is shown at once and corrected by what comes back. The list never moves by itself: new and changed cases wait until `load`.
 */
export class ModDesk {
  now = $state.raw<DeskNow | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** The topic was refused: news do not come. */
  refused = $state<string | null>(null);
  counts = $state.raw<Counts | null>(null);
  /** When the gateway last answered. */
  readAtMs = $state(0);

  tab = $state<Tab>("critical");
  filter = $state.raw<Filter>(NO_FILTER);
  parts = $state.raw(noParts());
  loading = $state(false);
  listProblem = $state.raw<Problem | null>(null);
  /** Cases that came, or grew worse, since the list was put together. */
  waiting = $state.raw<readonly string[]>([]);
  focusId = $state<string | null>(null);
  chosen = $state.raw<ReadonlySet<string>>(new Set());

  readonly rows = $derived(rowsOf(this.tab, this.parts));
  readonly me = $derived(this.now?.me ?? null);
  readonly mayAct = $derived(this.me !== null && this.me.role !== "analyst");

  readonly #cases = new Map<string, QueueCase>();
  /** What is hoped for, until the gateway has said. */
  readonly #hopes = new Map<string, CaseDesk>();
  /** Why an act did not even reach the gateway. */
  readonly #failures = new Map<string, string>();
  #version = $state(0);
  #bumping = false;
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #hearers = new Set<(entry: OpenEntry) => void>();

  constructor(readonly login: string) {}

  // ————— reading

  /** The case as it is to be shown: with what is hoped for. */
  get(id: string): QueueCase | undefined {
    void this.#version;
    const one = this.#cases.get(id);
    const hope = this.#hopes.get(id);
    return one === undefined || hope === undefined ? one : { ...one, desk: hope };
  }
  /** On its way to the gateway. */
  sending(id: string): boolean {
    void this.#version;
    return this.#hopes.has(id);
  }
  failure(id: string): string | null {
    void this.#version;
    return this.#failures.get(id) ?? null;
  }
  /** Left to do for this person. */
  isOpen(id: string): boolean {
    const one = this.get(id);
    return one !== undefined && !settled(one.desk, this.me?.key ?? "");
  }
  readonly settledHere = $derived.by(() => {
    void this.#version;
    if (this.tab === "done") return 0;
    return this.rows.filter((row) => row.kind === "case" && !this.isOpen(row.id)).length;
  });
  readonly focus = $derived(this.focusId === null ? undefined : this.get(this.focusId));
  /** Whom an act would meet: what is chosen, else the case in focus. */
  readonly targets = $derived(
    this.chosen.size > 0 ? [...this.chosen] : this.focusId === null ? [] : [this.focusId],
  );

  /** Until the returned function is called: news by push, the rest by asking. */
  follow(socket: LiveSocket): () => void {
    const stop = socket.subscribe(`mod:${this.login}`, {
      message: ({ d, snap }) => {
        this.refused = null;
        this.take(d as ModChange);
        // After a pause of the connection more may have happened than the topic remembers.
        if (snap === true) this.#soon(0, true);
      },
      refused: (_code, detail) => {
        this.refused = detail;
      },
    });
    void this.read();
    return () => {
      stop();
      clearTimeout(this.#timer);
      this.#turn += 1;
    };
  }
  hear(take: (entry: OpenEntry) => void): () => void {
    this.#hearers.add(take);
    return () => this.#hearers.delete(take);
  }

  /** `whole`: the list too, as far as it was loaded. */
  #soon(ms: number, whole = false): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.read(whole), ms);
  }

  async read(whole = this.now === null): Promise<void> {
    const turn = this.#turn;
    try {
      const now = await getDesk(this.login);
      if (turn !== this.#turn) return;
      this.now = { ...now, windows: withWindows(this.now?.windows ?? [], now.windows) };
      // Under a filter the list's own counts stand.
      if (this.filter === NO_FILTER) this.counts = now.counts;
      this.problem = null;
      this.readAtMs = Date.now();
      if (whole) await this.#again();
    } catch (error) {
      if (turn === this.#turn) this.problem = problemOf(error);
    }
    if (turn === this.#turn) this.#soon(this.problem === null ? AGAIN_MS : 5000, this.problem !== null);
  }

  // ————— the list

  show(tab: Tab): void {
    if (tab === "done") this.parts = { ...this.parts, done: NO_PART };
    this.tab = tab;
    this.chosen = new Set();
    this.load();
  }
  setFilter(filter: Filter): void {
    this.filter = filter;
    this.parts = noParts();
    this.waiting = [];
    this.chosen = new Set();
    void this.more();
  }

  /** The first page of each part anew, after a time without news. What stands there keeps its place; what is missing waits. */
  async #again(): Promise<void> {
    if (!Object.values(this.parts).some(({ loaded }) => loaded)) return this.more();
    const turn = this.#turn;
    for (const severity of SEVERITY_ORDER) {
      if (!this.parts[severity].loaded) continue;
      const { cases } = await listCases(this.login, this.#query(severity));
      if (turn !== this.#turn) return;
      for (const one of cases) this.#takeCase(one, true);
    }
    this.#bump();
  }
  #query(of: Tab) {
    return {
      ...(of === "done" ? { state: "done" as const } : { severity: of }),
      ...(this.filter.language === null ? {} : { language: this.filter.language }),
      ...(this.filter.class === null ? {} : { class: this.filter.class }),
      limit: PAGE,
    };
  }

  /** The next page of what the tab still lacks. */
  async more(): Promise<void> {
    if (this.loading) return;
    this.loading = true;
    try {
      for (;;) {
        const { tab, filter } = this;
        const of = wanting(tab, this.parts);
        if (of === null) break;
        const part = this.parts[of];
        const turn = this.#turn;
        const { cases, next, counts } = await listCases(this.login, {
          ...this.#query(of),
          ...(part.next === null ? {} : { cursor: part.next }),
        });
        if (turn !== this.#turn) return;
        // Another filter was chosen meanwhile.
        if (filter !== this.filter || this.parts[of] !== part) continue;
        for (const one of cases) this.#cases.set(one.id, newer(this.#cases.get(one.id), one));
        const early = part.loaded || of === "done" ? [] : this.#early(of, cases);
        const ids = [...new Set([...early, ...part.ids, ...cases.map(({ id }) => id)])];
        this.parts = { ...this.parts, [of]: { ids, next, loaded: true } };
        this.waiting = this.waiting.filter((id) => !ids.includes(id));
        // Of what is done the gateway counts the severities too.
        if (of !== "done") this.counts = counts;
        this.listProblem = null;
        this.#bump();
        this.#keepFocus();
        if (this.rows.length >= FILLED) break;
      }
    } catch (error) {
      this.listProblem = problemOf(error);
    } finally {
      this.loading = false;
    }
  }

  /** The store is a moment behind: what the news have told already, and the first page does not have. */
  #early(of: Severity, page: readonly QueueCase[]): string[] {
    const has = new Set(page.map(({ id }) => id));
    const fromMs = page.at(-1)?.lastAtMs ?? 0;
    return [...this.#cases.values()]
      .filter((one) => one.severity === of && !has.has(one.id) && one.lastAtMs >= fromMs)
      .filter((one) => this.isOpen(one.id) && passes(one, this.filter))
      .toSorted(compare)
      .map(({ id }) => id);
  }

  /** Puts what waited into the list and takes out what is settled. Only a person's hand does this. */
  load(): void {
    const parts = { ...this.parts };
    const waiting = this.waiting.flatMap((id) => this.#cases.get(id) ?? []);
    const moved = new Set(this.waiting);
    for (const severity of SEVERITY_ORDER) {
      const part = parts[severity];
      if (!part.loaded) continue;
      const come = waiting.filter((one) => one.severity === severity);
      const ids = [...part.ids.filter((id) => !moved.has(id)), ...come.map(({ id }) => id)]
        .filter((id) => this.isOpen(id))
        .flatMap((id) => this.get(id) ?? [])
        .toSorted(compare)
        .map(({ id }) => id);
      parts[severity] = { ...part, ids };
    }
    this.parts = parts;
    this.waiting = [];
    this.chosen = new Set([...this.chosen].filter((id) => this.isOpen(id)));
    this.#keepFocus();
    void this.more();
  }

  /** A case is in focus wherever there is one: what was there, else the first that is open and nobody else's. */
  #keepFocus(): void {
    const { rows } = this;
    if (rows.some((row) => row.kind === "case" && row.id === this.focusId)) return;
    const free = (id: string): boolean => this.isOpen(id) && !this.#isHeld(id);
    this.focusId = nextOpen(rows, -1, 1, free) ?? nextOpen(rows, -1, 1, () => true);
  }

  // ————— moving and choosing

  move(step: 1 | -1, all = false): void {
    const { rows } = this;
    const at = rows.findIndex((row) => row.kind === "case" && row.id === this.focusId);
    const open = nextOpen(rows, at, step, (id) => all || this.tab === "done" || this.isOpen(id));
    if (open !== null) this.focusId = open;
    // Near the end: what comes next is asked for before one is there.
    if (step === 1 && at > rows.length - 30) void this.more();
  }
  /** To the next that is open and in nobody else's hands; where none is left, one stays. */
  goOn(without: readonly string[]): void {
    const { rows } = this;
    const at = rows.findIndex((row) => row.kind === "case" && row.id === this.focusId);
    const open = (id: string): boolean => !without.includes(id) && this.isOpen(id);
    const free = (id: string): boolean => open(id) && !this.#isHeld(id);
    this.focusId =
      nextOpen(rows, at, 1, free) ??
      nextOpen(rows, at, 1, open) ??
      nextOpen(rows, at, -1, open) ??
      this.focusId;
    if (at > rows.length - 30) void this.more();
  }
  /** By somebody else. */
  #isHeld(id: string): boolean {
    const claim = standing(this.#cases.get(id)?.claim ?? null, Date.now());
    return claim !== null && keyOf(claim.by) !== this.me?.key;
  }
  extend(step: 1 | -1): void {
    const from = this.focusId;
    this.move(step, true);
    const to = this.focusId;
    if (from !== null && to !== null) this.chosen = new Set([...this.chosen, from, to]);
  }
  toggle(id: string): void {
    const chosen = new Set(this.chosen);
    if (!chosen.delete(id)) chosen.add(id);
    this.chosen = chosen;
  }
  /** From the focus to there. */
  chooseTo(id: string): void {
    const ids = this.rows.flatMap((row) => (row.kind === "case" ? [row.id] : []));
    const [from, to] = [ids.indexOf(this.focusId ?? id), ids.indexOf(id)].toSorted((a, b) => a - b);
    this.chosen = new Set([...this.chosen, ...ids.slice(from, (to ?? 0) + 1)]);
    this.focusId = id;
  }
  /** Everything open of the tab itself, not of the milder ones below it. */
  chooseAll(): void {
    this.chosen = new Set(this.parts[this.tab].ids.filter((id) => this.isOpen(id)));
  }
  chooseOf(userIds: readonly string[]): void {
    const ids = SEVERITY_ORDER.flatMap((severity) => this.parts[severity].ids);
    this.chosen = new Set(
      ids.filter((id) => this.isOpen(id) && userIds.includes(this.#cases.get(id)?.userId ?? "")),
    );
  }
  letGo(): boolean {
    const had = this.chosen.size > 0;
    this.chosen = new Set();
    return had;
  }

  // ————— news

  take(change: ModChange): void {
    switch (change.kind) {
      case "case":
        this.#takeCase(change.case, false);
        break;
      case "desk": {
        const known = this.#cases.get(change.caseId);
        this.#hopes.delete(change.caseId);
        if (known === undefined) this.#soon(SOON_MS);
        else {
          this.#cases.set(change.caseId, { ...known, claim: change.claim });
          this.setDesk(change.caseId, change.desk);
        }
        break;
      }
      case "spike":
        this.#takeSpike(change.spike);
        break;
      case "window":
        if (this.now !== null)
          this.now = { ...this.now, windows: withWindows(this.now.windows, [change.window]) };
        break;
      case "event":
        if (this.now !== null && !this.now.events.some(({ id }) => id === change.event.id))
          this.now = { ...this.now, events: [...this.now.events, change.event].slice(-MOST_EVENTS) };
        break;
      case "entry":
        for (const hear of this.#hearers) hear(change.entry);
        // What it changed of the channel is not in the entry.
        if (change.entry.caseId === null) this.#soon(SOON_MS);
        break;
      case "shift":
        if (this.now !== null) this.now = { ...this.now, shift: change.people };
        break;
    }
    this.#bump();
  }

  #takeCase(come: QueueCase, counted: boolean): void {
    const known = this.#cases.get(come.id);
    const next = newer(known, come);
    if (next === known) return;
    this.#cases.set(come.id, next);
    if (!counted) {
      if (known !== undefined) this.#count(known, -1);
      this.#count(next, 1);
    }
    if (decided(next.desk) || !passes(next, this.filter)) return;
    const stands = this.parts[next.severity].ids.includes(next.id);
    if (!stands && this.parts[next.severity].loaded && !this.waiting.includes(next.id))
      this.waiting = [...this.waiting, next.id];
  }
  #count(one: QueueCase, by: 1 | -1): void {
    if (this.counts === null || !passes(one, this.filter)) return;
    const of = decided(one.desk) ? "done" : one.severity;
    this.counts = { ...this.counts, [of]: Math.max(0, this.counts[of] + by) };
  }
  #takeSpike(spike: SpikeNow): void {
    if (this.now === null) return;
    const known = this.now.spikes.find(({ id }) => id === spike.id);
    if (known !== undefined && known.version > spike.version) return;
    this.now = { ...this.now, spikes: [spike, ...this.now.spikes.filter(({ id }) => id !== spike.id)] };
  }
  setClaim(id: string, claim: Claim | null): void {
    const known = this.#cases.get(id);
    if (known === undefined) return;
    this.#cases.set(id, { ...known, claim });
    this.#bump();
  }
  /** Many changes in one frame are one change of the page. */
  #bump(): void {
    if (this.#bumping) return;
    this.#bumping = true;
    queueMicrotask(() => {
      this.#bumping = false;
      this.#version += 1;
    });
  }

  // ————— what is hoped for, and what came of it (acting.svelte.ts)

  /** Shown instead of what is known, until the gateway has said. */
  hope(ids: readonly string[], desk: (one: QueueCase) => CaseDesk): void {
    for (const id of ids) {
      const one = this.#cases.get(id);
      this.#failures.delete(id);
      if (one !== undefined) this.#hopes.set(id, desk(one));
    }
    this.#bump();
  }
  /** The gateway has taken it. News that came before this answer know more, and stay. */
  hopeHeld(id: string, desk: (hoped: CaseDesk) => CaseDesk): void {
    const hope = this.#hopes.get(id);
    if (hope !== undefined) this.setDesk(id, desk(hope));
  }
  /** `why` null: it is only given up. */
  hopeLost(ids: readonly string[], why: string | null): void {
    for (const id of ids) {
      this.#hopes.delete(id);
      if (why !== null) this.#failures.set(id, why);
    }
    this.#bump();
  }
  setDesk(id: string, desk: CaseDesk): void {
    const one = this.#cases.get(id);
    this.#hopes.delete(id);
    if (one === undefined) return;
    const next = { ...one, desk };
    this.#count(one, -1);
    this.#cases.set(id, next);
    this.#count(next, 1);
    this.#bump();
  }
  setSpike(id: string, change: Partial<Pick<SpikeNow, "snoozedUntilMs" | "resolved">>): void {
    if (this.now === null) return;
    const spikes = this.now.spikes.map((spike) => (spike.id === id ? { ...spike, ...change } : spike));
    this.now = { ...this.now, spikes };
  }
  tell(entries: readonly OpenEntry[]): void {
    for (const entry of entries) for (const hear of this.#hearers) hear(entry);
  }
  /** Something was changed that the news do not tell: soon it is asked for. */
  readSoon(): void {
    this.#soon(SOON_MS);
  }
}
