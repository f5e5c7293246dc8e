import { encodePng } from "./png.ts";

/** Emotes are drawn on 14 × 14 cells, so that Twitch's 28, 56 and 112 pixels are whole multiples. */
const SIZE = 14;

const COLORS: Readonly<Record<string, string>> = {
  K: "#17131c",
  W: "#ffffff",
  R: "#dd4f5e",
  P: "#f7a8c4",
  B: "#6fc3ff",
  D: "#2f6fb4",
  G: "#8a8791",
  S: "#c9c6d1",
  Y: "#f0e040",
  O: "#e8702a",
  N: "#5b3a29",
  L: "#2bb78d",
  V: "#8a5cf0",
  F: "#ffd27a",
  M: "#4a4753",
};

const LAMP = [
  "....KGGGGK....",
  "....K....K....",
  "...KKKKKKKK...",
  "..KCCCCCCCCK..",
  ".KCCCCCCCCCCK.",
  ".KCCCCCCCCCCK.",
  ".KCCCCCCCCCCK.",
  ".KCCCCCCCCCCK.",
  ".KCCCCCCCCCCK.",
  ".KCCCCCCCCCCK.",
  ".KCCCCCCCCCCK.",
  "..KCCCCCCCCK..",
  "...KKKKKKKK...",
  "..KGGGGGGGGK..",
];
const ROUND = [
  "....KKKKKK....",
  "..KKCCCCCCKK..",
  ".KCCCCCCCCCCK.",
  ".KCCCCCCCCCCK.",
  "KCCCCCCCCCCCCK",
  "KCCCCCCCCCCCCK",
  "KCCCCCCCCCCCCK",
  "KCCCCCCCCCCCCK",
  "KCCCCCCCCCCCCK",
  "KCCCCCCCCCCCCK",
  ".KCCCCCCCCCCK.",
  ".KCCCCCCCCCCK.",
  "..KKCCCCCCKK..",
  "....KKKKKK....",
];
const FROG = [
  "...KKK..KKK...",
  "..KCCCKKCCCK..",
  "..KCCCCCCCCK..",
  ".KCCCCCCCCCCK.",
  ".KCCCCCCCCCCK.",
  "KCCCCCCCCCCCCK",
  "KCCCCCCCCCCCCK",
  "KCCCCCCCCCCCCK",
  "KCCCCCCCCCCCCK",
  "KCCCCCCCCCCCCK",
  ".KCCCCCCCCCCK.",
  ".KCCCCCCCCCCK.",
  "..KKCCCCCCKK..",
  "....KKKKKK....",
];
const CAT = [
  ".K..........K.",
  "KCK........KCK",
  "KCCK......KCCK",
  "KCPCKKKKKKCPCK",
  "KCCCCCCCCCCCCK",
  "KCCCCCCCCCCCCK",
  "KCCCCCCCCCCCCK",
  "KCCCCCCCCCCCCK",
  "KCCCCCCCCCCCCK",
  "KCCCCCCCCCCCCK",
  ".KCCCCCCCCCCK.",
  ".KCCCCCCCCCCK.",
  "..KKCCCCCCKK..",
  "....KKKKKK....",
];
const LEAF = [
  "...........KK.",
  ".......KKKKCK.",
  ".....KKCCCCCK.",
  "....KCCCCCCCK.",
  "...KCCCCCCCCK.",
  "..KCCCCCCCCK..",
  "..KCCCCCCCCK..",
  ".KCCCCCCCCCK..",
  ".KCCCCCCCCK...",
  ".KCCCCCCCCK...",
  ".KCCCCCCKK....",
  "..KCCCKK......",
  ".KNKKK........",
  "KNK...........",
];

/** Faces are 10 × 7, laid over a body at column 2, row 4. */
const FACES: Readonly<Record<string, readonly string[]>> = {
  laugh: [".KK....KK.", "K..K..K..K", "..........", ".KKKKKKKK.", ".KWWWWWWK.", ".KRRPPRRK.", "..KKKKKK.."],
  cry: [".KK....KK.", "K..K..K..K", "B........B", "BKKKKKKKKB", "BKWWWWWWKB", "BKRRPPRRKB", "..KKKKKK.."],
  shock: ["WWWW..WWWW", "WKKW..WKKW", "WKKW..WKKW", "WWWW..WWWW", "....KK....", "...KRRK...", "....KK...."],
  go: [".KK....KK.", ".KK....KK.", "..........", "K........K", ".KKKKKKKK.", "..KWWWWK..", "...KKKK..."],
  sad: ["..K....K..", ".K......K.", ".KK....KK.", ".KB....BK.", "..B....B..", "...KKKK...", "..K....K.."],
  love: [".R.R..R.R.", ".RRR..RRR.", "..R....R..", "P........P", ".K......K.", "..KKKKKK..", ".........."],
  rage: ["KK......KK", "..KK..KK..", "..WK..KW..", "..........", ".KKKKKKKK.", ".KWKWKWKK.", ".KKKKKKKK."],
  ew: ["..........", ".KKK...KK.", "......K...", "..K..K..K.", ".K.KK.KK..", "..........", "....LL...."],
  sleep: ["......KKK.", ".......K..", "......KKK.", ".KKK......", "..........", "....KK....", "....KK...."],
  grin: [".KK....KK.", ".KK....KK.", "..........", "KKKKKKKKKK", "KWKWWKWWKK", ".KWWWWWWK.", "..KKKKKK.."],
  smirk: [".KK...KKK.", ".KK....KK.", "..........", "..........", "......KK..", ".KKKKKK...", ".........."],
  wow: [".KK....KK.", "WKK....KKW", "..........", "...KKKK...", "..KRRRRK..", "..KRRRRK..", "...KKKK..."],
  palm: [".KK.FFFF..", ".KKFFFFFF.", "...FKFKFF.", "...FKFKFF.", "KKKFKFKFF.", "....FFFFF.", "......FFF."],
  brow: ["KKK.......", "....KKKK..", ".KK...KK..", ".KK...KK..", "..........", "...KKKK...", ".........."],
  sweat: ["WWW...WWWB", "WKW...WKWB", "WWW...WWW.", "..........", ".KKKKKKKK.", ".K.K.K.KK.", ".........."],
  brave: ["..........", ".KKK..KKK.", ".B......B.", ".B......B.", ".K......K.", "..KKKKKK..", ".........."],
  ez: ["KKKKKKKKKK", "KDDK..KDDK", ".KK....KK.", "..........", "......K...", ".KKKKK....", ".........."],
  dank: ["RWWR..RWWR", "WKKW..WKKW", "RWWR..RWWR", "..........", ".KKKKKKKK.", "K.K.KK.K.K", ".........."],
  omega: ["KKK....KKK", "..........", ".KKKKKKKK.", "KRRRRRRRRK", "KRRRRRRRRK", "KRRPPPPRRK", ".KKKKKKKK."],
  cat: ["..........", ".KK....KK.", ".KW....KW.", "..........", "....PP....", "K..K..K..K", ".........."],
};

const SPRITES: Readonly<Record<string, readonly string[]>> = {
  fire: [
    "......K.......",
    ".....KOK......",
    ".....KOOK.....",
    "....KOOOK..K..",
    "....KOOOOKKOK.",
    "..KKOOOOOOOOK.",
    ".KOOOOYYOOOOK.",
    ".KOOOYYYYOOOOK",
    "KOOOYYWYYOOOOK",
    "KOOOYKWKYYOOOK",
    "KOOYYWWWYYOOOK",
    ".KOOYWKWYYOOK.",
    "..KOOYYYYOOK..",
    "...KKKKKKKK...",
  ],
  sword: [
    "...........KKK",
    "..........KSWK",
    ".........KSWSK",
    "........KSWSK.",
    ".......KSWSK..",
    "......KSWSK...",
    ".K...KSWSK....",
    ".YK.KSWSK.....",
    "..YKSWSK......",
    "..KYYSK.......",
    "..NKYYK.......",
    ".NNK.KYK......",
    "KNNK..K.......",
    "KKK...........",
  ],
  "sword-wall": [
    "MMMMKMMMMMKMMM",
    "KKKKKKKKKKKKKK",
    "MMKMMMMMKMMMMM",
    "MMKMMKKKKMMMMM",
    "KKKKKSWKKKKKKK",
    "MMMKKSWSKKMMMM",
    "MMMMKKSWSKKMMM",
    "KKKKKKKSWSKKKK",
    "MMKMMMMKSWYKMM",
    "MMKMMMMMKYYKMM",
    "KKKKKKKKYYKNKK",
    "MMMMKMMMKKNNNK",
    "MMMMKMMMMMKNNK",
    "KKKKKKKKKKKKKK",
  ],
  heart: [
    "..............",
    "..KKK....KKK..",
    ".KRRRK..KRRRK.",
    "KRPWRRKKRRRRRK",
    "KRWRRRRRRRRRRK",
    "KRRRRRRRRRRRRK",
    "KRRRRRRRRRRRRK",
    ".KRRRRRRRRRRK.",
    "..KRRRRRRRRK..",
    "...KRRRRRRK...",
    "....KRRRRK....",
    ".....KRRK.....",
    "......KK......",
    "..............",
  ],
  thumb: [
    "......KKK.....",
    ".....KFFK.....",
    ".....KFFK.....",
    "....KFFFK.....",
    "....KFFK......",
    "...KFFFKKKKK..",
    "KKKFFFFFFFFFK.",
    "KBKFFFFFFKKKK.",
    "KBKFFFFFFFFFFK",
    "KBKFFFFFFKKKK.",
    "KBKFFFFFFFFFK.",
    "KBKFFFFFFKKK..",
    "KKKKFFFFFFFK..",
    "....KKKKKKK...",
  ],
  wave: [
    "...KK.KK......",
    "..KFFKFFKKK...",
    "..KFFKFFKFFK..",
    "KKKFFKFFKFFK..",
    "KFFKFFFFFFFK..",
    "KFFFFFFFFFFK.K",
    ".KFFFFFFFFFKK.",
    "..KFFFFFFFFK..",
    "..KFFFFFFFFK.K",
    "...KFFFFFFK.K.",
    "...KFFFFFFK...",
    "....KFFFFK....",
    "....KDDDDK....",
    "....KDDDDK....",
  ],
  clap: [
    "..K...K...K...",
    "...K..K..K....",
    "..............",
    "....KKK.KKK...",
    "...KFFFKFFFK..",
    "..KFFFFKFFFFK.",
    ".KFFFFFKFFFFFK",
    "KFFFFFFKFFFFFK",
    "KFFFFFFKFFFFFK",
    ".KFFFFFKFFFFK.",
    ".KFFFFFKFFFFK.",
    "..KFFFFKFFFK..",
    "..KDDDDKDDDK..",
    "..KDDDDKDDDK..",
  ],
  rain: [
    "....KKKKKK....",
    "..KKSSSSSSKK..",
    ".KSSSSSSSSSSK.",
    "KSSSSSSSSSSSSK",
    "KSSSSSSSSSSSSK",
    ".KKKKKKKKKKKK.",
    "..............",
    "..B...B...B...",
    ".DB..DB..DB...",
    ".....B...B..B.",
    "..B.DB..DB.DB.",
    ".DB...B...B...",
    "....DB...DB...",
    "..............",
  ],
};

/** Every face that emotes.ts names: a sprite of its own, or a body in a colour with a face. */
const DRAWN: Readonly<Record<string, readonly [body: readonly string[], color: string, face: string]>> = {
  "lamp-laugh": [LAMP, "#f0a80e", "laugh"],
  "lamp-shock": [LAMP, "#56b4e9", "shock"],
  "lamp-go": [LAMP, "#f0e040", "go"],
  "lamp-sad": [LAMP, "#4a8fd0", "sad"],
  "lamp-love": [LAMP, "#e08fc0", "love"],
  "lamp-rage": [LAMP, "#e8702a", "rage"],
  "lamp-ew": [LAMP, "#2bb78d", "ew"],
  "lamp-sleep": [LAMP, "#a99ad0", "sleep"],
  cat: [CAT, "#c9c6d1", "cat"],
  "cat-love": [CAT, "#c9c6d1", "love"],
  "cat-jam": [CAT, "#f4f1ec", "sleep"],
  leaf: [LEAF, "#6fbf5a", "go"],
  "leaf-love": [LEAF, "#6fbf5a", "love"],
  smirk: [ROUND, "#d9c7b8", "smirk"],
  grin: [ROUND, "#e0b48c", "grin"],
  wow: [ROUND, "#e8b878", "wow"],
  tears: [ROUND, "#b58b6a", "sad"],
  palm: [ROUND, "#caa182", "palm"],
  brow: [ROUND, "#8d6a52", "brow"],
  kek: [ROUND, "#e7b98f", "cry"],
  lulw: [ROUND, "#f0cf9a", "laugh"],
  omega: [ROUND, "#d9a066", "omega"],
  sweat: [FROG, "#6f9f4a", "sweat"],
  brave: [FROG, "#6f9f4a", "brave"],
  hands: [FROG, "#5f8f4a", "sad"],
  pog: [FROG, "#7fb35a", "wow"],
  ez: [FROG, "#7fb35a", "ez"],
  dank: [FROG, "#9ac25a", "dank"],
  sadge: [FROG, "#5c8a66", "brave"],
};
export const drawnFaces: readonly string[] = [...Object.keys(DRAWN), ...Object.keys(SPRITES)];

const channels = (color: string): [number, number, number] =>
  [1, 3, 5].map((i) => Number.parseInt(color.slice(i, i + 2), 16)) as [number, number, number];
const mix = (color: readonly number[], other: number, share: number): number[] =>
  color.map((v) => Math.round(v + (other - v) * share));

function cells(face: string): readonly (readonly number[] | null)[] {
  const drawn = DRAWN[face];
  const rows = (drawn?.[0] ?? SPRITES[face] ?? SPRITES["heart"] ?? []).map((row) => row.split(""));
  const body = drawn === undefined ? [0, 0, 0] : channels(drawn[1]);
  for (const [y, row] of (FACES[drawn?.[2] ?? ""] ?? []).entries())
    for (const [x, letter] of row.split("").entries()) {
      const under = rows[y + 4]?.[x + 2];
      if (letter !== "." && under !== undefined && (rows[y + 4] as string[])[x + 2] !== ".")
        (rows[y + 4] as string[])[x + 2] = letter;
    }
  return rows.flatMap((row, y) =>
    row.map((letter, x) => {
      if (letter === ".") return null;
      if (letter !== "C") return channels(COLORS[letter] ?? "#000000");
      // Light falls from the upper left.
      if (y <= 3 || (y <= 5 && x <= 3)) return mix(body, 255, 0.28);
      return y >= 10 || x >= 11 ? mix(body, 0, 0.2) : body;
    }),
  );
}

const pictures = new Map<string, Buffer>();

/** The emote's picture as PNG, `pixels` wide and high: each cell as large as fits, centred, around it transparent. */
export function pictureOf(face: string, pixels: number): Buffer {
  const key = `${face}@${pixels}`;
  const known = pictures.get(key);
  if (known !== undefined) return known;
  const scale = Math.max(1, Math.floor(pixels / SIZE));
  const margin = Math.floor((pixels - scale * SIZE) / 2);
  const drawn = cells(face);
  const rgba = new Uint8Array(pixels * pixels * 4);
  for (let y = 0; y < SIZE * scale; y++)
    for (let x = 0; x < SIZE * scale; x++) {
      const color = drawn[Math.floor(y / scale) * SIZE + Math.floor(x / scale)];
      if (color) rgba.set([...color, 255], ((y + margin) * pixels + x + margin) * 4);
    }
  const png = encodePng(pixels, pixels, rgba);
  pictures.set(key, png);
  return png;
}
