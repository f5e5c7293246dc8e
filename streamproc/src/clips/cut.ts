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

/** Something that is laid over one layout, as raw RGBA frames over a pipe. */
export interface Laid {
  readonly box: Pick<OverlayBox, "x" | "y" | "width" | "height">;
}

export interface ExactOutput {
  readonly choice: LayoutChoice;
  /** One over the other: chat, then the title of a film's part. */
  readonly laid: readonly Laid[];
  readonly path: string;
}

/** A part of a film goes dark and silent for so long at both ends: parts follow each other without a jolt. */
export const FADE_S = 0.3;
/** Parts of a film are joined without encoding them again, so they are all made alike. */
const FILM_FPS = 30;
/** Of chat alone: only the hand moves between two pictures of chat. */
const ALONE_FPS = 20;

/** How a part of a film is made to fit the others. */
export interface InFilm {
  /** The film's picture. */
  readonly base: PictureSize;
}

export interface ExactPlan {
  readonly inputs: readonly Input[];
  readonly outputs: readonly ExactOutput[];
  /** dB; null: the sound stays as loud as it is. */
  readonly gainDb: number | null;
  readonly threads: number;
  readonly title: string;
  /** Null: a clip of its own. */
  readonly film: InFilm | null;
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
export function exactArgs(plan: ExactPlan): string[] {
  const { inputs, outputs, gainDb, threads, title, film, thumbnail } = plan;
  const base = film?.base ?? baseSize(inputs);
  const totalS = lengthOf(inputs);
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
    `[base]${film === null ? "" : `${pictureFades(totalS)},`}split=${outputs.length + 1}[b]${copies.map((name) => `[${name}]`).join("")}`,
    `[b]trim=start=${seconds(thumbnail.atS)}:end=${seconds(thumbnail.atS + 1)},${SMALL}[thumb]`,
  ];
  let pipe = inputs.length;
  for (const [i, output] of outputs.entries()) {
    filters.push(...layoutFilters(output.choice, base, `b${i}`, `l${i}`, i).filters);
    filters.push(...layOver(output.laid, `l${i}`, `v${i}`, pipe));
    pipe += output.laid.length;
  }
  const sound = film !== null || hasSound(inputs);
  if (sound) {
    const level =
      gainDb === null
        ? "anull"
        : `volume=${gainDb.toFixed(2)}dB,alimiter=limit=${PEAK_LIMIT.toFixed(4)}:level=false`;
    filters.push(
      ...soundFilters(inputs),
      `[sound]${level}${film === null ? "" : `,${soundFades(totalS)}`},asplit=${outputs.length}${outputs.map((_, i) => `[a${i}]`).join("")}`,
    );
  }
  return [
    "-copyts",
    ...inputArgs(inputs),
    ...pipeArgs(
      outputs.flatMap(({ laid }) => laid.map(({ box }) => box)),
      FIRST_INPUT_FD,
    ),
    ...["-filter_complex_threads", "1", "-filter_complex", filters.join(";")],
    ...outputs.flatMap(({ path }, i) => [
      ...["-map", `[v${i}]`, ...(sound ? ["-map", `[a${i}]`] : [])],
      ...encoding(threads),
      ...(film === null ? [...OWN_TIMES, ...finish(title)] : AS_PART),
      path,
    ]),
    ...["-map", "[thumb]", ...JPEG, thumbnail.path],
  ];
}

const OWN_TIMES = ["-fps_mode", "vfr", "-video_track_timescale", "90000"];
/** What one part's encoder is told, the others' are told too: a decoder goes on from one into the next. */
const AS_PART = [
  ...["-fps_mode", "cfr", "-r", String(FILM_FPS), "-ar", String(SOUND_HZ), "-ac", "2"],
  ...["-map_metadata", "-1", "-muxdelay", "0", "-muxpreload", "0", "-f", "mpegts"],
];

const pictureFades = (lengthS: number): string =>
  `fade=t=in:st=0:d=${FADE_S},fade=t=out:st=${seconds(Math.max(0, lengthS - FADE_S))}:d=${FADE_S}`;
const soundFades = (lengthS: number): string =>
  `afade=t=in:st=0:d=${FADE_S},afade=t=out:st=${seconds(Math.max(0, lengthS - FADE_S))}:d=${FADE_S}`;

/** Raw RGBA pictures at CHAT_FPS through the pipes from `fd` on. */
const pipeArgs = (boxes: readonly Laid["box"][], fd: number): string[] =>
  boxes.flatMap(({ width, height }, i) => [
    ...["-f", "rawvideo", "-pix_fmt", "rgba", "-s", `${width}x${height}`],
    ...["-framerate", String(CHAT_FPS), "-i", `pipe:${fd + i}`],
  ]);

/** Filters that lay the inputs from `first` on over `[from]`, one after the other, to `[to]`. */
function layOver(laid: readonly Laid[], from: string, to: string, first: number): string[] {
  if (laid.length === 0) return [`[${from}]null[${to}]`];
  return laid.map(({ box }, i) => {
    const below = i === 0 ? from : `${to}o${i}`;
    const above = i === laid.length - 1 ? to : `${to}o${i + 1}`;
    return `[${below}][${first + i}:v]overlay=${box.x}:${box.y}:format=yuv420:eof_action=pass[${above}]`;
  });
}

/** A picture of chat alone: what stands still, what moves over it, and the hand that goes along the curve. */
export interface AlonePlan {
  readonly size: PictureSize;
  readonly lengthS: number;
  readonly laid: readonly Laid[];
  /** Where the curve stands: what is still to come is covered. */
  readonly curve: { readonly y: number; readonly height: number };
  readonly film: boolean;
  readonly threads: number;
  readonly title: string;
  readonly path: string;
  /** Null: another file of the same clip has one. */
  readonly thumbnail: { readonly atS: number; readonly path: string } | null;
}

/** The ground is one RGBA picture through the first pipe, what is laid over it comes through the others. */
export function aloneArgs(plan: AlonePlan): string[] {
  const { size, lengthS, laid, curve, film, threads, title, path, thumbnail } = plan;
  const fps = film ? FILM_FPS : ALONE_FPS;
  const length = seconds(lengthS);
  const handX = `'${size.width}*t/${length}'`;
  const filters = [
    `[0:v]loop=loop=-1:size=1:start=0,setpts=N/${fps}/TB,trim=end=${length},format=yuv420p,setsar=1[ground]`,
    `color=c=black@0.62:s=${size.width}x${curve.height}:r=${fps},format=yuva420p[cover]`,
    `color=c=white@0.9:s=2x${curve.height}:r=${fps},format=yuva420p[hand]`,
    `[ground][cover]overlay=x=${handX}:y=${curve.y}:shortest=1[covered]`,
    `[covered][hand]overlay=x=${handX}:y=${curve.y}:shortest=1[l]`,
    ...layOver(laid, "l", "w", 1),
    `[w]${film ? pictureFades(lengthS) : "null"}${thumbnail === null ? "[v]" : ",split=2[v][t]"}`,
    ...(thumbnail === null
      ? []
      : [`[t]trim=start=${seconds(thumbnail.atS)}:end=${seconds(thumbnail.atS + 1)},${SMALL}[thumb]`]),
    ...(film ? [`anullsrc=r=${SOUND_HZ}:cl=stereo,atrim=end=${length}[a]`] : []),
  ];
  return [
    ...["-f", "rawvideo", "-pix_fmt", "rgba", "-s", `${size.width}x${size.height}`],
    ...["-framerate", String(fps), "-i", `pipe:${FIRST_INPUT_FD}`],
    ...pipeArgs(
      laid.map(({ box }) => box),
      FIRST_INPUT_FD + 1,
    ),
    ...["-filter_complex_threads", "1", "-filter_complex", filters.join(";")],
    ...["-map", "[v]", ...(film ? ["-map", "[a]"] : [])],
    ...encoding(threads),
    ...(film ? AS_PART : [...OWN_TIMES, ...finish(title)]),
    path,
    ...(thumbnail === null ? [] : ["-map", "[thumb]", ...JPEG, thumbnail.path]),
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
