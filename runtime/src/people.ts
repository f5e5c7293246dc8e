import { randomBytes } from "node:crypto";
import { Kvm, type KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  journalPrivate,
  PEOPLE_BUCKET,
  personRecord,
  type JournalEntry,
  type JournalPrivate,
  type PersonRecord,
} from "@hypecast/contracts/journal.ts";
import { whenTheLogAnswers } from "./bus.ts";
import { chatterHash } from "./chatter.ts";
import { openWith, sealWith, type Secret } from "./secret.ts";

const KEY_BYTES = 32;
const PURPOSE = "people";
/** Names that somebody had before. */
const EARLIER_NAMES = 10;
/** Records that are remembered, so that a journal is not opened one round trip an entry. */
const REMEMBERED = 20_000;
/** A record that was removed elsewhere is forgotten here after so long: erasing waits for it before it looks for what is left. */
export const PEOPLE_REMEMBERED_MS = 5000;

/**
 * Chatters that the journal names. Each has a key of their own, and what names them in an entry is sealed under it: removing the record
 * makes all of it unreadable, everywhere and in every copy, while the chain of hashes stays whole.
 */
export interface People {
  /** Seals under the chatter's key, which is made when there is none. Adds to the record the name that they have now. */
  seal(about: JournalPrivate): Promise<{ target: string; sealed: string }>;
  /** Null: the chatter was erased since, or is unknown here. */
  open(entry: Pick<JournalEntry, "target" | "sealed">): Promise<JournalPrivate | null>;
  readonly targetOf: (userId: string) => string;
  get(target: string): Promise<PersonRecord | null>;
  /** Whose name begins so, now or before; at most `limit`. */
  find(loginPrefix: string, limit: number): Promise<{ target: string; record: PersonRecord }[]>;
  /** Erases. False: there was no such record. */
  remove(target: string): Promise<boolean>;
}

export async function openPeople(nc: NatsConnection, secret: Secret): Promise<People> {
  const bucket = await whenTheLogAnswers(nc, () => new Kvm(nc).open(PEOPLE_BUCKET));
  const remembered = new Map<string, { record: PersonRecord; key: Buffer; untilMs: number }>();

  const keep = (target: string, record: PersonRecord): { record: PersonRecord; key: Buffer } => {
    const key = Buffer.from(secret.open(PURPOSE, record.key), "base64");
    remembered.delete(target);
    remembered.set(target, { record, key, untilMs: Date.now() + PEOPLE_REMEMBERED_MS });
    const oldest = remembered.keys().next().value;
    if (remembered.size > REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    return { record, key };
  };
  const known = async (target: string): Promise<{ record: PersonRecord; key: Buffer } | null> => {
    const found = remembered.get(target);
    if (found !== undefined && found.untilMs > Date.now()) return found;
    remembered.delete(target);
    const read = recordOf(await bucket.get(target));
    return read === null ? null : keep(target, read);
  };

  /** The record with the name of now, whoever else writes it at the same time. */
  async function named(target: string, userId: string, login: string): Promise<{ key: Buffer }> {
    const near = remembered.get(target);
    if (near !== undefined && near.untilMs > Date.now() && near.record.login === login) return near;
    for (;;) {
      const entry = await bucket.get(target);
      const before = recordOf(entry);
      if (before !== null && (before.login === login || login === "")) return keep(target, before);
      const after: PersonRecord =
        before === null
          ? {
              key: secret.seal(PURPOSE, randomBytes(KEY_BYTES).toString("base64")),
              userId,
              login,
              earlier: [],
            }
          : {
              ...before,
              login,
              earlier: [before.login, ...before.earlier]
                .filter((name) => name !== "" && name !== login)
                .slice(0, EARLIER_NAMES),
            };
      try {
        const text = JSON.stringify(after);
        if (entry === null) await bucket.create(target, text);
        else await bucket.update(target, text, entry.revision);
        return keep(target, after);
      } catch (error) {
        if (!isTaken(error)) throw error;
      }
    }
  }

  return {
    targetOf: (userId) => chatterHash(secret, userId),
    async seal(about) {
      const target = chatterHash(secret, about.userId);
      const { key } = await named(target, about.userId, about.login);
      return { target, sealed: sealWith(key, JSON.stringify(about)) };
    },
    async open({ target, sealed }) {
      if (target === null || sealed === null) return null;
      const found = await known(target);
      if (found === null) return null;
      try {
        return journalPrivate.parse(JSON.parse(openWith(found.key, sealed)));
      } catch {
        // Sealed before an erasure: whoever wrote again since has another key.
        return null;
      }
    },
    async get(target) {
      return (await known(target))?.record ?? null;
    },
    async find(loginPrefix, limit) {
      const prefix = loginPrefix.toLowerCase();
      const found: { target: string; record: PersonRecord }[] = [];
      if ((await bucket.status()).values === 0) return found;
      // One pass over the bucket: a question per key would take minutes of a long list.
      for await (const entry of await bucket.history({ key: ">" })) {
        const record = recordOf(entry);
        if (record === null) continue;
        if (![record.login, ...record.earlier].some((login) => login.startsWith(prefix))) continue;
        found.push({ target: entry.key, record });
        if (found.length >= limit) break;
      }
      return found;
    },
    async remove(target) {
      remembered.delete(target);
      const there = recordOf(await bucket.get(target)) !== null;
      await bucket.purge(target);
      return there;
    },
  };
}

function recordOf(entry: Awaited<ReturnType<KV["get"]>>): PersonRecord | null {
  if (entry === null || entry.operation !== "PUT") return null;
  const read = personRecord.safeParse(entry.json());
  return read.success ? read.data : null;
}

const isTaken = (error: unknown): boolean =>
  error instanceof Error && /wrong last sequence|key exists/i.test(error.message);
