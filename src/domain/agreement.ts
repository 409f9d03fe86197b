/** How well labels go with what is predicted of them, from -1 to 1, with its interval; NaN where labels or predictions do not vary. */
export interface Agreement { value: number; low: number; high: number; rows: number }

/** Standard errors to either side: 99%. */
const SPREAD = 2.576;

/**
 * The correlation of predicted probabilities with labels (as 0 and 1 by class), over all classes at once. When a share s of the labels is
 * shuffled it falls to about 1 - s of what it was, however sure or unsure the model is: that is what it is for. `labels` are classes
 * 0 .. width-1; rows with another (-1) are passed over, as are all but `rows`.
 */
export function classAgreement(of: { width: number; probabilities: ArrayLike<number>; labels: Int32Array }, rows: Int32Array): Agreement {
  const { width, probabilities, labels } = of;
  const used = rows.filter((row) => labels[row]! >= 0);
  const predicted = new Float64Array(width);
  const given = new Float64Array(width);
  for (const row of used) {
    given[labels[row]!]! += 1 / used.length;
    for (let k = 0; k < width; k++) predicted[k]! += probabilities[row * width + k]! / used.length;
  }
  const squares = given.reduce((sum, share) => sum + share * share, 0);
  return correlation(used.length, (i) => {
    const row = used[i]!;
    const label = labels[row]!;
    const own = probabilities[row * width + label]! - predicted[label]!;
    let together = own;
    let ofPredicted = 0;
    for (let k = 0; k < width; k++) {
      const deviation = probabilities[row * width + k]! - predicted[k]!;
      together -= deviation * given[k]!;
      ofPredicted += deviation * deviation;
    }
    return { together, ofPredicted, ofGiven: 1 - 2 * given[label]! + squares };
  });
}

/** The rank correlation (Spearman, 1904) of predicted with given numbers, over the given rows; a row where either is NaN is passed over. */
export function numberAgreement(of: { predicted: ArrayLike<number>; given: ArrayLike<number> }, rows: Int32Array): Agreement {
  const used = rows.filter((row) => !Number.isNaN(of.predicted[row]!) && !Number.isNaN(of.given[row]!));
  const [predicted, given] = [ranks(of.predicted, used), ranks(of.given, used)];
  const mean = (used.length - 1) / 2;
  return correlation(used.length, (i) => {
    const [p, g] = [predicted[i]! - mean, given[i]! - mean];
    return { together: p * g, ofPredicted: p * p, ofGiven: g * g };
  });
}

interface Products { together: number; ofPredicted: number; ofGiven: number }

/** From each row's products of deviations; the interval by the delta method (infinitesimal jackknife; Efron, 1982). */
function correlation(rows: number, products: (i: number) => Products): Agreement {
  const mean = { together: 0, ofPredicted: 0, ofGiven: 0 };
  for (let i = 0; i < rows; i++) {
    const p = products(i);
    mean.together += p.together / rows;
    mean.ofPredicted += p.ofPredicted / rows;
    mean.ofGiven += p.ofGiven / rows;
  }
  const scale = Math.sqrt(mean.ofPredicted * mean.ofGiven);
  if (!(scale > 1e-12)) return { value: NaN, low: NaN, high: NaN, rows };
  const value = mean.together / scale;
  let variance = 0;
  for (let i = 0; i < rows; i++) {
    const p = products(i);
    const influence = p.together / scale - (value / 2) * (p.ofPredicted / mean.ofPredicted + p.ofGiven / mean.ofGiven);
    variance += influence ** 2 / rows;
  }
  const spread = SPREAD * Math.sqrt(variance / rows);
  return { value, low: value - spread, high: value + spread, rows };
}

/** Places in ascending order from 0; equals share their mean place. */
function ranks(values: ArrayLike<number>, rows: Int32Array): Float64Array {
  const order = Int32Array.from(rows.keys()).sort((a, b) => values[rows[a]!]! - values[rows[b]!]!);
  const out = new Float64Array(rows.length);
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && values[rows[order[to]!]!] === values[rows[order[from]!]!]) to++;
    for (let i = from; i < to; i++) out[order[i]!] = (from + to - 1) / 2;
    from = to;
  }
  return out;
}
