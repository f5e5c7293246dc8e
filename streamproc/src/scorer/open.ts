import { join } from "node:path";
import type { Config } from "@hypecast/runtime/config.ts";
import { openOnnx } from "./onnx.ts";
import type { Scorer } from "./scorer.ts";

/** The repository of models that comes with the program. */
export const MODELS_FOLDER = join(import.meta.dirname, "../../../models");

/** Who runs the models, as HYPECAST_SCORER says. */
export async function openScorer(
  _config: Pick<Config, "HYPECAST_SCORER" | "HYPECAST_TRITON_URL">,
): Promise<Scorer> {
  return openOnnx(MODELS_FOLDER);
}
