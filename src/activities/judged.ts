import type { Predictions, Truth } from '../domain/evaluate';
import { rollingOrigin } from '../domain/examples';
import { naiveScales, seasonalNaive } from '../domain/series';
import { isString, takeRows, type Column, type NumericColumn, type StringColumn, type Table } from '../domain/table';
import { OUTPUTS, type ForecastSpec } from '../domain/spec';
import { HOLDOUT, splitByKey } from '../domain/split';
import type { Manifest, Snapshot, VersionRef } from '../domain/version';
import { holdoutStart } from '../domain/examples';
import { modelRows, type Data, type Wanted } from './inputs';
import { loadSeries } from './loadSeries';

/** The rows that no version was trained on, what was true on them, and how a version answers them. */
export interface Judged {
  truth: Truth;
  rows: number;
  baseline: Predictions | undefined;
  /** A version's answers, given the snapshot's columns and its own upstream versions. */
  predict(ref: VersionRef): Promise<Predictions>;
}

export function judgedRows(manifest: Manifest, data: Data): Promise<Judged> {
  return manifest.spec.task === 'forecast' ? judgedForecasts(manifest, manifest.spec, data) : judgedHoldout(manifest, data);
}

async function judgedHoldout(manifest: Manifest, data: Data): Promise<Judged> {
  const { spec, snapshot } = manifest;
  const wanted = truthColumns(manifest);
  const { keys, extra } = await modelRows({ spec: { ...spec, inputs: [] }, features: [], snapshot, upstream: {}, wanted }, data);
  const rows = holdoutRows(keys, spec.holdout, extra, spec.task === 'embedding' ? [] : wanted.map((w) => w.name));
  const true_ = takeRows(extra, rows);
  return {
    truth: spec.task === 'embedding' ? { task: 'embedding', alike: true_ } : { task: spec.task as 'regression', target: true_.columns[wanted[0]!.name]! },
    rows: rows.length,
    baseline: spec.task === 'embedding' ? undefined : { outputs: constantOutputs(manifest, rows.length), classes: manifest.classes },
    predict: async (ref) => {
      const its = await data.models.manifest(ref);
      const { inputs } = await modelRows({ spec: its.spec, features: its.features, snapshot, upstream: its.upstream }, data);
      return { outputs: await data.models.run(ref, takeRows(inputs, rows)), classes: its.classes };
    },
  };
}

async function judgedForecasts(manifest: Manifest, spec: ForecastSpec, data: Data): Promise<Judged> {
  const set = await loadSeries(spec, manifest.snapshot, data.store);
  const examples = rollingOrigin(set, spec);
  const rows = examples.table.rows;
  const value = { type: 'vector' as const, width: spec.horizon, values: new Float32Array(rows * spec.horizon) };
  for (let row = 0; row < rows; row++) value.values.set(seasonalNaive(set, spec, examples.series[row]!, examples.origins[row]!), row * spec.horizon);
  return {
    truth: { task: 'forecast', examples, scales: naiveScales(set, spec, holdoutStart(examples.blocks)) },
    rows,
    baseline: { outputs: { rows, columns: { value, low: value, high: value } } },
    predict: async (ref) => ({ outputs: await data.models.forecast(ref, examples.table) }),
  };
}

/** Rows of the holdout in which every one of `needed` is present. */
export function holdoutRows(keys: string[], holdout: number, table: Table, needed: string[]): number[] {
  const { folds } = splitByKey(keys, { holdout, foldCount: 1 });
  return keys.flatMap((_, row) => (folds[row] === HOLDOUT && needed.every((name) => isPresent(table.columns[name]!, row)) ? [row] : []));
}

export function isPresent(column: Column, row: number): boolean {
  if (isString(column)) return column.values[row] !== null;
  return !Number.isNaN(column.values[row]!);
}

/** The columns that say what was true. */
export function truthColumns({ spec }: Pick<Manifest, 'spec'>): Wanted {
  switch (spec.task) {
    case 'regression': return [{ name: spec.target, type: 'number' }];
    case 'classification': return [{ name: spec.target, type: 'category' }];
    case 'embedding': return spec.alike.map((name) => ({ name, type: 'category' as const }));
    case 'forecast': return [{ name: spec.time, type: 'date' }, { name: spec.target, type: 'number' }, ...(spec.series ? [{ name: spec.series, type: 'category' as const }] : [])];
  }
}

/** The trivial predictor's answer, for every row. */
export function constantOutputs({ spec, baseline }: Pick<Manifest, 'spec' | 'baseline'>, rows: number): Table {
  return { rows, columns: Object.fromEntries(Object.entries(OUTPUTS[spec.task]).map(([name, type]) => [name, constant(type, baseline[name]!, rows)])) };
}

function constant(type: 'number' | 'category' | 'vector', value: number | string | number[], rows: number): Column {
  if (type === 'vector') {
    const one = value as number[];
    const values = new Float32Array(rows * one.length);
    for (let row = 0; row < rows; row++) values.set(one, row * one.length);
    return { type, width: one.length, values };
  }
  return type === 'number'
    ? { type, values: new Float64Array(rows).fill(value as number) } satisfies NumericColumn
    : { type, values: new Array<string>(rows).fill(value as string) } satisfies StringColumn;
}
