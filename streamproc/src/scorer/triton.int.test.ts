import { describe, test } from "vitest";
import { MODELS_FOLDER } from "./open.ts";
import { scorerContract } from "./scorer.contract.ts";
import { realTritonIsHere, startRealTriton } from "./test-real-triton.ts";
import { openTriton } from "./triton.ts";

if (realTritonIsHere)
  scorerContract("a real Triton on models/ as it is", async () => {
    const server = await startRealTriton(MODELS_FOLDER);
    return { scorer: openTriton(server.url), close: () => server.close() };
  });
else
  describe("a real Triton", () => {
    test.skip("skipped: its wheel could not be installed here (see ./hypecast test)", () => undefined);
  });
