/** Texts as a list of SQL: parameters travel in the address, which is too short for many. */
export const listOf = (texts: readonly string[]): string =>
  texts.length === 0
    ? "('')"
    : `(${texts.map((text) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`).join(",")})`;

/** The store has no null for a span: an empty list stands for it. */
export const spanOf = (stored: readonly number[] | null): [number, number] | null =>
  stored !== null && stored.length === 2 ? [stored[0]!, stored[1]!] : null;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Of a share `k` of `n`: Wilson's score interval, 80 %. */
export function wilson(k: number, n: number, z = 1.2816): Interval {
  const share = k / n;
  const spread = z * z;
  const centre = share + spread / (2 * n);
  const half = z * Math.sqrt((share * (1 - share)) / n + spread / (4 * n * n));
  const whole = 1 + spread / n;
  return { low: Math.max(0, (centre - half) / whole), high: Math.min(1, (centre + half) / whole) };
}
