/** How many AAC frames stand in a piece of an ADTS stream (ISO/IEC 13818-7). */
export function adtsFrames(data: Buffer): number {
  let frames = 0;
  for (let at = 0; at + 7 <= data.length;) {
    if (data[at] !== 0xff || (data[at + 1]! & 0xf6) !== 0xf0) break;
    const length = ((data[at + 3]! & 3) << 11) | (data[at + 4]! << 3) | (data[at + 5]! >> 5);
    if (length < 7) break;
    frames++;
    at += length;
  }
  return frames;
}
