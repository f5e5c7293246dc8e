import { setTimeout as sleep } from "node:timers/promises";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  CHANNELS_BUCKET,
  CHANNEL_STATE_BUCKET,
  channelState,
  wantedChannel,
  type ChannelState,
  type WantedChannel,
} from "@hypecast/contracts/channel.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { watchBucket, type BucketWatch } from "@hypecast/runtime/watch.ts";

/** States are written at most so often … */
const WRITE_EVERY_MS = 1000;
/** … and those in which only times have moved share this many writes a second, whatever the number of channels. */
const TIMES_PER_S = 100;

export interface ChannelBuckets {
  lastState: (login: string) => Promise<ChannelState | null>;
  /**
   * From now on `changed` gets the whole list of the wanted, at once and at every change, and `states` is asked what to write.
   * What a person (or a wrong program) has put there that is no wanted channel is left out.
   */
  follow(changed: (wanted: WantedChannel[]) => void, states: () => ChannelState[]): Promise<void>;
  close(): Promise<void>;
}

/** The two buckets in which people say what to watch and sources say how it goes. */
export async function openChannels(nc: NatsConnection, log: Logger): Promise<ChannelBuckets> {
  const kvm = new Kvm(nc);
  const wantedBucket = await kvm.open(CHANNELS_BUCKET);
  const stateBucket = await kvm.open(CHANNEL_STATE_BUCKET);
  const wanted = new Map<string, WantedChannel>();
  let watch: BucketWatch | null = null;
  let timer: NodeJS.Timeout | undefined;
  let changed: (wanted: WantedChannel[]) => void = () => {};
  let states: () => ChannelState[] = () => [];

  const take = (key: string, body: Uint8Array | null): void => {
    if (body === null) {
      wanted.delete(key);
      return;
    }
    const read = wantedChannel.safeParse(parse(body));
    if (read.success && read.data.login === key) wanted.set(key, read.data);
    else log.warn({ key }, "not a wanted channel: left out");
  };

  const written = new Map<string, { text: string; atMs: number }>();
  let writing = false;
  const write = async (): Promise<void> => {
    if (writing) return;
    writing = true;
    try {
      const all = states();
      const timesEveryMs = Math.max(WRITE_EVERY_MS, (all.length / TIMES_PER_S) * 1000);
      const now = performance.now();
      for (const state of all) {
        const text = JSON.stringify({
          ...state,
          lastLineAtMs: 0,
          aliveAtMs: 0,
          nextAttemptAtMs: 0,
          ...(state.eventSub === undefined ? {} : { eventSub: { ...state.eventSub, heardAtMs: 0 } }),
        });
        const before = written.get(state.login);
        if (before !== undefined && before.text === text && now - before.atMs < timesEveryMs) continue;
        await stateBucket.put(state.login, JSON.stringify(state));
        written.set(state.login, { text, atMs: now });
      }
    } catch (error) {
      log.debug({ err: error }, "cannot write the channels' states, trying again");
    }
    writing = false;
  };
  return {
    async lastState(login) {
      const entry = await stateBucket.get(login);
      if (entry?.operation !== "PUT") return null;
      const read = channelState.safeParse(parse(entry.value));
      return read.success ? read.data : null;
    },
    async follow(onChange, ask) {
      changed = onChange;
      states = ask;
      watch = watchBucket(wantedBucket, log, (key, entry) => {
        take(key, entry && entry.value);
        if (watch?.ready() === true) changed([...wanted.values()]);
      });
      await watch.whole;
      changed([...wanted.values()]);
      timer = setInterval(() => void write(), WRITE_EVERY_MS);
    },
    async close() {
      watch?.close();
      clearInterval(timer);
      await Promise.race([write(), sleep(1000)]);
    },
  };
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return null;
  }
}
