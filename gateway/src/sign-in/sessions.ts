import { createHash, randomBytes } from "node:crypto";
import { Bucket, Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { session, SESSIONS_BUCKET, type Session } from "@hypecast/contracts/account.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { firstRead, keepBucket, type Kept } from "../bucket.ts";

/** However busy it is, a session ends so long after the sign-in; and so long after it was used last. */
export const ABSOLUTE_MS = 30 * 24 * 3_600_000;
export const IDLE_MS = 7 * 24 * 3_600_000;
/** Its id is changed as often: one that was stolen is worth that much, and as long as it takes the owner's next request. */
export const ROTATE_MS = 6 * 3_600_000;
/** Requests that left with the old id arrive. */
export const GRACE_MS = 30_000;
/** An id that was replaced leads to its successor for so long: open sockets came with it. */
const LEADS_MS = 15 * 60_000;
const MOST_HOPS = 10;
/** Using it is written down this often. */
const TOUCH_MS = 5 * 60_000;
const SWEEP_MS = 10 * 60_000;
/** A gateway that was away so long learns of what was removed all the same. */
const TOMBSTONES_MS = 24 * 3_600_000;
/** Browsers of one person, and sessions in all: the oldest make room. */
const OF_ONE = 20;
const IN_ALL = 100_000;

/** A session as a request shows it. The key is the hash: nobody who reads the bucket can come in with it. */
export interface FoundSession {
  readonly key: string;
  readonly session: Session;
}

export interface Sessions {
  /** By the cookie's value; null: there is none, or it has ended. */
  find(id: string): FoundSession | null;
  /** The session that once had this key, by its present one; null: it has ended. */
  follow(key: string): FoundSession | null;
  /** Resolves to the cookie's value. */
  begin(who: Pick<Session, "userId" | "mark">): Promise<string>;
  /** A new id for the same session; null: another request has just got it. */
  rotate(found: FoundSession, mark: string): Promise<string | null>;
  isDue(found: FoundSession, mark: string): boolean;
  /** Notes that it was used, where that was last noted a while ago. */
  touch(found: FoundSession): void;
  /** With all the ids that it has. */
  end(found: FoundSession): Promise<void>;
  endAllOf(userId: string): Promise<void>;
  /** Who has a session. */
  owners(): Set<string>;
  /** Removes what has ended. */
  sweep(): Promise<void>;
}

const newId = (): string => randomBytes(32).toString("base64url");
export const keyOf = (id: string): string => createHash("sha256").update(id).digest("hex");

/** Sessions in a bucket: they outlive gateways, and every gateway knows them. */
export function sessionsIn(
  bucket: Pick<Kept<Session>, "get" | "entries" | "put" | "change" | "remove">,
  now: () => number = Date.now,
): Sessions {
  const stands = ({ untilMs, seenAtMs, replacedBy }: Session): boolean =>
    untilMs > now() && (replacedBy !== null || seenAtMs + IDLE_MS > now());
  const follow = (key: string): FoundSession | null => {
    let at = key;
    for (let hops = 0; hops < MOST_HOPS; hops++) {
      const session = bucket.get(at);
      if (session === null) return null;
      if (session.replacedBy === null) return stands(session) ? { key: at, session } : null;
      at = session.replacedBy;
    }
    return null;
  };
  const makeRoom = async (userId: string): Promise<void> => {
    const all = [...bucket.entries()];
    const own = all.filter(([, session]) => session.userId === userId && session.replacedBy === null);
    const [list, most] = all.length >= IN_ALL ? [all, IN_ALL] : [own, OF_ONE];
    const oldest = list.toSorted(([, a], [, b]) => a.seenAtMs - b.seenAtMs);
    for (const [key] of oldest.slice(0, Math.max(0, list.length - most + 1))) await bucket.remove(key);
  };
  return {
    find(id) {
      const session = bucket.get(keyOf(id));
      return session === null || !stands(session) ? null : { key: keyOf(id), session };
    },
    follow,
    async begin({ userId, mark }) {
      await makeRoom(userId);
      const nowMs = now();
      const id = newId();
      await bucket.put(keyOf(id), {
        ...{ userId, mark },
        createdAtMs: nowMs,
        issuedAtMs: nowMs,
        seenAtMs: nowMs,
        untilMs: nowMs + ABSOLUTE_MS,
        replacedBy: null,
      });
      return id;
    },
    async rotate({ key }, mark) {
      const nowMs = now();
      const id = newId();
      const before = { session: null as Session | null };
      await bucket.change(key, (session) => {
        before.session = session.replacedBy === null && stands(session) ? session : null;
        return before.session === null
          ? null
          : { ...session, replacedBy: keyOf(id), untilMs: Math.min(session.untilMs, nowMs + GRACE_MS) };
      });
      if (before.session === null) return null;
      await bucket.put(keyOf(id), { ...before.session, mark, issuedAtMs: nowMs, seenAtMs: nowMs });
      return id;
    },
    isDue: ({ session }, mark) =>
      session.replacedBy === null && (session.issuedAtMs + ROTATE_MS <= now() || session.mark !== mark),
    touch({ key, session }) {
      if (session.replacedBy !== null || session.seenAtMs + TOUCH_MS > now()) return;
      void bucket
        .change(key, (known) => (known.replacedBy === null ? { ...known, seenAtMs: now() } : null))
        // It was used all the same; the next request notes it.
        .catch(() => undefined);
    },
    async end({ key }) {
      const last = follow(key);
      if (last !== null) await bucket.remove(last.key);
      if (last?.key !== key) await bucket.remove(key);
    },
    async endAllOf(userId) {
      for (const [key, session] of [...bucket.entries()])
        if (session.userId === userId) await bucket.remove(key);
    },
    owners: () =>
      new Set([...bucket.entries()].flatMap(([, session]) => (stands(session) ? session.userId : []))),
    async sweep() {
      for (const [key, session] of [...bucket.entries()])
        if (!stands(session) && (session.replacedBy === null || session.untilMs + LEADS_MS < now()))
          await bucket.remove(key);
    },
  };
}

/** `ended`: a session of theirs is gone. */
export async function watchSessions(
  nc: NatsConnection,
  log: Logger,
  ended: (userId: string) => void,
): Promise<Sessions & Pick<Kept<Session>, "ready" | "close">> {
  const owners = new Map<string, string>();
  const kept = await keepBucket(nc, SESSIONS_BUCKET, session, log, (key, value) => {
    const owner = owners.get(key);
    if (value !== null) owners.set(key, value.userId);
    else owners.delete(key);
    if (value === null && owner !== undefined) ended(owner);
  });
  await firstRead(kept);
  const bucket = await new Kvm(nc).open(SESSIONS_BUCKET);
  const sessions = sessionsIn(kept);
  const sweep = setInterval(() => {
    void sessions
      .sweep()
      .then(() => (bucket instanceof Bucket ? bucket.purgeDeletes(TOMBSTONES_MS) : null))
      .catch((error: unknown) => log.warn({ err: error }, "old sessions stay"));
  }, SWEEP_MS);
  return {
    ...sessions,
    ready: kept.ready,
    close() {
      clearInterval(sweep);
      kept.close();
    },
  };
}
