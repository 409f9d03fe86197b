import { periodIndex, periodName, periodStart } from './calendar';
import { ShoalError } from './errors';
import { unitHash } from './hash';
import { seriesKey, valueAt, type Series, type SeriesSet } from './series';
import type { ForecastSpec } from './spec';
import { HOLDOUT, splitByTime, type Split } from './split';
import type { Column, Table, VectorColumn } from './table';

/** The columns of a forecast's examples, beside its known-ahead inputs. */
export const FORECAST_COLUMNS = { history: 'history', start: 'start', series: 'series' } as const;

/**
 * What a forecast is trained and judged on: one row per (series, origin), where the origin is the first period forecast.
 * `table`: `history` [rows, context], oldest first; `start`, the origin's date; `series` where there are several; each known-ahead
 * input [rows, horizon]. `target` [rows, horizon]: the periods from the origin. NaN is unknown.
 */
export interface Examples {
  table: Table;
  target: VectorColumn;
  series: string[];
  origins: Int32Array;
  /** First period of each cross-fitting block, then of the holdout. */
  blocks: Int32Array;
}

export interface Places { series: readonly string[]; origins: ArrayLike<number> }

/**
 * Every origin from which something is known before and after, of every series. When those are more than `maxExamples`, every k-th
 * origin of a series, with the least k that keeps below it, begun at an offset that depends on the series' name: so that every
 * period stays in some series' example.
 */
export function trainingExamples(set: SeriesSet, spec: ForecastSpec, options: { maxExamples?: number } = {}): Examples {
  const blocks = blockStarts(set, spec);
  const places = choosePlaces(set, spec, { from: -Infinity, maxExamples: options.maxExamples ?? 100_000 });
  return { ...examplesAt(set, spec, places), blocks };
}

/** The examples whose origin lies in the holdout: each forecast starts from all that was known before it; nothing is retrained. */
export function rollingOrigin(set: SeriesSet, spec: ForecastSpec, options: { maxExamples?: number } = {}): Examples {
  const blocks = blockStarts(set, spec);
  const places = choosePlaces(set, spec, { from: holdoutStart(blocks), maxExamples: options.maxExamples ?? 20_000 });
  return { ...examplesAt(set, spec, places), blocks };
}

/** The first period of the holdout. */
export const holdoutStart = (blocks: Int32Array): number => blocks[blocks.length - 1]!;

/**
 * By time: the last share of the periods is the holdout, the rest contiguous blocks, one for each fold. An example belongs to its
 * origin's block, and of its target only the periods of that block are kept (the others become NaN): so a member that leaves out
 * fold f was never taught a value of f's periods, and nobody one of the holdout's. (Purging: Lopez de Prado, 2018,
 * "Advances in Financial Machine Learning", 7.4.) A row of the target may be missing throughout.
 */
export function exampleSplit(examples: Examples, spec: ForecastSpec): { split: Split; target: VectorColumn } {
  const { origins, blocks } = examples;
  const folds = Int8Array.from(origins, (origin) => foldOf(blocks, origin));
  const { width } = examples.target;
  const values = examples.target.values.slice();
  for (let row = 0; row < origins.length; row++) {
    for (let step = 1; step < width; step++) {
      if (foldOf(blocks, origins[row]! + step) !== folds[row]) values[row * width + step] = NaN;
    }
  }
  return { split: { folds, foldCount: spec.training.folds }, target: { type: 'vector', width, values } };
}

/** The inputs and targets at given places, in their order. */
export function examplesAt(set: SeriesSet, spec: ForecastSpec, places: Places): Omit<Examples, 'blocks'> {
  const rows = places.series.length;
  const history = vector(rows, spec.context);
  const target = vector(rows, spec.horizon);
  const known = new Map(spec.inputs.map((input) => [input.name, vector(rows, spec.horizon)]));
  for (let row = 0; row < rows; row++) {
    const series = set.series.get(places.series[row]!);
    if (!series) continue;
    const origin = places.origins[row]!;
    copyPeriods(series, series.values, { from: origin - spec.context, to: history, row });
    copyPeriods(series, series.values, { from: origin, to: target, row });
    for (const [name, column] of known) copyPeriods(series, series.known[name], { from: origin, to: column, row });
  }
  const start = Float64Array.from(places.origins, (origin) => periodStart(origin, set.frequency));
  const columns: Record<string, Column> = {
    [FORECAST_COLUMNS.history]: history,
    [FORECAST_COLUMNS.start]: { type: 'date', values: start },
    ...(spec.series !== undefined && { [FORECAST_COLUMNS.series]: { type: 'category' as const, values: [...places.series] } }),
    ...Object.fromEntries(known),
  };
  return { table: { rows, columns }, target, series: [...places.series], origins: Int32Array.from(places.origins) };
}

const vector = (rows: number, width: number): VectorColumn => ({ type: 'vector', width, values: new Float32Array(rows * width).fill(NaN) });

function copyPeriods(series: Series, values: Float64Array | undefined, at: { from: number; to: VectorColumn; row: number }): void {
  if (!values) return;
  const { width } = at.to;
  for (let i = 0; i < width; i++) at.to.values[at.row * width + i] = values[at.from + i - series.first] ?? NaN;
}

function choosePlaces(set: SeriesSet, spec: ForecastSpec, options: { from: number; maxExamples: number }): Places {
  const candidates = [...set.series.values()].map((series) => ({ series, origins: usableOrigins(series, spec, options.from) }));
  const total = candidates.reduce((sum, { origins }) => sum + origins.length, 0);
  const stride = Math.max(1, Math.ceil(total / options.maxExamples));
  const places = { series: [] as string[], origins: [] as number[] };
  for (const { series, origins } of candidates) {
    for (let i = Math.floor(unitHash(series.name) * stride); i < origins.length; i += stride) {
      places.series.push(series.name);
      places.origins.push(origins[i]!);
    }
  }
  return places;
}

function usableOrigins(series: Series, spec: ForecastSpec, from: number): number[] {
  const length = series.end - series.first;
  const present = new Int32Array(length + 1);
  for (let i = 0; i < length; i++) present[i + 1] = present[i]! + (Number.isNaN(series.values[i]!) ? 0 : 1);
  const between = (a: number, b: number): number => present[Math.min(length, b)]! - present[Math.max(0, a)]!;
  const origins: number[] = [];
  for (let i = Math.max(1, from - series.first); i < length; i++) {
    if (between(i - spec.context, i) > 0 && between(i, i + spec.horizon) > 0) origins.push(series.first + i);
  }
  return origins;
}

function blockStarts(set: SeriesSet, spec: ForecastSpec): Int32Array {
  const distinct = new Set<number>();
  for (const series of set.series.values()) {
    for (let period = series.first; period < series.end; period++) if (!Number.isNaN(valueAt(series, period))) distinct.add(period);
  }
  const periods = [...distinct].sort((a, b) => a - b);
  const { folds } = splitByTime(periods, { holdout: spec.holdout, foldCount: spec.training.folds });
  const trained = folds.filter((fold) => fold !== HOLDOUT).length;
  const needed = 2 * spec.training.folds;
  if (trained < needed || (spec.holdout > 0 && trained === periods.length)) {
    const found = `${periods.length} periods by ${spec.frequency} have a value, ${trained} of them outside the holdout`;
    throw new ShoalError('TOO_FEW_ROWS', `Model ${spec.name}: ${found}; ${spec.training.folds} folds need ${needed}, the holdout one.`, {
      remedy: 'Bring more history, choose a finer frequency, or lower `folds` or `holdout`.',
      details: { periods: periods.length, trained, needed },
    });
  }
  const starts = Array.from({ length: spec.training.folds }, (_, fold) => periods[folds.indexOf(fold)]!);
  return Int32Array.from([...starts, trained < periods.length ? periods[trained]! : periods[periods.length - 1]! + 1]);
}

function foldOf(blocks: Int32Array, period: number): number {
  if (period >= holdoutStart(blocks)) return HOLDOUT;
  let fold = blocks.length - 2;
  while (fold > 0 && period < blocks[fold]!) fold--;
  return fold;
}

/**
 * The forecast of each period that nobody who made it was taught: outputs of `examples` (cross-fitted, [rows, horizon] by name), at
 * the shortest step whose origin lies in the period's own block; in the holdout, whichever origin. One row per (series, period) up to
 * the end of the series, `keys` as `seriesKey`; each output a number column.
 */
export function forecastsByPeriod(examples: Examples, outputs: Table): { keys: string[]; table: Table } {
  const { series, origins, blocks, target } = examples;
  const ends = new Map<string, number>();
  for (let row = 0; row < origins.length; row++) {
    for (let step = 0; step < target.width; step++) {
      if (Number.isNaN(target.values[row * target.width + step]!)) continue;
      ends.set(series[row]!, Math.max(ends.get(series[row]!) ?? -Infinity, origins[row]! + step));
    }
  }
  const best = new Map<string, { row: number; step: number }>();
  for (let row = 0; row < origins.length; row++) {
    const fold = foldOf(blocks, origins[row]!);
    for (let step = 0; step < target.width; step++) {
      const period = origins[row]! + step;
      const itsFold = foldOf(blocks, period);
      // Periods to come are better asked of the whole model, from the end of the series.
      if ((itsFold !== fold && itsFold !== HOLDOUT) || period > ends.get(series[row]!)!) break;
      const key = seriesKey(series[row], period);
      const known = best.get(key);
      if (!known || step < known.step) best.set(key, { row, step });
    }
  }
  const picks = [...best.values()];
  return { keys: [...best.keys()], table: pickSteps(outputs, picks.map((p) => p.row), picks.map((p) => p.step)) };
}

/** From [rows, horizon] outputs, number columns: entry i is step `steps[i]` of row `rows[i]`; NaN where the step is negative. */
export function pickSteps(outputs: Table, rows: ArrayLike<number>, steps: ArrayLike<number>): Table {
  const columns: Record<string, Column> = {};
  for (const [name, column] of Object.entries(outputs.columns)) {
    if (column.type !== 'vector') continue;
    const values = Float64Array.from(rows, (row, i) => (steps[i]! < 0 ? NaN : column.values[row * column.width + steps[i]!]!));
    columns[name] = { type: 'number', values };
  }
  return { rows: rows.length, columns };
}

export interface Asked {
  days: Float64Array;
  series?: readonly (string | null)[];
  /** The asked period's own known-ahead values, by input. */
  known?: Record<string, Float64Array>;
}

export interface AskedExamples { table: Table; step: Int32Array; refused: { row: number; reason: string }[] }

/**
 * The examples that answer a request: one row per row asked, in its order, and the step of the horizon that is the asked period.
 * A period within the history, or the next one, is forecast at step 0 from what was known before it; a later one from the end of
 * its series. Refused rows have step -1, a missing history and a reason.
 */
export function askedExamples(set: SeriesSet, spec: ForecastSpec, asked: Asked): AskedExamples {
  const rows = asked.days.length;
  const step = new Int32Array(rows).fill(-1);
  const refused: AskedExamples['refused'] = [];
  const places = { series: new Array<string>(rows).fill(''), origins: new Int32Array(rows) };
  for (let row = 0; row < rows; row++) {
    const name = asked.series ? asked.series[row] : spec.series === undefined ? '' : null;
    const place = placeOf(set, spec, { name, days: asked.days[row]! });
    if ('reason' in place) {
      refused.push({ row, reason: place.reason });
      continue;
    }
    step[row] = place.step;
    places.series[row] = name!;
    places.origins[row] = place.origin;
  }
  const { table } = examplesAt(set, spec, places);
  const history = table.columns[FORECAST_COLUMNS.history] as VectorColumn;
  for (const { row } of refused) history.values.fill(NaN, row * history.width, (row + 1) * history.width);
  for (const [name, values] of Object.entries(asked.known ?? {})) {
    const column = table.columns[name];
    if (column?.type !== 'vector') continue;
    for (let row = 0; row < rows; row++) {
      if (step[row]! >= 0 && !Number.isNaN(values[row]!)) column.values[row * column.width + step[row]!] = values[row]!;
    }
  }
  return { table, step, refused };
}

type Place = { origin: number; step: number } | { reason: string };

function placeOf(set: SeriesSet, spec: ForecastSpec, asked: { name: string | null | undefined; days: number }): Place {
  const { frequency } = set;
  const named = (period: number): string => periodName(period, frequency);
  if (asked.name == null) return { reason: `the series (${spec.series}) is missing` };
  const series = set.series.get(asked.name);
  if (!series) return { reason: `there is no history of series ${JSON.stringify(asked.name)}` };
  const period = periodIndex(asked.days, frequency);
  const last = series.end + spec.horizon - 1;
  const limit = `the last period that can be forecast is ${named(last)}`;
  if (Number.isNaN(period)) return { reason: `the date (${spec.at}) is missing; ${limit}` };
  if (period > last) return { reason: `${named(period)} is too far ahead; ${limit}` };
  if (period <= series.first) {
    return { reason: `${named(period)} has no history before it; the first that has is ${named(series.first + 1)}, ${limit}` };
  }
  const origin = Math.min(period, series.end);
  for (let back = origin - spec.context; back < origin; back++) {
    if (!Number.isNaN(valueAt(series, back))) return { origin, step: period - origin };
  }
  return { reason: `nothing is known in the ${spec.context} periods before ${named(origin)}; ${limit}` };
}
