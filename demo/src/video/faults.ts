/** What the stand-in does wrong on purpose, per channel. Numbers of segments are those of the `Broadcast`, whatever a playlist calls them. */

/** A segment's answer. `playlist`, `avi`: what once made players read local files (GAB2 in AVI, a playlist as a segment). */
export const SEGMENT_FAULTS = [
  "missing",
  "unavailable",
  "slow",
  "dribble",
  "truncated",
  "empty",
  "html",
  "playlist",
  "avi",
  "huge",
  "redirect-loop",
  "redirect-private",
] as const;
export type SegmentFault = (typeof SEGMENT_FAULTS)[number];

/** The media playlist's answer; `self-master` breaks the master playlist too. */
export const PLAYLIST_FAULTS = [
  "frozen",
  "missing",
  "unavailable",
  "slow",
  "empty",
  "html",
  "huge",
  "redirect-loop",
  "redirect-private",
  "no-pdt",
  "file-uri",
  "private-uri",
  "file-key",
  "private-key",
  "private-map",
  "negative-duration",
  "long-duration",
  "ten-thousand",
  "self-master",
] as const;
export type PlaylistFault = (typeof PLAYLIST_FAULTS)[number];

export type VideoFault =
  /** The next `count` segments to be published (or those from number `from`); `slowMs` for `slow`. */
  | {
      readonly fault: "segments";
      readonly mode: SegmentFault;
      readonly count?: number;
      readonly from?: number;
      readonly slowMs?: number;
    }
  | {
      readonly fault: "playlist";
      readonly mode: PlaylistFault;
      readonly forMs?: number;
      readonly slowMs?: number;
    }
  /** From the next segment on the wall clock of the playlist is off by `shiftMs`, behind a DISCONTINUITY. */
  | { readonly fault: "pdt-jump"; readonly shiftMs: number }
  /** The media sequence begins anew with the next segment; also after `end`. */
  | { readonly fault: "restart" }
  /** ENDLIST behind the newest segment. */
  | { readonly fault: "end" }
  | { readonly fault: "ok" };

export interface FaultState {
  segments: {
    readonly mode: SegmentFault;
    readonly from: number;
    readonly to: number;
    readonly slowMs: number;
  }[];
  playlist: {
    readonly mode: PlaylistFault;
    readonly sinceMs: number;
    readonly untilMs: number;
    readonly slowMs: number;
  } | null;
  jumps: { readonly from: number; readonly shiftMs: number }[];
  /** Number of the segment that has media sequence 0. */
  sequenceBase: number;
  endedAfter: number | null;
}
export const noVideoFaults = (): FaultState => ({
  segments: [],
  playlist: null,
  jumps: [],
  sequenceBase: 0,
  endedAfter: null,
});

const KEPT_FAULTS = 100;
/** `last`: the newest segment that is out. */
export function applyVideoFault(state: FaultState, fault: VideoFault, last: number, nowMs: number): void {
  switch (fault.fault) {
    case "segments": {
      const from = fault.from ?? last + 1;
      const to = from + (fault.count ?? 1);
      state.segments = [
        ...state.segments.slice(-KEPT_FAULTS),
        { mode: fault.mode, from, to, slowMs: fault.slowMs ?? 8_000 },
      ];
      return;
    }
    case "playlist":
      state.playlist = {
        mode: fault.mode,
        sinceMs: nowMs,
        untilMs: nowMs + (fault.forMs ?? 15_000),
        slowMs: fault.slowMs ?? 8_000,
      };
      return;
    case "pdt-jump":
      state.jumps = [...state.jumps.slice(-KEPT_FAULTS), { from: last + 1, shiftMs: fault.shiftMs }];
      return;
    case "restart":
      state.sequenceBase = last + 1;
      state.jumps = [];
      state.endedAfter = null;
      return;
    case "end":
      state.endedAfter = last;
      return;
    case "ok": {
      // A media sequence that has begun anew goes on: going back would be another restart.
      const { sequenceBase } = state;
      Object.assign(state, noVideoFaults(), { sequenceBase });
    }
  }
}

/** What a hostile playlist or segment points at. */
export const PRIVATE_ADDRESS = "http://169.254.169.254/latest/meta-data/";
export const LOCAL_FILE = "file:///etc/passwd";

export const hostilePlaylist = `#EXTM3U
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:0
#EXTINF:2.0,
concat:${PRIVATE_ADDRESS}|${LOCAL_FILE}
#EXTINF:2.0,
${LOCAL_FILE}
#EXT-X-ENDLIST
`;

/** A RIFF/AVI of a header and one GAB2 subtitle chunk whose text is a playlist of local files. */
export function hostileAvi(): Buffer {
  const chunk = (id: string, body: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.write(id, 0, "latin1");
    head.writeUInt32LE(body.length, 4);
    return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
  };
  const list = (kind: string, ...parts: Buffer[]): Buffer =>
    chunk("LIST", Buffer.concat([Buffer.from(kind, "latin1"), ...parts]));
  const main = Buffer.alloc(56);
  main.writeUInt32LE(40_000, 0);
  main.writeUInt32LE(1, 24);
  const stream = Buffer.alloc(56);
  stream.write("txts", 0, "latin1");
  stream.writeUInt32LE(1, 20);
  stream.writeUInt32LE(25, 24);
  const text = Buffer.from(hostilePlaylist);
  const gab2 = Buffer.alloc(17);
  gab2.write("GAB2\0", 0, "latin1");
  gab2.writeUInt16LE(2, 5);
  gab2.writeUInt32LE(0, 7);
  gab2.writeUInt16LE(4, 11);
  gab2.writeUInt32LE(text.length, 13);
  const body = Buffer.concat([
    Buffer.from("AVI ", "latin1"),
    list("hdrl", chunk("avih", main), list("strl", chunk("strh", stream), chunk("strf", Buffer.alloc(0)))),
    list("movi", chunk("00tx", Buffer.concat([gab2, text]))),
  ]);
  return chunk("RIFF", body);
}
