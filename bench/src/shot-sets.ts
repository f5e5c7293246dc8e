import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Films whose cuts are known, because they are joined here from real clips: one half of the clips for tuning, the other for
 * reporting. All work is done on decoded frames (yuv420p, 320 × 180, 30 a second); a film is encoded once, at 284 × 160.
 */
export const WIDTH = 284;
export const HEIGHT = 160;
export const FPS = 30;
const ROOM_WIDTH = 320;
const ROOM_HEIGHT = 180;
const ROOM_BYTES = (ROOM_WIDTH * ROOM_HEIGHT * 3) / 2;
const FRAME_BYTES = (WIDTH * HEIGHT * 3) / 2;
const LONGEST_FRAMES = 90;

export interface TrueCut {
  /** First frame of the new shot; of a fade, its middle. */
  frame: number;
  kind: "hard" | "fade";
}
export interface Film {
  set: string;
  path: string;
  frames: number;
  cuts: TrueCut[];
}
/** Frames of one clip. */
interface Piece {
  name: string;
  frames: Buffer[];
}

/** Mulberry32: the same numbers in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let hash = Math.imul(state ^ (state >>> 15), 1 | state);
    hash = (hash + Math.imul(hash ^ (hash >>> 7), 61 | hash)) ^ hash;
    return ((hash ^ (hash >>> 14)) >>> 0) / 2 ** 32;
  };
}

function decode(name: string, input: string[], filter: string, frames: number): Piece {
  const { stdout, status } = spawnSync(
    "ffmpeg",
    [
      ...["-v", "error", "-nostdin", "-threads", "1", ...input, "-vf", filter],
      ...["-frames:v", String(frames), "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"],
    ],
    { maxBuffer: 2 ** 28 },
  );
  if (status !== 0) return { name, frames: [] };
  const count = Math.floor(stdout.length / ROOM_BYTES);
  return {
    name,
    frames: Array.from({ length: count }, (_, i) => stdout.subarray(i * ROOM_BYTES, (i + 1) * ROOM_BYTES)),
  };
}

const FIT = `fps=${FPS},scale=${ROOM_WIDTH}:${ROOM_HEIGHT}:force_original_aspect_ratio=increase:flags=area,crop=${ROOM_WIDTH}:${ROOM_HEIGHT}`;

/** Real clips that have cuts of their own (seen by eye): they would blur the truth. */
const CUT_INSIDE: ReadonlySet<string> = new Set([]);

/** Every second clip of the folder, from the first or the second on, in the order of their names. */
function realPieces(data: string, half: 0 | 1): Piece[] {
  const pieces: Piece[] = [];
  for (const folder of ["fights/fight", "fights/noFight"]) {
    const path = join(data, "footage", folder);
    const names = existsSync(path) ? readdirSync(path).toSorted() : [];
    names.forEach((name, i) => {
      if (i % 2 === half && !CUT_INSIDE.has(name))
        pieces.push(decode(name, ["-i", join(path, name)], FIT, LONGEST_FRAMES));
    });
  }
  const intel = join(data, "footage/intel");
  for (const name of existsSync(intel) ? readdirSync(intel).toSorted() : [])
    for (const second of [3, 11, 19])
      pieces.push(
        decode(
          `${name}@${second}`,
          ["-ss", String(second + 4 * half), "-i", join(intel, name)],
          FIT,
          LONGEST_FRAMES,
        ),
      );
  return pieces.filter((piece) => piece.frames.length > 20);
}

/** What games do: scrolling, zooming, particles, flicker; made by filters and by moving over real pictures. */
function gamePieces(real: readonly Piece[], half: 0 | 1): Piece[] {
  const size = `s=${ROOM_WIDTH}x${ROOM_HEIGHT}`;
  const sources: [string, string, string][] = [
    ["zoom", `mandelbrot=${size}:r=30:start_scale=${half ? 0.2 : 0.6}`, "null"],
    ["scroll-x", `testsrc2=${size}:r=30`, `scroll=h=${half ? 0.03 : 0.05}`],
    ["scroll-y", `testsrc=${size}:r=30`, `scroll=v=${half ? 0.06 : 0.04}`],
    [
      "particles",
      `life=${size}:r=30:mold=10:ratio=${half ? 0.2 : 0.1}:seed=${1 + half}:life_color=#ffe040:death_color=#a03010`,
      "null",
    ],
    ["ground", `cellauto=${size}:rate=30:rule=${half ? 110 : 30}:seed=${3 + half}`, "hue=h=40"],
    ["glow", `gradients=${size}:r=30:speed=0.08:seed=${5 + half}:n=4`, "null"],
    ["maze", `sierpinski=${size}:r=30:seed=${7 + half}:jump=${half ? 60 : 100}`, "null"],
  ];
  const made = sources.map(([name, source, filter]) =>
    decode(name, ["-f", "lavfi", "-i", source], `${filter},format=yuv420p`, LONGEST_FRAMES),
  );
  // A level runs past: a strip of several pictures side by side, mirrored, that a camera passes over at a changing speed.
  for (let i = 0; i < 8; i++) {
    const stills = [0, 1, 2].map((k) => real[(i * 11 + k * 5) % real.length]!.frames[10]!);
    made.push({ name: `level-${i}`, frames: passOver(stills, 4 + i * 3) });
  }
  return made.filter((piece) => piece.frames.length > 20);
}

function passOver(stills: readonly Buffer[], speed: number): Buffer[] {
  const tiles = stills.length * 2;
  const frames: Buffer[] = [];
  let camera = 0;
  for (let n = 0; n < LONGEST_FRAMES; n++) {
    camera += Math.round(speed * (1 + 0.6 * Math.sin(n / 9)));
    const out = Buffer.alloc(ROOM_BYTES);
    let at = 0;
    for (const [width, height] of planesOf(ROOM_WIDTH, ROOM_HEIGHT)) {
      const shift = Math.floor((camera * width) / ROOM_WIDTH);
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const far = (x + shift) % (tiles * width);
          const tile = Math.floor(far / width);
          const inside = far % width;
          const still = stills[tile >> 1]!;
          // Every second tile is the mirror of the one before, so no edge runs through the strip between them.
          out[at + y * width + x] = still[at + y * width + (tile & 1 ? width - 1 - inside : inside)]!;
        }
      at += width * height;
    }
    frames.push(out);
  }
  return frames;
}

const planesOf = (width: number, height: number): [number, number][] => [
  [width, height],
  [width / 2, height / 2],
  [width / 2, height / 2],
];

/** The part of a frame that is seen, from (left, top) on; both even. */
function crop(frame: Buffer, left: number, top: number): Buffer {
  const out = Buffer.alloc(FRAME_BYTES);
  let from = 0;
  let to = 0;
  const rooms = planesOf(ROOM_WIDTH, ROOM_HEIGHT);
  planesOf(WIDTH, HEIGHT).forEach(([width, height], plane) => {
    const [roomWidth, roomHeight] = rooms[plane]!;
    const x = plane === 0 ? left : left / 2;
    const y = plane === 0 ? top : top / 2;
    for (let row = 0; row < height; row++) {
      const start = from + (y + row) * roomWidth + x;
      frame.copy(out, to, start, start + width);
      to += width;
    }
    from += roomWidth * roomHeight;
  });
  return out;
}

const LEFT = (ROOM_WIDTH - WIDTH) / 2;
const TOP = (ROOM_HEIGHT - HEIGHT) / 2;
const still = (piece: Piece): Buffer[] => piece.frames.map((frame) => crop(frame, LEFT, TOP));

/** A hand or a blow: the view jumps about its place, hard for some frames, then calmer. */
function shaken(piece: Piece, random: () => number): Buffer[] {
  let x = 0;
  let y = 0;
  return piece.frames.map((frame, i) => {
    const force = i % 40 < 14 ? 1 : 0.35;
    x = 0.5 * x + force * (random() - 0.5) * LEFT * 2;
    y = 0.5 * y + force * (random() - 0.5) * TOP * 2;
    const even = (value: number, reach: number): number =>
      2 * Math.round((reach + Math.max(-reach, Math.min(reach, value))) / 2);
    return crop(frame, Math.min(2 * LEFT, even(x, LEFT)), Math.min(2 * TOP, even(y, TOP)));
  });
}

/** White for one to six frames, whole or half of the picture, at once or dying away. */
function flashed(frames: Buffer[], random: () => number): Buffer[] {
  const out = [...frames];
  for (let start = 14; start < frames.length - 14; start += 22 + Math.floor(random() * 12)) {
    const length = 1 + Math.floor(random() * 6);
    const strength = 0.55 + 0.4 * random();
    const half = random() < 0.3;
    const dying = random() < 0.4;
    for (let i = 0; i < length && start + i < out.length; i++)
      out[start + i] = toward(
        out[start + i]!,
        235,
        dying ? strength * (1 - i / length) : strength,
        half ? WIDTH / 2 : WIDTH,
      );
  }
  return out;
}

/** Moves a frame's left `width` columns towards one luma, without colour. */
function toward(frame: Buffer, luma: number, share: number, until: number): Buffer {
  const out = Buffer.from(frame);
  let at = 0;
  planesOf(WIDTH, HEIGHT).forEach(([width, height], plane) => {
    const target = plane === 0 ? luma : 128;
    const last = (until * width) / WIDTH;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < last; x++) {
        const i = at + y * width + x;
        out[i] = Math.round(out[i]! + (target - out[i]!) * share);
      }
    at += width * height;
  });
  return out;
}

function blend(a: Buffer, b: Buffer, share: number): Buffer {
  const out = Buffer.alloc(a.length);
  for (let i = 0; i < a.length; i++) out[i] = Math.round(a[i]! + (b[i]! - a[i]!) * share);
  return out;
}

const FADE_FRAMES = 9;
type Join = "hard" | "dissolve" | "black";

/** Writes a film and its truth. `joinOf` says how a piece follows the one before it. */
async function write(
  set: string,
  folder: string,
  shots: Iterable<Buffer[]>,
  joinOf: (i: number) => Join,
): Promise<Film> {
  const path = join(folder, `${set}.mp4`);
  const encoder = spawn(
    "ffmpeg",
    [
      ...["-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", `${WIDTH}x${HEIGHT}`],
      ...["-r", String(FPS), "-i", "pipe:0", "-c:v", "libx264", "-preset", "veryfast", "-crf", "23"],
      ...["-g", "60", "-threads", "1", path],
    ],
    { stdio: ["pipe", "ignore", "inherit"] },
  );
  const done = once(encoder, "close");
  let frames = 0;
  const put = async (frame: Buffer): Promise<void> => {
    frames++;
    if (!encoder.stdin.write(frame)) await once(encoder.stdin, "drain");
  };
  const cuts: TrueCut[] = [];
  let tail: Buffer[] = [];
  let i = 0;
  for (const shot of shots) {
    const join = i === 0 ? "hard" : joinOf(i);
    if (join === "hard") {
      for (const frame of tail) await put(frame);
      if (i > 0) cuts.push({ frame: frames, kind: "hard" });
    } else if (join === "dissolve") {
      cuts.push({ frame: frames + (FADE_FRAMES + 1) / 2, kind: "fade" });
      for (let k = 0; k < FADE_FRAMES; k++) await put(blend(tail[k]!, shot[k]!, (k + 1) / (FADE_FRAMES + 1)));
    } else {
      cuts.push({ frame: frames + FADE_FRAMES, kind: "fade" });
      for (let k = 0; k < FADE_FRAMES; k++) await put(toward(tail[k]!, 16, (k + 1) / FADE_FRAMES, WIDTH));
      for (let k = 0; k < FADE_FRAMES; k++) await put(toward(shot[k]!, 16, 1 - (k + 1) / FADE_FRAMES, WIDTH));
    }
    const from = join === "hard" ? 0 : FADE_FRAMES;
    const until = Math.max(from, shot.length - FADE_FRAMES);
    for (const frame of shot.slice(from, until)) await put(frame);
    tail = shot.slice(until);
    i++;
  }
  for (const frame of tail) await put(frame);
  encoder.stdin.end();
  await done;
  return { set, path, frames, cuts };
}

/** Neighbours that look as alike as there are: greedily the nearest by a small picture of the middle frame. */
function bySimilarity(pieces: readonly Piece[]): Piece[] {
  const thumbs = new Map(
    pieces.map((piece) => {
      const frame = piece.frames[piece.frames.length >> 1]!;
      const thumb: number[] = [];
      for (let y = 10; y < ROOM_HEIGHT; y += 20)
        for (let x = 10; x < ROOM_WIDTH; x += 20) thumb.push(frame[y * ROOM_WIDTH + x]!);
      return [piece, thumb];
    }),
  );
  const left = new Set(pieces);
  const order: Piece[] = [];
  let last = pieces[0]!;
  while (left.size > 0) {
    const from = thumbs.get(last)!;
    let nearest = last;
    let least = Infinity;
    for (const piece of left) {
      const distance = thumbs.get(piece)!.reduce((sum, value, k) => sum + Math.abs(value - from[k]!), 0);
      if (distance < least) {
        least = distance;
        nearest = piece;
      }
    }
    order.push(nearest);
    left.delete(nearest);
    last = nearest;
  }
  return order;
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const out = [...values];
  for (let i = out.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [out[i], out[other]] = [out[other]!, out[i]!];
  }
  return out;
}

/** The films of one half of the clips; `easy` are plain joins, all others the harder set. */
export async function makeFilms(data: string, half: 0 | 1, folder: string): Promise<Film[]> {
  const random = randomFrom(11 + half);
  const real = realPieces(data, half);
  if (real.length < 4) return [];
  const games = gamePieces(real, half);
  const hard = (): Join => "hard";
  const films: Film[] = [];
  films.push(await write("easy", folder, shuffled(real, random).map(still), hard));
  films.push(await write("similar", folder, bySimilarity(real).map(still), hard));
  const third = <T>(values: readonly T[], at: number): T[] => values.filter((_, i) => i % 3 === at);
  const mixed = shuffled(real, random);
  films.push(
    await write(
      "shake",
      folder,
      third(mixed, 0).map((piece) => shaken(piece, random)),
      hard,
    ),
  );
  films.push(
    await write(
      "flash",
      folder,
      third(mixed, 1).map((piece) => flashed(still(piece), random)),
      hard,
    ),
  );
  films.push(await write("dissolve", folder, third(mixed, 2).map(still), () => "dissolve"));
  films.push(await write("black", folder, third(shuffled(real, random), 0).map(still), () => "black"));
  films.push(await write("game", folder, shuffled(games, random).map(still), hard));
  return films;
}
