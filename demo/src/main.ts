import { once } from "node:events";
import { createWriteStream, writeFileSync } from "node:fs";
import { finished } from "node:stream/promises";
import { parseArgs } from "node:util";
import { run } from "@hypecast/runtime/run.ts";
import { startDemo } from "./demo.ts";
import { questions } from "./questions.ts";
import { pastLines } from "./schedule.ts";
import { truth } from "./truth.ts";
import { startStudio } from "./video/studio.ts";
import { vodChat } from "./vod.ts";

const { values } = parseArgs({
  options: {
    http: { type: "string", default: "4204" },
    "irc-ws": { type: "string", default: "4205" },
    "irc-tcp": { type: "string", default: "4206" },
    past: { type: "string" },
    minutes: { type: "string", default: "40" },
    until: { type: "string" },
    truth: { type: "string" },
    questions: { type: "string" },
    vod: { type: "string" },
    video: { type: "string" },
  },
});

const whole = (option: string, text: string, most: number): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > most) {
    console.error(`--${option} ${text}: a whole number from 0 to ${most}`);
    process.exit(2);
  }
  return value;
};

if (values.past !== undefined) await writePast(values.past);
else if (values.truth !== undefined) writeFileSync(values.truth, `${JSON.stringify(truth(), null, 1)}\n`);
else if (values.questions !== undefined)
  writeFileSync(values.questions, `${JSON.stringify(questions(), null, 1)}\n`);
else if (values.vod !== undefined) writeFileSync(values.vod, JSON.stringify(vodChat()));
else
  await run("demo", async (process) => {
    const studio = values.video === undefined ? null : await startStudio(values.video, Date.now, process.log);
    const demo = process.own(
      await startDemo({
        ...(studio === null ? {} : { studio }),
        http: whole("http", values.http, 65_535),
        ircWs: whole("irc-ws", values["irc-ws"], 65_535),
        ircTcp: whole("irc-tcp", values["irc-tcp"], 65_535),
      }),
    );
    process.log.info(demo.ports, "listening on 127.0.0.1");
  });

/** The last minutes of all channels as raw IRC lines with tags, oldest first, up to `--until` (default: now). */
async function writePast(path: string): Promise<void> {
  const untilMs =
    values.until === undefined ? Date.now() : whole("until", values.until, Number.MAX_SAFE_INTEGER);
  const minutes = whole("minutes", values.minutes, 7 * 24 * 60);
  const out = createWriteStream(path);
  let lines = 0;
  for (let fromMs = untilMs - minutes * 60_000; fromMs < untilMs; fromMs += 60_000)
    for (const { line } of pastLines(fromMs, Math.min(untilMs, fromMs + 60_000))) {
      lines++;
      if (!out.write(`${line}\r\n`)) await once(out, "drain");
    }
  out.end();
  await finished(out);
  console.error(`${lines} lines of ${minutes} minutes until ${new Date(untilMs).toISOString()} in ${path}`);
}
