import { classAgreement, numberAgreement, type Agreement } from './agreement';
import { likeliest, normalisedMargin, wrongLabels, type LabelledAnswers } from './confidentLearning';
import { figure } from './headline';
import { labelsOf, numbersOf, stringsOf, vectorOf } from './metrics';
import { toScale } from './metrics-regression';
import { robustMoments } from './robust';
import type { ClassificationSpec, RegressionSpec } from './spec';
import type { Finding } from './suspects';
import { isNumeric, type Column, type Table } from './table';

/** What a version's outputs, none of them from a member that was trained on the row, say of the rows' labels. */
export interface LabelJudgement {
  /** Rows that have a label. */
  labelled: Int32Array;
  given: Column;
  /** What the row would be labelled by the model. */
  suggested: Column;
  /** In [0, 1], the lower the likelier wrong; NaN without a label. */
  quality: Float64Array;
  wrong: Finding[];
  agreement(rows: Int32Array): Agreement;
  /** Of rows with the same inputs, those whose labels can't all be right. */
  conflicts(rows: Int32Array): Finding[];
}

interface Judged<Spec> {
  spec: Spec;
  target: Column;
  outputs: Table;
  /** Sets of rows that are judged each by itself: what was trained on, and the holdout. */
  parts: Int32Array[];
}

export function judgeLabels(of: Judged<ClassificationSpec | RegressionSpec> & { classes?: readonly string[] }): LabelJudgement {
  const { spec } = of;
  return spec.task === 'classification' ? judgeClasses({ ...of, spec, classes: of.classes ?? [] }) : judgeNumbers({ ...of, spec });
}

/** Confident learning. A class that no training row has can't be judged. */
function judgeClasses({ target, outputs, parts, classes }: Judged<ClassificationSpec> & { classes: readonly string[] }): LabelJudgement {
  const given = labelsOf(target);
  const position = new Map(classes.map((name, k) => [name, k]));
  const labels = Int32Array.from(given, (name) => (name === null ? -1 : position.get(name) ?? -1));
  const { values: probabilities } = vectorOf(outputs, 'probabilities');
  const width = classes.length;
  const all: LabelledAnswers = { classes: width, probabilities, labels };
  const likely = likeliest(all);
  const percent = (row: number, k: number): string => `${(100 * probabilities[row * width + k]!).toFixed(0)}%`;

  const wrong = parts.flatMap((part) => {
    const rows = part.filter((row) => labels[row]! >= 0);
    return Array.from(wrongLabels(takeAnswers(all, rows)), (i): Finding => {
      const row = rows[i]!;
      return { row, reason: 'label', why: `${classes[likely[row]!]} is ${percent(row, likely[row]!)} likely, ${given[row]} ${percent(row, labels[row]!)}` };
    });
  });
  return {
    labelled: Int32Array.from(given.keys()).filter((row) => given[row] !== null),
    given: { type: 'category', values: given },
    suggested: { type: 'category', values: Array.from(likely, (k) => classes[k] ?? null) },
    quality: normalisedMargin(all).map((quality, row) => (given[row] === null ? NaN : quality)),
    wrong,
    agreement: (rows) => classAgreement({ width, probabilities, labels }, rows),
    conflicts: (rows) => classConflicts(given, rows),
  };
}

/** All rows whose label is not the one that most of them have; all rows when none is. */
function classConflicts(given: (string | null)[], rows: Int32Array): Finding[] {
  const counts = new Map<string, number>();
  const labelled = rows.filter((row) => given[row] !== null);
  for (const row of labelled) counts.set(given[row]!, (counts.get(given[row]!) ?? 0) + 1);
  if (counts.size < 2) return [];
  const [[first, most], [, next]] = [...counts].sort(([, a], [, b]) => b - a) as [[string, number], [string, number]];
  const others = labelled.filter((row) => most === next || given[row] !== first);
  const why = [...counts].map(([name, count]) => `${count} ${name}`).join(', ');
  return Array.from(others, (row) => ({ row, reason: 'conflict', why: `rows with the same inputs are ${why}` }));
}

/** Robust standard deviations from the prediction (Iglewicz and Hoaglin, 1993), and between two labels of the same inputs. */
const FAR = 3.5;
const APART = 3;

/**
 * Residuals of predictions that have not seen the row, in robust standard deviations of such residuals, on the scale of training: what
 * is left of the label when all that the inputs explain is taken off. (Zhou et al., 2023, "Detecting errors in a numerical response via
 * any regression model", divide by an estimate of each row's own uncertainty instead; the ensemble gives none.)
 */
function judgeNumbers({ spec, target, outputs, parts }: Judged<RegressionSpec>): LabelJudgement {
  if (!isNumeric(target)) throw new TypeError(`a regression's target holds numbers, not ${target.type} values`);
  const given = target.values;
  const value = numbersOf(outputs, 'value');
  const scaled = given.map((y) => toScale(y, spec.scale));
  const predicted = value.map((y) => toScale(y, spec.scale));
  const residual = scaled.map((y, row) => y - predicted[row]!);
  const scores = new Float64Array(given.length).fill(NaN);
  for (const part of parts) {
    const { centre, scale } = robustMoments(Float64Array.from(part, (row) => residual[row]!));
    for (const row of part) scores[row] = scale > 0 ? (residual[row]! - centre) / scale : residual[row]! - residual[row]!;
  }
  const { scale } = robustMoments(residual);
  const labelled = Int32Array.from(given.keys()).filter((row) => Number.isFinite(scaled[row]!));
  return {
    labelled,
    given: target,
    suggested: { type: 'number', values: value },
    quality: scores.map((z) => Math.exp(-Math.abs(z))),
    wrong: Array.from(labelled.filter((row) => Math.abs(scores[row]!) > FAR), (row) => ({
      row, reason: 'label', why: `${figure(value[row]!)} is expected; ${figure(given[row]!)} is ${figure(Math.abs(scores[row]!))} usual errors away`,
    })),
    agreement: (rows) => numberAgreement({ predicted, given: scaled }, rows),
    conflicts: (rows) => numberConflicts({ given, scaled, apart: APART * Math.SQRT2 * scale }, rows),
  };
}

/** Rows further from the middle of their group than noise would put one of two labels. */
function numberConflicts(of: { given: Float64Array; scaled: Float64Array; apart: number }, rows: Int32Array): Finding[] {
  const labelled = rows.filter((row) => Number.isFinite(of.scaled[row]!));
  const { centre } = robustMoments(Float64Array.from(labelled, (row) => of.scaled[row]!));
  const far = labelled.filter((row) => Math.abs(of.scaled[row]! - centre) > of.apart / 2);
  const known = Float64Array.from(labelled, (row) => of.given[row]!).sort();
  const why = `rows with the same inputs are from ${figure(known[0]!)} to ${figure(known.at(-1)!)}`;
  return Array.from(far, (row) => ({ row, reason: 'conflict', why }));
}

function takeAnswers({ classes, probabilities, labels }: LabelledAnswers, rows: Int32Array): LabelledAnswers {
  const taken = new Float64Array(rows.length * classes);
  rows.forEach((row, i) => { for (let k = 0; k < classes; k++) taken[i * classes + k] = probabilities[row * classes + k]!; });
  return { classes, probabilities: taken, labels: Int32Array.from(rows, (row) => labels[row]!) };
}

/** For an answer that names its classes as strings, whatever the column's type. */
export const suggestedLabel = (judgement: LabelJudgement, row: number): string => {
  const { suggested } = judgement;
  return suggested.type === 'number' ? figure(suggested.values[row]!) : String(stringsOf({ rows: 0, columns: { suggested } }, 'suggested')[row]);
};
