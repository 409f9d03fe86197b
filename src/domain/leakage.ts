import { HOLDOUT } from './split';
import { isNumeric, isString, type Column } from './table';

/** How well one input alone predicts the target. */
export interface Power { measure: 'R2' | 'AUC'; value: number; rows: number; /** The input is the target, or as good as. */ copy: boolean }

const BINS = 50;
const ROWS_A_BIN = 40;
const MIN_ROWS = 100;
/** Of the most frequent classes or values; the others are one. */
const CLASSES = 20;
const VALUES = 5_000;
/** Cohen's kappa from which two columns say the same. */
const COPY = 0.98;

/**
 * Cross-validated on the rows that are trained on (`folds`, in which the holdout is -1): the input is cut into bins (numbers and dates
 * by quantiles, text by value, missing apart), and each row is predicted from its bin's other folds: a number by a straight line
 * through them, a class by their shares. R2 for a number (of its values or of their ranks, whichever is more: a leak may be on another
 * scale); for classes the area under the ROC curve, one against the rest, weighted by their frequency (AUC). Such a power near 1 is
 * what leaks have in common: H2O Driverless AI warns from 0.95, drops from 0.999.
 *
 * `written` is the target as the data have it, where `target` is on another scale: what a copy is a copy of. Undefined when fewer than
 * 100 rows can be used, for vectors, for a target of one value, and for text that is no copy: what its words say is its own affair.
 */
export function predictivePower(input: Column, target: Column, folds: ArrayLike<number>, written: Column = target): Power | undefined {
  if (input.type === 'vector' || target.type === 'vector') return undefined;
  const rows = usable(target, folds);
  if (rows.length < MIN_ROWS) return undefined;
  const copy = agreement(input, written, rows) >= COPY;
  if (input.type === 'text' && !copy) return undefined;
  const bins = binsOf(input, rows);
  const cells = Int32Array.from(rows, (row) => folds[row]!);
  const value = isNumeric(target)
    ? bestOf({ x: isNumeric(input) ? input.values : undefined, y: target.values, rows, bins, cells })
    : areaUnderRoc(rows, target.values as (string | null)[], bins, cells);
  if (value === undefined) return undefined;
  return { measure: isNumeric(target) ? 'R2' : 'AUC', value, rows: rows.length, copy };
}

function usable(target: Column, folds: ArrayLike<number>): number[] {
  const rows: number[] = [];
  for (let row = 0; row < folds.length; row++) {
    const present = isString(target) ? target.values[row] !== null : !Number.isNaN((target.values as Float64Array)[row]!);
    if (present && folds[row] !== HOLDOUT) rows.push(row);
  }
  return rows;
}

interface Bins { of: Int32Array; count: number }

/** Bin 0 is "missing". */
function binsOf(input: Column, rows: number[]): Bins {
  if (isString(input)) {
    const codes = codesOf(rows.map((row) => input.values[row]!), VALUES);
    return { of: codes.of.map((code) => code + 1), count: codes.count + 1 };
  }
  const values = (input as { values: Float64Array }).values;
  const sorted = Float64Array.from(rows, (row) => values[row]!).filter(Number.isFinite).sort();
  const wanted = Math.max(1, Math.min(BINS, Math.floor(sorted.length / ROWS_A_BIN)));
  const edges = [...new Set(Array.from({ length: wanted - 1 }, (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / wanted)]!))];
  const bin = (value: number): number => {
    let [low, high] = [0, edges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (edges[middle]! <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return { of: Int32Array.from(rows, (row) => (Number.isFinite(values[row]!) ? bin(values[row]!) + 1 : 0)), count: edges.length + 2 };
}

/** Numbers for values, the most frequent first, null as -1; beyond `limit` values the rest share one. */
function codesOf(values: (string | null)[], limit: number): { of: Int32Array; count: number } {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  const kept = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, limit);
  const code = new Map(kept.map(([value], i) => [value, i]));
  return { of: Int32Array.from(values, (value) => (value === null ? -1 : code.get(value) ?? kept.length)), count: kept.length + (counts.size > limit ? 1 : 0) };
}

interface Numbers { x: Float64Array | undefined; y: Float64Array; rows: number[]; bins: Bins; cells: Int32Array }

function bestOf(numbers: Numbers): number | undefined {
  const ofValues = explained(numbers);
  const { x, y, rows } = numbers;
  const ofRanks = explained({ ...numbers, x: x && ranks(x, rows), y: ranks(y, rows) });
  return ofValues === undefined || ofRanks === undefined ? ofValues : Math.max(ofValues, ofRanks);
}

/** The ranks of the rows' values, equal ones sharing their mean; what is no number, and other rows, keep none. */
function ranks(values: Float64Array, rows: number[]): Float64Array {
  const out = new Float64Array(values.length).fill(NaN);
  const order = Float64Array.from(rows.filter((row) => Number.isFinite(values[row]!)));
  order.sort((a, b) => values[a]! - values[b]!);
  for (let i = 0; i < order.length;) {
    let end = i;
    while (end < order.length && values[order[end]!] === values[order[i]!]) end++;
    for (let k = i; k < end; k++) out[order[k]!] = (i + end - 1) / 2;
    i = end;
  }
  return out;
}

/** Sums over the rows of a bin: count, x, y, xx, xy; x and y from their overall means, so that squares keep their digits. */
const SUMS = 5;

function explained({ x, y, rows, bins, cells }: Numbers): number | undefined {
  const foldCount = foldsIn(cells);
  const [middleX, middleY] = [x ? meanOf(x, rows) : 0, meanOf(y, rows)];
  const sums = new Float64Array(bins.count * foldCount * SUMS);
  const totals = new Float64Array(bins.count * SUMS);
  const at = (i: number) => ({ u: x && bins.of[i] !== 0 ? x[rows[i]!]! - middleX : 0, v: y[rows[i]!]! - middleY });
  rows.forEach((_, i) => {
    const { u, v } = at(i);
    [1, u, v, u * u, u * v].forEach((value, k) => {
      sums[(bins.of[i]! * foldCount + cells[i]!) * SUMS + k]! += value;
      totals[bins.of[i]! * SUMS + k]! += value;
    });
  });
  let [error, spread] = [0, 0];
  rows.forEach((_, i) => {
    const { u, v } = at(i);
    const [bin, cell] = [bins.of[i]! * SUMS, (bins.of[i]! * foldCount + cells[i]!) * SUMS];
    const others = (k: number): number => totals[bin + k]! - sums[cell + k]!;
    error += (v - line({ n: others(0), su: others(1), sv: others(2), suu: others(3), suv: others(4) }, u)) ** 2;
    spread += v * v;
  });
  return spread > 0 ? 1 - error / spread : undefined;
}

/** The least-squares line at u; the mean where the points have no width, and nothing (the overall mean) where there are none. */
function line({ n, su, sv, suu, suv }: { n: number; su: number; sv: number; suu: number; suv: number }, u: number): number {
  if (n < 1) return 0;
  const width = suu - (su * su) / n;
  const slope = n >= 5 && width > 1e-9 * suu ? (suv - (su * sv) / n) / width : 0;
  return sv / n + slope * (u - su / n);
}

function meanOf(values: Float64Array, rows: number[]): number {
  let [sum, count] = [0, 0];
  for (const row of rows) if (Number.isFinite(values[row]!)) [sum, count] = [sum + values[row]!, count + 1];
  return count === 0 ? 0 : sum / count;
}

function areaUnderRoc(rows: number[], labels: (string | null)[], bins: Bins, cells: Int32Array): number | undefined {
  const classes = codesOf(rows.map((row) => labels[row]!), CLASSES);
  if (classes.count < 2) return undefined;
  const foldCount = foldsIn(cells);
  const counts = new Float64Array(bins.count * foldCount * classes.count);
  const totals = new Float64Array(bins.count * classes.count);
  const overall = new Float64Array(classes.count);
  rows.forEach((_, i) => {
    counts[(bins.of[i]! * foldCount + cells[i]!) * classes.count + classes.of[i]!]!++;
    totals[bins.of[i]! * classes.count + classes.of[i]!]!++;
    overall[classes.of[i]!]!++;
  });
  // All rows of a bin and a fold get one answer, so the curve is drawn from these groups.
  const groups = Array.from({ length: bins.count * foldCount }, (_, cell) => {
    const bin = Math.floor(cell / foldCount);
    const here = counts.subarray(cell * classes.count, (cell + 1) * classes.count);
    const of = totals.subarray(bin * classes.count, (bin + 1) * classes.count);
    return { here, of, size: sum(here), others: sum(of) - sum(here) };
  }).filter(({ size }) => size > 0);
  let area = 0;
  for (let c = 0; c < classes.count; c++) {
    const prior = overall[c]! / rows.length;
    area += prior * auc(groups.map(({ here, size, others, of }) =>
      ({ score: (of[c]! - here[c]! + prior) / (others + 1), positives: here[c]!, negatives: size - here[c]! })));
  }
  return area;
}

/** The probability that a positive scores above a negative, ties half (Hanley & McNeil, 1982). */
export function auc(groups: readonly { score: number; positives: number; negatives: number }[]): number {
  let [below, wins, positives] = [0, 0, 0];
  let tied = { score: -Infinity, positives: 0, negatives: 0 };
  const settle = () => {
    wins += tied.positives * (below + tied.negatives / 2);
    below += tied.negatives;
    positives += tied.positives;
  };
  for (const group of [...groups].sort((a, b) => a.score - b.score)) {
    if (group.score !== tied.score) {
      settle();
      tied = { ...group };
    } else {
      tied.positives += group.positives;
      tied.negatives += group.negatives;
    }
  }
  settle();
  return wins / (positives * below);
}

/** Cohen's kappa (1960) of two columns' values as text: how far they say the same beyond what chance would. */
function agreement(a: Column, b: Column, rows: number[]): number {
  const [countsA, countsB] = [new Map<string, number>(), new Map<string, number>()];
  let same = 0;
  const textOf = (column: Column, row: number): string => (isString(column) ? column.values[row] ?? '' : String((column.values as Float64Array)[row]));
  for (const row of rows) {
    const [x, y] = [textOf(a, row), textOf(b, row)];
    if (x === y) same++;
    countsA.set(x, (countsA.get(x) ?? 0) + 1);
    countsB.set(y, (countsB.get(y) ?? 0) + 1);
  }
  let chance = 0;
  for (const [value, n] of countsA) chance += (n / rows.length) * ((countsB.get(value) ?? 0) / rows.length);
  return chance >= 1 ? 0 : (same / rows.length - chance) / (1 - chance);
}

const foldsIn = (cells: Int32Array): number => cells.reduce((most, fold) => Math.max(most, fold + 1), 0);
const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
