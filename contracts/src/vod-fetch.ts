import { z } from "zod";
import { vodId } from "./vod.ts";

/**
 * Asked of the process `imports` over NATS: the file of a segment that the manifest names and nobody has needed yet. Answered when it lies in
 * `objects`, or with why it does not.
 */
export const VOD_FETCH_SUBJECT = "vod.fetch";
export const vodFetch = z.object({ id: vodId, seq: z.int().min(0) });
export type VodFetch = z.infer<typeof vodFetch>;
/** `problem` null: it is there. */
export const vodFetched = z.object({ problem: z.string().nullable() });
/** Longer than a segment may take to be had. */
export const VOD_FETCH_WITHIN_MS = 30_000;
