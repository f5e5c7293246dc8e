import { events, mainEvents, scenes, type StreamEvent } from "../world.ts";
import { drawAdvert } from "./adverts.ts";
import { stampStrip } from "./counter.ts";
import { drawFacecam } from "./facecam.ts";
import { textWidth } from "./font.ts";
import { GROUND, PACE, placeOf, type Place } from "./places.ts";
import { colour, HEIGHT, Raster, WIDTH, type Veil } from "./raster.ts";
import {
  ATTEMPT,
  blackness,
  blows,
  eventOf,
  FPS,
  JUMP_MS,
  jumps,
  LOOP_FRAMES,
  movedMs,
  RESPAWN_AFTER_MS,
  screenTexts,
  shotAt,
  stopsAt,
  type Shot,
} from "./shots.ts";
import { hero, ink, king, monster, SKULL } from "./sprites.ts";

const HERO_X = 104;
const HERO_SCALE = 2;
const HERO = { width: hero.width * HERO_SCALE, height: hero.height * HERO_SCALE } as const;
const JUMP_HEIGHT = 46;
const LAVA = [colour("#ff5a1a"), colour("#ff9a2a"), colour("#ffd24a"), colour("#c8321a")] as const;
const PANEL = colour("#181026");
const near = events.filter(({ kind }) => kind === "near_miss");
const wavesOf = (a: number, b: number): number => Math.sin(a * 12.9898 + b * 78.233) * 43_758.5453;
/** A number 0–1 that two numbers always give. */
const chanceOf = (a: number, b: number): number => wavesOf(a, b) - Math.floor(wavesOf(a, b));

/** The event of a kind that has happened last, within `withinMs`. */
const recent = (
  ms: number,
  kinds: readonly StreamEvent["kind"][],
  withinMs: number,
): StreamEvent | undefined =>
  mainEvents.findLast(({ atMs, kind }) => kinds.includes(kind) && atMs <= ms && ms < atMs + withinMs);

/** Frame `frame` of the loop, drawn into `raster`; what lies over it as a whole is returned. A pure function of the frame. */
export function drawFrame(raster: Raster, frame: number): Veil | null {
  const within = ((frame % LOOP_FRAMES) + LOOP_FRAMES) % LOOP_FRAMES;
  const ms = (within * 1000) / FPS;
  const { shot } = shotAt(ms);
  const { view } = shot;
  if (view.look === "ads") drawAdvert(raster, view.variant, ms, ms - shot.fromMs);
  else if (view.look === "close-up") closeUp(raster, view.whom, ms, ms - shot.fromMs);
  else if (view.look === "fireworks") fireworks(raster, ms - shot.fromMs);
  else if (view.look === "pause") raster.scroll(placeOf("pause", 0).still, 0);
  else play(raster, shot, ms, within);
  const over = view.look !== "ads" && view.look !== "pause";
  if (over) {
    headUp(raster, shot, ms);
    writing(raster, ms);
    drawFacecam(raster, ms);
  }
  const hit = recent(ms, ["lava", "death", "boss_miss", "win"], 700);
  if (hit !== undefined && over) {
    const left = 1 - (ms - hit.atMs) / 700;
    raster.shake(
      Math.round((chanceOf(within, 1) - 0.5) * 14 * left),
      Math.round((chanceOf(within, 2) - 0.5) * 10 * left),
    );
  }
  if (recent(ms, ["glitch"], 1_500) !== undefined) tear(raster, within);
  stampStrip(raster, within);
  return veilAt(ms);
}

/** Light over everything: how strong at first, and for how long. */
const FLASHES: Partial<
  Record<StreamEvent["kind"], readonly [towards: Veil["towards"], by: number, ms: number]>
> = {
  lava: [[255, 130, 20], 0.85, 500],
  death: [[160, 0, 20], 0.8, 500],
  three_spikes: [[255, 255, 255], 0.7, 300],
  secret: [[255, 226, 120], 0.8, 500],
  win: [[255, 255, 255], 0.9, 700],
  boss_hit: [[255, 255, 255], 0.6, 250],
};
function veilAt(ms: number): Veil | null {
  const black = blackness(ms);
  if (black > 0) return { towards: [0, 0, 0], by: black };
  const event = mainEvents.findLast(({ kind, atMs }) => FLASHES[kind] !== undefined && atMs <= ms);
  const [towards, by, length] = FLASHES[event?.kind ?? "jump"] ?? [[0, 0, 0], 0, 1];
  const since = ms - (event?.atMs ?? 0);
  return since < length ? { towards, by: by * (1 - since / length) } : null;
}
/** When the picture flashes, for whoever must not take it for a cut. */
export const flashes: readonly { readonly event: string; readonly fromMs: number; readonly toMs: number }[] =
  mainEvents.flatMap(({ id, kind, atMs }) => {
    const length = FLASHES[kind]?.[2];
    return length === undefined ? [] : [{ event: id, fromMs: atMs, toMs: atMs + length }];
  });

/** How far the world has moved in its scene. */
const scrolled = (shot: Shot, ms: number): number =>
  Math.round((movedMs(shot.scene.fromMs, ms) * FPS * PACE) / 1000);
const RUNNING: readonly string[] = ["gate", "cave", "spikes", "hall"];

function backdrop(raster: Raster, place: Place, offset: number, frame: number): void {
  raster.cells.set(place.still.cells);
  for (const { raster: layer, share } of place.layers) raster.scroll(layer, offset * share);
  place.air(raster, frame);
}

function play(raster: Raster, shot: Shot, ms: number, frame: number): void {
  const { look, variant } = shot.view as { look: string; variant: number };
  const place = placeOf(look, variant);
  const runs = RUNNING.includes(look);
  const offset = runs ? scrolled(shot, ms) : 0;
  if (look === "after") {
    backdrop(raster, place, ((ms - shot.fromMs) * FPS * PACE) / 1000, frame);
    raster.scroll(place.ground, (ms - shot.fromMs) / 60);
    credits(raster, ms - shot.scene.fromMs);
    return;
  }
  backdrop(raster, place, offset, frame);
  raster.scroll(place.ground, offset);
  if (look === "gatekeeper" || look === "throne") return arena(raster, look, ms, frame);
  if (runs) obstacles(raster, shot, look, ms, frame);
  const fallen = recent(ms, ["lava"], RESPAWN_AFTER_MS);
  if (fallen !== undefined) return burn(raster, ms - fallen.atMs, frame);
  const camp = look === "camp";
  const x = camp ? 112 : look === "secret" ? 66 : HERO_X;
  heroAt(raster, x, ms, frame, { runs: runs && !stopsAt(ms), sits: camp });
  if (camp) guests(raster, ms, frame);
}

const sinceJump = (ms: number): number => ms - (jumps.findLast((atMs) => atMs <= ms) ?? -Infinity);
const jumpHeight = (ms: number): number => {
  const part = sinceJump(ms) / JUMP_MS;
  return part < 0 || part >= 1 ? 0 : JUMP_HEIGHT * 4 * part * (1 - part);
};

function heroAt(
  raster: Raster,
  x: number,
  ms: number,
  frame: number,
  { runs, sits = false }: { runs: boolean; sits?: boolean },
): void {
  const height = jumpHeight(ms) * (sits ? 0.2 : 1);
  const y = GROUND - HERO.height - height;
  const rows =
    height > 1 && !sits
      ? hero.jump
      : sits
        ? hero.sit
        : runs
          ? hero.run[Math.floor(frame / 3) % hero.run.length]
          : hero.stand;
  raster.shade(x + 2, GROUND + 1, HERO.width - 4, 3, ink.black);
  // The cape.
  const swing = runs || height > 1 ? 1 : 0.3;
  if (!sits)
    for (let i = 0; i < 15; i++) {
      const wave = Math.sin(frame / 3 - i / 3) * 2 * swing;
      raster.fill(
        x + 2 - i * swing,
        y + 10 + i * (height > 1 ? 0.2 : 0.8) + wave,
        3,
        4,
        i % 5 === 4 ? ink.darkRed : ink.red,
      );
    }
  raster.sprite(x, y, rows ?? hero.stand, hero.key, false, HERO_SCALE);
  // The sword, held out.
  if (!sits) {
    raster.fill(x + 18, y + 15, 26, 2, ink.white);
    raster.fill(x + 18, y + 17, 24, 1, ink.grey);
    raster.fill(x + 18, y + 12, 2, 9, ink.gold);
  }
  const close = near.findLast(({ atMs }) => atMs <= ms && ms < atMs + 900);
  if (close !== undefined) {
    const since = ms - close.atMs;
    raster.title(x + 11, y - 18 - since / 90, "!", ink.yellow, ink.black, 2);
    for (let i = 0; i < 8; i++)
      raster.fill(x + 18 + (since / 20) * Math.cos(i), y + 6 + (since / 20) * Math.sin(i), 2, 2, ink.yellow);
  }
}

/** What each jump goes over, and what a near miss was missed by. */
function obstacles(raster: Raster, shot: Shot, look: string, ms: number, frame: number): void {
  const here = scrolled(shot, ms);
  const placed = (atMs: number): number => HERO_X + 6 + scrolled(shot, atMs) - here;
  for (const [i, atMs] of jumps.entries()) {
    if (atMs < ms - 5_000 || atMs > ms + 6_000 || atMs < shot.scene.fromMs) continue;
    if (stopsAt(atMs + JUMP_MS / 2)) continue;
    const x = placed(atMs + JUMP_MS / 2);
    if (x < -60 || x > WIDTH + 20) continue;
    if (look === "cave") pit(raster, x - 8, 28, frame);
    else if (look === "spikes") thorns(raster, x - 6, 4 + (i % 3) * 2);
    else if (look === "hall") {
      raster.disc(x + 6, GROUND - 6, 7, ink.black);
      raster.disc(x + 5, GROUND - 7, 5, ink.grey);
      for (let spike = 0; spike < 8; spike++) {
        const turn = (spike * Math.PI) / 4 - here / 14;
        raster.fill(x + 5 + Math.cos(turn) * 9, GROUND - 7 + Math.sin(turn) * 9, 2, 2, ink.steel);
      }
    } else {
      raster.fill(x - 2, GROUND - 15, 16, 15, ink.brown);
      raster.frame(x - 2, GROUND - 15, 16, 15, ink.darkBrown);
      raster.fill(x - 2, GROUND - 9, 16, 2, ink.darkBrown);
      raster.fill(x + 5, GROUND - 15, 2, 15, ink.darkBrown);
    }
  }
  for (const { kind, atMs } of mainEvents) {
    if (atMs < ms - 6_000 || atMs > ms + 6_000 || atMs < shot.scene.fromMs) continue;
    const x = placed(atMs);
    if (kind === "lava") pit(raster, x - 12, 96, frame);
    if (kind === "three_spikes")
      for (const at of [-900, -450, 0]) thorns(raster, placed(atMs + at) + 16, 6, 20);
    if (kind === "checkpoint") {
      const lit = ms >= atMs;
      raster.fill(x + 4, GROUND - 40, 2, 40, ink.grey);
      raster.fill(
        x + 6,
        GROUND - 40 + (lit ? Math.sin(frame / 5) * 1.5 : 18),
        20,
        12,
        lit ? ink.yellow : ink.grey,
      );
    }
  }
  for (const { atMs } of near) {
    const since = ms - atMs;
    if (since < -900 || since > 900) continue;
    // A bolt of fire that passes over his head.
    const x = HERO_X + 11 - since * 0.22;
    const y = GROUND - 40 - jumpHeight(atMs);
    raster.disc(x, y, 5, LAVA[0]);
    raster.disc(x - 1, y, 3, LAVA[2]);
    for (let tail = 1; tail < 8; tail++)
      raster.dot(x + 4 + tail * 3, y + Math.sin(tail * 2 + frame) * 2, LAVA[tail % 3] ?? 0);
  }
}

function pit(raster: Raster, x: number, width: number, frame: number): void {
  raster.fill(x, GROUND, width, HEIGHT - GROUND, LAVA[3]);
  for (let column = 0; column < width; column++) {
    const top = GROUND + 4 + Math.round(Math.sin((x + column) / 6 + frame / 7) * 1.6);
    raster.fill(x + column, GROUND, 1, top - GROUND, ink.black);
    raster.fill(x + column, top, 1, 2, LAVA[2]);
    raster.fill(x + column, top + 2, 1, 6, LAVA[1]);
    raster.fill(x + column, top + 8, 1, 6, LAVA[0]);
  }
  raster.fill(x - 2, GROUND, 2, HEIGHT, ink.black);
  raster.fill(x + width, GROUND, 2, HEIGHT, ink.black);
  for (let i = 0; i < width / 14; i++) {
    const rise = (frame + i * 17) % 30;
    raster.dot(x + 6 + i * 13, GROUND + 4 - rise, LAVA[i % 3] ?? 0);
  }
}

function thorns(raster: Raster, x: number, count: number, tall = 12): void {
  for (let spike = 0; spike < count; spike++)
    for (let row = 0; row < tall; row++) {
      const half = (row / tall) * 2.6;
      raster.fill(
        x + spike * 5 + 2.5 - half,
        GROUND - tall + row,
        half * 2 + 1,
        1,
        row < 3 ? ink.white : ink.steel,
      );
    }
}

/** He sinks, flames rise, a skull goes up. */
function burn(raster: Raster, since: number, frame: number): void {
  const sunk = Math.min(20, since / 45);
  if (sunk < 16)
    raster.sprite(HERO_X, GROUND - HERO.height + sunk * 1.8 + 4, hero.fall, hero.key, false, HERO_SCALE);
  pitFront(raster, frame);
  const tall = since < 1_800 ? 64 * Math.min(1, since / 160) * (1 - since / 2_200) : 12;
  for (let i = 0; i < 26; i++) {
    const own = chanceOf(i, Math.floor(frame / 2));
    const height = tall * (0.4 + own) * (1 - Math.abs(i - 13) / 15);
    raster.fill(HERO_X - 20 + i * 2, GROUND + 4 - height, 3, height, LAVA[i % 3] ?? 0);
  }
  for (let i = 0; i < 24; i++) {
    const angle = (i / 24) * Math.PI * 2;
    const way = since / 9;
    if (way < 110)
      raster.fill(
        HERO_X + 5 + Math.cos(angle) * way,
        GROUND - 10 + Math.sin(angle) * way * 0.7 + way * way * 0.004,
        2,
        2,
        LAVA[i % 3] ?? 0,
      );
  }
  if (since > 700)
    raster.sprite(HERO_X, GROUND - 10 - (since - 700) / 60, SKULL, { w: ink.white, k: ink.black });
}
function pitFront(raster: Raster, frame: number): void {
  for (let column = -12; column < 84; column++) {
    const x = HERO_X + column;
    const top = GROUND + 4 + Math.round(Math.sin(x / 6 + frame / 7) * 1.6);
    raster.fill(x, top, 1, 2, LAVA[2]);
    raster.fill(x, top + 2, 1, HEIGHT, LAVA[1]);
  }
}

/** What the boss has left, 0–1. */
function health(look: "gatekeeper" | "throne", ms: number): number {
  if (look === "gatekeeper") {
    const landed = blows.filter((atMs) => atMs <= ms && atMs < eventOf("death").atMs).length;
    return Math.max(0.22, 1 - landed * 0.07);
  }
  const [phase, hit, win] = [eventOf("boss-2").atMs, eventOf("boss-hit").atMs, eventOf("win").atMs];
  if (ms >= win) return 0;
  if (ms >= hit) return 0.04;
  const first = eventOf("death").atMs;
  const landed = blows.filter((atMs) => atMs > first && atMs <= ms);
  if (ms < phase) return Math.max(0.34, 1 - landed.length * 0.16);
  return Math.max(0.09, 0.33 - landed.filter((atMs) => atMs > phase).length * 0.014);
}

function arena(raster: Raster, look: "gatekeeper" | "throne", ms: number, frame: number): void {
  const win = eventOf("win").atMs;
  const fallen = recent(ms, ["death"], RESPAWN_AFTER_MS);
  const missed = recent(ms, ["boss_miss"], 3_500);
  const struck =
    ms - (blows.findLast((atMs) => atMs <= ms) ?? -Infinity) < 160 ||
    recent(ms, ["boss_hit"], 400) !== undefined;
  const over = look === "throne" && ms >= win;
  const [x, y] = [216, GROUND - 66 + Math.round(Math.sin(frame / 16) * 3)];
  const { rows, key } = look === "throne" ? king : monster;
  if (!over) {
    const pale = struck ? Object.fromEntries(Object.keys(key).map((name) => [name, ink.white])) : key;
    const lunge = fallen !== undefined && ms - fallen.atMs < 900 ? -70 : 0;
    raster.sprite(x - 10 + lunge + (struck ? 3 : 0), y, rows, pale, false, 3);
    // What it throws comes along the ground when he jumps.
    for (const atMs of jumps) {
      const since = ms - atMs - JUMP_MS / 2;
      if (since < -700 || since > 500 || fallen !== undefined) continue;
      const fire = heroX(look, ms) + 6 - since * 0.16;
      raster.disc(fire, GROUND - 6, 6, LAVA[0]);
      raster.disc(fire - 1, GROUND - 6, 3, LAVA[2]);
      for (let tail = 1; tail < 6; tail++)
        raster.dot(fire + 5 + tail * 3, GROUND - 6 + Math.sin(tail + frame) * 3, LAVA[1]);
    }
  } else {
    // It falls apart.
    const since = ms - win;
    for (let i = 0; i < 120; i++) {
      const angle = chanceOf(i, 3) * Math.PI * 2;
      const way = (since / 18) * (0.3 + chanceOf(i, 4));
      const py = y + 36 + Math.sin(angle) * way * 0.6 + way * way * 0.006;
      if (py < GROUND)
        raster.fill(
          x + 22 + Math.cos(angle) * way,
          py,
          4,
          4,
          i % 4 === 0 ? ink.orange : i % 4 === 1 ? ink.gold : ink.grey,
        );
    }
    raster.sprite(
      x + 4,
      GROUND - 8,
      ["g g g g g", "ggggggggg", "grggrggrg", "ggggggggg"],
      { g: ink.gold, r: ink.red },
      false,
      2,
    );
  }
  if (fallen !== undefined) {
    const since = ms - fallen.atMs;
    if (since < 500) raster.sprite(HERO_X - since / 8, GROUND - 40, hero.fall, hero.key, false, HERO_SCALE);
    else raster.sprite(HERO_X - 60, GROUND - 14, SKULL, { w: ink.white, k: ink.black }, false, 2);
    return;
  }
  if (missed !== undefined) {
    const since = ms - missed.atMs;
    const wall = 300;
    heroAt(raster, wall - 42, ms, frame, { runs: false });
    for (let i = 0; i < 14; i++)
      raster.fill(
        wall - 2 - Math.cos(i) * (since / 30),
        GROUND - 12 + Math.sin(i * 1.7) * (since / 26),
        2,
        2,
        i % 2 ? ink.yellow : ink.white,
      );
    for (let i = 0; i < 3; i++)
      raster.fill(
        wall - 16 + Math.cos(since / 160 + i * 2) * 10,
        GROUND - 22 + Math.sin(since / 160 + i * 2) * 3,
        3,
        3,
        ink.yellow,
      );
    return;
  }
  heroAt(raster, heroX(look, ms), ms, frame, { runs: !over });
  if (struck) {
    raster.fill(x - 20, y + 24, 20, 2, ink.white);
    raster.disc(x - 6, y + 26, 6, ink.yellow);
  }
}
const heroX = (look: string, ms: number): number =>
  HERO_X + Math.round(Math.sin(ms / 1_700) * (look === "throne" ? 36 : 26));

/** Who comes to the fire: raiders with their cat, boxes of gifts, a skeleton for the joke. */
function guests(raster: Raster, ms: number, frame: number): void {
  const raid = recent(ms, ["raid"], 60_000);
  if (raid !== undefined) {
    const since = ms - raid.atMs;
    for (let i = 0; i < 14; i++) {
      const from = WIDTH + 20 + i * 16;
      const x = Math.max(190 + (i % 9) * 13 + (i > 8 ? 6 : 0), from - since / 14);
      const y = GROUND - 9 - (Math.floor(frame / 4 + i) % 2) - (i > 8 ? 8 : 0);
      raster.fill(x, y, 10, 8, ink.black);
      raster.fill(x, y - 3, 3, 4, ink.black);
      raster.fill(x + 7, y - 3, 3, 4, ink.black);
      raster.fill(x + 2, y + 2, 2, 2, ink.yellow);
      raster.fill(x + 6, y + 2, 2, 2, ink.yellow);
    }
  }
  const gifts = recent(ms, ["gift_bomb"], 24_000);
  if (gifts !== undefined)
    for (let i = 0; i < 20; i++) {
      const fall = (ms - gifts.atMs - i * 190) * 0.11;
      if (fall < 0) continue;
      const x = 12 + ((i * 83) % 220);
      const y = Math.min(GROUND - 10 + ((i * 7) % 5), -14 + fall);
      raster.fill(x, y, 12, 10, [ink.red, ink.blue, ink.green, ink.pink][i % 4] ?? 0);
      raster.fill(x + 5, y, 2, 10, ink.yellow);
      raster.fill(x, y + 4, 12, 2, ink.yellow);
      raster.fill(x + 3, y - 2, 6, 2, ink.yellow);
    }
  const joke = recent(ms, ["joke"], 9_000);
  if (joke !== undefined) {
    const sway = Math.round(Math.sin((ms - joke.atMs) / 180) * 4);
    raster.sprite(206 + sway, GROUND - 34, SKULL, { w: ink.white, k: ink.black });
    raster.fill(210 + sway / 2, GROUND - 27, 2, 14, ink.white);
    for (let rib = 0; rib < 3; rib++) raster.fill(206 + sway / 2, GROUND - 25 + rib * 4, 10, 1, ink.white);
    raster.fill(206, GROUND - 13, 2, 13, ink.white);
    raster.fill(214, GROUND - 13, 2, 13, ink.white);
  }
}

function closeUp(raster: Raster, whom: "gatekeeper" | "throne", ms: number, since: number): void {
  raster.gradient(
    0,
    0,
    WIDTH,
    HEIGHT,
    whom === "throne" ? [ink.black, ink.darkRed, ink.red] : [ink.night, ink.plum, ink.wine],
  );
  for (let i = 0; i < 18; i++) {
    const angle = (i / 18) * Math.PI * 2 + since / 2_000;
    for (let way = 50; way < 220; way += 2)
      raster.fill(
        150 + Math.cos(angle) * way,
        100 + Math.sin(angle) * way,
        2,
        2,
        whom === "throne" ? ink.darkRed : ink.plum,
      );
  }
  const { rows, key } = whom === "throne" ? king : monster;
  const grow = 7 + Math.min(1, Math.floor(since / 1_200));
  raster.sprite(
    160 - 11.5 * grow,
    176 - 21 * grow + Math.round(Math.sin(ms / 90) * 2),
    rows,
    key,
    false,
    grow,
  );
}

function fireworks(raster: Raster, since: number): void {
  const place = placeOf("gate", 0);
  backdrop(raster, place, 120 + since / 100, 0);
  raster.scroll(place.ground, 0);
  const tints = [ink.yellow, ink.pink, ink.cyan, ink.green, ink.orange, ink.white];
  for (let rocket = 0; rocket < 24; rocket++) {
    const age = since - rocket * 360;
    if (age < -500 || age > 1_700) continue;
    const x = 20 + chanceOf(rocket, 7) * 210;
    const y = 24 + chanceOf(rocket, 8) * 76;
    if (age < 0) {
      raster.fill(x, y - (age / 500) * (GROUND - y), 2, 5, ink.gold);
      continue;
    }
    for (let spark = 0; spark < 44; spark++) {
      const angle = (spark / 44) * Math.PI * 2;
      const way = (spark % 3 === 0 ? 42 : 30) * (1 - Math.exp(-age / 380));
      if (age < 1_000 || (spark + Math.floor(age / 60)) % 3 === 0)
        raster.fill(
          x + Math.cos(angle) * way,
          y + Math.sin(angle) * way + (age / 300) ** 2,
          2,
          2,
          tints[(rocket + (spark % 2)) % tints.length] ?? 0,
        );
    }
  }
  heroAt(raster, HERO_X, Math.floor(since / 900) * 900 + (since % 900), Math.floor(since / 33), {
    runs: false,
  });
}

const CREDITS = [
  "ПЕПЕЛЬНЫЙ ЗАМОК",
  "",
  "ИГРАЕТ",
  "PEPEL_LAMP",
  "",
  "РЫЦАРЬ",
  "БЕЗ ИМЕНИ",
  "",
  "ПРИВРАТНИК",
  "ОНА ЖЕ ЛАВА",
  "",
  "КОРОЛЬ ПЕПЛА",
  "СТЕНА",
  "",
  "ОСОБАЯ БЛАГОДАРНОСТЬ",
  "ЧАТУ",
];
function credits(raster: Raster, since: number): void {
  for (const [i, line] of CREDITS.entries()) {
    const y = 190 + i * 20 - since / 55;
    if (y > -20 && y < HEIGHT) raster.title(124, y, line, i === 0 ? ink.yellow : ink.white, ink.plum, 2);
  }
}

/** The run's clock stands while nobody plays, and in the secret room, which is outside of time: at the win it shows 24:51. */
const UNTIMED: readonly string[] = ["ads", "pause", "secret"];
const clockMs = (ms: number): number =>
  scenes.reduce((sum, { fromMs, place }, i) => {
    const toMs = Math.min(ms, scenes[i + 1]?.fromMs ?? ms);
    return UNTIMED.includes(place) || toMs <= fromMs ? sum : sum + toMs - Math.max(2_000, fromMs);
  }, 0);

/** Attempt, time of the run, hearts; before a boss, its bar. */
function headUp(raster: Raster, shot: Shot, ms: number): void {
  if (shot.view.look === "after") return;
  raster.fill(5, 5, textWidth(`ПОПЫТКА ${ATTEMPT}`) + 8, 24, PANEL);
  raster.text(9, 8, `ПОПЫТКА ${ATTEMPT}`, ink.white);
  const runMs = Math.max(0, clockMs(Math.min(ms, eventOf("win").atMs)));
  const clock = `${String(Math.floor(runMs / 60_000)).padStart(2, "0")}:${String(Math.floor(runMs / 1_000) % 60).padStart(2, "0")}`;
  raster.text(9, 18, clock, ink.yellow);
  const hearts = recent(ms, ["lava", "death"], RESPAWN_AFTER_MS) !== undefined ? 0 : 3;
  for (let i = 0; i < 3; i++) raster.text(44 + i * 7, 18, "♥", i < hearts ? ink.red : ink.grey);
  if (shot.view.look !== "gatekeeper" && shot.view.look !== "throne" && shot.view.look !== "close-up") return;
  const whom = shot.scene.place === "throne" ? "throne" : "gatekeeper";
  if (whom === "gatekeeper" && ms < eventOf("boss-1").atMs) return;
  const left = health(whom, ms);
  raster.title(162, 8, whom === "throne" ? "КОРОЛЬ ПЕПЛА" : "ПРИВРАТНИК", ink.white, ink.black);
  raster.fill(92, 18, 142, 7, ink.black);
  raster.fill(93, 19, 140, 5, ink.darkRed);
  raster.fill(93, 19, Math.round(140 * left), 5, left < 0.1 ? ink.orange : ink.red);
  raster.fill(93, 19, Math.round(140 * left), 1, ink.pink);
}

/** What the script puts on the screen. */
function writing(raster: Raster, ms: number): void {
  for (const { event, fromMs, toMs, text } of screenTexts) {
    if (ms < fromMs || ms >= toMs) continue;
    const { kind } = eventOf(event);
    const since = ms - fromMs;
    if (kind === "lava" || kind === "death") {
      raster.shade(0, 66, WIDTH, 44, ink.black);
      raster.fill(0, 70, WIDTH, 36, ink.black);
      raster.title(160, 75, text, ink.red, ink.darkRed, 4);
    } else if (kind === "win")
      raster.title(160, 70 + Math.round(Math.sin(since / 200) * 3), text, ink.yellow, ink.brown, 2);
    else if (kind === "raid") {
      const x = Math.max(160, 480 - since / 2);
      raster.fill(x - 160, 66, WIDTH, 30, ink.plum);
      raster.fill(x - 160, 66, WIDTH, 2, ink.pink);
      raster.fill(x - 160, 94, WIDTH, 2, ink.pink);
      raster.title(x, 74, text, ink.white, ink.black, 2);
    } else if (kind === "poll" || kind === "giveaway") {
      raster.fill(8, 62, 304, 40, PANEL);
      raster.frame(8, 62, 304, 40, ink.gold);
      raster.title(160, 69, text, ink.white, ink.black, 2);
      const share = kind === "poll" ? 0.5 + 0.12 * Math.sin(since / 4_000) : 1 - since / (toMs - fromMs);
      raster.fill(16, 90, 288, 6, ink.black);
      raster.fill(16, 90, Math.round(288 * share), 6, kind === "poll" ? ink.blue : ink.gold);
      if (kind === "poll")
        raster.fill(16 + Math.round(288 * share), 90, 288 - Math.round(288 * share), 6, ink.orange);
    } else {
      // A boss from near keeps its eyes free.
      const rise = Math.max(0, 12 - since / 20) + (kind === "boss_phase" ? 74 : 0);
      raster.fill(0, 70 + rise, WIDTH, 24, PANEL);
      raster.fill(0, 70 + rise, WIDTH, 1, ink.gold);
      raster.fill(0, 93 + rise, WIDTH, 1, ink.gold);
      raster.title(160, 75 + rise, text, kind === "glitch" ? ink.red : ink.yellow, ink.black, 2);
    }
  }
}

/** The glitch: rows slip, blocks repeat. */
function tear(raster: Raster, frame: number): void {
  const beat = Math.floor(frame / 3);
  for (let band = 0; band < 14; band++) {
    const top = Math.floor(chanceOf(beat, band) * HEIGHT);
    const tall = 3 + Math.floor(chanceOf(band, beat + 5) * 16);
    const by = Math.floor((chanceOf(beat + 9, band) - 0.5) * 90);
    for (let row = top; row < Math.min(HEIGHT, top + tall); row++) {
      const line = raster.cells.slice(row * WIDTH, (row + 1) * WIDTH);
      for (let column = 0; column < WIDTH; column++)
        raster.cells[row * WIDTH + column] = line[(column + by + WIDTH) % WIDTH] ?? 0;
    }
  }
}
