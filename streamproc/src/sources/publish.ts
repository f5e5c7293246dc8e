import { setTimeout as sleep } from "node:timers/promises";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { headers, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node";
import {
  chatAlive,
  chatGap,
  chatLines,
  EMOTE_SET_HEADER,
  LINES_HEADER,
  packLines,
  type ChatGap,
  type ChatLine,
} from "@hypecast/contracts/chat.ts";
import {
  PARTITIONS,
  partitionOf,
  subjectOf,
  type EventType,
  type Payload,
} from "@hypecast/contracts/event.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { counter, gauge, histogram } from "@hypecast/runtime/metrics.ts";

/** A pack closes after this long … */
const PACK_MS = 5;
/**
 * … or at this many lines or characters, whichever comes first. One message of a channel's partition is in flight at a time, so
 * this over the time to an acknowledgement bounds a channel: 3,000 lines in the 50 ms of a machine without a free core are
 * 60,000 lines/s.
 */
export const PACK_LINES_MOST = 3000;
const PACK_CHARS = 2 * 1024 * 1024;
/** Of a replay's packs. They are the same whenever the same lines are replayed, so this never changes. */
export const PACK_LINES = 500;
/** Bound of all that waits for the log. Beyond it the oldest lines go, and a gap event says so. */
const QUEUE_CHARS = 64 * 1024 * 1024;
const PUBLISH_TIMEOUT_MS = 2000;
const RETRY_MS = { first: 50, most: 2000 };
/** Beyond this the server may have forgotten the message id (its window is 120 s), so the log itself is asked. */
const FORGOTTEN_MS = 60_000;

const published = counter("chat_published_lines_total", "Chat lines that the log has acknowledged");
const dropped = counter(
  "chat_overflow_lines_total",
  "Chat lines dropped because the log did not take them in time",
);
const retries = counter("chat_publish_retries_total", "Publishes that had to be repeated");
const latency = histogram(
  "chat_publish_seconds",
  "From the first line of a pack to the log's acknowledgement",
);
const queued = gauge("chat_queue_chars", "Characters of chat that wait for the log");

interface Pack {
  kind: "lines";
  channelId: string;
  lines: ChatLine[];
  chars: number;
  emoteSet: string;
  openedAt: number;
  extra: Record<string, string> | null;
  id: string | null;
}
interface Single {
  kind: "event";
  /** Null: an alive marker, of many channels. */
  channelId: string | null;
  chars: number;
  subject: string;
  body: string;
  id: string | null;
  gap: ChatGap | null;
  extra: Record<string, string> | null;
  sent: (() => void) | null;
}
type Item = Pack | Single;

interface Lane {
  queue: Item[];
  chars: number;
  /** The pack of a channel that can still take lines. */
  open: Map<string, Pack>;
  running: boolean;
}

export interface LogWriter {
  /** Adds a line to its channel's pack. */
  line(line: ChatLine, emoteSet: string): void;
  /** A pack that the caller has made, with an id and headers of its own (replay). */
  pack(lines: ChatLine[], emoteSet: string, id: string, extra: Record<string, string>): void;
  /** An event of a channel, after all that was said of it before. */
  event(
    type: EventType,
    event: { id: string; channelId: string },
    replayed?: { id: string; extra: Record<string, string> },
  ): void;
  /** One alive marker, after all that was said before of its partition's channels; `sent` runs when the log has it. */
  alive(partition: number, atMs: number, channels: string[], sent?: () => void): void;
  /** Characters that wait. */
  queuedChars(): number;
  /** Resolves when fewer than `chars` wait: backpressure for whoever can wait. */
  below(chars: number): Promise<void>;
  /** Lines that were dropped because the queue was full. */
  overflowed(): number;
  /** Sends what waits, for at most `withinMs`, and ends. */
  close(withinMs?: number): Promise<void>;
}

/**
 * The way into the log. One lane a partition with one message in flight: a retry can never overtake, so the order of every
 * channel, and of alive markers against the lines before them, is the order of the calls. While a message is in flight the
 * next packs fill, so the busier it gets the fewer messages a line costs.
 */
export async function openLog(
  nc: NatsConnection,
  log: Logger,
  /** Asked before each message. False: somebody else has taken over; what waits is forgotten, since a gap covers it. */
  mayPublish: () => boolean = () => true,
  mostChars = QUEUE_CHARS,
): Promise<LogWriter> {
  const js = jetstream(nc, { timeout: PUBLISH_TIMEOUT_MS });
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const lanes: Lane[] = Array.from({ length: PARTITIONS }, () => ({
    queue: [],
    chars: 0,
    open: new Map(),
    running: false,
  }));
  let chars = 0;
  let overflow = 0;
  let closing = false;
  const waiting: { chars: number; resolve: () => void }[] = [];

  const add = (lane: Lane, item: Item): void => {
    lane.queue.push(item);
    grow(lane, item.chars);
    if (!lane.running) {
      lane.running = true;
      void drain(lane);
    }
  };
  const grow = (lane: Lane, by: number): void => {
    lane.chars += by;
    chars += by;
    for (;;) {
      if (chars <= mostChars || !makeRoom()) break;
    }
    queued.set(chars);
    if (by < 0 && waiting.length > 0)
      for (const [i, one] of [...waiting.entries()].toReversed())
        if (chars < one.chars) {
          waiting.splice(i, 1);
          one.resolve();
        }
  };

  /** Drops the oldest lines of the fullest lane; a gap event takes their place, so it stands before what comes after them. */
  const makeRoom = (): boolean => {
    let lane = lanes[0];
    for (const other of lanes) if (lane === undefined || other.chars > lane.chars) lane = other;
    // The first may be in flight.
    const at = lane?.queue.findIndex((item, i) => i > 0 && item.kind === "lines") ?? -1;
    const pack = lane?.queue[at];
    if (lane === undefined || pack?.kind !== "lines") return false;
    if (lane.open.get(pack.channelId) === pack) lane.open.delete(pack.channelId);
    const times = pack.lines.map((line) => line.sentAtMs);
    let fromMs = Math.min(...times);
    const toMs = Math.max(...times) + 1;
    lane.chars -= pack.chars;
    chars -= pack.chars;
    overflow += pack.lines.length;
    dropped.inc(pack.lines.length);
    // Drops that follow one another become one gap.
    const before = lane.queue
      .slice(1, at)
      .findLastIndex((item) => item.kind === "event" && item.channelId === pack.channelId);
    const previous = lane.queue[before + 1];
    if (before >= 0 && previous?.kind === "event" && previous.gap?.reason === "overflow") {
      fromMs = Math.min(fromMs, previous.gap.fromMs);
      lane.queue.splice(at, 1);
      lane.queue[before + 1] = gapItem({ ...previous.gap, fromMs, toMs: Math.max(toMs, previous.gap.toMs) });
    } else {
      lane.queue[at] = gapItem({ id: "", channelId: pack.channelId, fromMs, toMs, reason: "overflow" });
    }
    return true;
  };

  const drain = async (lane: Lane): Promise<void> => {
    for (;;) {
      const item = lane.queue[0];
      if (item === undefined) break;
      if (item.kind === "lines") {
        const age = performance.now() - item.openedAt;
        if (age < PACK_MS && item.id === null && lane.open.get(item.channelId) === item && !closing)
          await sleep(PACK_MS - age);
        if (lane.open.get(item.channelId) === item) lane.open.delete(item.channelId);
      }
      if (mayPublish()) await send(item);
      lane.queue.shift();
      grow(lane, -item.chars);
    }
    lane.running = false;
  };

  const send = async (item: Item): Promise<void> => {
    const [subject, body, id, head] = wire(item);
    const since = performance.now();
    let wait = RETRY_MS.first;
    for (;;) {
      try {
        if (id !== null && performance.now() - since > FORGOTTEN_MS && (await isThere(subject, id))) break;
        await js.publish(subject, body, { headers: head, ...(id === null ? {} : { msgID: id }) });
        break;
      } catch (error) {
        if (nc.isClosed() || !mayPublish()) return;
        retries.inc();
        if (wait === RETRY_MS.first)
          log.warn({ err: error, subject }, "the log did not take a message, trying again");
        await sleep(wait);
        wait = Math.min(wait * 2, RETRY_MS.most);
      }
    }
    if (item.kind === "lines") {
      published.inc(item.lines.length);
      latency.observe((performance.now() - item.openedAt) / 1000);
    } else item.sent?.();
  };

  /** Only this lane publishes on the subject, so an uncertain message is there if and only if it is the last one. */
  const isThere = async (subject: string, id: string): Promise<boolean> => {
    const last = await jsm.streams.getMessage("INPUT", { last_by_subj: subject });
    return last?.header.get("Nats-Msg-Id") === id;
  };

  const laneOf = (channelId: string): Lane => lanes[partitionOf(channelId)] as Lane;

  return {
    line(line, emoteSet) {
      const lane = laneOf(line.channelId);
      const size = charsOf(line);
      const open = lane.open.get(line.channelId);
      if (
        open !== undefined &&
        open.lines.length < PACK_LINES_MOST &&
        open.chars + size <= PACK_CHARS &&
        open.emoteSet === emoteSet
      ) {
        open.lines.push(line);
        open.chars += size;
        grow(lane, size);
        return;
      }
      const pack: Pack = {
        kind: "lines",
        channelId: line.channelId,
        lines: [line],
        chars: size,
        emoteSet,
        openedAt: performance.now(),
        extra: null,
        id: null,
      };
      lane.open.set(line.channelId, pack);
      add(lane, pack);
    },
    pack(lines, emoteSet, id, extra) {
      const channelId = lines[0]?.channelId;
      if (channelId === undefined) return;
      const size = lines.reduce((sum, line) => sum + charsOf(line), 0);
      const openedAt = performance.now();
      add(laneOf(channelId), { kind: "lines", channelId, lines, chars: size, emoteSet, openedAt, extra, id });
    },
    event(type, event, replayed) {
      const lane = laneOf(event.channelId);
      lane.open.delete(event.channelId);
      add(lane, {
        kind: "event",
        channelId: event.channelId,
        chars: 500,
        subject: subjectOf(type, event.channelId),
        body: JSON.stringify(event),
        id: replayed?.id ?? `${type.name}:${event.id}`,
        gap: type.name === chatGap.name ? (event as ChatGap) : null,
        extra: replayed?.extra ?? null,
        sent: null,
      });
    },
    alive(partition, atMs, channels, sent) {
      const lane = lanes[partition];
      if (lane === undefined || channels.length === 0) return;
      add(lane, {
        kind: "event",
        channelId: null,
        chars: 100 + 20 * channels.length,
        subject: `${chatAlive.name}.${partition}`,
        body: JSON.stringify({ atMs, channels } satisfies Payload<typeof chatAlive>),
        id: null,
        gap: null,
        extra: null,
        sent: sent ?? null,
      });
    },
    queuedChars: () => chars,
    overflowed: () => overflow,
    below(limit) {
      if (chars < limit || nc.isClosed()) return Promise.resolve();
      return new Promise((resolve) => waiting.push({ chars: limit, resolve }));
    },
    async close(withinMs = 3000) {
      closing = true;
      const until = performance.now() + withinMs;
      while (lanes.some((lane) => lane.running) && performance.now() < until) await sleep(5);
    },
  };
}

/**
 * About what a line takes as JSON. Letters of three bytes and escaped ones make it up to three times as many bytes, so a
 * pack stays below the 8 MB that the log takes in one message.
 */
const charsOf = ({ text, emotes, badges, badgeInfo }: ChatLine): number =>
  300 + 2 * text.length + 80 * (emotes?.length ?? 0) + (badges?.length ?? 0) + (badgeInfo?.length ?? 0);

export const gapId = (gap: Omit<ChatGap, "id">): string =>
  `${gap.channelId}:${gap.reason}:${gap.fromMs}:${gap.toMs}`;

function gapItem(gap: ChatGap): Single {
  const whole = { ...gap, id: gapId(gap) };
  return {
    kind: "event",
    channelId: gap.channelId,
    chars: 0,
    subject: subjectOf(chatGap, gap.channelId),
    body: JSON.stringify(whole),
    id: `${chatGap.name}:${whole.id}`,
    gap: whole,
    extra: null,
    sent: null,
  };
}

function wire(item: Item): [subject: string, body: Uint8Array | string, id: string | null, head: MsgHdrs] {
  const head = headers();
  for (const [name, value] of Object.entries(item.extra ?? {})) head.set(name, value);
  if (item.kind === "event") return [item.subject, item.body, item.id, head];
  const body = packLines(item.lines);
  head.set(LINES_HEADER, String(item.lines.length));
  if (item.emoteSet !== "") head.set(EMOTE_SET_HEADER, item.emoteSet);
  // From the content, line ids being unique: the same pack, sent again after a lost answer, is the same message.
  const { channelId, lines } = item;
  const id =
    item.id ??
    `${channelId}:${lines[0]?.id}:${lines.at(-1)?.id}:${lines.length}:${lines[0]?.receivedAtMs ?? 0}`;
  return [subjectOf(chatLines, item.channelId), body, id, head];
}
