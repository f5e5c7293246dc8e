import type { NatsConnection } from "@nats-io/transport-node";
import type { WantedChannel } from "@hypecast/contracts/channel.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { assign } from "../partitions/assign.ts";
import { joinMembers, MEMBER_TTL_MS, type Members } from "../partitions/members.ts";

/** The others count us as gone after MEMBER_TTL_MS without a word; we let go before that. */
const LET_GO_MS = MEMBER_TTL_MS - 1000;
const LOOK_EVERY_MS = 200;

export interface Share {
  /** The channels that are wanted, all of them; `changed` gets those that are ours, now and whenever that changes. */
  want: (wanted: readonly WantedChannel[]) => void;
  /** Processes that share the channels. */
  processes(): number;
  /** False: others may have taken our channels over. A process that is the only one is always sure. */
  sure(): boolean;
  close(): Promise<void>;
}

/**
 * Several source processes share the channels. Here being wrong is harmless, unlike with partitions: two that hear the same
 * channel write the same line ids, and folds count a line once. But one that was paused must not come back with old lines.
 */
export async function openShare(
  nc: NatsConnection,
  id: string,
  replicas: number,
  log: Logger,
  changed: (ours: WantedChannel[]) => void,
): Promise<Share> {
  let all: readonly WantedChannel[] = [];
  let alive: readonly string[] = [id];
  let sureAt = performance.now();
  let told = "";
  let members: Members | null = null;

  const look = (): void => {
    const now = members?.alive() ?? null;
    if (now === null) return;
    alive = now;
    sureAt = performance.now();
  };
  const sure = (): boolean => {
    look();
    return alive.length <= 1 || performance.now() - sureAt < LET_GO_MS;
  };
  const settle = (): void => {
    const holds = sure() ? alive : [];
    const owners = assign(
      all.map((one) => one.login),
      holds,
    );
    const ours = all.filter((one) => owners.get(one.login) === id);
    const text = JSON.stringify(ours);
    if (text === told) return;
    told = text;
    changed(ours);
  };

  members = await joinMembers(nc, { bucket: "sources", id, replicas, log, changed: settle });
  const timer = setInterval(settle, LOOK_EVERY_MS);
  return {
    want(wanted) {
      all = wanted;
      settle();
    },
    processes: () => alive.length,
    sure,
    async close() {
      clearInterval(timer);
      await members.close();
    },
  };
}
