import { jensenShannon, ksStatistic } from './distributions';
import { columnDrift, DRIFT_LIMITS, type ColumnDrift } from './drift';
import { isString, takeColumn, type Column } from './table';

const CHUNKS = 20;
const CATEGORIES = 30;

/** How far two samples of a column are apart, 0 to 1: Kolmogorov-Smirnov's statistic (of texts, of their number of words), for categories the Jensen-Shannon distance. */
export function distanceOf(reference: Column, current: Column): number | undefined {
  if (reference.type === 'vector' || current.type === 'vector') return undefined;
  if (reference.type === 'category' || current.type === 'category') return categoryDistance(reference, current);
  const [a, b] = [numbers(reference), numbers(current)];
  return a.length === 0 || b.length === 0 ? undefined : ksStatistic(a, b);
}

function numbers(column: Column): Float64Array {
  if (isString(column)) return Float64Array.from(column.values.filter((v): v is string => v !== null), (v) => v.trim().split(/\s+/).length).sort();
  return (column.values as Float64Array).filter((x) => !Number.isNaN(x)).sort();
}

function categoryDistance(reference: Column, current: Column): number | undefined {
  const [a, b] = [counts(reference), counts(current)];
  if (a.size === 0 || b.size === 0) return undefined;
  const kept = [...a].sort(([x, n], [y, m]) => m - n || (x < y ? -1 : 1)).slice(0, CATEGORIES).map(([value]) => value);
  const grouped = (of: Map<string, number>): number[] => {
    const known = kept.map((value) => of.get(value) ?? 0);
    return [...known, [...of.values()].reduce((sum, n) => sum + n, 0) - known.reduce((sum, n) => sum + n, 0)];
  };
  return jensenShannon(grouped(a), grouped(b));
}

function counts(column: Column): Map<string, number> {
  const found = new Map<string, number>();
  const values: ArrayLike<unknown> = column.values;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || Number.isNaN(value)) continue;
    found.set(String(value), (found.get(String(value)) ?? 0) + 1);
  }
  return found;
}

/**
 * The distance that windows of the reference have from the rest of it: mean and so many standard deviations. A window is not among the rows
 * it is compared with, as those in use are not: of a column with many categories it would lie nearer to them by chance alone.
 *
 * @param reference rows as they follow each other
 * @param of `size`: rows of a window; `against`: how many rows windows are compared with, at most
 */
export function usualDistance(reference: Column, of: { size: number; deviations: number; against: number }): number | undefined {
  const { size, deviations, against } = of;
  const rows = reference.values.length;
  const count = Math.min(CHUNKS, Math.floor(rows / Math.max(1, size)));
  if (count < 2) return undefined;
  const wanted = Math.min(against, rows - size);
  const distances = Array.from({ length: count }, (_, i) => {
    // Spread over the whole time, where it is longer than so many windows.
    const from = Math.floor((i * (rows - size)) / (count - 1));
    const others = Int32Array.from({ length: wanted }, (__, k) => Math.floor((k * (rows - size)) / wanted)).map((row) => (row < from ? row : row + size));
    return distanceOf(takeColumn(reference, others), takeColumn(reference, Int32Array.from({ length: size }, (__, k) => from + k)));
  }).filter((d): d is number => d !== undefined);
  if (distances.length < 2) return undefined;
  const mean = distances.reduce((sum, d) => sum + d, 0) / distances.length;
  const variance = distances.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (distances.length - 1);
  return mean + deviations * Math.sqrt(variance * (1 + 1 / distances.length));
}

export interface MonitoredDrift extends ColumnDrift { distance?: number; bound?: number }

/**
 * A column has moved when its test says so and it lies further from the reference than the reference's own windows do. Dates are not
 * judged: they grow.
 */
export function windowDrift(name: string, samples: { reference: Column; current: Column }, of: { bound: number | undefined; minRows: number }): MonitoredDrift {
  const { reference, current } = samples;
  const rows = { reference: reference.values.length, current: current.values.length };
  if (reference.type === 'date') return { column: name, verdict: 'no verdict', reason: 'dates grow by themselves', rows };
  const test = columnDrift(name, samples, { ...DRIFT_LIMITS, minRows: of.minRows });
  const distance = distanceOf(reference, current);
  const measured = { ...test, ...(distance !== undefined && { distance }), ...(of.bound !== undefined && { bound: of.bound }) };
  if (test.verdict !== 'drifted' || test.of === 'missing' || distance === undefined || of.bound === undefined || distance > of.bound) return measured;
  return { ...measured, verdict: 'stable', reason: `${test.reason}; no further than windows of the reference` };
}
