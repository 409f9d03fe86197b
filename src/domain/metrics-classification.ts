import type { Scorer } from './bootstrap';
import { numbersOf, stringsOf, vectorOf, weightedMean, type Scorers, type Scoring } from './metrics';
import type { Table } from './table';

export interface ClassPredictions { outputs: Table; /** In the order of `probabilities`. */ classes: readonly string[] }

const SMALLEST = 1e-15;
export const CALIBRATION_BINS = 15;

/** Bins are open below and closed above; NaN falls into the first. */
export const calibrationBin = (p: number): number => Math.min(CALIBRATION_BINS - 1, Math.max(0, Math.ceil(p * CALIBRATION_BINS) - 1) || 0);

/** Rows without a true class are left out; a true class that a predictor does not know counts as wrong. */
export function classificationScoring<Who extends string>(
  truth: readonly (string | null)[], predictors: Partial<Record<Who, ClassPredictions>>,
): Scoring<Who> {
  const rows = Int32Array.from(truth.keys()).filter((row) => truth[row] !== null);
  const ids = new Map<string, number>();
  const idOf = (label: string): number => ids.get(label) ?? (ids.set(label, ids.size), ids.size - 1);
  const actual = Int32Array.from(rows, (row) => idOf(truth[row]!));
  const scorers: Partial<Record<Who, Scorers>> = {};
  for (const who of Object.keys(predictors) as Who[]) scorers[who] = scorePredictor(predictors[who]!);
  return { resampling: { kind: 'units', count: rows.length }, rows: rows.length, scorers };

  function scorePredictor({ outputs, classes }: ClassPredictions): Scorers {
    const label = stringsOf(outputs, 'label');
    const confidence = numbersOf(outputs, 'probability');
    const { width, values } = vectorOf(outputs, 'probabilities');
    const position = new Map(classes.map((name, i) => [name, i]));
    const predicted = Int32Array.from(rows, (row) => (label[row] == null ? -1 : idOf(label[row]!)));
    const correct = Float64Array.from(rows, (_, i) => (predicted[i] === actual[i] ? 1 : 0));
    const loss = Float64Array.from(rows, (row) => {
      const at = position.get(truth[row]!);
      return -Math.log(Math.min(1, Math.max(SMALLEST, at === undefined ? 0 : values[row * width + at]!)));
    });
    return {
      accuracy: weightedMean(correct),
      macro_f1: macroF1(actual, predicted),
      log_loss: weightedMean(loss),
      calibration_error: calibrationError(Float64Array.from(rows, (row) => confidence[row]!), correct),
    };
  }
}

/** The mean of F1 over the classes that occur among the true or the predicted ones (as scikit-learn's `average='macro'`). */
function macroF1(actual: Int32Array, predicted: Int32Array): Scorer {
  const classes = 1 + Math.max(-1, ...new Set(actual), ...new Set(predicted));
  const hits = new Float64Array(classes);
  const occurrences = new Float64Array(classes);
  return (weights) => {
    hits.fill(0);
    occurrences.fill(0);
    for (let i = 0; i < actual.length; i++) {
      const w = weights[i]!;
      occurrences[actual[i]!]! += w;
      if (predicted[i]! >= 0) occurrences[predicted[i]!]! += w;
      if (predicted[i] === actual[i]) hits[actual[i]!]! += w;
    }
    let sum = 0;
    let present = 0;
    for (let c = 0; c < classes; c++) {
      if (occurrences[c]! === 0) continue;
      sum += (2 * hits[c]!) / occurrences[c]!;
      present++;
    }
    return sum / present;
  };
}

/**
 * Expected calibration error of the predicted class, in 15 bins of equal width (Guo et al., 2017,
 * "On Calibration of Modern Neural Networks").
 */
function calibrationError(confidence: Float64Array, correct: Float64Array): Scorer {
  // A NaN makes the sum of its bin NaN.
  const bin = Int32Array.from(confidence, calibrationBin);
  const gap = confidence.map((p, i) => p - correct[i]!);
  const gaps = new Float64Array(CALIBRATION_BINS);
  return (weights) => {
    gaps.fill(0);
    let total = 0;
    for (let i = 0; i < gap.length; i++) {
      gaps[bin[i]!]! += weights[i]! * gap[i]!;
      total += weights[i]!;
    }
    return gaps.reduce((sum, g) => sum + Math.abs(g), 0) / total;
  };
}
