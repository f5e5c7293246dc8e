/**
 * Monotone cubic interpolation (Fritsch and Carlson 1980): passes through the points without overshooting them, so a band drawn
 * through forecasts never claims more than they say. `xs` rising; beyond the ends the end values hold.
 */
export function monotone(xs: readonly number[], ys: readonly number[]): (x: number) => number {
  const n = xs.length;
  const x = (i: number): number => xs[i] ?? 0;
  const y = (i: number): number => ys[i] ?? 0;
  const slope = (i: number): number => (y(i + 1) - y(i)) / (x(i + 1) - x(i));
  const tangent = Array.from({ length: n }, (_, i) => {
    if (n < 2) return 0;
    if (i === 0) return slope(0);
    if (i === n - 1) return slope(n - 2);
    return slope(i - 1) * slope(i) <= 0 ? 0 : (slope(i - 1) + slope(i)) / 2;
  });
  for (let i = 0; i < n - 1; i++) {
    const s = slope(i);
    if (s === 0) {
      tangent[i] = tangent[i + 1] = 0;
      continue;
    }
    const a = (tangent[i] ?? 0) / s;
    const b = (tangent[i + 1] ?? 0) / s;
    const length = Math.hypot(a, b);
    if (length > 3) {
      tangent[i] = (3 / length) * a * s;
      tangent[i + 1] = (3 / length) * b * s;
    }
  }
  return (at) => {
    if (n === 0) return Number.NaN;
    if (at <= x(0)) return y(0);
    if (at >= x(n - 1)) return y(n - 1);
    let i = 0;
    while (at > x(i + 1)) i++;
    const h = x(i + 1) - x(i);
    const t = (at - x(i)) / h;
    return (
      y(i) * (1 + 2 * t) * (1 - t) ** 2 +
      h * (tangent[i] ?? 0) * t * (1 - t) ** 2 +
      y(i + 1) * t * t * (3 - 2 * t) +
      h * (tangent[i + 1] ?? 0) * t * t * (t - 1)
    );
  };
}
