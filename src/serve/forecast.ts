import { periodIndex } from '../domain/calendar';
import { askedExamples, pickSteps } from '../domain/examples';
import { buildSeries, seasonalNaive, type SeriesSet } from '../domain/series';
import type { ForecastSpec } from '../domain/spec';
import { isNumeric, isString, type NumericColumn, type Table } from '../domain/table';
import type { Snapshot } from '../domain/version';
import { loadTable } from '../data/loadTable';
import type { Store } from '../store/store';
import type { Answers } from './runner';
import type { Session } from './session';

/** The history that a forecast version answers from: its own snapshot, on a regular grid. */
export async function loadHistory(store: Store, snapshot: Snapshot, spec: ForecastSpec): Promise<SeriesSet> {
  const known = spec.inputs.flatMap((input) => (input.kind === 'column' ? [input] : []));
  const { table } = await loadTable(store, snapshot, [
    { name: spec.time, type: 'date' },
    { name: spec.target, type: 'number' },
    ...(spec.series === undefined ? [] : [{ name: spec.series, type: 'category' as const }]),
    ...known.map((input) => ({ name: input.column, type: 'number' as const })),
  ]);
  return buildSeries({
    time: numeric(table, spec.time).values,
    value: numeric(table, spec.target).values,
    series: spec.series === undefined ? undefined : strings(table, spec.series),
    known: Object.fromEntries(known.map((input) => [input.name, numeric(table, input.column).values])),
  }, spec);
}

/** Forecasts the period each row asks for. */
export async function runAsked(
  spec: ForecastSpec,
  asked: { table: Table; session: Session; history: SeriesSet; signal?: AbortSignal },
): Promise<Answers> {
  const { table, session, history, signal } = asked;
  const examples = askedExamples(history, spec, {
    days: numeric(table, spec.at).values,
    series: spec.series === undefined ? undefined : strings(table, spec.series),
    known: Object.fromEntries(spec.inputs.flatMap(({ name }) => (table.columns[name] ? [[name, numeric(table, name).values]] : []))),
  });
  const outputs = await session.run(examples.table, { signal });
  const rows = Array.from({ length: table.rows }, (_, row) => row);
  return { ...pickSteps(outputs, rows, examples.step), refused: new Map(examples.refused.map(({ row, reason }) => [row, reason])) };
}

/** Seasonal naive for the period each row asks for, however far ahead; `value` only, missing where there is no history. */
export function naiveAsked(spec: ForecastSpec, asked: { table: Table; history: SeriesSet }): Table {
  const { table, history } = asked;
  const names = spec.series === undefined ? undefined : strings(table, spec.series);
  const values = numeric(table, spec.at).values.map((days, row) => {
    const name = names ? names[row] : '';
    const series = name == null ? undefined : history.series.get(name);
    const period = periodIndex(days, history.frequency);
    if (!series || Number.isNaN(period)) return NaN;
    const origin = Math.min(period, series.end);
    // It repeats every season, so a step within the first says it all.
    const step = (period - origin) % Math.max(1, spec.season);
    return seasonalNaive(history, { ...spec, horizon: step + 1 }, series.name, origin)[step]!;
  });
  return { rows: table.rows, columns: { value: { type: 'number', values } } };
}

function numeric(table: Table, name: string): NumericColumn {
  const column = table.columns[name];
  if (!column || !isNumeric(column)) throw new TypeError(`The column ${name} must be there, and numeric.`);
  return column;
}

function strings(table: Table, name: string): (string | null)[] {
  const column = table.columns[name];
  if (!column || !isString(column)) throw new TypeError(`The column ${name} must be there, and of strings.`);
  return column.values;
}
