import { readFileSync } from "node:fs";

/** User and system time of a process so far, in seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Latencies in steps of 0.5 ms up to 30 s: adding one is an increment. */
export class Latencies {
  readonly #counts = new Uint32Array(60_000);
  count = 0;
  add(ms: number): void {
    const slot = Math.max(0, Math.min(this.#counts.length - 1, Math.floor(ms * 2)));
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
    this.count++;
  }
  /** Upper edge of the step that holds the quantile, in ms; null without any. */
  quantile(q: number): number | null {
    if (this.count === 0) return null;
    let seen = 0;
    for (const [slot, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= q * this.count) return (slot + 1) / 2;
    }
    return null;
  }
}
