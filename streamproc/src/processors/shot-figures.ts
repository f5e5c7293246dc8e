import type { PictureSignals } from "@hypecast/contracts/measured.ts";
import type { CutKind, VideoShot } from "@hypecast/contracts/shot.ts";
import {
  AT_BLOCKS,
  AT_CONTRAST,
  BLOCK_COLUMNS,
  BLOCK_ROWS,
  BLOCKS,
  FRAME_WIDTH,
  shiftOf,
  SIGNATURE_BYTES,
} from "../signals/signature.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { sceneOf } from "./scenes.ts";

/** Motion is measured between frames so far apart: shifts come in steps of two pixels, which from frame to frame is a lot. */
const PAIR_MS = 125;
/** Standard deviation of luma below which a frame is of one colour, × 2 as in the signature. */
const FLAT = 8;
/** Blocks and profiles of frames in which nothing moves differ by no more than rounding. */
const STILL = 1;
/** What a quiet camera's noise leaves of the profiles (0–255), and how much more makes 63 % of the largest motion. */
const NOISE_REST = 0.4;
const MOTION_REST = 4;
/** Bound of `framesKeys`. */
const KEYS = 8;

const DETAILS = ["sharpness", "exposure", "colourfulness", "noise", "text"] as const;
export type DetailFigures = { atMs: number } & Record<(typeof DETAILS)[number], number>;

/** The figures of single frames as the log has them, one by one, inside of their segment. */
export function detailsOf(
  detail: PictureSignals["detail"],
  startMs: number,
  durationMs: number,
): DetailFigures[] {
  const count = Math.min(detail.atMs.length, ...DETAILS.map((name) => detail[name].length));
  return Array.from({ length: count }, (_, i) => ({
    atMs: startMs + Math.max(0, Math.min(detail.atMs[i]!, durationMs)),
    sharpness: detail.sharpness[i]!,
    exposure: detail.exposure[i]!,
    colourfulness: detail.colourfulness[i]!,
    noise: detail.noise[i]!,
    text: detail.text[i]!,
  }));
}

/** What is known of a shot while it lasts: sums over its frames, so that a frame counts once and is then forgotten. */
export class ShotFigures {
  startMs: number;
  cut: CutKind;
  ad: boolean;
  #frames = 0;
  #flat = 0;
  #pairs = 0;
  #still = 0;
  #camera = 0;
  #object = 0;
  #inner = 0;
  #outer = 0;
  #details = 0;
  readonly #detailSums = { sharpness: 0, exposure: 0, colourfulness: 0, noise: 0, text: 0 };
  /** Over the frames that pairs are made of. */
  readonly #signatureSums = new Uint32Array(SIGNATURE_BYTES);
  /** The frame that the next pair begins with. */
  #pairMs = 0;
  #pairSignature: Uint8Array | null = null;
  #keys: string[] = [];

  constructor(startMs: number, cut: CutKind, ad: boolean) {
    this.startMs = startMs;
    this.cut = cut;
    this.ad = ad;
  }

  addFrame(atMs: number, signature: Uint8Array): void {
    this.#frames++;
    if (signature[AT_CONTRAST]! < FLAT) this.#flat++;
    const before = this.#pairSignature;
    if (before !== null && atMs - this.#pairMs < PAIR_MS) return;
    if (before !== null) this.#addPair(before, signature, (atMs - this.#pairMs) / 1000);
    this.#pairMs = atMs;
    this.#pairSignature = signature;
    for (let i = 0; i < SIGNATURE_BYTES; i++) this.#signatureSums[i]! += signature[i]!;
  }

  #addPair(a: Uint8Array, b: Uint8Array, seconds: number): void {
    this.#pairs++;
    let still = true;
    for (let i = 0; i < AT_BLOCKS + BLOCKS && still; i++) still = Math.abs(a[i]! - b[i]!) <= STILL;
    if (still) {
      this.#still++;
      return;
    }
    const shift = shiftOf(a, b);
    this.#camera += Math.min(1, Math.hypot(shift.dx, shift.dy) / FRAME_WIDTH / seconds);
    this.#object += 1 - Math.exp(-Math.max(0, shift.rest - NOISE_REST) / MOTION_REST);
    for (let row = 0; row < BLOCK_ROWS; row++)
      for (let column = 0; column < BLOCK_COLUMNS; column++) {
        const at = AT_BLOCKS + row * BLOCK_COLUMNS + column;
        const moved = Math.max(0, Math.abs(a[at]! - b[at]!) - STILL);
        if (row === 0 || column === 0 || column === BLOCK_COLUMNS - 1) this.#outer += moved;
        else this.#inner += moved;
      }
  }

  addDetail(figures: DetailFigures): void {
    this.#details++;
    for (const name of DETAILS) this.#detailSums[name] += figures[name];
  }

  addKey(key: string): void {
    if (this.#keys.at(-1) === key) return;
    this.#keys.push(key);
    // Of a long shot every second one is left out, again and again: they stay spread over all of it.
    if (this.#keys.length > 2 * KEYS) this.#keys = this.#keys.filter((_, i) => i % 2 === 0);
  }

  meanSignature(): Uint8Array {
    return Uint8Array.from(this.#signatureSums, (sum) => Math.round(sum / (this.#pairs + 1)));
  }

  shot(of: {
    channelId: string;
    epoch: number;
    endMs: number;
    cutsPerMin: number;
    novelty: number;
  }): VideoShot {
    const { channelId, epoch, endMs, cutsPerMin, novelty } = of;
    const share = (sum: number, count: number): number => round(count === 0 ? 0 : sum / count);
    const detail = (name: (typeof DETAILS)[number]): number => share(this.#detailSums[name], this.#details);
    const blackShare = share(this.#flat, this.#frames);
    const frozenShare = share(this.#still, this.#pairs);
    const cameraMotion = share(this.#camera, this.#pairs);
    const objectMotion = share(this.#object, this.#pairs);
    const outerBlocks = 2 * BLOCK_ROWS + BLOCK_COLUMNS - 2;
    const borderMotion =
      this.#inner === 0 ? 1 : this.#outer / outerBlocks / (this.#inner / (BLOCKS - outerBlocks));
    const text = detail("text");
    const sharpness = detail("sharpness");
    const colourfulness = detail("colourfulness");
    return {
      id: `${channelId}:${epoch}:${this.startMs}`,
      channelId,
      epoch,
      startMs: this.startMs,
      endMs: Math.max(endMs, this.startMs + 1),
      cut: this.cut,
      frames: this.#frames,
      ad: this.ad,
      scene: sceneOf({
        ad: this.ad,
        blackShare,
        frozenShare,
        text,
        sharpness,
        colourfulness,
        cameraMotion,
        objectMotion,
        borderMotion,
      }),
      sharpness,
      exposure: detail("exposure"),
      colourfulness,
      noise: detail("noise"),
      cameraMotion,
      objectMotion,
      blackShare,
      frozenShare,
      cutsPerMin,
      text,
      novelty: round(novelty),
      framesKeys: spread(this.#keys, KEYS),
    };
  }

  save(out: ByteWriter): void {
    out.number(this.startMs);
    out.text(this.cut);
    out.u8(this.ad ? 1 : 0);
    for (const count of [
      this.#frames,
      this.#flat,
      this.#pairs,
      this.#still,
      this.#camera,
      this.#object,
      this.#inner,
      this.#outer,
      this.#details,
      this.#pairMs,
    ])
      out.number(count);
    for (const name of DETAILS) out.number(this.#detailSums[name]);
    for (const sum of this.#signatureSums) out.uint(sum);
    out.raw(this.#pairSignature ?? new Uint8Array(0));
    out.uint(this.#keys.length);
    for (const key of this.#keys) out.text(key);
  }

  static load(bytes: ByteReader): ShotFigures {
    const figures = new ShotFigures(bytes.number(), bytes.text() as CutKind, bytes.u8() === 1);
    figures.#frames = bytes.number();
    figures.#flat = bytes.number();
    figures.#pairs = bytes.number();
    figures.#still = bytes.number();
    figures.#camera = bytes.number();
    figures.#object = bytes.number();
    figures.#inner = bytes.number();
    figures.#outer = bytes.number();
    figures.#details = bytes.number();
    figures.#pairMs = bytes.number();
    for (const name of DETAILS) figures.#detailSums[name] = bytes.number();
    for (let i = 0; i < SIGNATURE_BYTES; i++) figures.#signatureSums[i] = bytes.uint();
    const pair = bytes.raw();
    figures.#pairSignature = pair.length === 0 ? null : pair;
    for (let left = bytes.uint(); left > 0; left--) figures.#keys.push(bytes.text());
    return figures;
  }
}

const spread = (keys: readonly string[], count: number): string[] =>
  keys.length <= count
    ? [...keys]
    : Array.from({ length: count }, (_, i) => keys[Math.floor((i * keys.length) / count)]!);

const round = (value: number): number => Math.round(value * 1000) / 1000;
