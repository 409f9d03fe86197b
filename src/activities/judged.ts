import type { Predictions, Truth } from '../domain/evaluate';
import { baselineOutputs, naiveOutputs } from '../domain/baseline';
import { ShoalError } from '../domain/errors';
import { examplesAt, holdoutStart, rollingOrigin } from '../domain/examples';
import { naiveScales } from '../domain/series';
import { isString, takeRows, type Column, type Table } from '../domain/table';
import type { Slice } from '../domain/slices';
import type { ForecastSpec, SliceSpec } from '../domain/spec';
import { HOLDOUT, splitByKey } from '../domain/split';
import type { Manifest, VersionRef } from '../domain/version';
import { timeRows, type Latency } from '../serve/latency';
import { loadHistory } from '../serve/forecast';
import { modelRows, type Data, type Wanted } from './inputs';
import { cellSlices, rowSlices } from './slices';

/** The rows that no version was trained on, what was true on them, and how a version answers them. */
export interface Judged {
  truth: Truth;
  rows: number;
  baseline: Predictions | undefined;
  /** A version's answers, given the snapshot's columns and its own upstream versions. */
  predict(ref: VersionRef): Promise<Predictions>;
  /** How long it takes for one of them. */
  latency(ref: VersionRef): Promise<Latency>;
  /** The parts of these rows that a gate asks for. */
  slices(of: SliceSpec): Promise<Slice[]>;
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
  const asked = async (ref: VersionRef) => {
    const its = await data.models.manifest(ref);
    const { inputs } = await modelRows({ spec: its.spec, features: its.features, snapshot, upstream: its.upstream }, data);
    return { table: takeRows(inputs, rows), classes: its.classes };
  };
  return {
    truth: spec.task === 'embedding' ? { task: 'embedding', alike: true_ } : { task: spec.task as 'regression', target: true_.columns[wanted[0]!.name]! },
    rows: rows.length,
    baseline: spec.task === 'embedding' ? undefined : { outputs: baselineOutputs(manifest.baseline, rows.length), classes: manifest.classes },
    predict: async (ref) => {
      const { table, classes } = await asked(ref);
      return { outputs: await data.models.run(ref, table), classes };
    },
    latency: async (ref) => {
      const { table } = await asked(ref);
      return timeRows(rows.length, (row) => data.models.run(ref, takeRows(table, [row])));
    },
    slices: (of) => rowSlices(of, rows, { store: data.store, snapshot }),
  };
}

async function judgedForecasts(manifest: Manifest, spec: ForecastSpec, data: Data): Promise<Judged> {
  const set = await loadHistory(data.store, manifest.snapshot, spec);
  const examples = rollingOrigin(set, spec);
  const asked = async (ref: VersionRef): Promise<Table> => {
    const its = await data.models.manifest(ref);
    if (its.spec.task !== 'forecast' || its.spec.horizon !== spec.horizon || its.spec.frequency !== spec.frequency) {
      throw new ShoalError('COLUMN_TYPE', `Version ${ref.id} of ${its.model} forecasts other periods than these.`);
    }
    return examplesAt(set, its.spec, examples).table;
  };
  return {
    truth: { task: 'forecast', examples, scales: naiveScales(set, spec, holdoutStart(examples.blocks)) },
    rows: examples.table.rows,
    baseline: { outputs: naiveOutputs(set, spec, examples) },
    predict: async (ref) => ({ outputs: await data.models.forecast(ref, await asked(ref)) }),
    latency: async (ref) => {
      const table = await asked(ref);
      return timeRows(table.rows, (row) => data.models.forecast(ref, takeRows(table, [row])));
    },
    slices: (of) => cellSlices(of, examples, { store: data.store, snapshot: manifest.snapshot, spec }),
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
