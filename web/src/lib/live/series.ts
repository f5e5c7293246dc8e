/** The last minutes of one channel at one value a second, in rings of numbers that the charts read without any reactivity. */
export class SecondRing {
  readonly #second: Float64Array;
  readonly #rate: Float64Array;
  readonly #hype: Float64Array;
  newestS = Number.NEGATIVE_INFINITY;

  constructor(readonly size: number) {
    this.#second = new Float64Array(size).fill(Number.NaN);
    this.#rate = new Float64Array(size);
    this.#hype = new Float64Array(size);
  }

  /** `rate` messages per minute, `hype` 0–100 or NaN where there is none. A later word about a second replaces the earlier. */
  put(second: number, rate: number, hype: number): void {
    if (second <= this.newestS - this.size) return;
    const slot = ((second % this.size) + this.size) % this.size;
    this.#second[slot] = second;
    this.#rate[slot] = rate;
    this.#hype[slot] = hype;
    this.newestS = Math.max(this.newestS, second);
  }

  /** Messages per minute; NaN where the second was not measured. */
  rate(second: number): number {
    const slot = ((second % this.size) + this.size) % this.size;
    return this.#second[slot] === second ? (this.#rate[slot] ?? Number.NaN) : Number.NaN;
  }

  hype(second: number): number {
    const slot = ((second % this.size) + this.size) % this.size;
    return this.#second[slot] === second ? (this.#hype[slot] ?? Number.NaN) : Number.NaN;
  }
}

/** What one column of the stream's heatmap shows. `rate` and `hype` are NaN where nothing was measured. */
export interface Column {
  startMs: number;
  rate: number;
  hype: number;
  mood: string | null;
}

const UNMEASURED: Omit<Column, "startMs"> = { rate: Number.NaN, hype: Number.NaN, mood: null };

/** A whole stream in bins of `stepMs`, aligned to the epoch; grows at the right, is filled in anywhere. */
export class StreamBins {
  #firstBin: number | null = null;
  #bins: Omit<Column, "startMs">[] = [];
  /** Counts changes, so that a chart knows whether to draw again. */
  revision = 0;

  constructor(
    readonly stepMs: number,
    /** Oldest bins are let go beyond this. */
    readonly most: number,
  ) {}

  get startMs(): number | null {
    return this.#firstBin === null ? null : this.#firstBin * this.stepMs;
  }
  get endMs(): number | null {
    return this.#firstBin === null ? null : (this.#firstBin + this.#bins.length) * this.stepMs;
  }

  /** A measured stretch; a rate of null says that it was not heard. Stretches longer than a bin fill all the bins they cover. */
  put(
    startMs: number,
    lengthMs: number,
    value: { rate: number | null; hype?: number | null; mood?: string | null },
  ): void {
    const first = Math.floor(startMs / this.stepMs);
    const last = Math.max(first, Math.ceil((startMs + lengthMs) / this.stepMs) - 1);
    for (let bin = first; bin <= last; bin++) this.#set(bin, value);
    this.revision += 1;
  }

  #set(bin: number, value: { rate: number | null; hype?: number | null; mood?: string | null }): void {
    this.#firstBin ??= bin;
    if (bin < this.#firstBin) {
      const missing = this.#firstBin - bin;
      if (this.#bins.length + missing > this.most) return;
      this.#bins = [...Array.from({ length: missing }, () => UNMEASURED), ...this.#bins];
      this.#firstBin = bin;
    }
    if (bin - this.#firstBin >= this.#bins.length + this.most) {
      this.#bins = []; // A jump of the clock longer than all we keep: what we had is not the same stream.
      this.#firstBin = bin;
    }
    while (bin - this.#firstBin >= this.#bins.length) this.#bins.push(UNMEASURED);
    const at = bin - this.#firstBin;
    const was = this.#bins[at] ?? UNMEASURED;
    this.#bins[at] = {
      rate: value.rate ?? Number.NaN,
      hype:
        value.rate === null ? Number.NaN : value.hype === undefined ? was.hype : (value.hype ?? Number.NaN),
      mood: value.mood === undefined ? was.mood : value.mood,
    };
    const over = this.#bins.length - this.most;
    if (over > 0) {
      this.#bins = this.#bins.slice(over);
      this.#firstBin += over;
    }
  }

  /** Hype alone, where the bin's rate is known from elsewhere. */
  putHype(atMs: number, hype: number): void {
    if (this.#firstBin === null) return;
    const at = Math.floor(atMs / this.stepMs) - this.#firstBin;
    const was = this.#bins[at];
    if (was === undefined || Number.isNaN(was.rate)) return;
    this.#bins[at] = { ...was, hype };
    this.revision += 1;
  }

  /**
   * [fromMs, toMs) in `count` columns. A column shows the highest of what it covers, so that no burst is averaged away; with
   * nothing measured inside it is NaN, which is drawn as a hatch and never as zero.
   */
  columns(fromMs: number, toMs: number, count: number): Column[] {
    const width = (toMs - fromMs) / count;
    const columns: Column[] = [];
    for (let i = 0; i < count; i++) {
      const startMs = fromMs + i * width;
      const first = Math.floor(startMs / this.stepMs);
      const last = Math.max(first, Math.ceil((startMs + width) / this.stepMs) - 1);
      let rate = Number.NaN;
      let hype = Number.NaN;
      let mood: string | null = null;
      for (let bin = first; bin <= last; bin++) {
        const value = this.#bins[bin - (this.#firstBin ?? 0)];
        if (value === undefined || Number.isNaN(value.rate)) continue;
        if (!(value.rate <= rate)) {
          rate = value.rate;
          mood = value.mood ?? mood;
        } else mood ??= value.mood;
        if (!(value.hype <= hype) && !Number.isNaN(value.hype)) hype = value.hype;
      }
      columns.push({ startMs, rate, hype, mood });
    }
    return columns;
  }
}

/** Sums of the 60 seconds before each, from values per second; NaN inside the minute is left out and scaled for. */
export function trailingMinute(perSecond: readonly number[], at: number): number {
  let sum = 0;
  let measured = 0;
  for (let i = Math.max(0, at - 59); i <= at; i++) {
    const value = perSecond[i] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    sum += value;
    measured += 1;
  }
  // Less than half a minute heard says little about the minute.
  return measured < 30 || Number.isNaN(perSecond[at] ?? Number.NaN) ? Number.NaN : (sum / measured) * 60;
}
