import { HYPE_BURST_KINDS, type ChatBurst } from "@hypecast/contracts/burst.ts";
import { FORECAST_HORIZONS_MIN, type ForecastOutcome, type HypeForecast } from "@hypecast/contracts/hype.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { defineFold, type Emit } from "./fold.ts";
import { Band, Chance, SPAN_S } from "./forecast-calibration.ts";
import { FEATURES, Past, TICK_S, WARM_TICKS } from "./forecast-features.ts";
import type { Reaction } from "./reaction.ts";

/** Below this many messages per minute there is nothing to forecast: the answer is "unknown", not "quiet". */
const SPARSE_PER_MIN = 1;
/** After so long without hearing the channel its past says nothing about what is now. */
const FORGET_S = 6 * 3600;
/** A hole this short does not silence the forecast: a reconnect is no reason to know nothing for a minute. */
const BRIDGED_S = 10;
/** A burst that began in the span is known this long after the span's end: its detector looks back 10 s, the log trails 2 s. */
const KNOWN_AFTER_S = 15;
/** Ticks that wait for the model; the oldest of more is answered by nobody. */
const WAITING_BOUND = 4096;
const STARTS_BOUND = 64;
const HORIZONS = FORECAST_HORIZONS_MIN.length;
const LONGEST_S = FORECAST_HORIZONS_MIN[HORIZONS - 1]! * 60;

/** What is known at one tick, in the order of ticks: the model may answer later than the next one comes. */
interface Tick {
  atS: number;
  /** Null: nothing can be said now. */
  row: Float32Array | null;
  /** What the model's quantiles are multiples of. */
  reference: number;
  /** Messages of the minute that ends here, on whole minutes that were heard. */
  minute: number | null;
  /** Whether a burst began in the span of half a minute that ended KNOWN_AFTER_S ago. */
  began: boolean | null;
}

/** What was said and is not known yet. */
interface SaidRates {
  atS: number;
  /** p10, p50, p90 of each horizon. */
  values: number[];
}
interface SaidChance {
  atS: number;
  chance: number;
  /** Before correction. */
  model: number;
}

interface BurstNews {
  what: "began" | "ended" | "flood";
  startS: number;
  /** From when on it is known. */
  knownS: number;
}

export interface ForecastState {
  readonly channelId: string;
  past: Past;
  /** The first second that is not final; null before the first. */
  untilS: number | null;
  unheardS: number;
  news: BurstNews[];
  /** Beginnings of hype bursts that a span may still ask for. */
  starts: number[];
  waiting: Tick[];
  saidRates: SaidRates[];
  saidChances: SaidChance[];
  bands: Band[];
  chance: Chance;
  /** Half minutes by what was said (≥ 0.5) and what came. */
  calls: { right: number; falseAlarms: number; missed: number; quiet: number };
}

export const forecast = defineFold<ForecastState>({
  name: "forecast",
  says: "Chance of a burst within 30 s and messages per minute in 1, 5 and 15 minutes, with its own record",
  version: 3,
  initial: (channelId) => ({
    channelId,
    past: new Past(),
    untilS: null,
    unheardS: 0,
    news: [],
    starts: [],
    waiting: [],
    saidRates: [],
    saidChances: [],
    bands: FORECAST_HORIZONS_MIN.map(() => new Band()),
    chance: new Chance(),
    calls: { right: 0, falseAlarms: 0, missed: 0, quiet: 0 },
  }),
  step(state, input, emit) {
    if (input.type === "reaction") pass(state, input.reaction, emit);
    else if (input.type === "burst") note(state, input.burst);
    else if (input.type === "window" && input.window.sizeS === 10) state.past.addWindow(input.window);
  },
  save,
  load: (channelId, version, bytes) => (version === 3 ? load(channelId, bytes) : null),
  model: {
    name: "forecast",
    width: FEATURES.length,
    ask(state) {
      const rows = state.waiting.filter((tick) => tick.row !== null);
      if (rows.length === 0) return null;
      const features = new Float32Array(rows.length * FEATURES.length);
      for (const [i, { row }] of rows.entries()) features.set(row!, i * FEATURES.length);
      return features;
    },
    answer(state, outputs, version, emit) {
      const ticks = state.waiting;
      state.waiting = [];
      let row = 0;
      for (const tick of ticks) {
        if (tick.row === null || outputs === null) settle(state, tick, null, version, emit);
        else {
          const quantiles = outputs["quantiles"]!.subarray(row * HORIZONS * 3, (row + 1) * HORIZONS * 3);
          settle(state, tick, { quantiles, burst: outputs["burst"]![row]! }, version, emit);
          row++;
        }
      }
    },
  },
});

const isHype = (kind: ChatBurst["kind"]): boolean =>
  (HYPE_BURST_KINDS as readonly ChatBurst["kind"][]).includes(kind);

function note(state: ForecastState, burst: ChatBurst): void {
  const startS = Math.floor(burst.startMs / 1000);
  const knownS = Math.ceil(burst.detectedAtMs / 1000);
  if (!isHype(burst.kind)) {
    if (burst.open) state.news.push({ what: "flood", startS, knownS });
  } else if (burst.open) {
    state.news.push({ what: "began", startS, knownS });
    state.starts.push(startS);
    if (state.starts.length > STARTS_BOUND) state.starts.shift();
  } else state.news.push({ what: "ended", startS, knownS: Math.max(knownS, state.untilS ?? 0) });
}

/** Final seconds go by. */
function pass(state: ForecastState, reaction: Reaction, emit: Emit): void {
  const { past } = state;
  if (!reaction.heard) {
    state.unheardS += reaction.untilS - reaction.fromS;
    if (state.unheardS <= BRIDGED_S)
      return eachTick(state, reaction.fromS, reaction.untilS, emit, (seconds) => (past.bridging += seconds));
    state.untilS = reaction.untilS;
    past.lose(reaction.untilS % TICK_S !== 0);
    if (state.unheardS >= FORGET_S) state.past = new Past();
    return;
  }
  state.unheardS = 0;
  past.add(reaction);
  eachTick(state, reaction.fromS, reaction.untilS, emit, () => {});
}

/** Walks a stretch tick by tick; `piece` is told how many seconds of it fall into each before that tick closes. */
function eachTick(
  state: ForecastState,
  fromS: number,
  untilS: number,
  emit: Emit,
  piece: (seconds: number) => void,
): void {
  for (let at = fromS; at < untilS;) {
    const end = Math.min(untilS, (Math.floor(at / TICK_S) + 1) * TICK_S);
    piece(end - at);
    state.untilS = end;
    if (end % TICK_S === 0) tick(state, end, emit);
    at = end;
  }
}

function tick(state: ForecastState, atS: number, emit: Emit): void {
  const { past } = state;
  const later: BurstNews[] = [];
  for (const one of state.news)
    if (one.knownS > atS) later.push(one);
    else if (one.what === "flood") past.lastFloodS = one.startS;
    else if (one.what === "ended") past.openBursts = Math.max(0, past.openBursts - 1);
    else {
      past.openBursts++;
      past.begun++;
      past.lastBurstS = Math.max(past.lastBurstS, one.startS);
    }
  state.news = later;
  past.closeTick(atS);
  const spanFromS = atS - KNOWN_AFTER_S - SPAN_S;
  const spanHeard = spanFromS % SPAN_S === 0 && past.filled * TICK_S >= SPAN_S + KNOWN_AFTER_S;
  state.starts = state.starts.filter((startS) => startS > spanFromS);
  const now: Tick = {
    atS,
    row: null,
    reference: 0,
    minute: atS % 60 === 0 && past.minuteWhole(atS) ? past.lastMinute(atS) : null,
    began: spanHeard ? state.starts.some((startS) => startS <= spanFromS + SPAN_S) : null,
  };
  if (past.ticks >= WARM_TICKS && past.minuteHeard && past.usualRate >= SPARSE_PER_MIN) {
    now.row = past.row(atS);
    now.reference = past.reference;
  }
  if (state.waiting.length === 0 && now.row === null) settle(state, now, null, "none", emit);
  else state.waiting.push(now);
  if (state.waiting.length > WAITING_BOUND) settle(state, state.waiting.shift()!, null, "none", emit);
}

/** What is known by now is compared with what was said; then comes what is said now. */
function settle(
  state: ForecastState,
  tick: Tick,
  said: { quantiles: Float32Array; burst: number } | null,
  version: string,
  emit: Emit,
): void {
  if (tick.minute !== null) learnRates(state, tick.atS, tick.minute, emit);
  if (tick.began !== null) learnChance(state, tick.atS - KNOWN_AFTER_S - SPAN_S, tick.began, emit);
  state.saidRates = state.saidRates.filter(({ atS }) => atS > tick.atS - LONGEST_S);
  state.saidChances = state.saidChances.filter(({ atS }) => atS > tick.atS - SPAN_S - KNOWN_AFTER_S);

  const about: HypeForecast = {
    id: `${state.channelId}:${tick.atS * 1000}`,
    channelId: state.channelId,
    atMs: tick.atS * 1000,
    model: said === null ? "none" : version,
    burstChance: null,
    usualChance: state.chance.usual === null ? null : rounded(state.chance.usual, 4),
    horizons: null,
  };
  if (said !== null) {
    const values: number[] = [];
    about.horizons = FORECAST_HORIZONS_MIN.map((minutes, h) => {
      const [q10, q50, q90] = [0, 1, 2].map((q) => said.quantiles[h * 3 + q]!) as [number, number, number];
      const { low, high } = state.bands[h]!.around(q10, q50, q90);
      const perMin = (log: number): number => rounded(Math.max(0, tick.reference * Math.exp(log) - 1), 2);
      const horizon = { minutes, p10: perMin(low), p50: perMin(q50), p90: perMin(high) };
      values.push(horizon.p10, horizon.p50, horizon.p90);
      return horizon;
    });
    about.burstChance = rounded(state.chance.corrected(said.burst), 4);
    if (tick.atS % 60 === 0) state.saidRates.push({ atS: tick.atS, values });
    if (tick.atS % SPAN_S === 0)
      state.saidChances.push({ atS: tick.atS, chance: about.burstChance, model: said.burst });
  }
  emit({ type: "forecast", forecast: about });
}

const RATE_KINDS = ["rate1", "rate5", "rate15"] as const;

function learnRates(state: ForecastState, atS: number, came: number, emit: Emit): void {
  for (const [h, minutes] of FORECAST_HORIZONS_MIN.entries()) {
    const said = state.saidRates.find((one) => one.atS === atS - minutes * 60);
    if (said === undefined) continue;
    const [low, p50, high] = said.values.slice(h * 3, h * 3 + 3) as [number, number, number];
    const kind = RATE_KINDS[h]!;
    state.bands[h]!.learn(low, high, came);
    const hit = came >= low && came <= high;
    emit({
      type: "outcome",
      outcome: { ...outcomeOf(state, kind, said.atS), said: p50, low, high, came, hit },
    });
  }
}

function learnChance(state: ForecastState, spanFromS: number, came: boolean, emit: Emit): void {
  const said = state.saidChances.find((one) => one.atS === spanFromS);
  if (said === undefined) return;
  state.chance.learn(said.model, came);
  const called = said.chance >= 0.5;
  const { calls } = state;
  if (called && came) calls.right++;
  else if (called) calls.falseAlarms++;
  else if (came) calls.missed++;
  else calls.quiet++;
  emit({
    type: "outcome",
    outcome: {
      ...outcomeOf(state, "burst", spanFromS),
      said: said.chance,
      low: null,
      high: null,
      came: came ? 1 : 0,
      hit: called === came,
    },
  });
}

const outcomeOf = (
  { channelId }: ForecastState,
  kind: ForecastOutcome["kind"],
  atS: number,
): Pick<ForecastOutcome, "id" | "channelId" | "atMs" | "kind"> => ({
  id: `${channelId}:${kind}:${atS * 1000}`,
  channelId,
  atMs: atS * 1000,
  kind,
});

const rounded = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits;

const NEWS = ["began", "ended", "flood"] as const;
const CALLS = ["right", "falseAlarms", "missed", "quiet"] as const;

function save(state: ForecastState): Uint8Array {
  const out = new ByteWriter();
  out.number(state.untilS ?? NaN);
  out.number(state.unheardS);
  state.past.save(out);
  out.uint(state.news.length);
  for (const one of state.news) {
    out.u8(NEWS.indexOf(one.what));
    out.number(one.startS);
    out.number(one.knownS);
  }
  out.uint(state.starts.length);
  for (const startS of state.starts) out.number(startS);
  // Empty unless nobody asked between two commits.
  out.uint(state.waiting.length);
  for (const tick of state.waiting) {
    out.number(tick.atS);
    out.number(tick.reference);
    out.number(tick.minute ?? NaN);
    out.u8(tick.began === null ? 2 : tick.began ? 1 : 0);
    out.u8(tick.row === null ? 0 : 1);
    if (tick.row !== null) for (const value of tick.row) out.f32(value);
  }
  out.uint(state.saidRates.length);
  for (const said of state.saidRates) {
    out.number(said.atS);
    for (const value of said.values) out.number(value);
  }
  out.uint(state.saidChances.length);
  for (const said of state.saidChances) {
    out.number(said.atS);
    out.number(said.chance);
    out.number(said.model);
  }
  for (const band of state.bands) band.save(out);
  state.chance.save(out);
  for (const name of CALLS) out.number(state.calls[name]);
  return out.done();
}

function load(channelId: string, saved: Uint8Array): ForecastState {
  const bytes = new ByteReader(saved);
  const state = forecast.initial(channelId);
  const some = (value: number): number | null => (Number.isNaN(value) ? null : value);
  state.untilS = some(bytes.number());
  state.unheardS = bytes.number();
  state.past.load(bytes);
  for (let left = bytes.uint(); left > 0; left--)
    state.news.push({ what: NEWS[bytes.u8()]!, startS: bytes.number(), knownS: bytes.number() });
  for (let left = bytes.uint(); left > 0; left--) state.starts.push(bytes.number());
  for (let left = bytes.uint(); left > 0; left--) {
    const tick: Tick = {
      atS: bytes.number(),
      reference: bytes.number(),
      minute: some(bytes.number()),
      began: [false, true, null][bytes.u8()]!,
      row: null,
    };
    if (bytes.u8() === 1) tick.row = new Float32Array(FEATURES.length).map(() => bytes.f32());
    state.waiting.push(tick);
  }
  for (let left = bytes.uint(); left > 0; left--)
    state.saidRates.push({
      atS: bytes.number(),
      values: Array.from({ length: HORIZONS * 3 }, () => bytes.number()),
    });
  for (let left = bytes.uint(); left > 0; left--)
    state.saidChances.push({ atS: bytes.number(), chance: bytes.number(), model: bytes.number() });
  for (const band of state.bands) band.load(bytes);
  state.chance.load(bytes);
  for (const name of CALLS) state.calls[name] = bytes.number();
  return state;
}
