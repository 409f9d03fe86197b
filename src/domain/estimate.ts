import { boost, boosted, type Trees } from './boosting';
import { isotonic, isotonicAt, type Isotonic } from './isotonic';
import { logLoss, type Answers } from './liveScores';

/**
 * How well a chain does on rows whose outcome is not known, from rows like them whose outcome is: the reference.
 *
 * **Classes**: confidence-based performance estimation, CBPE (NannyML's documentation; Bialek et al., 2024, "Estimating model performance
 * under covariate shift without labels"). Where probabilities are calibrated they say how often a label is right. They are calibrated one
 * class against the rest on the reference (isotonic regression), where that helps on the half it was not fitted to, and sum to 1 again.
 *
 * **Numbers**: direct loss estimation, DLE (NannyML's documentation): boosted trees learn the size of the error from the inputs and the
 * answer, on the reference.
 *
 * Both see inputs that moved to where a model errs more. Neither sees that the same inputs mean something else now: that takes outcomes.
 */
export type Estimator =
  | { method: 'CBPE'; classes: readonly string[]; calibration: Isotonic[] | undefined }
  | { method: 'CBPE'; of: 'confidence'; calibration: Isotonic | undefined }
  | { method: 'DLE'; losses: Record<string, Trees>; };

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

/** By how much the squared error of probabilities falls on the half that they were not calibrated on. */
function gainOfCalibration(x: Float64Array, hit: Float64Array): number {
  let gain = 0;
  for (const half of [0, 1]) {
    const fitted = isotonic(x.filter((_, i) => i % 2 === half), hit.filter((_, i) => i % 2 === half));
    for (let i = 1 - half; i < x.length; i += 2) {
      if (Number.isNaN(hit[i]!) || Number.isNaN(x[i]!)) continue;
      gain += (x[i]! - hit[i]!) ** 2 - (isotonicAt(fitted, x[i]!) - hit[i]!) ** 2;
    }
  }
  return gain;
}

/** @param losses by metric, NaN where not known */
export function fitLosses(features: readonly Float64Array[], losses: Record<string, Float64Array>): Estimator {
  return { method: 'DLE', losses: Object.fromEntries(Object.entries(losses).map(([metric, loss]) => {
    const known = Int32Array.from(loss.keys()).filter((i) => !Number.isNaN(loss[i]!));
    const take = (column: Float64Array): Float64Array => Float64Array.from(known, (i) => column[i]!);
    return [metric, boost(features.map(take), take(loss))];
  })) };
}

/** The expected part of each row in a metric, NaN where the chain did not answer; undefined where this metric can't be estimated. */
export function expectedLosses(estimator: Estimator, metric: string, of: { answers: Answers; features: readonly Float64Array[] }): Float64Array | undefined {
  const { answers, features } = of;
  if (estimator.method === 'DLE') {
    const trees = estimator.losses[metric];
    if (!trees || !answers.value) return undefined;
    const expected = boosted(trees, features);
    return expected.map((loss, i) => (Number.isFinite(answers.value![i]!) ? Math.max(0, loss) : NaN));
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
