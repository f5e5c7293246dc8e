import { colour } from "./raster.ts";

/** What the drawings are painted with. */
export const ink = {
  black: colour("#0b0712"),
  night: colour("#140d22"),
  white: colour("#f6f1ff"),
  grey: colour("#8d86a3"),
  steel: colour("#b9c2d8"),
  blue: colour("#4fa3e3"),
  deepBlue: colour("#245a9c"),
  yellow: colour("#ffe14a"),
  gold: colour("#e8a92e"),
  orange: colour("#ff8a2a"),
  red: colour("#e2382d"),
  darkRed: colour("#8c1a24"),
  green: colour("#5fc46a"),
  skin: colour("#f0b68a"),
  blush: colour("#e0876b"),
  hair: colour("#4a2c3f"),
  wine: colour("#6b2f4d"),
  plum: colour("#50234a"),
  brown: colour("#6e4630"),
  darkBrown: colour("#3d2620"),
  cyan: colour("#7fe0ea"),
  pink: colour("#ff9ec4"),
} as const;

const HERO_KEY: Readonly<Record<string, number>> = {
  w: ink.white,
  s: ink.steel,
  k: ink.black,
  b: ink.blue,
  d: ink.deepBlue,
  y: ink.yellow,
  o: ink.brown,
};
const HEAD = ["   wwwww   ", "  wwwwwww  ", "  wskkkks  ", "  wsyksks  ", "   sssss   "];
const BODY = ["  bbbbbb   ", " sbbbbbbs  ", " sbbyybbs  ", "  bbbbbb   "];
export const hero = {
  width: 11,
  height: 14,
  key: HERO_KEY,
  stand: [...HEAD, ...BODY, "  ddddd    ", "  dd dd    ", "  oo oo    "],
  run: [
    [...HEAD, ...BODY, "  ddddd    ", " dd  dd    ", " o    oo   "],
    [...HEAD, ...BODY, "  ddddd    ", "   ddd     ", "   ooo     "],
    [...HEAD, ...BODY, "  ddddd    ", "  dd dd    ", " oo   o    "],
    [...HEAD, ...BODY, "  ddddd    ", "   dddd    ", "   oo oo   "],
  ],
  jump: [...HEAD, " bbbbbbbs  ", "s bbbbbb   ", "  bbyybb   ", "  bbbbbb   ", " ddddddd   ", " oo   oo   "],
  fall: ["s   www   s", ...HEAD, ...BODY, "  dd  dd   ", " oo    oo  "],
  sit: [...HEAD, ...BODY, "  dddddddd ", "  ooooooooo"],
} as const;

export const SKULL = [
  "  wwwwww  ",
  " wwwwwwww ",
  " wkkwwkkw ",
  " wkkwwkkw ",
  " wwwkkwww ",
  "  wwwwww  ",
  "  wkwkww  ",
];

const MONSTER_KEY: Readonly<Record<string, number>> = {
  m: ink.wine,
  p: ink.plum,
  y: ink.yellow,
  k: ink.black,
  w: ink.white,
  g: ink.gold,
  r: ink.red,
  o: ink.orange,
};
/** 24 × 22: horns, yellow eyes, teeth. Drawn at three times this. */
export const monster = {
  key: MONSTER_KEY,
  rows: [
    " mmm              mmm   ",
    " mmmm            mmmm   ",
    " mmmm            mmmm   ",
    "  mmmmmmmmmmmmmmmmmm    ",
    "  mmmmmmmmmmmmmmmmmm    ",
    " mmmmmmmmmmmmmmmmmmmm   ",
    " mmmyyyymmmmmmyyyymmm   ",
    " mmmyykymmmmmmykyymmm   ",
    " mmmyyyymmmmmmyyyymmm   ",
    " mmmmmmmmmmmmmmmmmmmm   ",
    "mmmmmmmmmmppmmmmmmmmmm  ",
    "mmmmmmmmmmmmmmmmmmmmmm  ",
    "mmmmkkkkkkkkkkkkkkmmmm  ",
    "mmmmkwkkwkkwkkwkkwmmmm  ",
    "mmmmkkkkkkkkkkkkkkmmmm  ",
    " mmmkwkkwkkwkkwkkkmmm   ",
    " mmmmmmmmmmmmmmmmmmmm   ",
    " ppmmmmmmmmmmmmmmmmpp   ",
    " pppmmmmmmmmmmmmmmppp   ",
    "  ppppmmmmmmmmmmpppp    ",
    "  pppp  pppp  ppppp     ",
    "  ppp    pp    ppp      ",
  ],
} as const;

/** The king of ashes: crown, coals for eyes, a mouth of fire. */
export const king = {
  key: { ...MONSTER_KEY, m: colour("#33313f"), p: colour("#1f1d29"), e: colour("#55526a") },
  rows: [
    "  g    g    g    g      ",
    "  gg  ggg  ggg  gg      ",
    "  gggggggggggggggg      ",
    "  grggggrggggrgggg      ",
    "  gggggggggggggggg      ",
    "  eeeeeeeeeeeeeeee      ",
    " emmmmmmmmmmmmmmmme     ",
    " emrrrmmmmmmmmrrrme     ",
    " emroormmmmmmrooorm     ",
    " emmrrmmmmmmmmrrmme     ",
    " emmmmmmmppmmmmmmme     ",
    " emmmmmmmppmmmmmmme     ",
    " emmkkkkkkkkkkkkmme     ",
    " emmkorokorokorkmme     ",
    "  emkkkkkkkkkkkkme      ",
    "   emmmmmmmmmmmme       ",
    " eeeeeeeeeeeeeeeeeee    ",
    "eemmmmmmmmmmmmmmmmmee   ",
    "emmmmpmmmmmmmmmpmmmme   ",
    "emmmmpmmmmmmmmmpmmmme   ",
    "emmmppmmmmmmmmmppmmme   ",
    " mmp pmmmmmmmmmp pmm    ",
  ],
} as const;
