import { createHash } from "node:crypto";
import { jetstream } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { LONGEST_CLIP_MS, SHORTEST_CLIP_MS } from "@hypecast/contracts/clip.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import {
  DECISIONS_BUCKET,
  momentDecision,
  momentKey,
  momentMark,
  type MomentDecision,
  type MomentMark,
} from "@hypecast/contracts/moment.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { keepBucket, onBus } from "./bucket.ts";
import { ProblemError } from "./problems.ts";

/** There are no accounts: whoever may come in is the operator. */
export const OPERATOR = "operator";

type Change = Partial<Pick<MomentDecision, "verdict" | "startMs" | "endMs">>;

/** What people say of moments: their decisions, kept in memory, and their marks, which go to the log. */
export interface Moments {
  decisionOn(momentId: string): MomentDecision | null;
  /** `ends`: where the machine has put them, null where that is not known; a span that is no clip is refused. */
  decide(
    moment: Pick<MomentDecision, "momentId" | "channelId" | "login">,
    change: Change,
    ends: { startMs: number; endMs: number } | null,
  ): Promise<MomentDecision>;
  /** The same person's mark of the same millisecond is one. */
  mark(mark: Omit<MomentMark, "id" | "by">): Promise<MomentMark>;
  readonly close: () => void;
}

export async function watchMoments(
  nc: NatsConnection,
  log: Logger,
  decided: (decision: MomentDecision) => void,
): Promise<Moments> {
  const kept = await keepBucket(nc, DECISIONS_BUCKET, momentDecision, log, (_key, decision) => {
    if (decision !== null) decided(decision);
  });
  return {
    decisionOn: (momentId) => kept.get(momentKey(momentId)),
    async decide(moment, change, ends) {
      const key = momentKey(moment.momentId);
      const decisionFrom = (before: MomentDecision | null): MomentDecision => {
        const { verdict = null, startMs = null, endMs = null } = before ?? {};
        const decision = { verdict, startMs, endMs, ...change, ...moment, by: OPERATOR, atMs: Date.now() };
        checkSpan(decision.startMs ?? ends?.startMs ?? null, decision.endMs ?? ends?.endMs ?? null);
        return decision;
      };
      const { value, isNew } = await kept.create(key, decisionFrom(kept.get(key)));
      return isNew ? value : ((await kept.change(key, decisionFrom)) ?? value);
    },
    async mark(mark) {
      const digest = createHash("sha256").update(`${mark.channelId} ${mark.atMs} ${OPERATOR}`).digest("hex");
      const whole: MomentMark = {
        id: `${mark.channelId}:mark:${digest.slice(0, 16)}`,
        by: OPERATOR,
        ...mark,
      };
      const subject = subjectOf(momentMark, mark.channelId);
      await onBus(() => jetstream(nc).publish(subject, JSON.stringify(whole), { msgID: whole.id }));
      return whole;
    },
    close: kept.close,
  };
}

function checkSpan(startMs: number | null, endMs: number | null): void {
  if (startMs === null || endMs === null) return;
  const lengthMs = endMs - startMs;
  if (lengthMs >= SHORTEST_CLIP_MS && lengthMs <= LONGEST_CLIP_MS) return;
  throw new ProblemError(
    "invalid_parameters",
    `startMs, endMs: a moment lasts ${SHORTEST_CLIP_MS / 1000} s to ${LONGEST_CLIP_MS / 60_000} min, not ${lengthMs / 1000} s`,
  );
}
