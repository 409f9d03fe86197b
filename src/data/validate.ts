import { oneOf } from '../domain/nearest';
import type { ClassificationSpec, EmbeddingSpec, ForecastSpec, ModelSpec, RegressionSpec } from '../domain/spec';
import { HOLDOUT, splitByKey } from '../domain/split';
import type { Snapshot, SnapshotColumn } from '../domain/version';
import type { Store } from '../store/store';
import { snapshotColumn } from './features';
import { findRows } from './findRows';
import { assertLoadable, loadTable, type Wanted } from './loadTable';
import type { Profile } from './profile';
import { validateSeries } from './validateSeries';
import { constant, count, refusal, type ModelData, type Validation } from './validation';

/** With fewer, a fold cannot be learnt from, a holdout says nothing, and a class is noise. */
export const MIN_FOLD_ROWS = 2;
export const MIN_HOLDOUT_ROWS = 10;
export const MIN_CLASS_ROWS = 5;

/**
 * Whether a model can be trained on a snapshot. Throws COLUMN_MISSING, COLUMN_TYPE, COLUMN_EMPTY, NOT_FINITE, TARGET_CONSTANT,
 * TOO_FEW_ROWS, each naming the column, and a row's key where a row is at fault; for forecasts CONFIG where two rows fall on one
 * period.
 */
export async function validateModelData(spec: ModelSpec, snapshot: Snapshot, { store }: { store: Store }): Promise<Validation> {
  const profile = await store.readJson<Profile>(snapshot.profile);
  const data = { spec, snapshot, store, profileOf: new Map(profile.columns.map((column) => [column.name, column])) };
  await checkInputs(data);
  return checkTask(data);
}

function checkTask(data: ModelData): Promise<Validation> {
  const { spec } = data;
  switch (spec.task) {
    case 'regression':
      return checkRegression({ ...data, spec });
    case 'classification':
      return checkClassification({ ...data, spec });
    case 'embedding':
      return checkEmbedding({ ...data, spec });
    case 'forecast':
      return checkForecast({ ...data, spec });
  }
}

async function checkInputs(data: ModelData): Promise<void> {
  const { spec, snapshot, store } = data;
  const wanted: Wanted[] = [];
  for (const input of spec.inputs) {
    if (input.kind !== 'column') continue;
    const column = snapshotColumn(spec, snapshot, input.column, 'input');
    assertPresent(data, column, 'input');
    wanted.push({ name: column.name, type: input.type ?? column.type });
  }
  await assertLoadable(store, snapshot, wanted);
  for (const { name } of wanted) await assertFinite(data, name, 'input');
}

async function checkRegression(data: ModelData<RegressionSpec>): Promise<Validation> {
  const { spec, snapshot, store } = data;
  const column = await checkTarget(data, 'number');
  const { min, max } = data.profileOf.get(column.name)!;
  if (min === max) throw constant(data, `every row has ${String(min)}`);
  if (spec.scale === 'log10' && typeof min === 'number' && min <= 0) {
    const found = await findRows(store, snapshot, { column: column.name, where: (name) => `${name} <= 0` });
    throw refusal(data, 'NOT_FINITE', `the target '${column.name}' is zero or negative in ${count(found.count, 'row')} ` +
      `(first ${found.value} in row ${found.key}), which \`scale: log10\` cannot take.`, {
      remedy: `Leave them out with the source's \`sql\` (WHERE "${column.name}" > 0), or use \`scale: linear\`.`, found });
  }
  const { keys, table } = await loadTable(store, snapshot, [{ name: column.name, type: 'number' }]);
  const values = table.columns[column.name]!.values as Float64Array;
  return assertSplit(data, keys.filter((_, i) => !Number.isNaN(values[i]!)));
}

async function checkClassification(data: ModelData<ClassificationSpec>): Promise<Validation> {
  const { snapshot, store } = data;
  const column = await checkTarget(data, 'category');
  const { keys, table } = await loadTable(store, snapshot, [{ name: column.name, type: 'category' }]);
  const values = table.columns[column.name]!.values as (string | null)[];
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  if (counts.size < 2) throw constant(data, `every row has the class '${[...counts.keys()][0]!}'`);
  const rare = [...counts].filter(([, n]) => n < MIN_CLASS_ROWS).sort(([a], [b]) => (a < b ? -1 : 1));
  if (counts.size - rare.length < 2) {
    throw refusal(data, 'TOO_FEW_ROWS', `of the ${counts.size} classes of '${column.name}' only ${counts.size - rare.length} have ` +
      `${MIN_CLASS_ROWS} rows or more; 2 are needed.`, { remedy: 'Bring more rows, or join classes with the source\'s `sql`.' });
  }
  const validation = assertSplit(data, keys.filter((_, i) => values[i] !== null));
  if (rare.length === 0) return validation;
  const named = rare.slice(0, 5).map(([name, n]) => `'${name}' (${n})`).join(', ');
  const note = `${count(rare.length, 'class', 'classes')} of '${column.name}' with fewer than ${MIN_CLASS_ROWS} rows ` +
    `will hardly be learnt: ${named}${rare.length > 5 ? ' ...' : ''}.`;
  return { ...validation, notes: [note] };
}

async function checkEmbedding(data: ModelData<EmbeddingSpec>): Promise<Validation> {
  const { spec, snapshot, store } = data;
  const columns = spec.alike.map((name) => snapshotColumn(spec, snapshot, name, '`alike`'));
  for (const column of columns) assertPresent(data, column, '`alike`');
  await assertLoadable(store, snapshot, columns.map(({ name }) => ({ name, type: 'category' })));
  if (columns.every((column) => column.distinct < 2)) {
    throw refusal(data, 'TARGET_CONSTANT', `${oneOf(spec.alike.map((name) => `'${name}'`))} has one value only, so all rows are alike.`, {
      remedy: 'Name columns in `alike` that tell rows apart.' });
  }
  const { keys } = await loadTable(store, snapshot, []);
  return assertSplit(data, keys);
}

async function checkForecast(data: ModelData<ForecastSpec>): Promise<Validation> {
  const { spec, snapshot, store } = data;
  const wanted: Wanted[] = [{ name: snapshotColumn(spec, snapshot, spec.time, 'time').name, type: 'date' }];
  if (spec.series !== undefined) wanted.push({ name: snapshotColumn(spec, snapshot, spec.series, 'series').name, type: 'category' });
  await assertLoadable(store, snapshot, wanted);
  await checkTarget(data, 'number');
  return validateSeries(data);
}

async function checkTarget(data: ModelData<Exclude<ModelSpec, EmbeddingSpec>>, type: 'number' | 'category'): Promise<SnapshotColumn> {
  const { spec, snapshot, store } = data;
  const column = snapshotColumn(spec, snapshot, spec.target, 'target');
  assertPresent(data, column, 'target');
  await assertLoadable(store, snapshot, [{ name: column.name, type }]);
  await assertFinite(data, column.name, 'target');
  return column;
}

function assertPresent(data: ModelData, column: SnapshotColumn, role: string): void {
  if (column.missing < data.snapshot.rows) return;
  const { rows, source } = data.snapshot;
  throw refusal(data, 'COLUMN_EMPTY', `the ${role} column '${column.name}' is empty in all ${rows} rows of source ${source}.`, {
    remedy: 'Take it out, or look at how the source fills it.' });
}

async function assertFinite({ store, snapshot, profileOf, spec }: ModelData, name: string, role: string): Promise<void> {
  const profile = profileOf.get(name)!;
  const where = profile.type === 'vector'
    ? (column: string) => `list_bool_or(list_transform(${column}, lambda x: NOT isfinite(x)))`
    : (column: string) => `NOT isfinite(${column})`;
  if (profile.type !== 'vector' && !profile.nan && !profile.infinite) return;
  const found = await findRows(store, snapshot, { column: name, where });
  if (found.count === 0) return;
  throw refusal({ spec, snapshot }, 'NOT_FINITE', `the ${role} column '${name}' holds NaN or infinite values in ` +
    `${count(found.count, 'row')}, first ${found.value} in row ${found.key}.`, {
    remedy: 'Make them missing (NULL) or leave the rows out with the source\'s `sql`.', found });
}

function assertSplit(data: ModelData, keys: string[]): Validation {
  const { spec, snapshot } = data;
  const { folds: foldCount } = spec.training;
  const { folds } = splitByKey(keys, { holdout: spec.holdout, foldCount });
  const sizes = new Int32Array(foldCount);
  let held = 0;
  for (const fold of folds) {
    if (fold === HOLDOUT) held++;
    else sizes[fold]!++;
  }
  const smallest = Math.min(...sizes);
  const minHeld = spec.holdout > 0 ? MIN_HOLDOUT_ROWS : 0;
  if (smallest < MIN_FOLD_ROWS || held < minHeld) {
    const needed = Math.ceil(Math.max(minHeld / (spec.holdout || 1), (MIN_FOLD_ROWS * foldCount) / (1 - spec.holdout)));
    throw refusal(data, 'TOO_FEW_ROWS', `${keys.length} rows can be used; ${held} of them fall in the holdout ` +
      `(at least ${minHeld} are needed) and ${smallest} in the smallest of ${foldCount} folds (at least ${MIN_FOLD_ROWS}).`, {
      remedy: `Bring about ${Math.ceil(needed * 1.5)} rows or more, or lower \`folds\`.`,
      found: { rows: keys.length, needed, holdoutRows: held, smallestFold: smallest },
    });
  }
  return { usableRows: keys.length, unlabelledRows: snapshot.rows - keys.length, notes: [] };
}
