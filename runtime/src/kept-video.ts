import { setTimeout as sleep } from "node:timers/promises";
import { DeliverPolicy, jetstream, type ConsumerMessages, type JsMsg } from "@nats-io/jetstream";
import { nanos, type NatsConnection } from "@nats-io/transport-node";
import { partitionOf, type EventType } from "@hypecast/contracts/event.ts";
import { videoGap, videoSegment, type VideoGap, type VideoSegment } from "@hypecast/contracts/video.ts";
import { vodIdOf, vodVideoKey } from "@hypecast/contracts/vod.ts";
import type { Objects } from "./objects.ts";
import { readSince } from "./read-log.ts";

/**
 * The source takes a playlist's time only when it is this near to its own (streamproc/src/sources/hls/times.ts), and a segment is on the
 * log after it has ended: reading from so long before a time finds everything of that time.
 */
export const CLOCK_TOLERANCE_MS = 600_000;
const PULL_MS = 2000;
const HEARTBEAT_MS = 1000;
const AHEAD = 256;
const AGAIN_MS = 500;
const FORGOTTEN_MS = 30_000;

export interface KeptVideo {
  /** In the order of the log, which is the playlist's. */
  readonly segments: VideoSegment[];
  readonly gaps: VideoGap[];
}

const subjects = (channelId: string): string[] => {
  const partition = channelId === "*" ? "*" : partitionOf(channelId);
  return [videoSegment, videoGap].map((type) => `${type.name}.${partition}.${channelId}`);
};
const isOf = (message: JsMsg, type: EventType): boolean => message.subject.startsWith(`${type.name}.`);

/** Where what is kept stands: of live channels on the log, of imported streams in a manifest, since the log forgets. */
export interface KeptIn {
  readonly nc: NatsConnection;
  readonly objects: Pick<Objects, "get">;
}

/** Times of neighbours that differ by more have something missing between them. */
const HOLE_MS = 500;

/** All segments of an imported stream, in order; none: it has no picture (yet). */
export async function readManifest(objects: Pick<Objects, "get">, id: string): Promise<VideoSegment[]> {
  const body = await objects.get(vodVideoKey(id));
  if (body === null) return [];
  const rows = body.toString().split("\n");
  return rows.filter((row) => row !== "").map((row) => videoSegment.schema.parse(JSON.parse(row)));
}

/** What is missing between segments, as the gaps that the log once had. */
export function holesIn(segments: readonly VideoSegment[]): VideoGap[] {
  return segments.flatMap((segment, i) => {
    const before = segments[i - 1];
    if (before === undefined) return [];
    const { channelId, epoch, seq, startMs } = segment;
    const fromMs = before.startMs + before.durationMs;
    if (startMs - fromMs <= HOLE_MS) return [];
    const toSeq = seq > before.seq + 1 ? { toSeq: seq - 1 } : {};
    return [
      {
        ...{ id: `${channelId}:${epoch}:before-${seq}`, channelId, epoch, fromMs, toMs: startMs, ...toSeq },
        ...{ reason: "not_found", detail: "nothing of it could be had" },
      },
    ];
  });
}

/**
 * What the log says of a channel's picture between two times of the stream: every segment and gap that overlaps the span. A segment whose
 * file retention has taken is among them; `objects` then has none. Beyond `video_state.oldestMs` all files are there.
 */
export async function readKeptVideo(
  { nc, objects }: KeptIn,
  channelId: string,
  fromMs: number,
  toMs: number,
): Promise<KeptVideo> {
  const vodId = vodIdOf(channelId);
  if (vodId !== null) {
    const all = await readManifest(objects, vodId);
    return {
      segments: all.filter(({ startMs, durationMs }) => startMs < toMs && startMs + durationMs > fromMs),
      gaps: holesIn(all).filter((gap) => gap.fromMs < toMs && gap.toMs > fromMs),
    };
  }
  const segments = new Map<string, VideoSegment>();
  const gaps = new Map<string, VideoGap>();
  for await (const message of readSince(nc, "INPUT", subjects(channelId), fromMs - CLOCK_TOLERANCE_MS))
    if (isOf(message, videoSegment)) {
      const segment = message.json<VideoSegment>();
      if (segment.startMs < toMs && segment.startMs + segment.durationMs > fromMs)
        segments.set(segment.id, segment);
    } else {
      const gap = message.json<VideoGap>();
      if (gap.fromMs < toMs && gap.toMs > fromMs) gaps.set(gap.id, gap);
    }
  return { segments: [...segments.values()], gaps: [...gaps.values()] };
}

/**
 * Tells every segment and gap that was put on the log since `sinceMs` (our clock), and from then on each as it comes, in order, of one
 * channel or of all (`"*"`). Goes on by itself after the log was away.
 */
export function followVideo(
  nc: NatsConnection,
  channelId: string,
  sinceMs: number,
  tell: { segment(segment: VideoSegment): void; gap(gap: VideoGap): void },
): { close(): void } {
  const closing = new AbortController();
  const reading: { messages: ConsumerMessages | null } = { messages: null };
  let next: { opt_start_seq: number } | { opt_start_time: string } = {
    opt_start_time: new Date(Math.max(0, sinceMs)).toISOString(),
  };
  const follow = async (): Promise<void> => {
    const consumer = await jetstream(nc).consumers.get("INPUT", {
      filter_subjects: subjects(channelId),
      deliver_policy: "opt_start_seq" in next ? DeliverPolicy.StartSequence : DeliverPolicy.StartTime,
      ...next,
      inactive_threshold: nanos(FORGOTTEN_MS),
    });
    const messages = await consumer.consume({
      max_messages: AHEAD,
      expires: PULL_MS,
      idle_heartbeat: HEARTBEAT_MS,
    });
    reading.messages = messages;
    if (closing.signal.aborted) messages.stop();
    try {
      for await (const message of messages) {
        if (closing.signal.aborted) return;
        if (isOf(message, videoSegment)) tell.segment(message.json<VideoSegment>());
        else tell.gap(message.json<VideoGap>());
        next = { opt_start_seq: message.seq + 1 };
      }
    } finally {
      reading.messages = null;
      consumer.delete().catch(() => undefined);
    }
  };
  void (async () => {
    // A consumer lives in the server's memory: after a restart of the server it would take heartbeats to notice.
    for await (const status of nc.status()) if (status.type === "reconnect") reading.messages?.stop();
  })();
  void (async () => {
    while (!closing.signal.aborted && !nc.isClosed()) {
      await follow().catch(() => undefined);
      await sleep(AGAIN_MS, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  })();
  return {
    close() {
      closing.abort();
      reading.messages?.stop();
    },
  };
}
