import type { Rendition, VideoSegment } from "@hypecast/contracts/video.ts";
import { segmentPath } from "@hypecast/contracts/media.ts";

/**
 * HLS playlists (RFC 8216) of what is kept. A segment's place, its number and how many discontinuities stand before it, is given when it
 * is appended and never changes, so a player that reloads sees the same segments under the same numbers while old ones leave.
 */
export interface Listed {
  readonly segment: VideoSegment;
  readonly source: Rendition;
  /** EXT-X-MEDIA-SEQUENCE if it stood first. */
  readonly sequence: number;
  /** EXT-X-DISCONTINUITY-SEQUENCE if it stood first: counts up where its timestamps do not go on from the one before. */
  readonly discontinuity: number;
  /** Its own two lines: they are the same in every playlist, and a player asks for thousands of them every two seconds. */
  readonly lines: string;
}

export interface Timeline {
  listed: Listed[];
  /** EXT-X-TARGETDURATION: no listed segment is longer; never falls, since a player may count on it. */
  targetS: number;
  /** The newest segments that came, so that one that comes twice is one. */
  readonly newestIds: string[];
}

export const emptyTimeline = (): Timeline => ({ listed: [], targetS: 1, newestIds: [] });
const REMEMBERED_IDS = 64;
/** Segments that lie further apart have something missing between them. Playlists round times to milliseconds or worse. */
const TOUCH_MS = 500;

/** Puts a segment behind the others. One without its source rendition, or one that is there already, changes nothing. */
export function append(timeline: Timeline, segment: VideoSegment): boolean {
  const { listed, newestIds } = timeline;
  const { source } = segment;
  if (source === null || segment.durationMs <= 0 || newestIds.includes(segment.id)) return false;
  newestIds.push(segment.id);
  if (newestIds.length > REMEMBERED_IDS) newestIds.shift();
  const last = listed.at(-1);
  listed.push({
    segment,
    source,
    // The source's own number to begin with: a gateway that starts anew counts as before unless something is missing.
    sequence: last === undefined ? segment.seq : last.sequence + 1,
    discontinuity: (last?.discontinuity ?? 0) + (last !== undefined && breaks(last, segment, source) ? 1 : 0),
    lines: `#EXTINF:${(segment.durationMs / 1000).toFixed(3)},\n${addressOf(segment, source.key)}`,
  });
  timeline.targetS = Math.max(timeline.targetS, Math.round(segment.durationMs / 1000));
  return true;
}

function breaks(last: Listed, segment: VideoSegment, source: Rendition): boolean {
  const { segment: before } = last;
  return (
    segment.discontinuity ||
    segment.epoch !== before.epoch ||
    segment.seq !== before.seq + 1 ||
    Math.abs(segment.startMs - (before.startMs + before.durationMs)) > TOUCH_MS ||
    source.container !== last.source.container ||
    source.height !== last.source.height
  );
}

/** Forgets what is no longer kept: segments that began before `oldestMs`, from the front. */
export function trim(timeline: Timeline, oldestMs: number): void {
  let gone = 0;
  while ((timeline.listed[gone]?.segment.startMs ?? oldestMs) < oldestMs) gone++;
  if (gone > 0) timeline.listed = timeline.listed.slice(gone);
}

/**
 * The playlist of everything, which a player loads again and again until the stream has ended. Of an imported stream nothing ever leaves it:
 * it grows while the import goes on, and then is that of a finished video.
 */
export function livePlaylist({ listed, targetS }: Timeline, ended: boolean, imported = false): string {
  const lines = head(listed, targetS);
  if (imported) lines.push(`#EXT-X-PLAYLIST-TYPE:${ended ? "VOD" : "EVENT"}`);
  lines.push(...bodyOf(listed));
  if (ended) lines.push("#EXT-X-ENDLIST");
  return `${lines.join("\n")}\n`;
}

/** A span as a finished video that begins where the span does. Null: nothing of it is kept. */
export function spanPlaylist({ listed, targetS }: Timeline, fromMs: number, toMs: number): string | null {
  const inside = listed.filter(
    ({ segment }) => segment.startMs < toMs && segment.startMs + segment.durationMs > fromMs,
  );
  const first = inside[0];
  if (first === undefined) return null;
  const offsetS = Math.max(0, fromMs - first.segment.startMs) / 1000;
  const lines = head(inside, targetS);
  lines.push("#EXT-X-PLAYLIST-TYPE:VOD", `#EXT-X-START:TIME-OFFSET=${offsetS.toFixed(3)},PRECISE=YES`);
  lines.push(...bodyOf(inside), "#EXT-X-ENDLIST");
  return `${lines.join("\n")}\n`;
}

function head(listed: readonly Listed[], targetS: number): string[] {
  const first = listed[0];
  return [
    "#EXTM3U",
    "#EXT-X-VERSION:6",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    `#EXT-X-TARGETDURATION:${targetS}`,
    `#EXT-X-MEDIA-SEQUENCE:${first?.sequence ?? 0}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${first?.discontinuity ?? 0}`,
  ];
}

function* bodyOf(listed: readonly Listed[]): Generator<string> {
  let before: Listed | undefined;
  for (const one of listed) {
    const { segment, source } = one;
    const isBreak = before !== undefined && before.discontinuity !== one.discontinuity;
    if (isBreak) yield "#EXT-X-DISCONTINUITY";
    if (source.init !== null && (isBreak || before?.source.init?.key !== source.init.key))
      yield `#EXT-X-MAP:URI="${addressOf(segment, source.init.key)}"`;
    if (before === undefined || isBreak)
      yield `#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.startMs).toISOString()}`;
    yield one.lines;
    before = one;
  }
}

const addressOf = ({ channelId, epoch }: VideoSegment, key: string): string =>
  segmentPath(channelId, epoch, key.slice(key.lastIndexOf("/") + 1));
