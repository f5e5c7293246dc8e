import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  CHANNELS_BUCKET,
  wantedChannel,
  type Named,
  type WantedChannel,
} from "@hypecast/contracts/channel.ts";

/**
 * Asks every source to watch a channel. One that is wanted already stays as it is, paused or not; where its picture comes from is what was
 * named last.
 */
export async function wantChannel(nc: NatsConnection, { login, video, chat }: Named): Promise<void> {
  const bucket = await new Kvm(nc).open(CHANNELS_BUCKET);
  const entry = await bucket.get(login);
  const known = wantedChannel.safeParse(entry?.operation === "PUT" ? entry.json() : null);
  if (known.success && (video === null || known.data.video === video)) return;
  const wanted: WantedChannel = known.success
    ? { ...known.data, video }
    : { login, addedAtMs: Date.now(), paused: false, video, chat };
  await bucket.put(login, JSON.stringify(wanted));
}
