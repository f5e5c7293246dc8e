import { createHash } from "node:crypto";
import { z } from "zod";
import { ProblemError } from "./problems.ts";

/** A list is read on within a day; what it said before is old then. */
const LIFE_MS = 24 * 3_600_000;

const inside = z.strictObject({
  /** Of the filter and the order that the list was asked with. */
  of: z.string().length(11),
  at: z.tuple([z.number(), z.string().max(64)]),
  untilMs: z.int(),
});

/** Where a list goes on: behind the entry that sorts by `at`. Opaque to whoever gets it, and good for the same filter and order only. */
export function cursorAfter(at: [sortedBy: number, id: string], filter: unknown, nowMs: number): string {
  const cursor: z.infer<typeof inside> = { of: digest(filter), at, untilMs: nowMs + LIFE_MS };
  return Buffer.from(JSON.stringify(cursor)).toString("base64url");
}

/** Throws ProblemError: made up, of another list, or too old. */
export function readCursor(text: string, filter: unknown, nowMs: number): [sortedBy: number, id: string] {
  const { of, at, untilMs } = decoded(text);
  if (of !== digest(filter))
    throw new ProblemError("invalid_parameters", "cursor: it belongs to a list with another filter or order");
  if (untilMs < nowMs) throw new ProblemError("cursor_expired", "the cursor is older than a day");
  return at;
}

function decoded(text: string): z.infer<typeof inside> {
  try {
    return inside.parse(JSON.parse(Buffer.from(text, "base64url").toString()));
  } catch {
    throw new ProblemError("invalid_parameters", "cursor: none that this gateway has given");
  }
}

const digest = (filter: unknown): string =>
  createHash("sha256").update(JSON.stringify(filter)).digest("base64url").slice(0, 11);
