import { trainingExamples } from '../domain/examples';
import { buildSeries, type SeriesSet } from '../domain/series';
import type { ForecastSpec } from '../domain/spec';
import type { StringColumn, Table } from '../domain/table';
import { loadTable, type Wanted } from './loadTable';
import { constant, count, type ModelData, type Validation } from './validation';

/** What a forecast needs beyond its columns: one row a period, enough periods, values that differ. */
export async function validateSeries(data: ModelData<ForecastSpec>): Promise<Validation> {
  const { spec, snapshot, store } = data;
  const known = spec.inputs.flatMap((input) => (input.kind === 'column' ? [input] : []));
  const wanted: Wanted[] = [
    { name: spec.time, type: 'date' },
    { name: spec.target, type: 'number' },
    ...(spec.series === undefined ? [] : [{ name: spec.series, type: 'category' as const }]),
    ...known.map((input) => ({ name: input.column, type: 'number' as const })),
  ];
  const { table } = await loadTable(store, snapshot, wanted);
  const values = numbers(table, spec.target);
  const set = buildSeries({
    time: numbers(table, spec.time),
    value: values,
    known: Object.fromEntries(known.map((input) => [input.name, numbers(table, input.column)])),
    ...(spec.series !== undefined && { series: (table.columns[spec.series] as StringColumn).values }),
  }, spec);
  const present = values.filter((value) => !Number.isNaN(value));
  if (present.every((value) => value === present[0])) throw constant(data, `every period has ${present[0]}`);
  trainingExamples(set, spec, { maxExamples: 1 });
  return {
    usableRows: present.length,
    unlabelledRows: values.length - present.length,
    notes: [...unplaced(set), ...gaps(set, spec), ...negatives(present, spec)],
  };
}

const numbers = (table: Table, name: string): Float64Array => table.columns[name]!.values as Float64Array;

const unplaced = (set: SeriesSet): string[] =>
  set.unplaced === 0 ? [] : [`${count(set.unplaced, 'row')} have no date or no series and are left out.`];

function gaps(set: SeriesSet, spec: ForecastSpec): string[] {
  let periods = 0;
  let missing = 0;
  for (const series of set.series.values()) {
    for (let period = series.first; period < series.end; period++) {
      periods++;
      if (Number.isNaN(series.values[period - series.first]!)) missing++;
    }
  }
  return missing === 0 ? [] : [`${missing} of ${count(periods, spec.frequency)} between the first and the last value have none.`];
}

function negatives(values: Float64Array, spec: ForecastSpec): string[] {
  const n = spec.scale === 'log10' ? values.filter((value) => value < 0).length : 0;
  return n === 0 ? [] : [`${count(n, 'value')} of '${spec.target}' are negative and count as 0 on \`scale: log10\`.`];
}
