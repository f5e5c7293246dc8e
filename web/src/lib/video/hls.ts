import type Hls from "hls.js";

/** The player's library, loaded when there is something to play: pages without video stay light. Null: this browser cannot play HLS so. */
export async function loadHls(): Promise<typeof Hls | null> {
  const { default: library } = await import("hls.js/light");
  return library.isSupported() ? library : null;
}

/**
 * No worker: it would come from a blob address, which the page's policy does not allow, and it saves little at one stream.
 * Memory is bounded: a minute behind, twenty seconds ahead.
 */
export const HLS_OPTIONS = {
  enableWorker: false,
  lowLatencyMode: false,
  liveSyncDurationCount: 2,
  liveDurationInfinity: true,
  backBufferLength: 60,
  maxBufferLength: 20,
  maxMaxBufferLength: 30,
} as const;
