import { MOODS } from "@hypecast/contracts/moods.ts";
import type { ChatWindow } from "@hypecast/contracts/window.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import type { Reaction } from "./reaction.ts";

/** A forecast is made every so many seconds of event time, on multiples of it. */
export const TICK_S = 5;
/** Ticks that are kept as they are: two minutes. Whatever is older lives on in minutes and means. */
const BINS = 24;
const MINUTE_BINS = 60 / TICK_S;
/** Whole minutes that are kept: what is usual here. */
const MINUTES = 60;
/** Half-lives of the means of the rate, minutes. The one at REFERENCE is what all rates are compared with. */
const RATE_HALF_LIVES_MIN = [0.5, 1, 3, 6, 15, 45, 120] as const;
const REFERENCE = 2;
const SLOW = 3;
/** Half-lives of the shares: now, and the channel's habit. */
const NOW_HALF_LIFE_MIN = 0.4;
const HABIT_HALF_LIFE_MIN = 15;
const BURST_HALF_LIVES_MIN = [5, 20, 60] as const;
/** Heard time before anything is said. */
export const WARM_TICKS = 60;

/** What a share is made of: counts beside the lines, of reacting seconds and of 10 s windows. */
const COUNTS = ["emoteLines", "caps", ...MOODS, "left"] as const;
const WINDOW_COUNTS = ["chatters", "firstTimers", "questions", "repeated", "length", "support"] as const;
const SHARES = [...COUNTS, ...WINDOW_COUNTS] as const;

/** Rates only: all that a forecast of the rate looks at, so that a series of bare counts can be forecast too. */
const RATE_FEATURES = [
  "level",
  "minute",
  "minuteBefore",
  "last5s",
  "last15s",
  "last30s",
  ...RATE_HALF_LIVES_MIN.filter((_minutes, i) => i !== REFERENCE).map((minutes) => `mean${minutes}m`),
  "median10",
  "median30",
  "p10of60",
  "p90of60",
  "max10",
  "ago5to10",
  "ago10to20",
  "ago20to40",
  "spread15",
  "jump15",
  "noise60",
  "heard",
] as const;
const BURST_FEATURES = [
  "z5s",
  "z10s",
  "z20s",
  "z60s",
  "highest2m",
  "rise",
  ...SHARES.flatMap((name) => [`${name}Now`, `${name}Habit`]),
  "sentiment",
  "sinceBurst",
  "sinceFlood",
  ...BURST_HALF_LIVES_MIN.map((minutes) => `bursts${minutes}m`),
  "burstsEver",
  "openBursts",
] as const;
/** Names of the row's values, in order. The model is trained on exactly these (training/), by this code. */
export const FEATURES: readonly string[] = [...RATE_FEATURES, ...BURST_FEATURES];
export const RATE_FEATURE_COUNT = RATE_FEATURES.length;

const decay = (halfLifeMin: number): number => 0.5 ** (TICK_S / 60 / halfLifeMin);
const RATE_DECAY = RATE_HALF_LIVES_MIN.map(decay);
const BURST_DECAY = BURST_HALF_LIVES_MIN.map(decay);
const NOW_DECAY = decay(NOW_HALF_LIFE_MIN);
const HABIT_DECAY = decay(HABIT_HALF_LIFE_MIN);

/** The whole minutes in figures: twelve rows in a row share them. */
interface Hour {
  minutesSeen: number;
  /** Lines per minute, in the order of the row; null where no minute says. */
  levels: (number | null)[];
  spreads: number[];
}

/** A channel's past as a forecast needs it: bounded, the same after save and load to the last bit. */
export class Past {
  /** Lines of the last heard ticks, at tick number mod BINS; `filled` of them in a row. */
  readonly bins = new Uint32Array(BINS);
  filled = 0;
  /** Lines of the last whole heard minutes, a ring. */
  readonly minutes = new Uint32Array(MINUTES);
  minutesSeen = 0;
  /** Heard ticks since the channel began. */
  ticks = 0;
  /** Means of lines per minute, not yet divided by their weight 1 − decay^ticks. */
  readonly rates = new Float64Array(RATE_DECAY.length);
  /** Decaying sums: reacting lines, then lines in windows, then each count; now and habit. */
  readonly now = new Float64Array(2 + SHARES.length + 2);
  readonly habit = new Float64Array(2 + SHARES.length + 2);
  readonly burstMeans = new Float64Array(BURST_DECAY.length);
  /** Hype bursts that began in all heard time. */
  burstsSeen = 0;
  lastBurstS = -Infinity;
  lastFloodS = -Infinity;
  openBursts = 0;
  /** Of the tick that is being filled: lines, and what is added to the sums at its end. */
  lines = 0;
  readonly filling = new Float64Array(2 + SHARES.length + 2);
  begun = 0;
  /** True when the tick that is being filled began before the channel was heard. */
  broken = true;
  /** Seconds of the tick that is being filled that were not heard, in a hole short enough to bridge. */
  bridging = 0;
  /** End of the last tick that was completed from what stands beside its hole. */
  bridgedS = -Infinity;
  /** Made from `minutes`; never saved. */
  #hour: Hour | null = null;

  /** Counts of one piece of final seconds, inside one tick. */
  add(reaction: Reaction): void {
    this.lines += reaction.messages;
    const { filling } = this;
    filling[0]! += reaction.lines;
    filling[2]! += reaction.emoteLines;
    filling[3]! += reaction.caps;
    for (let mood = 0; mood < MOODS.length; mood++) filling[4 + mood]! += reaction.moods[mood]!;
    filling[4 + MOODS.length]! += reaction.messages - reaction.lines;
  }

  addWindow(window: ChatWindow): void {
    const { filling } = this;
    const at = 2 + COUNTS.length;
    filling[1]! += window.messages;
    filling[at]! += window.chatters;
    filling[at + 1]! += window.firstTimers;
    filling[at + 2]! += window.questions;
    filling[at + 3]! += window.nearRepeatedShare * window.messages;
    filling[at + 4]! += window.meanLength * window.messages;
    filling[at + 5]! += window.subs + window.bits / 100;
    filling[at + 6]! += window.sentiment * window.sentimentLines;
    filling[at + 7]! += window.sentimentLines;
  }

  /** The tick that ends at `atS` is over. */
  closeTick(atS: number): void {
    if (this.broken) this.filled = 0;
    else {
      if (this.bridging > 0) this.#bridge(atS);
      this.bins[place(atS / TICK_S)] = this.lines;
      this.filled = Math.min(BINS, this.filled + 1);
      this.ticks++;
      const perMin = this.lines * MINUTE_BINS;
      for (let i = 0; i < RATE_DECAY.length; i++) {
        const keep = RATE_DECAY[i]!;
        this.rates[i] = keep * this.rates[i]! + (1 - keep) * perMin;
      }
      for (let i = 0; i < this.filling.length; i++) {
        this.now[i] = NOW_DECAY * this.now[i]! + this.filling[i]!;
        this.habit[i] = HABIT_DECAY * this.habit[i]! + this.filling[i]!;
      }
      for (let i = 0; i < BURST_DECAY.length; i++) {
        const keep = BURST_DECAY[i]!;
        this.burstMeans[i] = keep * this.burstMeans[i]! + (1 - keep) * this.begun;
      }
      this.burstsSeen += this.begun;
      if (atS % 60 === 0 && this.filled >= MINUTE_BINS)
        this.minutes[this.minutesSeen++ % MINUTES] = this.lastMinute(atS);
    }
    this.lines = 0;
    this.begun = 0;
    this.filling.fill(0);
    this.broken = false;
    this.bridging = 0;
  }

  /** Completes a tick with a hole: at the rate of its heard seconds, or as the tick before where it has none. */
  #bridge(atS: number): void {
    const heardS = TICK_S - this.bridging;
    if (heardS > 0) this.lines = Math.round((this.lines * TICK_S) / heardS);
    else this.lines = this.filled > 0 ? this.bins[place(atS / TICK_S - 1)]! : 0;
    this.bridgedS = atS;
  }

  /** Lines of the last `count` ticks, `skip` ticks ago, seen from the end of tick `atS`. */
  lastBins(count: number, atS: number, skip = 0): number {
    let sum = 0;
    const newest = atS / TICK_S - skip;
    for (let i = 0; i < count; i++) sum += this.bins[place(newest - i)]!;
    return sum;
  }

  /** The source did not hear the channel; `within`: up to the middle of a tick. */
  lose(within: boolean): void {
    this.filled = 0;
    this.lines = 0;
    this.filling.fill(0);
    this.broken = within;
    this.bridging = 0;
  }

  /** Lines of the minute that ends with tick `atS`. */
  lastMinute(atS: number): number {
    return this.lastBins(MINUTE_BINS, atS);
  }

  /** True when the last minute was heard, but for holes that were bridged: enough to say what comes. */
  get minuteHeard(): boolean {
    return this.filled >= MINUTE_BINS;
  }
  /** True when every second of the minute that ends with tick `atS` was heard: what a forecast may be held to. */
  minuteWhole(atS: number): boolean {
    return this.minuteHeard && atS - this.bridgedS >= 60;
  }

  /** Mean lines per minute by half-life. */
  rate(i: number): number {
    return this.rates[i]! / (1 - RATE_DECAY[i]! ** this.ticks);
  }
  /** What the quantiles of the model are multiples of: lines per minute + 1. */
  get reference(): number {
    return this.rate(REFERENCE) + 1;
  }
  /** Long-run lines per minute: whether the chat is fast enough to say anything. */
  get usualRate(): number {
    return this.rate(4);
  }

  /** What the row says of the whole minutes. */
  #newHour(): Hour {
    // Newest first.
    const known = Math.min(this.minutesSeen, MINUTES);
    const minutes = Array.from(
      { length: known },
      (_, ago) => this.minutes[(this.minutesSeen - 1 - ago) % MINUTES]!,
    );
    const quantile = (count: number, q: number): number | null => {
      const sorted = minutes.slice(0, count).toSorted((a, b) => a - b);
      return sorted.length === 0 ? null : sorted[Math.floor(q * (sorted.length - 1))]!;
    };
    const mean = (from: number, until: number): number | null => {
      const part = minutes.slice(from, until);
      return part.length === 0 ? null : part.reduce((sum, count) => sum + count, 0) / part.length;
    };
    const logs = minutes.map((count) => Math.log(count + 1));
    return {
      minutesSeen: this.minutesSeen,
      levels: [
        quantile(10, 0.5),
        quantile(30, 0.5),
        quantile(60, 0.1),
        quantile(60, 0.9),
        quantile(10, 1),
        mean(5, 10),
        mean(10, 20),
        mean(20, 40),
      ],
      spreads: [deviation(logs.slice(0, 15)), jump(logs.slice(0, 15)), jump(logs)],
    };
  }

  /** The model's row at the end of tick `atS`. Everything is relative to the channel's own past. */
  row(atS: number): Float32Array {
    const row = new Float32Array(FEATURES.length);
    let at = 0;
    const put = (value: number): void => {
      row[at++] = value;
    };
    const { reference } = this;
    const times = (perMin: number): number => Math.log((perMin + 1) / reference);
    const minute = this.lastMinute(atS);
    put(Math.log(reference));
    put(times(minute));
    put(times(this.filled >= BINS ? this.lastBins(MINUTE_BINS, atS, MINUTE_BINS) : minute));
    put(times(this.lastBins(1, atS) * 12));
    put(times(this.lastBins(3, atS) * 4));
    put(times(this.lastBins(6, atS) * 2));
    for (let i = 0; i < this.rates.length; i++) if (i !== REFERENCE) put(times(this.rate(i)));

    const usual = this.rate(SLOW);
    if (this.#hour?.minutesSeen !== this.minutesSeen) this.#hour = this.#newHour();
    for (const perMin of this.#hour.levels) put(times(perMin ?? usual));
    for (const spread of this.#hour.spreads) put(spread);
    put(Math.log(this.ticks / MINUTE_BINS));

    // Standard deviations above what the last minutes make likely; a chat is never quite Poisson.
    const z = (bins: number): number => {
      const expected = (usual / MINUTE_BINS) * bins;
      return (
        (this.lastBins(bins, atS) - expected) /
        Math.sqrt(expected + (0.15 * expected * expected) / bins + 0.25)
      );
    };
    put(z(1));
    put(z(2));
    put(z(4));
    put(z(12));
    let highest = 0;
    for (let ago = 0; ago < this.filled; ago++) highest = Math.max(highest, this.lastBins(1, atS, ago));
    put(times(highest * 12));
    const late = this.lastBins(3, atS);
    const early = this.lastBins(3, atS, 3);
    put((late - early) / Math.sqrt(late + early + 1));

    for (let i = 0; i < SHARES.length; i++) {
      const of = i < COUNTS.length ? 0 : 1;
      const habit = (this.habit[2 + i]! + 0.01) / (this.habit[of]! + 1);
      // A share of few lines is drawn to the habit.
      put((this.now[2 + i]! + 3 * habit) / (this.now[of]! + 3) - habit);
      put(habit);
    }
    const last = this.now.length;
    put(this.now[last - 2]! / (this.now[last - 1]! + 3));
    put(Math.log(Math.min(atS - this.lastBurstS, 7200) + 5));
    put(Math.log(Math.min(atS - this.lastFloodS, 7200) + 5));
    // Bursts per hour.
    for (const [i, keep] of BURST_DECAY.entries())
      put(Math.log((this.burstMeans[i]! / (1 - keep ** this.ticks)) * MINUTE_BINS * 60 + 1));
    put(Math.log(((this.burstsSeen + 1) / (this.ticks + 720)) * MINUTE_BINS * 60 + 0.5));
    put(this.openBursts);
    return row;
  }

  save(out: ByteWriter): void {
    for (const count of this.bins) out.uint(count);
    for (const count of this.minutes) out.uint(count);
    for (const name of NUMBERS) out.number(this[name]);
    for (const name of SUMS) out.f64s(this[name]);
    out.u8(this.broken ? 1 : 0);
    out.number(this.bridging);
    out.number(this.bridgedS);
  }

  load(bytes: ByteReader): void {
    for (let i = 0; i < BINS; i++) this.bins[i] = bytes.uint();
    for (let i = 0; i < MINUTES; i++) this.minutes[i] = bytes.uint();
    for (const name of NUMBERS) this[name] = bytes.number();
    for (const name of SUMS) bytes.f64s(this[name]);
    this.broken = bytes.u8() === 1;
    this.bridging = bytes.number();
    this.bridgedS = bytes.number();
  }
}

const place = (tick: number): number => ((tick % BINS) + BINS) % BINS;

const NUMBERS = [
  "filled",
  "minutesSeen",
  "ticks",
  "burstsSeen",
  "lastBurstS",
  "lastFloodS",
  "openBursts",
  "lines",
  "begun",
] as const;
const SUMS = ["rates", "now", "habit", "burstMeans", "filling"] as const;

function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** Mean step from one minute to the next. */
function jump(values: readonly number[]): number {
  let sum = 0;
  for (let i = 1; i < values.length; i++) sum += Math.abs(values[i]! - values[i - 1]!);
  return values.length < 2 ? 0 : sum / (values.length - 1);
}
