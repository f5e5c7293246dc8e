/** Frames that models look at: small enough to keep, and the same size as those that cuts are found in. */
export const FRAME_WIDTH = 64;
export const FRAME_HEIGHT = 36;
export const FRAME_BYTES = FRAME_WIDTH * FRAME_HEIGHT * 3;
const HEAD_BYTES = 8;

export interface SampledFrame {
  /** Wall-clock ms (the stream's clock). */
  readonly atMs: number;
  /** RGB, FRAME_BYTES. */
  readonly rgb: Uint8Array;
}

/** A segment's sampled frames as one object of `objects`: each its time (float64, little-endian), then its pixels. */
export function packFrames(frames: readonly SampledFrame[]): Buffer {
  const packed = Buffer.alloc(frames.length * (HEAD_BYTES + FRAME_BYTES));
  for (const [i, { atMs, rgb }] of frames.entries()) {
    if (rgb.length !== FRAME_BYTES)
      throw new Error(`a frame of ${rgb.length} bytes instead of ${FRAME_BYTES}`);
    const at = i * (HEAD_BYTES + FRAME_BYTES);
    packed.writeDoubleLE(atMs, at);
    packed.set(rgb, at + HEAD_BYTES);
  }
  return packed;
}

/** Throws on bytes that are no whole number of frames. The pixels are views into `packed`. */
export function unpackFrames(packed: Buffer): SampledFrame[] {
  const each = HEAD_BYTES + FRAME_BYTES;
  if (packed.length % each !== 0) throw new Error(`${packed.length} bytes are no frames of ${each} bytes`);
  return Array.from({ length: packed.length / each }, (_, i) => ({
    atMs: packed.readDoubleLE(i * each),
    rgb: packed.subarray(i * each + HEAD_BYTES, (i + 1) * each),
  }));
}
