import type { NatsConnection } from "@nats-io/transport-node";
import {
  account,
  ACCOUNTS_BUCKET,
  grant,
  GRANTS_BUCKET,
  type Account,
  type Grant,
} from "@hypecast/contracts/account.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { firstRead, keepBucket, type Kept } from "../bucket.ts";

/** Roles that one installation grants, and people who signed in: both are held in memory. */
const MOST_GRANTS = 10_000;

/** Who has signed in with Twitch, and what was granted here. Both buckets, kept in memory by watching them. */
export interface Accounts {
  readonly of: Kept<Account>;
  byLogin(login: string): Account | null;
  grantsOf(userId: string): Iterable<Grant>;
  grantsIn(channelId: string): Grant[];
  readonly grant: (channelId: string, userId: string) => Grant | null;
  /** No more grants fit. */
  full(): boolean;
  give(grant: Grant): Promise<void>;
  takeBack(channelId: string, userId: string): Promise<void>;
  readonly ready: () => boolean;
  readonly close: () => void;
}

const keyOf = (channelId: string, userId: string): string => `${channelId}.${userId}`;

/** `changed`: somebody's roles may be others than they were. */
export async function watchAccounts(
  nc: NatsConnection,
  log: Logger,
  changed: (userId: string) => void,
): Promise<Accounts> {
  const byLogin = new Map<string, string>();
  const logins = new Map<string, string>();
  const grantsByUser = new Map<string, Map<string, Grant>>();
  const of = await keepBucket(nc, ACCOUNTS_BUCKET, account, log, (userId, value) => {
    const before = logins.get(userId);
    // A name may have gone over to another account meanwhile.
    if (before !== undefined && byLogin.get(before) === userId) byLogin.delete(before);
    logins.delete(userId);
    if (value !== null) {
      byLogin.set(value.login, userId);
      logins.set(userId, value.login);
    }
    changed(userId);
  });
  const grants = await keepBucket(nc, GRANTS_BUCKET, grant, log, (key, value) => {
    const userId = key.slice(key.lastIndexOf(".") + 1);
    const own = grantsByUser.get(userId) ?? new Map<string, Grant>();
    if (value === null) own.delete(key);
    else own.set(key, value);
    if (own.size === 0) grantsByUser.delete(userId);
    else grantsByUser.set(userId, own);
    changed(userId);
  });
  await firstRead(of, grants);
  return {
    of,
    byLogin(login) {
      const userId = byLogin.get(login);
      return userId === undefined ? null : of.get(userId);
    },
    grantsOf: (userId) => grantsByUser.get(userId)?.values() ?? [],
    grantsIn: (channelId) => [...grants.values()].filter((one) => one.channelId === channelId),
    grant: (channelId, userId) => grants.get(keyOf(channelId, userId)),
    full: () => [...grants.values()].length >= MOST_GRANTS,
    give: (given) => grants.put(keyOf(given.channelId, given.userId), given),
    takeBack: (channelId, userId) => grants.remove(keyOf(channelId, userId)),
    ready: () => of.ready() && grants.ready(),
    close() {
      of.close();
      grants.close();
    },
  };
}
