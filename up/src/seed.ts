import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { channelState, CHANNEL_STATE_BUCKET } from "@hypecast/contracts/channel.ts";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";

const root = join(import.meta.dirname, "../..");
/** The meter wants 15 minutes to know a channel's usual; the heatmap looks like a stream from about here. */
const PAST_MINUTES = 40;

/**
 * Gives a fresh demo folder the stream's last minutes through the same log as live chat, so that the meter knows the
 * channel's usual from the first second. The demo plays by the wall clock: past and live join without a seam.
 */
export async function seedThePast(
  bus: NatsConnection,
  channel: string,
  dataFolder: string,
  tell: (line: string) => void,
): Promise<void> {
  const states = await new Kvm(bus).open(CHANNEL_STATE_BUCKET);
  const known = await states.get(channel);
  if (known?.operation === "PUT" && channelState.safeParse(known.json()).data?.aliveAtMs != null) return;
  const began = performance.now();
  await play(dataFolder, PAST_MINUTES);
  // What was played meanwhile. The source that joins next marks what is still missing as not heard: about a second.
  await play(dataFolder, 1 + Math.ceil((performance.now() - began) / 60_000));
  tell(
    `the demo's last ${PAST_MINUTES} minutes are on the log (${((performance.now() - began) / 1000).toFixed(1)} s)`,
  );
}

/** Puts the last minutes on the log; what is there already is left out. */
async function play(dataFolder: string, minutes: number): Promise<void> {
  const file = join(dataFolder, "past.irc");
  const until = ["--until", String(Date.now())];
  await ended("demo/src/main.ts", ["--past", file, "--minutes", String(minutes), ...until]);
  await ended("streamproc/src/sources/replay.ts", ["--file", file, ...until]);
  rmSync(file);
}

async function ended(file: string, args: string[]): Promise<void> {
  const child = spawn(process.execPath, [join(root, file), ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0)
    throw new Error(`${file} ended with ${String(code)}:\n${said.split("\n").slice(-6).join("\n")}`);
}
