import { array, assert, asyncProperty, nat } from "fast-check";
import { expect, test } from "vitest";
import type { ChatLine } from "@hypecast/contracts/chat.ts";
import { defineFold } from "../processors/fold.ts";
import { askFold, chainFold, countFold, line, urgentFold } from "./test-folds.ts";
import { PARTITION, World } from "./test-world.ts";
import { URGENT_EVERY_MS } from "./worker.ts";

const CHANNELS = ["a", "b", "c"];

/** Everything that was waiting for something that has happened runs now. */
const settle = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One number = one thing that happens. High numbers are the rare, bad things; fast-check shrinks towards quiet ones. */
async function happens(world: World, choice: number, publish: () => void): Promise<void> {
  const which = choice % 1000;
  const detail = Math.floor(choice / 1000);
  const { processes } = world;
  const process = processes[detail % Math.max(1, processes.length)];
  if (process === undefined) {
    world.start();
  } else if (which < 200) {
    if (!process.paused) process.read(false);
  } else if (which < 400) process.out.shift()?.();
  else if (which < 550) {
    if (!process.paused) process.back.shift()?.();
  } else if (which < 700) publish();
  else if (which < 850) world.advance(detail % 9 === 8 ? 6000 : 50 + (detail % 700));
  else if (which < 870) process.read(true);
  else if (which < 890) process.back.shift();
  else if (which < 900) process.out.shift();
  else if (which < 920) process.paused = !process.paused;
  else if (which < 945) world.kill(process, detail % 4);
  else if (which < 965) {
    if (processes.length < 3) world.start();
  } else if (which < 985) {
    process.worker.drop();
    world.kill(process, 99);
  } else void process.worker.release();
  await settle();
}

/** What any one of them does when left alone: catches up with the log and commits. */
async function calm(world: World): Promise<void> {
  for (const process of world.processes.slice()) world.kill(process, 0);
  const last = world.start();
  for (let i = 0; i < 10_000; i++) {
    while (last.out.length + last.back.length > 0) {
      last.out.shift()?.();
      last.back.shift()?.();
      await settle();
    }
    last.read(false);
    await settle();
    if (last.worker.current()?.position === world.server.chat.length) break;
    world.advance(10);
    await settle();
  }
  for (let i = 0; i < 20; i++) {
    world.advance(500);
    await settle();
    while (last.out.length + last.back.length > 0) {
      last.out.shift()?.();
      last.back.shift()?.();
      await settle();
    }
  }
}

/** Packs of three channels, a third of a second apart. */
function* chatter(): Generator<{ channel: string; lines: ChatLine[] }, never> {
  for (let n = 0; ; n++) {
    const channel = CHANNELS[n % 3]!;
    const at = 1_000_000 + n * 333;
    yield {
      channel,
      lines: [line(channel, `${channel}${n}`, at), line(channel, `${channel}${n}-2`, at + 100)],
    };
  }
}

test("whatever is killed, paused, lost or doubled: each line is in exactly one final value", async () => {
  let finalValues = 0;
  const schedule = array(nat(2 ** 31 - 1), { minLength: 60, maxLength: 260, size: "max" });
  const holds = asyncProperty(schedule, async (choices) => {
    const world = new World([countFold, chainFold, askFold, urgentFold]);
    const packs = chatter();
    const publish = (): void => {
      const { value } = packs.next();
      world.server.append(value.channel, value.lines, world.nowMs);
      if (world.server.chat.length % 5 === 0)
        world.server.notice(value.channel, `n${world.server.chat.length}`, world.nowMs);
    };
    for (const choice of choices) await happens(world, choice, publish);
    await calm(world);
    expect(world.broken).toEqual([]);
    const found = finals(world);
    finalValues += found.length;
    expect(found).toEqual(oracle(world));
  });
  await assert(holds, { numRuns: 2000, seed: 20261121 });
  expect(finalValues).toBeGreaterThan(20_000);
}, 60_000);

const finals = (world: World): string[] =>
  world.server
    .windows()
    .map(({ id, messages, emoteSet }) => `${id} ${messages} ${emoteSet}`)
    .toSorted();

/** The same, by a plain loop over all that was ever published. */
function oracle(world: World): string[] {
  const result: string[] = [];
  for (const channel of CHANNELS) {
    let lines = 0;
    const seconds = new Map<number, number>();
    let chain = "";
    let last = 0;
    for (const { subject, data } of world.server.chat) {
      if (!subject.endsWith(`.${channel}`)) continue;
      if (subject.startsWith("chat.notice")) {
        chain += `${(JSON.parse(Buffer.from(data).toString()) as { id: string }).id},`;
        continue;
      }
      for (const row of Buffer.from(data).toString().trim().split("\n")) {
        const { id, sentAtMs } = JSON.parse(row) as ChatLine;
        lines++;
        last = Math.floor(sentAtMs / 1000);
        seconds.set(last, (seconds.get(last) ?? 0) + 1);
        chain += `${id},`;
        if (lines % 5 === 0) {
          result.push(`${channel}:chain:${lines} 5 ${chain}`);
          chain = "";
        }
      }
    }
    seconds.delete(last); // still open
    for (const [second, n] of seconds) result.push(`${channel}:1:${second * 1000} ${n} `);
  }
  return result.toSorted();
}

test("what is urgent is on the log at once, but no more often than a partition may commit", async () => {
  const world = new World([urgentFold]);
  const process = world.start();
  const pass = async (ms: number): Promise<void> => {
    world.advance(ms);
    await settle();
    while (process.out.length + process.back.length > 0) {
      process.out.shift()?.();
      process.back.shift()?.();
      await settle();
    }
  };
  const said = (): number =>
    (world.server.bySubject.get(`toxicity.spike.${PARTITION}`) ?? []).flatMap(
      ({ data }) => JSON.parse(Buffer.from(data).toString()) as unknown[],
    ).length;
  const packs = async (count: number): Promise<void> => {
    for (; count > 0; count--) {
      world.server.append("a", [line("a", `l${world.server.chat.length}`, world.nowMs)], world.nowMs);
      process.read(false);
      await settle();
    }
  };
  await settle();
  for (let i = 0; i < 30; i++) await pass(100);
  const commits = (): number => world.server.checkpoint()?.revision ?? 0;

  await packs(2);
  const quiet = commits();
  await pass(160);
  expect(commits()).toBe(quiet);
  await packs(1);
  await pass(URGENT_EVERY_MS);
  expect(said()).toBe(1);
  // Ten a second for three seconds: each is there within the bound, and no commit is closer to the one before it.
  let last = commits();
  let times = 0;
  for (let i = 0; i < 60; i++) {
    await packs(3);
    await pass(50);
    if (commits() !== last) times++;
    last = commits();
  }
  expect(times).toBeLessThanOrEqual(Math.ceil(3000 / URGENT_EVERY_MS));
  expect(times).toBeGreaterThanOrEqual(14);
  await pass(URGENT_EVERY_MS);
  expect(said()).toBe(61);
});

test("a fold that loses count of its lines ends the process instead of committing", async () => {
  const world = new World([
    defineFold({ ...countFold, counts: () => ({ counted: 0, late: 0, dropped: {} }) }),
  ]);
  world.server.append("a", [line("a", "1", 1_000_000)], world.nowMs);
  await calm(world);
  expect(String(world.broken[0])).toContain("fold count, channel a: in 1 ≠ out 0 + late 0 + dropped 0");
  expect(world.server.bySubject.size).toBe(0);
});

test("a worker that is released while it loads its checkpoint ends without reading", async () => {
  const world = new World([countFold]);
  world.server.append("a", [line("a", "1", 1_000_000)], world.nowMs);
  const process = world.start();
  await settle();
  let ended = false;
  void process.worker.release().then(() => (ended = true));
  while (process.out.length + process.back.length > 0) {
    process.out.shift()?.();
    process.back.shift()?.();
    await settle();
  }
  expect(ended).toBe(true);
});

test("a poisoned message is set aside with its reason and the partition goes on", async () => {
  const world = new World([countFold]);
  const subject = "chat.lines.3.a";
  world.server.append("a", [line("a", "1", 1_000_000)], world.nowMs);
  world.server.appendRaw(subject, Buffer.from("{not json"), world.nowMs);
  world.server.appendRaw(
    subject,
    Buffer.from(`${JSON.stringify(line("a", "2", 1_000_001))}\n{"id":7}\n`),
    world.nowMs,
  );
  world.server.appendRaw("chat.alive.3", Buffer.from(`{"atMs":"soon","channels":[]}`), world.nowMs);
  world.server.append("a", [line("a", "3", 1_001_000)], world.nowMs);
  await calm(world);
  expect(world.processes[0]?.setAside).toBe(3);
  expect(world.server.windows()).toMatchObject([{ id: "a:1:1000000", messages: 2 }]);
});

test.each([
  ["of an older version", (): null => null],
  [
    "of torn bytes",
    (): never => {
      throw new RangeError("outside of the bounds");
    },
  ],
])("a state %s cannot be read: the fold starts anew and its windows say so", async (_what, load) => {
  const world = new World([countFold]);
  world.server.append("a", [line("a", "1", 1_000_000), line("a", "2", 1_000_500)], world.nowMs);
  await calm(world);
  const newer = new World([{ ...countFold, load }]);
  Object.assign(newer, { server: world.server });
  newer.server.append("a", [line("a", "3", 1_000_700), line("a", "4", 1_002_000)], world.nowMs);
  await calm(newer);
  expect(newer.broken).toEqual([]);
  const [window] = newer.server.windows();
  expect(window).toMatchObject({ id: "a:1:1000000", messages: 1 });
  expect(window?.gapS).toBeGreaterThan(0);
});
