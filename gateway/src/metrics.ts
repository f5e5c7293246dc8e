import { counter, gauge, histogram } from "@hypecast/runtime/metrics.ts";

/** What the gateway measures of itself; `/metrics` (exposition.ts) joins them with everybody else's. */
export const requests = histogram(
  "gateway_request_seconds",
  "Time to answer an HTTP request, by route and status class.",
  ["route", "status"],
);
export const dropped = counter(
  "gateway_dropped_total",
  "Messages from the bus that could not be shown, by why.",
  ["reason"],
);
export const liveAge = histogram(
  "gateway_line_age_seconds",
  "Age of the newest chat line (since it left the source's socket) when its tick is given to the websockets.",
);
export const push = {
  sockets: gauge("gateway_sockets", "Open websockets."),
  behind: gauge("gateway_sockets_behind", "Open websockets that are waiting for their buffer to empty."),
  groups: gauge("gateway_push_groups", "Distinct sets of topics in use."),
  topics: gauge("gateway_push_topics", "Topics remembered."),
  frames: counter("gateway_push_frames_total", "Frames written to websockets."),
  values: counter("gateway_push_values_total", "Values published on topics."),
  slow: counter("gateway_push_slow_total", "Times a websocket fell behind."),
  closedSlow: counter("gateway_push_closed_slow_total", "Websockets closed because they stayed behind."),
  tick: histogram("gateway_push_tick_seconds", "Time that a tick takes."),
} as const;
export const media = {
  streams: gauge("gateway_media_streams", "Files that are being sent."),
  bytes: counter("gateway_media_bytes_total", "Bytes of files read to be sent, by what they are.", ["kind"]),
  failed: counter("gateway_media_failed_total", "Files that could not be read: the store of files is away."),
  refused: counter("gateway_media_refused_total", "Files not sent because too many were being sent."),
} as const;
export const uploadBytes = counter("gateway_upload_bytes_total", "Bytes of uploads that were stored.");
export const signIns = counter(
  "gateway_sign_ins_total",
  "Sign-ins, sign-outs and what was refused, by why.",
  ["act", "reason"],
);
export const followers = gauge("gateway_events_open", "Connections that read server-sent events.");
export const deliveries = counter(
  "gateway_webhook_deliveries_total",
  "Tries to tell a webhook, by how they ended: delivered, failed, given_up.",
  ["result"],
);
export const emotes = counter("gateway_emotes_total", "Emote images answered, by where they came from.", [
  "from",
]);
