import { readFile } from 'node:fs/promises';
import { loadOutsideTable } from '../data/loadTable';
import { writeTable } from '../data/writeTable';
import { meanBaseline, priorBaseline, type Baseline } from '../domain/baseline';
import { intervalOf, lineUp, outputsFrom, refuseInSample, requireFinite, requireProbabilities, type Interval } from '../domain/crossFitted';
import { ShoalError } from '../domain/errors';
import { MAIN_OUTPUT, OUTPUTS, type ModelSpec } from '../domain/spec';
import { HOLDOUT } from '../domain/split';
import { takeColumn, takeRows, type Column, type ColumnType, type StringColumn, type Table, type VectorColumn } from '../domain/table';
import { broken, fitPorts, type Fit } from '../domain/trainer';
import type { Feature, Manifest, TrainedVersion, TrainingSummary, VersionRef } from '../domain/version';
import { intervalOffsets } from '../learn/calibrate';
import { completeOnnx, type Completion } from '../learn/onnx/complete';
import { packagesUsed } from '../packageInfo';
import { readPorts } from '../serve/ports';
import { runOnnx } from '../serve/session';
import type { Data } from './inputs';
import type { TrainingJob } from './train';
import { learnable, trainingRows, type TrainingRows } from './trainingRows';

/** What somebody else made, and what they say of it. Files by their paths on this machine. */
export interface Offered {
  job: Omit<TrainingJob, 'fingerprint'>;
  /** How a message about a broken contract begins. */
  maker: string;
  onnx: string;
  outputs?: string;
  classes?: string[];
  unseen?: boolean;
  packages?: Record<string, string>;
  /** Other models take its outputs. */
  isRead: boolean;
  seconds: number;
  by: NonNullable<TrainingSummary['maker']>;
}

/**
 * A version of an ONNX file that somebody else made: its inputs and outputs are those its task demands, it answers every row of the
 * snapshot with finite numbers, one row as many, and what it says of the rows it was trained on is not taken for more than that.
 *
 * @throws ShoalError TRAINER_CONTRACT
 */
export async function acceptFile(offered: Offered, data: Data): Promise<TrainedVersion> {
  const { job: { model, snapshot, upstream }, maker } = offered;
  const rows = await trainingRows(offered.job, data);
  const { features, examples } = rows;
  const learnt = learnable(rows);
  const bytes = await readFile(offered.onnx);
  const fit = await readFit(bytes, offered, features);
  const classes = classesOf(offered, examples.target, learnt);

  const plain = await answers(bytes, { offered, rows, fit });
  if (model.task === 'classification') requireProbabilities({ maker, keys: rows.keys, classes: classes!, probabilities: plain.columns.probabilities as VectorColumn, label: plain.columns.label as StringColumn | undefined });
  requireWidth(offered, plain.columns[MAIN_OUTPUT[model.task]]!);

  const given = await crossFitted(offered, { rows, learnt, plain, fit });
  const trained = given ?? takeRows(plain, learnt);
  const main = trained.columns[MAIN_OUTPUT[model.task]]!;
  const addsInterval = fit.missing.includes('low');
  const interval = addsInterval && (model.task === 'regression' || model.task === 'forecast')
    ? intervalOf({
      maker, spec: model, keys: learnt.map((row) => rows.keys[row]!), value: main, truth: takeColumn(examples.target!, learnt),
      offsets: (errors) => intervalOffsets(errors, model.interval),
    })
    : undefined;
  const complete = completed(bytes, offered, { fit, interval, classes });
  const outputs = putBack(allOutputs(model, plain, { classes, interval }), allOutputs(model, trained, { classes, interval }), learnt);

  const onnx = await data.store.put(complete, 'onnx');
  const manifest: Manifest = {
    model: model.name,
    spec: model,
    onnx,
    features,
    classes,
    width: model.task === 'embedding' ? (main as VectorColumn).width : classes?.length,
    baseline: baselineOf(model, examples.target && takeColumn(examples.target, learnt), { classes, main }),
    snapshot,
    upstream,
    outputs: await writeTable(data.store, rows.keyed({ rows: rows.keys.length, columns: outputs })),
    packages: { ...offered.packages, ...packagesUsed(['onnxruntime-node']) },
  };
  await proveWhole(complete, manifest, { offered, rows });
  const ref = await data.store.putJson(manifest);
  const version: VersionRef = { model: model.name, id: ref.sha256.slice(0, 12), manifest: ref };
  return { version, summary: summaryOf(offered, rows, { learnt: learnt.length, onnxBytes: onnx.bytes }) };
}

async function readFit(bytes: Uint8Array, { maker, job: { model } }: Offered, features: Feature[]): Promise<Fit> {
  const ports = await readPorts(bytes).catch((cause: unknown) => {
    throw broken(maker, `ONNX Runtime can't load its file: ${(cause as Error).message}`, 'It must be one file, in standard operators, with its weights inside.');
  });
  return fitPorts({ maker, task: model.task, features, ...ports });
}

function classesOf({ maker, job: { model }, classes }: Offered, target: Column | undefined, learnt: number[]): string[] | undefined {
  if (model.task !== 'classification') return undefined;
  if (!classes) throw broken(maker, 'it does not say which classes its probabilities are of', 'Give `classes`, in the order of the probabilities.');
  if (classes.length < 2 || new Set(classes).size < classes.length) throw broken(maker, `its classes are not two or more different ones: ${classes.join(', ')}`, 'Name each once.');
  const known = new Set(classes);
  const { values } = target as StringColumn;
  const met = new Set(learnt.flatMap((row) => (known.has(values[row]!) ? [values[row]] : [])));
  if (met.size < 2) throw broken(maker, `fewer than two of its classes are values of ${model.target}: ${classes.join(', ')}`, 'Name the classes as the target has them.', { classes });
  return classes;
}

/** What the file says of every row: the outputs it gives of those the task has. */
async function answers(bytes: Uint8Array, { offered, rows, fit }: { offered: Offered; rows: TrainingRows; fit: Fit }): Promise<Table> {
  const { maker, job: { model } } = offered;
  const renamed = completed(bytes, offered, { fit: { renamed: fit.renamed, missing: [] } });
  const names = Object.keys(OUTPUTS[model.task]).filter((name) => !fit.missing.includes(name));
  const run = (table: Table): Promise<Table> => runOnnx(renamed, { model: model.name, spec: model, features: rows.features, gives: names }, table).catch((cause: unknown) => {
    if (cause instanceof ShoalError && cause.code !== 'ARTIFACT_CORRUPT') throw cause;
    throw broken(maker, `its ONNX file can't answer ${table.rows === 1 ? 'a single row' : `${table.rows} rows`}: ${(cause as Error).message}`, 'It must answer any number of rows, with missing values (NaN, or an empty string).');
  });
  const { table } = rows.examples;
  const all = await run(table);
  if (all.rows !== table.rows || Object.values(all.columns).some((column) => sizeOf(column) !== table.rows)) {
    throw broken(maker, `its ONNX file gives other than one answer a row to ${table.rows} rows`, 'Each output has the rows\' number as its first size.');
  }
  requireFinite(maker, 'its ONNX file gives', rows.keys, all);
  const main = ({ columns }: Table): number[] => Array.from(columns[MAIN_OUTPUT[model.task]]!.values as ArrayLike<number>);
  const [first, alone] = [main(takeRows(all, [0])), main(await run(takeRows(table, [0])))];
  if (first.some((v, i) => !(Math.abs(v - alone[i]!) <= 1e-4 * Math.max(1, Math.abs(v))))) {
    throw broken(maker, `its ONNX file says ${alone[0]} of the first row alone, and ${first[0]} of the same row among ${table.rows}`, 'A row\'s answer must not depend on the other rows.');
  }
  return all;
}

const sizeOf = (column: Column): number => (column.type === 'vector' ? (column.width === 0 ? 0 : column.values.length / column.width) : column.values.length);

function requireWidth({ maker, job: { model } }: Offered, main: Column): void {
  const wanted = model.task === 'forecast' ? model.horizon : model.task === 'embedding' ? model.dimensions : undefined;
  if (wanted === undefined || main.type !== 'vector' || main.width === wanted) return;
  throw broken(maker, `it gives ${main.width} numbers a row, not ${wanted}`, model.task === 'forecast' ? 'One for each period of the horizon.' : 'As many as the model\'s `dimensions`.', { expected: wanted, found: main.width });
}

/** What was said of the rows that were learnt from, by whom they were kept from; undefined when nobody needs to know. */
async function crossFitted(offered: Offered, of: { rows: TrainingRows; learnt: number[]; plain: Table; fit: Fit }): Promise<Table | undefined> {
  const { maker, job: { model }, isRead, unseen } = offered;
  const { rows, learnt, plain, fit } = of;
  if (offered.outputs === undefined) {
    const needed = isRead ? 'other models learn from its outputs' : fit.missing.includes('low') ? 'its ONNX file gives no low and high, which follow from them' : undefined;
    if (needed === undefined || unseen) return undefined;
    throw broken(maker, `there are no cross-fitted outputs, and ${needed}`, 'Give `outputs`: for each row what a model says that was not trained on its fold.');
  }
  const main = MAIN_OUTPUT[model.task];
  const ends = 'low' in OUTPUTS[model.task] && !fit.missing.includes('low') ? ['low', 'high'] : [];
  const type: ColumnType = model.task === 'regression' ? 'number' : 'vector';
  const keys = learnt.map((row) => rows.keys[row]!);
  const given = await loadOutsideTable({ file: offered.outputs, origin: 'The file' }, [main, ...ends].map((name) => ({ name, type }))).catch((cause: unknown) => {
    throw broken(maker, `its cross-fitted outputs can't be read: ${(cause as Error).message}`, `A Parquet file with the columns __key and ${[main, ...ends].join(', ')}.`);
  });
  const table = lineUp({ maker, keys, given });
  const column = table.columns[main]!;
  const widthOf = (c: Column): number => (c.type === 'vector' ? c.width : 1);
  if (widthOf(column) !== widthOf(plain.columns[main]!)) {
    throw broken(maker, `its cross-fitted outputs have ${widthOf(column)} numbers a row, and its ONNX file gives ${widthOf(plain.columns[main]!)}`, 'They are to be the same output.');
  }
  if (!unseen) refuseInSample({ maker, output: main, crossFitted: column, plain: takeColumn(plain.columns[main]!, learnt) });
  return table;
}

function completed(bytes: Uint8Array, { maker, job: { model } }: Offered, of: { fit: Fit; interval?: Interval; classes?: string[] }): Uint8Array {
  const { fit: { renamed, missing }, interval, classes } = of;
  const completion: Completion = {
    renamed,
    affine: interval && (['low', 'high'] as const).map((output) => ({ output, of: 'value', ...interval[output], least: interval.least })),
    likeliest: classes && model.task === 'classification' ? { classes, label: missing.includes('label'), probability: missing.includes('probability') } : undefined,
  };
  try {
    return completeOnnx(bytes, completion);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw broken(maker, `its ONNX file can't be completed: ${cause.message}`, 'Export it anew, with a current operator set.');
  }
}

/** The task's outputs, of those the file gives and those that were added to it. */
function allOutputs(spec: ModelSpec, { columns }: Table, of: { classes?: string[]; interval?: Interval }): Table['columns'] {
  return { ...outputsFrom(spec, columns[MAIN_OUTPUT[spec.task]]!, of), ...columns };
}

/** `all` with the given columns' rows at `rows`. */
function putBack(all: Table['columns'], some: Table['columns'], rows: number[]): Table['columns'] {
  const at = new Map(rows.map((row, i) => [row, i]));
  return Object.fromEntries(Object.entries(all).map(([name, column]): [string, Column] => {
    const other = some[name]!;
    if (column.type === 'vector' && other.type === 'vector') {
      const values = column.values.slice();
      for (const [row, i] of at) values.set(other.values.subarray(i * column.width, (i + 1) * column.width), row * column.width);
      return [name, { ...column, values }];
    }
    const values = (column.values as ArrayLike<unknown> & { slice(): unknown[] }).slice();
    for (const [row, i] of at) values[row] = other.values[i];
    return [name, { ...column, values } as Column];
  }));
}

function baselineOf(model: ModelSpec, target: Column | undefined, { classes, main }: { classes?: string[]; main: Column }): Baseline {
  switch (model.task) {
    case 'regression': return meanBaseline(model, target!.values as Float64Array);
    case 'classification': return priorBaseline(model.target, target!.values as (string | null)[], classes!);
    case 'forecast': return {};
    case 'embedding': {
      const { width, values } = main as VectorColumn;
      const mean = Array.from({ length: width }, (_, d) => values.reduce((sum, v, i) => (i % width === d ? sum + v : sum), 0) / (values.length / width));
      const length = Math.max(1e-6, Math.hypot(...mean));
      return { vector: mean.map((v) => v / length) };
    }
  }
}

/** The file as it was completed gives all that serving asks of it. */
async function proveWhole(bytes: Uint8Array, manifest: Manifest, { offered: { maker }, rows }: { offered: Offered; rows: TrainingRows }): Promise<void> {
  const few = Array.from({ length: Math.min(100, rows.keys.length) }, (_, row) => row);
  const said = await runOnnx(bytes, manifest, takeRows(rows.examples.table, few)).catch((cause: unknown) => {
    throw broken(maker, `its completed ONNX file can't be run: ${(cause as Error).message}`, 'Export it anew, without a name for something else that an output of the task has.');
  });
  requireFinite(maker, 'its ONNX file gives', rows.keys.slice(0, few.length), said);
}

function summaryOf({ seconds, by }: Offered, { examples: { split } }: TrainingRows, { learnt, onnxBytes }: { learnt: number; onnxBytes: number }): TrainingSummary {
  const holdoutRows = split.folds.reduce((n, fold) => n + (fold === HOLDOUT ? 1 : 0), 0);
  return {
    rows: learnt, holdoutRows, unlabelledRows: split.folds.length - holdoutRows - learnt, epochs: 0, bestEpoch: 0, steps: 0, seconds, onnxBytes,
    parity: { rows: 0, maxDifference: 0 }, curve: { train: [], validation: [] }, reused: false, maker: by,
  };
}
