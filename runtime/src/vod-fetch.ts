import type { NatsConnection } from "@nats-io/transport-node";
import { vodIdOf } from "@hypecast/contracts/vod.ts";
import {
  VOD_FETCH_SUBJECT,
  VOD_FETCH_WITHIN_MS,
  vodFetched,
  type VodFetch,
} from "@hypecast/contracts/vod-fetch.ts";

/**
 * Has a segment of an imported stream fetched whose file is not in `objects`. Resolves to whether it is there now; false too when nobody
 * answers: then it is as if it were not kept.
 */
export async function fetchVodSegment(nc: NatsConnection, channelId: string, seq: number): Promise<boolean> {
  const id = vodIdOf(channelId);
  if (id === null) return false;
  const asked: VodFetch = { id, seq };
  try {
    const answer = await nc.request(VOD_FETCH_SUBJECT, JSON.stringify(asked), {
      timeout: VOD_FETCH_WITHIN_MS,
    });
    return vodFetched.safeParse(answer.json()).data?.problem === null;
  } catch {
    return false;
  }
}
