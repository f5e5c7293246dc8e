import type { NatsConnection } from "@nats-io/transport-node";
import type { Config } from "@hypecast/runtime/config.ts";

/** Gives a fresh demo folder the stream's last minutes, so that the meter knows the channel's usual from the first second. */
export async function seedThePast(
  _bus: NatsConnection,
  _config: Config,
  _dataFolder: string,
  _tell: (line: string) => void,
): Promise<void> {
  // written when the replay source and the demo's past exist
}
