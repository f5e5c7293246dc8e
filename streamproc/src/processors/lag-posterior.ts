import type { ByteReader, ByteWriter } from "./bytes.ts";
import type { ScreenOnset } from "./onsets.ts";

/** Lags that are thought possible, in seconds … */
export const LAG_MAX_S = 25;
const STEP_S = 0.5;
const LAGS = LAG_MAX_S / STEP_S + 1;
/** … and how much single reactions may differ from the channel's lag (standard deviation). */
const SPREADS_S = [0.7, 1.4, 2.8] as const;
/**
 * Before there is evidence: log-normal with median 6 s, 80 % between 2.6 and 13.8 s. People need two to three seconds, and the
 * stream's own delay lies between a few seconds (low latency) and 10 to 15 s; nobody has published a distribution for Twitch.
 */
const PRIOR_MEDIAN_S = 6;
const PRIOR_SIGMA = 0.65;
/**
 * Share of reactions whose cause can be heard or seen as an onset; the first stands for "none that we can tell": a chat that talks about something
 * else teaches no lag, however often chance puts an onset at the same distance.
 */
const CAUSED = [0.02, 0.35, 0.7] as const;
/** What is thought possible beside the lag itself. */
const CASES = SPREADS_S.flatMap((spread) => CAUSED.map((caused) => ({ spread, caused })));
/** Old reactions weigh half after so many new ones: a streamer changes the delay now and then. */
const HALF_LIFE_PAIRS = 40;
/** Learned: so many reactions, and the channel's lag itself known to this (80 %). */
const LEARNED_PAIRS = 4;
const LEARNED_ERROR_S = 2.5;
/** … and that reactions have to do with the screen at all is so probable. */
const LEARNED_CAUSED = 0.95;
/** Half-width of 80 % of a normal distribution. */
const Z80 = 1.2816;

/** What is believed of one channel's lag. */
export interface LagBelief {
  lagMs: number;
  /** Half-width of the 80 % interval of the next reaction's lag: the channel's own uncertainty and the reactions' spread. */
  errorMs: number;
  learned: boolean;
  pairs: number;
}

const normal = (distance: number, spread: number): number =>
  Math.exp(-0.5 * (distance / spread) ** 2) / (spread * Math.sqrt(2 * Math.PI));

const prior = Float64Array.from({ length: LAGS }, (_, at) => {
  const lagS = Math.max(at * STEP_S, STEP_S / 2);
  return -0.5 * (Math.log(lagS / PRIOR_MEDIAN_S) / PRIOR_SIGMA) ** 2 - Math.log(lagS);
});

/**
 * The cross-correlation of chat's reaction onsets with onsets of sound, cuts and motion, as a likelihood. If a share `caused` of the reactions was
 * caused by something on screen `lag ± spread` before it, among onsets that come anyway at `perS` a second, the evidence of one reaction for a lag is
 * (1 − caused) + caused · Σ normal(its distance − lag) / perS: for weak evidence that is, up to a constant, the correlogram smoothed by the
 * spread and divided by what chance gives. The logs add up over reactions and fade.
 */
export class LagPosterior {
  /** Log of the evidence, lag by lag, for each case. */
  readonly #evidence = CASES.map(() => new Float32Array(LAGS));
  pairs = 0;

  /** One reaction, with the onsets on screen of the LAG_MAX_S + a few seconds before it. */
  add(reactionMs: number, onsets: readonly ScreenOnset[]): void {
    const left = 2 ** (-1 / HALF_LIFE_PAIRS);
    const ratios = new Float64Array(LAGS);
    for (const [which, spread] of SPREADS_S.entries()) {
      ratios.fill(0);
      for (const onset of onsets) {
        const distance = (reactionMs - onset.atMs) / 1000;
        const rare = 1 / Math.max(onset.perS, 1 / 600);
        for (let at = 0; at < LAGS; at++) ratios[at]! += normal(distance - at * STEP_S, spread) * rare;
      }
      for (const [share, caused] of CAUSED.entries()) {
        const evidence = this.#evidence[which * CAUSED.length + share]!;
        for (let at = 0; at < LAGS; at++)
          evidence[at] = evidence[at]! * left + Math.log(1 - caused + caused * ratios[at]!);
      }
    }
    this.pairs = this.pairs * left + 1;
  }

  belief(): LagBelief {
    let most = -Infinity;
    for (const evidence of this.#evidence)
      for (let at = 0; at < LAGS; at++) most = Math.max(most, prior[at]! + evidence[at]!);
    let sum = 0;
    let related = 0;
    let variance = 0;
    const perLag = new Float64Array(LAGS);
    for (const [which, { spread, caused }] of CASES.entries())
      for (let at = 0; at < LAGS; at++) {
        const weight = Math.exp(prior[at]! + this.#evidence[which]![at]! - most);
        perLag[at]! += weight;
        sum += weight;
        variance += weight * spread ** 2;
        if (caused !== CAUSED[0]) related += weight;
      }
    const own = (quantile(perLag, sum, 0.9) - quantile(perLag, sum, 0.1)) / 2;
    // The prior is of single reactions already: their spread is not added to it again.
    const spread = this.pairs === 0 ? 0 : Z80 * Math.sqrt(variance / sum);
    return {
      lagMs: Math.round(quantile(perLag, sum, 0.5) * 10) * 100,
      errorMs: Math.round(Math.hypot(own, spread) * 10) * 100,
      learned: this.pairs >= LEARNED_PAIRS - 0.5 && own <= LEARNED_ERROR_S && related >= LEARNED_CAUSED * sum,
      pairs: Math.round(this.pairs),
    };
  }

  save(out: ByteWriter): void {
    out.number(this.pairs);
    // Most channels have no video, and so no evidence.
    if (this.pairs > 0) for (const evidence of this.#evidence) for (const value of evidence) out.f32(value);
  }
  load(bytes: ByteReader): void {
    this.pairs = bytes.number();
    if (this.pairs === 0) return;
    for (const evidence of this.#evidence) for (let at = 0; at < LAGS; at++) evidence[at] = bytes.f32();
  }
}

/** The lag below which this share lies, seconds; each place stands for half a step around it. */
function quantile(weights: Float64Array, sum: number, share: number): number {
  let left = share * sum;
  for (let at = 0; at < weights.length; at++) {
    if (weights[at]! >= left) return Math.max(0, (at - 0.5 + left / Math.max(weights[at]!, 1e-300)) * STEP_S);
    left -= weights[at]!;
  }
  return LAG_MAX_S;
}

/** What is believed before any evidence. */
export const PRIOR_LAG: LagBelief = new LagPosterior().belief();
