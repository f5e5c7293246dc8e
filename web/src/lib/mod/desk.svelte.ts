import type { Problem } from "@hypecast/contracts/api.ts";
import type { Claim, OpenEntry } from "@hypecast/contracts/journal.ts";
import type { CaseDesk, ModChange, QueueCase } from "@hypecast/contracts/mod-change.ts";
import { problemOf } from "../live/api.ts";
import type { LiveSocket } from "../live/socket.ts";
import { m } from "../paraglide/messages.js";
import { problemWords } from "../text/problems.ts";
import { toast } from "../toasts.svelte.ts";
import {
  actOn,
  getDesk,
  listCases,
  newKey,
  takeMeasure,
  undoActs,
  type ActWish,
  type Counts,
  type DeskNow,
  type MeasureWish,
  type SpikeNow,
} from "./api.ts";
import { didWords, measureDidWords } from "./words.ts";
import { withWindows } from "./minutes.ts";
import { hoped, undone } from "./optimism.ts";
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
/** Most cases that one call of the API takes. */
const CALL = 500;
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
 * A channel's moderation as this page knows it: spikes, the queue, what was decided. Truth is the gateway's; what a person does here is shown
 * at once and corrected by what comes back. The list never moves by itself: new and changed cases wait until `load`.
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
      this.counts = now.counts;
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
        const ids = [...new Set([...part.ids, ...cases.map(({ id }) => id)])];
        this.parts = { ...this.parts, [of]: { ids, next, loaded: true } };
        this.waiting = this.waiting.filter((id) => !ids.includes(id));
        this.counts = counts;
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
    const free = (id: string): boolean => this.isOpen(id) && this.#cases.get(id)?.claim == null;
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
          this.#count(known, -1);
          const next = { ...known, desk: change.desk, claim: change.claim };
          this.#cases.set(change.caseId, next);
          this.#count(next, 1);
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
  #takeSpike(spike: Omit<SpikeNow, "snoozedUntilMs" | "resolved">): void {
    if (this.now === null) return;
    const known = this.now.spikes.find(({ id }) => id === spike.id);
    if (known !== undefined && known.version > spike.version) return;
    const next = {
      ...spike,
      snoozedUntilMs: known?.snoozedUntilMs ?? null,
      resolved: known?.resolved ?? null,
    };
    this.now = { ...this.now, spikes: [next, ...this.now.spikes.filter(({ id }) => id !== spike.id)] };
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

  // ————— acting

  /**
   * Does something to the cases, shows it at once, and goes on to the next. What fails stands on its case, with the way to try again under
   * the same key, so that nothing is done twice.
   */
  async act(wish: ActWish, ids: readonly string[] = this.targets): Promise<void> {
    const known = ids.filter((id) => this.#cases.has(id));
    if (known.length === 0 || !this.mayAct) return;
    const calls: { key: string; ids: string[] }[] = [];
    for (let at = 0; at < known.length; at += CALL)
      calls.push({ key: newKey(), ids: known.slice(at, at + CALL) });
    if (!["note", "allow_phrase"].includes(wish.act)) {
      if (known.includes(this.focusId ?? "")) this.#goOn(known);
      this.chosen = new Set();
    }
    await Promise.all(calls.map((call) => this.#send(call, wish)));
  }
  /** To the next that is open; where none is left, one stays. */
  #goOn(without: readonly string[]): void {
    const { rows } = this;
    const at = rows.findIndex((row) => row.kind === "case" && row.id === this.focusId);
    const open = (id: string): boolean => !without.includes(id) && this.isOpen(id);
    const next = nextOpen(rows, at, 1, open) ?? nextOpen(rows, at, -1, open);
    if (next !== null) this.focusId = next;
    if (at > rows.length - 30) void this.more();
  }

  async #send(call: { key: string; ids: string[] }, wish: ActWish): Promise<void> {
    const me = this.me;
    if (me === null) return;
    const who = { key: me.key, login: me.person.login };
    const recommends = this.now?.recommends !== null;
    for (const id of call.ids) {
      const one = this.#cases.get(id);
      this.#failures.delete(id);
      if (one !== undefined) this.#hopes.set(id, hoped(one.desk, wish, who, Date.now(), recommends));
    }
    this.#bump();
    const lines = call.ids.reduce((sum, id) => sum + (this.#cases.get(id)?.count ?? 1), 0);
    const first = this.#cases.get(call.ids[0] ?? "");
    try {
      const { entries } = await actOn(this.login, call.ids, call.key, wish);
      for (const id of call.ids) {
        const hope = this.#hopes.get(id);
        const one = this.#cases.get(id);
        const entry = entries.find(({ caseId }) => caseId === id);
        // News were quicker than the answer: they know more.
        if (hope !== undefined && one !== undefined) {
          this.#hopes.delete(id);
          const next = { ...one, desk: { ...hope, entryId: entry?.id ?? hope.entryId } };
          this.#count(one, -1);
          this.#cases.set(id, next);
          this.#count(next, 1);
        }
      }
      for (const entry of entries) for (const hear of this.#hearers) hear(entry);
      toast(
        didWords(wish, { cases: call.ids.length, lines, name: first?.name ?? "", recommends }),
        {
          word: m.undo(),
          run: () =>
            void this.undo(
              entries.map(({ id }) => id),
              call.ids,
            ),
        },
        { counts: true },
      );
    } catch (error) {
      const words = problemWords(problemOf(error));
      for (const id of call.ids) {
        this.#hopes.delete(id);
        this.#failures.set(id, words);
      }
      toast(m.mod_act_failed({ why: words }), {
        word: m.mod_try_again(),
        run: () => void this.#send(call, wish),
        keyless: true,
      });
    }
    this.#bump();
  }

  async undo(entryIds: readonly string[], caseIds: readonly string[]): Promise<void> {
    const key = newKey();
    for (const id of caseIds) {
      const one = this.#cases.get(id);
      if (one !== undefined) this.#hopes.set(id, undone(one.desk));
    }
    const [first] = caseIds;
    if (first !== undefined && this.rows.some((row) => row.key === first)) this.focusId = first;
    this.#bump();
    try {
      await undoActs(this.login, key, [...entryIds]);
      for (const id of caseIds) {
        const one = this.#cases.get(id);
        if (one === undefined || !this.#hopes.delete(id)) continue;
        this.#count(one, -1);
        const next = { ...one, desk: undone(one.desk) };
        this.#cases.set(id, next);
        this.#count(next, 1);
      }
      toast(m.mod_undone());
    } catch (error) {
      for (const id of caseIds) this.#hopes.delete(id);
      toast(m.mod_undo_failed({ why: problemWords(problemOf(error)) }));
    }
    this.#bump();
  }
  /** Takes back what stands on the case in focus. */
  undoFocus(): void {
    const one = this.focus;
    if (one === undefined) return;
    if (one.desk.entryId !== null) void this.undo([one.desk.entryId], [one.id]);
    else if (one.desk.reviewedBy.includes(this.me?.key ?? "")) void this.act({ act: "unreview" }, [one.id]);
    else toast(m.mod_nothing_to_undo());
  }
  /** Looked at, by this person; the same key takes it back. */
  review(): void {
    const me = this.me?.key ?? "";
    const all = this.targets.every((id) => this.get(id)?.desk.reviewedBy.includes(me));
    void this.act({ act: all ? "unreview" : "review" });
  }

  /** A measure for the channel, or a word about a spike. */
  async measure(wish: MeasureWish): Promise<void> {
    if (!this.mayAct) return;
    const spikes = this.now?.spikes ?? [];
    try {
      const { entries } = await takeMeasure(this.login, newKey(), wish);
      if (this.now !== null && (wish.act === "snooze" || wish.act === "resolve"))
        this.now = {
          ...this.now,
          spikes: spikes.map((spike) =>
            spike.id !== wish.spikeId
              ? spike
              : wish.act === "snooze"
                ? { ...spike, snoozedUntilMs: Date.now() + (wish.durationS ?? 0) * 1000 }
                : { ...spike, resolved: wish.words ?? "" },
          ),
        };
      toast(
        measureDidWords(wish, this.now?.recommends !== null),
        {
          word: m.undo(),
          run: () => {
            void this.#undoMeasure(entries.map(({ id }) => id));
          },
        },
        { counts: true },
      );
      this.#soon(SOON_MS);
    } catch (error) {
      toast(m.mod_act_failed({ why: problemWords(problemOf(error)) }));
    }
  }
  async #undoMeasure(entryIds: string[]): Promise<void> {
    try {
      await undoActs(this.login, newKey(), entryIds);
      toast(m.mod_undone());
      this.#soon(0);
    } catch (error) {
      toast(m.mod_undo_failed({ why: problemWords(problemOf(error)) }));
    }
  }
}
