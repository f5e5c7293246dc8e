import { test } from "vitest";
import { playEpisode, startWorld, positionOf } from "./murder.ts";
import { execSync } from "node:child_process";
test("x", async () => {
  const world = await startWorld({ store: false, processors: 2 });
  try {
    console.log(await playEpisode(world, { seed: 1, playS: 5, murders: 4, victims: ["processors-1","processors-2"] }));
  } catch (e) {
    console.log(String(e));
    for (let p = 0; p < 32; p++) console.log(p, await positionOf(world, p));
  }
  console.log(execSync(`tail -n 12 ${world.folder}/*.log | cut -c1-700`).toString());
  await world.close();
}, 100000);
