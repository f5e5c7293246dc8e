import { join } from "node:path";
import type { Config } from "@hypecast/runtime/config.ts";
import { openOnnx } from "./onnx.ts";
import type { Scorer } from "./scorer.ts";
import { openTriton } from "./triton.ts";

/** The repository of models that comes with the program. */
export const MODELS_FOLDER = join(import.meta.dirname, "../../../models");

/** Who runs the `wanted` models, as HYPECAST_SCORER says. A Triton that is down now may come up later; a broken models/ is an Error at once. */
export const openScorer = async (
  config: Pick<Config, "HYPECAST_SCORER" | "HYPECAST_TRITON_URL" | "HYPECAST_MODELS">,
  wanted: readonly string[],
): Promise<Scorer> =>
  config.HYPECAST_SCORER === "triton"
    ? openTriton(config.HYPECAST_TRITON_URL)
    : openOnnx(
        config.HYPECAST_MODELS === "" ? MODELS_FOLDER : [MODELS_FOLDER, config.HYPECAST_MODELS],
        wanted,
      );
