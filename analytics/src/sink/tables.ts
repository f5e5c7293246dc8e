import { audioWindows } from "@hypecast/contracts/audio.ts";
import { chatBursts } from "@hypecast/contracts/burst.ts";
import { chatChunks } from "@hypecast/contracts/chunk.ts";
import { chatGap, chatLines, chatModeration, chatNotice } from "@hypecast/contracts/chat.ts";
import { subjectFilter, VOD_CHANNEL, type EventType } from "@hypecast/contracts/event.ts";
import { forecastOutcomes, hypeForecasts, hypeValues } from "@hypecast/contracts/hype.ts";
import { journalSubject } from "@hypecast/contracts/journal.ts";
import { modCases, modReport } from "@hypecast/contracts/mod-case.ts";
import { modEvent } from "@hypecast/contracts/mod-event.ts";
import { momentMark, moments, reactionLags } from "@hypecast/contracts/moment.ts";
import { shotScore, videoShots } from "@hypecast/contracts/shot.ts";
import type { StreamName } from "@hypecast/contracts/streams.ts";
import { toxicityScores, toxicitySpikes, toxicityWindows } from "@hypecast/contracts/toxicity.ts";
import { videoGap, videoSegment } from "@hypecast/contracts/video.ts";
import { chatWindows } from "@hypecast/contracts/window.ts";

/** How a message holds its rows: one JSON object a line, one JSON array, or one object. */
type Packing = "lines" | "array" | "one";

export interface Target {
  readonly table: string;
  readonly packing: Packing;
  /** No column has a default of its own, so absent fields need not be looked for: a third less CPU for an insert. */
  readonly zeroes: boolean;
  /** Subject of the events, all partitions. */
  readonly filter: string;
  /** Where the rows of imported streams go instead: what leaves live channels with the day stays with them. */
  readonly ofVods?: Target;
}

const target = (event: EventType, table: string, packing: Packing, vodTable?: string): Target => ({
  table,
  packing,
  zeroes: event !== chatNotice,
  filter: subjectFilter(event, "*"),
  ...(vodTable === undefined ? {} : { ofVods: target(event, vodTable, packing) }),
});

/**
 * Which event becomes rows of which table. The list is the sink: a new table is a line here and a migration. Not stored: `chat.alive`
 * and `chat.ended`, which say nothing of their own, and `video.measured`, whose bulk is for the folds; what they make of it is. Nor `mod.policy` and `mod.erase`, which only the folds hear.
 */
export const targets: Readonly<Record<StreamName, readonly Target[]>> = {
  INPUT: [
    target(chatLines, "chat_lines", "lines", "vod_lines"),
    target(chatNotice, "chat_notices", "one", "vod_notices"),
    target(chatModeration, "chat_moderation", "one", "vod_moderation"),
    target(chatGap, "chat_gaps", "one"),
    target(videoSegment, "video_segments", "one"),
    target(videoGap, "video_gaps", "one"),
    target(shotScore, "shot_scores", "one"),
    target(momentMark, "moment_marks", "one"),
    target(toxicityScores, "toxicity_packs", "one"),
    target(modEvent, "mod_events", "one"),
    target(modReport, "mod_reports", "one"),
  ],
  FOLD: [
    target(chatWindows, "chat_windows", "array"),
    target(chatBursts, "chat_bursts", "array"),
    target(hypeValues, "hype", "array"),
    target(hypeForecasts, "forecasts", "array"),
    target(forecastOutcomes, "forecast_outcomes", "array"),
    target(videoShots, "shots", "array"),
    target(audioWindows, "audio_windows", "array"),
    target(moments, "moments", "array"),
    target(reactionLags, "reaction_lags", "array"),
    target(chatChunks, "chat_chunks", "array"),
    target(toxicityWindows, "toxicity_windows", "array"),
    target(toxicitySpikes, "toxicity_spikes", "array"),
    target(modCases, "mod_cases", "array"),
  ],
  JOURNAL: [{ table: "journal", packing: "one", zeroes: true, filter: journalSubject("*") }],
  DEAD: [{ table: "dead_letters", packing: "one", zeroes: true, filter: "dead.letter.*" }],
};

/** What all subjects of a table begin with: `chat.lines.`, and `journal.`, behind which the channel comes at once. */
const beginning = (filter: string): string => filter.slice(0, filter.indexOf("*"));

export function targetOf(stream: StreamName, subject: string): Target {
  const found = targets[stream].find(({ filter }) => subject.startsWith(beginning(filter)));
  if (!found) throw new Error(`${subject} has no table, although the consumer's filter let it through`);
  return found.ofVods !== undefined && channelIn(subject).startsWith(VOD_CHANNEL) ? found.ofVods : found;
}

/** Of an event that is published per channel: the last token. */
const channelIn = (subject: string): string => subject.slice(subject.lastIndexOf(".") + 1);

const NEWLINE = Buffer.from("\n");

/** The body as JSONEachRow, undecoded: the rows of several messages are simply put one after the other. */
export function rowsOf(target: Target, body: Uint8Array): Uint8Array[] {
  if (body.length === 0) return [];
  if (target.packing === "array" && body.length === 2) return [];
  if (target.packing === "array" && body[0] === 0x5b && body.at(-1) === 0x5d)
    return [body.subarray(1, -1), NEWLINE];
  return body.at(-1) === 0x0a ? [body] : [body, NEWLINE];
}

/** The same body row by row, for finding the one that the store refuses. What cannot be taken apart is one row. */
export function singleRows(target: Target, body: Uint8Array): Uint8Array[] {
  const text = Buffer.from(body).toString("utf8");
  if (target.packing === "lines")
    return text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => Buffer.from(line));
  if (target.packing === "array")
    try {
      const rows: unknown = JSON.parse(text);
      if (Array.isArray(rows)) return rows.map((row) => Buffer.from(JSON.stringify(row)));
    } catch {
      // not JSON: set aside whole, with that reason
    }
  return [body];
}
