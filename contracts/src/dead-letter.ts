import { z } from "zod";
import { DEAD_LETTER_REASONS } from "./outcome.ts";

/** A message that could not become what it should: `dead.letter.<stream>`. Kept 7 days; the partition went on without it. */
export const deadLetter = z.object({
  /** `<stream>:<seq>:<row>` */
  id: z.string(),
  stream: z.string(),
  seq: z.int(),
  subject: z.string(),
  reason: z.enum(DEAD_LETTER_REASONS),
  /** What exactly was wrong, in words. */
  detail: z.string(),
  /** First 4 KB of the body, base64. */
  body: z.string(),
  atMs: z.int(),
});
export type DeadLetter = z.infer<typeof deadLetter>;
export const deadLetterSubject = (stream: string): string => `dead.letter.${stream}`;
