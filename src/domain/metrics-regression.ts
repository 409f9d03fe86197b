import type { Scorer } from './bootstrap';
import { numbersOf, rootOf, weightedMean, type Scorers, type Scoring } from './metrics';
import type { Table } from './table';

/** The trained scale of a regression: log10 of positive numbers, or as they are. */
export const toScale = (value: number, scale: 'linear' | 'log10'): number => (scale === 'log10' ? Math.log10(value) : value);
export const fromScale = (value: number, scale: 'linear' | 'log10'): number => (scale === 'log10' ? 10 ** value : value);

/** `truth` and `value` in the target's own unit; rows whose truth is missing (or has no logarithm, on that scale) are left out. */
export function regressionScoring<Who extends string>(
  truth: Float64Array, predictors: Partial<Record<Who, Table>>, scale: 'linear' | 'log10',
): Scoring<Who> {
  const rows = Int32Array.from(truth.keys()).filter((row) => Number.isFinite(toScale(truth[row]!, scale)));
  const own = Float64Array.from(rows, (row) => truth[row]!);
  const scaled = own.map((y) => toScale(y, scale));
  const scorers: Partial<Record<Who, Scorers>> = {};
  for (const who of Object.keys(predictors) as Who[]) scorers[who] = scorePredictor(predictors[who]!);
  return { resampling: { kind: 'units', count: rows.length }, rows: rows.length, scorers };

  function scorePredictor(outputs: Table): Scorers {
    const value = take(numbersOf(outputs, 'value'));
    const error = value.map((v, i) => toScale(v, scale) - scaled[i]!);
    const ownError = value.map((v, i) => v - own[i]!);
    const scores: Scorers = {
      rmse: rootOf(weightedMean(squared(error))),
      mae: weightedMean(error.map(Math.abs)),
      r2: r2(scaled, squared(error)),
      rmse_own: rootOf(weightedMean(squared(ownError))),
      mae_own: weightedMean(ownError.map(Math.abs)),
    };
    if (outputs.columns.low && outputs.columns.high) {
      const low = take(numbersOf(outputs, 'low'));
      const high = take(numbersOf(outputs, 'high'));
      scores.coverage = weightedMean(own.map((y, i) => (y >= low[i]! && y <= high[i]! ? 1 : 0)));
    }
    return scores;
  }

  function take(values: Float64Array): Float64Array {
    return Float64Array.from(rows, (row) => values[row]!);
  }
}

const squared = (values: Float64Array): Float64Array => values.map((v) => v * v);

/** 1 - residual / total sum of squares; NaN where the truth does not vary. */
function r2(truth: Float64Array, squaredError: Float64Array): Scorer {
  // Centred first, so that the total's two large terms do not cancel.
  const mean = truth.reduce((sum, y) => sum + y, 0) / truth.length;
  const centred = truth.map((y) => y - mean);
  return (weights) => {
    let residual = 0;
    let sum = 0;
    let squares = 0;
    let total = 0;
    for (let i = 0; i < centred.length; i++) {
      const w = weights[i]!;
      const y = centred[i]!;
      residual += w * squaredError[i]!;
      sum += w * y;
      squares += w * y * y;
      total += w;
    }
    const spread = squares - (sum * sum) / total;
    return spread > 0 ? 1 - residual / spread : NaN;
  };
}
