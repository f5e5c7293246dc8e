import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hypecast-run-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a process whose parent was killed with -9 ends by itself, though nobody reads what it says any more", async () => {
  const child = join(folder, "child.ts");
  const run = JSON.stringify(join(import.meta.dirname, "run.ts"));
  writeFileSync(
    child,
    `import { run } from ${run}; setInterval(() => {}, 50); await run("child", async () => {});`,
  );
  const parent = join(folder, "parent.ts");
  writeFileSync(
    parent,
    `import { spawn } from "node:child_process";
     const child = spawn(process.execPath, [${JSON.stringify(child)}], { stdio: ["ignore", "pipe", "pipe", "ipc"] });
     child.stderr.on("data", () => {});
     child.on("message", () => console.log(child.pid));`,
  );
  const started = spawn(process.execPath, [parent], { stdio: ["ignore", "pipe", "inherit"] });
  const pid = await new Promise<number>((resolve) =>
    started.stdout.once("data", (data: Buffer) => resolve(Number(data.toString()))),
  );
  expect(() => process.kill(pid, 0)).not.toThrow();
  started.kill("SIGKILL");
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"), {
    timeout: 10_000,
    interval: 50,
  });
});

test("a process that waits for what is away at its start stops when it is asked to", async () => {
  const child = join(folder, "waits.ts");
  const run = JSON.stringify(join(import.meta.dirname, "run.ts"));
  writeFileSync(
    child,
    `import { run } from ${run};
     await run("child", async ({ own }) => {
       own({ close: () => console.log("closed") });
       console.log("waits");
       await new Promise((resolve) => setTimeout(resolve, 3_600_000));
     });`,
  );
  const started = spawn(process.execPath, [child], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  started.stdout.on("data", (data: Buffer) => (said += data.toString()));
  await vi.waitFor(() => expect(said).toContain("waits"));
  started.kill("SIGTERM");
  await new Promise((resolve) => started.once("close", resolve));
  expect(started.exitCode).toBe(0);
  expect(said).toContain("closed");
});
