import type { Answers } from './liveScores';
import { isString, type Column, type Table } from './table';

/** How columns become numbers for trees that learn a loss. */
export interface LossFeatures { columns: { name: string; kind: 'number' | 'time' | 'words' | 'ranks'; ranks?: Record<string, number> }[] }

const RARE = 20;

/**
 * Numbers as they are; of dates the time of the day, the weekday and the month, for the date itself only grows; of texts the number of words; a
 * category by its mean loss, drawn towards the mean of all where it is rare. Vectors are left out.
 */
export function lossFeatures(input: Table, loss: Float64Array): LossFeatures {
  const known = Array.from(loss).filter((x) => !Number.isNaN(x));
  const all = known.reduce((sum, x) => sum + x, 0) / Math.max(1, known.length);
  return { columns: Object.entries(input.columns).flatMap(([name, column]): LossFeatures['columns'] => {
    if (column.type === 'vector') return [];
    if (column.type === 'date') return [{ name, kind: 'time' }];
    if (column.type === 'text') return [{ name, kind: 'words' }];
    return [isString(column) ? { name, kind: 'ranks', ranks: ranksOf(column.values, loss, all) } : { name, kind: 'number' }];
  }) };
}

function ranksOf(values: (string | null)[], loss: Float64Array, all: number): Record<string, number> {
  const sums = new Map<string, [sum: number, count: number]>();
  values.forEach((value, i) => {
    if (value === null || Number.isNaN(loss[i]!)) return;
    const known = sums.get(value) ?? [0, 0];
    sums.set(value, [known[0] + loss[i]!, known[1] + 1]);
  });
  return Object.fromEntries([...sums].map(([value, [sum, count]]) => [value, (sum + RARE * all) / (count + RARE)]));
}

export function featureColumns({ columns }: LossFeatures, input: Table, { rows, value, low, high }: Answers): Float64Array[] {
  const none = () => new Float64Array(rows).fill(NaN);
  const made = columns.flatMap(({ name, kind, ranks }): Float64Array[] => {
    const column: Column | undefined = input.columns[name];
    if (!column || column.type === 'vector') return kind === 'time' ? [none(), none(), none()] : [none()];
    if (isString(column)) {
      return [Float64Array.from(column.values, (v) => (v === null ? NaN : kind === 'words' ? v.trim().split(/\s+/).length : (ranks && Object.hasOwn(ranks, v) ? ranks[v]! : NaN)))];
    }
    if (kind !== 'time') return [column.values];
    const part = (of: (days: number) => number) => column.values.map((d) => (Number.isNaN(d) ? NaN : of(d)));
    return [part((d) => d - Math.floor(d)), part((d) => ((Math.floor(d) % 7) + 7) % 7), part((d) => new Date(d * 86_400_000).getUTCMonth())];
  });
  return [...made, ...(value ? [value] : []), ...(low && high ? [high.map((x, i) => x - low[i]!)] : [])];
}
