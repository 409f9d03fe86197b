import { figure } from './headline';
import type { Finding } from './suspects';
import { lopsidedScores } from './robust';

/** Robust standard deviations from the median. */
const FAR = 6;
/** Where more of a column's values are that far, that is how the column is. */
const RARE = 0.01;

/** Values of a numeric column that are far from all others, as few are. */
export function outliers(name: string, values: Float64Array): Finding[] {
  const scores = lopsidedScores(values);
  const far = Int32Array.from(values.keys()).filter((row) => Math.abs(scores[row]!) > FAR);
  if (far.length > Math.max(1, RARE * values.length)) return [];
  return Array.from(far, (row) => ({
    row, reason: 'outlier', why: `${name} ${figure(values[row]!)} is ${figure(Math.abs(scores[row]!))} usual deviations from the median`,
  }));
}
