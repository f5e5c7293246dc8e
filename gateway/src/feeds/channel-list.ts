import type { Channels } from "../channels.ts";
import type { Hub } from "../push/hub.ts";

/** A change of the list shows within this time; the numbers in it are as old at most. */
const CHANGE_MS = 250;
const NUMBERS_MS = 1000;

/** The watched channels with their state and latest numbers, to `channels`. */
export function feedChannelList(channels: Channels, hub: Hub): { watched(): void; close(): void } {
  let version = -1;
  let toldAtMs = 0;
  let told = "";
  const tell = (nowMs: number): void => {
    version = channels.version();
    toldAtMs = nowMs;
    const list = JSON.stringify(channels.list());
    if (list === told) return;
    told = list;
    hub.publish("channels", list, nowMs);
  };
  const timer = setInterval(() => {
    const nowMs = Date.now();
    if (channels.version() === version && (nowMs - toldAtMs < NUMBERS_MS || !hub.isWatched("channels")))
      return;
    tell(nowMs);
  }, CHANGE_MS);
  return { watched: () => tell(Date.now()), close: () => clearInterval(timer) };
}
