import {
  JetStreamApiError,
  jetstreamManager,
  type JetStreamManager,
  type StreamConfig,
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { connect, errors, nanos, type NatsConnection, type ServerInfo } from "@nats-io/transport-node";
import {
  ACCOUNTS_BUCKET,
  ERASURES_BUCKET,
  GRANTS_BUCKET,
  OPT_OUTS_BUCKET,
  SESSIONS_BUCKET,
} from "@hypecast/contracts/account.ts";
import { CHANNELS_BUCKET, CHANNEL_STATE_BUCKET } from "@hypecast/contracts/channel.ts";
import { CLIPS_BUCKET, LAYOUT_BUCKET } from "@hypecast/contracts/clip.ts";
import { CLAIMS_BUCKET, PEOPLE_BUCKET, POLICY_BUCKET } from "@hypecast/contracts/journal.ts";
import { DECISIONS_BUCKET } from "@hypecast/contracts/moment.ts";
import { ANSWERS_BUCKET } from "@hypecast/contracts/oracle.ts";
import { streams, type StreamName } from "@hypecast/contracts/streams.ts";
import { UPLOADS_BUCKET } from "@hypecast/contracts/upload.ts";
import { VIDEO_STATE_BUCKET } from "@hypecast/contracts/video.ts";
import { VODS_BUCKET } from "@hypecast/contracts/vod.ts";
import { WEBHOOKS_BUCKET } from "@hypecast/contracts/webhook.ts";
import type { Config } from "./config.ts";

/** Atomic batches came with 2.12. */
const NEEDED_SERVER = [2, 12, 0] as const;

/** Connects and, if the server is away, keeps trying for good: a dead NATS is a state, not a crash. */
export async function connectBus(config: Config, name: string): Promise<NatsConnection> {
  return connect({
    servers: config.HYPECAST_NATS_URL.split(",").map((server) => server.trim()),
    name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 100,
    waitOnFirstConnect: true,
    pingInterval: 5_000,
    maxPingOut: 2,
  });
}

/** What the server says of itself. While the client is between two servers there is nobody who could say it: waited for. */
export async function serverInfo(nc: NatsConnection): Promise<ServerInfo> {
  while (nc.info === undefined) {
    if (nc.isClosed()) throw new errors.ClosedConnectionError();
    await new Promise((resolve) => setTimeout(resolve, AWAY_RETRY_MS));
  }
  return nc.info;
}

/** Throws a sentence when the server is older than what the recovery promise needs, or keeps no log. */
export function checkServer({ version, jetstream }: Pick<ServerInfo, "version" | "jetstream">): void {
  const found = version.split(/[.-]/).map(Number);
  for (const [i, needed] of NEEDED_SERVER.entries()) {
    const have = found[i] ?? 0;
    if (have > needed) return;
    if (have < needed || Number.isNaN(have))
      throw new Error(
        `nats-server ${version} is too old: Hypecast needs ${NEEDED_SERVER.join(".")} or newer (atomic batches)`,
      );
  }
  if (jetstream !== true) throw new Error("nats-server runs without JetStream: Hypecast keeps its log there");
}

/** Creates the streams and buckets that are missing and checks that those that exist are as declared. Waits for the log if it must. */
export async function ensureStreams(nc: NatsConnection, replicas: number): Promise<JetStreamManager> {
  checkServer(await serverInfo(nc));
  return whenTheLogAnswers(nc, async () => declareStreams(nc, replicas));
}

/**
 * Tries again while the log is only away: a cluster elects a leader for seconds after one of its servers has died, and a bucket with
 * one copy is away for as long as its server.
 */
export async function whenTheLogAnswers<Result>(
  nc: NatsConnection,
  ask: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (nc.isClosed() || !isAway(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, AWAY_RETRY_MS));
    }
  }
}
const AWAY_RETRY_MS = 500;

/** Errors of 500 that say "not now", beside every 503: the leader is another by now, or the servers with the copies are away. */
const NOT_NOW: readonly number[] = [
  10007, // not assigned to this server
  10009, // not the leader
  10041, // the leader could not bring the others to agree
  10118, // stream offline
  10119, // consumer offline
];

function isAway(error: unknown): boolean {
  if (error instanceof JetStreamApiError)
    return error.status === 503 || NOT_NOW.includes(error.code) || misses(error);
  if (error instanceof errors.TimeoutError || error instanceof errors.NoRespondersError) return true;
  // While a stream has no leader nobody listens on its subjects; the client words that as "jetstream is not enabled".
  return error instanceof Error && error.cause !== undefined && isAway(error.cause);
}

/** What is new needs all its servers at once. Too few of them is for good, and has the same code; one that is away is not. */
const misses = ({ code, message }: JetStreamApiError): boolean =>
  code === 10005 && message.includes("peer offline");

const BUCKETS = [
  CHANNELS_BUCKET,
  CHANNEL_STATE_BUCKET,
  VIDEO_STATE_BUCKET,
  DECISIONS_BUCKET,
  CLIPS_BUCKET,
  LAYOUT_BUCKET,
  VODS_BUCKET,
  UPLOADS_BUCKET,
  ANSWERS_BUCKET,
  WEBHOOKS_BUCKET,
  ACCOUNTS_BUCKET,
  GRANTS_BUCKET,
  SESSIONS_BUCKET,
  OPT_OUTS_BUCKET,
  ERASURES_BUCKET,
  POLICY_BUCKET,
  CLAIMS_BUCKET,
  PEOPLE_BUCKET,
];

/** Before there was a picture the stream INPUT was called CHAT, with the same subjects. Its lines are in the store; folds go on with their states. */
async function removeStreamOfOld(jsm: JetStreamManager): Promise<void> {
  await jsm.streams.delete("CHAT").catch((error: unknown) => {
    if (!(error instanceof Error && /not found/i.test(error.message))) throw error;
  });
}

async function declareStreams(nc: NatsConnection, replicas: number): Promise<JetStreamManager> {
  const jsm = await jetstreamManager(nc);
  await removeStreamOfOld(jsm);
  for (const name of Object.keys(streams) as StreamName[]) await ensureStream(jsm, name, replicas);
  const kvm = new Kvm(nc);
  for (const bucket of BUCKETS) await kvm.create(bucket, { history: 1, replicas });
  return jsm;
}

async function ensureStream(jsm: JetStreamManager, name: StreamName, replicas: number): Promise<void> {
  const declared = streams[name];
  const wanted = {
    name,
    subjects: [...declared.subjects],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    num_replicas: replicas,
    max_age: nanos(declared.maxAgeS * 1000),
    max_bytes: declared.maxBytes,
    duplicate_window: nanos(declared.duplicateWindowS * 1000),
    allow_direct: true,
    allow_atomic: declared.atomic,
    allow_rollup_hdrs: declared.atomic,
    allow_msg_ttl: true,
    // What is for good is neither pushed out by new entries nor removed by anybody.
    discard: declared.forever ? DiscardPolicy.New : DiscardPolicy.Old,
    deny_delete: declared.forever,
    deny_purge: declared.forever,
  } satisfies Partial<StreamConfig>;
  const info = await jsm.streams.info(name).catch((error: unknown) => {
    if (error instanceof Error && /not found/i.test(error.message)) return null;
    throw error;
  });
  const { config } = info === null ? await jsm.streams.add(wanted) : await jsm.streams.update(name, wanted);
  for (const [key, value] of Object.entries(wanted)) {
    const got: unknown = config[key as keyof typeof wanted];
    // An old server ignores what it does not know instead of refusing it.
    if (JSON.stringify(got ?? false) !== JSON.stringify(value ?? false) && !(key === "subjects"))
      throw new Error(
        `stream ${name}: the server keeps ${key}=${JSON.stringify(got)}, Hypecast needs ${JSON.stringify(value)}`,
      );
  }
}
