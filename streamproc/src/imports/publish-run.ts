import {
  chatAlive,
  chatEnded,
  chatGap,
  type ChatAlive,
  type ChatEnded,
  type ChatGap,
} from "@hypecast/contracts/chat.ts";
import { EVERYBODY, type OptOuts } from "@hypecast/runtime/opt-outs.ts";
import { LATENESS_MS } from "../processors/windows.ts";
import type { Ahead } from "./ahead.ts";
import type { EventType } from "@hypecast/contracts/event.ts";
import { BATCH, type ChannelMessage, type ChannelWriter } from "./channel-writer.ts";
import { chatBatches, type ChatSurvey } from "./chat/read-chat.ts";
import type { ByteSource } from "./chat/source.ts";
import { gapOf, gapsOf, messagesOf, readMark, type Out } from "./packs.ts";
import { interleave, type PictureEvent } from "./video/merge.ts";

/**
 * The channel's clock goes on so far behind the end, unheard, so that windows close, bursts end and moments are settled
 * (processors/moments.ts waits longest, 57 s).
 */
const TAIL_MS = 150_000;
/** Marks of the last two messages. */
const UNHEARD = "unheard";
const ENDED = "ended";

/** What one run is made of: chat, a picture, or both in the order in which they were. */
export interface RunParts {
  readonly channelId: string;
  readonly chat: { readonly source: ByteSource; readonly survey: ChatSurvey } | null;
  /** The picture's events from one of them on; null: without a picture. */
  readonly picture: ((from: number) => AsyncIterable<PictureEvent>) | null;
  readonly endMs: number;
  /** Whose lines stay out. */
  readonly optOuts?: Pick<OptOuts, "leavesOut">;
}

/** Publishes a run from where the log stands to its end; what is there already is not said again. Resolves to the last sequence. */
export async function publishRun(
  channel: ChannelWriter,
  ahead: Ahead,
  run: RunParts,
  signal: AbortSignal,
): Promise<number> {
  let batch: Out[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    await ahead.room(signal);
    const seq = await channel.write(batch.map((out) => onLog(out, run.channelId)));
    for (const out of batch)
      if (out.alive === undefined) ahead.sent(seq, out.lines, out.body.length, out.lastMs);
    batch = [];
    bytes = 0;
  };
  for await (const out of messagesOfRun(run, channel.last()?.mark ?? "", signal)) {
    signal.throwIfAborted();
    batch.push(out);
    if (out.alive !== undefined) continue;
    bytes += out.body.length;
    if (batch.length >= BATCH.messages || bytes >= BATCH.bytes) await flush();
  }
  // The last one ends the channel, so no `chat.alive` is left over.
  if (batch.length > 0) await flush();
  return channel.last()!.seq;
}

function onLog(out: Out, channelId: string): ChannelMessage {
  if (out.alive === undefined) return out;
  const said: ChatAlive = { atMs: out.alive, channels: [channelId] };
  return { type: chatAlive, body: JSON.stringify(said), mark: null };
}

/** All that a run says, behind the message with this mark; empty: from its beginning. The same in the same order at every call, however it is cut. */
export async function* messagesOfRun(run: RunParts, mark: string, signal: AbortSignal): AsyncGenerator<Out> {
  const { channelId, endMs } = run;
  if (mark === ENDED) return;
  if (mark !== UNHEARD) {
    yield* sensesOf(run, mark, signal);
    const unheard: ChatGap = gapOf(channelId, endMs, endMs + TAIL_MS);
    yield last(chatGap, unheard, UNHEARD, endMs);
  }
  yield { alive: endMs + TAIL_MS };
  // The folds forget the channel.
  const ended: ChatEnded = { id: `${channelId}:ended`, channelId, atMs: endMs };
  yield last(chatEnded, ended, ENDED, endMs);
}

const last = (type: EventType, event: object, mark: string, atMs: number): Out => ({
  ...{ type, body: JSON.stringify(event), extra: {}, mark },
  ...{ lines: 0, atMs, lastMs: atMs },
});

/** Marks are `<of the chat>;<next of the picture>`. */
async function* sensesOf(run: RunParts, mark: string, signal: AbortSignal): AsyncGenerator<Out> {
  let [chatMark = "", next = "0"] = mark.split(";");
  const chat = run.chat === null ? nothing() : chatOuts(run, run.chat, chatMark, signal);
  const picture = run.picture === null ? nothing() : run.picture(Number(next));
  for await (const one of interleave(chat, picture, timeOf, ({ atMs }: PictureEvent) => atMs))
    if ("first" in one) {
      const out = one.first;
      if (out.alive === undefined) chatMark = out.mark;
      yield out.alive === undefined ? { ...out, mark: `${chatMark};${next}` } : out;
    } else {
      const { index, type, body, atMs } = one.second;
      next = String(index + 1);
      yield { type, body, extra: {}, mark: `${chatMark};${next}`, lines: 0, atMs, lastMs: atMs };
    }
}

function chatOuts(
  { channelId, optOuts = EVERYBODY }: RunParts,
  { source, survey }: NonNullable<RunParts["chat"]>,
  mark: string,
  signal: AbortSignal,
): AsyncGenerator<Out> {
  const at = readMark(mark) ?? { from: 0, items: 0, gaps: 0, heardMs: heardFromMs(survey) };
  const gaps = gapsOf(channelId, survey.startMs, survey.completeness.holes);
  return messagesOf(chatBatches(source, survey, channelId, { signal, skip: at.from }), gaps, at, optOuts);
}

const timeOf = (out: Out): number => (out.alive === undefined ? out.atMs : out.alive);

/** Chat is heard from the stream's start on, unless the file begins later: with the clock there, the first window that closes is the first. */
function heardFromMs({ startMs, firstMs, completeness }: ChatSurvey): number {
  return completeness.holes.some(({ kind }) => kind === "head_missing")
    ? 0
    : Math.min(startMs, firstMs) + LATENESS_MS;
}

async function* nothing(): AsyncGenerator<never> {}
