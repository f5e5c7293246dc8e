/** Profiles whose sequence parameters say the chroma format (ITU-T H.264, 7.3.2.1.1). */
const HIGH_PROFILES: ReadonlySet<number> = new Set([
  100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135,
]);

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** The first sequence parameter set in Annex B bytes; null: there is none. */
export function parametersIn(annexB: Buffer): Buffer | null {
  for (let at = annexB.indexOf(START); at >= 0; at = annexB.indexOf(START, at + 3)) {
    const nal = at + 3;
    if (((annexB[nal] ?? 0) & 0x1f) !== 7) continue;
    const next = annexB.indexOf(START, nal);
    return annexB.subarray(nal, next < 0 ? annexB.length : next);
  }
  return null;
}
const START = Buffer.from([0, 0, 1]);

/** The size that a sequence parameter set declares, after its cropping; null when it cannot be read. */
export function sizeIn(parameters: Buffer): PictureSize | null {
  const bits = bitsOf(parameters.subarray(1));
  const profile = bits.read(8);
  bits.read(16);
  bits.unsigned();
  let chroma = 1;
  if (HIGH_PROFILES.has(profile)) {
    chroma = bits.unsigned();
    if (chroma === 3) bits.read(1);
    bits.unsigned();
    bits.unsigned();
    bits.read(1);
    if (bits.read(1) === 1)
      for (let list = 0; list < (chroma === 3 ? 12 : 8); list++)
        if (bits.read(1) === 1) skipScaling(bits, list < 6 ? 16 : 64);
  }
  bits.unsigned();
  const order = bits.unsigned();
  if (order === 0) bits.unsigned();
  else if (order === 1) {
    bits.read(1);
    bits.signed();
    bits.signed();
    for (let left = Math.min(255, bits.unsigned()); left > 0; left--) bits.signed();
  }
  bits.unsigned();
  bits.read(1);
  const width = (bits.unsigned() + 1) * 16;
  const mapUnits = bits.unsigned() + 1;
  const framesOnly = bits.read(1);
  if (framesOnly === 0) bits.read(1);
  bits.read(1);
  const height = mapUnits * 16 * (2 - framesOnly);
  const crop =
    bits.read(1) === 1 ? [bits.unsigned(), bits.unsigned(), bits.unsigned(), bits.unsigned()] : [0, 0, 0, 0];
  const [left = 0, right = 0, top = 0, bottom = 0] = crop;
  const stepX = chroma === 1 || chroma === 2 ? 2 : 1;
  const stepY = (chroma === 1 ? 2 : 1) * (2 - framesOnly);
  const size = { width: width - (left + right) * stepX, height: height - (top + bottom) * stepY };
  return bits.ended() || size.width < 16 || size.height < 16 || size.width > 8192 || size.height > 8192
    ? null
    : size;
}

function skipScaling(bits: Bits, entries: number): void {
  let last = 8;
  let next = 8;
  for (let i = 0; i < entries; i++) {
    if (next !== 0) next = (last + bits.signed() + 256) % 256;
    last = next === 0 ? last : next;
  }
}

interface Bits {
  read(count: number): number;
  /** Exp-Golomb. */
  unsigned(): number;
  signed(): number;
  /** Read past the end. */
  ended(): boolean;
}

function bitsOf(escaped: Buffer): Bits {
  // 00 00 03 stands for 00 00, so that no start code can appear inside.
  const bytes: number[] = [];
  let zeros = 0;
  for (const byte of escaped) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    bytes.push(byte);
  }
  let at = 0;
  const bit = (): number => {
    const value = ((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1;
    at++;
    return value;
  };
  const read = (count: number): number => {
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 2 + bit();
    return value;
  };
  const unsigned = (): number => {
    let zeroBits = 0;
    while (zeroBits < 32 && at < bytes.length * 8 && bit() === 0) zeroBits++;
    return 2 ** zeroBits - 1 + read(zeroBits);
  };
  return {
    read,
    unsigned,
    signed() {
      const value = unsigned();
      return value % 2 === 1 ? (value + 1) / 2 : -value / 2;
    },
    ended: () => at > bytes.length * 8,
  };
}
