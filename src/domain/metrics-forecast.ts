import type { Resampling, Scorer } from './bootstrap';
import { ShoalError } from './errors';
import type { Examples } from './examples';
import { pooledMean, rootOf, vectorOf, type Scorers, type Scoring } from './metrics';
import type { Table } from './table';

/** With fewer series than this, a resample of series would hardly vary. */
const MIN_SERIES = 20;

/**
 * Outputs `value` (and `low`, `high`) [rows, horizon], rows as in `examples`; every step with a known truth counts once. MASE
 * (Hyndman & Koehler, 2006, "Another look at measures of forecast accuracy") divides by `scales`, the in-sample error of the seasonal
 * naive forecast of each series, and leaves out series that have none; sMAPE = mean of 2|f - y| / (|f| + |y|), 0 to 2, 0 where both are 0.
 *
 * Resampled by series where there are many. Else by blocks of consecutive origins, all series together, at least as long as the
 * horizon, because forecasts from neighbouring origins share periods; and of the order n^(1/3) (Kuensch, 1989).
 */
export function forecastScoring<Who extends string>(
  truth: { examples: Pick<Examples, 'target' | 'series' | 'origins'>; scales: ReadonlyMap<string, number> },
  predictors: Partial<Record<Who, Table>>,
): Scoring<Who> {
  const { target, series, origins } = truth.examples;
  const { units, unitOf } = unitsOf(series, origins, target.width);
  const rows = target.values.reduce((count, y) => count + (Number.isNaN(y) ? 0 : 1), 0);
  const scorers: Partial<Record<Who, Scorers>> = {};
  for (const who of Object.keys(predictors) as Who[]) scorers[who] = scorePredictor(predictors[who]!);
  return { resampling: units, rows, scorers };

  function scorePredictor(outputs: Table): Scorers {
    const value = read(outputs, 'value');
    const scales = series.map((name) => truth.scales.get(name) ?? NaN);
    const scores: Scorers = {
      mase: pooled((i, row) => Math.abs(value[i]! - target.values[i]!) / scales[row]!, (row) => !Number.isNaN(scales[row]!)),
      smape: pooled((i) => symmetricError(value[i]!, target.values[i]!)),
      rmse: rootOf(pooled((i) => (value[i]! - target.values[i]!) ** 2)),
    };
    if (outputs.columns.low && outputs.columns.high) {
      const low = read(outputs, 'low');
      const high = read(outputs, 'high');
      scores.coverage = pooled((i) => (target.values[i]! >= low[i]! && target.values[i]! <= high[i]! ? 1 : 0));
    }
    return scores;
  }

  function pooled(contribution: (cell: number, row: number) => number, counts: (row: number) => boolean = () => true): Scorer {
    const sums = new Float64Array(units.count);
    const cells = new Float64Array(units.count);
    for (let row = 0; row < series.length; row++) {
      if (!counts(row)) continue;
      for (let i = row * target.width; i < (row + 1) * target.width; i++) {
        if (Number.isNaN(target.values[i]!)) continue;
        sums[unitOf[row]!]! += contribution(i, row);
        cells[unitOf[row]!]!++;
      }
    }
    return pooledMean(sums, cells);
  }

  function read(outputs: Table, name: string): ArrayLike<number> {
    const { width, values } = vectorOf(outputs, name);
    if (width !== target.width) {
      throw new ShoalError('COLUMN_TYPE', `Output ${name} holds ${width} steps where ${target.width} are judged.`, {
        remedy: 'Predictors are compared on the same horizon.', details: { column: name, width, expected: target.width },
      });
    }
    return values;
  }
}

function symmetricError(forecast: number, truth: number): number {
  const size = Math.abs(forecast) + Math.abs(truth);
  return size === 0 ? 0 : (2 * Math.abs(forecast - truth)) / size;
}

function unitsOf(series: readonly string[], origins: Int32Array, horizon: number): { units: Resampling; unitOf: Int32Array } {
  const names = [...new Set(series)];
  if (names.length >= MIN_SERIES) {
    const index = new Map(names.map((name, i) => [name, i]));
    return { units: { kind: 'units', count: names.length }, unitOf: Int32Array.from(series, (name) => index.get(name)!) };
  }
  const distinct = [...new Set(origins)].sort((a, b) => a - b);
  const index = new Map(distinct.map((origin, i) => [origin, i]));
  const count = distinct.length;
  // A block that is most of the sample would make every resample alike.
  const length = Math.max(1, Math.min(Math.max(horizon, Math.ceil(Math.cbrt(count))), Math.floor(count / 4)));
  return { units: { kind: 'blocks', count, length }, unitOf: origins.map((origin) => index.get(origin)!) };
}
