import { randomUUID } from "node:crypto";
import { jetstream } from "@nats-io/jetstream";
import { Kvm, type KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { ACCOUNTS_BUCKET, GRANTS_BUCKET, SESSIONS_BUCKET } from "@hypecast/contracts/account.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { channelPolicy, POLICY_BUCKET } from "@hypecast/contracts/journal.ts";
import { modPolicy, type ModPolicy } from "@hypecast/contracts/mod-case.ts";
import { ANSWERS_BUCKET } from "@hypecast/contracts/oracle.ts";
import { whenTheLogAnswers } from "@hypecast/runtime/bus.ts";
import { namedIn, type Chatter } from "./named.ts";

/** Others may write the same record at the same time: so often it is tried on what they wrote. */
const TRIES = 10;

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Takes what names the chatter out of a bucket's records: `without` says what stays of one, null: nothing does; `written` hears of it. Resolves to the records changed. */
async function rewrite(
  nc: NatsConnection,
  name: string,
  isNamed: (text: string) => boolean,
  without: (record: Json, key: string) => Json,
  written: (rest: Json) => Promise<void> = async () => undefined,
): Promise<number> {
  const bucket = await whenTheLogAnswers(nc, () => new Kvm(nc).open(name));
  let changed = 0;
  for (const key of await keysOf(nc, bucket))
    for (let tries = 0; tries < TRIES; tries++) {
      const entry = await whenTheLogAnswers(nc, () => bucket.get(key));
      if (entry === null || entry.operation !== "PUT" || !(isNamed(entry.string()) || isNamed(`"${key}"`)))
        break;
      const rest = without(entry.json<Json>(), key);
      const done = await whenTheLogAnswers(nc, async () => {
        if (rest === null) await bucket.purge(key);
        else await bucket.update(key, JSON.stringify(rest), entry.revision);
      }).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Error && /wrong last sequence/i.test(error.message)) return false;
          throw error;
        },
      );
      if (!done) continue;
      await written(rest);
      changed++;
      break;
    }
  return changed;
}

async function keysOf(nc: NatsConnection, bucket: KV): Promise<string[]> {
  if ((await whenTheLogAnswers(nc, () => bucket.status())).values === 0) return [];
  const keys: string[] = [];
  for await (const key of await whenTheLogAnswers(nc, () => bucket.keys())) keys.push(key);
  return keys;
}

/** Lines by the chatter out of answers; an answer whose question, words or leading place names them goes whole. */
export function eraseFromAnswers(nc: NatsConnection, chatter: Chatter): Promise<number> {
  const isNamed = namedIn(chatter);
  const without = (value: Json): Json => {
    if (Array.isArray(value))
      return value.filter((one) => !isLineOf(one, chatter)).map((one) => without(one));
    if (typeof value === "object" && value !== null)
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, without(one)]));
    return value;
  };
  return rewrite(nc, ANSWERS_BUCKET, isNamed, (record) => {
    const rest = without(record);
    return isNamed(JSON.stringify(rest)) ? null : rest;
  });
}

const isLineOf = (value: Json, { userId, login }: Chatter): boolean =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  (value["userId"] === userId ||
    (typeof value["login"] === "string" && value["login"].toLowerCase() === login));

/** Phrases that a channel allows and that name them. The folds hold them too, and are told what is left: the same revision, since nobody decided anything. */
export function eraseFromPolicies(nc: NatsConnection, chatter: Chatter): Promise<number> {
  const isNamed = namedIn(chatter);
  return rewrite(
    nc,
    POLICY_BUCKET,
    isNamed,
    (record) => {
      if (typeof record !== "object" || record === null || Array.isArray(record)) return record;
      const allow = Array.isArray(record["allow"]) ? record["allow"] : [];
      return { ...record, allow: allow.filter((phrase) => typeof phrase === "string" && !isNamed(phrase)) };
    },
    async (rest) => {
      const policy = channelPolicy.safeParse(rest).data;
      if (policy === undefined) return;
      const { channelId, thresholds, allow } = policy;
      const said: ModPolicy = { id: randomUUID(), channelId, atMs: Date.now(), thresholds, allow };
      await whenTheLogAnswers(nc, () =>
        jetstream(nc).publish(subjectOf(modPolicy, channelId), JSON.stringify(said), { msgID: said.id }),
      );
    },
  );
}

/** Their account, sessions and granted roles: who is forgotten is signed out as well. */
export async function eraseAccount(nc: NatsConnection, chatter: Chatter): Promise<number> {
  const isNamed = (text: string): boolean => text.includes(`"${chatter.userId}"`);
  let removed = 0;
  for (const name of [SESSIONS_BUCKET, GRANTS_BUCKET, ACCOUNTS_BUCKET])
    removed += await rewrite(nc, name, isNamed, (record) =>
      typeof record === "object" &&
      record !== null &&
      !Array.isArray(record) &&
      record["userId"] === chatter.userId
        ? null
        : record,
    );
  return removed;
}
