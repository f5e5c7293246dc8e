import { createNodeRedisClient, Queue, type IRedisClient } from "bullmq";
import { createClient } from "redis";
import { CLIP_QUEUE } from "@hypecast/contracts/clip.ts";
import { VOD_QUEUE } from "@hypecast/contracts/vod.ts";
import type { Logger } from "./log.ts";

/** A job that cannot be handed over in this time is left to the worker, which looks for records without a job. */
const ADD_WITHIN_MS = 2000;

/** What a job carries: the record in the queue's bucket says the rest. */
export interface RecordJob {
  readonly id: string;
}

export interface JobsConnection {
  readonly client: IRedisClient;
  readonly isReady: () => boolean;
  close(): void;
}

/** A connection for BullMQ that reconnects for good. Commands given meanwhile wait: who cannot, asks `isReady` first. */
export function connectJobs(url: string, log: Logger): JobsConnection {
  const unix = url.startsWith("unix://");
  const raw = createClient({
    ...(unix ? {} : { url }),
    socket: {
      ...(unix ? { path: url.slice("unix://".length) } : {}),
      connectTimeout: 2000,
      reconnectStrategy: (tries) => Math.min(100 * 2 ** Math.min(tries, 6), 2000),
    },
  });
  let away = false;
  raw.on("error", (error: unknown) => {
    if (!away) log.warn({ err: error }, "Redis is away: jobs wait");
    away = true;
  });
  raw.on("ready", () => {
    if (away) log.info("Redis is back");
    away = false;
  });
  const client = createNodeRedisClient(raw);
  // Said above, once; without a listener an `error` ends the process.
  client.on("error", () => undefined);
  return {
    client,
    isReady: () => raw.isReady,
    close() {
      if (raw.isOpen) raw.destroy();
    },
  };
}

export interface RecordJobs {
  /**
   * Asks for what a record says to be done, after it was written. One that is asked for already stays as it is. False: Redis did not take it
   * now, which loses nothing, because the worker adds jobs for records that have none.
   */
  add(id: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Clips to render; an id is a clip's. */
export const openClipJobs = (url: string, log: Logger): RecordJobs => openJobs(CLIP_QUEUE, url, log);
/** Streams to import or to delete; an id is a stream's, with its `_`. */
export const openVodJobs = (url: string, log: Logger): RecordJobs => openJobs(VOD_QUEUE, url, log);

function openJobs(name: string, url: string, log: Logger): RecordJobs {
  const connection = connectJobs(url, log);
  const queue = new Queue<RecordJob>(name, {
    connection: connection.client,
    defaultJobOptions: {
      attempts: 3,
      backoff: { type: "exponential", delay: 2000 },
      // The record keeps what came of it, and the same id may be asked for again.
      removeOnComplete: true,
      removeOnFail: true,
    },
  });
  queue.on("error", () => undefined);
  return {
    async add(id) {
      if (!connection.isReady()) return false;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<false>((resolve) => {
        timer = setTimeout(() => resolve(false), ADD_WITHIN_MS);
      });
      const added = queue.add(name, { id }, { jobId: id }).then(
        () => true,
        () => false,
      );
      return Promise.race([added, late]).finally(() => clearTimeout(timer));
    },
    async close() {
      connection.close();
      await queue.close().catch(() => undefined);
    },
  };
}
