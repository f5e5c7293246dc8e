import type { NatsConnection } from "@nats-io/transport-node";
import type { Claim, JournalEntry } from "@hypecast/contracts/journal.ts";
import type { CaseDesk, ModChange, ModSpike } from "@hypecast/contracts/mod-change.ts";
import type { ModEvent } from "@hypecast/contracts/mod-event.ts";
import type { Topic } from "@hypecast/contracts/push.ts";
import type { ToxicityScores, ToxicitySpike, ToxicityWindow } from "@hypecast/contracts/toxicity.ts";
import type { Journal } from "@hypecast/runtime/journal.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { Secret } from "@hypecast/runtime/secret.ts";
import type { Ask } from "../ask.ts";
import type { Cache } from "../cache.ts";
import type { Channels } from "../channels.ts";
import type { Hub } from "../push/hub.ts";
import type { AccountAge } from "./account-age.ts";
import { createActs, type Acts } from "./acts.ts";
import { createCases, listedOf, type Cases, type Listed } from "./cases.ts";
import { watchClaims, type Claims } from "./claims.ts";
import { feedModeration } from "./feed.ts";
import { holdJournals, type Journals } from "./journals.ts";
import { watchPolicies, type Policies } from "./policies.ts";
import { createReport, type Report } from "./reports.ts";
import { createShifts, type Shifts } from "./shifts.ts";

const WINDOWS_MS = 20 * 60_000;
const SPIKES_MS = 6 * 3_600_000;
const EVENTS = 200;
const WATCHING_MS = 10_000;

/** What came of one channel in the last minutes: the store has it too, a moment later. */
export interface Recent {
  readonly spikes: Map<string, ToxicitySpike>;
  windows: ToxicityWindow[];
  events: ModEvent[];
  scores: Pick<ToxicityScores, "model" | "toMs"> | null;
}

/** Moderation as the gateway knows it. */
export interface Mod {
  readonly journal: Journal;
  readonly journals: Journals;
  readonly cases: Cases;
  readonly claims: Claims;
  readonly policies: Policies;
  readonly acts: Acts;
  readonly shifts: Shifts;
  readonly report: Report;
  readonly accountAge: AccountAge;
  recent(channelId: string): Recent;
  deskOf(channelId: string, caseId: string): CaseDesk;
  claimOf(caseId: string): Claim | null;
  spikeOf(spike: ToxicitySpike): ModSpike;
  readonly ready: () => boolean;
  close(): void;
}

export async function openMod({
  nc,
  journal,
  secret,
  ask,
  hub,
  channels,
  cache,
  accountAge,
  rawHours,
  log,
}: {
  nc: NatsConnection;
  journal: Journal;
  secret: Secret;
  ask: Ask;
  cache: Cache;
  accountAge: AccountAge;
  hub: Hub;
  channels: Pick<Channels, "loginOf" | "idOf">;
  rawHours: number;
  log: Logger;
}): Promise<Mod> {
  const cases = createCases(ask);
  const recents = new Map<string, Recent>();
  const recent = (channelId: string): Recent => {
    let found = recents.get(channelId);
    if (found === undefined)
      recents.set(channelId, (found = { spikes: new Map(), windows: [], events: [], scores: null }));
    return found;
  };
  const tell = (channelId: string, change: ModChange): void => {
    const login = channels.loginOf(channelId);
    if (login === null) return;
    const topic: Topic = `mod:${login}`;
    hub.publish(topic, JSON.stringify(change), Date.now());
  };

  const deskOf = (channelId: string, caseId: string): CaseDesk =>
    journals.of(channelId).desk.caseDesk(caseId);
  const claims = await watchClaims(nc, (caseId, channelId) => tellDesk(channelId, caseId), log);
  const tellDesk = (channelId: string, caseId: string): void =>
    tell(channelId, { kind: "desk", caseId, desk: deskOf(channelId, caseId), claim: claims.of(caseId) });
  const spikeOf = (spike: ToxicitySpike): ModSpike => ({
    ...spike,
    ...journals.of(spike.channelId).desk.spike(spike.id),
  });
  const tellSpike = (spike: ToxicitySpike): void =>
    tell(spike.channelId, { kind: "spike", spike: spikeOf(spike) });

  /** Entries are opened one after the other, so that they are told in their order. */
  let telling: Promise<unknown> = Promise.resolve();
  const tellEntry = (entry: JournalEntry): void => {
    telling = telling
      .then(async () => tell(entry.channelId, { kind: "entry", entry: await journal.open(entry) }))
      .catch((error: unknown) => log.warn({ err: error }, "an entry could not be opened to be shown"));
  };

  const policies = await watchPolicies(nc, () => journals, rawHours, log);
  const journals = holdJournals(
    nc,
    journal,
    (entry, { caseId, spikeId }, isNews) => {
      policies.told(entry);
      if (!isNews) return;
      if (caseId !== null) tellDesk(entry.channelId, caseId);
      const spike = spikeId === null ? undefined : recent(entry.channelId).spikes.get(spikeId);
      if (spike !== undefined) tellSpike(spike);
      tellEntry(entry);
    },
    log,
  );
  const shifts = createShifts(nc, (channelId, people) => tell(channelId, { kind: "shift", people }));

  // Whoever has the page open is at it, also while nothing happens there.
  const watching = setInterval(() => {
    for (const [login, person] of hub.holders("mod")) {
      const channelId = channels.idOf(login);
      if (channelId !== null) shifts.seen(channelId, person);
    }
  }, WATCHING_MS);

  const feed = feedModeration(
    nc,
    {
      case(one) {
        cases.take(one);
        const listed: Listed = listedOf(one);
        tell(one.channelId, {
          kind: "case",
          case: { ...listed, desk: deskOf(one.channelId, one.id), claim: claims.of(one.id) },
        });
      },
      spike(spike) {
        const { spikes } = recent(spike.channelId);
        if ((spikes.get(spike.id)?.version ?? 0) > spike.version) return;
        spikes.delete(spike.id);
        spikes.set(spike.id, spike);
        for (const [id, { state, endMs }] of spikes)
          if (state === "ended" && (endMs ?? 0) < Date.now() - SPIKES_MS) spikes.delete(id);
        tellSpike(spike);
      },
      window(window) {
        const known = recent(window.channelId);
        known.windows = [
          ...known.windows.filter(
            ({ id, startMs }) => id !== window.id && startMs > window.startMs - WINDOWS_MS,
          ),
          window,
        ];
        tell(window.channelId, { kind: "window", window });
      },
      event(event) {
        const known = recent(event.channelId);
        // Heard by IRC and by EventSub it is one; what EventSub says is fuller.
        const same = known.events.find(({ id }) => id === event.id);
        if (same !== undefined && same.heardBy === "eventsub") return;
        known.events = [...known.events.filter(({ id }) => id !== event.id), event].slice(-EVENTS);
        tell(event.channelId, { kind: "event", event });
      },
      scores({ channelId, model, toMs }) {
        recent(channelId).scores = { model, toMs };
      },
      erase({ channelId, userId, login }) {
        cases.forget(channelId, userId);
        const known = recent(channelId);
        known.events = known.events.filter((event) => event.targetUserId !== userId);
        for (const [id, spike] of known.spikes)
          if (spike.topUsers.some(([who]) => who === userId)) known.spikes.delete(id);
        const of = channels.loginOf(channelId);
        if (of === null) return;
        hub.rewrite(`mod:${of}`, (d) => (d.includes(`"${userId}"`) || d.includes(`"${login}"`) ? null : d));
      },
    },
    log,
  );

  return {
    journal,
    journals,
    cases,
    claims,
    policies,
    acts: createActs({ journal, journals, cases, ask }),
    shifts,
    report: createReport(nc, secret, ask, cache),
    accountAge,
    recent,
    deskOf,
    claimOf: (caseId) => claims.of(caseId),
    spikeOf,
    ready: () => journals.ready() && policies.ready(),
    close() {
      clearInterval(watching);
      for (const part of [feed, shifts, journals, policies, claims]) part.close();
    },
  };
}
