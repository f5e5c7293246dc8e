/** The part of m3u8-parser 7 that is used; it comes without types. */
declare module "m3u8-parser" {
  interface ByteRange {
    length: number;
    offset: number;
  }
  interface Key {
    method: string;
    uri: string;
    iv?: Uint32Array;
  }
  interface Segment {
    uri: string;
    duration?: number;
    title?: string;
    discontinuity?: boolean;
    /** Milliseconds; interpolated where the segment has no tag of its own. */
    programDateTime?: number;
    byterange?: ByteRange;
    map?: { uri?: string; byterange?: ByteRange; key?: Key };
    key?: Key;
    custom?: Record<string, unknown>;
  }
  interface Manifest {
    targetDuration?: number;
    mediaSequence?: number;
    discontinuitySequence?: number;
    endList?: boolean;
    segments: Segment[];
    playlists?: {
      uri: string;
      attributes?: {
        BANDWIDTH?: number;
        CODECS?: string;
        AUDIO?: string;
        RESOLUTION?: { width: number; height: number };
      };
    }[];
    mediaGroups?: { AUDIO: Record<string, Record<string, { uri?: string }>> };
    dateRanges: { id?: string; class?: string; startDate?: Date; endDate?: Date; duration?: number }[];
  }
  export class Parser {
    manifest: Manifest;
    constructor(options?: { uri?: string });
    addParser(options: { expression: RegExp; customType: string; segment?: boolean }): void;
    push(text: string): void;
    end(): void;
  }
}
