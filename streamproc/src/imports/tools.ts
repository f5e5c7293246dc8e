import type { NatsConnection } from "@nats-io/transport-node";
import type { Config } from "@hypecast/runtime/config.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import type { OptOuts } from "@hypecast/runtime/opt-outs.ts";
import type { Objects } from "@hypecast/runtime/objects.ts";
import type { Positions } from "./positions.ts";
import type { VodRecords } from "./records.ts";
import type { AskStore } from "./store.ts";
import type { Fetch } from "../sources/hls/fetch.ts";

/** What every step of an import works with. */
export interface ImportTools {
  readonly nc: NatsConnection;
  readonly objects: Objects;
  readonly records: VodRecords;
  readonly positions: Positions;
  readonly ask: AskStore;
  readonly config: Config;
  readonly log: Logger;
  /** From allowed addresses alone. */
  readonly fetch: Fetch;
  /** Chatters whose lines stay out. */
  readonly optOuts: Pick<OptOuts, "leavesOut">;
}
