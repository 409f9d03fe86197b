import { quantile } from './bootstrap';
import { numbersOf } from './metrics';
import { toScale } from './metrics-regression';
import { wilson, type Interval } from './proportion';
import { random, shuffled } from './random';
import type { RegressionSpec } from './spec';
import type { Table } from './table';

/** As many points as a reader can still tell apart. */
export const MAX_POINTS = 2_000;
const GROUPS = 10;
const ROWS_A_GROUP = 10;
const MAX_BINS = 40;

export interface RegressionDiagnosis {
  task: 'regression';
  target: string;
  scale: RegressionSpec['scale'];
  rows: number;
  /** In the target's own unit: all rows, or a random sample. */
  points: { truth: number; predicted: number }[];
  /** Rows by size of their prediction, smallest first, in groups of equally many. */
  groups: PredictionGroup[];
  /** Truth less prediction, on the trained scale. */
  residuals: Histogram & { mean: number; /** Of the absolute ones. */ median: number };
  /** Nominal coverage of [low, high], where there is an interval. */
  interval?: number;
}

export interface PredictionGroup {
  rows: number;
  /** Smallest and largest prediction. */
  from: number;
  to: number;
  /** Medians. */
  predicted: number;
  truth: number;
  /** Share of true values within [low, high]. */
  covered?: Interval;
}

/** `counts[i]` values from `edges[i]` up to `edges[i + 1]`; the last edge belongs to the last bin. */
export interface Histogram { edges: number[]; counts: number[] }

/** Rows whose truth is missing, or has no logarithm on that scale, are left out. */
export function diagnoseRegression(
  spec: Pick<RegressionSpec, 'target' | 'scale' | 'interval' | 'seed'>, { truth, outputs }: { truth: Float64Array; outputs: Table },
): RegressionDiagnosis | undefined {
  const predicted = numbersOf(outputs, 'value');
  const residualOf = (row: number): number => toScale(truth[row]!, spec.scale) - toScale(predicted[row]!, spec.scale);
  const rows = Int32Array.from(truth.keys()).filter((row) => Number.isFinite(residualOf(row)));
  if (rows.length === 0) return undefined;
  const residuals = Float64Array.from(rows, residualOf);
  const sample = rows.length <= MAX_POINTS ? rows : shuffled(rows.length, random(spec.seed)).subarray(0, MAX_POINTS).map((i) => rows[i]!);
  const hasInterval = outputs.columns.low !== undefined && outputs.columns.high !== undefined;
  const interval = hasInterval ? { low: numbersOf(outputs, 'low'), high: numbersOf(outputs, 'high') } : undefined;
  return {
    task: 'regression',
    target: spec.target,
    scale: spec.scale,
    rows: rows.length,
    points: Array.from(sample, (row) => ({ truth: truth[row]!, predicted: predicted[row]! })),
    groups: groupsOf(rows, { truth, predicted, interval }),
    residuals: { ...histogram(residuals), mean: mean(residuals), median: quantile(residuals.map(Math.abs).sort(), 0.5) },
    interval: interval && spec.interval,
  };
}

function groupsOf(
  rows: Int32Array,
  { truth, predicted, interval }: { truth: Float64Array; predicted: Float64Array; interval?: { low: Float64Array; high: Float64Array } },
): PredictionGroup[] {
  const order = Int32Array.from(rows).sort((a, b) => predicted[a]! - predicted[b]! || a - b);
  const count = Math.max(1, Math.min(GROUPS, Math.floor(rows.length / ROWS_A_GROUP)));
  return Array.from({ length: count }, (_, g): PredictionGroup => {
    const part = order.subarray(Math.floor((g * order.length) / count), Math.floor(((g + 1) * order.length) / count));
    const median = (values: Float64Array): number => quantile(Float64Array.from(part, (row) => values[row]!).sort(), 0.5);
    const inside = interval && part.reduce((sum, row) => sum + (truth[row]! >= interval.low[row]! && truth[row]! <= interval.high[row]! ? 1 : 0), 0);
    return {
      rows: part.length,
      from: predicted[part[0]!]!,
      to: predicted[part[part.length - 1]!]!,
      predicted: median(predicted),
      truth: median(truth),
      covered: inside === undefined ? undefined : wilson(inside, part.length),
    };
  });
}

/** Bins of equal width, by the rule of Freedman and Diaconis (1981): 2 * interquartile range / n^(1/3). */
export function histogram(values: Float64Array): Histogram {
  const sorted = Float64Array.from(values).sort();
  const [low, high] = [sorted[0]!, sorted[sorted.length - 1]!];
  const wanted = (2 * (quantile(sorted, 0.75) - quantile(sorted, 0.25))) / Math.cbrt(sorted.length);
  const bins = high > low ? Math.max(1, Math.min(MAX_BINS, wanted > 0 ? Math.ceil((high - low) / wanted) : MAX_BINS)) : 1;
  const counts = new Array<number>(bins).fill(0);
  for (const value of sorted) counts[high > low ? Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins)) : 0]!++;
  return { edges: Array.from({ length: bins + 1 }, (_, i) => low + ((high - low) * i) / bins), counts };
}

const mean = (values: Float64Array): number => values.reduce((sum, v) => sum + v, 0) / values.length;
