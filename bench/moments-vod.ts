import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { analysisOf } from "@hypecast/streamproc/processors/text.ts";
import { randomFrom } from "./src/demo-events.ts";
import { byRate, meet, proposalsOf, type Proposal } from "./src/found-moments.ts";
import { vodChats } from "./vod-chats.ts";

/**
 * Moments of real finished streams, which nobody has labelled. The viewers of each are split in two by lot, several times: what one half's chat
 * finds is judged by how the other half, which the folds did not see, was moved then. A stretch is a moment when clearly more of the other half's
 * lines than usual show a mood, from several people. It is judged by an even choice of its lines, the same number everywhere: many lines alone
 * prove nothing, so that counting lines wins nothing by itself. Beside it: peaks of the rate against the minutes before, the plain highest counts,
 * and stretches drawn by lot.
 */
const { values: options } = parseArgs({
  options: { data: { type: "string", default: join(import.meta.dirname, "../../shared/data") } },
});

const TOP = 10;
const FEWEST_LINES = 1000;
/** Reactions come after what they are about. */
const AFTER_MS = 10_000;
const LEAST_Z = 2;
const LEAST_PEOPLE = 3;
const JUDGED_LINES = 30;
const SPLITS = 5;

interface Heard {
  readonly atMs: number;
  readonly userId: string;
  readonly moved: boolean;
}

const heard = (lines: readonly ChatLine[]): Heard[] =>
  lines.map(({ sentAtMs, userId, text }) => ({
    atMs: sentAtMs,
    userId,
    moved: analysisOf(text, "1").moods !== 0,
  }));

/** Whether these people were moved in that stretch more than they usually are. */
function moved(list: readonly Heard[], usual: number, { fromMs, toMs }: Proposal): boolean {
  const all = list.filter(({ atMs }) => atMs >= fromMs && atMs < toMs + AFTER_MS);
  const step = Math.max(1, all.length / JUDGED_LINES);
  const inside = Array.from(
    { length: Math.min(all.length, JUDGED_LINES) },
    (_, i) => all[Math.floor(i * step)]!,
  );
  const some = inside.filter((line) => line.moved);
  const people = new Set(some.map(({ userId }) => userId)).size;
  const spread = Math.sqrt(inside.length * usual * (1 - usual));
  return people >= LEAST_PEOPLE && some.length - inside.length * usual >= LEAST_Z * spread;
}

/** The fullest stretches, as long as a moment and apart by a minute. */
function byCount(lines: readonly ChatLine[], count: number): Proposal[] {
  const LENGTH_MS = 40_000;
  const stretches: Proposal[] = [];
  const firstMs = lines[0]!.sentAtMs;
  const counts = new Map<number, number>();
  for (const { sentAtMs } of lines) {
    const at = Math.floor((sentAtMs - firstMs) / 10_000);
    counts.set(at, (counts.get(at) ?? 0) + 1);
  }
  for (const at of counts.keys()) {
    const fromMs = firstMs + at * 10_000;
    const score = [0, 1, 2, 3].reduce((sum, i) => sum + (counts.get(at + i) ?? 0), 0);
    stretches.push({ fromMs, toMs: fromMs + LENGTH_MS, score });
  }
  const taken: Proposal[] = [];
  for (const one of stretches.toSorted((a, b) => b.score - a.score || a.fromMs - b.fromMs)) {
    if (taken.length >= count) break;
    if (taken.every((other) => Math.abs(other.fromMs - one.fromMs) >= 60_000)) taken.push(one);
  }
  return taken;
}

function byLot(lines: readonly ChatLine[], count: number, random: () => number): Proposal[] {
  const [first, last] = [lines[0]!.sentAtMs, lines.at(-1)!.sentAtMs];
  return Array.from({ length: count }, () => {
    const fromMs = first + Math.floor(random() * (last - first - 40_000));
    return { fromMs, toMs: fromMs + 40_000, score: 0 };
  });
}

const WAYS = ["ours", "rate", "count", "lot"] as const;
const tally = Object.fromEntries(WAYS.map((way) => [way, { held: 0, of: 0, again: 0 }])) as Record<
  (typeof WAYS)[number],
  { held: number; of: number; again: number }
>;
let vods = 0;
let hours = 0;
const random = randomFrom(17);
for (const vod of vodChats(options.data)) {
  if (vod.lines.length < FEWEST_LINES) continue;
  vods++;
  hours += (vod.lines.at(-1)!.sentAtMs - vod.lines[0]!.sentAtMs) / 3_600_000;
  const whole = proposalsOf(vod.lines).proposals;
  const wholes: Lists = {
    ours: whole,
    rate: byRate(vod.lines, whole.length),
    count: byCount(vod.lines, whole.length),
    lot: byLot(vod.lines, whole.length, random),
  };
  for (let split = 0; split < SPLITS; split++) judge(vod.lines, wholes);
}

type Lists = Record<(typeof WAYS)[number], Proposal[]>;

function judge(lines: readonly ChatLine[], wholes: Lists): void {
  const side = new Map<string, 0 | 1>();
  const halves: [ChatLine[], ChatLine[]] = [[], []];
  for (const line of lines) {
    let half = side.get(line.userId);
    if (half === undefined) side.set(line.userId, (half = random() < 0.5 ? 0 : 1));
    halves[half].push(line);
  }
  const [a, b] = halves;
  if (a.length < FEWEST_LINES / 4 || b.length < FEWEST_LINES / 4) return;
  const others = heard(b);
  const usual = others.filter((line) => line.moved).length / others.length;
  // As many of each as there are of ours: most streams have fewer than ten moments.
  const ours = proposalsOf(a).proposals.slice(0, TOP);
  const lists: Lists = {
    ours,
    rate: byRate(a, ours.length),
    count: byCount(a, ours.length),
    lot: byLot(a, ours.length, random),
  };
  for (const way of WAYS) {
    const list = lists[way];
    tally[way].of += list.length;
    tally[way].held += list.filter((one) => moved(others, usual, one)).length;
    tally[way].again += list.filter((one) => wholes[way].some((other) => meet(one, other))).length;
  }
}

if (vods === 0) {
  console.log(`no VOD chats under ${options.data}: nothing is measured`);
  process.exit(0);
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
const precision = (way: (typeof WAYS)[number]): number => tally[way].held / Math.max(1, tally[way].of);
const stable = (way: (typeof WAYS)[number]): number => tally[way].again / Math.max(1, tally[way].of);
console.log(
  JSON.stringify({
    bench: "moments-vod",
    figures: {
      vods,
      hours: round(hours),
      moments: tally.ours.of,
      precisionAt10: round(precision("ours")),
      precisionAt10ByRate: round(precision("rate")),
      precisionAt10ByCount: round(precision("count")),
      precisionAt10ByLot: round(precision("lot")),
      /** Of what one half of the viewers shows, the share that all of them show too. */
      stable: round(stable("ours")),
      stableByRate: round(stable("rate")),
      stableByCount: round(stable("count")),
      stableByLot: round(stable("lot")),
    },
    ratios: {
      overRate: round(precision("ours") / precision("rate")),
      overCount: round(precision("ours") / precision("count")),
    },
    meets: {
      "P@10 above the rate's and the count's":
        precision("ours") > Math.max(precision("rate"), precision("count")),
      "nine of ten stay with all viewers": stable("ours") >= 0.9,
    },
  }),
);
