import type { Clip } from "@hypecast/contracts/clip.ts";

/** A stretch of a stream, in the stream's clock. */
export interface Span {
  startMs: number;
  endMs: number;
}

/** HLS of everything that is kept of a channel, or of a span of it. */
export function livePlaylist(login: string, span: Span | null = null): string {
  const address = `/media/live/${encodeURIComponent(login)}/playlist.m3u8`;
  return span === null ? address : `${address}?from=${Math.round(span.startMs)}&to=${Math.round(span.endMs)}`;
}

/** A small picture of the stream at a time. */
export const thumbAddress = (login: string, atMs: number): string =>
  `/media/thumb/${encodeURIComponent(login)}/${Math.round(atMs)}.jpg`;
