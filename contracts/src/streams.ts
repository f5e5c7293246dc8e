import { audioWindows } from "./audio.ts";
import { chatBursts } from "./burst.ts";
import { chatAlive, chatEnded, chatGap, chatLines, chatModeration, chatNotice } from "./chat.ts";
import { chatChunks } from "./chunk.ts";
import { subjectFilter } from "./event.ts";
import { JOURNAL_STREAM, journalSubject } from "./journal.ts";
import { modCases, modErase, modPolicy, modReport } from "./mod-case.ts";
import { modEvent } from "./mod-event.ts";
import { forecastOutcomes, hypeForecasts, hypeValues } from "./hype.ts";
import { videoMeasured } from "./measured.ts";
import { momentMark, moments, reactionLags } from "./moment.ts";
import { shotScore, videoShots } from "./shot.ts";
import { toxicityScores, toxicitySpikes, toxicityWindows } from "./toxicity.ts";
import { videoGap, videoSegment } from "./video.ts";
import { chatWindows } from "./window.ts";

const HOUR_S = 3600;
const GB = 1e9;

/**
 * What is heard and seen of channels, in the order it was: by sources (chat, video), by the tasks that measure and score video,
 * and by people who mark a moment. Folds read every event of a partition as one ordered log (docs/decisions/one-input-log.md).
 */
export const chatEvents = [chatLines, chatNotice, chatModeration, chatGap, chatAlive, chatEnded] as const;
export const videoEvents = [videoSegment, videoGap, videoMeasured, shotScore] as const;
/** What moderation did at Twitch, what the model says of lines, and what people set and report. */
export const modEvents = [toxicityScores, modEvent, modPolicy, modReport, modErase] as const;
export const inputEvents = [...chatEvents, ...videoEvents, momentMark, ...modEvents] as const;

/** What the folds commit: outputs, together with their state and position (see docs/recovery.md). */
export const foldEvents = [
  chatWindows,
  chatBursts,
  hypeValues,
  hypeForecasts,
  forecastOutcomes,
  videoShots,
  audioWindows,
  moments,
  reactionLags,
  chatChunks,
  toxicityWindows,
  toxicitySpikes,
  modCases,
] as const;

/** `fold.checkpoint.<partition>` guards a partition; `fold.state.<partition>.…` carries what it vouches for. */
export const CHECKPOINT_SUBJECT = "fold.checkpoint";
export const STATE_SUBJECT = "fold.state";

/** JetStream streams as they must be. `runtime` creates them and checks on every start that the server agrees. */
export const streams = {
  INPUT: {
    subjects: inputEvents.map((event) => subjectFilter(event, "*")),
    maxAgeS: 48 * HOUR_S,
    maxBytes: 20 * GB,
    duplicateWindowS: 120,
    forever: false,
    // Imported streams are published in batches (streamproc/src/imports/channel-writer.ts).
    atomic: true,
  },
  FOLD: {
    subjects: [
      ...foldEvents.map((event) => subjectFilter(event, "*")),
      `${CHECKPOINT_SUBJECT}.*`,
      `${STATE_SUBJECT}.>`,
    ],
    // Outputs leave by their own TTL (a header): a checkpoint of an idle channel must never age out.
    maxAgeS: 0,
    maxBytes: 20 * GB,
    duplicateWindowS: 120,
    atomic: true,
    forever: false,
  },
  [JOURNAL_STREAM]: {
    subjects: [journalSubject("*")],
    maxAgeS: 0,
    maxBytes: 20 * GB,
    duplicateWindowS: 120,
    atomic: false,
    forever: true,
  },
  DEAD: {
    subjects: ["dead.letter.*"],
    maxAgeS: 7 * 24 * HOUR_S,
    maxBytes: GB,
    duplicateWindowS: 120,
    atomic: false,
    forever: false,
  },
} as const;
export type StreamName = keyof typeof streams;

/** How long fold outputs stay on the log for a sink that is behind. */
export const FOLD_OUTPUT_TTL_S = 48 * HOUR_S;
