import { createHash } from "node:crypto";
import {
  chatGap,
  chatLines,
  chatModeration,
  chatNotice,
  LINES_HEADER,
  type ChatGap,
  type ChatLine,
  type ChatModeration,
  type ChatNotice,
} from "@hypecast/contracts/chat.ts";
import type { EventType } from "@hypecast/contracts/event.ts";
import { leftOut, type OptOuts } from "@hypecast/runtime/opt-outs.ts";
import type { Completeness } from "@hypecast/contracts/vod.ts";
import type { ChatBatch } from "./chat/read-chat.ts";

/**
 * A pack ends at so many lines or characters, and at so much event time: folds that hold two senses together want chat in the small steps in
 * which it came, and a line is counted late when a pack overtakes it by more than the watermark's delay.
 */
const PACK = { lines: 2500, chars: 1_500_000, ms: 2000 } as const;
/** The clock is said this often: folds do not believe a line that is further ahead of it than two minutes. */
const ALIVE_EVERY_MS = 30_000;
/** … and in a silence at least so often, so that it is heard as one. */
const ALIVE_STEP_MS = 600_000;

/** What goes onto the log next, in order. */
export type Out =
  | { readonly alive: number }
  | {
      readonly alive?: undefined;
      readonly type: EventType;
      readonly body: Uint8Array | string;
      readonly extra: Readonly<Record<string, string>>;
      /** How far the import is when the log has this. */
      readonly mark: string;
      readonly lines: number;
      /** Its place among the events of other senses. */
      readonly atMs: number;
      /** Event time of the newest that is in it. */
      readonly lastMs: number;
    };

/** How far an import has come: where the batch began, all items, gaps, and until when the channel was heard (0: it was not). */
export interface At {
  readonly from: number;
  readonly items: number;
  readonly gaps: number;
  readonly heardMs: number;
}
const markOf = ({ from, items, gaps, heardMs }: At): string => `${from}:${items}:${gaps}:${heardMs}`;
/** Null: the mark is not one of these. */
export function readMark(mark: string): At | null {
  const [from, items, gaps, heardMs] = mark.split(":").map(Number);
  if (from === undefined || items === undefined || gaps === undefined || heardMs === undefined) return null;
  return Number.isInteger(from + items + gaps + heardMs) ? { from, items, gaps, heardMs } : null;
}

type Item =
  | { readonly atMs: number; readonly line: ChatLine }
  | {
      readonly atMs: number;
      readonly line?: undefined;
      readonly type: EventType;
      readonly event: ChatNotice | ChatModeration;
    };

/**
 * Turns what was read into messages. They are cut by what is in them alone, and each says how far one is with it: whoever goes on after a kill
 * says what would have been said.
 */
export async function* messagesOf(
  batches: AsyncIterable<ChatBatch>,
  gaps: readonly ChatGap[],
  at: At,
  optOuts: Pick<OptOuts, "leavesOut">,
): AsyncGenerator<Out> {
  let { from, items, gaps: told } = at;
  // Batches begin at `from`: what was published of the first one is left out here.
  let skip = items - from;
  let aliveMs = at.heardMs;
  let pack: ChatLine[] = [];
  let chars = 0;
  if (aliveMs > 0) yield { alive: aliveMs };

  function* message(
    type: EventType,
    body: Uint8Array | string,
    lines: number,
    firstMs: number,
    lastMs: number,
  ): Generator<Out> {
    if (aliveMs === 0) aliveMs = firstMs;
    while (firstMs - aliveMs >= ALIVE_EVERY_MS) {
      aliveMs = Math.min(firstMs, aliveMs + ALIVE_STEP_MS);
      yield { alive: aliveMs };
    }
    const extra: Record<string, string> = type === chatLines ? { [LINES_HEADER]: String(lines) } : {};
    yield {
      type,
      body,
      extra,
      mark: markOf({ from, items, gaps: told, heardMs: lastMs }),
      lines,
      atMs: lastMs,
      lastMs,
    };
  }
  function* flush(): Generator<Out> {
    const [first] = pack;
    if (first === undefined) return;
    yield* message(chatLines, wellFormed(pack), pack.length, first.sentAtMs, pack.at(-1)!.sentAtMs);
    pack = [];
    chars = 0;
  }
  function* gapsUntil(untilMs: number): Generator<Out> {
    for (let gap = gaps[told]; gap !== undefined && gap.fromMs <= untilMs; gap = gaps[told]) {
      yield* flush();
      told++;
      // Said before the clock passes it: what follows it moves the clock.
      const { fromMs, toMs } = gap;
      const mark = markOf({ from, items, gaps: told, heardMs: Math.max(aliveMs, toMs) });
      yield {
        type: chatGap,
        body: JSON.stringify(gap),
        extra: {},
        mark,
        lines: 0,
        atMs: fromMs,
        lastMs: toMs,
      };
      aliveMs = Math.max(aliveMs, toMs);
    }
  }

  for await (const batch of batches) {
    for (const item of inOrder(batch)) {
      if (skip > 0) {
        skip--;
        continue;
      }
      yield* gapsUntil(item.atMs);
      const [first] = pack;
      if (
        first !== undefined &&
        (item.line === undefined ||
          pack.length >= PACK.lines ||
          chars >= PACK.chars ||
          item.atMs - first.sentAtMs >= PACK.ms)
      )
        yield* flush();
      items++;
      if (isLeftOut(item, optOuts)) {
        leftOut.inc({ where: "import" });
        continue;
      }
      if (item.line === undefined) {
        yield* message(item.type, wellFormed([item.event]), 0, item.atMs, item.atMs);
        continue;
      }
      pack.push(item.line);
      chars += 300 + item.line.text.length + 60 * (item.line.emotes?.length ?? 0);
    }
    from = batch.done;
  }
  yield* flush();
  yield* gapsUntil(Infinity);
}

/** They are counted as read all the same: whoever goes on after a kill finds its place by that. */
function isLeftOut(item: Item, optOuts: Pick<OptOuts, "leavesOut">): boolean {
  if (item.line !== undefined)
    return optOuts.leavesOut(item.line.channelId, item.line.userId, item.line.login);
  const { event } = item;
  if ("action" in event)
    return (
      (event.targetUserId ?? event.targetLogin) !== undefined &&
      optOuts.leavesOut(event.channelId, event.targetUserId ?? "", event.targetLogin ?? "")
    );
  return optOuts.leavesOut(event.channelId, event.userId, event.login);
}

/**
 * NDJSON. Half of a surrogate pair, as files have where a tool has cut a text, is no character: the store refuses a row with one. `JSON.stringify`
 * escapes it and nothing else of its kind, so text that has none is only looked through.
 */
function wellFormed(rows: readonly object[]): Buffer {
  let body = "";
  for (const row of rows) body += JSON.stringify(row) + "\n";
  if (!/\\ud[89a-f]/i.test(body)) return Buffer.from(body);
  const whole = (_key: string, value: unknown): unknown =>
    typeof value === "string" ? Buffer.from(value).toString() : value;
  return Buffer.from(rows.map((row) => JSON.stringify(row, whole) + "\n").join(""));
}

/** Lines, notices and moderation of a batch, each sorted, as one: by time, and of the same time in this order. */
export function* inOrder({ lines, notices, moderation }: ChatBatch): Generator<Item> {
  let l = 0;
  let n = 0;
  let m = 0;
  for (;;) {
    const line = lines[l];
    const notice = notices[n];
    const act = moderation[m];
    const lineMs = line?.sentAtMs ?? Infinity;
    const noticeMs = notice?.sentAtMs ?? Infinity;
    const actMs = act?.sentAtMs ?? Infinity;
    if (line !== undefined && lineMs <= noticeMs && lineMs <= actMs) {
      l++;
      yield { atMs: lineMs, line };
    } else if (notice !== undefined && noticeMs <= actMs) {
      n++;
      yield { atMs: noticeMs, type: chatNotice, event: notice };
    } else if (act !== undefined) {
      m++;
      yield { atMs: actMs, type: chatModeration, event: act };
    } else return;
  }
}

/** What the file lacks, as the folds hear of it: their windows are incomplete there, not low. */
export function gapsOf(channelId: string, startMs: number, holes: Completeness["holes"]): ChatGap[] {
  return holes
    .filter(({ kind }) => kind === "gap" || kind === "head_missing" || kind === "tail_missing")
    .map(({ fromS, toS }) =>
      gapOf(channelId, startMs + Math.round(fromS * 1000), startMs + Math.round(toS * 1000)),
    )
    .toSorted((a, b) => a.fromMs - b.fromMs);
}

export function gapOf(channelId: string, fromMs: number, toMs: number): ChatGap {
  const id = createHash("sha256").update(`${channelId} ${fromMs} ${toMs}`).digest("hex").slice(0, 24);
  return { id, channelId, fromMs, toMs, reason: "replay" };
}
