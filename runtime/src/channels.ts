import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { CHANNELS_BUCKET, type WantedChannel } from "@hypecast/contracts/channel.ts";

/** Asks every source to watch a channel. One that is wanted already stays as it is, paused or not. */
export async function wantChannel(nc: NatsConnection, login: string): Promise<void> {
  const bucket = await new Kvm(nc).open(CHANNELS_BUCKET);
  const wanted: WantedChannel = { login, addedAtMs: Date.now(), paused: false, video: null, chat: true };
  const known = await bucket.get(login);
  if (known?.operation === "PUT") return;
  await bucket.put(login, JSON.stringify(wanted));
}
