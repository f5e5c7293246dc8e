import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

/**
 * `./hypecast test`: every check of the project, all of them even when one fails. The last line is `N passed, N failed, N skipped`; a
 * check without tests of its own (format, lint …) counts as one.
 *
 * Integration tests mostly wait for their servers. What needs nothing but the processor runs beside them, one after the other, and
 * gets what they leave.
 */
const { values } = parseArgs({ options: { long: { type: "boolean", default: false } } });
const root = join(import.meta.dirname, "../..");
const bin = (name: string): string => join(root, "node_modules/.bin", name);
const total = { passed: 0, failed: 0, skipped: 0 };

const beside = async (): Promise<void> => {
  await check("format", bin("oxfmt"), ["--check"]);
  await check("web types", "npm", ["run", "-s", "check", "-w", "web"]);
  await check("types", bin("tsc"), []);
  await check("lint", bin("oxlint"), ["--type-aware", "--deny-warnings"]);
  await check("dead code", bin("knip"), []);
  await tests("unit", "beside");
};
await Promise.all([tests("integration", "alone"), beside()]);
if (values.long) await tests("long", "alone");

console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 ? 0 : 1);

async function check(what: string, program: string, args: string[]): Promise<void> {
  const began = performance.now();
  const { code, output } = await command(program, args, "beside");
  total[code === 0 ? "passed" : "failed"]++;
  if (code !== 0) console.log(output);
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${what} (${seconds(began)})`);
}

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  numFailedTestSuites: number;
}

/** `alone`: what they print is shown at once. `beside`: in one piece when they are over, and others go before them on the processor. */
type Place = "alone" | "beside";

async function tests(project: string, place: Place): Promise<void> {
  const began = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "hypecast-tests-"));
  const file = join(folder, "report.json");
  const { code, output } = await command(
    bin("vitest"),
    ["run", "--project", project, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`],
    place,
  );
  process.stdout.write(output);
  const report = readReport(file);
  rmSync(folder, { recursive: true });
  if (report === null) total.failed++;
  else {
    total.passed += report.numPassedTests;
    // A file that does not even load has no failed test; an error outside of tests fails the run alone.
    total.failed += Math.max(report.numFailedTests, code === 0 ? 0 : 1);
    total.skipped += report.numPendingTests + report.numTodoTests;
  }
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${project} tests (${seconds(began)})`);
}

function readReport(file: string): Report | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch {
    return null; // vitest itself did not start; its own words are above
  }
}

async function command(
  program: string,
  args: string[],
  place: Place,
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn("nice", ["-n", place === "beside" ? "15" : "0", program, ...args], {
      cwd: root,
      stdio: place === "alone" ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.once("error", (error) => resolve({ code: 1, output: error.message }));
    child.once("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}
