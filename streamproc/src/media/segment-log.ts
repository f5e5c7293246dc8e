import { DeliverPolicy, jetstream, JetStreamApiError, type JetStreamManager } from "@nats-io/jetstream";
import { headers, nanos, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node";
import { subjectFilter, subjectOf } from "@hypecast/contracts/event.ts";
import { videoMeasured, type VideoMeasured } from "@hypecast/contracts/measured.ts";
import { videoSegment, type VideoSegment } from "@hypecast/contracts/video.ts";

/** In a `video.measured`: where on the log the segment stands that it is of. */
export const SEGMENT_HEADER = "Hypecast-Segment";

/** Messages asked for ahead: the bound of what waits in memory for each channel. */
const AHEAD = 8;
const PULL_MS = 2000;
const HEARTBEAT_MS = 1000;
const FORGOTTEN_AFTER_MS = 30_000;
const WRONG_LAST_SEQUENCE = 10071;

export interface SegmentMessage {
  /** Null: it is none. */
  segment: VideoSegment | null;
  seq: number;
  storedAtMs: number;
  /** Segments of this channel behind it. */
  pending: number;
}

/** Where a channel stands. */
export interface Position {
  /** The last measured segment's place on the log; 0: none is measured. */
  segmentSeq: number;
  /** Place of its `video.measured`: whoever publishes the next one says that this is the last. */
  measuredSeq: number;
}

/** The log as the process `media` needs it. */
export interface SegmentLog {
  position(channelId: string): Promise<Position>;
  /** Null: the log does not keep it any more. */
  segmentAt(seq: number): Promise<VideoSegment | null>;
  /** A channel's segments behind a place, in order, for good; ends when the signal aborts. */
  read(channelId: string, after: number, signal: AbortSignal): AsyncIterable<SegmentMessage>;
  /** Every channel that has a segment on the log, and each again with every segment that comes. Ends as `read`. */
  channels(signal: AbortSignal): AsyncIterable<string>;
  /** Resolves to its place on the log, or null when something has been published since `position`, our own earlier try included. */
  publish(measured: VideoMeasured, segmentSeq: number, position: Position): Promise<number | null>;
}

export function openSegmentLog(nc: NatsConnection, jsm: JetStreamManager): SegmentLog {
  const js = jetstream(nc);

  async function* follow(
    subject: string,
    start: { deliver_policy: DeliverPolicy; opt_start_seq?: number; headers_only?: boolean },
    signal: AbortSignal,
  ): AsyncIterable<{ subject: string; data: Uint8Array; seq: number; storedAtMs: number; pending: number }> {
    const consumer = await js.consumers.get("INPUT", {
      filter_subjects: [subject],
      inactive_threshold: nanos(FORGOTTEN_AFTER_MS),
      ...start,
    });
    const messages = await consumer.consume({
      max_messages: AHEAD,
      expires: PULL_MS,
      idle_heartbeat: HEARTBEAT_MS,
    });
    const stop = (): void => messages.stop();
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    try {
      for await (const message of messages)
        yield {
          subject: message.subject,
          data: message.data,
          seq: message.seq,
          storedAtMs: message.info.timestampNanos / 1e6,
          pending: message.info.pending,
        };
    } finally {
      signal.removeEventListener("abort", stop);
      stop();
      // After a kill -9 the server forgets it by itself.
      consumer.delete().catch(() => undefined);
    }
  }

  return {
    async position(channelId) {
      const last = await jsm.direct.getMessage("INPUT", {
        last_by_subj: subjectOf(videoMeasured, channelId),
      });
      return {
        segmentSeq: Number(last?.header.get(SEGMENT_HEADER) ?? 0),
        measuredSeq: last?.seq ?? 0,
      };
    },

    async segmentAt(seq) {
      const message = await jsm.direct.getMessage("INPUT", { seq });
      return message === null ? null : segmentIn(message.data);
    },

    async *read(channelId, after, signal) {
      const start = { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: after + 1 };
      for await (const { data, seq, storedAtMs, pending } of follow(
        subjectOf(videoSegment, channelId),
        start,
        signal,
      ))
        yield { segment: segmentIn(data), seq, storedAtMs, pending };
    },

    async *channels(signal) {
      const start = { deliver_policy: DeliverPolicy.LastPerSubject, headers_only: true };
      for await (const { subject } of follow(subjectFilter(videoSegment, "*"), start, signal))
        yield subject.slice(subject.lastIndexOf(".") + 1);
    },

    async publish(measured, segmentSeq, position) {
      const { channelId, id } = measured;
      try {
        const ack = await js.publish(subjectOf(videoMeasured, channelId), JSON.stringify(measured), {
          msgID: `measured:${id}`,
          headers: withSegment(segmentSeq),
          expect: { lastSubjectSequence: position.measuredSeq },
        });
        return ack.seq;
      } catch (error) {
        if (error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE) return null;
        throw error;
      }
    },
  };
}

function withSegment(seq: number): MsgHdrs {
  const found = headers();
  found.set(SEGMENT_HEADER, String(seq));
  return found;
}

function segmentIn(data: Uint8Array): VideoSegment | null {
  try {
    return videoSegment.schema.safeParse(JSON.parse(Buffer.from(data).toString())).data ?? null;
  } catch {
    return null;
  }
}
