import type { Answer } from "./answer.ts";
import { answerAudio } from "./audio.ts";
import { answerBursts } from "./bursts.ts";
import { answerChatSpan } from "./chat-span.ts";
import { answerExtent } from "./extent.ts";
import {
  answerChatterId,
  answerChatterLines,
  answerChatterPlaces,
  answerForgetChatter,
  answerForgetInChunks,
} from "./forget-chatter.ts";
import { answerForgetChannel } from "./forget-channel.ts";
import { answerForecastRecord } from "./forecast-record.ts";
import { answerForecasts } from "./forecasts.ts";
import { answerHeatmap } from "./heatmap.ts";
import { answerModAllowPreview } from "./mod-allow-preview.ts";
import { answerModCasesById } from "./mod-cases-by-id.ts";
import { answerModContext } from "./mod-context.ts";
import { answerModEffect } from "./mod-effect.ts";
import { answerModEntries } from "./mod-entries.ts";
import { answerModFlagged } from "./mod-flagged.ts";
import { answerModLog } from "./mod-log.ts";
import { answerModPrecision } from "./mod-precision.ts";
import { answerModQueue } from "./mod-queue.ts";
import { answerModRecent } from "./mod-recent.ts";
import { answerModThresholds } from "./mod-thresholds.ts";
import { answerModUser } from "./mod-user.ts";
import { answerMomentAt } from "./moment-at.ts";
import { answerMoments } from "./moments.ts";
import { answerShots } from "./shots.ts";
import { answerSparklines } from "./sparklines.ts";
import { answerTopEmotes } from "./top-emotes.ts";
import { answerVodFacts } from "./vod-facts.ts";
import { answerWindows } from "./windows.ts";

/** Every question of contracts/src/question.ts; a test holds the two lists together. */
export const answers: readonly Answer[] = [
  answerHeatmap,
  answerWindows,
  answerBursts,
  answerTopEmotes,
  answerMomentAt,
  answerForecastRecord,
  answerForecasts,
  answerSparklines,
  answerExtent,
  answerShots,
  answerAudio,
  answerMoments,
  answerChatSpan,
  answerVodFacts,
  answerForgetChannel,
  answerChatterId,
  answerChatterPlaces,
  answerChatterLines,
  answerForgetInChunks,
  answerForgetChatter,
  answerModQueue,
  answerModCasesById,
  answerModContext,
  answerModUser,
  answerModEntries,
  answerModLog,
  answerModAllowPreview,
  answerModPrecision,
  answerModThresholds,
  answerModEffect,
  answerModRecent,
  answerModFlagged,
];
