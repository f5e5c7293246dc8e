import { z } from "zod";
import { claim, openEntry } from "./journal.ts";
import { modCase } from "./mod-case.ts";
import { modEvent } from "./mod-event.ts";
import { toxicitySpike, toxicityWindow } from "./toxicity.ts";

/** What people decided about a case so far: the journal, folded. */
export const caseDesk = z.object({
  /** `asked` is on its way to Twitch · `recommended` Twitch is not connected · `doubtful` nobody knows whether Twitch did it. */
  status: z.enum([
    "open",
    "asked",
    "done",
    "recommended",
    "refused",
    "doubtful",
    "false_positive",
    "approved",
  ]),
  /** The entry that decided it last and still stands; null: none. */
  entryId: z.string().nullable(),
  act: z.string().nullable(),
  by: z.string().nullable(),
  atMs: z.int().nullable(),
  /** Twitch's words, where it refused. */
  why: z.string().nullable(),
  /** `personKey` of everybody who has seen it. */
  reviewedBy: z.array(z.string()),
  notes: z.int(),
});
export type CaseDesk = z.infer<typeof caseDesk>;

/** A case as the queue shows it: without its lines but the worst. */
export const queueCase = modCase.omit({ lines: true, reasons: true, scores: true }).extend({
  desk: caseDesk,
  claim: claim.nullable(),
  /** False: its text went with raw chat. */
  kept: z.boolean().optional(),
});
export type QueueCase = z.infer<typeof queueCase>;

/** A spike with what people made of it. */
export const modSpike = toxicitySpike.extend({
  snoozedUntilMs: z.int().nullable(),
  resolved: z.string().nullable(),
});
export type ModSpike = z.infer<typeof modSpike>;

/** Topic `mod:<login>`, for moderators of the channel alone: each as it comes. */
export const modChange = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("case"), case: queueCase }),
  z.object({ kind: z.literal("desk"), caseId: z.string(), desk: caseDesk, claim: claim.nullable() }),
  z.object({ kind: z.literal("spike"), spike: modSpike }),
  z.object({ kind: z.literal("window"), window: toxicityWindow }),
  z.object({ kind: z.literal("event"), event: modEvent.schema }),
  z.object({ kind: z.literal("entry"), entry: openEntry }),
  /** Who is on shift now. */
  z.object({
    kind: z.literal("shift"),
    people: z.array(z.object({ key: z.string(), login: z.string(), sinceMs: z.int() })),
  }),
]);
export type ModChange = z.infer<typeof modChange>;
