import { ShoalError } from '../domain/errors';
import type { Frequency, ForecastSpec, ModelSpec } from '../domain/spec';
import { isNumeric, isString, takeColumn } from '../domain/table';
import type { Column, NumericColumn, StringColumn, Table, VectorColumn } from '../domain/table';
import type { Feature } from '../domain/version';
import { columnOf, readWindow } from './encode';
import { HISTORY, START } from './network';
import type { BagEncoder, CycleEncoder, Encoder, HorizonEncoder, PiecewiseEncoder, StandardEncoder, WindowEncoder } from './network';
import { mostFrequent, vocabularyOf } from './vocabulary';

const BINS = 24;
/** A category or word met less often than this is treated as never seen, so that the unseen is trained too. */
const RARE = { category: 3, word: 2 };
/** A column with more distinct categories than this gets a trained table instead of one input each. */
const MAX_ONE_HOT = 64;
const MAX_WORDS = 4096;
const UNITS = { text: 24, category: 12 };
const YEAR = 365.25;

/**
 * Encoders for the features, fitted on the given rows only. Bags come last.
 *
 * @throws ShoalError COLUMN_EMPTY when a feature has no value in these rows
 */
export function fitEncoders(spec: ModelSpec, features: readonly Feature[], table: Table, rows: Int32Array): Encoder[] {
  const encoders = features.flatMap((feature) => {
    const column = takeColumn(columnOf(table, feature.name), rows);
    if (isEmpty(column)) {
      throw new ShoalError('COLUMN_EMPTY', `The input ${feature.name} of ${spec.name} has no value in any training row.`, {
        remedy: 'Leave it out of the model\'s inputs, or mend the source.', details: { model: spec.name, column: feature.name },
      });
    }
    return spec.task === 'forecast' ? forecastEncoders(spec, feature.name, column) : encodersOf(feature, column);
  });
  return [...encoders.filter((e) => e.kind !== 'bag'), ...encoders.filter((e) => e.kind === 'bag')];
}

function encodersOf({ name, type }: Feature, column: Column): Encoder[] {
  if (column.type === 'vector') return [standard(name, column)];
  if (isString(column)) return [type === 'text' ? text(name, column) : category(name, column)];
  if (type === 'boolean') return [{ kind: 'flag', input: name }];
  if (type !== 'date') return [piecewise(name, 'number', column)];
  const cycles = [cycle(name, YEAR, 3), cycle(name, 7, 2)];
  if (column.values.some((x) => x % 1 !== 0 && Number.isFinite(x))) cycles.push(cycle(name, 1, 2));
  return [piecewise(name, 'date', column), ...cycles];
}

function forecastEncoders(spec: ForecastSpec, name: string, column: Column): Encoder[] {
  if (name === START) return CYCLES[spec.frequency].map(([period, harmonics]) => cycle(START, period, harmonics));
  if (name === HISTORY) return [windowEncoder(spec, column as VectorColumn)];
  if (column.type === 'vector') return [horizon(name, column)];
  if (isString(column)) return [category(name, column)];
  throw new ShoalError('COLUMN_TYPE', `The input ${name} of ${spec.name} is to have one number for each period ahead.`, {
    details: { model: spec.name, column: name },
  });
}

const CYCLES: Record<Frequency, [period: number, harmonics: number][]> = {
  hour: [[1, 4], [7, 3], [YEAR, 2]], day: [[7, 3], [YEAR, 4]], week: [[YEAR, 6]], month: [[YEAR, 5]], quarter: [[YEAR, 2]], year: [],
};

const cycle = (input: string, periodDays: number, harmonics: number): CycleEncoder => ({ kind: 'cycle', input, periodDays, harmonics });

function windowEncoder({ context, season, scale }: ForecastSpec, column: VectorColumn): WindowEncoder {
  const encoder: WindowEncoder = {
    kind: 'window', input: HISTORY, scale, context, levelOver: Math.min(context, Math.max(season, 1)), minSpread: 0,
  };
  const scaled = new Float64Array(context);
  const read = Array.from({ length: column.values.length / context }, (_, r) => readWindow(encoder, column, r, scaled));
  const typical = quantile(read.map((w) => w.spread).filter((s) => s > 0).sort(ascending), 0.5);
  const size = Math.max(1e-3, ...read.map((w) => Math.abs(w.level)));
  return { ...encoder, minSpread: Number.isNaN(typical) ? 1e-3 * size : 0.1 * typical };
}

function piecewise(input: string, from: 'number' | 'date', { values }: NumericColumn): PiecewiseEncoder {
  const sorted = values.filter(Number.isFinite).sort();
  const distinct = [...new Set(sorted)];
  const wanted = distinct.length <= BINS + 1 ? distinct : Array.from({ length: BINS + 1 }, (_, k) => quantile(sorted, k / BINS));
  // Distinct as the graph sees them: in float32, a date after its origin is taken off.
  const origin = from === 'date' ? wanted[0]! : 0;
  const edges = wanted.filter((x, i) => i === 0 || Math.fround(x - origin) > Math.fround(wanted[i - 1]! - origin));
  if (edges.length < 2) edges.push(edges[0]! + Math.max(1, Math.abs(edges[0]!) * 1e-3));
  return { kind: 'piecewise', input, from, edges };
}

/**
 * One scale for all dimensions, so that they keep their proportions, and such that the whole vector weighs as much as one other input:
 * with a unit deviation for each dimension it would outweigh them by its width.
 */
function standard(input: string, { width, values }: VectorColumn): StandardEncoder {
  const columns = Array.from({ length: width }, (_, j) => momentsOf(values.filter((_x, i) => i % width === j)));
  const total = Math.sqrt(columns.reduce((sum, c) => sum + c.deviation ** 2, 0));
  return {
    kind: 'standard',
    input,
    mean: columns.map((c) => c.mean),
    deviation: columns.map(() => total),
    low: columns.map((c) => c.low),
    high: columns.map((c) => c.high),
  };
}

const horizon = (input: string, { width, values }: VectorColumn): HorizonEncoder =>
  ({ kind: 'horizon', input, horizon: width, ...momentsOf(values) });

function momentsOf(values: Float32Array): { mean: number; deviation: number; low: number; high: number } {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return { mean: 0, deviation: 1, low: 0, high: 0 };
  const mean = finite.reduce((sum, x) => sum + x, 0) / finite.length;
  const deviation = Math.sqrt(finite.reduce((sum, x) => sum + (x - mean) ** 2, 0) / finite.length);
  const low = finite.reduce((a, b) => Math.min(a, b));
  const high = finite.reduce((a, b) => Math.max(a, b));
  return { mean, deviation: Math.max(deviation, 1e-6), low, high };
}

function category(input: string, { values }: StringColumn): Encoder {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value ?? '', (counts.get(value ?? '') ?? 0) + 1);
  const kept = mostFrequent(counts, { min: values.length < 50 ? 1 : RARE.category, max: MAX_WORDS }).map(([value]) => value);
  if (kept.length === 0) return { kind: 'onehot', input, values: [''] };
  if (kept.length <= MAX_ONE_HOT) return { kind: 'onehot', input, values: kept };
  return {
    kind: 'bag',
    input,
    split: false,
    ids: Object.fromEntries(kept.map((value, id) => [value, id])),
    idf: kept.map(() => 1),
    table: `table.${input}`,
    units: UNITS.category,
  };
}

function text(input: string, { values }: StringColumn): BagEncoder {
  const all = vocabularyOf(values, { minTexts: RARE.word, maxWords: MAX_WORDS });
  const { ids, idf } = all.idf.length > 0 ? all : vocabularyOf(values, { minTexts: 1, maxWords: MAX_WORDS });
  return { kind: 'bag', input, split: true, ids, idf, table: `table.${input}`, units: UNITS.text };
}

function isEmpty(column: Column): boolean {
  if (isString(column)) return column.values.every((value) => value === null);
  return isNumeric(column) ? !column.values.some(Number.isFinite) : !column.values.some(Number.isFinite);
}

const ascending = (a: number, b: number): number => a - b;

/** Linear interpolation between order statistics; NaN when there are none. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  return low + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - low);
}
