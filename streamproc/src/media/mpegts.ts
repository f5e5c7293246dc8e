import { NotMedia } from "./frame-source.ts";
import type { Streams, Unit } from "./streams.ts";

/**
 * MPEG transport stream (ISO/IEC 13818-1) to access units with their exact timestamps. Ours, because demuxers rebase them per file,
 * and because what comes from outside is taken apart in a language without memory errors before a decoder sees it.
 */

const PACKET = 188;
const SYNC = 0x47;

const VIDEO_CODECS: Record<number, "h264" | "hevc"> = { 0x1b: "h264", 0x24: "hevc" };
const AUDIO_CODECS: Record<number, "aac" | "mpeg"> = { 0x0f: "aac", 0x03: "mpeg", 0x04: "mpeg" };
/** LATM, AC-3 and E-AC-3: counted, not decoded. */
const OTHER_AUDIO: ReadonlySet<number> = new Set([0x11, 0x81, 0x87]);

interface Programme {
  video: { pid: number; codec: "h264" | "hevc" } | null;
  audio: { pid: number; codec: "aac" | "mpeg" }[];
  otherAudio: number[];
}

/** Throws NotMedia when there is no programme in it. Lost or broken packets cost the units that they belong to. */
export function demuxTs(bytes: Buffer): Streams {
  let pmtPid = -1;
  let programme: Programme | null = null;
  const units = new Map<number, Unit[]>();
  const open = new Map<number, Buffer[]>();
  const close = (pid: number): void => {
    const parts = open.get(pid);
    if (parts === undefined) return;
    open.delete(pid);
    const unit = unitOf(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
    if (unit !== null) units.get(pid)?.push(unit);
  };

  for (let at = syncFrom(bytes, 0); at >= 0 && at + PACKET <= bytes.length; at += PACKET) {
    if (bytes[at] !== SYNC) {
      at = syncFrom(bytes, at);
      if (at < 0) break;
    }
    const flags = bytes[at + 1]!;
    if (flags & 0x80) continue; // damaged on its way
    const pid = ((flags & 0x1f) << 8) | bytes[at + 2]!;
    const starts = (flags & 0x40) !== 0;
    const control = bytes[at + 3]!;
    if (!(control & 0x10) || control & 0xc0) continue; // no payload, or scrambled
    const from = at + 4 + (control & 0x20 ? 1 + bytes[at + 4]! : 0);
    const to = at + PACKET;
    if (from >= to) continue;
    if (pid === 0 && starts) pmtPid = pmtPidOf(section(bytes, from, to)) ?? pmtPid;
    else if (pid === pmtPid && starts) {
      const found: Programme | null = programmeOf(section(bytes, from, to));
      if (programme === null && found !== null) {
        programme = found;
        if (found.video !== null) units.set(found.video.pid, []);
        for (const { pid } of found.audio) units.set(pid, []);
        for (const pid of found.otherAudio) units.set(pid, []);
      }
    } else if (units.has(pid)) {
      if (starts) close(pid);
      const parts = open.get(pid);
      if (parts !== undefined) parts.push(bytes.subarray(from, to));
      else if (starts) open.set(pid, [bytes.subarray(from, to)]);
    }
  }
  if (programme === null) throw new NotMedia("no MPEG transport stream with a programme in it");
  for (const pid of open.keys()) close(pid);

  const has = (pid: number): boolean => (units.get(pid)?.length ?? 0) > 0;
  const { video, otherAudio } = programme;
  const audio = programme.audio.filter(({ pid }) => has(pid));
  const first = audio[0];
  return {
    video: video !== null && has(video.pid) ? { codec: video.codec, units: units.get(video.pid)! } : null,
    audio: first === undefined ? null : { codec: first.codec, units: units.get(first.pid)! },
    audioTracks: audio.length + otherAudio.filter(has).length,
  };
}

/** The next place where packets begin: three in a row, or as many as are left. −1: none. */
function syncFrom(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(SYNC, from); at >= 0; at = bytes.indexOf(SYNC, at + 1)) {
    if (at + PACKET > bytes.length) return -1;
    const next = [at + PACKET, at + 2 * PACKET].filter((place) => place < bytes.length);
    if (next.every((place) => bytes[place] === SYNC)) return at;
  }
  return -1;
}

/** A table's section; tables that go on in the next packet are cut (a PMT has room for thirty tracks in one). */
function section(bytes: Buffer, from: number, to: number): Buffer {
  const start = from + 1 + bytes[from]!;
  if (start + 3 > to) return Buffer.alloc(0);
  const length = ((bytes[start + 1]! & 0x0f) << 8) | bytes[start + 2]!;
  // Without the check sum at its end.
  return bytes.subarray(start, Math.min(to, Math.max(start, start + 3 + length - 4)));
}

function pmtPidOf(table: Buffer): number | null {
  for (let at = 8; at + 4 <= table.length && table[0] === 0x00; at += 4)
    if (table.readUInt16BE(at) !== 0) return table.readUInt16BE(at + 2) & 0x1fff;
  return null;
}

function programmeOf(table: Buffer): Programme | null {
  if (table.length < 12 || table[0] !== 0x02) return null;
  const programme: Programme = { video: null, audio: [], otherAudio: [] };
  let at = 12 + (table.readUInt16BE(10) & 0x0fff);
  while (at + 5 <= table.length) {
    const type = table[at]!;
    const pid = table.readUInt16BE(at + 1) & 0x1fff;
    const video = VIDEO_CODECS[type];
    const audio = AUDIO_CODECS[type];
    if (video !== undefined) programme.video ??= { pid, codec: video };
    else if (audio !== undefined) programme.audio.push({ pid, codec: audio });
    else if (OTHER_AUDIO.has(type)) programme.otherAudio.push(pid);
    at += 5 + (table.readUInt16BE(at + 3) & 0x0fff);
  }
  return programme;
}

/** A packetised elementary stream's packet; null when it has no timestamp or no data. */
function unitOf(pes: Buffer): Unit | null {
  if (pes.length < 14 || pes[0] !== 0 || pes[1] !== 0 || pes[2] !== 1) return null;
  const from = 9 + pes[8]!;
  if (!(pes[7]! & 0x80) || from >= pes.length) return null;
  const ptsTicks = timestamp(pes, 9);
  const dtsTicks = pes[7]! & 0x40 && pes.length >= 19 ? timestamp(pes, 14) : ptsTicks;
  // Sound says its length; video may leave it open.
  const declared = pes.readUInt16BE(4);
  const to = declared === 0 ? pes.length : Math.min(pes.length, 6 + declared);
  return from >= to ? null : { ptsTicks, dtsTicks, data: pes.subarray(from, to) };
}

const timestamp = (bytes: Buffer, at: number): number =>
  ((bytes[at]! >> 1) & 0x07) * 2 ** 30 +
  (bytes[at + 1]! << 22) +
  ((bytes[at + 2]! >> 1) << 15) +
  (bytes[at + 3]! << 7) +
  (bytes[at + 4]! >> 1);
