import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "@nats-io/transport-node";
import { chatModeration } from "@hypecast/contracts/chat.ts";
import { DETAIL } from "@hypecast/contracts/desk.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import type { JournalAct } from "@hypecast/contracts/journal.ts";
import { modEvent, type ModEvent } from "@hypecast/contracts/mod-event.ts";
import { whoActs } from "@hypecast/runtime/acting.ts";
import { followJournal, openJournal, type Follow } from "@hypecast/runtime/journal.ts";
import { readSince } from "@hypecast/runtime/read-log.ts";
import type { Health } from "@hypecast/runtime/report.ts";
import type { Process } from "@hypecast/runtime/run.ts";
import { openSecret } from "@hypecast/runtime/secret.ts";
import { helixModeration } from "@hypecast/runtime/twitch/helix.ts";
import { openAccountTokens } from "@hypecast/runtime/twitch/tokens.ts";
import { joinMembers, type Members } from "../../partitions/members.ts";
import { carryOut, lookUp, type Hand, type Task } from "./carry-out.ts";
import { createRunner, type Runner } from "./runner.ts";

const DAY_MS = 24 * 3_600_000;
/** Entries that are folded at the start: an act that waited longer than this is nobody's any more. */
const SINCE_MS = 8 * DAY_MS;
/** Twitch tells of an act within so long, if it does. */
const ECHO_MS = 2000;
/** Our clock and the log's may differ by this. */
const SKEW_MS = 5000;

/** Carries out at Twitch what moderators have decided. */
export async function startActs(
  { config, instance, own, log }: Process,
  nc: NatsConnection,
): Promise<{ health(): Health }> {
  const journal = await openJournal(nc, openSecret(config));
  const tokens = await openAccountTokens(config, nc);
  const helix = helixModeration(config);
  const handOf = (channelId: string, userId: string): Hand => ({
    channelId,
    helix,
    async use(call) {
      const answer = await tokens.use(userId, (token) => call({ channelId, userId, token }));
      // Who may not at Twitch is perhaps no moderator any more: here they are none until Twitch was asked.
      if (answer.kind === "forbidden") await tokens.doubtRoles(userId).catch(() => undefined);
      return answer;
    },
  });
  const accountFor = async (
    entry: Task["entry"] & { by: Parameters<typeof whoActs>[0] },
    act: JournalAct,
  ) => {
    const broadcaster = await tokens.account(entry.channelId);
    const mine = entry.by.kind === "twitch" ? await tokens.account(entry.by.userId) : null;
    return whoActs(entry.by, act, mine, broadcaster);
  };
  /** The act whose permission is needed. */
  const asked = ({ entry, undoes }: Pick<Task, "entry" | "undoes">): JournalAct =>
    undoes?.entry.act ?? entry.act;

  let members: Members | null = null;
  let isReady = false;
  const runner: Runner = own(
    createRunner(
      journal,
      {
        async who(entry) {
          const acting = await accountFor(entry, entry.act);
          return "because" in acting ? acting : { as: acting.account.login };
        },
        async carryOut(task) {
          const acting = await accountFor(task.entry, asked(task));
          if ("because" in acting) return { kind: "refused", said: acting.because, detail: {} };
          return carryOut(task, handOf(task.entry.channelId, acting.account.userId));
        },
        async lookUp(task, sentAtMs) {
          const { channelId } = task.entry;
          const echoed = await heard(nc, task, sentAtMs);
          const acting = await accountFor(task.entry, asked(task));
          if ("because" in acting) return echoed ? "done" : "unknown";
          const broadcaster = await tokens.account(channelId);
          return lookUp(
            task,
            broadcaster === null ? null : handOf(channelId, channelId),
            handOf(channelId, acting.account.userId),
            echoed,
            sentAtMs,
          );
        },
      },
      () => follow.position(),
      instance,
      // As long as nobody can be sure who is there, everybody is.
      (id) => members?.alive()?.includes(id) ?? true,
      log,
    ),
  );
  const follow: Follow = own(
    followJournal(nc, Date.now() - SINCE_MS, (written) => runner.take(written), log),
  );
  members = own(
    await joinMembers(nc, {
      bucket: "moderation",
      id: instance,
      replicas: config.HYPECAST_NATS_REPLICAS,
      log,
      changed: () => isReady && runner.look(),
    }),
  );
  void (async () => {
    await follow.ready;
    isReady = true;
    runner.look();
  })();
  return {
    health() {
      const { waiting, inHand } = runner.figures();
      return { status: "ok", reason: null, figures: { acts_waiting: waiting, acts_in_hand: inHand } };
    },
  };
}

/** Has Twitch told that it was done, by EventSub or in chat? */
async function heard(nc: NatsConnection, task: Task, sentAtMs: number): Promise<boolean> {
  const { channelId } = task.entry;
  const subjects = [subjectOf(modEvent, channelId), subjectOf(chatModeration, channelId)];
  for (let tries = 0; tries < 2; tries++) {
    const left = new Set(task.entry.act === "delete" ? (task.about?.lineIds ?? []) : ["the act"]);
    for await (const message of readSince(nc, "INPUT", subjects, sentAtMs - SKEW_MS)) {
      const event = message.json<Partial<ModEvent>>();
      if (task.entry.act === "delete") {
        if (event.action === "delete") left.delete(event.targetMessageId ?? "");
        if (event.targetMessageId === task.entry.detail[DETAIL.held] && event.action === "automod_update")
          left.clear();
      } else if (tells(event, task)) left.clear();
      if (left.size === 0) return true;
    }
    if (tries === 0) await sleep(ECHO_MS);
  }
  return false;
}

const TOLD: Partial<Record<JournalAct, readonly string[]>> = {
  timeout: ["timeout"],
  ban: ["ban"],
  warn: ["warn"],
  unban: ["unban"],
  untimeout: ["untimeout", "unban"],
};
const TOLD_BACK: Partial<Record<JournalAct, readonly string[]>> = {
  timeout: ["untimeout", "unban"],
  ban: ["unban", "untimeout"],
};

function tells(event: Partial<ModEvent>, { entry, about, undoes }: Task): boolean {
  const names = undoes === null ? TOLD[entry.act] : TOLD_BACK[undoes.entry.act];
  return (
    about !== null && event.targetUserId === about.userId && (names?.includes(event.action ?? "") ?? false)
  );
}
