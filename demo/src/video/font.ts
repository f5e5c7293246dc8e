/** A font of 5 × 7 pixels, one case. Each glyph: seven rows from the top, two hex digits each, bit 4 is the left pixel. */
export const GLYPH = { width: 5, height: 7, advance: 6 } as const;

const SHAPES: Readonly<Record<string, string>> = {
  A: "0e11111f111111",
  B: "1e11111e11111e",
  C: "0e11101010110e",
  D: "1e11111111111e",
  E: "1f10101e10101f",
  F: "1f10101e101010",
  G: "0e11101711110f",
  H: "1111111f111111",
  I: "0e04040404040e",
  J: "0702020202120c",
  K: "11121418141211",
  L: "1010101010101f",
  M: "111b1515111111",
  N: "11111915131111",
  O: "0e11111111110e",
  P: "1e11111e101010",
  Q: "0e11111115120d",
  R: "1e11111e141211",
  S: "0f10100e01011e",
  T: "1f040404040404",
  U: "1111111111110e",
  V: "11111111110a04",
  W: "1111111515150a",
  X: "11110a040a1111",
  Y: "1111110a040404",
  Z: "1f01020408101f",
  Б: "1f10101e11111e",
  Г: "1f101010101010",
  Д: "060a0a0a0a1f11",
  Ё: "0a1f101e10101f",
  Ж: "15150e040e1515",
  З: "0e11010601110e",
  И: "11111315191111",
  Й: "0a041113151911",
  Л: "07090909090911",
  П: "1f111111111111",
  У: "1111110f01110e",
  Ф: "040e1515150e04",
  Ц: "12121212121f01",
  Ч: "1111110f010101",
  Ш: "1515151515151f",
  Щ: "15151515151f01",
  Ъ: "18080e0909090e",
  Ы: "1111111d13131d",
  Ь: "1010101e11111e",
  Э: "0e11010701110e",
  Ю: "1215151d151512",
  Я: "0f11110f050911",
  "0": "0e11131519110e",
  "1": "040c040404040e",
  "2": "0e11010204081f",
  "3": "1f02040201110e",
  "4": "02060a121f0202",
  "5": "1f101e0101110e",
  "6": "0608101e11110e",
  "7": "1f010204080808",
  "8": "0e11110e11110e",
  "9": "0e11110f01020c",
  ".": "00000000000c0c",
  ",": "000000000c0408",
  "!": "04040404040004",
  "?": "0e110102040004",
  ":": "000c0c000c0c00",
  "-": "0000001f000000",
  "—": "0000001f000000",
  "%": "18190204081303",
  "[": "0e08080808080e",
  "]": "0e02020202020e",
  "·": "00000004000000",
  _: "0000000000001f",
  "+": "0004041f040400",
  "/": "00010204081000",
  "«": "00050a140a0500",
  "»": "00140a050a1400",
  "…": "00000000000015",
  "(": "02040808080402",
  ")": "08040202020408",
  "×": "00110a040a1100",
  "♥": "000a1f1f0e0400",
  "▶": "10181c1e1c1810",
};
/** Cyrillic letters that look like Latin ones. */
const SAME: Readonly<Record<string, string>> = {
  А: "A",
  В: "B",
  Е: "E",
  К: "K",
  М: "M",
  Н: "H",
  О: "O",
  Р: "P",
  С: "C",
  Т: "T",
  Х: "X",
};

const glyphs = new Map<string, readonly number[]>();
/** Seven rows of five bits; an empty row of a character that it lacks, as of a space. */
export function glyphOf(character: string): readonly number[] {
  const upper = character.toUpperCase();
  const known = glyphs.get(upper);
  if (known !== undefined) return known;
  const shape = SHAPES[SAME[upper] ?? upper] ?? "";
  const rows = Array.from({ length: GLYPH.height }, (_, row) =>
    Number.parseInt(shape.slice(row * 2, row * 2 + 2) || "0", 16),
  );
  glyphs.set(upper, rows);
  return rows;
}
export const hasGlyph = (character: string): boolean =>
  character === " " || (SAME[character.toUpperCase()] ?? character.toUpperCase()) in SHAPES;

export const textWidth = (text: string, scale = 1): number =>
  (Array.from(text).length * GLYPH.advance - 1) * scale;
