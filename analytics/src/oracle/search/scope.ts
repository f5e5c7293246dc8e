import type { z } from "zod";
import type { within } from "@hypecast/contracts/oracle.ts";

/** Where to look; null: everything. */
export type Within = z.infer<typeof within> | null;

/** A condition with its parameters. Whatever was asked goes in as a parameter, never as text of the query. */
export interface Condition {
  readonly sql: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** No chunk is longer: one that begins so much earlier may still reach in. */
const LONGEST_CHUNK_MS = 60_000;
/** Parts of streams in one question; more are not looked at. */
const MOST_PARTS = 500;

/** The chunks of a scope: whole channels by name, parts of channels by time. */
export function chunksIn(within: Within): Condition {
  if (within === null) return { sql: "1", params: {} };
  const whole = within.filter(({ fromMs, toMs }) => fromMs === null && toMs === null);
  const parts = within.filter(({ fromMs, toMs }) => fromMs !== null || toMs !== null).slice(0, MOST_PARTS);
  const params: Record<string, unknown> = {};
  const conditions: string[] = [];
  if (whole.length > 0) {
    params["inChannels"] = whole.map(({ channelId }) => channelId);
    conditions.push("channelId IN {inChannels:Array(String)}");
  }
  for (const [i, { channelId, fromMs, toMs }] of parts.entries()) {
    params[`in${i}`] = channelId;
    params[`in${i}From`] = (fromMs ?? 0) - LONGEST_CHUNK_MS;
    params[`in${i}To`] = toMs ?? Number.MAX_SAFE_INTEGER;
    conditions.push(
      `channelId = {in${i}:String} AND startMs > {in${i}From:Int64} AND startMs < {in${i}To:Int64}`,
    );
  }
  return conditions.length === 0
    ? { sql: "0", params }
    : { sql: `(${conditions.map((condition) => `(${condition})`).join(" OR ")})`, params };
}
