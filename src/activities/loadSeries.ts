import { loadTable } from '../data/loadTable';
import { buildSeries, type SeriesSet } from '../domain/series';
import type { ForecastSpec } from '../domain/spec';
import type { Snapshot } from '../domain/version';
import type { Store } from '../store/store';

/** A forecast's history, with its known-ahead columns, from its snapshot. */
export async function loadSeries(spec: ForecastSpec, snapshot: Snapshot, store: Store): Promise<SeriesSet> {
  const known = spec.inputs.flatMap((input) => (input.kind === 'column' ? [input] : []));
  const { table } = await loadTable(store, snapshot, [
    { name: spec.time, type: 'date' },
    { name: spec.target, type: 'number' },
    ...(spec.series ? [{ name: spec.series, type: 'category' as const }] : []),
    ...known.map((input) => ({ name: input.column, type: 'number' as const })),
  ]);
  const numbers = (column: string) => table.columns[column]!.values as Float64Array;
  return buildSeries({
    time: numbers(spec.time),
    value: numbers(spec.target),
    series: spec.series ? (table.columns[spec.series]!.values as (string | null)[]) : undefined,
    known: Object.fromEntries(known.map((input) => [input.name, numbers(input.column)])),
  }, spec);
}
