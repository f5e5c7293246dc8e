import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { DeliverPolicy, jetstream } from "@nats-io/jetstream";
import { pino } from "pino";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { PARTITIONS, partitionOf, subjectFilter } from "@hypecast/contracts/event.ts";
import { modCases, type ModCase } from "@hypecast/contracts/mod-case.ts";
import {
  toxicityScores,
  toxicitySpikes,
  toxicityWindows,
  type ToxicityScores,
  type ToxicitySpike,
  type ToxicityWindow,
} from "@hypecast/contracts/toxicity.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { openLog } from "@hypecast/streamproc/sources/publish.ts";
import { exited, startNats } from "@hypecast/tests/servers.ts";
import { cpuSeconds, Latencies } from "./push/measure.ts";

/**
 * From a line's arrival to the moderator's case being committed: the bench writes lines as a source does (packs of 5 ms into INPUT), the
 * processes `moderation` and `processors` are real ones with the real model, and the bench reads what they commit on FOLD. A share of the
 * lines is toxic by words that no model of this kind misses, each by somebody else, so that most are cases of their own; in the second half
 * each channel is raided once. Latency is told for lines whose case is new, and for every line that is in a case; spikes from the line that
 * is the fourth of its raid. The texts are made up: the speed is that of short lines.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "30" },
    rate: { type: "string", default: "2000" },
    channels: { type: "string", default: "8" },
    toxic: { type: "string", default: "0.02" },
    /** As `hypecast bench` gives it; the texts are made here. */
    data: { type: "string" },
  },
});
const SECONDS = Number(values.seconds);
const RATE = Number(values.rate);
const CHANNELS = Number(values.channels);
const TOXIC = Number(values.toxic);
const WARM_S = 8;
const BEAT_MS = 10;
const RAID_LINES = 12;
const GOAL = { p95Ms: 1000 };

const root = join(import.meta.dirname, "..");
const nats = await startNats();
const nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "bench");
await ensureStreams(nc, 1);
const js = jetstream(nc);
const children = new Map<string, ChildProcess>();
for (const name of ["processors", "moderation"]) {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", join(root, "streamproc/src/main.ts"), "--only", name],
    {
      env: { ...process.env, HYPECAST_NATS_URL: nats.url, HYPECAST_LOG_LEVEL: "error" },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    },
  );
  children.set(name, child);
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", (code) => reject(new Error(`${name} ended with ${code}`)));
  });
}

/** Seeded, so that each run writes the same. */
let seed = 20_261_126;
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}
const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
const WORDS = (
  "the stream run boss chat what nice lol again map gate left door night song tea clip today really never almost first second time win " +
  "play game level round team music red blue fast slow good wait look there people thanks hello morning coffee dragon castle river jump"
).split(" ");
const INSULTS = [
  "you are a worthless idiot",
  "shut up you stupid moron",
  "nobody likes you pathetic loser",
  "you are trash kill yourself",
];
const ordinary = (): string =>
  Array.from({ length: 3 + Math.floor(random() * 8) }, () => pick(WORDS)).join(" ");

const receivedAt = new Map<string, number>();
const inNewCase = new Latencies();
const inCase = new Latencies();
const scored = new Latencies();
const spikes = new Latencies();
const raidAt = new Map<string, number>();
const seen = new Set<string>();
const openedSpikes = new Set<string>();
const cases = new Set<string>();
const [sums, fromScores] = [
  { versions: 0, scored: 0, unknown: 0, toxic: 0 },
  { lines: 0, unknown: 0 },
];
let measuring = false;

const reading = new AbortController();
async function follow(
  stream: string,
  filters: string[],
  each: (subject: string, body: unknown) => void,
): Promise<void> {
  const consumer = await js.consumers.get(stream, {
    filter_subjects: filters,
    deliver_policy: DeliverPolicy.New,
  });
  const messages = await consumer.consume({ max_messages: 1000 });
  reading.signal.addEventListener("abort", () => messages.stop());
  for await (const message of messages) each(message.subject, message.json());
}
const following = [
  follow(
    "FOLD",
    [modCases, toxicitySpikes, toxicityWindows].flatMap((event) =>
      Array.from({ length: PARTITIONS }, (_, p) => subjectFilter(event, p)),
    ),
    (subject, body) => {
      const nowMs = performance.now();
      if (subject.startsWith(modCases.name))
        for (const one of body as ModCase[]) {
          const isNew = !cases.has(one.id);
          cases.add(one.id);
          sums.versions++;
          for (const { lineId } of one.lines) {
            const at = receivedAt.get(lineId);
            if (at === undefined || seen.has(lineId)) continue;
            seen.add(lineId);
            inCase.add(nowMs - at);
            if (isNew) inNewCase.add(nowMs - at);
          }
        }
      else if (subject.startsWith(toxicitySpikes.name))
        for (const spike of body as ToxicitySpike[]) {
          const at = raidAt.get(spike.channelId);
          if (spike.kind !== "hate_raid" || at === undefined || openedSpikes.has(spike.channelId)) continue;
          openedSpikes.add(spike.channelId);
          spikes.add(nowMs - at);
        }
      else
        for (const window of body as ToxicityWindow[]) {
          sums.scored += window.scored;
          sums.unknown += window.unknown;
          sums.toxic += window.toxic;
        }
    },
  ),
  follow("INPUT", [subjectFilter(toxicityScores, "*")], (_subject, body) => {
    const nowMs = performance.now();
    const scores = body as ToxicityScores;
    fromScores.lines += scores.lines;
    fromScores.unknown += scores.unknown;
    for (const { lineId } of scores.flagged) {
      const at = receivedAt.get(lineId);
      if (at !== undefined) scored.add(nowMs - at);
    }
  }),
];

const log = await openLog(nc, pino({ level: "error" }));
const names = Array.from({ length: CHANNELS }, (_, i) => `${80_000_000 + i * 7}`);
let sent = 0;
function send(channelId: string, text: string, userId: string, firstMessage: boolean, timed: boolean): void {
  const nowMs = Date.now();
  const line: ChatLine = {
    ...{
      id: `b${++sent}`,
      channelId,
      sentAtMs: nowMs,
      receivedAtMs: nowMs,
      userId,
      login: `u${userId}`,
      text,
    },
    ...(firstMessage ? { firstMessage } : {}),
  };
  if (timed && measuring) receivedAt.set(line.id, performance.now());
  log.line(line, "set");
}
async function write(seconds: number, during?: (atS: number) => void): Promise<void> {
  const beganMs = performance.now();
  let written = 0;
  for (let atMs = 0; atMs < seconds * 1000; atMs = performance.now() - beganMs) {
    for (const due = Math.floor((atMs / 1000) * RATE); written < due; written++) {
      const bad = random() < TOXIC;
      const text = bad ? `${pick(INSULTS)} ${pick(WORDS)} ${pick(WORDS)}` : ordinary();
      send(pick(names), text, String(bad ? 10_000 + written : 1 + Math.floor(random() * 800)), false, bad);
    }
    during?.(atMs / 1000);
    await sleep(BEAT_MS);
  }
  for (const partition of new Set(names.map(partitionOf)))
    log.alive(
      partition,
      Date.now(),
      names.filter((name) => partitionOf(name) === partition),
    );
}
const alive = setInterval(() => {
  for (const partition of new Set(names.map(partitionOf)))
    log.alive(
      partition,
      Date.now(),
      names.filter((name) => partitionOf(name) === partition),
    );
}, 1000);

const cpu = (): Map<string, number> =>
  new Map([
    ...[...children].map(([name, child]): [string, number] => [name, cpuSeconds(child.pid!)]),
    ["nats-server", cpuSeconds(nats.child().pid!)],
  ]);
await write(WARM_S);
measuring = true;
const [before, beganMs] = [cpu(), performance.now()];
let raided = 0;
await write(SECONDS, (atS) => {
  // One raid after the other in the second half.
  if (raided >= CHANNELS || atS < SECONDS / 2 + (raided * SECONDS) / 2 / (CHANNELS + 1)) return;
  const channelId = names[raided++]!;
  for (let i = 0; i < RAID_LINES; i++) {
    send(
      channelId,
      `everybody here is worthless trash, kill yourself ${i}`,
      String(90_000_000 + raided * 100 + i),
      true,
      true,
    );
    if (i === 3) raidAt.set(channelId, performance.now());
  }
});
const wallS = (performance.now() - beganMs) / 1000;
const after = cpu();
measuring = false;
await sleep(4000);
clearInterval(alive);
await log.close();
reading.abort();
await Promise.allSettled(following);
for (const child of children.values()) {
  child.kill("SIGTERM");
  await exited(child);
}
await nc.close();
await nats.close();

const round = (value: number | null): number | null => (value === null ? null : Math.round(value * 10) / 10);
const quantiles = (of: Latencies): Record<string, number | null> => ({
  p50Ms: round(of.quantile(0.5)),
  p95Ms: round(of.quantile(0.95)),
  p99Ms: round(of.quantile(0.99)),
  count: of.count,
});
const figures = {
  seconds: round(wallS),
  linesPerS: Math.round(sent / (wallS + WARM_S)),
  channels: CHANNELS,
  newCase: quantiles(inNewCase),
  anyCase: quantiles(inCase),
  scores: quantiles(scored),
  hateRaid: quantiles(spikes),
  toxicLines: receivedAt.size,
  inNoCase: receivedAt.size - seen.size,
  cases: cases.size,
  ...sums,
  scoredLines: fromScores.lines,
  unknownLines: fromScores.unknown,
  coresByPart: Object.fromEntries(
    [...after].map(([name, s]) => [name, Math.round(((s - (before.get(name) ?? 0)) / wallS) * 100) / 100]),
  ),
};
console.log(
  JSON.stringify({
    bench: "mod-live",
    figures,
    ratios: {},
    meets: {
      [`event → case p95 ≤ ${GOAL.p95Ms} ms at ${RATE} lines/s`]:
        (figures.anyCase["p95Ms"] ?? Infinity) <= GOAL.p95Ms,
      "no line unknown": fromScores.unknown === 0,
      "every raid is a spike": openedSpikes.size === CHANNELS,
    },
  }),
);
process.exit(0);
