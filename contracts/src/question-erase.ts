import { z } from "zod";
import { channelId } from "./event.ts";
import type { Question } from "./question.ts";

const chatter = z.object({ userId: z.string(), login: z.string() });

/** The number of whoever was last heard under a name; null: nobody was. */
export const chatterId = {
  name: "chatter_id",
  ask: z.object({ login: z.string() }),
  answer: z.object({ userId: z.string().nullable() }),
} as const satisfies Question;

/** Where a chatter has written, as far as the store still knows. */
export const chatterPlaces = {
  name: "chatter_places",
  ask: chatter,
  answer: z.object({
    places: z.array(z.object({ channelId, lines: z.int(), firstMs: z.int(), lastMs: z.int() })),
  }),
} as const satisfies Question;

/** What they wrote in a channel, oldest first, after a line (time and id; 0 and empty: from the first). */
export const chatterLines = {
  name: "chatter_lines",
  ask: chatter.extend({
    channelId,
    afterMs: z.int(),
    afterId: z.string(),
    limit: z.int().min(1).max(5000),
  }),
  answer: z.object({ lines: z.array(z.object({ id: z.string(), sentAtMs: z.int(), text: z.string() })) }),
} as const satisfies Question;

/**
 * Takes a chatter's words out of the pieces that searches read, and out of what was made of those: `texts` are rows as a chunk has them, in
 * lower case. Begins it; `left`: chunks that still name them as a writer. They are named there until the last call (`last`).
 */
export const forgetInChunks = {
  name: "forget_in_chunks",
  ask: chatter.extend({ channelId, texts: z.array(z.string()).max(1000), last: z.boolean() }),
  answer: z.object({ left: z.int() }),
} as const satisfies Question;

/** Removes rows of a chatter, and takes their name out of what others wrote. Asked again until nothing is left. Rows by table: when it was asked, and now. */
export const forgetChatter = {
  name: "forget_chatter",
  ask: chatter,
  answer: z.object({ found: z.record(z.string(), z.int()), left: z.record(z.string(), z.int()) }),
} as const satisfies Question;

export const eraseQuestions = [
  chatterId,
  chatterPlaces,
  chatterLines,
  forgetInChunks,
  forgetChatter,
] as const;
