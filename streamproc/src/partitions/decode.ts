import {
  chatAlive,
  chatEnded,
  chatGap,
  chatLines,
  chatModeration,
  chatNotice,
  EMOTE_SET_HEADER,
  unpackLines,
  type ChatLine,
} from "@hypecast/contracts/chat.ts";
import { videoMeasured } from "@hypecast/contracts/measured.ts";
import { modErase, modPolicy, modReport } from "@hypecast/contracts/mod-case.ts";
import { modEvent } from "@hypecast/contracts/mod-event.ts";
import { momentMark } from "@hypecast/contracts/moment.ts";
import type { DeadLetterReason } from "@hypecast/contracts/outcome.ts";
import { toxicityScores } from "@hypecast/contracts/toxicity.ts";
import { shotScore } from "@hypecast/contracts/shot.ts";
import { videoGap, videoSegment } from "@hypecast/contracts/video.ts";
import type { FoldInput } from "../processors/fold.ts";

/** One message of the stream INPUT, as much of it as the folds need. */
export interface LogMessage {
  readonly seq: number;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly header: (name: string) => string;
  /** When the log stored it (the log's clock). */
  readonly storedAtMs: number;
}

export interface Decoded {
  /** What each channel hears of it, in order. */
  readonly events: { channelId: string; input: FoldInput }[];
  /** Channels of which nothing more will come. */
  readonly ended: string[];
  /** Rows that were set aside; the rest of the message goes on. `row` is −1 for the whole message. */
  readonly bad: { row: number; reason: DeadLetterReason; detail: string; body: Uint8Array }[];
}

/** The one place where the log is parsed for the folds: behind it, types are trusted. */
export function decode(message: LogMessage): Decoded {
  const [domain, kind, , channelId = ""] = message.subject.split(".");
  const decoded: Decoded = { events: [], ended: [], bad: [] };
  try {
    switch (`${domain}.${kind}`) {
      case chatLines.name:
        decodeLines(message, channelId, decoded);
        break;
      case chatAlive.name: {
        const { atMs, channels } = chatAlive.schema.parse(json(message));
        for (const id of channels) decoded.events.push({ channelId: id, input: { type: "alive", atMs } });
        break;
      }
      case chatEnded.name:
        decoded.ended.push(sameChannel(chatEnded.schema.parse(json(message)), channelId));
        break;
      case chatNotice.name: {
        const notice = chatNotice.schema.parse(json(message));
        decoded.events.push({ channelId: sameChannel(notice, channelId), input: { type: "notice", notice } });
        break;
      }
      case chatModeration.name: {
        const moderation = chatModeration.schema.parse(json(message));
        decoded.events.push({
          channelId: sameChannel(moderation, channelId),
          input: { type: "moderation", moderation },
        });
        break;
      }
      case chatGap.name: {
        const gap = chatGap.schema.parse(json(message));
        if (gap.toMs < gap.fromMs)
          throw new Error(`a gap from ${gap.fromMs} to ${gap.toMs} ends before it begins`);
        decoded.events.push({ channelId: sameChannel(gap, channelId), input: { type: "gap", gap } });
        break;
      }
      case videoSegment.name: {
        const segment = videoSegment.schema.parse(json(message));
        decoded.events.push({
          channelId: sameChannel(segment, channelId),
          input: { type: "segment", segment },
        });
        break;
      }
      case videoGap.name: {
        const gap = videoGap.schema.parse(json(message));
        decoded.events.push({ channelId: sameChannel(gap, channelId), input: { type: "videoGap", gap } });
        break;
      }
      case videoMeasured.name: {
        const measured = videoMeasured.schema.parse(json(message));
        decoded.events.push({
          channelId: sameChannel(measured, channelId),
          input: { type: "measured", measured },
        });
        break;
      }
      case shotScore.name: {
        const score = shotScore.schema.parse(json(message));
        decoded.events.push({ channelId: sameChannel(score, channelId), input: { type: "score", score } });
        break;
      }
      case momentMark.name: {
        const mark = momentMark.schema.parse(json(message));
        decoded.events.push({ channelId: sameChannel(mark, channelId), input: { type: "mark", mark } });
        break;
      }
      case toxicityScores.name: {
        const scores = toxicityScores.schema.parse(json(message));
        decoded.events.push({
          channelId: sameChannel(scores, channelId),
          input: { type: "toxicity", scores },
        });
        break;
      }
      case modEvent.name: {
        const event = modEvent.schema.parse(json(message));
        decoded.events.push({ channelId: sameChannel(event, channelId), input: { type: "modEvent", event } });
        break;
      }
      case modPolicy.name: {
        const policy = modPolicy.schema.parse(json(message));
        decoded.events.push({ channelId: sameChannel(policy, channelId), input: { type: "policy", policy } });
        break;
      }
      case modReport.name: {
        const report = modReport.schema.parse(json(message));
        decoded.events.push({ channelId: sameChannel(report, channelId), input: { type: "report", report } });
        break;
      }
      case modErase.name: {
        const erase = modErase.schema.parse(json(message));
        decoded.events.push({ channelId: sameChannel(erase, channelId), input: { type: "erase", erase } });
        break;
      }
      default:
        throw new Error(`no event is published on ${message.subject}`);
    }
  } catch (error) {
    decoded.bad.push({ row: -1, body: message.data, ...whatIsWrong(error) });
  }
  return decoded;
}

const whatIsWrong = (error: unknown): { reason: DeadLetterReason; detail: string } => ({
  reason: error instanceof SyntaxError ? "not_json" : "wrong_shape",
  detail: (error instanceof Error ? error.message : String(error)).slice(0, 500),
});

const decoder = new TextDecoder();
const json = (message: LogMessage): unknown => JSON.parse(decoder.decode(message.data));

function sameChannel(event: { channelId: string }, inSubject: string): string {
  if (event.channelId !== inSubject)
    throw new Error(`channel ${event.channelId} in the body, ${inSubject} in the subject`);
  return inSubject;
}

function decodeLines(message: LogMessage, channelId: string, decoded: Decoded): void {
  const emoteSet = message.header(EMOTE_SET_HEADER);
  let lines: readonly ChatLine[];
  try {
    lines = unpackLines(message.data);
    for (const line of lines) if (wrongWith(line, channelId) !== null) lines = [];
    if (lines.length > 0) {
      decoded.events.push({ channelId, input: { type: "lines", lines, emoteSet } });
      return;
    }
  } catch {
    // Some row is broken: find out which.
  }
  const good: ChatLine[] = [];
  for (const [row, text] of decoder.decode(message.data).split("\n").entries()) {
    if (text === "") continue;
    try {
      const line = JSON.parse(text) as ChatLine;
      const wrong = wrongWith(line, channelId);
      if (wrong !== null) throw new TypeError(wrong);
      good.push(line);
    } catch (error) {
      decoded.bad.push({ row, body: Buffer.from(text), ...whatIsWrong(error) });
    }
  }
  if (good.length > 0) decoded.events.push({ channelId, input: { type: "lines", lines: good, emoteSet } });
}

/** What of a row does not fit `chatLine`, as far as folds rely on it; null when all does. By hand: zod costs more than a fold. */
function wrongWith(row: unknown, channelId: string): string | null {
  if (typeof row !== "object" || row === null) return "a row is no object";
  const line = row as Partial<Record<keyof ChatLine, unknown>>;
  if (typeof line.id !== "string" || line.id === "") return "id is missing";
  if (line.channelId !== channelId) return `channelId is not the subject's ${channelId}`;
  if (!Number.isSafeInteger(line.sentAtMs) || (line.sentAtMs as number) <= 0) return "sentAtMs is no time";
  if (typeof line.userId !== "string") return "userId is missing";
  if (typeof line.login !== "string") return "login is missing";
  if (typeof line.text !== "string") return "text is missing";
  if (line.bits !== undefined && !Number.isSafeInteger(line.bits)) return "bits is no number";
  return line.emotes === undefined ? null : wrongEmotes(line.emotes);
}

function wrongEmotes(emotes: unknown): string | null {
  if (!Array.isArray(emotes)) return "emotes is no list";
  for (const emote of emotes as unknown[]) {
    if (!Array.isArray(emote)) return "an emote is no list";
    const fits =
      typeof emote[0] === "string" &&
      typeof emote[1] === "string" &&
      Number.isSafeInteger(emote[2]) &&
      Number.isSafeInteger(emote[3]);
    if (!fits) return "an emote is not [ref, name, first, last]";
  }
  return null;
}
