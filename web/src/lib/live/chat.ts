import type { ChatLine, ChatModeration, ChatNotice } from "@hypecast/contracts/chat.ts";
import type { ChatColumn } from "@hypecast/contracts/push.ts";

export type ChatRow =
  | { key: string; kind: "line"; line: ChatLine }
  | { key: string; kind: "notice"; notice: ChatNotice };

/** What a chat line consists of, in order. */
export type Piece = { text: string } | { ref: string; name: string };

/** Splits a line at its emotes. Positions count code points, as Twitch counts them; a wrong one is shown as plain text. */
export function pieces(line: Pick<ChatLine, "text" | "emotes">): Piece[] {
  if (line.emotes === undefined || line.emotes.length === 0) return [{ text: line.text }];
  const points = Array.from(line.text);
  const found: Piece[] = [];
  let at = 0;
  for (const [ref, name, first, last] of line.emotes.toSorted((a, b) => a[2] - b[2])) {
    if (first < at || last < first || last >= points.length) continue;
    if (first > at) found.push({ text: points.slice(at, first).join("") });
    found.push({ ref, name });
    at = last + 1;
  }
  if (at < points.length) found.push({ text: points.slice(at).join("") });
  return found;
}

/** Most rows that the column holds: what has scrolled away is in the history, not here. */
export const CHAT_ROWS = 80;

/** The rows after a quarter second more of chat: new ones below, moderated ones gone, the oldest let go. */
export function withColumn(rows: readonly ChatRow[], column: ChatColumn): ChatRow[] {
  const next = [...rows];
  for (const line of column.lines) next.push({ key: line.id, kind: "line", line });
  for (const notice of column.notices) next.push({ key: notice.id, kind: "notice", notice });
  let kept = next;
  for (const action of column.moderation) kept = kept.filter((row) => !removes(action, row));
  const seen = new Set<string>();
  // A replay after a reconnection may repeat a row; keys must not.
  kept = kept.filter((row) => !seen.has(row.key) && seen.add(row.key) !== undefined);
  return kept.slice(-CHAT_ROWS);
}

function removes(action: ChatModeration, row: ChatRow): boolean {
  const userId = row.kind === "line" ? row.line.userId : row.notice.userId;
  const sentAtMs = row.kind === "line" ? row.line.sentAtMs : row.notice.sentAtMs;
  switch (action.action) {
    case "clear":
      return sentAtMs <= action.sentAtMs;
    case "delete":
      return row.kind === "line" && row.line.id === action.targetMessageId;
    case "timeout":
    case "ban":
      return userId === action.targetUserId && sentAtMs <= action.sentAtMs;
    case "room_state":
      return false;
  }
}

export interface Hidden {
  shown: number;
  tooFast: number;
  repeats: number;
  bots: number;
}

/** What the last minute showed and hid, from quarter seconds. */
export class HiddenMinute {
  #parts: { atMs: number; of: Hidden }[] = [];

  add(atMs: number, column: ChatColumn): void {
    this.#parts.push({ atMs, of: { shown: column.lines.length, ...column.hidden } });
  }

  sum(nowMs: number): Hidden {
    this.#parts = this.#parts.filter(({ atMs }) => atMs > nowMs - 60_000);
    const total = { shown: 0, tooFast: 0, repeats: 0, bots: 0 };
    for (const { of } of this.#parts) {
      total.shown += of.shown;
      total.tooFast += of.tooFast;
      total.repeats += of.repeats;
      total.bots += of.bots;
    }
    return total;
  }
}
