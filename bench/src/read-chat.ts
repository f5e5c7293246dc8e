import { parseArgs } from "node:util";
import { chatBatches, surveyChat } from "@hypecast/streamproc/imports/chat/read-chat.ts";
import { fileSource } from "@hypecast/streamproc/imports/chat/source.ts";

/** Reads one chat file in a process of its own, for its memory: `read-chat.ts <file> [--twice]`, with `--twice` both passes as an import makes them. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { twice: { type: "boolean" } },
});

const source = fileSource(positionals[0]!);
const began = performance.now();
const survey = await surveyChat(source, { startMs: null, durationS: null });
let read = survey.lines + survey.notices + survey.moderation;
if (values.twice === true) {
  read = 0;
  for await (const batch of chatBatches(source, survey, "vod-bench-1")) read = batch.done;
}
const used = process.resourceUsage();
console.log(
  JSON.stringify({
    lines: survey.lines,
    read,
    bad: survey.badLines.count,
    wallS: (performance.now() - began) / 1000,
    cpuS: (used.userCPUTime + used.systemCPUTime) / 1e6,
    rssMb: used.maxRSS / 1024,
  }),
);
