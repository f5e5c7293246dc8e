import type { Ask } from "./answer.ts";

export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
}

/** When the channel was not heard, within [fromMs, toMs), in order, overlapping ones joined. */
export async function gapsOf(
  ask: Ask,
  asked: { channelId: string; fromMs: number; toMs: number },
): Promise<Gap[]> {
  const rows = await ask<Gap>(
    `SELECT fromMs, toMs FROM chat_gaps FINAL
     WHERE channelId = {channelId:String} AND fromMs < {toMs:Int64} AND toMs > {fromMs:Int64} ORDER BY fromMs`,
    asked,
  );
  const joined: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of rows) {
    const last = joined.at(-1);
    if (last && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs);
    else joined.push({ fromMs, toMs });
  }
  return joined;
}

/** Seconds of [fromMs, toMs) that lie in gaps (joined, as `gapsOf` gives them). */
export function gapSecondsIn(gaps: readonly Gap[], fromMs: number, toMs: number): number {
  let ms = 0;
  for (const gap of gaps) ms += Math.max(0, Math.min(gap.toMs, toMs) - Math.max(gap.fromMs, fromMs));
  return ms / 1000;
}
