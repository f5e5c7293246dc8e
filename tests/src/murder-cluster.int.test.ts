import { afterAll, beforeAll, expect, test } from "vitest";
import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { playEpisode, startWorld, type World } from "./murder.ts";
import { until } from "./until.ts";
import { startNatsCluster, type Server } from "./servers.ts";

let cluster: Server[] = [];
let world: World;
let jsm: JetStreamManager;
let leader: Server;
let watching: NodeJS.Timeout;

beforeAll(async () => {
  cluster = await startNatsCluster();
  const url = cluster.map((server) => server.url).join();
  const nc = await connect({ servers: url.split(","), maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  await until("the three have found each other", async () => {
    jsm = await jetstreamManager(nc);
    await jsm.streams.add({ name: "PROBE", subjects: ["probe"], num_replicas: 3 });
    return jsm.streams.delete("PROBE");
  });
  leader = cluster[0]!;
  world = await startWorld({
    nats: { url, replicas: 3, leader: () => leader },
    store: false,
    processors: 2,
  });
  const look = async (): Promise<void> => {
    const info = await jsm.streams.info("FOLD").catch(() => null);
    leader = cluster[Number(info?.cluster?.leader?.slice(1) ?? 0) - 1] ?? leader;
  };
  await look();
  watching = setInterval(() => void look(), 250);
});
afterAll(async () => {
  clearInterval(watching);
  await world?.close();
  await jsm?.getAccountInfo().catch(() => null);
  for (const server of cluster) await server.close();
});

test("over three nats-servers with three copies, killing the leader loses and doubles nothing", async () => {
  const { did } = await playEpisode(world, { seed: 901, playS: 12, murders: 3, victims: ["leader"] });
  expect(did.length).toBeGreaterThan(1);
});
