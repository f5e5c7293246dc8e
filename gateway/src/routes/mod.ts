import type { z } from "zod";
import type { modRoutes, UserCard } from "@hypecast/contracts/api-mod.ts";
import { waits } from "@hypecast/contracts/desk.ts";
import {
  HOUSE,
  personKey,
  type ChannelPolicy,
  type JournalEntry,
  type OpenEntry,
  type Person,
} from "@hypecast/contracts/journal.ts";
import type { ModCase } from "@hypecast/contracts/mod-case.ts";
import type { QueueCase } from "@hypecast/contracts/mod-change.ts";
import {
  modAllowPreview,
  modContextLines,
  modEffectOf,
  modEntries,
  modPrecision,
  modQueue,
  modRecent,
  modThresholds,
  modUserCard,
} from "@hypecast/contracts/question-mod.ts";
import { whoActs } from "@hypecast/runtime/acting.ts";
import type { Listed } from "../mod/cases.ts";
import { HELD_MS } from "../mod/journals.ts";
import { logAnswer } from "../mod/log.ts";
import { ProblemError } from "../problems.ts";
import { askedOf } from "./asked.ts";
import { given } from "./given.ts";
import type { Handlers, Parts } from "./handlers.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** The queue looks back so far: less than journals are held, so that nothing in it was decided before. */
const QUEUE_MS = HELD_MS - DAY_MS;
/** As many cases as a question may name. */
const MOST_NAMED = 10_000;
const WINDOWS_MS = 20 * MINUTE_MS;
const FIGURES_MS = 30 * DAY_MS;
const EFFECT_MS = 7 * DAY_MS;
const RECENT_EVENTS = 100;
const USER_LINES = 50;
const MOST_ENTRIES = 500;

type Counts = z.output<typeof modRoutes.modCases.result>["counts"];

/** A channel's moderation, for those who may moderate it. */
export function modHandlers(parts: Parts) {
  const { ask, mod, roles, accounts, kept, videoStates } = parts;
  const { channelIdOf: idOf } = askedOf(parts);

  /** Until the journal has been read, nobody is told what stands in it. */
  const channelOf = (login: string): string => {
    const channelId = idOf(login);
    if (!mod.ready())
      throw new ProblemError("journal_unread", "what was decided so far is being read", {
        "Retry-After": "1",
      });
    return channelId;
  };
  /** Of a channel, or of the house: sign-ins and what else belongs to no channel are the operator's to read. */
  const journalOf = (login: string, person: Person): string => {
    if (login !== HOUSE) return channelOf(login);
    roles.authoriseOperator(person);
    return HOUSE;
  };
  const open = (entries: readonly JournalEntry[]): Promise<OpenEntry[]> =>
    Promise.all(entries.map((entry) => mod.journal.open(entry)));
  const openAccounts = (person: Person, channelId: string) => ({
    own: person.kind === "twitch" ? accounts.of.get(person.userId) : null,
    broadcaster: accounts.of.get(channelId),
  });

  /** From when on text of removed lines is shown; to the minute, so that one answer serves all who ask. */
  const shownFrom = ({ deletedHours }: ChannelPolicy): number =>
    Math.floor((Date.now() - deletedHours * HOUR_MS) / MINUTE_MS) * MINUTE_MS;
  const queued = (channelId: string, one: Listed & { kept?: boolean }): QueueCase => {
    const hides = one.removed >= one.count && one.lastAtMs < shownFrom(mod.policies.of(channelId));
    return {
      ...one,
      text: hides ? "" : one.text,
      desk: mod.deskOf(channelId, one.id),
      claim: mod.claimOf(one.id),
    };
  };
  /** Cases of the queue that wait for nobody, the newest decisions first. */
  const decided = new Map<string, { of: unknown; entries: number; ids: string[] }>();
  const decidedIn = (channelId: string): string[] => {
    const { desk, entries } = mod.journals.of(channelId);
    const known = decided.get(channelId);
    if (known !== undefined && known.of === desk && known.entries === entries.length) return known.ids;
    const ids = [...desk.cases()]
      .filter((id) => !waits(desk.caseDesk(id)))
      .toReversed()
      .slice(0, MOST_NAMED);
    decided.set(channelId, { of: desk, entries: entries.length, ids });
    return ids;
  };
  const queue = async (
    channelId: string,
    asked: Partial<z.input<typeof modQueue.ask>> & { limit: number },
  ): Promise<z.infer<typeof modQueue.answer>> =>
    JSON.parse(
      await ask(modQueue, {
        channelId,
        sinceMs: Math.floor((Date.now() - QUEUE_MS) / MINUTE_MS) * MINUTE_MS,
        ...given(asked),
      }),
    ) as z.infer<typeof modQueue.answer>;

  /** The newest of both, as the journal has them in memory and, where that does not reach so far, as the store has them. */
  const entriesOf = async (
    channelId: string,
    fits: (entry: JournalEntry) => boolean,
    older: Partial<z.input<typeof modEntries.ask>> | null,
  ): Promise<OpenEntry[]> => {
    const held = mod.journals.of(channelId).entries.filter(fits);
    const far =
      older === null
        ? []
        : await ask(modEntries, { channelId, limit: MOST_ENTRIES, ...older }).then(
            (text) => (JSON.parse(text) as z.infer<typeof modEntries.answer>).entries,
            (): JournalEntry[] => [],
          );
    const all = new Map([...far, ...held].map((entry) => [entry.id, entry]));
    return open([...all.values()].sort((a, b) => b.number - a.number).slice(0, MOST_ENTRIES));
  };

  return {
    async modDesk({ params: { login }, person }) {
      const channelId = channelOf(login);
      mod.shifts.seen(channelId, person);
      mod.journals.warm(channelId);
      const nowMs = Date.now();
      const sinceMs = Math.floor((nowMs - WINDOWS_MS) / MINUTE_MS) * MINUTE_MS;
      const near = mod.recent(channelId);
      const done = decidedIn(channelId);
      // While the store is away the desk opens on what came meanwhile.
      const [far, counts] = await Promise.all([
        ask(modRecent, { channelId, sinceMs, events: RECENT_EVENTS }).then(
          (text) => JSON.parse(text) as z.infer<typeof modRecent.answer>,
          () => null,
        ),
        queue(channelId, { except: done, limit: 1 }).then(
          (answer) => answer.counts,
          () => mod.cases.waiting(channelId, (id) => waits(mod.deskOf(channelId, id))),
        ),
      ]);
      const windows = newest([...(far?.windows ?? []), ...near.windows], ({ id }) => id)
        .filter(({ startMs }) => startMs >= sinceMs)
        .sort((a, b) => a.startMs - b.startMs);
      const last = windows.at(-1);
      const lately = windows.filter(({ startMs }) => startMs >= nowMs - 10 * MINUTE_MS);
      const { own, broadcaster } = openAccounts(person, channelId);
      const acting = whoActs(person, "ban", own, broadcaster);
      const role = roles.roleIn(person, login) ?? "moderator";
      return {
        me: { person, role, key: personKey(person) },
        recommends: "because" in acting ? acting.because : null,
        spikes: newest(
          [...(far?.spikes ?? []), ...near.spikes.values()].sort((a, b) => a.version - b.version),
          ({ id }) => id,
        )
          .sort((a, b) => b.startMs - a.startMs)
          .map((spike) => mod.spikeOf(spike)),
        windows,
        events: newest([...(far?.events ?? []), ...near.events], ({ id }) => id)
          .sort((a, b) => b.atMs - a.atMs)
          .slice(0, RECENT_EVENTS),
        counts: { ...counts, done: done.length },
        policy: mod.policies.of(channelId),
        shift: mod.shifts.of(channelId),
        scoring: {
          behindS: last === undefined ? null : Math.max(0, (nowMs - last.startMs) / 1000 - last.sizeS),
          unknown: lately.reduce((sum, { unknown }) => sum + unknown, 0),
          scored: lately.reduce((sum, { scored }) => sum + scored, 0),
          model: near.scores?.model ?? far?.model ?? null,
        },
      };
    },

    async modCases({ params: { login }, query: { state, cursor, limit, ...filter } }) {
      const channelId = channelOf(login);
      const done = decidedIn(channelId);
      if (state === "done" && done.length === 0)
        return { cases: [], next: null, counts: { critical: 0, alert: 0, watch: 0, done: 0 } };
      const named = state === "done" ? { only: done } : { except: done };
      const answer = await queue(channelId, { ...filter, ...named, ...given({ cursor }), limit });
      const counts: Counts = { ...answer.counts, done: done.length };
      return { cases: answer.cases.map((one) => queued(channelId, one)), next: answer.next, counts };
    },

    async modCase({ params: { login, id } }) {
      const channelId = channelOf(login);
      const [found] = await mod.cases.get(channelId, [id]);
      if (found === undefined) throw new ProblemError("case_not_found", "there is no such case");
      const nowMs = Date.now();
      const isOld = found.firstAtMs < nowMs - QUEUE_MS;
      const [entries, precision] = await Promise.all([
        entriesOf(channelId, (entry) => entry.caseId === id, isOld ? { caseIds: [id] } : null),
        ask(modPrecision, { channelId, ...spanUntil(nowMs, FIGURES_MS) }).then(
          (text) =>
            (JSON.parse(text) as z.infer<typeof modPrecision.answer>).classes.find(
              (one) => one.class === found.class,
            ) ?? null,
          () => null,
        ),
      ]);
      return {
        case: withoutRemoved(found, shownFrom(mod.policies.of(channelId))),
        desk: mod.deskOf(channelId, id),
        claim: mod.claimOf(id),
        entries,
        precision,
      };
    },

    async modContext({ params: { login }, query }) {
      const channelId = channelOf(login);
      const showRemovedFromMs = shownFrom(mod.policies.of(channelId));
      const [text, segments] = await Promise.all([
        ask(modContextLines, { channelId, ...query, showRemovedFromMs }),
        kept
          .within(videoStates.get(login), query.atMs - 1000, query.atMs + 1000)
          .catch((): readonly unknown[] => []),
      ]);
      return {
        ...(JSON.parse(text) as z.infer<typeof modContextLines.answer>),
        hasVideo: segments.length > 0,
      };
    },

    async modUser({ params: { login, userId }, person }) {
      const channelId = channelOf(login);
      const target = mod.journal.people.targetOf(userId);
      const [text, entries, record, accountCreatedAtMs] = await Promise.all([
        ask(modUserCard, {
          channelId,
          userId,
          lines: USER_LINES,
          showRemovedFromMs: shownFrom(mod.policies.of(channelId)),
        }),
        entriesOf(channelId, (entry) => entry.target === target, { target }),
        mod.journal.people.get(target),
        mod.accountAge(userId, openAccounts(person, channelId)),
      ]);
      const card = JSON.parse(text) as z.infer<typeof modUserCard.answer>;
      return {
        ...card,
        accountCreatedAtMs,
        login: card.login === "" ? (record?.login ?? "") : card.login,
        earlierNames: [...new Set([...card.earlierNames, ...(record?.earlier ?? [])])],
        entries,
      } satisfies UserCard;
    },

    async modClaim({ params: { login, id }, body, person }) {
      const channelId = channelOf(login);
      await mod.cases.get(channelId, [id]);
      mod.shifts.seen(channelId, person);
      return { claim: await mod.claims.change(channelId, id, person, body) };
    },

    async modAct({ params: { login }, body, person }) {
      const channelId = channelOf(login);
      mod.shifts.seen(channelId, person);
      const answer = await mod.acts.decide(channelId, body, person);
      if (body.act === "allow_phrase")
        await mod.policies.change(channelId, { add: [body.words.trim()] }, person, body.key);
      return answer;
    },

    async modChannelAct({ params: { login }, body, person }) {
      const channelId = channelOf(login);
      mod.shifts.seen(channelId, person);
      return { entries: await mod.acts.measure(channelId, body, person) };
    },

    async modUndo({ params: { login }, body, person }) {
      const channelId = channelOf(login);
      const entries = await mod.acts.undo(channelId, body, person);
      const drop: string[] = [];
      for (const { of } of entries) {
        const undone = of === null ? null : mod.journals.entry(channelId, of);
        if (undone?.act !== "allow_phrase") continue;
        const { private: about } = await mod.journal.open(undone);
        if (about !== null) drop.push(about.words.trim());
      }
      if (drop.length > 0) await mod.policies.change(channelId, { drop }, person, body.key);
      return { entries };
    },

    async modComment({ params: { login, id }, body, person }) {
      return { entry: await mod.acts.comment(channelOf(login), id, body, person) };
    },

    modLog: async ({ params: { login }, query, person }) =>
      logAnswer({ ask, mod }, login, journalOf(login, person), query),

    modVerify: async ({ params: { login }, person }) => mod.journal.verify(journalOf(login, person)),

    async modEffect({ params: { login }, query: { from, to }, person }) {
      const channelId = channelOf(login);
      const toMs = to ?? Date.now();
      const fromMs = from ?? toMs - EFFECT_MS;
      if (fromMs >= toMs) throw new ProblemError("invalid_parameters", "from: must be before to");
      const effect = JSON.parse(await ask(modEffectOf, { channelId, fromMs, toMs })) as z.infer<
        typeof modEffectOf.answer
      >;
      // How much each person has on them is the broadcaster's to see.
      return roles.may(person, login, "broadcaster") ? effect : { ...effect, load: null };
    },

    async modPolicy({ params: { login } }) {
      const channelId = channelOf(login);
      const policy = mod.policies.of(channelId);
      const said = await ask(modThresholds, {
        channelId,
        ...spanUntil(Date.now(), FIGURES_MS),
        current: policy.thresholds,
      }).then(
        (text) => JSON.parse(text) as z.infer<typeof modThresholds.answer>,
        () => null,
      );
      return { policy, suggested: said?.suggested ?? null, why: said?.why ?? null };
    },

    async changeModPolicy({ params: { login }, body: { key, ...change }, person }) {
      const channelId = channelOf(login);
      const { rawHours } = mod.policies.of(channelId);
      if (change.rawHours !== undefined && change.rawHours !== rawHours)
        roles.authorise(person, login, "broadcaster");
      return { policy: await mod.policies.change(channelId, given(change), person, key) };
    },

    async previewAllow({ params: { login }, query: { phrase } }) {
      const channelId = channelOf(login);
      const answer = JSON.parse(
        await ask(modAllowPreview, {
          channelId,
          phrase,
          sinceMs: Math.floor((Date.now() - DAY_MS) / MINUTE_MS) * MINUTE_MS,
        }),
      ) as z.infer<typeof modAllowPreview.answer>;
      return {
        cases: answer.cases,
        decidedRight: answer.decidedRight,
        examples: answer.examples.map((one) => queued(channelId, one)),
      };
    },

    async modReport({ params: { login }, body: { lineId, atMs }, person }) {
      const channelId = channelOf(login);
      await mod.report(channelId, { lineId, atMs }, person);
      return {};
    },
  } satisfies Partial<Handlers>;
}

const spanUntil = (nowMs: number, spanMs: number): { fromMs: number; toMs: number } => {
  const toMs = Math.ceil(nowMs / MINUTE_MS) * MINUTE_MS;
  return { fromMs: toMs - spanMs, toMs };
};

/** Of each only what comes last. */
const newest = <Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] => [
  ...new Map(items.map((item) => [keyOf(item), item])).values(),
];

/** Text of lines that were removed too long ago is not told. */
function withoutRemoved(one: ModCase, shownFromMs: number): ModCase {
  const isHidden = (removedAtMs: number | null): boolean => removedAtMs !== null && removedAtMs < shownFromMs;
  const worst = one.lines.find(({ lineId }) => lineId === one.lineId);
  return {
    ...one,
    text: isHidden(worst?.removedAtMs ?? null) ? "" : one.text,
    lines: one.lines.map((line) => (isHidden(line.removedAtMs) ? { ...line, text: "" } : line)),
  };
}
