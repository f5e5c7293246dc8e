import { mkdirSync, realpathSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { parseArgs } from "node:util";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { wantChannel } from "@hypecast/runtime/channels.ts";
import { readConfig, type Config } from "@hypecast/runtime/config.ts";
import { namedChannel, type Named } from "@hypecast/contracts/channel.ts";
import { namedOnCommandLine } from "./named.ts";
import { onlyOneIn } from "./only-one.ts";
import { startPart, type Part } from "./part.ts";
import { demoSettings, everyPart, portsOf, type DemoPorts } from "./plan.ts";
import { portIsFree, portOwner } from "./ports.ts";
import { storePassword } from "./secrets.ts";
import { seedThePast } from "./seed.ts";
import { seedTheAccounts } from "./seed-accounts.ts";
import { seedTheStream } from "./seed-stream.ts";

const DEFAULT_PORT = 4200;
/** The first is the one whose page is offered. */
const DEMO_CHANNELS = ["pepel_lamp", "nightfern", "tihiy_ruchey"] as const;

const said = new Set<string>();
const tell = (line: string): void => console.error(`· ${line}`);
const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

const parts: Part[] = [];
try {
  await up();
} catch (error) {
  console.error(`hypecast: ${error instanceof Error ? error.message : String(error)}`);
  for (const part of parts.toReversed()) await part.close();
  process.exit(1);
}

async function up(): Promise<void> {
  const began = performance.now();
  const { config, demo, channels } = settle();
  const dataFolder = realpathSync(config.HYPECAST_DATA);
  await onlyOneIn(dataFolder);
  await checkPorts(config, demo);

  stopInOrder();
  for (const plan of everyPart(config, dataFolder, demo)) {
    const partBegan = performance.now();
    parts.push(await startPart(plan, join(dataFolder, "logs"), tellOnce));
    tell(`${plan.name} ready (${seconds(partBegan)})`);
    if (plan.name === "sources") {
      // The demo's past is on the log before the source is asked to join.
      const bus = await connectBus(config, "up");
      await ensureStreams(bus, config.HYPECAST_NATS_REPLICAS);
      if (demo !== null) {
        await seedThePast(bus, DEMO_CHANNELS[0], dataFolder, tell);
        await seedTheAccounts(config, bus, tell);
      }
      for (const channel of channels) await wantChannel(bus, channel);
      await bus.close();
    }
  }
  if (demo !== null) await seedTheStream(config, dataFolder, demo.http, tell);
  const page = demo !== null || channels.length === 1 ? `live/${channels[0]?.login}` : "";
  console.log(
    `\n  open http://127.0.0.1:${config.HYPECAST_PORT}/${page}   (${seconds(began)}; Ctrl-C stops everything)\n`,
  );
}

/** Command line over environment over defaults; what the children read is written back into the environment. */
function settle(): { config: Config; demo: DemoPorts | null; channels: Named[] } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { port: { type: "string" }, ports: { type: "string" }, data: { type: "string" } },
  });
  const [command = "up", ...names] = positionals;
  const channels = names.map((name) => {
    return namedOnCommandLine(name, process.env["HYPECAST_CALLED_FROM"] ?? ".");
  });
  const base = values.ports === undefined ? DEFAULT_PORT : Number(values.ports);
  if (!Number.isInteger(base) || base < 1 || base > 65_500)
    throw new Error(`--ports ${values.ports}: a number from 1 to 65500`);
  const set = (name: string, value: string): void => void (process.env[name] = value);
  if (values.ports !== undefined) {
    set("HYPECAST_PORT", String(base));
    set("HYPECAST_NATS_URL", `nats://127.0.0.1:${base + 1}`);
    set("HYPECAST_REDIS_URL", `redis://127.0.0.1:${base + 2}`);
    set("HYPECAST_CLICKHOUSE_URL", `http://127.0.0.1:${base + 3}`);
  }
  if (values.port !== undefined) set("HYPECAST_PORT", values.port);
  // What the demo invents and what Twitch says are never mixed in one folder.
  const folder =
    values.data ?? process.env["HYPECAST_DATA"] ?? (command === "demo" ? ".hypecast/demo" : ".hypecast/live");
  const from = values.data === undefined ? "." : (process.env["HYPECAST_CALLED_FROM"] ?? ".");
  const data = isAbsolute(folder) ? folder : join(from, folder);
  mkdirSync(data, { recursive: true });
  set("HYPECAST_DATA", realpathSync(data));

  const demo = command === "demo" ? { http: base + 4, ircWs: base + 5, ircTcp: base + 6 } : null;
  if (demo !== null) for (const [name, value] of Object.entries(demoSettings(demo))) set(name, value);
  if ((process.env["HYPECAST_EMBEDDED"] ?? "clickhouse").includes("clickhouse"))
    process.env["HYPECAST_CLICKHOUSE_PASSWORD"] ??= storePassword(realpathSync(data));
  if (demo !== null && channels.length === 0)
    channels.push(...DEMO_CHANNELS.map((login) => namedChannel(login)).filter((one) => one !== null));
  return { config: readConfig(process.env), demo, channels };
}

async function checkPorts(config: Config, demo: DemoPorts | null): Promise<void> {
  const taken: string[] = [];
  for (const { port, what, change } of portsOf(config, demo)) {
    if (await portIsFree(port)) continue;
    taken.push(
      `port ${port} (${what}) is taken by ${portOwner(port) ?? "another user's process"}; choose another: ${change}`,
    );
  }
  if (taken.length > 0) throw new Error(taken.join("\n          "));
}

function stopInOrder(): void {
  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    tell(`${signal}: stopping ${parts.length} parts`);
    for (const part of parts.toReversed()) await part.close();
    tell("all stopped");
    process.exit(0);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void stop(signal));
}

/** A part that cannot start again and again says so once a minute, not five times a second. */
function tellOnce(line: string): void {
  if (said.has(line)) return;
  said.add(line);
  setTimeout(() => said.delete(line), 60_000).unref();
  tell(line);
}
