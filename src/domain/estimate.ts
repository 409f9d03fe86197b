import { boost, boosted, type Trees } from './boosting';
import { isotonic, isotonicAt, type Isotonic } from './isotonic';
import { logLoss, type Answers } from './liveScores';

/**
 * How well a chain does on rows whose outcome is not known, from rows like them whose outcome is: the reference.
 *
 * **Classes**: confidence-based performance estimation, CBPE (NannyML's documentation; Bialek et al., 2024, "Estimating model performance
 * under covariate shift without labels"). Where probabilities are calibrated they say how often a label is right. They are calibrated one
 * class against the rest on the reference (isotonic regression), where that helps on rows it was not fitted to, and sum to 1 again.
 *
 * **Numbers**: direct loss estimation, DLE (NannyML's documentation): boosted trees learn the size of the error from the inputs and the
 * answer, on the reference. Squared errors follow from it: errors are taken to be of one shape, and of a size that depends on the row
 * (Harvey, 1976, "Estimating regression models with multiplicative heteroscedasticity"). Trees that learn the squares themselves learn
 * little but their few largest.
 *
 * Both see inputs that moved to where a model errs more. Neither sees that the same inputs mean something else now: that takes outcomes.
 */
export type Estimator =
  | { method: 'CBPE'; classes: readonly string[]; calibration: Isotonic[] | undefined }
  | { method: 'CBPE'; of: 'confidence'; calibration: Isotonic | undefined }
  | { method: 'DLE'; size: Trees; /** The mean of squared errors, of the square of the mean error. */ squares: number };

export function fitClasses(answers: Answers, truth: readonly (string | null)[], classes: readonly string[]): Estimator | undefined {
  const { probabilities, probability, label } = answers;
  if (probabilities && classes.length > 0) {
    const columns = classes.map((_, c) => Float64Array.from({ length: answers.rows }, (_, i) => probabilities[i * classes.length + c]!));
    const hits = classes.map((name) => Float64Array.from(truth, (was) => (was === null ? NaN : was === name ? 1 : 0)));
    const helps = columns.reduce((sum, x, c) => sum + gainOfCalibration(x, hits[c]!), 0) > 0;
    return { method: 'CBPE', classes, calibration: helps ? columns.map((x, c) => isotonic(x, hits[c]!)) : undefined };
  }
  if (!probability || !label) return undefined;
  const hit = Float64Array.from(truth, (was, i) => (was === null || label[i] === null ? NaN : was === label[i] ? 1 : 0));
  return { method: 'CBPE', of: 'confidence', calibration: gainOfCalibration(probability, hit) > 0 ? isotonic(probability, hit) : undefined };
}

const FOLDS = 5;
const BINS = 10;

/**
 * By how much the calibration error of probabilities falls on rows that they were not calibrated on. Not their squared error: an isotonic
 * fit's steps cost a little of it, and an estimate is a mean of probabilities, which steps do not harm.
 */
function gainOfCalibration(x: Float64Array, hit: Float64Array): number {
  const known = Int32Array.from(x.keys()).filter((i) => !Number.isNaN(x[i]!) && !Number.isNaN(hit[i]!));
  const calibrated = new Float64Array(x.length);
  for (let fold = 0; fold < FOLDS; fold++) {
    const rest = known.filter((_, k) => k % FOLDS !== fold);
    const fitted = isotonic(Float64Array.from(rest, (i) => x[i]!), Float64Array.from(rest, (i) => hit[i]!));
    for (let k = fold; k < known.length; k += FOLDS) calibrated[known[k]!] = isotonicAt(fitted, x[known[k]!]!);
  }
  return calibrationError(known, x, hit) - calibrationError(known, calibrated, hit);
}

/** The expected calibration error (Naeini et al., 2015, "Obtaining well calibrated probabilities using Bayesian binning"), in bins of as many rows each. */
function calibrationError(rows: Int32Array, x: Float64Array, hit: Float64Array): number {
  const order = rows.slice().sort((a, b) => x[a]! - x[b]!);
  let error = 0;
  for (let bin = 0; bin < BINS; bin++) {
    const own = order.subarray(Math.floor((bin * order.length) / BINS), Math.floor(((bin + 1) * order.length) / BINS));
    error += Math.abs(own.reduce((sum, i) => sum + x[i]! - hit[i]!, 0));
  }
  return error / Math.max(1, rows.length);
}

/** @param errors absolute, NaN where not known */
export function fitLosses(features: readonly Float64Array[], errors: Float64Array): Estimator {
  const known = Int32Array.from(errors.keys()).filter((i) => !Number.isNaN(errors[i]!));
  const take = (rows: Int32Array) => ({ features: features.map((column) => Float64Array.from(rows, (i) => column[i]!)), errors: Float64Array.from(rows, (i) => errors[i]!) });
  // On rows that the trees were not fitted to: on their own they say more than they know.
  let [squares, expected] = [0, 0];
  for (const half of [0, 1]) {
    const [own, other] = [take(known.filter((_, k) => k % 2 === half)), take(known.filter((_, k) => k % 2 !== half))];
    boosted(boost(own.features, own.errors), other.features).forEach((size, i) => {
      squares += other.errors[i]! ** 2;
      expected += Math.max(0, size) ** 2;
    });
  }
  const all = take(known);
  return { method: 'DLE', size: boost(all.features, all.errors), squares: expected > 0 ? squares / expected : 1 };
}

/** The expected part of each row in a metric, NaN where the chain did not answer; undefined where this metric can't be estimated. */
export function expectedLosses(estimator: Estimator, metric: string, of: { answers: Answers; features: readonly Float64Array[] }): Float64Array | undefined {
  const { answers, features } = of;
  if (estimator.method === 'DLE') {
    const { size, squares } = estimator;
    if (!answers.value || (metric !== 'mae' && metric !== 'rmse')) return undefined;
    return boosted(size, features).map((error, i) => (Number.isFinite(answers.value![i]!) ? (metric === 'mae' ? Math.max(0, error) : squares * Math.max(0, error) ** 2) : NaN));
  }
  const { label, probability, probabilities } = answers;
  if ('of' in estimator) {
    if (metric !== 'accuracy' || !probability) return undefined;
    return probability.map((p) => (estimator.calibration ? isotonicAt(estimator.calibration, p) : p));
  }
  const { classes, calibration } = estimator;
  if (!probabilities || !label || (metric !== 'accuracy' && metric !== 'log_loss')) return undefined;
  const at = new Map(classes.map((name, c) => [name, c]));
  const calibrated = new Float64Array(classes.length);
  return Float64Array.from(label, (said, i) => {
    let sum = 0;
    for (let c = 0; c < classes.length; c++) {
      const p = probabilities[i * classes.length + c]!;
      calibrated[c] = calibration ? isotonicAt(calibration[c]!, p) : p;
      sum += calibrated[c]!;
    }
    if (!(sum > 0)) return NaN;
    if (metric === 'accuracy') return said === null ? NaN : (calibrated[at.get(said) ?? -1] ?? 0) / sum;
    let loss = 0;
    for (let c = 0; c < classes.length; c++) loss += (calibrated[c]! / sum) * logLoss(probabilities[i * classes.length + c]!);
    return loss;
  });
}
