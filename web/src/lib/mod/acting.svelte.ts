import type { Problem } from "@hypecast/contracts/api.ts";
import type { CaseDesk } from "@hypecast/contracts/mod-change.ts";
import { problemOf } from "../live/api.ts";
import { m } from "../paraglide/messages.js";
import { problemWords } from "../text/problems.ts";
import { toast } from "../toasts.svelte.ts";
import { actOn, getCase, newKey, takeMeasure, undoActs, type ActWish, type MeasureWish } from "./api.ts";
import type { ModDesk } from "./desk.svelte.ts";
import { hoped, undone } from "./optimism.ts";
import { actWord, didWords, measureDidWords } from "./words.ts";

/** Most cases that one call of the API takes. */
const CALL = 500;

interface Call {
  /** The same when it is sent again: nothing is done twice. */
  readonly key: string;
  readonly ids: readonly string[];
  /** What is seen to stand on them and is to be replaced. What another decides meanwhile is not in it, and stays. */
  readonly over: readonly string[];
}

/** What a moderator does to cases and to the channel: shown at once, sent, and corrected by what comes back. */
export class Acting {
  readonly #desk: ModDesk;
  constructor(desk: ModDesk) {
    this.#desk = desk;
  }

  /**
   * Does something to the cases and goes on to the next. What fails stands on its case, with the way to try again under the same key.
   */
  async act(wish: ActWish, ids: readonly string[] = this.#desk.targets): Promise<void> {
    const desk = this.#desk;
    const known = ids.filter((id) => desk.get(id) !== undefined);
    if (known.length === 0 || !desk.mayAct) return;
    const calls: Call[] = [];
    for (let at = 0; at < known.length; at += CALL) {
      const some = known.slice(at, at + CALL);
      const over = some.flatMap((id) => desk.get(id)?.desk.entryId ?? []);
      calls.push({ key: newKey(), ids: some, over });
    }
    if (!["note", "allow_phrase"].includes(wish.act)) {
      if (known.includes(desk.focusId ?? "")) desk.goOn(known);
      desk.letGo();
    }
    await Promise.all(calls.map((call) => this.#send(call, wish)));
  }

  async #send(call: Call, wish: ActWish): Promise<void> {
    const desk = this.#desk;
    const { me } = desk;
    if (me === null) return;
    const recommends = desk.now?.recommends !== null;
    const first = desk.get(call.ids[0] ?? "");
    const who = { key: me.key, login: me.person.login };
    desk.hope(call.ids, (one) => hoped(one.desk, wish, who, Date.now(), recommends));
    try {
      const { entries, decided } = await actOn(desk.login, call, wish);
      // Of an act on several chatters of one case the first entry leads.
      const leads = entries.filter(({ of }) => of === null);
      for (const { caseId, desk: stands } of decided) desk.setDesk(caseId, stands);
      for (const id of call.ids) {
        const entryId = leads.find(({ caseId }) => caseId === id)?.id;
        desk.hopeHeld(id, (hope) => (entryId === undefined ? hope : { ...hope, entryId }));
      }
      desk.tell(entries);
      if (leads.length > 0) this.#offerUndo(call, wish, leads, first?.name ?? "", recommends);
      const [other] = decided;
      if (other !== undefined) this.#offerOver(decided, wish, other.desk);
    } catch (error) {
      await this.#failed(call, wish, problemOf(error));
    }
  }
  #offerUndo(
    call: Call,
    wish: ActWish,
    leads: readonly { id: string; caseId: string | null }[],
    name: string,
    recommends: boolean,
  ): void {
    const caseIds = call.ids.filter((id) => leads.some(({ caseId }) => caseId === id));
    const lines = caseIds.reduce((sum, id) => sum + (this.#desk.get(id)?.count ?? 1), 0);
    const entryIds = leads.map(({ id }) => id);
    const reversible = wish.act !== "review" && wish.act !== "unreview";
    const back = (): void =>
      reversible
        ? void this.undo(entryIds, caseIds)
        : void this.act({ act: wish.act === "review" ? "unreview" : "review" }, caseIds);
    toast(
      didWords(wish, { cases: caseIds.length, lines, name, recommends }),
      { word: m.undo(), run: back },
      { counts: true },
    );
  }
  /** Somebody else was quicker: what they decided stands, unless one says that it shall not. */
  #offerOver(decided: readonly { caseId: string; desk: CaseDesk }[], wish: ActWish, stands: CaseDesk): void {
    const ids = decided.map(({ caseId }) => caseId);
    toast(
      m.mod_decided_by({ name: stands.by ?? m.mod_removed_somebody(), what: actWord(stands.act ?? "") }),
      { word: m.mod_act_anyway(), run: () => void this.act(wish, ids), keyless: true },
    );
  }
  async #failed(call: Call, wish: ActWish, problem: Problem): Promise<void> {
    const desk = this.#desk;
    if (problem.type === "/problems/case_decided") {
      desk.hopeLost(call.ids, null);
      const found = await Promise.all(
        call.ids.slice(0, 20).map((id) => getCase(desk.login, id).catch(() => null)),
      );
      const decided = found.flatMap((one) => (one === null ? [] : [{ caseId: one.case.id, desk: one.desk }]));
      for (const { caseId, desk: stands } of decided) desk.setDesk(caseId, stands);
      const [other] = decided;
      if (other !== undefined) return this.#offerOver(decided, wish, other.desk);
    }
    const why = problemWords(problem);
    desk.hopeLost(call.ids, why);
    toast(m.mod_act_failed({ why }), {
      word: m.mod_try_again(),
      run: () => void this.#send(call, wish),
      keyless: true,
    });
  }

  async undo(entryIds: readonly string[], caseIds: readonly string[]): Promise<void> {
    const desk = this.#desk;
    const [first] = caseIds;
    if (first !== undefined && desk.rows.some(({ key }) => key === first)) desk.focusId = first;
    desk.hope(caseIds, (one) => undone(one.desk));
    try {
      await undoActs(desk.login, newKey(), [...entryIds]);
      for (const id of caseIds) desk.hopeHeld(id, (hope) => hope);
      toast(m.mod_undone());
    } catch (error) {
      desk.hopeLost(caseIds, null);
      toast(m.mod_undo_failed({ why: problemWords(problemOf(error)) }));
    }
  }
  /** Takes back what stands on the case in focus. */
  undoFocus(): void {
    const one = this.#desk.focus;
    if (one === undefined) return;
    if (one.desk.entryId !== null) void this.undo([one.desk.entryId], [one.id]);
    else if (one.desk.reviewedBy.includes(this.#desk.me?.key ?? ""))
      void this.act({ act: "unreview" }, [one.id]);
    else toast(m.mod_nothing_to_undo());
  }
  /** Looked at, by this person; the same key takes it back. */
  review(): void {
    const desk = this.#desk;
    const me = desk.me?.key ?? "";
    const all = desk.targets.every((id) => desk.get(id)?.desk.reviewedBy.includes(me));
    void this.act({ act: all ? "unreview" : "review" });
  }

  /** A measure for the channel, or a word about a spike. */
  async measure(wish: MeasureWish): Promise<void> {
    const desk = this.#desk;
    if (!desk.mayAct) return;
    try {
      const { entries } = await takeMeasure(desk.login, newKey(), wish);
      const spikeId = wish.spikeId ?? "";
      if (wish.act === "snooze")
        desk.setSpike(spikeId, {
          snoozedUntilMs: (wish.durationS ?? 0) === 0 ? null : Date.now() + (wish.durationS ?? 0) * 1000,
        });
      if (wish.act === "resolve") desk.setSpike(spikeId, { resolved: wish.words ?? "" });
      const entryIds = entries.map(({ id }) => id);
      toast(
        measureDidWords(wish, desk.now?.recommends !== null),
        { word: m.undo(), run: () => void this.#undoMeasure(entryIds) },
        { counts: true },
      );
      desk.readSoon();
    } catch (error) {
      toast(m.mod_act_failed({ why: problemWords(problemOf(error)) }));
    }
  }
  async #undoMeasure(entryIds: string[]): Promise<void> {
    const desk = this.#desk;
    try {
      await undoActs(desk.login, newKey(), entryIds);
      toast(m.mod_undone());
      desk.readSoon();
    } catch (error) {
      toast(m.mod_undo_failed({ why: problemWords(problemOf(error)) }));
    }
  }
}
