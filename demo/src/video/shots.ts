import {
  events,
  FIRST_ATTEMPT,
  mainEvents,
  PERIOD_MS,
  sceneAt,
  scenes,
  type Scene,
  type StreamEvent,
} from "../world.ts";

export const FPS = 30;
export const LOOP_FRAMES = (PERIOD_MS / 1000) * FPS;
export const frameOf = (ms: number): number => Math.round((ms * FPS) / 1000);

/** What the camera shows; places are those of the script, the others are set pieces of an event. */
export type View =
  | { readonly look: Scene["place"]; readonly variant: number }
  /** A boss from near; `whom` as in the places. */
  | { readonly look: "close-up"; readonly whom: "gatekeeper" | "throne" }
  | { readonly look: "fireworks" };

export interface Shot {
  readonly fromMs: number;
  /** How it begins: a hard cut, or out of black after the one before went to black. */
  readonly begins: "cut" | "fade";
  readonly view: View;
  readonly scene: Scene;
}

/** A fade takes so long on either side of its middle, which is black. */
export const FADE_MS = 400;

export const eventOf = (id: string): StreamEvent => {
  const event = mainEvents.find((event) => event.id === id);
  if (event === undefined) throw new Error(`the stream has no event "${id}"`);
  return event;
};

/** After a fall the screen goes to black, and the run begins again at the last fire. */
export const RESPAWN_AFTER_MS = 4_500;

/** The spots of the ad break; each is made of pictures of its own. */
export const ADS = { fromMs: eventOf("ad").atMs, toMs: eventOf("ad-end").atMs } as const;
export const adSpots: readonly { readonly fromMs: number; readonly toMs: number; readonly brand: string }[] =
  [
    { fromMs: ADS.fromMs, toMs: ADS.fromMs + 30_000, brand: "ЧАЙ «ТИШИНА»" },
    { fromMs: ADS.fromMs + 30_000, toMs: ADS.fromMs + 45_000, brand: "САМОКАТЫ «ВЖУХ»" },
    { fromMs: ADS.fromMs + 45_000, toMs: ADS.toMs, brand: "МАТРАС «ОБЛАКО»" },
  ];
/** How long each picture of an ad stays: uneven, and never a border of a beat. */
const AD_PICTURES_MS = [3_200, 2_400, 4_100, 1_900, 3_500];

const fadesIn = (scene: Scene): boolean => scene.place === "camp" || scene.place === "after";

export const shots: readonly Shot[] = buildShots();

function buildShots(): Shot[] {
  const seen = new Map<Scene["place"], number>();
  const made: Shot[] = scenes.map((scene) => {
    const variant = seen.get(scene.place) ?? 0;
    seen.set(scene.place, variant + 1);
    return {
      fromMs: scene.fromMs,
      begins: fadesIn(scene) ? "fade" : "cut",
      view: { look: scene.place, variant },
      scene,
    };
  });
  const during = (ms: number): Shot =>
    made
      .filter(({ fromMs }) => fromMs <= ms)
      .reduce((latest, shot) => (shot.fromMs >= latest.fromMs ? shot : latest));
  const insert = (ms: number, lengthMs: number, view: View): void => {
    const back = during(ms);
    made.push(
      { fromMs: ms, begins: "cut", view, scene: back.scene },
      { ...back, fromMs: ms + lengthMs, begins: "cut" },
    );
  };
  insert(eventOf("boss-1").atMs, 2_400, { look: "close-up", whom: "gatekeeper" });
  insert(eventOf("boss-2").atMs, 2_600, { look: "close-up", whom: "throne" });
  insert(eventOf("win").atMs + 3_000, 9_000, { look: "fireworks" });
  for (const { kind, atMs } of mainEvents)
    if (kind === "lava" || kind === "death")
      made.push({ ...during(atMs), fromMs: atMs + RESPAWN_AFTER_MS, begins: "fade" });
  const ads = during(ADS.fromMs);
  for (const [spot, { fromMs, toMs }] of adSpots.entries()) {
    let at = fromMs;
    for (let picture = 0; at < toMs; picture++) {
      if (at > ADS.fromMs)
        made.push({
          ...ads,
          fromMs: at,
          begins: "cut",
          view: { look: "ads", variant: spot * 100 + picture },
        });
      const next = at + (AD_PICTURES_MS[(picture + spot) % AD_PICTURES_MS.length] ?? 3_000);
      at = toMs - next < 1_500 ? toMs : next;
    }
  }
  return made.sort((a, b) => a.fromMs - b.fromMs);
}

export const shotAt = (ms: number): { readonly shot: Shot; readonly next: Shot | null } => {
  const index = shots.findLastIndex(({ fromMs }) => fromMs <= ms);
  return { shot: shots[Math.max(0, index)] as Shot, next: shots[index + 1] ?? null };
};

/** How black the picture is, 0–1. */
export function blackness(ms: number): number {
  const { shot, next } = shotAt(ms);
  const since = shot.begins === "fade" ? Math.max(0, 1 - (ms - shot.fromMs) / FADE_MS) : 0;
  const until = next?.begins === "fade" ? Math.max(0, 1 - (next.fromMs - ms) / FADE_MS) : 0;
  return Math.max(since, until);
}

export interface ScreenText {
  readonly event: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly text: string;
}
const SHOWN_MS: Partial<Record<StreamEvent["kind"], number>> = {
  poll: 30_000,
  giveaway: 25_000,
  raid: 8_000,
  gift_bomb: 8_000,
  win: 12_000,
  glitch: 5_000,
};
/** The picture is drawn once and shown in every run: it says the first attempt of a broadcast. */
export const ATTEMPT = FIRST_ATTEMPT;
/** What stands on the screen because of an event; what ads and the pause show is theirs. */
export const screenTexts: readonly ScreenText[] = mainEvents
  .filter(({ screen, kind }) => screen !== "" && kind !== "ad_start" && kind !== "pause_start")
  .map(({ id, kind, atMs, screen }) => ({
    event: id,
    fromMs: atMs,
    toMs: atMs + (SHOWN_MS[kind] ?? 4_000),
    text: screen.replace("{attempt}", String(ATTEMPT)),
  }));

/** What the run does not survive, and for how long nothing moves then. */
const FALLS = mainEvents.filter(({ kind }) => kind === "lava" || kind === "death");
/** Where the hero stands still, with the world. */
const STOPS: readonly { readonly fromMs: number; readonly lengthMs: number }[] = mainEvents.flatMap(
  ({ kind, atMs }) => {
    const lengthMs = {
      lava: RESPAWN_AFTER_MS,
      death: RESPAWN_AFTER_MS,
      poll: 14_000,
      giveaway: 6_000,
      glitch: 4_000,
    }[kind as string];
    return lengthMs === undefined ? [] : [{ fromMs: atMs, lengthMs }];
  },
);
/** Milliseconds since `fromMs` in which the world has moved. */
export const movedMs = (fromMs: number, ms: number): number =>
  STOPS.reduce(
    (moved, stop) =>
      stop.fromMs < fromMs ? moved : moved - Math.min(stop.lengthMs, Math.max(0, ms - stop.fromMs)),
    ms - fromMs,
  );
export const stopsAt = (ms: number): boolean =>
  STOPS.some(({ fromMs, lengthMs }) => ms >= fromMs && ms < fromMs + lengthMs);
const lies = (ms: number): boolean =>
  FALLS.some(({ atMs }) => ms > atMs - 1_200 && ms < atMs + RESPAWN_AFTER_MS + FADE_MS);

/** The jumps of the script that the hero is there for, and the one that ends each fall into the lava. */
export const JUMP_MS = 660;
export const jumps: readonly number[] = [
  ...events.filter(({ kind, atMs }) => kind === "jump" && !lies(atMs)).map(({ atMs }) => atMs),
  ...FALLS.filter(({ kind }) => kind === "lava").map(({ atMs }) => atMs - JUMP_MS),
].sort((a, b) => a - b);
/** Blows that the hero lands on a boss: every third jump before one. */
export const blows: readonly number[] = jumps
  .filter((atMs) => {
    const { place } = sceneAt(atMs);
    return (
      (place === "gatekeeper" && atMs > eventOf("boss-1").atMs && atMs < eventOf("death").atMs - 4_000) ||
      (place === "throne" && atMs < eventOf("win").atMs - 4_000)
    );
  })
  .filter((_, i) => i % 3 === 0)
  .map((atMs) => atMs + JUMP_MS / 2);

/** When the streamer is heard: not under an ad, and not while the capture is broken. */
export interface Speech {
  readonly fromMs: number;
  readonly toMs: number;
  readonly shout: boolean;
  readonly event: string;
}
const SHOUTED = new Set<StreamEvent["kind"]>([
  "lava",
  "three_spikes",
  "glitch",
  "secret",
  "gift_bomb",
  "boss_miss",
  "win",
]);
export const speech: readonly Speech[] = events
  .filter(({ says, kind }) => says !== "" && kind !== "ad_start" && kind !== "pause_start")
  .map(({ id, kind, atMs, says }) => ({
    event: id,
    fromMs: atMs + 200,
    toMs: atMs + 500 + says.length * 62,
    shout: SHOUTED.has(kind),
  }));
