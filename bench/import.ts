import { join } from "node:path";
import { parseArgs } from "node:util";
import { parsing } from "./src/import-parse.ts";
import { importing } from "./src/import-whole.ts";

/**
 * Importing a finished stream. Reading: every dialect and every real chat file against an independent count, the time and memory of a
 * million messages and of 2 GB, and how often the completeness says what is true. Importing: a million messages from their upload to a stream that is
 * ready, with every process.
 */
const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: join(import.meta.dirname, "../../shared/data") },
    messages: { type: "string", default: "1000000" },
    /** `parse` or `whole`; both where absent. */
    only: { type: "string" },
  },
});

const nothing = { figures: {}, meets: {} };
const read = options.only === "whole" ? nothing : await parsing(options.data);
const made = options.only === "parse" ? nothing : await importing(Number(options.messages), options.data);
console.log(
  JSON.stringify({
    bench: "import",
    figures: { ...read.figures, ...made.figures },
    ratios: {},
    meets: { ...read.meets, ...made.meets },
  }),
);
process.exit(0);
