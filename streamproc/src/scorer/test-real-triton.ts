import { spawn } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { exited, freePort, temporaryFolder } from "@hypecast/tests/servers.ts";

const root = join(import.meta.dirname, "../../..");
/** Where `./hypecast test` puts NVIDIA's wheel with Triton 2.51, where it can be had. */
const site = join(root, ".tools/triton");
const PYTHON = "3.11";
const READY_WITHIN_MS = 30_000;

export const realTritonIsHere = existsSync(join(site, ".stamp"));

/**
 * A real Triton on the repository as it is, without a GPU: its HTTP front end, scheduler and repository manager, with
 * onnxruntime behind a Python-based backend (tests/triton). Gone, with its files, after `close`.
 */
export async function startRealTriton(models: string): Promise<{ url: string; close(): Promise<void> }> {
  const folder = temporaryFolder("triton");
  const wheel = join(site, "pytriton/tritonserver");
  cpSync(join(root, "tests/triton"), folder, { recursive: true });
  mkdirSync(join(folder, "python"));
  for (const file of readdirSync(join(wheel, "backends/python")))
    copyFileSync(join(wheel, "backends/python", file), join(folder, "python", file));
  const stub = join(wheel, "python_backend_stubs", PYTHON, "triton_python_backend_stub");
  copyFileSync(stub, join(folder, "python/triton_python_backend_stub"));

  const logFile = join(folder, "triton.log");
  const log = openSync(logFile, "w");
  const port = await freePort();
  const child = spawn(
    join(wheel, "bin/tritonserver"),
    [
      ...["--model-repository", models, "--backend-directory", folder],
      ...["--http-address", "127.0.0.1", "--http-port", String(port), "--allow-grpc", "false"],
      ...["--allow-metrics", "false", "--exit-timeout-secs", "1"],
    ],
    {
      stdio: ["ignore", log, log],
      env: {
        ...process.env,
        LD_LIBRARY_PATH: join(site, "nvidia_pytriton.libs"),
        TRITON_SITE_PACKAGES: site,
        PATH: `/usr/bin:${process.env["PATH"] ?? ""}`,
      },
    },
  );
  const url = `http://127.0.0.1:${port}`;
  const until = Date.now() + READY_WITHIN_MS;
  while (!(await isReady(url))) {
    if (child.exitCode !== null || Date.now() > until) {
      child.kill("SIGKILL");
      throw new Error(`Triton did not become ready: ${readFileSync(logFile, "utf8").slice(-2000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url,
    async close() {
      child.kill("SIGTERM"); // by -9 its Python children would stay
      await exited(child);
      rmSync(folder, { recursive: true });
    },
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/v2/health/ready`)).ok;
  } catch {
    return false;
  }
}
