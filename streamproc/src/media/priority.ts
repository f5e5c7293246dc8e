import { Kvm, type KV } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { CHANNELS_BUCKET, wantedChannel } from "@hypecast/contracts/channel.ts";
import { VIDEO_STATE_BUCKET, videoState } from "@hypecast/contracts/video.ts";

/** Channels by id, with when they were added: what was asked for last matters most. Asked only while the machine is behind. */
export async function addedAt(nc: NatsConnection): Promise<Map<string, number>> {
  const kvm = new Kvm(nc);
  const wanted = new Map<string, number>();
  for await (const { value } of entries(await kvm.open(CHANNELS_BUCKET))) {
    const read = wantedChannel.safeParse(value);
    if (read.success) wanted.set(read.data.login, read.data.addedAtMs);
  }
  const added = new Map<string, number>();
  for await (const { value } of entries(await kvm.open(VIDEO_STATE_BUCKET))) {
    const read = videoState.safeParse(value);
    if (read.success && read.data.channelId !== null)
      added.set(read.data.channelId, wanted.get(read.data.login) ?? 0);
  }
  return added;
}

async function* entries(bucket: KV): AsyncIterable<{ value: unknown }> {
  for await (const key of await bucket.keys()) {
    const entry = await bucket.get(key);
    if (entry?.operation !== "PUT") continue;
    try {
      yield { value: JSON.parse(entry.string()) };
    } catch {
      // Not ours: nobody's priority.
    }
  }
}
