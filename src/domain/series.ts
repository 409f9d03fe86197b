import { periodIndex, periodName } from './calendar';
import { ShoalError } from './errors';
import type { ForecastSpec, Frequency } from './spec';

/** One series on a regular grid: entry i is period `first` + i. */
export interface Series {
  /** '' when the model has one series. */
  name: string;
  /** The period of the first present value. */
  first: number;
  /** The period after the last present value: the next one to come. */
  end: number;
  /** NaN where nothing is known; may go on past `end` where known-ahead values do. */
  values: Float64Array;
  /** Known-ahead values by input name, on the same grid. */
  known: Record<string, Float64Array>;
}

export interface SeriesSet {
  frequency: Frequency;
  /** By name, in the order of names. */
  series: ReadonlyMap<string, Series>;
  /** Rows left out because their date or their series was missing. */
  unplaced: number;
}

export interface SeriesInput {
  /** Days since 1970. */
  time: Float64Array;
  series?: readonly (string | null)[];
  value: Float64Array;
  /** By the name of the input. */
  known: Record<string, Float64Array>;
}

/** Two hundred years of hours; a longer grid means that a date is wrong. */
const MAX_PERIODS = 2_000_000;

/** One string for a series' period, to join forecasts by. */
export const seriesKey = (series: string | null | undefined, period: number): string => `${period}/${series ?? ''}`;

/**
 * Puts rows, in any order, on a regular grid. Periods without a row are gaps (NaN). A series without a single value is left out.
 *
 * @throws ShoalError CONFIG when two rows fall on the same period of a series, or a series is absurdly long; NOT_FINITE;
 * COLUMN_EMPTY when there is no value at all.
 */
export function buildSeries(input: SeriesInput, spec: ForecastSpec): SeriesSet {
  const { frequency } = spec;
  const names = Object.keys(input.known);
  const rowsBySeries = new Map<string, number[]>();
  const periods = new Float64Array(input.time.length);
  let unplaced = 0;
  for (let row = 0; row < input.time.length; row++) {
    const name = input.series ? input.series[row] : '';
    periods[row] = periodIndex(input.time[row]!, frequency);
    if (name == null || Number.isNaN(periods[row]!)) {
      unplaced++;
      continue;
    }
    refuseInfinite(input.value[row]!, spec.target, name);
    for (const known of names) refuseInfinite(input.known[known]![row]!, known, name);
    const rows = rowsBySeries.get(name);
    if (rows) rows.push(row);
    else rowsBySeries.set(name, [row]);
  }

  const series = new Map<string, Series>();
  for (const name of [...rowsBySeries.keys()].sort()) {
    const one = grid(name, rowsBySeries.get(name)!, { input, periods, frequency });
    if (one) series.set(name, one);
  }
  if (series.size === 0) {
    throw new ShoalError('COLUMN_EMPTY', `Model ${spec.name}: no row has both a value in ${spec.target} and a date in ${spec.time}.`, {
      remedy: 'Check the names of the columns and that the dates are read as dates.',
      details: { column: spec.target, time: spec.time },
    });
  }
  return { frequency, series, unplaced };

  function refuseInfinite(value: number, column: string, name: string): void {
    if (Math.abs(value) === Infinity) {
      throw new ShoalError('NOT_FINITE', `Column ${column} holds an infinite value${inSeries(name)}.`, {
        remedy: 'Replace it or leave it out in the source.', details: { column, series: name },
      });
    }
  }
}

const inSeries = (name: string): string => (name === '' ? '' : ` in series ${JSON.stringify(name)}`);

function grid(name: string, rows: number[], from: { input: SeriesInput; periods: Float64Array; frequency: Frequency }): Series | undefined {
  const { input, periods, frequency } = from;
  rows.sort((a, b) => periods[a]! - periods[b]!);
  for (let i = 1; i < rows.length; i++) {
    const period = periods[rows[i]!]!;
    if (period !== periods[rows[i - 1]!]) continue;
    const where = `${periodName(period, frequency)}${inSeries(name)}`;
    throw new ShoalError('CONFIG', `Two rows fall on ${where}: a forecast by ${frequency} takes one.`, {
      remedy: 'Aggregate the rows in the source\'s sql, choose a finer frequency, or name the column that tells series apart.',
      details: { series: name, period: periodName(period, frequency), rows: [rows[i - 1], rows[i]] },
    });
  }
  const present = rows.filter((row) => !Number.isNaN(input.value[row]!));
  if (present.length === 0) return undefined;
  const first = periods[present[0]!]!;
  const last = periods[rows[rows.length - 1]!]!;
  if (last - first + 1 > MAX_PERIODS) {
    const range = `${periodName(first, frequency)} to ${periodName(last, frequency)}`;
    throw new ShoalError('CONFIG', `The dates${inSeries(name)} go from ${range}: too many periods by ${frequency}.`, {
      remedy: 'Look for a wrong date, or choose a coarser frequency.', details: { series: name, first, last },
    });
  }
  const empty = (): Float64Array => new Float64Array(last - first + 1).fill(NaN);
  const values = empty();
  const known = Object.fromEntries(Object.keys(input.known).map((input) => [input, empty()]));
  for (const row of rows) {
    const at = periods[row]! - first;
    if (at < 0) continue;
    values[at] = input.value[row]!;
    for (const [key, column] of Object.entries(known)) column[at] = input.known[key]![row]!;
  }
  return { name, first, end: periods[present[present.length - 1]!]! + 1, values, known };
}

/** The value of a period; NaN where it is not known. */
export const valueAt = (series: Series, period: number): number => series.values[period - series.first] ?? NaN;

/**
 * The forecasts of the trivial predictor for the `horizon` periods from `origin`: the value one season before, or the latest
 * season's in which it is present, or the last value before the origin; NaN when there is none.
 * (Hyndman & Athanasopoulos, "Forecasting: Principles and Practice", 5.2.)
 */
export function seasonalNaive(set: SeriesSet, spec: ForecastSpec, name: string, origin: number): Float64Array {
  const forecast = new Float64Array(spec.horizon).fill(NaN);
  const series = set.series.get(name);
  if (!series) return forecast;
  const season = Math.max(1, spec.season);
  let last = origin - 1;
  while (last >= series.first && Number.isNaN(valueAt(series, last))) last--;
  for (let step = 0; step < spec.horizon; step++) {
    let period = origin + (step % season) - season;
    while (period >= series.first && Number.isNaN(valueAt(series, period))) period -= season;
    forecast[step] = valueAt(series, period >= series.first ? period : last);
  }
  return forecast;
}

/**
 * By series, the mean absolute error of the seasonal naive forecast within the periods before `before`: what MASE divides by
 * (Hyndman & Koehler, 2006). NaN where no pair of values is a season apart, or where they never differ.
 */
export function naiveScales(set: SeriesSet, spec: ForecastSpec, before: number): Map<string, number> {
  const scales = new Map<string, number>();
  for (const [name, series] of set.series) {
    let sum = 0;
    let count = 0;
    for (let period = series.first + spec.season; period < Math.min(before, series.end); period++) {
      const difference = Math.abs(valueAt(series, period) - valueAt(series, period - spec.season));
      if (Number.isNaN(difference)) continue;
      sum += difference;
      count++;
    }
    scales.set(name, sum > 0 ? sum / count : NaN);
  }
  return scales;
}
