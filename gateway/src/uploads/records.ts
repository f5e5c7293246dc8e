import type { NatsConnection } from "@nats-io/transport-node";
import { upload, UPLOADS_BUCKET, type Upload } from "@hypecast/contracts/upload.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { keepBucket, type Kept } from "../bucket.ts";

export type Uploads = Kept<Upload>;

/** The records of files on their way here. */
export const watchUploads = (nc: NatsConnection, log: Logger): Promise<Uploads> =>
  keepBucket(nc, UPLOADS_BUCKET, upload, log);

/** Null: there is none. */
export const isWhole = (uploads: Uploads, id: string): boolean | null => uploads.get(id)?.done ?? null;
