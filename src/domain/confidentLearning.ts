/**
 * Confident learning (Northcutt, Jiang and Chuang, 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels"): finds wrong
 * labels by counting how often rows of one label are confidently predicted to be of another. Predictions must be out of sample.
 */
export interface LabelledAnswers {
  classes: number;
  /** Row-major, rows x classes; each row sums to 1. */
  probabilities: ArrayLike<number>;
  /** Each row's given class, 0 .. classes-1. */
  labels: Int32Array;
}

/** Differences of probabilities below this are rounding. */
const ROUNDING = 1e-6;
/** Above every probability: a class that no row has is never confidently predicted. */
const NEVER = 2;
/** Labels that are kept of each class, however bad they look. */
const KEPT_PER_CLASS = 1;

/** Per class, how sure the predictions are on average of rows that have its label: from there on a prediction is confident. */
export function confidentThresholds({ classes, probabilities, labels }: LabelledAnswers): Float64Array {
  const sums = new Float64Array(classes);
  const counts = countsOf(labels, classes);
  labels.forEach((label, row) => { sums[label]! += probabilities[row * classes + label]!; });
  return sums.map((sum, k) => (counts[k] === 0 ? NEVER : Math.max(2 * ROUNDING, sum / counts[k]!)));
}

/**
 * Rows by given class and confidently predicted class, scaled so that each given class has as many as there are labels of it: an
 * estimate of how given and true labels go together, in whole rows. `joint[given][true]`.
 */
export function confidentJoint(answers: LabelledAnswers): number[][] {
  const { classes, labels } = answers;
  const thresholds = confidentThresholds(answers);
  const counted = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  labels.forEach((label, row) => {
    const guess = confidentGuess(answers, row, thresholds);
    if (guess >= 0) counted[label]![guess]!++;
  });
  const counts = countsOf(labels, classes);
  const scaled = counted.map((row, given) => {
    row[given] = Math.max(1, row[given]!);
    const total = sumOf(row);
    return row.map((count) => (count / total) * counts[given]!);
  });
  const total = sumOf(scaled.map(sumOf));
  return scaled.map((row) => roundedTo(row.map((count) => (count / total) * labels.length)));
}

/** The class that is predicted at or above its threshold; of several the likeliest of all; -1 when none is. */
function confidentGuess({ classes, probabilities }: LabelledAnswers, row: number, thresholds: Float64Array): number {
  let confident = 0;
  let guess = -1;
  let best = 0;
  for (let k = 0; k < classes; k++) {
    const p = probabilities[row * classes + k]!;
    if (p > probabilities[row * classes + best]!) best = k;
    if (p < thresholds[k]! - ROUNDING) continue;
    if (++confident === 1) guess = k;
  }
  return confident > 1 ? best : guess;
}

/**
 * Rows whose label is likely wrong, ascending: "prune by noise rate". For each given class g and other class t, as many rows as the joint
 * has at [g][t], those with the largest margin p(t) - p(g); but never a row whose given class is the likeliest.
 */
export function wrongLabels(answers: LabelledAnswers): Int32Array {
  const { classes, probabilities, labels } = answers;
  const wanted = confidentJoint(answers).map(keptApart);
  const rowsOf = Array.from({ length: classes }, () => [] as number[]);
  labels.forEach((label, row) => rowsOf[label]!.push(row));
  const suspect = new Set<number>();
  rowsOf.forEach((rows, given) => {
    if (rows.length <= KEPT_PER_CLASS) return;
    for (let other = 0; other < classes; other++) {
      const count = wanted[given]![other]!;
      if (other === given || count === 0) continue;
      const margins = Float64Array.from(rows, (row) => probabilities[row * classes + other]! - probabilities[row * classes + given]!);
      for (const i of largest(margins, count)) suspect.add(rows[i]!);
    }
  });
  const likely = likeliest(answers, ROUNDING);
  return Int32Array.from(suspect).filter((row) => likely[row] !== labels[row]).sort();
}

/** Where the largest `count` numbers are, of equals the first. */
function largest(values: Float64Array, count: number): number[] {
  const least = values.slice().sort()[values.length - count]!;
  let equals = count - values.reduce((n, x) => n + (x > least ? 1 : 0), 0);
  return [...values.keys()].filter((i) => values[i]! > least || (values[i] === least && equals-- > 0));
}

/** How many rows of a given class to take out by true class, when at least one is to be left: what the diagonal lacks comes off the others. */
function keptApart(row: number[], given: number): number[] {
  const lacking = Math.max(0, KEPT_PER_CLASS - row[given]!);
  const others = Math.max(1, row.filter((count) => count !== 0).length - 1);
  return row.map((count, k) => (k === given ? count + lacking : Math.trunc(Math.max(0, count - lacking / others))));
}

/** Each row's likeliest class, the first of equals; the given one when it is within `tolerance` of that. */
export function likeliest({ classes, probabilities, labels }: LabelledAnswers, tolerance = 0): Int32Array {
  return labels.map((label, row) => {
    const bonus = (k: number): number => probabilities[row * classes + k]! + (k === label ? tolerance : 0);
    let best = 0;
    for (let k = 1; k < classes; k++) if (bonus(k) > bonus(best)) best = k;
    return best;
  });
}

/** Label quality in [0, 1]: the probability of the given label. */
export function selfConfidence({ classes, probabilities, labels }: LabelledAnswers): Float64Array {
  return Float64Array.from(labels, (label, row) => probabilities[row * classes + label]!);
}

/** Label quality in [0, 1]: (p(given) - the largest of the others + 1) / 2; below a half another class is likelier. */
export function normalisedMargin({ classes, probabilities, labels }: LabelledAnswers): Float64Array {
  return Float64Array.from(labels, (label, row) => {
    let other = 0;
    for (let k = 0; k < classes; k++) if (k !== label) other = Math.max(other, probabilities[row * classes + k]!);
    return ((label < 0 ? 0 : probabilities[row * classes + label]!) - other + 1) / 2;
  });
}

function countsOf(labels: Int32Array, classes: number): Float64Array {
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label]!++;
  return counts;
}

/** To whole numbers with the same sum: those that rounding moved furthest the wrong way go up or down by one more. */
function roundedTo(row: number[]): number[] {
  const whole = row.map(halfToEven);
  const missing = halfToEven(sumOf(row)) - sumOf(whole);
  const step = Math.sign(missing);
  const order = row.map((_, k) => k).sort((a, b) => step * (row[b]! - whole[b]! - (row[a]! - whole[a]!)) || step * (b - a));
  for (const k of order.slice(0, Math.abs(missing))) whole[k]! += step;
  return whole;
}

function halfToEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0);
