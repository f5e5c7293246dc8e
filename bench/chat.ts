import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { partitionOf } from "@hypecast/contracts/event.ts";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { chatWindows } from "@hypecast/contracts/window.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { openPartitionLog } from "@hypecast/streamproc/partitions/log.ts";
import { Partition } from "@hypecast/streamproc/partitions/partition.ts";
import { answerAll } from "@hypecast/streamproc/partitions/score.ts";
import { folds } from "@hypecast/streamproc/processors/index.ts";
import type { Fold, FoldInput } from "@hypecast/streamproc/processors/fold.ts";
import { openScorer } from "@hypecast/streamproc/scorer/open.ts";
import { chatLineOf } from "@hypecast/streamproc/sources/twitch-chat/chat.ts";
import { parseIrc } from "@hypecast/streamproc/sources/twitch-chat/irc.ts";
import { LINE_BYTES, splitLines } from "@hypecast/streamproc/sources/twitch-chat/lines.ts";
import { DeliverPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { startNats, temporaryFolder } from "@hypecast/tests/servers.ts";
import { FIRST_ROOM_ID, makeInput } from "./src/irc-input.ts";
import { PaneLines } from "./src/pane-lines.ts";
import { panes, type PaneRow } from "./src/panes.ts";

/**
 * Chat lines per CPU-second, from raw IRC lines in a file: parse alone; tmi.js's parse; one-second panes with the columns of
 * the Flink peer, and all folds of ours, both committed every second as one atomic batch to a real nats-server whose CPU
 * counts too. Each mode runs in a process of its own, warmed by a smaller input first, as the peer's is.
 */
const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: join(import.meta.dirname, "../../shared/data") },
    peers: { type: "string", default: join(import.meta.dirname, "../../shared/peers") },
    lines: { type: "string", default: "2000000" },
    channels: { type: "string", default: "8" },
    flink: { type: "boolean", default: false },
    /** Read the panes back from the log and hold them to the peer's verify.py. */
    verify: { type: "boolean", default: false },
    /** Where the peer is built and its libraries are kept between runs. */
    "peers-tmp": { type: "string" },
    /** Internal: one mode over an input that stands. */
    mode: { type: "string" },
    input: { type: "string" },
  },
});
const MODES = ["parse", "tmi", "panes", "all"] as const;
type Mode = (typeof MODES)[number];
const COMMIT_MS = 1000;
const WARM_LINES = 300_000;
/** What a socket gives at once. */
const CHUNK_BYTES = 16 * 1024;
const NO_EMOTES: ReadonlyMap<string, string> = new Map();
/** Something of each line is used, so that nothing of the parse can be left out. */
let kept = 0;

if (options.mode !== undefined) await measure(options.mode as Mode, options.input!);
else await main();

interface Measured {
  lines: number;
  wallS: number;
  cpuS: number;
  natsCpuS: number;
  commits: number;
  /** Messages that stand in committed panes or windows of one second. */
  counted: number;
}

async function main(): Promise<void> {
  const source = join(options.data, "chat-irc/xqcow-2019-09-15.irc.txt.gz");
  if (!existsSync(source)) {
    console.log(
      JSON.stringify({
        bench: "chat",
        figures: {},
        ratios: {},
        meets: {},
        skipped: `no ${source}: give --data`,
      }),
    );
    return;
  }
  const folder = temporaryFolder("bench-chat");
  try {
    const channels = Number(options.channels);
    await makeInput(source, join(folder, "warm"), channels, WARM_LINES);
    const input = await makeInput(source, join(folder, "big"), channels, Number(options.lines));
    const perCpuS: Partial<Record<Mode, number>> = {};
    const figures: Record<string, number> = { lines: input.lines, channels, cores: availableParallelism() };
    for (const mode of MODES) {
      const child = spawnSync(
        process.execPath,
        [
          "--disable-warning=ExperimentalWarning",
          import.meta.filename,
          "--mode",
          mode,
          "--input",
          folder,
        ].concat(options.verify ? "--verify" : []),
        { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
      );
      const measured = JSON.parse(child.stdout.trim().split("\n").at(-1) ?? "") as Measured;
      const cpuS = measured.cpuS + measured.natsCpuS;
      perCpuS[mode] = measured.lines / cpuS;
      figures[`${mode}_lines_per_cpu_s`] = Math.round(measured.lines / cpuS);
      figures[`${mode}_lines_per_s`] = Math.round(measured.lines / measured.wallS);
      if (mode === "panes" || mode === "all") {
        figures[`${mode}_commits`] = measured.commits;
        figures[`${mode}_nats_cpu_share`] = round(measured.natsCpuS / cpuS);
        figures[`${mode}_counted_of_messages`] = round(measured.counted / input.messages);
      }
      console.error(mode, measured);
    }
    const verified = options.verify ? verify(folder) : null;
    const flink = options.flink ? runFlink(folder) : null;
    if (flink !== null) figures["flink_panes_heap_lines_per_cpu_s"] = Math.round(flink);
    const ratios: Record<string, number> = {
      panes_of_parse: round(perCpuS.panes! / perCpuS.parse!),
      parse_of_tmi: round(perCpuS.parse! / perCpuS.tmi!),
      ...(flink === null ? {} : { panes_of_flink: round(perCpuS.panes! / flink) }),
    };
    const meets: Record<string, boolean> = {
      "panes >= 1/3 of parse": ratios["panes_of_parse"]! >= 1 / 3,
      "all folds >= 250k": perCpuS.all! >= 250_000,
      ...(flink === null ? {} : { "panes >= 1.5 x Flink": ratios["panes_of_flink"]! >= 1.5 }),
      ...(verified === null ? {} : { "panes equal the peer's": verified }),
    };
    const note = flink === null ? { flink: options.flink ? "did not run" : "not asked for (--flink)" } : {};
    console.log(JSON.stringify({ bench: "chat", figures, ratios, meets, ...note }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** The peer's own check over the panes that the log holds. */
function verify(folder: string): boolean {
  const said = spawnSync(
    "python3",
    [join(options.peers, "flink/verify.py"), join(folder, "big"), join(folder, "panes")],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
  console.error(said.stdout.trim());
  return said.status === 0;
}

/** The peer's job with heap state and exactly-once checkpoints each second, over the same files. Null when it cannot run. */
function runFlink(folder: string): number | null {
  const out = options["peers-tmp"] ?? join(folder, "peers");
  const peer = join(options.peers, "flink");
  try {
    execFileSync(
      "mvn",
      [
        "-q",
        "-B",
        "-f",
        join(peer, "pom.xml"),
        `-Dmaven.repo.local=${out}/m2`,
        `-Dpeers.out=${out}/flink`,
      ].concat(
        "compile",
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        `-DoutputDirectory=${out}/flink/lib`,
      ),
      { stdio: ["ignore", "inherit", "inherit"] },
    );
    const opens = ["java.util", "java.lang"].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);
    const said = execFileSync(
      "java",
      [
        "-Xmx4g",
        "-XX:+UseParallelGC",
        ...opens,
        "-cp",
        `${out}/flink/classes:${out}/flink/lib/*`,
        "peers.ChatJob",
      ].concat("panes-heap", join(folder, "big"), join(folder, "flink-work"), "1", join(folder, "warm")),
      { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    );
    console.error(said.trim());
    return (JSON.parse(said.trim().split("\n").at(-1) ?? "") as { lines_per_cpu_s: number }).lines_per_cpu_s;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return null;
  }
}

async function measure(mode: Mode, folder: string): Promise<void> {
  const nats = mode === "panes" || mode === "all" ? await startNats() : null;
  const run = mode === "parse" ? parseOnly : mode === "tmi" ? tmiOnly() : await folding(mode, nats!.url);
  await run(join(folder, "warm/part-0.txt"));
  const writeRows = mode === "panes" && options.verify ? await rowsFromHere(nats!.url) : null;
  const natsBefore = cpuOf(nats?.child().pid);
  const cpu = process.cpuUsage();
  const began = performance.now();
  const done = await run(join(folder, "big/part-0.txt"));
  const { user, system } = process.cpuUsage(cpu);
  const measured: Measured = {
    ...done,
    wallS: (performance.now() - began) / 1000,
    cpuS: (user + system) / 1e6,
    natsCpuS: cpuOf(nats?.child().pid) - natsBefore,
  };
  console.log(JSON.stringify(measured));
  await writeRows?.(join(folder, "panes"));
  await nats?.close();
  process.exit(0);
}

/** Afterwards writes the panes that were committed from now on, in the peer's form, each read from the log. */
async function rowsFromHere(url: string): Promise<(folder: string) => Promise<void>> {
  const nc = await connectBus(readConfig({ HYPECAST_NATS_URL: url }), "bench-verify");
  const streams = (await jetstreamManager(nc)).streams;
  const { state } = await streams.info("FOLD");
  return async (folder) => {
    const rows: string[] = [];
    const consumer = await jetstream(nc).consumers.get("FOLD", {
      filter_subjects: `${chatWindows.name}.>`,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: state.last_seq + 1,
    });
    for (let left = (await consumer.info()).num_pending; left > 0; left--) {
      const message = (await consumer.next())!;
      for (const row of message.json<PaneRow[]>()) {
        const channel = `#ch${String(Number(row.channel) - FIRST_ROOM_ID).padStart(3, "0")}`;
        const { startMs, messages, chatters, meanLength, repeatedShare, emotes } = row;
        rows.push([channel, startMs, messages, chatters, meanLength, repeatedShare, emotes].join("\t"));
      }
    }
    mkdirSync(folder);
    writeFileSync(join(folder, "part-0"), rows.join("\n") + "\n");
    await nc.close();
  };
}

/** CPU-seconds of another process so far. */
function cpuOf(pid: number | undefined): number {
  if (pid === undefined) return 0;
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

type Done = Pick<Measured, "lines" | "commits" | "counted">;

/** Calls `line` for each line of a file, and gives timers and sockets their turn after each chunk. */
async function eachLine(
  path: string,
  line: (text: string, from: number, to: number) => void,
  chunkDone: () => Promise<void> | void,
): Promise<number> {
  const file = openSync(path, "r");
  const splitter = splitLines();
  let lines = 0;
  const count = (text: string, from: number, to: number): void => {
    lines++;
    line(text, from, to);
  };
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const bytes = readSync(file, chunk, 0, CHUNK_BYTES, null);
    if (bytes === 0) break;
    splitter.push(chunk.subarray(0, bytes), count);
    await chunkDone();
    await new Promise((resolve) => setImmediate(resolve));
  }
  closeSync(file);
  return lines;
}

async function parseOnly(path: string): Promise<Done> {
  const lines = await eachLine(
    path,
    (text, from, to) => {
      const message = parseIrc(text, from, to);
      if (message !== null) kept ^= message.sentAtMs;
    },
    () => undefined,
  );
  return { lines, commits: 0, counted: 0 };
}

function tmiOnly(): (path: string) => Promise<Done> {
  const parser = createRequire(import.meta.url)("tmi.js/lib/parser.js") as {
    msg(line: string): { tags: Record<string, unknown> } | null;
  };
  return async (path) => {
    const lines = await eachLine(
      path,
      (text, from, to) => {
        const message = parser.msg(text.slice(from, to));
        if (message !== null) kept ^= Number(message.tags["tmi-sent-ts"]);
      },
      () => undefined,
    );
    return { lines, commits: 0, counted: 0 };
  };
}

async function folding(mode: "panes" | "all", url: string): Promise<(path: string) => Promise<Done>> {
  const config = readConfig({ HYPECAST_NATS_URL: url });
  const nc = await connectBus(config, "bench");
  const log = await openPartitionLog(nc, await ensureStreams(nc, 1));
  const scorer = mode === "all" ? await openScorer(config, ["forecast"]) : null;
  const list: readonly Fold[] = mode === "panes" ? [panes] : folds;
  const never = new AbortController().signal;
  const revisions = new Map<number, number>();
  let position = 0;

  return async (path) => {
    const owned = new Map<number, Partition>();
    let commits = 0;
    let counted = 0;
    let lastMs = performance.now();
    let committing = Promise.resolve();

    const step = (channelId: string, input: FoldInput): void => {
      const p = partitionOf(channelId);
      let partition = owned.get(p);
      if (partition === undefined) owned.set(p, (partition = new Partition(p, list)));
      partition.step(channelId, input, position);
      partition.position = position;
    };
    const commitAll = async (): Promise<void> => {
      for (const partition of owned.values()) {
        if (!partition.changed) continue;
        const asks = partition.asks();
        if (asks.length > 0)
          await answerAll(partition, asks, scorer, never, (model, error) => {
            throw new Error(`${model} did not answer: ${String(error)}`);
          });
        for (const output of partition.outputs)
          if (output.type === "window" && (mode === "panes" || output.window.sizeS === 1))
            counted += output.window.messages;
        const work = partition.take(log.id, "bench", log.maxPayload);
        commits++;
        const done = await log.commit(work, revisions.get(partition.number) ?? 0);
        if (done.is !== "committed") throw new Error(`a commit was ${done.is}: ${done.reason}`);
        revisions.set(partition.number, done.revision);
      }
    };
    const lines = await (mode === "panes" ? eachPaneChunk : eachChatChunk)(path, async (heard) => {
      position++;
      for (const { channelId, lines } of heard)
        // The engine looks at a line's time and hands it on; only the fold knows which kind it is.
        step(channelId, { type: "lines", lines: lines as readonly ChatLine[], emoteSet: "" });
      if (performance.now() - lastMs < COMMIT_MS) return;
      lastMs = performance.now();
      await committing;
      committing = commitAll();
      // Models are asked while nothing moves; a commit is on its way while the next lines are read.
      if (scorer !== null) await committing;
    });
    await committing;
    // What was open closes, as the peer's does at the end of its input.
    position++;
    if (mode === "panes")
      for (const partition of owned.values())
        for (const { id, newestMs } of partition.channels.values())
          step(id, { type: "alive", atMs: newestMs + 3000 });
    await commitAll();
    return { lines, commits, counted };
  };
}

interface HeardLines {
  readonly channelId: string;
  readonly lines: readonly unknown[];
}

/** Chat lines as a source publishes them. */
async function eachChatChunk(
  path: string,
  chunk: (heard: readonly HeardLines[]) => Promise<void>,
): Promise<number> {
  const waiting = new Map<string, { channelId: string; lines: ChatLine[] }>();
  const line = (text: string, from: number, to: number): void => {
    const message = parseIrc(text, from, to);
    if (message === null || message.command !== "PRIVMSG") return;
    const channelId = message.roomId;
    const heard = { channelId, sentAtMs: message.sentAtMs, receivedAtMs: null, emotes: NO_EMOTES };
    const one = chatLineOf(message, heard);
    if (one === null) return;
    const pack = waiting.get(channelId);
    if (pack === undefined) waiting.set(channelId, { channelId, lines: [one] });
    else pack.lines.push(one);
  };
  return eachLine(path, line, async () => {
    const heard = [...waiting.values()];
    waiting.clear();
    await chunk(heard);
  });
}

/** Lines as far as panes need them, out of one buffer that is read into over and over. */
async function eachPaneChunk(
  path: string,
  chunk: (heard: readonly HeardLines[]) => Promise<void>,
): Promise<number> {
  const file = openSync(path, "r");
  const lines = new PaneLines();
  const buffer = Buffer.allocUnsafe(LINE_BYTES + CHUNK_BYTES);
  let held = 0;
  for (;;) {
    const bytes = readSync(file, buffer, held, CHUNK_BYTES, null);
    if (bytes === 0) break;
    held += bytes;
    const end = buffer.lastIndexOf(10, held - 1) + 1;
    await chunk(lines.read(buffer, end));
    lines.clear();
    buffer.copyWithin(0, end, held);
    held -= end;
    if (held > LINE_BYTES) throw new Error(`${path}: a line of more than ${LINE_BYTES} bytes`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  closeSync(file);
  return lines.lines;
}
