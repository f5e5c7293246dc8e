import type { VideoCode } from "@hypecast/contracts/video.ts";
import { Parser } from "m3u8-parser";

/** What an address, a playlist or a file may not be, in a sentence for people; trying again soon will not change that. */
export class Refused extends Error {
  readonly code: VideoCode;
  constructor(message: string, code: VideoCode = "bad_stream") {
    super(message);
    this.code = code;
  }
}

export interface Part {
  readonly url: string;
  /** Bytes of the file, both inclusive; null: all of it. */
  readonly range: { readonly from: number; readonly to: number } | null;
  /** AES-128; null: in clear. */
  readonly key: { readonly url: string; readonly iv: Uint8Array } | null;
}

export interface Listed extends Part {
  readonly seq: number;
  /** As EXTINF says, not rounded. */
  readonly durationMs: number;
  /** EXT-X-PROGRAM-DATE-TIME, interpolated where this segment has none of its own; null: the playlist has none. */
  readonly pdtMs: number | null;
  readonly discontinuity: boolean;
  readonly ad: boolean;
  /** EXT-X-GAP: the server says that it has no file. */
  readonly absent: boolean;
  /** EXT-X-MAP: the file is fragmented MP4. */
  readonly init: Part | null;
}

export interface MediaPlaylist {
  readonly kind: "media";
  readonly targetMs: number;
  readonly ended: boolean;
  readonly segments: readonly Listed[];
}

export interface Variant {
  readonly url: string;
  readonly width: number;
  readonly height: number;
  readonly bandwidth: number;
  /** Its sound is another playlist, which is not read. */
  readonly soundApart: boolean;
}

export interface MasterPlaylist {
  readonly kind: "master";
  readonly variants: readonly Variant[];
}

export const PLAYLIST_BYTES = 2 * 1024 * 1024;
const MOST_SEGMENTS = 3000;
const MOST_VARIANTS = 50;
const LONGEST_SEGMENT_S = 60;
const USUAL_SEGMENT_S = 2;

/**
 * An HLS playlist (RFC 8216) as we use it, with absolute addresses. Throws `Refused` with a sentence for what is no playlist, or one that we
 * do not follow.
 */
export function readPlaylist(
  text: string,
  url: string,
  mostSegments = MOST_SEGMENTS,
): MediaPlaylist | MasterPlaylist {
  if (!/^\uFEFF?#EXTM3U(?:\s|$)/.test(text))
    throw new Refused(
      "the address answers with something that is no HLS playlist (it does not begin with #EXTM3U)",
    );
  const count = text.match(/^#EXTINF/gm)?.length ?? 0;
  if (count > mostSegments)
    throw new Refused(`the playlist lists ${count} segments, more than ${mostSegments}`);
  if ((text.match(/^#EXT-X-STREAM-INF/gm)?.length ?? 0) > MOST_VARIANTS)
    throw new Refused(`the playlist offers more than ${MOST_VARIANTS} renditions`);
  if (/^#EXTINF:\s*-/m.test(text)) throw new Refused("the playlist has a segment of negative duration");
  for (const [tag] of text.matchAll(/^#EXT-X-(?:SESSION-)?KEY:.*$/gm)) refuseProtection(tag);

  const parser = new Parser({ uri: url });
  parser.addParser({ expression: /^#EXT-X-GAP/, customType: "absent", segment: true });
  parser.push(text);
  parser.end();
  const { manifest } = parser;
  if (manifest.playlists !== undefined && manifest.playlists.length > 0)
    return { kind: "master", variants: variantsOf(manifest, url) };

  const ads = manifest.dateRanges.filter(
    (range) => range.class === "twitch-stitched-ad" || range.id?.startsWith("stitched-ad-"),
  );
  const isAd = (pdtMs: number | null, title: string): boolean =>
    title.startsWith("Amazon") ||
    (pdtMs !== null &&
      ads.some(({ startDate, endDate, duration = 0 }) => {
        const fromMs = startDate?.getTime() ?? NaN;
        const toMs = endDate?.getTime() ?? fromMs + duration * 1000;
        // Both ends are rounded by the server.
        return pdtMs >= fromMs - 1 && pdtMs < toMs - 1;
      }));
  const targetS = orUsual(manifest.targetDuration);
  const first = manifest.mediaSequence ?? 0;
  if (!Number.isSafeInteger(first) || first < 0 || first > 2 ** 48)
    throw new Refused(`the playlist's media sequence ${first} is out of all reason`);
  return {
    kind: "media",
    targetMs: targetS * 1000,
    ended: manifest.endList === true,
    segments: manifest.segments.map((segment, i) => {
      const seq = first + i;
      const durationS = segment.duration ?? targetS;
      if (!(durationS > 0 && durationS <= LONGEST_SEGMENT_S))
        throw new Refused(
          `segment ${seq} lasts ${durationS} s by the playlist; up to ${LONGEST_SEGMENT_S} s are kept`,
        );
      const pdt = segment.programDateTime;
      const pdtMs = pdt !== undefined && Number.isFinite(pdt) ? pdt : null;
      const { map } = segment;
      return {
        seq,
        ...partOf(segment, seq, url),
        durationMs: durationS * 1000,
        pdtMs,
        discontinuity: segment.discontinuity === true,
        ad: isAd(pdtMs, segment.title ?? ""),
        absent: segment.custom?.["absent"] !== undefined,
        init: map?.uri === undefined ? null : partOf({ ...map, uri: map.uri }, seq, url),
      };
    }),
  };
}

const orUsual = (durationS: number | undefined): number =>
  durationS !== undefined && durationS > 0 && durationS <= LONGEST_SEGMENT_S ? durationS : USUAL_SEGMENT_S;

function refuseProtection(tag: string): void {
  const method = /METHOD=([A-Z0-9-]+)/.exec(tag)?.[1] ?? "AES-128";
  if (method !== "NONE" && method !== "AES-128")
    throw new Refused(
      `the stream is protected (${method}); only clear and AES-128 streams can be kept`,
      "protected",
    );
  const format = /KEYFORMAT="([^"]*)"/.exec(tag)?.[1] ?? "identity";
  if (format !== "identity")
    throw new Refused(`the stream's keys are of a protection system (${format.slice(0, 60)})`, "protected");
}

function partOf(
  part: {
    uri: string;
    byterange?: { offset: number; length: number };
    key?: { uri: string; iv?: Uint32Array };
  },
  seq: number,
  base: string,
): Part {
  const { byterange, key } = part;
  const range =
    byterange === undefined ? null : { from: byterange.offset, to: byterange.offset + byterange.length - 1 };
  if (range !== null && !(range.from >= 0 && range.to >= range.from))
    throw new Refused(`segment ${seq} has a byte range that is none`);
  return {
    url: absolute(part.uri, base),
    range,
    key: key === undefined ? null : { url: absolute(key.uri, base), iv: ivOf(key.iv, seq) },
  };
}

/** As given, or the media sequence number, big-endian (RFC 8216, 5.2). */
function ivOf(given: Uint32Array | undefined, seq: number): Uint8Array {
  const iv = Buffer.alloc(16);
  if (given === undefined) iv.writeBigUInt64BE(BigInt(seq), 8);
  else for (const [i, word] of given.entries()) iv.writeUInt32BE(word, i * 4);
  return iv;
}

function absolute(uri: string, base: string): string {
  if (!URL.canParse(uri, base))
    throw new Refused(`the playlist names an address that is none: ${uri.slice(0, 100)}`);
  return new URL(uri, base).href;
}

function variantsOf(manifest: Parser["manifest"], url: string): Variant[] {
  return (manifest.playlists ?? []).map(({ uri, attributes = {} }) => {
    const group = Object.values(manifest.mediaGroups?.AUDIO[attributes.AUDIO ?? ""] ?? {});
    return {
      url: absolute(uri, url),
      width: attributes.RESOLUTION?.width ?? 0,
      height: attributes.RESOLUTION?.height ?? 0,
      bandwidth: attributes.BANDWIDTH ?? 0,
      soundApart: group.some((one) => one.uri !== undefined),
    };
  });
}

/**
 * The smallest rendition for measuring and the best up to `mostHeight` lines for keeping. Those without a size are of sound alone where others
 * have one; sound inside the file is preferred to sound in another one.
 */
export function chooseRenditions(
  variants: readonly Variant[],
  mostHeight: number,
): { analysis: Variant; source: Variant } {
  const seen = variants.some(({ height }) => height > 0)
    ? variants.filter(({ height }) => height > 0)
    : variants;
  const whole = seen.some(({ soundApart }) => !soundApart)
    ? seen.filter(({ soundApart }) => !soundApart)
    : seen;
  const bySize = whole.toSorted((a, b) => a.height - b.height || a.bandwidth - b.bandwidth);
  const analysis = bySize[0];
  if (analysis === undefined) throw new Refused("the playlist offers no picture");
  return { analysis, source: bySize.findLast(({ height }) => height <= mostHeight) ?? analysis };
}
