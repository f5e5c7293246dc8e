import { parseArgs } from "node:util";
import { SYSTEM } from "@hypecast/contracts/journal.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { openJournal } from "@hypecast/runtime/journal.ts";
import { openSecret } from "@hypecast/runtime/secret.ts";
import { startNats } from "@hypecast/tests/servers.ts";

/**
 * The journal of moderation on a real nats-server that confirms nothing before it is on the disk: one entry after the other into one channel
 * (each names one of 500 chatters), then a process that begins anew and writes one, opens all of them, and verifies the chain.
 */
const { values } = parseArgs({
  options: { entries: { type: "string", default: "5000" }, data: { type: "string" } },
});
const ENTRIES = Number(values.entries);
const CHATTERS = 500;

const nats = await startNats();
const nc = await connectBus(readConfig({ HYPECAST_NATS_URL: nats.url }), "bench");
await ensureStreams(nc, 1);
const secret = openSecret({ HYPECAST_SECRET: "b".repeat(43), HYPECAST_DATA: "" });
const timed = async (effect: () => Promise<unknown>): Promise<number> => {
  const beganMs = performance.now();
  await effect();
  return performance.now() - beganMs;
};
const write = async (journal: Awaited<ReturnType<typeof openJournal>>, i: number): Promise<unknown> =>
  journal.append({
    ...{
      channelId: "1",
      id: `entry-${i}`,
      by: SYSTEM,
      act: "timeout",
      caseId: `1:case:${i}`,
      durationS: 600,
    },
    private: {
      ...{ userId: String(i % CHATTERS), login: `chatter_${i % CHATTERS}`, lineIds: [crypto.randomUUID()] },
      ...{ text: "you are a disgrace to this game", words: "" },
    },
  });

const journal = await openJournal(nc, secret);
const took: number[] = [];
for (let i = 0; i < ENTRIES; i++) took.push(await timed(() => write(journal, i)));
const again = await openJournal(nc, secret);
const firstMs = await timed(() => write(again, ENTRIES));
const openedMs = await timed(async () => {
  for await (const { entry } of again.read("1")) await again.open(entry);
});
let whole = false;
const verifiedMs = await timed(async () => {
  whole = (await again.verify("1")).broken === null;
});
took.sort((a, b) => a - b);
const at = (share: number): number => Number((took[Math.floor(took.length * share)] ?? 0).toFixed(2));
await nc.close();
await nats.close();
console.log(
  JSON.stringify({
    entries: ENTRIES,
    append_ms: { p50: at(0.5), p95: at(0.95), p99: at(0.99) },
    begun_anew_first_append_ms: Math.round(firstMs),
    open_per_s: Math.round((ENTRIES / openedMs) * 1000),
    verify_per_s: Math.round((ENTRIES / verifiedMs) * 1000),
    whole,
  }),
);
