/** Closed lists and limits of clips, without schemas: pages import them and stay light. */
export const CLIP_LAYOUTS = ["16:9", "9:16", "9:16-stacked"] as const;
export type ClipLayout = (typeof CLIP_LAYOUTS)[number];
export const CHAT_POSITIONS = ["left", "right", "bottom"] as const;

/** `chat`: no picture of the stream; its chat as it was written, on a ground with the curve of its mood. */
export const CLIP_PICTURES = ["video", "chat"] as const;
export type ClipPicture = (typeof CLIP_PICTURES)[number];

export const SHORTEST_CLIP_MS = 1000;
export const LONGEST_CLIP_MS = 10 * 60_000;
/** Of a film: all parts together, and how many. */
export const LONGEST_FILM_MS = 20 * 60_000;
export const MOST_PARTS = 30;

export const CLIP_STATES = ["queued", "running", "ready", "failed", "cancelled"] as const;
export const CLIP_STAGES = ["segments", "chat", "render", "finish"] as const;
