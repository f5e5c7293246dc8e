import { join } from "node:path";
import { parseArgs } from "node:util";
import { parsing } from "./src/import-parse.ts";

/**
 * Importing a finished stream. Reading: every dialect and every real chat file against an independent count, the time and memory of a
 * million messages and of 2 GB, and how often the completeness says what is true.
 */
const { values: options } = parseArgs({
  options: { data: { type: "string", default: join(import.meta.dirname, "../../shared/data") } },
});

const read = await parsing(options.data);
console.log(
  JSON.stringify({ bench: "import", figures: { ...read.figures }, ratios: {}, meets: { ...read.meets } }),
);
