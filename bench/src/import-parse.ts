import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { FORMS, said, v5Comment } from "@hypecast/streamproc/imports/chat/chats.fixture.ts";
import { hearCompleteness } from "@hypecast/streamproc/imports/chat/completeness.ts";
import { chatBatches, surveyChat } from "@hypecast/streamproc/imports/chat/read-chat.ts";
import { bytesSource, fileSource } from "@hypecast/streamproc/imports/chat/source.ts";
import { randomFrom } from "./demo-events.ts";

/** What reading chat files costs and whether it reads all of them: counts, speed, memory, and what the completeness says. */
export interface Parsed {
  readonly figures: Record<string, number>;
  readonly meets: Record<string, boolean>;
}

const MB = 1024 * 1024;

export async function parsing(data: string): Promise<Parsed> {
  const real = await realFiles(join(data, "chat-vod"));
  const made = await madeFiles();
  const folder = mkdtempSync(join(tmpdir(), "hypecast-import-"));
  try {
    const million = bigFile(join(folder, "million.json"), (count) => count < 1_000_000);
    const one = readAlone(million.path, "--twice");
    const surveyed = readAlone(million.path);
    rmSync(million.path);
    const large = bigFile(join(folder, "large.json"), (_, bytes) => bytes < 2048 * MB);
    const two = readAlone(large.path);
    return {
      figures: {
        ...real.figures,
        ...made.figures,
        millionMb: Math.round(million.bytes / MB),
        millionSurveyS: round(surveyed.wallS),
        millionBothPassesS: round(one.wallS),
        millionBothPassesCpuS: round(one.cpuS),
        millionRssMb: Math.round(one.rssMb),
        largeMb: Math.round(large.bytes / MB),
        largeMessages: large.count,
        largeSurveyS: round(two.wallS),
        largeRssMb: Math.round(two.rssMb),
      },
      meets: {
        ...real.meets,
        ...made.meets,
        "1 M messages are read twice with equal counts, ≤ 20 s of CPU":
          one.read === million.count && one.cpuS <= 20,
        "2 GB are read with equal counts in ≤ 300 MB RSS": two.read === large.count && two.rssMb <= 300,
      },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Alone {
  readonly lines: number;
  readonly read: number;
  readonly wallS: number;
  readonly cpuS: number;
  readonly rssMb: number;
}
const readAlone = (path: string, ...more: string[]): Alone =>
  JSON.parse(
    execFileSync(process.execPath, [join(import.meta.dirname, "read-chat.ts"), path, ...more], {
      encoding: "utf8",
    }),
  ) as Alone;

/** A TwitchDownloader-like file that is written piece by piece. */
function bigFile(
  path: string,
  more: (count: number, bytes: number) => boolean,
): { path: string; count: number; bytes: number } {
  const file = openSync(path, "w");
  const pattern = said(1000, 36_000);
  let count = 0;
  let bytes = writeSync(file, '{"video":{"id":"2134567890","title":"a"},"comments":[');
  while (more(count, bytes)) {
    let piece = "";
    for (let i = 0; i < 1000; i++) {
      const at = Math.min(350_000, count / 60);
      piece += `${count === 0 ? "" : ","}${JSON.stringify(v5Comment({ ...pattern[i]!, atS: at }, count))}`;
      count++;
    }
    bytes += writeSync(file, piece);
  }
  bytes += writeSync(file, "]}");
  closeSync(file);
  return { path, count, bytes };
}

/** Every file under `chat-vod`, against a count of its comments by JSON.parse of the whole. */
async function realFiles(root: string): Promise<Parsed> {
  if (!existsSync(root)) {
    console.log(`no VOD chats under ${root}: real files are left out`);
    return { figures: {}, meets: {} };
  }
  let files = 0;
  let equal = 0;
  let messages = 0;
  let gaps = 0;
  let capped = 0;
  let edges = 0;
  let hours = 0;
  let bytes = 0;
  let seconds = 0;
  const found: Record<string, { tried: number; found: number }> = {
    300: { tried: 0, found: 0 },
    600: { tried: 0, found: 0 },
  };
  for (const channel of readdirSync(root).sort())
    for (const name of readdirSync(join(root, channel)).sort()) {
      if (name.endsWith(".vod.json")) continue;
      const path = join(root, channel, name);
      const raw = readFileSync(path);
      const text = name.endsWith(".gz") ? gunzipSync(raw) : raw;
      const parsed = JSON.parse(text.toString("utf8")) as { comments?: unknown[] } | unknown[];
      const expected = Array.isArray(parsed) ? parsed.length : (parsed.comments?.length ?? 0);
      const side = path.replace(".chat.json.gz", ".vod.json");
      const durationS =
        side !== path && existsSync(side)
          ? (JSON.parse(readFileSync(side, "utf8")) as { duration: number }).duration
          : null;
      const source = fileSource(path);
      const began = performance.now();
      const survey = await surveyChat(source, { startMs: null, durationS });
      const at: [number, string, string][] = [];
      let done = 0;
      for await (const batch of chatBatches(source, survey, "vod-bench-1")) {
        done = batch.done;
        for (const line of batch.lines)
          at.push([(line.sentAtMs - survey.startMs) / 1000, line.login, line.text]);
      }
      seconds += (performance.now() - began) / 1000;
      bytes += text.length;
      files++;
      messages += done;
      if (survey.lines + survey.notices === expected && done === expected && survey.badLines.count === 0)
        equal++;
      else console.log(`${channel}/${name}: ${done} of ${expected}, ${survey.badLines.count} unreadable`);
      const lengthS = durationS ?? (survey.lastMs - survey.startMs) / 1000;
      hours += lengthS / 3600;
      for (const { kind } of survey.completeness.holes) {
        if (kind === "gap") gaps++;
        if (kind === "capped") capped++;
        if (kind === "head_missing" || kind === "tail_missing") edges++;
      }
      takeOut(at, lengthS, found);
    }
  return {
    figures: {
      realFiles: files,
      realMessages: messages,
      realMbPerS: round(bytes / MB / seconds),
      gapsSaidPerHour: round(gaps / hours),
      cappedSaid: capped,
      headsAndTailsSaid: edges,
      gapRecall300s: round(found["300"]!.found / Math.max(1, found["300"]!.tried)),
      gapRecall600s: round(found["600"]!.found / Math.max(1, found["600"]!.tried)),
    },
    meets: { "every real file has equal counts": files > 0 && equal === files },
  };
}

/** Takes a stretch out of a real chat at five places, and asks whether that is said. */
function takeOut(
  lines: readonly [number, string, string][],
  lengthS: number,
  found: Record<string, { tried: number; found: number }>,
): void {
  const next = randomFrom(7);
  for (const [holeS, tally] of Object.entries(found))
    for (let i = 0; i < 5; i++) {
      const length = Number(holeS);
      if (lengthS < length * 6) continue;
      const from = 900 + next() * (lengthS - 1800 - length);
      const heard = hearCompleteness();
      for (const [at, login, text] of lines)
        if (at < from || at >= from + length) heard.line(at, login, text);
      const said = heard.finish(0, lengthS, "");
      tally.tried++;
      if (
        said.holes.some(
          (hole) => hole.kind === "gap" && hole.fromS < from + length / 2 && hole.toS > from + length / 2,
        )
      )
        tally.found++;
    }
}

/** One chat in every form that is known, plain and packed. */
async function madeFiles(): Promise<Parsed> {
  const chat = said(3000);
  let files = 0;
  let equal = 0;
  for (const [name, write] of Object.entries(FORMS)) {
    const plain = Buffer.from(write(chat));
    for (const bytes of [plain, gzipSync(plain), zstdCompressSync(plain)]) {
      const source = bytesSource(bytes, name);
      const survey = await surveyChat(source, { startMs: null, durationS: null });
      let texts = "";
      for await (const batch of chatBatches(source, survey, "vod-bench-1"))
        for (const line of batch.lines) texts += `${line.login} ${line.text}\n`;
      files++;
      if (survey.lines === chat.length && texts === chat.map((one) => `${one.login} ${one.text}\n`).join(""))
        equal++;
      else console.log(`${name}: ${survey.lines} of ${chat.length}`);
    }
  }
  return {
    figures: { madeFiles: files },
    meets: { "every self-made file has equal messages": equal === files },
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;
