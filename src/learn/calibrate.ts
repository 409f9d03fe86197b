import { logitsOf, meanOf, softmax } from './answer';
import type { Raw } from './answer';

/** (1 - 0.8) / 2 is a little less than 0.1 in floating point. */
const ROUNDING = 1e-9;

/**
 * Offsets from a prediction to the ends of its interval, from the errors of cross-fitted predictions (CV+ with members as folds; Barber,
 * Candes, Ramdas and Tibshirani, 2021, "Predictive inference with the jackknife+"): the order statistics that hold `coverage` of the next
 * error, with the correction for a finite sample. `low` <= 0 <= `high`.
 */
export function intervalOffsets(errors: readonly number[], coverage: number): { low: number; high: number } {
  const sorted = Float64Array.from(errors).sort();
  const n = sorted.length;
  if (n === 0) return { low: 0, high: 0 };
  const tail = (1 - coverage) / 2;
  const low = sorted[Math.max(0, Math.floor((n + 1) * tail + ROUNDING) - 1)]!;
  const high = sorted[Math.min(n - 1, Math.ceil((n + 1) * (1 - tail) - ROUNDING) - 1)]!;
  return { low: Math.min(0, low), high: Math.max(0, high) };
}

/** Cross-fitted errors, truth less prediction, of unit `unit`; rows whose truth is NaN are left out. */
export function crossFittedErrors(of: { raw: Raw; rows: Int32Array; folds: Int8Array; truth: Float32Array; unit: number }): number[] {
  const { raw, rows, folds, truth, unit } = of;
  const width = truth.length / raw.rows;
  return Array.from(rows, (row) => truth[row * width + unit]! - meanOf(raw, row, unit, folds[row]!)).filter((e) => !Number.isNaN(e));
}

/**
 * The temperature that makes cross-fitted probabilities likeliest (Guo et al., 2017), by golden section on its logarithm. Rows count as they
 * do in training.
 */
export function fitTemperature(of: { raw: Raw; rows: Int32Array; folds: Int8Array; classOf: Int32Array; weights?: Float32Array }): number {
  const { raw, rows, folds, classOf, weights } = of;
  const loss = (logTemperature: number): number => {
    let sum = 0;
    for (const row of rows) {
      const probabilities = softmax(logitsOf(raw, row, folds[row]!), Math.exp(logTemperature));
      sum -= (weights ? weights[row]! : 1) * Math.log(Math.max(1e-12, probabilities[classOf[row]!]!));
    }
    return sum;
  };
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [Math.log(0.1), Math.log(10)];
  for (let i = 0; i < 20; i++) {
    const [a, b] = [high - ratio * (high - low), low + ratio * (high - low)];
    if (loss(a) < loss(b)) high = b;
    else low = a;
  }
  return Math.exp((low + high) / 2);
}
