import { jetstream } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { z } from "zod";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { personKey, type Person } from "@hypecast/contracts/journal.ts";
import { modReport, type ModReport } from "@hypecast/contracts/mod-case.ts";
import { modContextLines } from "@hypecast/contracts/question-mod.ts";
import type { Secret } from "@hypecast/runtime/secret.ts";
import type { Ask } from "../ask.ts";
import { onBus } from "../bucket.ts";
import type { Cache } from "../cache.ts";
import { ProblemError } from "../problems.ts";

/** Reports that one person may send. */
const REPORTS = 20;
const WINDOW_MS = 60_000;

export type Report = (channelId: string, line: { lineId: string; atMs: number }, by: Person) => Promise<void>;

/**
 * Puts a report on the log. Its id comes from the line and a keyed hash of who reports, so that a person's second report of a line is the same
 * event, and a thousand of them are one voice. Throws ProblemError.
 */
export function createReport(nc: NatsConnection, secret: Secret, ask: Ask, cache: Cache): Report {
  return async (channelId, { lineId, atMs }, by) => {
    const reporter = secret.hash("reporter", personKey(by));
    if ((await cache.count(`reports:${reporter}`, WINDOW_MS)) > REPORTS)
      throw new ProblemError("too_many_requests", `more than ${REPORTS} reports a minute`, {
        "Retry-After": "60",
      });
    const { lines } = JSON.parse(
      await ask(modContextLines, { channelId, lineId, atMs, before: 0, after: 0, showRemovedFromMs: 0 }),
    ) as z.infer<typeof modContextLines.answer>;
    const line = lines.find(({ id }) => id === lineId);
    if (line === undefined) throw new ProblemError("not_found", "the line is no longer kept");
    const report: ModReport = {
      id: `${channelId}:report:${secret.hash("report", `${lineId}\n${reporter}`)}`,
      channelId,
      atMs: Date.now(),
      lineId,
      userId: line.userId,
      login: line.login,
      name: line.name ?? "",
      text: line.text,
      sentAtMs: line.sentAtMs,
      reporter,
    };
    await onBus(() =>
      jetstream(nc).publish(subjectOf(modReport, channelId), JSON.stringify(report), { msgID: report.id }),
    );
  };
}
