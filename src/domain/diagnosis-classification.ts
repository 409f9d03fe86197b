import { numbersOf, stringsOf } from './metrics';
import { CALIBRATION_BINS, calibrationBin, type ClassPredictions } from './metrics-classification';
import { wilson, type Interval } from './proportion';

/** Classes that a matrix can still be read with; the rarer ones are taken together. */
export const MAX_CLASSES = 14;
export const OTHERS = 'all others';

export interface ClassificationDiagnosis {
  task: 'classification';
  rows: number;
  /** The most frequent first; where there are many, the rest are the last entry, OTHERS. */
  classes: string[];
  /** How often a row of the true class (first index) was taken for the predicted one (second). */
  confusion: number[][];
  /** Share of right answers; of rows of OTHERS, those where the very class was named. */
  accuracy: number;
  /** Rows by the probability of the predicted class; bins without rows are left out. */
  reliability: ReliabilityBin[];
}

export interface ReliabilityBin {
  from: number;
  to: number;
  rows: number;
  /** Mean probability. */
  said: number;
  /** Share of right answers. */
  right: Interval;
}

/** Rows without a true class are left out. */
export function diagnoseClassification(truth: readonly (string | null)[], { outputs }: ClassPredictions): ClassificationDiagnosis | undefined {
  const label = stringsOf(outputs, 'label');
  const probability = numbersOf(outputs, 'probability');
  const rows = Int32Array.from(truth.keys()).filter((row) => truth[row] !== null);
  if (rows.length === 0) return undefined;
  const classes = classesOf(rows, truth, label);
  const position = new Map(classes.map((name, i) => [name, i]));
  const at = (name: string | null): number => position.get(name ?? '') ?? classes.length - 1;
  const confusion = classes.map(() => new Array<number>(classes.length).fill(0));
  for (const row of rows) confusion[at(truth[row]!)]![at(label[row]!)]!++;
  const right = Uint8Array.from(rows, (row) => (label[row] === truth[row] ? 1 : 0));
  return {
    task: 'classification',
    rows: rows.length,
    classes,
    confusion,
    accuracy: right.reduce((sum, r) => sum + r, 0) / rows.length,
    reliability: reliabilityOf(Float64Array.from(rows, (row) => probability[row]!), right),
  };
}

function classesOf(rows: Int32Array, truth: readonly (string | null)[], label: readonly (string | null)[]): string[] {
  const counts = new Map<string, number>();
  for (const row of rows) {
    counts.set(truth[row]!, (counts.get(truth[row]!) ?? 0) + 1);
    const said = label[row];
    if (said != null && !counts.has(said)) counts.set(said, 0);
  }
  const names = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([name]) => name);
  return names.length <= MAX_CLASSES ? names : [...names.slice(0, MAX_CLASSES - 1), OTHERS];
}

/** In the bins of the metric `calibration_error`. */
function reliabilityOf(probability: Float64Array, right: Uint8Array): ReliabilityBin[] {
  const bins = Array.from({ length: CALIBRATION_BINS }, () => ({ rows: 0, said: 0, right: 0 }));
  probability.forEach((p, i) => {
    const bin = bins[calibrationBin(p)]!;
    bin.rows++;
    bin.said += p;
    bin.right += right[i]!;
  });
  return bins.flatMap((bin, i) => (bin.rows === 0 ? [] : [{
    from: i / CALIBRATION_BINS, to: (i + 1) / CALIBRATION_BINS, rows: bin.rows, said: bin.said / bin.rows, right: wilson(bin.right, bin.rows),
  }]));
}
