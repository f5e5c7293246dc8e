import { createClient } from "redis";
import { namedIn, type Chatter } from "./named.ts";

const PAGE = 500;
const WAIT_MS = 5000;

/** Removes what the gateway keeps of answers for a short time and names the chatter. Resolves to the keys removed; null: Redis is away, and what it holds runs out by itself. */
export async function eraseFromCache(url: string, chatter: Chatter): Promise<number | null> {
  const client = createClient({
    ...(url.startsWith("unix://") ? {} : { url }),
    disableOfflineQueue: true,
    socket: {
      ...(url.startsWith("unix://") ? { path: url.slice("unix://".length) } : {}),
      connectTimeout: WAIT_MS,
      reconnectStrategy: false,
    },
  });
  client.on("error", () => undefined);
  const isNamed = namedIn(chatter);
  try {
    await client.connect();
    let removed = 0;
    for await (const keys of client.scanIterator({ MATCH: "hypecast:*", COUNT: PAGE })) {
      for (const key of keys) {
        if ((await client.type(key)) !== "string") continue;
        const value = await client.get(key);
        if (value !== null && isNamed(value)) removed += await client.del(key);
      }
    }
    return removed;
  } catch {
    return null;
  } finally {
    if (client.isOpen) client.destroy();
  }
}
