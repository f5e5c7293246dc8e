import { expect, test } from "vitest";
import type { SpikeNow } from "./api.ts";
import { foremost } from "./spikes.ts";

const spike = (id: string, more: Partial<SpikeNow>): SpikeNow =>
  ({
    id,
    kind: "toxicity",
    startMs: 1000,
    endMs: null,
    snoozedUntilMs: null,
    resolved: null,
    ...more,
  }) as SpikeNow;

test("an attack stands before an argument; what is resolved, asleep or long over does not stand at all", () => {
  const shown = foremost(
    [
      spike("argument", {}),
      spike("resolved", { resolved: "was a joke" }),
      spike("asleep", { snoozedUntilMs: 700_000 }),
      spike("awake again", { snoozedUntilMs: 500_000, startMs: 900 }),
      spike("just over", { endMs: 550_000, startMs: 800 }),
      spike("long over", { endMs: 100_000 }),
      spike("raid", { kind: "hate_raid" }),
    ],
    600_000,
  );
  expect(shown.map(({ id }) => id)).toEqual(["raid", "argument", "awake again", "just over"]);
});
