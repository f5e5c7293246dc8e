/**
 * HLS playlists as text: RFC 8216 (sections 4.3 and 6.2), and the tags that Twitch adds to them as its open-source players
 * read them (streamlink's plugin, twitch-hls-client). Written without our client in view.
 */
export interface Rendition {
  /** Its part of the address: `480`, `1080`. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** Bits a second, as BANDWIDTH. */
  readonly bandwidth: number;
  /** RFC 6381, as `avc1.42C01E,mp4a.40.2`. */
  readonly codecs: string;
}

export interface PlaylistSegment {
  readonly uri: string;
  /** Wall clock of its first frame; null: no PROGRAM-DATE-TIME is written. */
  readonly startMs: number | null;
  readonly durationMs: number;
  /** Its timestamps do not go on where those of the one before end. */
  readonly discontinuity: boolean;
  /** After the duration in EXTINF: `live`, or who sends the ad. */
  readonly title: string;
  /** A new EXT-X-MAP or EXT-X-KEY from this segment on, as a whole line. */
  readonly headers?: readonly string[];
}

/** One spot of a stitched ad break. */
export interface AdSpot {
  readonly id: string;
  readonly startMs: number;
  readonly durationMs: number;
  /** Which of how many in its break, from 0. */
  readonly position: number;
  readonly of: number;
}

export interface MediaPlaylist {
  readonly targetS: number;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly segments: readonly PlaylistSegment[];
  readonly ended: boolean;
  /** What only Twitch writes; null: a plain HLS server. */
  readonly twitch: {
    readonly startedMs: number;
    readonly nowMs: number;
    readonly ads: readonly AdSpot[];
    /** Addresses of segments that are still being made. */
    readonly prefetch: readonly string[];
  } | null;
}

const iso = (ms: number): string => new Date(ms).toISOString();
const seconds = (ms: number): string => (ms / 1000).toFixed(3);

export function masterPlaylist(renditions: readonly Rendition[], twitch: { login: string } | null): string {
  const lines = ["#EXTM3U"];
  if (twitch !== null)
    lines.push(
      `#EXT-X-TWITCH-INFO:NODE="demo",MANIFEST-NODE-TYPE="weaver_cluster",CLUSTER="demo",SUPPRESS="false",STREAM-TIME="0.0",BROADCAST-ID="1",CHANNEL="${twitch.login}"`,
    );
  for (const [i, { name, width, height, fps, bandwidth, codecs }] of renditions.entries()) {
    const group = i === 0 ? "chunked" : `${height}p${Math.round(fps)}`;
    if (twitch !== null)
      lines.push(
        `#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="${group}",NAME="${height}p${i === 0 ? " (source)" : ""}",AUTOSELECT=YES,DEFAULT=YES`,
      );
    lines.push(
      `#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth},RESOLUTION=${width}x${height},CODECS="${codecs}"${twitch === null ? "" : `,VIDEO="${group}"`},FRAME-RATE=${fps.toFixed(3)}`,
      `${name}/index.m3u8`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** Twitch names the source of the picture with a DATERANGE; streamlink and others find ads by CLASS. */
function twitchRanges({ ads, startedMs }: NonNullable<MediaPlaylist["twitch"]>): string[] {
  const source = (startMs: number, from: string): string =>
    `#EXT-X-DATERANGE:ID="source-${Math.floor(startMs / 1000)}",CLASS="twitch-stream-source",START-DATE="${iso(startMs)}",END-ON-NEXT=YES,X-TV-TWITCH-STREAM-SOURCE="${from}"`;
  return [
    `#EXT-X-DATERANGE:ID="playlist-session-${Math.floor(startedMs / 1000)}",CLASS="twitch-session",START-DATE="${iso(startedMs)}",END-ON-NEXT=YES,X-TV-TWITCH-SESSIONID="demo"`,
    ...(ads.length === 0
      ? [source(startedMs, "live")]
      : ads.flatMap(({ id, startMs, durationMs, position, of }) => [
          ...(position === 0 ? [source(startMs, "Amazon")] : []),
          `#EXT-X-DATERANGE:ID="stitched-ad-${id}",CLASS="twitch-stitched-ad",START-DATE="${iso(startMs)}",DURATION=${seconds(durationMs)},X-TV-TWITCH-AD-ROLL-TYPE="MIDROLL",X-TV-TWITCH-AD-POD-LENGTH="${of}",X-TV-TWITCH-AD-POD-POSITION="${position}",X-TV-TWITCH-AD-COMMERCIAL-ID="demo-${id}",X-TV-TWITCH-AD-LOUDNESS="-23.0"`,
        ])),
  ];
}

export function mediaPlaylist(list: MediaPlaylist): string {
  const { twitch, segments } = list;
  const lines = [
    "#EXTM3U",
    "#EXT-X-VERSION:6",
    `#EXT-X-TARGETDURATION:${list.targetS}`,
    `#EXT-X-MEDIA-SEQUENCE:${list.mediaSequence}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${list.discontinuitySequence}`,
  ];
  const first = segments[0]?.startMs ?? null;
  if (twitch !== null && first !== null)
    lines.push(
      `#EXT-X-TWITCH-LIVE-SEQUENCE:${list.mediaSequence}`,
      `#EXT-X-TWITCH-ELAPSED-SECS:${seconds(first - twitch.startedMs)}`,
      `#EXT-X-TWITCH-TOTAL-SECS:${seconds(twitch.nowMs - twitch.startedMs)}`,
      ...twitchRanges(twitch),
    );
  for (const segment of segments) {
    if (segment.discontinuity) lines.push("#EXT-X-DISCONTINUITY");
    lines.push(...(segment.headers ?? []));
    if (segment.startMs !== null) lines.push(`#EXT-X-PROGRAM-DATE-TIME:${iso(segment.startMs)}`);
    lines.push(`#EXTINF:${seconds(segment.durationMs)},${segment.title}`, segment.uri);
  }
  for (const uri of twitch?.prefetch ?? []) lines.push(`#EXT-X-TWITCH-PREFETCH:${uri}`);
  if (list.ended) lines.push("#EXT-X-ENDLIST");
  return `${lines.join("\n")}\n`;
}
