import { describe, test } from "vitest";
import { FEATURES } from "../processors/forecast-features.ts";
import { scorerContract } from "./scorer.contract.ts";
import { openTriton } from "./triton.ts";

/** Address of a real Triton that serves models/; docs/forecast.md says how one is installed without a GPU. */
const url = process.env["HYPECAST_TEST_TRITON_URL"];

if (url === undefined)
  describe("a real Triton", () => {
    test.skip("skipped: HYPECAST_TEST_TRITON_URL names none", () => undefined);
  });
else
  scorerContract("a real Triton", async () => ({ scorer: openTriton(url), close: async () => undefined }), {
    model: "forecast",
    width: FEATURES.length,
  });
