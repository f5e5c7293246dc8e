import { z } from "zod";

/** Each process says once a second how it is, over core NATS: `sys.<part>.<instance>`. The gateway keeps the latest. */
export const PARTS = [
  "sources",
  "processors",
  "media",
  "clips",
  "imports",
  "oracle",
  "moderation",
  "sink",
  "questions",
  "gateway",
  "store",
] as const;

export const partReport = z.object({
  part: z.enum(PARTS),
  /** Unique to this run of the process. */
  instance: z.string(),
  startedAtMs: z.int(),
  atMs: z.int(),
  status: z.enum(["ok", "degraded", "down"]),
  /** One sentence when not ok: what is wrong and what still works. */
  reason: z.string().nullable(),
  /** Numbers that the system page shows: lag in messages, rows, partitions owned … */
  figures: z.record(z.string(), z.number()),
});
export type PartReport = z.infer<typeof partReport>;

export const reportSubject = (part: PartReport["part"], instance: string): string =>
  `sys.${part}.${instance}`;
export const REPORT_FILTER = "sys.*.*";
