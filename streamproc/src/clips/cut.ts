import type { ClipLayout } from "@hypecast/contracts/clip.ts";
import type { OverlayBox } from "@hypecast/contracts/overlay-layout.ts";
import { FIRST_INPUT_FD, READ_SAFELY } from "./ffmpeg.ts";
import type { PictureSize } from "./h264-size.ts";
import { landscape, layoutFilters, type LayoutChoice } from "./layouts.ts";
import type { CutRun } from "./look.ts";

/** Frames of chat a second: motion that is read, not watched. */
export const CHAT_FPS = 10;
/** Pictures and sound lie on both sides of a cut by less than this. */
const EDGE_S = 0.001;
const SOUND_HZ = 48_000;
/** For true peaks under −1 dBTP: what lies between samples, and what AAC adds, took 0.6 dB of clips of the demo. */
const PEAK_LIMIT = 10 ** (-2 / 20);

const seconds = (value: number): string => value.toFixed(6);

/** A local playlist over a run's files: names of links, whole seconds rounded up, nothing that could be taken for an address. */
export function playlistOf(
  segments: readonly { readonly name: string; readonly durationS: number }[],
  initName: string | null,
): string {
  const longest = Math.ceil(Math.max(1, ...segments.map(({ durationS }) => durationS)));
  return [
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    `#EXT-X-TARGETDURATION:${longest}`,
    "#EXT-X-PLAYLIST-TYPE:VOD",
    ...(initName === null ? [] : [`#EXT-X-MAP:URI="${initName}"`]),
    ...segments.flatMap(({ name, durationS }) => [`#EXTINF:${seconds(durationS)},`, name]),
    "#EXT-X-ENDLIST",
    "",
  ].join("\n");
}

/** One run and the playlist of its files. */
export interface Input {
  readonly cut: CutRun;
  readonly playlist: string;
}

const inputArgs = (inputs: readonly Input[]): string[] =>
  inputs.flatMap(({ playlist }) => [...READ_SAFELY, "-threads", "1", "-i", playlist]);

const lengthS = ({ startS, endS }: CutRun): number => endS - startS;
export const lengthOf = (inputs: readonly Input[]): number =>
  inputs.reduce((sum, { cut }) => sum + lengthS(cut), 0);
export const hasSound = (inputs: readonly Input[]): boolean => inputs.some(({ cut }) => cut.hasSound);

/** Sound of every run, each exactly as long as its picture, one after the other as `[sound]`. */
function soundFilters(inputs: readonly Input[]): string[] {
  const shape = `aformat=sample_fmts=fltp:sample_rates=${SOUND_HZ}:channel_layouts=stereo`;
  const filters = inputs.map(({ cut }, i) => {
    const length = seconds(lengthS(cut));
    if (!cut.hasSound) return `anullsrc=r=${SOUND_HZ}:cl=stereo,${shape},atrim=end=${length}[s${i}]`;
    const [from, to] = [seconds(cut.startS), seconds(cut.endS)];
    return `[${i}:a:0]atrim=start=${from}:end=${to},asetpts=PTS-${from}/TB,aresample=${SOUND_HZ}:async=1:min_hard_comp=0.04:first_pts=0,${shape},apad=whole_dur=${length},atrim=end=${length}[s${i}]`;
  });
  return inputs.length === 1
    ? [...filters, "[s0]anull[sound]"]
    : [...filters, `${inputs.map((_, i) => `[s${i}]`).join("")}concat=n=${inputs.length}:v=0:a=1[sound]`];
}

/** Measures loudness (ITU-R BS.1770) of what the clip will sound like; read with `loudnessIn`. */
export const measureArgs = (inputs: readonly Input[]): string[] => [
  "-copyts",
  ...inputArgs(inputs),
  ...["-filter_complex_threads", "1", "-filter_complex"],
  [...soundFilters(inputs), "[sound]ebur128=framelog=verbose[out]"].join(";"),
  ...["-map", "[out]", "-f", "null", "-"],
];

/** Integrated loudness in LUFS from ebur128's summary; null: silence, or nothing was measured. */
export function loudnessIn(said: string): number | null {
  const lufs = [...said.matchAll(/^\s*I:\s*(-?[\d.]+) LUFS/gm)].at(-1)?.[1];
  return lufs === undefined || Number(lufs) <= -69 ? null : Number(lufs);
}

const TARGET_LUFS = -14;
/** A whisper is not blown up to a shout. */
const MOST_GAIN_DB = 20;
export const gainTo = (lufs: number): number => Math.min(MOST_GAIN_DB, TARGET_LUFS - lufs);

/** Chat of one layout, as raw RGBA frames over a pipe. */
export interface ChatInput {
  readonly box: OverlayBox;
}

export interface ExactOutput {
  readonly choice: LayoutChoice;
  readonly chat: ChatInput | null;
  readonly path: string;
}

export interface ExactPlan {
  readonly inputs: readonly Input[];
  readonly outputs: readonly ExactOutput[];
  /** dB; null: the sound stays as loud as it is. */
  readonly gainDb: number | null;
  readonly threads: number;
  readonly title: string;
  /** A picture of the stream itself, as a by-product of the decoding. */
  readonly thumbnail: { readonly atS: number; readonly path: string };
}

/** The picture that all layouts are made from: as large as the largest run, within what a clip may be. */
export function baseSize(inputs: readonly Input[]): PictureSize {
  const largest = inputs
    .map(({ cut }) => cut.size)
    .reduce((a, b) => (b.width * b.height > a.width * a.height ? b : a));
  return landscape(largest);
}

export const layoutSize = (choice: LayoutChoice, base: PictureSize): PictureSize =>
  layoutFilters(choice, base, "", "", 0).size;

/**
 * To the frame: the first picture is the one that is on the screen at the start, the last the one before the end, and each keeps its own
 * time. All layouts are made from one decoding.
 */
export function exactArgs({ inputs, outputs, gainDb, threads, title, thumbnail }: ExactPlan): string[] {
  const base = baseSize(inputs);
  const pictures = inputs.map(({ cut }, i) => {
    const [from, to] = [seconds(cut.startS - EDGE_S), seconds(cut.endS - EDGE_S)];
    const same = cut.size.width === base.width && cut.size.height === base.height;
    const fit = same
      ? ""
      : `,scale=${base.width}:${base.height}:force_original_aspect_ratio=decrease,pad=${base.width}:${base.height}:-1:-1`;
    return `[${i}:v:0]trim=start=${from}:end=${to},setpts=PTS-${seconds(cut.startS)}/TB${fit},format=yuv420p,setsar=1[p${i}]`;
  });
  const joined =
    inputs.length === 1
      ? "[p0]null[base]"
      : `${inputs.map((_, i) => `[p${i}]`).join("")}concat=n=${inputs.length}:v=1:a=0[base]`;
  const copies = outputs.map((_, i) => `b${i}`);
  const filters = [
    ...pictures,
    joined,
    `[base]split=${outputs.length + 1}[b]${copies.map((name) => `[${name}]`).join("")}`,
    `[b]trim=start=${seconds(thumbnail.atS)}:end=${seconds(thumbnail.atS + 1)},${SMALL}[thumb]`,
  ];
  const chats = outputs.filter(({ chat }) => chat !== null);
  for (const [i, output] of outputs.entries()) {
    const laid = output.chat === null ? `v${i}` : `l${i}`;
    filters.push(...layoutFilters(output.choice, base, `b${i}`, laid, i).filters);
    if (output.chat === null) continue;
    const { x, y } = output.chat.box;
    const from = inputs.length + chats.indexOf(output);
    filters.push(`[${laid}][${from}:v]overlay=${x}:${y}:format=yuv420:eof_action=pass[v${i}]`);
  }
  const sound = hasSound(inputs);
  if (sound) {
    const level =
      gainDb === null
        ? "anull"
        : `volume=${gainDb.toFixed(2)}dB,alimiter=limit=${PEAK_LIMIT.toFixed(4)}:level=false`;
    filters.push(
      ...soundFilters(inputs),
      `[sound]${level},asplit=${outputs.length}${outputs.map((_, i) => `[a${i}]`).join("")}`,
    );
  }
  return [
    "-copyts",
    ...inputArgs(inputs),
    ...chats.flatMap(({ chat }, i) => [
      ...["-f", "rawvideo", "-pix_fmt", "rgba", "-s", `${chat?.box.width}x${chat?.box.height}`],
      ...["-framerate", String(CHAT_FPS), "-i", `pipe:${FIRST_INPUT_FD + i}`],
    ]),
    ...["-filter_complex_threads", "1", "-filter_complex", filters.join(";")],
    ...outputs.flatMap(({ path }, i) => [
      ...["-map", `[v${i}]`, ...(sound ? ["-map", `[a${i}]`] : [])],
      ...encoding(threads),
      ...["-fps_mode", "vfr", "-video_track_timescale", "90000"],
      ...finish(title),
      path,
    ]),
    ...["-map", "[thumb]", ...JPEG, thumbnail.path],
  ];
}

const SMALL = "scale='min(640,iw)':-2";
const JPEG = ["-frames:v", "1", "-q:v", "4", "-f", "image2", "-update", "1"];

/** Also what the benchmark compares with. */
export const encoding = (threads: number): string[] => [
  ...[
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-crf",
    "21",
    "-pix_fmt",
    "yuv420p",
    "-threads",
    String(threads),
  ],
  ...["-c:a", "aac", "-b:a", "160k"],
];

const finish = (title: string): string[] => [
  ...["-map_metadata", "-1", "-map_chapters", "-1"],
  ...(title === "" ? [] : ["-metadata", `title=${title}`]),
  ...["-movflags", "+faststart", "-f", "mp4"],
];

/** From the keyframe before the start, copied: nothing is decoded. One run in, one file out. */
export const copyArgs = (input: Input, title: string, path: string): string[] => [
  ...copied(input),
  ...finish(title),
  path,
];

/** The same as a part of a longer copy: a transport stream, because its times are what they are, without a list of edits. */
export const partArgs = (input: Input, path: string): string[] => [
  ...copied(input),
  ...["-muxdelay", "0", "-muxpreload", "0", "-f", "mpegts", path],
];

const copied = ({ cut, playlist }: Input): string[] => [
  "-copyts",
  ...inputArgs([{ cut, playlist }]),
  ...["-ss", seconds(cut.keyframeS - EDGE_S), "-t", seconds(cut.endS - cut.keyframeS)],
  ...["-map", "0:v:0", ...(cut.hasSound ? ["-map", "0:a:0"] : []), "-c", "copy"],
];

/** Joins parts that need the same decoder. The list names files beside it. */
export const joinArgs = (list: string, title: string, path: string): string[] => [
  ...READ_SAFELY,
  ...["-f", "concat", "-safe", "1", "-i", list],
  ...["-map", "0", "-c", "copy"],
  ...finish(title),
  path,
];

/** A picture of a finished copy: the keyframe before a time, which costs no further decoding. */
export const thumbnailArgs = (video: string, atS: number, path: string): string[] => [
  ...READ_SAFELY,
  ...["-skip_frame", "nokey", "-noaccurate_seek", "-threads", "1", "-ss", seconds(atS), "-i", video],
  ...["-an", "-vf", SMALL, ...JPEG, path],
];

export const fileName = (layout: ClipLayout): string => `${layout.replace(":", "x")}.mp4`;
