import { periodName, periodStart } from './calendar';
import type { Truth } from './evaluate';
import { vectorOf } from './metrics';
import { wilson, type Interval } from './proportion';
import type { ForecastSpec } from './spec';
import type { Table } from './table';

const MAX_SERIES = 3;
const MAX_PERIODS = 400;

export interface ForecastDiagnosis {
  task: 'forecast';
  target: string;
  /** Forecast periods with a known truth. */
  rows: number;
  /** The first few series, by name. */
  series: ForecastSeries[];
  seriesInAll: number;
  /** By how far ahead, the next period first. */
  steps: ForecastStep[];
  interval: number;
}

export interface ForecastSeries {
  /** '' when the model has one series. */
  name: string;
  truth: { period: string; day: number; value: number }[];
  /** Forecasts that follow each other: each from the period after the last one's end. */
  forecasts: { origin: string; periods: ForecastPeriod[] }[];
}
export interface ForecastPeriod { period: string; /** Days since 1970. */ day: number; value: number; low?: number; high?: number }

export interface ForecastStep {
  step: number;
  rows: number;
  /** Mean absolute error, divided by that of the seasonal naive forecast within the training periods, as in MASE. */
  error: number;
  /** The same of the baseline. */
  baseline?: number;
  /** Share of true values within [low, high]. */
  covered?: Interval;
}

interface Forecasts {
  truth: Extract<Truth, { task: 'forecast' }>;
  /** `value`, `low`, `high` [rows, horizon]. */
  outputs: Table;
  baseline?: Table;
}

export function diagnoseForecast(spec: ForecastSpec, of: Forecasts): ForecastDiagnosis | undefined {
  const { target, series } = of.truth.examples;
  const rows = target.values.reduce((count, y) => count + (Number.isNaN(y) ? 0 : 1), 0);
  if (rows === 0) return undefined;
  const names = [...new Set(series)].sort();
  return {
    task: 'forecast',
    target: spec.target,
    rows,
    series: names.slice(0, MAX_SERIES).map((name) => seriesOf(name, spec, of)),
    seriesInAll: names.length,
    steps: stepsOf(of),
    interval: spec.interval,
  };
}

function seriesOf(name: string, { frequency }: ForecastSpec, { truth, outputs }: Forecasts): ForecastSeries {
  const { target, series, origins } = truth.examples;
  const { width } = target;
  const rows = Array.from(series.keys()).filter((row) => series[row] === name).sort((a, b) => origins[a]! - origins[b]!);
  const place = (period: number) => ({ period: periodName(period, frequency), day: periodStart(period, frequency) });
  const known = new Map<number, number>();
  for (const row of rows) {
    for (let step = 0; step < width; step++) {
      const value = target.values[row * width + step]!;
      if (!Number.isNaN(value)) known.set(origins[row]! + step, value);
    }
  }
  const periods = [...known.keys()].sort((a, b) => a - b).slice(-MAX_PERIODS);
  const read = (output: string) => (outputs.columns[output] ? vectorOf(outputs, output).values : undefined);
  const [value, low, high] = [read('value')!, read('low'), read('high')];
  const forecasts: ForecastSeries['forecasts'] = [];
  let next = periods[0] ?? 0;
  for (const row of rows) {
    const origin = origins[row]!;
    if (origin < next) continue;
    next = origin + width;
    const cells = Array.from({ length: width }, (_, step) => row * width + step).filter((_, step) => known.has(origin + step));
    forecasts.push({
      origin: periodName(origin, frequency),
      periods: cells.map((i) => ({ ...place(origin + (i % width)), value: value[i]!, low: low?.[i], high: high?.[i] })),
    });
  }
  return { name, truth: periods.map((period) => ({ ...place(period), value: known.get(period)! })), forecasts };
}

function stepsOf({ truth, outputs, baseline }: Forecasts): ForecastStep[] {
  const { target, series } = truth.examples;
  const { width } = target;
  const value = vectorOf(outputs, 'value').values;
  const naive = baseline && vectorOf(baseline, 'value').values;
  const interval = outputs.columns.low && outputs.columns.high
    ? { low: vectorOf(outputs, 'low').values, high: vectorOf(outputs, 'high').values } : undefined;
  return Array.from({ length: width }, (_, step): ForecastStep | undefined => {
    const cells = series.map((_, row) => row * width + step).filter((i) => !Number.isNaN(target.values[i]!));
    const scaled = cells.map((i) => ({ i, scale: truth.scales.get(series[Math.floor(i / width)]!) ?? NaN }))
      .filter(({ scale }) => !Number.isNaN(scale));
    if (scaled.length === 0) return undefined;
    const error = (said: ArrayLike<number>): number =>
      scaled.reduce((sum, { i, scale }) => sum + Math.abs(said[i]! - target.values[i]!) / scale, 0) / scaled.length;
    const inside = interval && cells.filter((i) => target.values[i]! >= interval.low[i]! && target.values[i]! <= interval.high[i]!).length;
    return {
      step: step + 1,
      rows: cells.length,
      error: error(value),
      baseline: naive && error(naive),
      covered: inside === undefined ? undefined : wilson(inside, cells.length),
    };
  }).filter((step) => step !== undefined);
}
