import { clipTitle, type TitleLanguage } from "./clip-title.ts";
import type { Moment } from "./moment.ts";
import { plainText } from "./plain-text.ts";

/**
 * Moments of a stream as markers for an editing program or a video's description. The timeline's zero is where the recording begins, which is the start of
 * the broadcast or of what is kept. Pure; nothing here knows of files.
 */
export interface Marker {
  /** Milliseconds from zero. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly peakMs: number;
  readonly name: string;
  readonly kind: string;
  /** 0–100. */
  readonly score: number;
}

export const MARKER_FORMATS = ["csv", "edl", "fcpxml", "youtube"] as const;
export type MarkerFormat = (typeof MARKER_FORMATS)[number];

export interface MarkerFile {
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

export interface MarkerOptions {
  /** The stream's time at the timeline's zero, and at its end. */
  readonly zeroMs: number;
  readonly endMs: number;
  /** Frames a second of the timeline: 23.976, 24, 25, 29.97, 30, 50, 59.94, 60 … */
  readonly fps: number;
  /** Of the list. */
  readonly title: string;
  readonly language: TitleLanguage;
}

/** Moments as a file; those before zero are left out. Null: YouTube would not take the list as chapters (see `youtubeChapters`). */
export function markerFile(
  format: MarkerFormat,
  moments: readonly Moment[],
  options: MarkerOptions,
): MarkerFile | null {
  const markers = markersOf(moments, options);
  const { fps, title } = options;
  const durationMs = Math.max(0, options.endMs - options.zeroMs);
  const name = plainText(title, 60).replaceAll(/[^\p{L}\p{N}._-]+/gu, "-") || "markers";
  switch (format) {
    case "csv":
      return { name: `${name}.csv`, type: "text/csv; charset=utf-8", text: csvMarkers(markers, fps) };
    case "edl":
      return {
        name: `${name}.edl`,
        type: "text/plain; charset=utf-8",
        text: edlMarkers(markers, fps, title),
      };
    case "fcpxml":
      return {
        name: `${name}.fcpxml`,
        type: "application/xml; charset=utf-8",
        text: fcpxmlMarkers(markers, fps, title, durationMs),
      };
    case "youtube": {
      const text = youtubeChapters(markers, durationMs, options.language);
      return text === null ? null : { name: `${name}.txt`, type: "text/plain; charset=utf-8", text };
    }
  }
}

export function markersOf(moments: readonly Moment[], { zeroMs, language }: MarkerOptions): Marker[] {
  return moments
    .filter(({ state, startMs }) => state !== "withdrawn" && startMs >= zeroMs)
    .sort((a, b) => a.startMs - b.startMs)
    .map((moment) => ({
      fromMs: moment.startMs - zeroMs,
      toMs: Math.max(moment.endMs, moment.startMs + 1) - zeroMs,
      peakMs: Math.min(Math.max(moment.peakMs, moment.startMs), moment.endMs) - zeroMs,
      name: clipTitle(moment, language),
      kind: moment.kind,
      score: moment.score,
    }));
}

/** RFC 4180, with a first row of names. A field that a spreadsheet would take for a formula gets an apostrophe in front. */
export function csvMarkers(markers: readonly Marker[], fps: number): string {
  const rows = markers.map(({ fromMs, toMs, peakMs, name, kind, score }, i) => [
    String(i + 1),
    name,
    kind,
    timecode(fromMs, fps),
    timecode(toMs, fps),
    timecode(peakMs, fps),
    (fromMs / 1000).toFixed(3),
    (toMs / 1000).toFixed(3),
    score.toFixed(0),
  ]);
  return [["number", "name", "kind", "in", "out", "peak", "in_s", "out_s", "score"], ...rows]
    .map((row) => row.map(field).join(",") + "\r\n")
    .join("");
}

const field = (text: string): string => {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** CMX 3600 has three digits for an event. */
const MOST_EVENTS = 999;

/**
 * CMX 3600, non-drop: one event a moment, where it stands in the recording (source and record times are the same). The comment under it is
 * what DaVinci Resolve reads as a timeline marker, the one before that other programs show as the clip's name.
 */
export function edlMarkers(markers: readonly Marker[], fps: number, title: string): string {
  const lines = [`TITLE: ${plainText(title, 70)}`, "FCM: NON-DROP FRAME", ""];
  for (const [i, { fromMs, toMs, name }] of markers.slice(0, MOST_EVENTS).entries()) {
    const first = framesAt(fromMs, fps);
    const after = Math.max(first + 1, framesAt(toMs, fps));
    const span = `${frameCode(first, fps)} ${frameCode(after, fps)}`;
    const label = name.replaceAll("|", "/");
    lines.push(
      `${String(i + 1).padStart(3, "0")}  AX       V     C        ${span} ${span}`,
      `* FROM CLIP NAME: ${label}`,
      ` |C:ResolveColorBlue |M:${label} |D:${after - first}`,
      "",
    );
  }
  return lines.join("\r\n");
}

/** FCPXML 1.10: a project whose timeline is an empty gap as long as the recording, with the markers on it. */
export function fcpxmlMarkers(
  markers: readonly Marker[],
  fps: number,
  title: string,
  durationMs: number,
): string {
  const time = (frames: number): string => rational(frames, fps);
  const lengthFrames = Math.max(
    framesAt(durationMs, fps),
    ...markers.map(({ fromMs }) => framesAt(fromMs, fps) + 1),
    1,
  );
  const marks = markers.map(
    ({ fromMs, name, kind, score }) =>
      `              <marker start="${time(framesAt(fromMs, fps))}" duration="${time(1)}" value="${xml(name)}" note="${xml(`${kind}, ${score.toFixed(0)}`)}"/>`,
  );
  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<!DOCTYPE fcpxml>",
    '<fcpxml version="1.10">',
    "  <resources>",
    `    <format id="r1" name="FFVideoFormatRateUndefined" frameDuration="${time(1)}" width="1920" height="1080"/>`,
    "  </resources>",
    "  <library>",
    `    <event name="${xml(title)}">`,
    `      <project name="${xml(title)}">`,
    `        <sequence format="r1" duration="${time(lengthFrames)}" tcStart="0s" tcFormat="NDF">`,
    "          <spine>",
    `            <gap name="Gap" offset="0s" start="0s" duration="${time(lengthFrames)}">`,
    ...marks,
    "            </gap>",
    "          </spine>",
    "        </sequence>",
    "      </project>",
    "    </event>",
    "  </library>",
    "</fcpxml>",
  ].join("\n")}\n`;
}

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};
const xml = (text: string): string =>
  plainText(text, 200).replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);

/** YouTube takes a list as chapters from three on, the first at 0:00, each at least ten seconds long. */
const SHORTEST_CHAPTER_MS = 10_000;
const FEWEST_CHAPTERS = 3;
const MOST_CHAPTERS = 100;
const START = { en: "Start", ru: "Начало" } as const;

/** Where moments are closer together than a chapter may be, the stronger stays. Null: fewer than three are left. */
export function youtubeChapters(
  markers: readonly Marker[],
  durationMs: number,
  language: TitleLanguage,
): string | null {
  const whole = (ms: number): number => Math.floor(ms / 1000) * 1000;
  const chosen: Marker[] = [];
  for (const marker of [...markers].sort((a, b) => b.score - a.score || a.fromMs - b.fromMs)) {
    const atMs = whole(marker.fromMs);
    const fits =
      atMs + SHORTEST_CHAPTER_MS <= durationMs &&
      (atMs === 0 || atMs >= SHORTEST_CHAPTER_MS) &&
      chosen.every((other) => Math.abs(whole(other.fromMs) - atMs) >= SHORTEST_CHAPTER_MS);
    if (fits && chosen.length < MOST_CHAPTERS - 1) chosen.push(marker);
  }
  const chapters = chosen
    .sort((a, b) => a.fromMs - b.fromMs)
    .map(({ fromMs, name }) => ({ atMs: whole(fromMs), name }));
  if (chapters[0]?.atMs !== 0) chapters.unshift({ atMs: 0, name: START[language] });
  if (chapters.length < FEWEST_CHAPTERS) return null;
  return chapters.map(({ atMs, name }) => `${clock(atMs)} ${name}\n`).join("");
}

const clock = (ms: number): string => {
  const s = Math.floor(ms / 1000);
  const [hours, minutes, seconds] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
};

/** 23.976, 29.97 and 59.94 mean 24, 30 and 60 × 1000/1001. */
function rate(fps: number): { numerator: number; denominator: number; base: number } {
  const base = Math.max(1, Math.round(fps));
  const isNtsc = Math.abs(fps - (base * 1000) / 1001) < 0.006 && Math.abs(fps - base) > 0.006;
  return isNtsc
    ? { numerator: base * 1000, denominator: 1001, base }
    : { numerator: base, denominator: 1, base };
}

const framesAt = (ms: number, fps: number): number => {
  const { numerator, denominator } = rate(fps);
  return Math.round((ms * numerator) / denominator / 1000);
};

/** A whole number of frames as FCPXML writes times: a fraction of seconds. */
function rational(frames: number, fps: number): string {
  const { numerator, denominator } = rate(fps);
  return frames === 0 ? "0s" : `${frames * denominator}/${numerator}s`;
}

/** Non-drop: counts every frame, so 29.97 runs 3.6 s an hour behind the clock. Starts over after a day, as tape did. */
function frameCode(frames: number, fps: number): string {
  const { base } = rate(fps);
  const s = Math.floor(frames / base);
  return [Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60, s % 60, frames % base]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}
const timecode = (ms: number, fps: number): string => frameCode(framesAt(ms, fps), fps);
