import { z } from "zod";
import { jetstream } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { subjectOf } from "@hypecast/contracts/event.ts";
import {
  channelPolicy,
  POLICY_BUCKET,
  type ChannelPolicy,
  type JournalEntry,
  type Person,
} from "@hypecast/contracts/journal.ts";
import { modPolicy, thresholds, type ModPolicy } from "@hypecast/contracts/mod-case.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { keepBucket, onBus } from "../bucket.ts";
import { ProblemError } from "../problems.ts";
import type { Journals } from "./journals.ts";
import { entryId } from "./plan.ts";

/** Raw text is kept for a day without anybody's consent. */
const FREE_HOURS = 24;
const MOST_PHRASES = 500;

export type PolicyChange = Partial<Pick<ChannelPolicy, "thresholds" | "allow" | "rawHours" | "deletedHours">>;

export interface Policies {
  of(channelId: string): ChannelPolicy;
  /**
   * Changes it: the journal has the change first, then the record and the folds are told; whoever dies in between has it done by whoever reads
   * the journal next. `add`, `drop`: phrases besides those that are allowed. The same key twice is one change. Throws ProblemError.
   */
  change(
    channelId: string,
    change: PolicyChange & { readonly add?: readonly string[]; readonly drop?: readonly string[] },
    by: Person,
    key: string,
  ): Promise<ChannelPolicy>;
  /** To be told of every entry of the journal: changes that the record does not have yet are brought there. */
  readonly told: (entry: JournalEntry) => void;
  readonly ready: () => boolean;
  close(): void;
}

export async function watchPolicies(
  nc: NatsConnection,
  journals: () => Journals,
  rawHours: number,
  log: Logger,
): Promise<Policies> {
  const kept = await keepBucket(nc, POLICY_BUCKET, channelPolicy, log);
  const first = (channelId: string): ChannelPolicy => ({
    channelId,
    thresholds: thresholds.parse({}),
    allow: [],
    rawHours: Math.min(rawHours, FREE_HOURS),
    consent: null,
    deletedHours: FREE_HOURS,
    revision: 0,
    atMs: 0,
  });
  /** The record, and what the journal says besides. */
  const now = (channelId: string): ChannelPolicy =>
    journals()
      .of(channelId)
      .entries.reduce(policyAfter, kept.get(channelId) ?? first(channelId));

  /** The folds know policy from the log alone. The same revision said twice says the same. */
  async function tell(policy: ChannelPolicy): Promise<void> {
    const said: ModPolicy = {
      id: `${policy.channelId}:policy:${policy.revision}`,
      channelId: policy.channelId,
      atMs: policy.atMs,
      thresholds: policy.thresholds,
      allow: policy.allow,
    };
    await onBus(() =>
      jetstream(nc).publish(subjectOf(modPolicy, policy.channelId), JSON.stringify(said), { msgID: said.id }),
    );
  }

  /** Brings the record up to an entry, unless it is there already. */
  async function bring(entry: JournalEntry): Promise<void> {
    const { channelId } = entry;
    const made = await kept.create(channelId, policyAfter(first(channelId), entry));
    const after = made.isNew
      ? made.value
      : await kept.change(channelId, (before) => {
          const changed = policyAfter(before, entry);
          return changed === before ? null : changed;
        });
    if (after?.revision === Number(entry.detail["revision"])) await tell(after);
  }

  return {
    of: now,
    async change(channelId, change, by, key) {
      const { thresholds: levels } = change;
      if (levels !== undefined && !(levels.critical >= levels.alert && levels.alert >= levels.watch))
        throw new ProblemError("invalid_parameters", "thresholds: critical ≥ alert ≥ watch");
      const id = entryId(key, by, "policy");
      const written = await journals().writeIf(channelId, () => {
        if (journals().entry(channelId, id) !== null) return null;
        const before = now(channelId);
        const detail = difference(before, change);
        if (Object.keys(detail).length === 0) return null;
        if (policyAfter(before, { ...NO_ENTRY, by, detail }).allow.length > MOST_PHRASES)
          throw new ProblemError("invalid_parameters", `allow: more than ${MOST_PHRASES} phrases`);
        return {
          channelId,
          id,
          by,
          act: "rawHours.after" in detail ? "consent" : "policy",
          detail: { ...detail, revision: String(before.revision + 1) },
        };
      });
      if (written !== null) await bring(written.entry);
      return now(channelId);
    },
    told(entry) {
      if (entry.act !== "policy" && entry.act !== "consent") return;
      void bring(entry).catch((error: unknown) =>
        log.warn({ err: error, channelId: entry.channelId }, "a change of policy waits for the next start"),
      );
    },
    ready: kept.ready,
    close: kept.close,
  };
}

const LEVELS = ["critical", "alert", "watch"] as const;
const HOURS = ["rawHours", "deletedHours"] as const;
const NO_ENTRY = { act: "policy", atMs: 0 } as const;

/** What an entry of the journal says of the change: `<field>.before` and `<field>.after`; of phrases those that come and go. */
function difference(
  before: ChannelPolicy,
  { thresholds: levels, allow, add = [], drop = [], ...hours }: Parameters<Policies["change"]>[1],
): Record<string, string> {
  const said: Record<string, string> = {};
  const say = (field: string, old: number, fresh: number | undefined): void => {
    if (fresh === undefined || fresh === old) return;
    said[`${field}.before`] = String(old);
    said[`${field}.after`] = String(fresh);
  };
  for (const level of LEVELS) say(level, before.thresholds[level], levels?.[level]);
  for (const field of HOURS) say(field, before[field], hours[field]);
  const wanted = new Set([...(allow ?? before.allow), ...add].filter((phrase) => !drop.includes(phrase)));
  const came = [...wanted].filter((phrase) => !before.allow.includes(phrase));
  const went = before.allow.filter((phrase) => !wanted.has(phrase));
  if (came.length > 0) said["allow.added"] = JSON.stringify(came);
  if (went.length > 0) said["allow.removed"] = JSON.stringify(went);
  return said;
}

/** The policy with an entry's change in it; the same object where the entry is none or is in it already. */
function policyAfter(
  before: ChannelPolicy,
  { act, detail, by, atMs }: Pick<JournalEntry, "act" | "detail" | "by" | "atMs">,
): ChannelPolicy {
  if (act !== "policy" && act !== "consent") return before;
  const revision = Number(detail["revision"] ?? before.revision + 1);
  if (revision <= before.revision) return before;
  const number = (field: string, old: number): number => Number(detail[`${field}.after`] ?? old);
  const phrases = (field: string): string[] => z.array(z.string()).parse(JSON.parse(detail[field] ?? "[]"));
  const removed = new Set(phrases("allow.removed"));
  const rawHours = number("rawHours", before.rawHours);
  const consents = "rawHours.after" in detail && rawHours > FREE_HOURS;
  return {
    ...before,
    thresholds: {
      critical: number("critical", before.thresholds.critical),
      alert: number("alert", before.thresholds.alert),
      watch: number("watch", before.thresholds.watch),
    },
    allow: [...before.allow.filter((phrase) => !removed.has(phrase)), ...phrases("allow.added")],
    rawHours,
    consent: rawHours <= FREE_HOURS ? null : consents ? { by, atMs } : before.consent,
    deletedHours: number("deletedHours", before.deletedHours),
    revision,
    atMs,
  };
}
