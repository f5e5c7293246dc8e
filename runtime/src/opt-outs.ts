import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { OPT_OUTS_BUCKET, optOut, type OptOut } from "@hypecast/contracts/account.ts";
import { whenTheLogAnswers } from "./bus.ts";
import { watchBucket } from "./watch.ts";
import { chatterHash, loginHash } from "./chatter.ts";
import type { Logger } from "./log.ts";
import { counter } from "./metrics.ts";
import type { Secret } from "./secret.ts";

/** Chatters whose answer is remembered: a hash for every line would cost more than a fold. */
const REMEMBERED = 50_000;

export const leftOut = counter(
  "opted_out_lines_total",
  "Lines, notices and moderation of chatters who asked not to be read, left out where they came in",
  ["where"],
);

/** Who is not read. */
export interface OptOuts {
  /** True: nothing of this chatter may come in here. `userId` or `login` may be empty. */
  leavesOut(channelId: string, userId: string, login: string): boolean;
  close(): void;
}

/** Nobody has opted out: for tests and tools that read nothing of people. */
export const EVERYBODY: OptOuts = { leavesOut: () => false, close: () => undefined };

/** Follows the bucket; resolves when all of it has been read, since whoever reads chat before that would read those who said no. */
export async function watchOptOuts(nc: NatsConnection, secret: Secret, log: Logger): Promise<OptOuts> {
  const bucket = await whenTheLogAnswers(nc, () => new Kvm(nc).open(OPT_OUTS_BUCKET));
  const byKey = new Map<string, OptOut>();
  const list = createList(secret);
  const watch = watchBucket(bucket, log, (key, entry) => {
    const read = entry === null ? null : optOut.safeParse(entry.json());
    if (read?.success === true) byKey.set(key, read.data);
    else byKey.delete(key);
    list.set([...byKey.values()]);
  });
  await watch.whole;
  return { leavesOut: list.leavesOut, close: watch.close };
}

/** The list itself: hashes only, compared by hash. */
export function createList(secret: Secret): {
  set(optOuts: readonly Pick<OptOut, "target" | "loginTarget" | "channelId">[]): void;
  leavesOut: OptOuts["leavesOut"];
} {
  const EVERYWHERE = "*";
  /** Hash of a user id or a login → channels. */
  let channelsOf = new Map<string, Set<string>>();
  const known = new Map<string, ReadonlySet<string> | null>();
  const scopeOf = (userId: string, login: string): ReadonlySet<string> | null => {
    const key = `${userId} ${login}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const byId = userId === "" ? undefined : channelsOf.get(chatterHash(secret, userId));
    const byLogin = login === "" ? undefined : channelsOf.get(loginHash(secret, login));
    // Both hold: what the operator wrote down for a name is not undone by what its owner says of one channel.
    const scope = byId && byLogin ? new Set([...byId, ...byLogin]) : (byId ?? byLogin ?? null);
    if (known.size >= REMEMBERED) known.clear();
    known.set(key, scope);
    return scope;
  };
  return {
    set(optOuts) {
      channelsOf = new Map();
      known.clear();
      for (const { target, loginTarget, channelId } of optOuts)
        for (const hash of [target, loginTarget])
          if (hash !== "") channelsOf.set(hash, (channelsOf.get(hash) ?? new Set()).add(channelId));
    },
    leavesOut(channelId, userId, login) {
      if (channelsOf.size === 0) return false;
      const scope = scopeOf(userId, login);
      return scope !== null && (scope.has(EVERYWHERE) || scope.has(channelId));
    },
  };
}
