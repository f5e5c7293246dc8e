import { chatEnded, chatGap, type ChatEnded, type ChatGap } from "@hypecast/contracts/chat.ts";
import type { ChatSurvey } from "./chat/read-chat.ts";
import { chatBatches } from "./chat/read-chat.ts";
import type { ByteSource } from "./chat/source.ts";
import type { Ahead } from "./ahead.ts";
import type { ChannelWriter } from "./channel-writer.ts";
import { gapOf, gapsOf, messagesOf, readMark, type At } from "./packs.ts";

/**
 * The channel's clock goes on so far behind the end, unheard, so that windows close, bursts end and moments are settled
 * (processors/moments.ts waits longest, 57 s).
 */
export const TAIL_MS = 150_000;
const END_MARK = "end";

/** Publishes a chat from where the log stands to its end; what is there already is not said again. Resolves to the last sequence. */
export async function publishChat(
  channel: ChannelWriter,
  ahead: Ahead,
  source: ByteSource,
  survey: ChatSurvey,
  channelId: string,
  endMs: number,
  signal: AbortSignal,
): Promise<number> {
  const last = channel.last();
  if (last?.mark !== END_MARK) {
    const at: At = (last === null ? null : readMark(last.mark)) ?? {
      from: 0,
      items: 0,
      gaps: 0,
      heardMs: heardFromMs(survey),
    };
    const gaps = gapsOf(channelId, survey.startMs, survey.completeness.holes);
    const batches = chatBatches(source, survey, channelId, { signal, skip: at.from });
    for await (const out of messagesOf(batches, gaps, at)) {
      signal.throwIfAborted();
      if (out.alive !== undefined) {
        await channel.alive(out.alive);
        continue;
      }
      await ahead.room(signal);
      const seq = await channel.write(out.type, out.body, out.mark, out.extra);
      ahead.sent(seq, out.lines, out.body.length, out.lastMs);
    }
  }
  return endChannel(channel, channelId, endMs);
}

/** Chat is heard from the stream's start on, unless the file begins later. */
function heardFromMs({ startMs, firstMs, completeness }: ChatSurvey): number {
  return completeness.holes.some(({ kind }) => kind === "head_missing") ? 0 : Math.min(startMs, firstMs);
}

/** Lets the folds close what is open, and forget the channel. */
export async function endChannel(channel: ChannelWriter, channelId: string, endMs: number): Promise<number> {
  const last = channel.last();
  if (last?.mark === END_MARK && last.subject.startsWith(chatEnded.name)) return last.seq;
  const unheard: ChatGap = gapOf(channelId, endMs, endMs + TAIL_MS);
  if (last?.mark !== END_MARK) await channel.write(chatGap, JSON.stringify(unheard), END_MARK);
  await channel.alive(endMs + TAIL_MS);
  const ended: ChatEnded = { id: `${channelId}:ended`, channelId, atMs: endMs };
  return channel.write(chatEnded, JSON.stringify(ended), END_MARK);
}
