import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { playEpisode, startWorld, type World } from "./murder.ts";

/** Fifty runs, ten in each world: a world that lives on carries what earlier murders left behind into the next run. */
const SEEDS = 50;
const RUNS_PER_WORLD = 10;

describe.each(Array.from({ length: SEEDS / RUNS_PER_WORLD }, (_, i) => 1001 + i * RUNS_PER_WORLD))(
  "from seed %i",
  (first) => {
    let world: World;
    beforeAll(async () => {
      world = await startWorld({ store: true, processors: 2 });
    }, 60_000);
    afterAll(() => world?.close(), 60_000);

    test.each(Array.from({ length: RUNS_PER_WORLD }, (_, i) => first + i))(
      "seed %i: every final value in ClickHouse is the batch computation's",
      async (seed) => {
        const { did, finals, lines, settledS } = await playEpisode(world, { seed, playS: 8, murders: 7 });
        console.log(
          `seed ${seed}: ${lines} lines, ${finals} final values, settled in ${settledS.toFixed(1)} s; ${did.join(", ")}`,
        );
        expect(finals).toBeGreaterThan(500);
      },
      120_000,
    );
  },
);
