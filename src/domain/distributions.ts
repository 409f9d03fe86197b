/** How two samples differ. Numeric samples are sorted, and hold no NaN. */

/** The area between the two cumulative distributions (the first Wasserstein distance), in the values' own unit. */
export function wasserstein(a: Float64Array, b: Float64Array): number {
  let area = 0;
  walk(a, b, (shareA, shareB, from, to) => { area += Math.abs(shareA - shareB) * (to - from); });
  return area;
}

/** The largest difference between the two cumulative distributions (Kolmogorov, 1933; Smirnov, 1939). */
export function ksStatistic(a: Float64Array, b: Float64Array): number {
  let largest = 0;
  walk(a, b, (shareA, shareB) => { largest = Math.max(largest, Math.abs(shareA - shareB)); });
  return largest;
}

/** Visits the intervals between neighbouring values of both samples, with the share of each sample at or below. */
function walk(a: Float64Array, b: Float64Array, visit: (shareA: number, shareB: number, from: number, to: number) => void): void {
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const from = Math.min(a[i] ?? Infinity, b[j] ?? Infinity);
    while (i < a.length && a[i] === from) i++;
    while (j < b.length && b[j] === from) j++;
    const to = Math.min(a[i] ?? Infinity, b[j] ?? Infinity);
    if (to !== Infinity) visit(i / a.length, j / b.length, from, to);
  }
}

/** Steps of the exact computation that are still quick. */
const EXACT_STEPS = 1e7;

/**
 * The probability of a Kolmogorov-Smirnov statistic this large between two samples of one distribution: exact by counting lattice paths
 * (Hodges, 1957; Schroeer & Trenkler, 1995), for large samples Stephens' approximation (1970).
 */
export function ksPValue(statistic: number, n: number, m: number): number {
  if (statistic <= 0) return 1;
  if (n * m > EXACT_STEPS) {
    const root = Math.sqrt((n * m) / (n + m));
    return kolmogorovTail((root + 0.12 + 0.11 / root) * statistic);
  }
  // Of the multiples of 1/nm the statistic is one; half a step below it tells paths that reach it from those that don't.
  const limit = (Math.round(statistic * n * m) - 0.5) / (n * m);
  const inside = new Float64Array(m + 1);
  for (let j = 0; j <= m && j / m <= limit; j++) inside[j] = 1;
  let low = 0;
  for (let i = 1; i <= n; i++) {
    // Paths stay in a band around the diagonal; left of it there is nothing any more, right of it nothing yet.
    while (i / n - low / m > limit) inside[low++] = 0;
    const high = Math.min(m, Math.floor((i / n + limit) * m));
    for (let j = low; j <= high; j++) inside[j] = (inside[j]! * i + (j > 0 ? inside[j - 1]! * j : 0)) / (i + j);
  }
  return Math.min(1, Math.max(0, 1 - inside[m]!));
}

function kolmogorovTail(x: number): number {
  if (x < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k++) sum += (k % 2 ? 2 : -2) * Math.exp(-2 * k * k * x * x);
  return Math.min(1, Math.max(0, sum));
}

/** The Jensen-Shannon distance (base 2, in [0, 1]) of two lists of counts over the same categories (Lin, 1991; Endres & Schindelin, 2003). */
export function jensenShannon(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [n, m] = [total(a), total(b)];
  let divergence = 0;
  for (let i = 0; i < a.length; i++) {
    const [p, q] = [a[i]! / n, b[i]! / m];
    const middle = (p + q) / 2;
    if (p > 0) divergence += (p / 2) * Math.log2(p / middle);
    if (q > 0) divergence += (q / 2) * Math.log2(q / middle);
  }
  return Math.sqrt(Math.max(0, divergence));
}

/** The squared distance that two samples of one distribution have on average, to second order: chance alone, not a difference. */
export function jensenShannonNoise(categories: number, n: number, m: number): number {
  return ((categories - 1) / (8 * Math.LN2)) * (1 / n + 1 / m);
}

/** Pearson's test that two lists of counts come from one distribution; categories that neither has are left out. */
export function chiSquared(a: ArrayLike<number>, b: ArrayLike<number>): { statistic: number; freedom: number; p: number } {
  const [n, m] = [total(a), total(b)];
  let statistic = 0;
  let categories = 0;
  for (let i = 0; i < a.length; i++) {
    const both = a[i]! + b[i]!;
    if (both === 0) continue;
    categories++;
    const [inA, inB] = [(both * n) / (n + m), (both * m) / (n + m)];
    statistic += (a[i]! - inA) ** 2 / inA + (b[i]! - inB) ** 2 / inB;
  }
  const freedom = categories - 1;
  return { statistic, freedom, p: freedom < 1 ? 1 : chiSquaredTail(statistic, freedom) };
}

/** P(X > x) of a chi-squared distribution with a whole number of degrees of freedom: the finite sum that its tail is then. */
export function chiSquaredTail(x: number, freedom: number): number {
  if (x <= 0) return 1;
  const z = x / 2;
  const odd = freedom % 2 === 1;
  let tail = odd ? erfc(Math.sqrt(z)) : Math.exp(-z);
  // The terms z^a exp(-z) / gamma(a + 1), as logarithms: they overflow long before the sum does.
  let logTerm = odd ? Math.log(2 * Math.sqrt(z / Math.PI)) - z : Math.log(z) - z;
  for (let a = odd ? 0.5 : 1; a < freedom / 2; a++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log(z / (a + 1));
  }
  return Math.min(1, tail);
}

/** The complementary error function of x >= 0: its power series, and far out its continued fraction. */
function erfc(x: number): number {
  const scale = Math.exp(-x * x) / Math.sqrt(Math.PI);
  if (x < 2.5) {
    let term = x;
    let sum = x;
    for (let k = 1; term > sum * 1e-17; k++) {
      term *= (2 * x * x) / (2 * k + 1);
      sum += term;
    }
    return 1 - 2 * scale * sum;
  }
  let fraction = x;
  for (let k = 80; k > 0; k--) fraction = x + k / 2 / fraction;
  return scale / fraction;
}

function total(counts: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i]!;
  return sum;
}
