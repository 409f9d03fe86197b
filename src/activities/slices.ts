import { checkCondition, rowsMeeting, type Condition } from '../data/condition';
import { assertLoadable, loadTable } from '../data/loadTable';
import { periodIndex } from '../domain/calendar';
import type { Examples } from '../domain/examples';
import { seriesKey } from '../domain/series';
import { sliceKey, type Slice } from '../domain/slices';
import type { ForecastSpec, GateSpec, SliceSpec } from '../domain/spec';
import type { Snapshot } from '../domain/version';
import type { Store } from '../store/store';

export interface SnapshotAt { store: Store; snapshot: Snapshot }

/** The slices that gates ask for, by `sliceKey`, as `make` cuts them. */
export async function slicesFor(gates: readonly GateSpec[], make: (of: SliceSpec) => Promise<Slice[]>): Promise<Map<string, Slice[]>> {
  const specs = new Map(gates.flatMap(({ slice }) => (slice ? [[sliceKey(slice), slice] as const] : [])));
  return new Map(await Promise.all([...specs].map(async ([key, spec]) => [key, await make(spec)] as const)));
}

/** Slices of judged rows, which are `rows` of the snapshot. */
export async function rowSlices(of: SliceSpec, rows: ArrayLike<number>, at: SnapshotAt): Promise<Slice[]> {
  const names = await sliceNames(of, at);
  return grouped(Array.from(rows, (row, i) => [names[row], i]));
}

/** Slices of a forecast's cells, by the row of the snapshot that holds the period to be forecast. */
export async function cellSlices(of: SliceSpec, examples: Examples, at: SnapshotAt & { spec: ForecastSpec }): Promise<Slice[]> {
  const { spec, store, snapshot } = at;
  const names = await sliceNames(of, at);
  const { table } = await loadTable(store, snapshot, [{ name: spec.time, type: 'date' }, ...(spec.series ? [{ name: spec.series, type: 'category' as const }] : [])]);
  const days = table.columns[spec.time]!.values as Float64Array;
  const series = spec.series ? (table.columns[spec.series]!.values as (string | null)[]) : undefined;
  const nameAt = new Map(Array.from(days, (day, row) => [seriesKey(series?.[row], periodIndex(day, spec.frequency)), names[row]]));
  const { width, values } = examples.target;
  return grouped(Array.from(values.keys()).filter((cell) => !Number.isNaN(values[cell]!)).map((cell) => {
    const example = Math.floor(cell / width);
    return [nameAt.get(seriesKey(examples.series[example], examples.origins[example]! + (cell % width))), cell];
  }));
}

/** Refuses gates whose slices the snapshot can't be cut into, before anything is trained for them. */
export async function checkSlices(gates: readonly GateSpec[], { store, snapshot }: SnapshotAt): Promise<void> {
  for (const { slice } of gates) {
    if (slice?.column !== undefined) await assertLoadable(store, snapshot, [{ name: slice.column, type: 'category' }]);
    else if (slice) await checkCondition(store, snapshot, conditionOf(slice));
  }
}

/** Of each row of the snapshot, the slice it is in. */
async function sliceNames(of: SliceSpec, { store, snapshot }: SnapshotAt): Promise<(string | undefined)[]> {
  const { column } = of;
  if (column !== undefined) {
    const { table } = await loadTable(store, snapshot, [{ name: column, type: 'category' }]);
    const values = table.columns[column]!.values as (string | null)[];
    return values.map((value) => (value === null ? `${column} missing` : `${column} = ${value}`));
  }
  const names = new Array<string | undefined>(snapshot.rows);
  for (const row of await rowsMeeting(store, snapshot, conditionOf(of))) names[row] = of.name ?? of.where;
  return names;
}

const conditionOf = ({ where }: SliceSpec): Condition => ({ where: where!, what: 'The slice of a gate' });

/** In the order of their names. */
function grouped(places: readonly (readonly [name: string | undefined, row: number])[]): Slice[] {
  const rows = new Map<string, number[]>();
  for (const [name, row] of places) {
    if (name === undefined) continue;
    const known = rows.get(name);
    if (known) known.push(row);
    else rows.set(name, [row]);
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, list]) => ({ name, rows: list }));
}
