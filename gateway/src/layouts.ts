import type { NatsConnection } from "@nats-io/transport-node";
import { channelLayout, LAYOUT_BUCKET, type ChannelLayout } from "@hypecast/contracts/clip.ts";
import type { Logger } from "@hypecast/runtime/log.ts";
import { keepBucket } from "./bucket.ts";

/** How each channel's clips are laid out, as a person has drawn it once. */
export interface Layouts {
  of(login: string): ChannelLayout;
  change(login: string, change: Partial<ChannelLayout>): Promise<ChannelLayout>;
  readonly close: () => void;
}

export async function watchLayouts(nc: NatsConnection, log: Logger): Promise<Layouts> {
  const kept = await keepBucket(nc, LAYOUT_BUCKET, channelLayout, log);
  const untouched = channelLayout.parse({});
  return {
    of: (login) => kept.get(login) ?? untouched,
    async change(login, change) {
      const { value, isNew } = await kept.create(login, { ...untouched, ...change });
      if (isNew) return value;
      return (await kept.change(login, (layout) => ({ ...layout, ...change }))) ?? value;
    },
    close: kept.close,
  };
}
