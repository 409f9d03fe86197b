import { loadTable } from '../data/loadTable';
import { periodIndex } from '../domain/calendar';
import { seriesKey } from '../domain/series';
import { OUTPUTS, type ModelSpec } from '../domain/spec';
import { takeRows, type Column, type ColumnType, type Table } from '../domain/table';
import type { Feature, Manifest, Snapshot, VersionRef } from '../domain/version';
import type { Models } from '../serve/models';
import type { Store } from '../store/store';

export interface Data { store: Store; models: Models }

/** Columns of a snapshot beyond a model's inputs: target, time ... */
export type Wanted = { name: string; type: ColumnType }[];

export interface ModelRows {
  keys: string[];
  /** By feature name. */
  inputs: Table;
  /** The wanted columns, by name. */
  extra: Table;
}

/**
 * A snapshot's rows as a model sees them: its columns, and the outputs of the upstream versions for these rows, cross-fitted
 * where those were trained on them.
 */
export async function modelRows(
  of: { spec: ModelSpec; features: Feature[]; snapshot: Snapshot; upstream: Record<string, VersionRef>; wanted?: Wanted },
  data: Data,
): Promise<ModelRows> {
  const { spec, features, snapshot, upstream, wanted = [] } = of;
  const typeOf = new Map(features.map((f) => [f.name, f.type]));
  const ownInputs = spec.task === 'forecast' ? [] : spec.inputs.flatMap((i) => (i.kind === 'column' ? [{ name: i.column, type: typeOf.get(i.name)! }] : []));
  const { keys, table } = await loadTable(data.store, snapshot, distinct([...ownInputs, ...wanted]));

  const columns: Record<string, Column> = {};
  const outputs = new Map<string, Table>();
  for (const input of spec.task === 'forecast' ? [] : spec.inputs) {
    if (input.kind === 'column') {
      columns[input.name] = table.columns[input.column]!;
      continue;
    }
    if (!outputs.has(input.model)) outputs.set(input.model, await upstreamOutputs({ ref: upstream[input.model]!, snapshot, keys }, data));
    columns[input.name] = outputs.get(input.model)!.columns[input.output]!;
  }
  return {
    keys,
    inputs: { rows: keys.length, columns },
    extra: { rows: keys.length, columns: Object.fromEntries(wanted.map(({ name }) => [name, table.columns[name]!])) },
  };
}

/**
 * What an upstream version says of a snapshot's rows, by output name. Rows it was trained on get the answer of the members that
 * were not trained on them; rows it never saw are asked of the version itself.
 */
export async function upstreamOutputs(of: { ref: VersionRef; snapshot: Snapshot; keys: string[] }, data: Data): Promise<Table> {
  const manifest = await data.models.manifest(of.ref);
  const known = await loadTable(data.store, manifest.outputs, outputColumns(manifest));
  const position = new Map(known.keys.map((key, i) => [key, i]));
  const { lookup, asked } = await askedRows(manifest, of, data);

  const found = lookup.map((key) => (key === null ? undefined : position.get(key)));
  const unseen = found.flatMap((p, row) => (p === undefined ? [row] : []));
  if (unseen.length === 0) return takeRows(known.table, found as number[]);
  const fresh = await data.models.run(of.ref, takeRows(await asked(), unseen));
  return interleave(known.table, found, fresh);
}

/** By which keys the version's outputs are found for these rows, and the rows as the version would be asked them. */
async function askedRows(manifest: Manifest, of: { snapshot: Snapshot; keys: string[] }, data: Data) {
  const { spec } = manifest;
  if (spec.task !== 'forecast') {
    return {
      lookup: of.keys as (string | null)[],
      asked: async () => (await modelRows({ spec, features: manifest.features, snapshot: of.snapshot, upstream: manifest.upstream }, data)).inputs,
    };
  }
  const wanted: Wanted = [{ name: spec.at, type: 'date' }, ...(spec.series ? [{ name: spec.series, type: 'category' as const }] : [])];
  const { table } = await loadTable(data.store, of.snapshot, wanted);
  const days = table.columns[spec.at]!.values as Float64Array;
  const series = spec.series ? (table.columns[spec.series]!.values as (string | null)[]) : undefined;
  return {
    lookup: Array.from(days, (day, row) => (Number.isNaN(day) ? null : seriesKey(series?.[row], periodIndex(day, spec.frequency)))),
    asked: async () => table,
  };
}

export function outputColumns(manifest: Pick<Manifest, 'spec'>): Wanted {
  return Object.entries(OUTPUTS[manifest.spec.task]).map(([name, type]) => ({ name, type }));
}

/** Row i is row `found[i]` of `known`, or where that is undefined the next row of `fresh`. */
function interleave(known: Table, found: (number | undefined)[], fresh: Table): Table {
  let next = 0;
  const rows = found.map((p) => p ?? known.rows + next++);
  return takeRows(stack(known, fresh), rows);
}

function stack(above: Table, below: Table): Table {
  return { rows: above.rows + below.rows, columns: Object.fromEntries(Object.entries(above.columns).map(([name, column]) => [name, stackColumn(column, below.columns[name]!)])) };
}

function stackColumn(above: Column, below: Column): Column {
  if (above.type === 'vector' && below.type === 'vector') {
    // A table of no rows doesn't know its width.
    const width = above.width || below.width;
    return { type: 'vector', width, values: joined(Float32Array, above.values, below.values) };
  }
  if ((above.type === 'category' || above.type === 'text') && (below.type === 'category' || below.type === 'text')) {
    return { type: above.type, values: [...above.values, ...below.values] };
  }
  return { type: above.type, values: joined(Float64Array, above.values as Float64Array, below.values as Float64Array) } as Column;
}

function joined<T extends Float32Array | Float64Array>(make: new (length: number) => T, a: T, b: T): T {
  const out = new make(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

const distinct = (wanted: Wanted): Wanted => [...new Map(wanted.map((w) => [`${w.name}:${w.type}`, w])).values()];
