import type { VideoMeasured } from "@hypecast/contracts/measured.ts";
import type { CutKind } from "@hypecast/contracts/shot.ts";
import type { FoldInput } from "./fold.ts";
import { LONGEST_MS } from "./shots.ts";

/** What a made-up screen shows, seconds after `beginMs`. The events are what ingest, media workers and the folds `shots` and `audio` say of it. */
export interface Screen {
  channelId: string;
  beginMs: number;
  fromS: number;
  untilS: number;
  /** Sudden rises of sound: z, and how far above the usual it stays for the next five seconds. */
  sounds?: readonly { atS: number; z: number; aboveUsual?: number; voice?: number }[];
  cuts?: readonly number[];
  /** Whole seconds that are silent. */
  silences?: readonly number[];
  ads?: readonly (readonly [number, number])[];
  /** Not kept. */
  holes?: readonly (readonly [number, number])[];
  /** Kept, and not measured. */
  failed?: readonly (readonly [number, number])[];
  /** Shots that begin in there show a menu. */
  menus?: readonly (readonly [number, number])[];
  sound?: boolean;
  picture?: boolean;
  /** A segment is on the log so long after its end, and its measure so long after that. */
  segmentLateS?: number;
  measureLateS?: number | ((startS: number) => number);
  /** A model scores each shot so long after the shot is known; null: there is none, or it does not answer. */
  scoreLateS?: number | null;
  scoreUnknown?: boolean;
}

const SEGMENT_S = 2;
/** How far behind its frames a cut is known. */
const CUT_KNOWN_S = 1;

export interface ScreenEvent {
  /** When it is on the log, seconds after `beginMs`. */
  atS: number;
  input: FoldInput;
}

export function screenEvents(screen: Screen): ScreenEvent[] {
  const { channelId, beginMs, fromS, untilS } = screen;
  const epoch = beginMs + fromS * 1000;
  const inside = (spans: Screen["ads"], s: number): boolean =>
    spans?.some(([from, to]) => s >= from && s < to) ?? false;
  const events: ScreenEvent[] = [];
  let shotS = fromS;
  let cut: CutKind = "start";
  for (let seq = 0, startS = fromS; startS < untilS; seq++, startS += SEGMENT_S) {
    const endS = startS + SEGMENT_S;
    const startMs = beginMs + startS * 1000;
    const common = { id: `${channelId}:${epoch}:${seq}`, channelId, epoch, seq, startMs };
    const atS = endS + (screen.segmentLateS ?? 2);
    if (inside(screen.holes, startS)) {
      const gap = { id: common.id, channelId, epoch, fromMs: startMs, toMs: beginMs + endS * 1000 };
      events.push({
        atS,
        input: { type: "videoGap", gap: { ...gap, reason: "missed", detail: "" } },
      });
      shotS = endS;
      cut = "gap";
      continue;
    }
    const ad = inside(screen.ads, startS);
    const more = { durationMs: SEGMENT_S * 1000, discontinuity: false, ad };
    events.push({
      atS,
      input: { type: "segment", segment: { ...common, ...more, analysis: null, source: null } },
    });
    const failed = inside(screen.failed, startS);
    const late = screen.measureLateS ?? 0.3;
    const measuredS = atS + (typeof late === "number" ? late : late(startS));
    const measured: VideoMeasured = {
      ...common,
      ...more,
      failed: failed ? "decoder_died" : null,
      picture: failed || screen.picture === false ? null : NO_PICTURE,
      sound: failed || screen.sound === false ? null : NO_SOUND,
      framesKey: null,
      thumbKey: null,
    };
    events.push({ atS: measuredS, input: { type: "measured", measured } });
    if (failed) continue;
    if (screen.sound !== false)
      for (let s = startS; s < endS; s++) {
        const rise = screen.sounds?.find((sound) => Math.floor(sound.atS) === s);
        const lasting = screen.sounds?.find((sound) => s >= Math.floor(sound.atS) && s < sound.atS + 5);
        const ms = beginMs + s * 1000;
        events.push({
          atS: measuredS,
          input: {
            type: "audio",
            audio: {
              id: `${channelId}:${ms}`,
              channelId,
              startMs: ms,
              ad,
              momentary: -20,
              shortTerm: -20,
              integrated: -20,
              peak: -6,
              aboveUsual: lasting?.aboveUsual ?? 0,
              onset: rise?.z ?? 0,
              silence: screen.silences?.includes(s) ?? false,
              voice: lasting?.voice ?? 0.1,
              tempo: null,
              tempoStrength: 0,
            },
          },
        });
      }
    if (screen.picture === false) continue;
    for (;;) {
      const cutS = screen.cuts?.find((each) => each > shotS) ?? Infinity;
      const untilS = Math.min(cutS, shotS + LONGEST_MS / 1000);
      if (untilS + CUT_KNOWN_S >= endS) break;
      const id = `${channelId}:${epoch}:${Math.round(beginMs + shotS * 1000)}`;
      const shot = shotOf(screen, id, epoch, shotS, untilS, inside(screen.ads, shotS));
      events.push({ atS: measuredS, input: { type: "shot", shot: { ...shot, cut } } });
      cut = untilS === cutS ? "hard" : "continued";
      const { scoreLateS = null } = screen;
      if (scoreLateS !== null)
        events.push({
          atS: measuredS + scoreLateS,
          input: {
            type: "score",
            score: {
              id,
              channelId,
              startMs: beginMs + shotS * 1000,
              endMs: beginMs + untilS * 1000,
              model: "shot_score@1",
              action: screen.scoreUnknown === true ? null : 0.8,
              quality: 0.5,
              novelty: 0.5,
              unknown: screen.scoreUnknown === true ? "scorer_down" : null,
            },
          },
        });
      shotS = untilS;
    }
  }
  return events.toSorted((a, b) => a.atS - b.atS);
}

const NO_PICTURE: VideoMeasured["picture"] = {
  atMs: [],
  signatures: "",
  width: 284,
  height: 160,
  detail: { atMs: [], sharpness: [], exposure: [], colourfulness: [], noise: [], text: [] },
};
const NO_SOUND: VideoMeasured["sound"] = {
  channels: 2,
  tracks: 1,
  loudness: [],
  peak: [],
  voice: [],
  onsets: "",
};

const shotOf = (
  screen: Screen,
  id: string,
  epoch: number,
  startS: number,
  endS: number,
  ad: boolean,
): Extract<FoldInput, { type: "shot" }>["shot"] => ({
  id,
  channelId: screen.channelId,
  epoch,
  startMs: Math.round(screen.beginMs + startS * 1000),
  endMs: Math.round(screen.beginMs + endS * 1000),
  cut: "hard",
  frames: Math.round((endS - startS) * 30),
  ad,
  scene: screen.menus?.some(([from, to]) => startS >= from && startS < to) === true ? "menu" : "game",
  sharpness: 0.5,
  exposure: 0.5,
  colourfulness: 0.5,
  noise: 0.1,
  cameraMotion: 0.2,
  objectMotion: 0.2,
  blackShare: 0,
  frozenShare: 0,
  cutsPerMin: 4,
  text: 0.1,
  novelty: 0.2,
  framesKeys: [],
});
