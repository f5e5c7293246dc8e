import { createRandom } from "../random.ts";
import { colour, colours, HEIGHT, Raster, WIDTH } from "./raster.ts";
import { ink } from "./sprites.ts";

/** Top of the ground that the hero runs on. */
export const GROUND = 150;
/** Pixels that the world moves a frame, while he runs. */
export const PACE = 3;

/** What stands behind the play: layers from far to near, each with its share of the pace. */
export interface Place {
  readonly still: Raster;
  readonly layers: readonly { readonly raster: Raster; readonly share: number }[];
  readonly ground: Raster;
  /** Over all else, each frame. */
  readonly air: (raster: Raster, frame: number) => void;
}

const LONG = 640;
const layer = (): Raster => new Raster(LONG, HEIGHT);

function castle(raster: Raster, stone: number, window: number, seed: number, base: number): void {
  const random = createRandom(seed);
  for (let x = 0; x < LONG;) {
    const width = random.int(26, 64);
    const top = base - random.int(18, 62);
    raster.fill(x, top, width - 4, HEIGHT - top, stone);
    for (let tooth = 0; tooth < width - 6; tooth += 8) raster.fill(x + tooth, top - 5, 5, 5, stone);
    for (let i = 0; i < 3; i++)
      if (random.chance(0.5)) raster.fill(x + 6 + i * 12, top + random.int(8, 26), 3, 6, window);
    x += width;
  }
}

function stars(raster: Raster, seed: number, count: number, below: number): void {
  const random = createRandom(seed);
  const tints = colours("#ffffff", "#b8a8d8", "#7a6a9e");
  for (let i = 0; i < count; i++)
    raster.dot(random.int(0, raster.width - 1), random.int(0, below), random.pick(tints));
}

/** Slabs with joints, and a light edge to run on. */
function slabs(top: number, light: number, stone: number, joint: number, seed: number): Raster {
  const raster = layer();
  const random = createRandom(seed);
  raster.fill(0, top, LONG, HEIGHT - top, stone);
  raster.fill(0, top, LONG, 2, light);
  raster.fill(0, top + 11, LONG, 1, joint);
  for (let x = 0; x < LONG; x += 20) {
    raster.fill(x, top + 2, 1, 9, joint);
    raster.fill(x + 10, top + 12, 1, HEIGHT, joint);
    if (random.chance(0.4))
      raster.fill(x + random.int(3, 12), top + random.int(4, 8), random.int(2, 5), 1, joint);
  }
  return raster;
}

function bricks(raster: Raster, wall: number, joint: number, light: number, seed: number): void {
  const random = createRandom(seed);
  raster.clear(wall);
  for (let y = 0; y < HEIGHT; y += 9) {
    raster.fill(0, y, raster.width, 1, joint);
    for (let x = (y / 9) % 2 === 0 ? 0 : 10; x < raster.width; x += 20) {
      raster.fill(x, y, 1, 9, joint);
      if (random.chance(0.12)) raster.fill(x + 2, y + 2, 17, 6, light);
    }
  }
}

/** Bits of fire that rise; each keeps its own column and pace. */
export function embers(
  raster: Raster,
  frame: number,
  count: number,
  tints: readonly number[],
  seed = 3,
): void {
  for (let i = 0; i < count; i++) {
    const own = (i * 7_919 + seed * 104_729) % 9_973;
    const y = HEIGHT - ((frame * (0.4 + (own % 7) / 8) + own) % (HEIGHT + 20));
    const x = ((own * 37) % WIDTH) + Math.sin(frame / 17 + own) * 5;
    raster.dot(x, y, tints[own % tints.length] ?? 0);
    if (own % 3 === 0) raster.dot(x + 1, y, tints[own % tints.length] ?? 0);
  }
}

function torches(raster: Raster, xs: readonly number[], y: number): void {
  for (const x of xs) {
    raster.fill(x, y, 3, 14, ink.brown);
    raster.fill(x - 2, y, 7, 2, ink.darkBrown);
    raster.disc(x + 1, y - 4, 4, ink.orange);
    raster.disc(x + 1, y - 3, 2, ink.yellow);
  }
}

const none = (): void => undefined;

function gate(variant: number): Place {
  const dusk = variant > 0;
  const still = new Raster();
  still.gradient(
    0,
    0,
    WIDTH,
    HEIGHT,
    dusk
      ? colours("#2a1644", "#7a2f5c", "#d8654a", "#f2b25e")
      : colours("#150c2c", "#2a1850", "#4b2a78", "#7a4a9c"),
  );
  if (!dusk) stars(still, 5, 90, 90);
  still.disc(76, 40, 17, colour(dusk ? "#ffd98a" : "#efe6ff"));
  still.disc(dusk ? 76 : 70, dusk ? 40 : 36, dusk ? 12 : 14, colour(dusk ? "#fff0b8" : "#d9cbf2"));
  const far = layer();
  castle(far, colour(dusk ? "#5c2450" : "#33205c"), colour(dusk ? "#5c2450" : "#33205c"), 11, 128);
  const near = layer();
  castle(near, colour(dusk ? "#3a1740" : "#1f1340"), colour("#f4c04e"), 23, 148);
  if (dusk)
    for (const x of [150, 470]) {
      near.fill(x, 96, 4, 60, ink.brown);
      near.fill(x - 34, 100, 32, 11, ink.gold);
      near.fill(x + 6, 112, 32, 11, ink.gold);
      near.text(x - 26, 102, "1", ink.darkBrown);
      near.text(x + 18, 114, "2", ink.darkBrown);
    }
  torches(near, [40, 240, 360, 560], 118);
  return {
    still,
    layers: [
      { raster: far, share: 0.25 },
      { raster: near, share: 0.5 },
    ],
    ground: slabs(GROUND, colour("#8a74b8"), colour("#3b2a66"), colour("#251a48"), 7),
    air: none,
  };
}

function cave(variant: number): Place {
  const hot = variant > 0;
  const still = new Raster();
  still.gradient(
    0,
    0,
    WIDTH,
    HEIGHT,
    hot ? colours("#3a0a0c", "#8a2014", "#e0561c") : colours("#22101f", "#4c1830", "#8c3030"),
  );
  const far = layer();
  const random = createRandom(31 + variant);
  const rock = colour(hot ? "#5a1a16" : "#3a1420");
  const rockLight = colour(hot ? "#8a3018" : "#5c2430");
  for (let x = 0; x < LONG; x += 14) {
    const hang = random.int(8, 58);
    for (let i = 0; i < hang; i++)
      far.fill(x + (i / hang) * 8, i, 16 - (i / hang) * 15, 1, i < 3 ? rockLight : rock);
    const rise = random.int(10, 46);
    for (let i = 0; i < rise; i++) far.fill(x - 4 + (i / rise) * 10, 156 - i, 22 - (i / rise) * 20, 1, rock);
  }
  const near = layer();
  const dark = colour(hot ? "#30090c" : "#1e0a14");
  for (let x = 0; x < LONG; x += 40) {
    const hang = random.int(4, 34);
    for (let i = 0; i < hang; i++) near.fill(x + i / 3, i, 30 - (i / hang) * 28, 1, dark);
  }
  near.fill(0, 0, LONG, 5, dark);
  const tints = colours("#ffb03a", "#ff6a1f", "#ffe07a");
  return {
    still,
    layers: [
      { raster: far, share: 0.3 },
      { raster: near, share: 0.75 },
    ],
    ground: slabs(GROUND, colour("#b0583a"), colour("#4a2430"), colour("#2a1018"), 9),
    air: (raster, frame) => embers(raster, frame, 34, tints),
  };
}

function spikes(): Place {
  const still = new Raster();
  still.clear(colour("#101c2c"));
  const far = layer();
  bricks(far, colour("#22384e"), colour("#182a3e"), colour("#2b4660"), 41);
  const near = layer();
  for (let x = 0; x < LONG; x += 106) {
    near.fill(x, 0, 22, HEIGHT, colour("#16273a"));
    near.fill(x + 2, 0, 3, HEIGHT, colour("#3d6080"));
    near.fill(x + 40, 46, 24, 40, colour("#0c1522"));
    for (let bar = 0; bar < 24; bar += 6) near.fill(x + 40 + bar, 46, 2, 40, colour("#54708c"));
  }
  near.fill(0, 0, LONG, 12, colour("#16273a"));
  for (let x = 0; x < LONG; x += 8)
    for (let i = 0; i < 10; i++)
      near.fill(x + i * 0.4, 12 + i, 8 - i * 0.8, 1, i < 6 ? colour("#7f97ad") : ink.steel);
  return {
    still,
    layers: [
      { raster: far, share: 0.5 },
      { raster: near, share: 0.85 },
    ],
    ground: slabs(GROUND, colour("#9fc3dc"), colour("#35526c"), colour("#203448"), 13),
    air: none,
  };
}

function hall(variant: number): Place {
  const still = new Raster();
  const far = layer();
  const near = layer();
  const random = createRandom(61 + variant);
  if (variant === 2) {
    // The bridge: out of doors, in fog.
    still.gradient(0, 0, WIDTH, HEIGHT, colours("#3d5f6e", "#6f9aa0", "#b8ccc0", "#dfe3cc"));
    castle(far, colour("#86a9aa"), colour("#86a9aa"), 71, 140);
    for (let x = 0; x < LONG; x += 80) {
      near.fill(x, 60, 7, 96, colour("#4c3a3a"));
      for (let i = 0; i < 80; i++)
        near.fill(x + i, 66 + 44 * (1 - ((i - 40) / 40) ** 2), 1, 2, colour("#6b5648"));
    }
    return {
      still,
      layers: [
        { raster: far, share: 0.2 },
        { raster: near, share: 0.9 },
      ],
      ground: slabs(GROUND, colour("#d0ae7c"), colour("#7c5a44"), colour("#4c3a3a"), 17),
      air: (raster, frame) => {
        for (let i = 0; i < 3; i++)
          raster.shade(
            (((frame * (i + 1)) / 3 + i * 140) % 460) - 130,
            108 + i * 14,
            120,
            6,
            colour("#dfe3cc"),
          );
      },
    };
  }
  const library = variant === 1;
  still.clear(colour(library ? "#1d1712" : "#1a1026"));
  bricks(
    far,
    colour(library ? "#3a2b1e" : "#2e1d42"),
    colour(library ? "#2b2016" : "#241634"),
    colour(library ? "#453424" : "#3a2652"),
    43,
  );
  for (let x = 0; x < LONG; x += 80)
    if (library) {
      near.fill(x + 6, 34, 66, 118, colour("#5c3d22"));
      for (let row = 0; row < 5; row++) {
        near.fill(x + 9, 38 + row * 22, 60, 19, colour("#2b1a10"));
        const books = colours("#a83c32", "#3c6ea8", "#c8a04a", "#4f8a5a", "#7a4a86");
        for (let book = x + 10; book < x + 66;) {
          const wide = random.int(3, 6);
          const tall = random.int(11, 17);
          near.fill(book, 57 + row * 22 - tall, wide - 1, tall, random.pick(books));
          book += wide;
        }
      }
    } else {
      near.fill(x, 0, 18, HEIGHT, colour("#4b3168"));
      near.fill(x + 2, 0, 3, HEIGHT, colour("#7a56a0"));
      near.fill(x - 3, 0, 24, 8, colour("#5c3f7c"));
      near.fill(x - 3, 138, 24, 14, colour("#5c3f7c"));
      // A knight's armour on its stand.
      near.fill(x + 44, 92, 14, 12, ink.steel);
      near.fill(x + 46, 97, 10, 2, ink.black);
      near.fill(x + 40, 105, 22, 26, ink.grey);
      near.fill(x + 42, 107, 4, 22, ink.steel);
      near.fill(x + 43, 131, 6, 14, ink.grey);
      near.fill(x + 53, 131, 6, 14, ink.grey);
      near.fill(x + 66, 82, 2, 66, ink.brown);
      near.fill(x + 64, 74, 6, 10, ink.steel);
      near.fill(x + 40, 145, 24, 6, colour("#5c3f7c"));
    }
  return {
    still,
    layers: [
      { raster: far, share: 0.4 },
      { raster: near, share: 0.8 },
    ],
    ground: slabs(GROUND, library ? ink.gold : ink.red, library ? ink.brown : ink.darkRed, ink.darkBrown, 19),
    air: none,
  };
}

function arena(throne: boolean): Place {
  const still = new Raster();
  still.gradient(
    0,
    0,
    WIDTH,
    HEIGHT,
    throne ? colours("#0d0a12", "#2a1018", "#5a1c1c") : colours("#241136", "#3a1c52", "#54306c"),
  );
  if (!throne) stars(still, 8, 50, 60);
  const wall = throne ? colour("#1c131c") : colour("#2c1846");
  const light = throne ? colour("#47262c") : colour("#46286a");
  for (let x = -6; x < WIDTH; x += 54) {
    still.fill(x, 0, 20, GROUND, wall);
    still.fill(x + 2, 0, 3, GROUND, light);
    still.fill(x - 4, 0, 28, 7, light);
    if (throne) {
      still.fill(x + 28, 30, 16, 60, ink.darkRed);
      still.fill(x + 32, 34, 8, 52, ink.red);
      still.fill(x + 35, 40, 2, 40, ink.orange);
    } else still.fill(x + 30, 44, 12, 34, colour("#1a0f2c"));
  }
  still.fill(0, 128, WIDTH, 24, wall);
  const ground = slabs(
    GROUND,
    throne ? ink.orange : colour("#a07cc8"),
    throne ? colour("#3a2024") : colour("#40265c"),
    throne ? ink.black : colour("#241438"),
    29,
  );
  const tints = throne ? colours("#ff7a2a", "#8a8694", "#55526a") : colours("#c8a0e8", "#7a56a0");
  return {
    still,
    layers: [],
    ground,
    air: (raster, frame) => embers(raster, frame, throne ? 40 : 12, tints, 5),
  };
}

function camp(variant: number): Place {
  const still = new Raster();
  still.gradient(
    0,
    0,
    WIDTH,
    HEIGHT,
    variant > 0 ? colours("#05101c", "#0c2438", "#1c4450") : colours("#0a0a1e", "#161638", "#2c2450"),
  );
  stars(still, 17 + variant, 130, 100);
  const tree = colour(variant > 0 ? "#081a20" : "#0c0a1c");
  const random = createRandom(51 + variant);
  for (let x = -10; x < WIDTH + 10; x += 15) {
    const tall = random.int(38, 84);
    for (let i = 0; i < tall; i++) {
      const half = ((i % 18) / 18) * 7 + (i / tall) * 8;
      still.fill(x - half, GROUND - tall + i, half * 2, 1, tree);
    }
  }
  const ground = slabs(GROUND, colour("#54503a"), colour("#2a2c22"), colour("#1c1e18"), 37);
  const tints = colours("#ffb03a", "#ff6a1f", "#ffe07a");
  return {
    still,
    layers: [],
    ground,
    air: (raster, frame) => {
      const x = 168;
      raster.shade(x - 60, GROUND + 2, 120, 10, ink.orange);
      raster.fill(x - 14, GROUND - 4, 28, 4, ink.brown);
      raster.fill(x - 9, GROUND - 7, 18, 3, ink.darkBrown);
      for (let i = 0; i < 9; i++) {
        const tall = 12 + 8 * Math.sin(frame / 3 + i * 1.7) + 6 * Math.sin(frame / 5 + i);
        raster.fill(
          x - 11 + i * 2.4,
          GROUND - 6 - tall * (1 - Math.abs(i - 4) / 6),
          3,
          tall,
          i % 3 === 0 ? ink.red : ink.orange,
        );
        raster.fill(
          x - 8 + i * 1.8,
          GROUND - 5 - tall * 0.5 * (1 - Math.abs(i - 4) / 6),
          2,
          tall * 0.5,
          ink.yellow,
        );
      }
      for (let i = 0; i < 14; i++) {
        const rise = (frame * (0.6 + (i % 5) / 6) + i * 31) % 90;
        raster.dot(x + Math.sin(frame / 11 + i * 2) * (4 + rise / 6), GROUND - 14 - rise, tints[i % 3] ?? 0);
      }
    },
  };
}

function secret(): Place {
  const still = new Raster();
  bricks(still, colour("#2c2338"), colour("#1e1828"), colour("#3a2f48"), 77);
  still.gradient(96, 20, 128, 130, colours("#5c4a1c", "#a8842c", "#e8c04a"));
  still.frame(94, 18, 132, 134, ink.gold);
  still.frame(92, 16, 136, 138, ink.brown);
  const random = createRandom(88);
  for (let i = 0; i < 260; i++) {
    const x = random.int(100, 216);
    const heap = 38 * (1 - ((x - 158) / 62) ** 2);
    const y = GROUND - random.next() * Math.max(2, heap);
    still.fill(x, y - 2, 3, 3, random.pick([ink.gold, ink.yellow, ink.orange]));
    still.dot(x, y - 2, ink.white);
  }
  still.fill(136, 104, 44, 26, ink.brown);
  still.fill(136, 104, 44, 9, colour("#8a5a36"));
  still.fill(155, 110, 7, 8, ink.yellow);
  still.frame(136, 104, 44, 26, ink.darkBrown);
  for (const [x, tint] of [
    [112, ink.cyan],
    [196, ink.pink],
    [206, ink.green],
  ] as const) {
    still.disc(x, 138, 5, tint);
    still.dot(x - 2, 135, ink.white);
  }
  return {
    still,
    layers: [],
    ground: slabs(GROUND, ink.gold, colour("#4a3a58"), colour("#2c2338"), 39),
    air: (raster, frame) => {
      for (let i = 0; i < 22; i++) {
        const bright = (frame + i * 13) % 40;
        if (bright > 6) continue;
        const [x, y] = [104 + ((i * 53) % 112), 100 + ((i * 29) % 46)];
        const arm = bright < 4 ? bright : 7 - bright;
        raster.fill(x - arm, y, arm * 2 + 1, 1, ink.white);
        raster.fill(x, y - arm, 1, arm * 2 + 1, ink.white);
      }
    },
  };
}

function after(): Place {
  const still = new Raster();
  still.gradient(0, 0, WIDTH, HEIGHT, colours("#2c2a5c", "#8a4a7a", "#f08a5c", "#ffd88a", "#fff2c8"));
  still.disc(160, 132, 26, colour("#fff2c8"));
  const ruin = new Raster(LONG, HEIGHT);
  castle(ruin, colour("#3a2448"), colour("#3a2448"), 91, 160);
  return {
    still,
    layers: [{ raster: ruin, share: 0.1 }],
    ground: slabs(166, colour("#6a4a5c"), colour("#2c1c38"), colour("#2c1c38"), 15),
    air: none,
  };
}

/** The card of the technical pause: nothing of it moves. */
function pause(): Place {
  const still = new Raster();
  still.clear(colour("#1b1626"));
  for (let y = 0; y < HEIGHT; y += 20)
    for (let x = 0; x < WIDTH; x += 20) if ((x + y) % 40 === 0) still.fill(x, y, 20, 20, colour("#211b2e"));
  still.fill(0, 54, WIDTH, 72, ink.black);
  still.fill(0, 54, WIDTH, 2, ink.gold);
  still.fill(0, 124, WIDTH, 2, ink.gold);
  still.title(160, 68, "ТЕХНИЧЕСКАЯ", ink.white, ink.black, 3);
  still.title(160, 95, "ПАУЗА", ink.gold, ink.black, 3);
  return { still, layers: [], ground: new Raster(), air: none };
}

const made = new Map<string, Place>();
/** Drawn when it is first seen, and kept. */
export function placeOf(look: string, variant: number): Place {
  const name = `${look}-${variant}`;
  const known = made.get(name);
  if (known !== undefined) return known;
  const drawn: Readonly<Record<string, () => Place>> = {
    gate: () => gate(variant),
    cave: () => cave(variant),
    spikes,
    hall: () => hall(variant),
    gatekeeper: () => arena(false),
    throne: () => arena(true),
    camp: () => camp(variant),
    secret,
    after,
    pause,
  };
  const place = (drawn[look] ?? after)();
  made.set(name, place);
  return place;
}
