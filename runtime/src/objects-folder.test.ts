import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@hypecast/tests/servers.ts";
import { expect, test } from "vitest";
import { openFolder } from "./objects-folder.ts";
import { objectsContract } from "./objects.contract.ts";

objectsContract("folder", async () => {
  const folder = temporaryFolder("objects");
  return { objects: openFolder(folder), close: async () => rmSync(folder, { recursive: true }) };
});

test("what a crash has left half-written is gone after an hour, and what is being written stays", async () => {
  const folder = temporaryFolder("objects");
  const left = join(folder, ".unfinished/left");
  const fresh = join(folder, ".unfinished/fresh");
  mkdirSync(join(folder, ".unfinished"));
  for (const path of [left, fresh]) writeFileSync(path, "half of");
  utimesSync(left, new Date(), new Date(Date.now() - 3_601_000));
  const objects = openFolder(folder);
  await objects.sweep();
  expect([existsSync(left), existsSync(fresh)]).toEqual([false, true]);
  objects.close();
  rmSync(folder, { recursive: true });
});
