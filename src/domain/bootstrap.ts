import { random } from './random';
import { studentQuantile } from './student';
import type { Bound, Gain } from './version';

/**
 * A metric as a function of how often each unit (a row, a series, an origin) is counted: all ones give its value, the counts of a
 * resample its value there. So a resample copies no data.
 */
export type Scorer = (weights: Float64Array) => number;

/** What is drawn with replacement: single units, or blocks of consecutive ones where neighbours depend on each other. */
export type Resampling = { kind: 'units'; count: number } | { kind: 'blocks'; count: number; length: number };

export interface BootstrapOptions { resamples: number; seed: number; /** Of the interval, e.g. 0.95. */ confidence: number }

/**
 * Each scorer's value in each resample. All scorers see the same resamples, so differences between them are paired (Efron &
 * Tibshirani, 1993). Blocks: the moving block bootstrap (Kuensch, 1989).
 */
export function bootstrap(scorers: readonly Scorer[], resampling: Resampling, options: BootstrapOptions): Float64Array[] {
  const next = random(options.seed);
  const weights = new Float64Array(resampling.count);
  const values = scorers.map(() => new Float64Array(options.resamples));
  for (let i = 0; i < options.resamples; i++) {
    draw(weights, resampling, next);
    for (let s = 0; s < scorers.length; s++) values[s]![i] = scorers[s]!(weights);
  }
  return values;
}

function draw(weights: Float64Array, resampling: Resampling, next: () => number): void {
  const { count } = resampling;
  weights.fill(0);
  if (resampling.kind === 'units') {
    for (let i = 0; i < count; i++) weights[(next() * count) | 0]!++;
    return;
  }
  const length = Math.min(resampling.length, count);
  for (let drawn = 0; drawn < count; drawn += length) {
    const start = Math.floor(next() * (count - length + 1));
    const end = start + Math.min(length, count - drawn);
    for (let i = start; i < end; i++) weights[i]!++;
  }
}

export interface Measured { value: number; resampled: Float64Array }

export interface GainOptions {
  better: 'higher' | 'lower';
  confidence: number;
  /** Confidences of one-sided bounds that are wanted besides, and what was drawn. */
  bounds?: { confidences: readonly number[]; resampling: Resampling };
}

/** How much better the newcomer is than the other, with the percentile interval of the difference. */
export function gainOver(other: Measured, newcomer: Measured, options: GainOptions): Gain {
  const gain = (was: number, is: number): number => (options.better === 'higher' ? is - was : was - is);
  const differences = newcomer.resampled.map((value, i) => gain(other.resampled[i]!, value)).filter((d) => !Number.isNaN(d)).sort();
  const tail = (1 - options.confidence) / 2;
  const value = gain(other.value, newcomer.value);
  const bounds = options.bounds && boundsOf({ value, resampled: differences }, options.bounds);
  return {
    value,
    low: quantile(differences, tail),
    high: quantile(differences, 1 - tail),
    confidence: options.confidence,
    ...(bounds && { bounds }),
  };
}

/**
 * One-sided bounds at each confidence: the value and Student's t times the bootstrap's standard error, with the degrees of freedom of
 * as many units (blocks) as were drawn ("bootstrap standard t interval": Efron & Tibshirani, 1993, 12.5; the standard error is freed of the
 * bootstrap's factor (n - 1) / n: Hesterberg, 2015, "What Teachers Should Know about the Bootstrap"). Unlike percentiles it holds in slices of
 * some tens of rows, and reaches into tails that a thousand resamples do not. NaN of fewer than two units.
 */
export function boundsOf(of: Measured, { confidences, resampling }: NonNullable<GainOptions['bounds']>): Bound[] {
  const units = resampling.kind === 'units' ? resampling.count : Math.floor(resampling.count / resampling.length);
  const error = deviation(of.resampled.filter((value) => !Number.isNaN(value))) * Math.sqrt(units / (units - 1));
  return confidences.map((confidence) => {
    // Nothing varies: there is no doubt.
    const reach = error === 0 ? 0 : units > 1 ? error * studentQuantile(confidence, units - 1) : NaN;
    return { confidence, low: of.value - reach, high: of.value + reach };
  });
}

/** The standard deviation; NaN of nothing. */
function deviation(values: Float64Array): number {
  if (values.length > 0 && values.every((value) => value === values[0])) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** Linear between the order statistics (Hyndman & Fan, 1996, type 7: numpy's default); NaN of nothing. */
export function quantile(sorted: Float64Array, q: number): number {
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)] ?? NaN;
  const above = sorted[Math.ceil(at)] ?? NaN;
  return at === Math.floor(at) ? below : below + (above - below) * (at - Math.floor(at));
}
