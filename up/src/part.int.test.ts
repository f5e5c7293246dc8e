import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startPart, type PartPlan } from "./part.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hypecast-part-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = (name: string, code: string): PartPlan => {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, code);
  return { name, program: process.execPath, args: [file], env: {}, ready: "message" };
};

test("a part that is killed is started again, and stops for good when asked", async () => {
  const told: string[] = [];
  const part = await startPart(
    script("steady", "process.send({ready: true}); setInterval(() => {}, 1000);"),
    folder,
    (line) => told.push(line),
  );
  const first = part.pid() ?? 0;
  process.kill(first, "SIGKILL");
  await vi.waitFor(() => expect(part.restarts()).toBe(1), 5000);
  await vi.waitFor(() => expect(part.pid()).not.toBe(first), 5000);
  expect(told).toEqual(["steady ended (signal SIGKILL); starting it again"]);
  const second = part.pid() ?? 0;
  await part.close();
  expect(() => process.kill(second, 0)).toThrow("ESRCH");
  expect(part.restarts()).toBe(1);
});

test("a part that cannot start says why in its own words", async () => {
  const plan = script("broken", "console.error('port 1 is not allowed'); process.exit(3);");
  await expect(startPart(plan, folder, () => {})).rejects.toThrow(
    /broken did not start: exit code 3\nport 1 is not allowed/,
  );
});
