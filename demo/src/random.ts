/** Seeded random numbers: the same seed gives the same stream of them on every machine. */
export interface Random {
  /** [0, 1) */
  next(): number;
  /** Integer in [from, to], both inclusive. */
  int(from: number, to: number): number;
  chance(p: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** Index of `weights`, each as likely as its weight. */
  weighted(weights: readonly number[]): number;
  /** Median `median`, spread `sigma` of the logarithm: the usual shape of human reaction times. */
  logNormal(median: number, sigma: number): number;
  exponential(mean: number): number;
}

/** mulberry32: 32 bits of state, passes what a script needs. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return {
    next,
    int: (from, to) => from + Math.floor(next() * (to - from + 1)),
    chance: (p) => next() < p,
    pick: (list) => {
      const value = list[Math.floor(next() * list.length)];
      if (value === undefined) throw new Error("nothing to pick from: the list is empty");
      return value;
    },
    weighted: (weights) => {
      let rest = next() * weights.reduce((sum, weight) => sum + weight, 0);
      for (const [i, weight] of weights.entries()) {
        rest -= weight;
        if (rest < 0) return i;
      }
      return weights.length - 1;
    },
    logNormal: (median, sigma) => median * Math.exp(sigma * normal()),
    exponential: (mean) => -mean * Math.log(1 - next()),
  };
}

/** FNV-1a with a final mix, over any number of texts and numbers: a seed or an id from what it is about. */
export function hash32(...parts: readonly (string | number)[]): number {
  let h = 0x811c9dc5;
  for (const part of parts) {
    const text = String(part);
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    h = Math.imul(h ^ 0x1f, 0x01000193);
  }
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const hex = (value: number): string => value.toString(16).padStart(8, "0");

/** An id that looks as Twitch's do (UUID, version 4) and is the same for the same parts. */
export function uuidOf(...parts: readonly (string | number)[]): string {
  const digits = [0, 1, 2, 3].map((salt) => hex(hash32(salt, ...parts))).join("");
  const variant = "89ab"[Number.parseInt(digits[16] ?? "0", 16) & 3];
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-${variant}${digits.slice(17, 20)}-${digits.slice(20)}`;
}

/** 32 hex digits: client-nonce. */
export const nonceOf = (...parts: readonly (string | number)[]): string =>
  uuidOf("nonce", ...parts).replaceAll("-", "");
