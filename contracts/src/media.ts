import type { ClipLayout } from "./clip.ts";

/** Addresses of pictures, segments and clips on the gateway: one spelling for whoever serves and whoever shows them. */

/** HLS playlist of everything that is kept of a channel, or of a span as a finished video. */
export const playlistPath = (login: string, span?: { fromMs: number; toMs: number }): string =>
  `/media/live/${login}/playlist.m3u8${span === undefined ? "" : `?from=${span.fromMs}&to=${span.toMs}`}`;
/** A small JPEG of what was on screen then. */
export const thumbAtPath = (login: string, atMs: number): string =>
  `/media/live/${login}/thumb.jpg?at=${Math.round(atMs)}`;
export const thumbPath = (channelId: string, epoch: number, seq: number): string =>
  `/media/thumb/${channelId}/${epoch}/${seq}.jpg`;
/** `file`: the last part of the segment's key in `objects`. */
export const segmentPath = (channelId: string, epoch: number, file: string): string =>
  `/media/segment/${channelId}/${epoch}/${file}`;

/** A layout in a file's name: `16x9`, `9x16`, `9x16-stacked`. */
export const layoutName = (layout: ClipLayout): string => layout.replace(":", "x");
/** With `download` the browser keeps it under the clip's title. */
export const clipPath = (id: string, layout: ClipLayout, download = false): string =>
  `/media/clip/${id}/${layoutName(layout)}.mp4${download ? "?download=1" : ""}`;
export const clipThumbPath = (id: string): string => `/media/clip/${id}/thumb.jpg`;
/** The public page of a shared clip, and its files. */
export const sharePath = (token: string): string => `/c/${token}`;
export const sharedFilePath = (token: string, layout: ClipLayout): string =>
  `/c/${token}/${layoutName(layout)}.mp4`;
export const sharedThumbPath = (token: string): string => `/c/${token}/thumb.jpg`;
