import { chiSquared, jensenShannon, jensenShannonNoise, ksPValue, ksStatistic, wasserstein } from './distributions';
import { figure, percent } from './headline';
import { isoDate } from './rows';
import { isNumeric, isString, type Column } from './table';

/**
 * Whether a column's distribution has moved, by the tests and thresholds that are customary (Evidently's documented defaults, "Data drift
 * algorithm"): above 1,000 rows the Wasserstein distance in the reference's standard deviations, or for categories the Jensen-Shannon
 * distance, each above 0.1; otherwise the two-sample Kolmogorov-Smirnov or the chi-squared test, p below 0.05. Numbers of at most 5
 * different values are categories.
 *
 * Unlike there, the smaller of the two samples decides (a distance of few rows is mostly chance), categories beyond the most frequent are
 * one, what chance alone adds to a Jensen-Shannon distance is taken off before it is judged, categories with fewer than 5 expected rows
 * are joined for chi-squared (Cochran, 1954), and text is compared by its number of words.
 */
export interface DriftLimits {
  /** Of distances. */
  distance: number;
  /** Of tests. */
  pValue: number;
  /** With fewer on either side there is no verdict. */
  minRows: number;
}
export const DRIFT_LIMITS: DriftLimits = { distance: 0.1, pValue: 0.05, minRows: 30 };

export type DriftTest = 'Wasserstein distance' | 'Jensen-Shannon distance' | 'Kolmogorov-Smirnov p' | 'chi-squared p';

export interface ColumnDrift {
  column: string;
  verdict: 'drifted' | 'stable' | 'no verdict';
  /** In words: what moved from where to where, or why there is no verdict. */
  reason: string;
  /** `missing`: not the values, but how many there are. */
  of?: 'values' | 'missing';
  test?: DriftTest;
  /** A distance, or a p-value. Null when it is not finite. */
  value?: number | null;
  threshold?: number;
  /** Rows compared. */
  rows: { reference: number; current: number };
}

const LARGE = 1000;
const FEW_VALUES = 5;
const CATEGORIES = 30;
const COUNTED_ALIKE = 5;

/** Both in the same type; rows are of different samples and need not match. */
export function columnDrift(name: string, samples: { reference: Column; current: Column }, limits: DriftLimits = DRIFT_LIMITS): ColumnDrift {
  const [reference, current] = [measured(samples.reference), measured(samples.current)];
  if (!reference || !current) return { column: name, verdict: 'no verdict', reason: 'vectors are not compared', rows: { reference: 0, current: 0 } };
  const rows = { reference: reference.rows, current: current.rows };
  const few = Math.min(rows.reference, rows.current);
  if (few < limits.minRows) return { column: name, verdict: 'no verdict', reason: tooFew(few, limits), rows };

  const gone = compareCounts([reference.present, reference.rows - reference.present], [current.present, current.rows - current.present], limits);
  if (gone.drifted) {
    const share = (s: Measured) => percent(1 - s.present / s.rows);
    const reason = `missing in ${share(current)} of the rows, before in ${share(reference)}`;
    return { column: name, verdict: 'drifted', of: 'missing', reason, ...gone.measure, rows };
  }
  const values = reference.kind === 'numbers' && current.kind === 'numbers' && distinctUpTo(reference.values, FEW_VALUES + 1) > FEW_VALUES
    ? compareNumbers(reference, current, limits)
    : compareCategories(textsOf(reference), textsOf(current), limits);
  const present = { reference: reference.present, current: current.present };
  const least = Math.min(present.reference, present.current);
  if (least < limits.minRows) return { column: name, verdict: 'no verdict', reason: tooFew(least, limits, 'with a value '), rows: present };
  return { column: name, verdict: values.drifted ? 'drifted' : 'stable', of: 'values', reason: values.reason, ...values.measure, rows: present };
}

/** Which of a data set's columns drifted. `share` is of those with a verdict. */
export interface DriftSummary { columns: ColumnDrift[]; compared: number; drifted: number; share: number }

export function summarise(columns: ColumnDrift[]): DriftSummary {
  const compared = columns.filter((c) => c.verdict !== 'no verdict').length;
  const drifted = columns.filter((c) => c.verdict === 'drifted').length;
  return { columns, compared, drifted, share: compared === 0 ? 0 : drifted / compared };
}

interface Measured {
  kind: 'numbers' | 'texts';
  values: Float64Array;
  texts: string[];
  rows: number;
  present: number;
  /** A value in words. */
  show(value: number): string;
}

/** A column's present values; numbers sorted. */
function measured(column: Column): Measured | undefined {
  if (isString(column)) {
    const texts = column.values.filter((value): value is string => value !== null);
    const rows = column.values.length;
    if (column.type === 'category') return { kind: 'texts', values: new Float64Array(), texts, rows, present: texts.length, show: figure };
    const words = Float64Array.from(texts, (text) => text.trim().split(/\s+/).length).sort();
    return { kind: 'numbers', values: words, texts: [], rows, present: words.length, show: (value) => `${figure(value)} words` };
  }
  if (!isNumeric(column)) return undefined;
  const values = column.values.filter(Number.isFinite).sort();
  const show = column.type === 'date' ? (days: number) => isoDate(Math.round(days)) : figure;
  return { kind: 'numbers', values, texts: [], rows: column.values.length, present: values.length, show };
}

const textsOf = (sample: Measured): ArrayLike<string | number> => (sample.kind === 'texts' ? sample.texts : sample.values);

interface Comparison { drifted: boolean; measure: { test: DriftTest; value: number | null; threshold: number } }

function compareNumbers(before: Measured, now: Measured, limits: DriftLimits): Comparison & { reason: string } {
  const [reference, current] = [before.values, now.values];
  const reason = `mean ${before.show(mean(reference))} -> ${now.show(mean(current))}`;
  if (Math.min(reference.length, current.length) > LARGE) {
    const value = wasserstein(reference, current) / deviation(reference);
    return { drifted: value > limits.distance, reason, measure: { test: 'Wasserstein distance', value: finite(value), threshold: limits.distance } };
  }
  const value = ksPValue(ksStatistic(reference, current), reference.length, current.length);
  return { drifted: value < limits.pValue, reason, measure: { test: 'Kolmogorov-Smirnov p', value, threshold: limits.pValue } };
}

function compareCategories(reference: ArrayLike<string | number>, current: ArrayLike<string | number>, limits: DriftLimits): Comparison & { reason: string } {
  const [before, now] = [countsOf(reference), countsOf(current)];
  const kept = [...before].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, CATEGORIES).map(([value]) => value);
  const grouped = (counts: Map<string | number, number>, all: number): number[] => {
    const known = kept.map((value) => counts.get(value) ?? 0);
    return [...known, all - known.reduce((sum, n) => sum + n, 0)];
  };
  const [a, b] = [grouped(before, reference.length), grouped(now, current.length)];
  const moved = [...kept.map(String), 'others'].map((value, i) => ({ value, from: a[i]! / reference.length, to: b[i]! / current.length }))
    .sort((x, y) => Math.abs(y.to - y.from) - Math.abs(x.to - x.from)).slice(0, 3);
  return { ...compareCounts(a, b, limits), reason: moved.map(({ value, from, to }) => `${value.slice(0, 40)} ${percent(from)} -> ${percent(to)}`).join(', ') };
}

function compareCounts(reference: number[], current: number[], limits: DriftLimits): Comparison {
  const [n, m] = [sum(reference), sum(current)];
  if (Math.min(n, m) > LARGE) {
    const categories = reference.filter((count, i) => count + current[i]! > 0).length;
    const value = Math.sqrt(Math.max(0, jensenShannon(reference, current) ** 2 - jensenShannonNoise(categories, n, m)));
    return { drifted: value > limits.distance, measure: { test: 'Jensen-Shannon distance', value, threshold: limits.distance } };
  }
  const value = n === 0 || m === 0 ? 1 : chiSquared(...joinRare(reference, current)).p;
  return { drifted: value < limits.pValue, measure: { test: 'chi-squared p', value, threshold: limits.pValue } };
}

/** Categories that would have too few expected rows on a side, as one: or with the least of the others, when even that is too few. */
function joinRare(a: number[], b: number[]): [number[], number[]] {
  const [n, m] = [sum(a), sum(b)];
  const expected = (i: number) => ((a[i]! + b[i]!) * Math.min(n, m)) / (n + m);
  const order = a.map((_, i) => i).filter((i) => a[i]! + b[i]! > 0).sort((i, j) => expected(i) - expected(j));
  const groups: number[][] = [];
  let group: number[] = [];
  let size = 0;
  for (const i of order) {
    group.push(i);
    size += expected(i);
    if (size < COUNTED_ALIKE) continue;
    groups.push(group);
    [group, size] = [[], 0];
  }
  if (group.length > 0) groups.push([...(groups.pop() ?? []), ...group]);
  return [groups.map((g) => sum(g.map((i) => a[i]!))), groups.map((g) => sum(g.map((i) => b[i]!)))];
}

function countsOf(values: ArrayLike<string | number>): Map<string | number, number> {
  const counts = new Map<string | number, number>();
  for (let i = 0; i < values.length; i++) counts.set(values[i]!, (counts.get(values[i]!) ?? 0) + 1);
  return counts;
}

function distinctUpTo(sorted: Float64Array, limit: number): number {
  let distinct = 0;
  for (let i = 0; i < sorted.length && distinct < limit; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) distinct++;
  return distinct;
}

const tooFew = (rows: number, limits: DriftLimits, which = ''): string => `${rows} rows ${which}are too few for a verdict; ${limits.minRows} are needed`;

const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: Float64Array): number => values.reduce((total, value) => total + value / values.length, 0);
function deviation(values: Float64Array): number {
  const middle = mean(values);
  return Math.sqrt(values.reduce((total, value) => total + (value - middle) ** 2 / values.length, 0));
}
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
