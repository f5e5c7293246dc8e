import { afterAll, beforeAll, expect, test } from "vitest";
import { playEpisode, startWorld, type World } from "./murder.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ store: true, processors: 2, moderation: 2 });
});
afterAll(() => world?.close());

test.each([1, 2])(
  "seed %i: after murders of any process, every final value in ClickHouse is the batch computation's",
  async (seed) => {
    const { did, finals } = await playEpisode(world, { seed, playS: 10, murders: 6 });
    expect(did.length).toBeGreaterThan(3);
    expect(finals).toBeGreaterThan(500);
  },
  90_000,
);
