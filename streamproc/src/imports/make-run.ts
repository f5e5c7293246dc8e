import { setTimeout as sleep } from "node:timers/promises";
import { chatGap, chatLines, chatModeration, chatNotice } from "@hypecast/contracts/chat.ts";
import { partitionOf, subjectOf } from "@hypecast/contracts/event.ts";
import { momentMark } from "@hypecast/contracts/moment.ts";
import { shotScore } from "@hypecast/contracts/shot.ts";
import { videoGap, videoSegment } from "@hypecast/contracts/video.ts";
import { aheadOf } from "./ahead.ts";
import { channelFilter, openChannel } from "./channel-writer.ts";
import { publishRun, type RunParts } from "./publish-run.ts";
import { lastSequence, untilStored } from "./stored.ts";
import type { ImportTools } from "./tools.ts";

const LOOK_EVERY_MS = 300;

/** Events of a channel that become rows as they are; the rest are for the folds. */
export const ROWS = [
  chatLines,
  chatNotice,
  chatModeration,
  chatGap,
  videoSegment,
  videoGap,
  shotScore,
  momentMark,
];

/** A run onto the log, through the folds, into the store: resolves when all of it can be asked about. `folded` hears how far the folds are. */
export async function makeRun(
  run: RunParts,
  tools: ImportTools,
  folded: (untilMs: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { nc, positions, log, optOuts } = tools;
  const { channelId } = run;
  // Beside the chat of a run that answers people may put marks; one with a picture answers when it is whole.
  const guard =
    run.picture === null ? `chat.*.${partitionOf(channelId)}.${channelId}` : channelFilter(channelId);
  const channel = await openChannel(nc, channelId, signal, guard);
  const ahead = aheadOf(positions, channel.partition);
  const over = new AbortController();
  const follow = async (): Promise<void> => {
    while (!over.signal.aborted && !signal.aborted)
      try {
        await ahead.look();
        const untilMs = ahead.foldedUntilMs();
        if (untilMs !== null) folded(untilMs);
        await sleep(LOOK_EVERY_MS, undefined, { signal: AbortSignal.any([signal, over.signal]) });
      } catch (error) {
        if (over.signal.aborted || signal.aborted) return;
        log.debug({ err: error, channelId }, "where the folds are cannot be seen now");
        await sleep(LOOK_EVERY_MS);
      }
  };
  const following = follow();
  try {
    const lastSeq = await publishRun(channel, ahead, { ...run, optOuts }, signal);
    const revision = await ahead.folded(lastSeq, signal);
    folded(run.endMs);
    const subjects = ROWS.map((type) => subjectOf(type, channelId));
    await untilStored(positions, channel.partition, revision, await lastSequence(nc, subjects), signal);
  } finally {
    over.abort();
    await following;
  }
}
