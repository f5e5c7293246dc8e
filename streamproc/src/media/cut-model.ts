import type { Logger } from "@hypecast/runtime/log.ts";
import { BadAnswer, Late, ModelMissing, type Scorer } from "../scorer/scorer.ts";
import { pack } from "../signals/signature.ts";
import { FRAME_BYTES } from "./frames-file.ts";
import { mediaMeters as meters } from "./media-meters.ts";
import { CUT_MODEL, cutChances } from "./model-cuts.ts";

/** A segment is told without the model's word after this. */
const ANSWER_WITHIN_MS = 1000;
/** Segments that the model is asked about at once; more are told without it, so that it holds nobody up. */
const AT_ONCE = 4;
/** A server may be given the model, or lose it, at any time. */
const LOOK_AGAIN_MS = 60_000;

/** The model that finds cuts beside us, where an operator has brought it. Workers have no network: it is asked by the process that they work for. */
export interface CutModel {
  isThere(): boolean;
  /** `cutChance` of a segment's frames (pixels, one frame behind the other); null, counted by its reason: no answer. Never rejects. */
  chances(frames: Uint8Array): Promise<string | null>;
  close(): void;
}

type Outcome = "answered" | "late" | "busy" | "bad_answer" | "missing" | "down";

/** Resolves when it is known whether the model is there. */
export async function openCutModel(
  scorer: Scorer,
  log: Pick<Logger, "info" | "warn">,
  withinMs = ANSWER_WITHIN_MS,
): Promise<CutModel> {
  let there = false;
  let asking = 0;
  let said: Outcome = "answered";

  async function look(): Promise<void> {
    const was = there;
    try {
      await scorer.inputs(CUT_MODEL, withinMs);
      there = true;
    } catch (error) {
      // While a server is down nobody has taken its model away.
      if (error instanceof ModelMissing) there = false;
    }
    if (there !== was)
      log.info({ model: CUT_MODEL, there }, "cuts are also found by a model, where it is there");
  }
  await look();
  const looking = setInterval(() => void look(), LOOK_AGAIN_MS);

  /** Said once until it answers again: it may be asked thousands of times. */
  function count(outcome: Outcome, error?: unknown): void {
    meters.cutModel.inc({ outcome });
    if (outcome !== "answered" && outcome !== said)
      log.warn({ model: CUT_MODEL, outcome, err: error }, "segments are told without the cut model");
    said = outcome;
  }

  return {
    isThere: () => there,
    async chances(frames) {
      if (asking >= AT_ONCE) {
        count("busy");
        return null;
      }
      asking++;
      try {
        const single = Array.from({ length: Math.floor(frames.length / FRAME_BYTES) }, (_, i) =>
          frames.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES),
        );
        const chances = await cutChances(single, scorer, withinMs);
        count("answered");
        return pack(Uint8Array.from(chances, (chance) => Math.round(chance * 255)));
      } catch (error) {
        if (error instanceof ModelMissing) there = false;
        count(reasonOf(error), error);
        return null;
      } finally {
        asking--;
      }
    },
    close: () => clearInterval(looking),
  };
}

function reasonOf(error: unknown): Outcome {
  if (error instanceof Late) return "late";
  if (error instanceof BadAnswer) return "bad_answer";
  return error instanceof ModelMissing ? "missing" : "down";
}
