import { expect, test } from "vitest";
import type { NatsConnection } from "@nats-io/transport-node";
import { PARTITIONS } from "@hypecast/contracts/event.ts";
import { createLog } from "@hypecast/runtime/log.ts";
import type { Members } from "./members.ts";
import { startProcessors, type Processors } from "./processors.ts";
import type { PartitionLog } from "./worker.ts";

/** A log on which nothing happens. */
const log: PartitionLog = {
  id: "log",
  maxPayload: 1_000_000,
  load: () => Promise.resolve(null),
  async *read(_partition, _after, signal) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    yield* [];
  },
  commit: () => Promise.resolve({ is: "committed", revision: 1 }),
  setAside: () => Promise.resolve(),
};

test("two that each held everything while they did not hear one another share it again", async () => {
  const said = new Map<string, readonly string[]>();
  let alive = (id: string): readonly string[] | null => [id];
  const membersOf = (id: string): Members => ({
    alive: () => alive(id),
    holds: (other) => said.get(other) ?? [],
    say: (holds) => void said.set(id, holds),
    close: () => Promise.resolve(),
  });
  const all = ["one", "two"].map((id): [Members, Processors] => [
    membersOf(id),
    startProcessors({} as NatsConnection, {
      ...{ log, folds: [], tick: () => null, scorer: null },
      ...{ instance: id, logger: createLog("test", "fatal") },
    }),
  ]);
  const settle = (): void => all.forEach(([members, processors]) => processors.settle(members));
  const owned = (): unknown[] => all.map(([, processors]) => processors.health().figures["partitions"]);

  settle();
  expect(owned()).toEqual([PARTITIONS, PARTITIONS]);
  alive = () => null;
  settle();
  expect(owned()).toEqual([0, 0]);
  alive = () => ["one", "two"];
  settle();
  expect(owned()).toEqual([PARTITIONS / 2, PARTITIONS / 2]);
  const held = ["one", "two"].flatMap((id) => said.get(id) ?? []);
  expect(new Set(held).size).toBe(PARTITIONS);
  for (const [, processors] of all) await processors.close();
});
