import { join, resolve } from "node:path";
import type { Config } from "./config.ts";
import { openFolder } from "./objects-folder.ts";
import { openBucket } from "./objects-s3.ts";
import type { Objects } from "./objects.ts";

/** The store that the settings name: `HYPECAST_OBJECTS`, or a folder beside everything else that is kept. */
export function openObjects(config: Config): Objects {
  const where = config.HYPECAST_OBJECTS;
  if (!where.startsWith("s3://"))
    return openFolder(where === "" ? join(config.HYPECAST_DATA, "objects") : resolve(where));
  const [bucket = "", ...prefix] = where.slice("s3://".length).split("/");
  return openBucket({
    bucket,
    prefix: prefix.filter((part) => part !== "").join("/"),
    endpoint: config.HYPECAST_S3_ENDPOINT,
    region: config.HYPECAST_S3_REGION,
    accessKeyId: config.HYPECAST_S3_KEY,
    secretAccessKey: config.HYPECAST_S3_SECRET,
    copies: join(config.HYPECAST_DATA, "copies"),
  });
}
