import { quantile } from './bootstrap';

/** Makes the median absolute deviation, and the mean one, the standard deviation of normal errors. */
const NORMAL = { median: 1.4826, mean: 1.2533 };

/** The median and a scale that a minority of wild values can't move; NaN values do not count. */
export function robustMoments(values: Float64Array): { centre: number; scale: number } {
  const sorted = values.filter((x) => !Number.isNaN(x)).sort();
  const centre = quantile(sorted, 0.5);
  const deviations = sorted.map((x) => Math.abs(x - centre)).sort();
  const median = quantile(deviations, 0.5);
  // Where more than half are the same, the others tell the scale.
  const scale = median > 0 ? NORMAL.median * median : (NORMAL.mean * deviations.reduce((sum, d) => sum + d, 0)) / deviations.length;
  return { centre, scale };
}

/** How many robust standard deviations each value is from the median (Iglewicz and Hoaglin, 1993); 0 where nothing varies. */
export function robustScores(values: Float64Array): Float64Array {
  const { centre, scale } = robustMoments(values);
  return values.map((x) => (scale > 0 || Number.isNaN(x) ? (x - centre) / scale : 0));
}

/**
 * The same for a column that may lean to one side: either side has its own scale, by its share of 5% (a normal one has it 1.645
 * deviations out). Positive values are also looked at as logarithms, and the smaller of both scores counts: what is far out must be so
 * either way.
 */
export function lopsidedScores(values: Float64Array): Float64Array {
  const plain = sidedScores(values);
  if (values.some((x) => x <= 0)) return plain;
  const logarithmic = sidedScores(values.map(Math.log));
  return plain.map((score, i) => (Math.abs(logarithmic[i]!) < Math.abs(score) ? logarithmic[i]! : score));
}

function sidedScores(values: Float64Array): Float64Array {
  const sorted = values.filter(Number.isFinite).sort();
  const centre = quantile(sorted, 0.5);
  const [left, right] = [centre - quantile(sorted, 0.05), quantile(sorted, 0.95) - centre].map((width) => width / 1.645) as [number, number];
  return values.map((x) => {
    const side = x < centre ? left : right;
    return side > 0 ? (x - centre) / side : 0;
  });
}
