import { NotMedia } from "./frame-source.ts";
import type { Streams, Unit } from "./streams.ts";

/**
 * Fragmented MP4 (ISO/IEC 14496-12) to the same access units as a transport stream's: Annex B video, ADTS sound. Only what lies in the
 * bytes at hand: references to other files are not looked at.
 */

interface Track {
  id: number;
  timescale: number;
  /** From the edit list, in the track's own time. */
  shownFrom: number;
  video: { codec: "h264" | "hevc"; lengthBytes: number; parameters: Buffer } | null;
  aac: { objectType: number; frequencyIndex: number; channels: number } | null;
  isSound: boolean;
  defaults: { duration: number; size: number; flags: number };
}

const START_CODE = Buffer.from([0, 0, 0, 1]);
const IS_NO_SYNC_SAMPLE = 0x10000;

/** Throws NotMedia when the initialisation section or the fragments are none. */
export function demuxFmp4(init: Buffer | null, bytes: Buffer): Streams {
  const moov = boxes(init ?? bytes).find(({ type }) => type === "moov");
  if (moov === undefined) throw new NotMedia("no initialisation section (moov) for an fMP4 segment");
  const tracks = tracksOf(moov.body);
  const units = new Map<number, Unit[]>(tracks.map(({ id }) => [id, []]));
  for (const { type, body, at } of boxes(bytes))
    if (type === "moof") readFragment(body, at, bytes, tracks, units);
  const filled = tracks.filter(({ id }) => units.get(id)!.length > 0);
  if (filled.length === 0) throw new NotMedia("no fragment of fMP4 with a sample in it");
  const video = filled.find((track) => track.video !== null);
  const sound = filled.filter((track) => track.isSound);
  const aac = sound.find((track) => track.aac !== null);
  return {
    video: video === undefined ? null : { codec: video.video!.codec, units: units.get(video.id)! },
    audio: aac === undefined ? null : { codec: "aac", units: units.get(aac.id)! },
    audioTracks: sound.length,
  };
}

interface Box {
  type: string;
  body: Buffer;
  /** Where the box itself begins. */
  at: number;
}

function boxes(bytes: Buffer): Box[] {
  const found: Box[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    let size = bytes.readUInt32BE(at);
    let head = 8;
    if (size === 1 && at + 16 <= bytes.length) {
      size = Number(bytes.readBigUInt64BE(at + 8));
      head = 16;
    } else if (size === 0) size = bytes.length - at;
    if (size < head) break;
    // A box that is cut off is read as far as it goes.
    const end = Math.min(bytes.length, at + size);
    found.push({ type: bytes.toString("latin1", at + 4, at + 8), body: bytes.subarray(at + head, end), at });
    at += size;
  }
  return found;
}

const inside = (body: Buffer, ...path: string[]): Buffer | null =>
  path.reduce<Buffer | null>(
    (within, type) =>
      within === null ? null : (boxes(within).find((box) => box.type === type)?.body ?? null),
    body,
  );

function tracksOf(moov: Buffer): Track[] {
  const tracks: Track[] = [];
  const defaults = new Map<number, Track["defaults"]>();
  const movie = inside(moov, "mvhd");
  const movieTimescale =
    movie === null || movie.length < 24 ? 0 : movie.readUInt32BE(movie[0] === 1 ? 20 : 12);
  for (const { type, body } of boxes(inside(moov, "mvex") ?? Buffer.alloc(0)))
    if (type === "trex" && body.length >= 24)
      defaults.set(body.readUInt32BE(4), {
        duration: body.readUInt32BE(12),
        size: body.readUInt32BE(16),
        flags: body.readUInt32BE(20),
      });
  for (const { type, body } of boxes(moov)) {
    if (type !== "trak") continue;
    const header = inside(body, "tkhd");
    const media = inside(body, "mdia", "mdhd");
    const kind = inside(body, "mdia", "hdlr")?.toString("latin1", 8, 12);
    const description = inside(body, "mdia", "minf", "stbl", "stsd");
    if (header === null || media === null || description === null || header.length < 24) continue;
    const id = header.readUInt32BE(header[0] === 1 ? 20 : 12);
    const timescale = media.readUInt32BE(media[0] === 1 ? 20 : 12);
    const entry = boxes(description.subarray(8))[0];
    if (entry === undefined || timescale === 0) continue;
    tracks.push({
      id,
      timescale,
      shownFrom: shownFrom(inside(body, "edts", "elst"), movieTimescale, timescale),
      video: kind === "vide" ? videoOf(entry) : null,
      aac: kind === "soun" ? aacOf(entry) : null,
      isSound: kind === "soun",
      defaults: defaults.get(id) ?? { duration: 0, size: 0, flags: 0 },
    });
  }
  return tracks;
}

/** What the edit list takes off a track's times, in the track's own units: the start of its media, less an empty stretch in front of it. */
function shownFrom(list: Buffer | null, movieTimescale: number, timescale: number): number {
  if (list === null || list.length < 8) return 0;
  const wide = list[0] === 1;
  const entry = wide ? 20 : 12;
  let empty = 0;
  for (let i = 0, at = 8; i < list.readUInt32BE(4) && at + entry <= list.length; i++, at += entry) {
    const time = wide ? Number(list.readBigInt64BE(at + 8)) : list.readInt32BE(at + 4);
    if (time >= 0) return time - empty;
    const duration = wide ? Number(list.readBigUInt64BE(at)) : list.readUInt32BE(at);
    empty += movieTimescale === 0 ? 0 : (duration * timescale) / movieTimescale;
  }
  return -empty;
}

/** Fields of a visual sample entry before the boxes in it, and of an audio one. */
const VISUAL_ENTRY = 78;
const AUDIO_ENTRY = 28;

function videoOf(entry: Box): Track["video"] {
  const within = entry.body.subarray(VISUAL_ENTRY);
  const avc = inside(within, "avcC");
  if (avc !== null && avc.length > 6) {
    const parts: Buffer[] = [];
    let at = 5;
    for (const mask of [0x1f, 0xff]) {
      const count = (avc[at++] ?? 0) & mask;
      for (let i = 0; i < count && at + 2 <= avc.length; i++) {
        const length = avc.readUInt16BE(at);
        parts.push(START_CODE, avc.subarray(at + 2, at + 2 + length));
        at += 2 + length;
      }
    }
    return { codec: "h264", lengthBytes: (avc[4]! & 3) + 1, parameters: Buffer.concat(parts) };
  }
  const hevc = inside(within, "hvcC");
  if (hevc !== null && hevc.length > 23) {
    const parts: Buffer[] = [];
    let at = 23;
    for (let array = 0; array < hevc[22]! && at + 3 <= hevc.length; array++) {
      const count = hevc.readUInt16BE(at + 1);
      at += 3;
      for (let i = 0; i < count && at + 2 <= hevc.length; i++) {
        const length = hevc.readUInt16BE(at);
        parts.push(START_CODE, hevc.subarray(at + 2, at + 2 + length));
        at += 2 + length;
      }
    }
    return { codec: "hevc", lengthBytes: (hevc[21]! & 3) + 1, parameters: Buffer.concat(parts) };
  }
  return null;
}

/** AudioSpecificConfig (ISO/IEC 14496-3) out of the descriptors of `esds`. */
function aacOf(entry: Box): Track["aac"] {
  if (entry.type !== "mp4a") return null;
  const esds = inside(entry.body.subarray(AUDIO_ENTRY), "esds");
  if (esds === null) return null;
  // The decoder-specific descriptor: tag 5 with its length in one to four bytes.
  for (let at = 4; at + 4 < esds.length; at++) {
    if (esds[at] !== 0x05) continue;
    let body = at + 1;
    while (body < at + 4 && esds[body]! & 0x80) body++;
    const [first, second] = [esds[body + 1], esds[body + 2]];
    if (first === undefined || second === undefined) continue;
    const objectType = first >> 3;
    const frequencyIndex = ((first & 7) << 1) | (second >> 7);
    const channels = (second >> 3) & 0x0f;
    if (frequencyIndex < 13 && channels >= 1 && channels <= 7)
      // ADTS has room for the first four; high-efficiency AAC says so again inside of its frames.
      return { objectType: objectType >= 1 && objectType <= 4 ? objectType : 2, frequencyIndex, channels };
  }
  return null;
}

function readFragment(
  moof: Buffer,
  moofAt: number,
  file: Buffer,
  tracks: Track[],
  units: Map<number, Unit[]>,
): void {
  for (const { type, body } of boxes(moof)) {
    if (type !== "traf") continue;
    const head = inside(body, "tfhd");
    const track =
      head === null || head.length < 8 ? undefined : tracks.find(({ id }) => id === head.readUInt32BE(4));
    if (head === null || track === undefined) continue;
    const flags = head.readUInt32BE(0) & 0xffffff;
    let at = 8;
    const field = (bit: number, bytes: number): number | null => {
      if (!(flags & bit) || at + bytes > head.length) return null;
      const value = bytes === 8 ? Number(head.readBigUInt64BE(at)) : head.readUInt32BE(at);
      at += bytes;
      return value;
    };
    const base = field(0x1, 8) ?? moofAt;
    field(0x2, 4);
    const duration = field(0x8, 4) ?? track.defaults.duration;
    const size = field(0x10, 4) ?? track.defaults.size;
    const sampleFlags = field(0x20, 4) ?? track.defaults.flags;
    const decodeTime = inside(body, "tfdt");
    let time =
      decodeTime === null || decodeTime.length < 8
        ? 0
        : decodeTime[0] === 1 && decodeTime.length >= 12
          ? Number(decodeTime.readBigUInt64BE(4))
          : decodeTime.readUInt32BE(4);
    let from = base;
    for (const run of boxes(body)) {
      if (run.type !== "trun") continue;
      const next = readRun(
        run.body,
        { base, from, time, duration, size, flags: sampleFlags },
        file,
        track,
        units.get(track.id)!,
      );
      ({ from, time } = next);
    }
  }
}

function readRun(
  run: Buffer,
  start: { base: number; from: number; time: number; duration: number; size: number; flags: number },
  file: Buffer,
  track: Track,
  units: Unit[],
): { from: number; time: number } {
  let { from, time } = start;
  if (run.length < 8) return { from, time };
  const flags = run.readUInt32BE(0) & 0xffffff;
  const count = run.readUInt32BE(4);
  let at = 8;
  if (flags & 0x1 && at + 4 <= run.length) {
    from = start.base + run.readInt32BE(at);
    at += 4;
  }
  let firstFlags: number | null = null;
  if (flags & 0x4 && at + 4 <= run.length) {
    firstFlags = run.readUInt32BE(at);
    at += 4;
  }
  const entry = [0x100, 0x200, 0x400, 0x800].filter((bit) => flags & bit).length * 4;
  for (let i = 0; i < count && at + entry <= run.length; i++) {
    const next = (bit: number): number | null => {
      if (!(flags & bit)) return null;
      at += 4;
      return run.readUInt32BE(at - 4);
    };
    const duration = next(0x100) ?? start.duration;
    const size = next(0x200) ?? start.size;
    const sampleFlags = next(0x400) ?? (i === 0 ? firstFlags : null) ?? start.flags;
    const offset = (next(0x800) ?? 0) | 0;
    // What was cut off ends here: later samples lie behind it.
    if (size === 0 || from < 0 || from + size > file.length) break;
    const sample = file.subarray(from, from + size);
    const data =
      track.video !== null
        ? annexB(sample, track.video, !(sampleFlags & IS_NO_SYNC_SAMPLE))
        : adts(sample, track.aac);
    if (data !== null)
      units.push({
        ptsTicks: Math.round(((time + offset - track.shownFrom) * 90_000) / track.timescale),
        dtsTicks: Math.round(((time - track.shownFrom) * 90_000) / track.timescale),
        data,
      });
    from += size;
    time += duration;
  }
  return { from, time };
}

/** Lengths in front of NAL units become start codes; parameter sets stand in front of each picture that can be started with. */
function annexB(sample: Buffer, video: NonNullable<Track["video"]>, isSync: boolean): Buffer | null {
  const parts: Buffer[] = isSync ? [video.parameters] : [];
  for (let at = 0; at + video.lengthBytes <= sample.length;) {
    const length = sample.readUIntBE(at, video.lengthBytes);
    at += video.lengthBytes;
    if (length === 0 || at + length > sample.length) break;
    parts.push(START_CODE, sample.subarray(at, at + length));
    at += length;
  }
  return parts.length === 0 ? null : Buffer.concat(parts);
}

function adts(sample: Buffer, aac: Track["aac"]): Buffer | null {
  const length = sample.length + 7;
  if (aac === null || length >= 2 ** 13) return null;
  const head = Buffer.from([
    0xff,
    0xf1,
    ((aac.objectType - 1) << 6) | (aac.frequencyIndex << 2) | (aac.channels >> 2),
    ((aac.channels & 3) << 6) | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  ]);
  return Buffer.concat([head, sample]);
}
