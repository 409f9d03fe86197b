import { quantile } from './bootstrap';
import { ShoalError } from './errors';
import { seasonalNaive, type SeriesSet } from './series';
import { fromScale, toScale } from './metrics-regression';
import type { ForecastSpec, RegressionSpec } from './spec';
import type { Column, Table } from './table';

/** What a trivial predictor answers to every row, by output name: a manifest's `baseline`. */
export type Baseline = Record<string, number | string | number[]>;

/** The mean on the trained scale, and the interval that holds the nominal share of the training rows. `truth` in the target's own unit. */
export function meanBaseline(spec: Pick<RegressionSpec, 'scale' | 'interval' | 'target'>, truth: Float64Array): Baseline {
  const scaled = truth.map((y) => toScale(y, spec.scale)).filter(Number.isFinite).sort();
  if (scaled.length === 0) throw noTruth(spec.target);
  const tail = (1 - spec.interval) / 2;
  const own = (z: number): number => fromScale(z, spec.scale);
  return {
    value: own(scaled.reduce((sum, z) => sum + z, 0) / scaled.length),
    low: own(quantile(scaled, tail)),
    high: own(quantile(scaled, 1 - tail)),
  };
}

/** The commonest class, and the share of each of `classes` among the training rows. Of equally common ones, the first. */
export function priorBaseline(target: string, truth: readonly (string | null)[], classes: readonly string[]): Baseline {
  const counts = new Map<string, number>();
  for (const label of truth) if (label !== null) counts.set(label, (counts.get(label) ?? 0) + 1);
  const total = classes.reduce((sum, name) => sum + (counts.get(name) ?? 0), 0);
  if (total === 0) throw noTruth(target);
  const shares = classes.map((name) => (counts.get(name) ?? 0) / total);
  const most = shares.indexOf(Math.max(...shares));
  return { label: classes[most]!, probability: shares[most]!, probabilities: shares };
}

/** The same answer for a number of rows. */
export function baselineOutputs(baseline: Baseline, rows: number): Table {
  const columns: Record<string, Column> = {};
  for (const [name, answer] of Object.entries(baseline)) {
    if (typeof answer === 'number') columns[name] = { type: 'number', values: new Float64Array(rows).fill(answer) };
    else if (typeof answer === 'string') columns[name] = { type: 'category', values: new Array<string>(rows).fill(answer) };
    else columns[name] = { type: 'vector', width: answer.length, values: repeated(answer, rows) };
  }
  return { rows, columns };
}

/** `value` [rows, horizon]: the seasonal naive forecast from each place. */
export function naiveOutputs(set: SeriesSet, spec: ForecastSpec, places: { series: readonly string[]; origins: ArrayLike<number> }): Table {
  const rows = places.series.length;
  const values = new Float32Array(rows * spec.horizon);
  for (let row = 0; row < rows; row++) values.set(seasonalNaive(set, spec, places.series[row]!, places.origins[row]!), row * spec.horizon);
  return { rows, columns: { value: { type: 'vector', width: spec.horizon, values } } };
}

const repeated = (answer: number[], rows: number): Float32Array =>
  Float32Array.from({ length: rows * answer.length }, (_, i) => answer[i % answer.length]!);

const noTruth = (target: string): ShoalError => new ShoalError('COLUMN_EMPTY', `No training row has a value in ${target}.`, {
  remedy: 'Check the column in the source.', details: { column: target },
});
