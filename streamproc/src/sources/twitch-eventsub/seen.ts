/** Twitch sends a message again when it is not sure that it came; no later than this. */
const REMEMBERED_MS = 10 * 60_000;
const REMEMBERED = 50_000;
/** Twitch's own rule for webhooks, and sound for websockets: what is older was recorded and is played again. */
const OLD_MS = 10 * 60_000;

/** What of a message's head makes it a message that counts. */
export function newMessages(): (
  messageId: string,
  sentAtMs: number,
  nowMs: number,
) => "new" | "again" | "old" {
  const seen = new Map<string, number>();
  return (messageId, sentAtMs, nowMs) => {
    if (Math.abs(nowMs - sentAtMs) > OLD_MS) return "old";
    if (seen.has(messageId)) return "again";
    seen.set(messageId, nowMs);
    for (const [oldest, atMs] of seen) {
      if (seen.size <= REMEMBERED && nowMs - atMs < REMEMBERED_MS * 2) break;
      seen.delete(oldest);
    }
    return "new";
  };
}
