import { counter, gauge, histogram } from "@hypecast/runtime/metrics.ts";

export const segmentsKept = counter("video_segments_total", "HLS segments that were kept");
export const bytesKept = counter("video_bytes_total", "Bytes of HLS segments that were kept", ["rendition"]);
export const gapsSaid = counter("video_gaps_total", "Stretches of video that are not kept, by why", [
  "reason",
]);
export const fetchSeconds = histogram(
  "video_fetch_seconds",
  "From asking for a file until it is here, by what it is",
  ["what"],
);
export const fetchFailures = counter("video_fetch_failures_total", "Fetches that failed, by what of", [
  "what",
]);
export const removedBytes = counter("video_removed_bytes_total", "Bytes of video that retention has removed");
export const behindSeconds = gauge(
  "video_behind_seconds",
  "How long ago the end of the newest segment was, of the channel that is furthest behind",
);
