import { predictivePower, type Power } from '../domain/leakage';
import type { ModelSpec } from '../domain/spec';
import { HOLDOUT, splitByKey } from '../domain/split';
import { takeColumn, type Column } from '../domain/table';
import type { Snapshot } from '../domain/version';
import type { Store } from '../store/store';
import { everyNth } from './compareData';
import { loadTable, type Wanted } from './loadTable';

/** More say nothing new of a power near 1. */
const MEASURED_ROWS = 50_000;

export interface InputPower extends Power { column: string; target: string }

/**
 * How well each input column alone predicts the target (of an embedding: each of its `alike` columns), on training rows only, the best
 * first. Outputs of other models are cross-fitted and not looked at.
 */
export async function inputPowers(model: ModelSpec, inputs: Wanted[], { store, snapshot }: { store: Store; snapshot: Snapshot }): Promise<InputPower[]> {
  if (inputs.length === 0) return [];
  const targets = targetsOf(model);
  const time: Wanted[] = model.task === 'forecast' ? [{ name: model.time, type: 'date' }] : [];
  const { keys, table } = await loadTable(store, snapshot, [...new Map([...inputs, ...targets, ...time].map((want) => [`${want.name}`, want])).values()]);
  const rows = everyNth(keys.length, MEASURED_ROWS);
  const column = (name: string): Column => takeColumn(table.columns[name]!, rows);
  const foldCount = model.training.folds;
  const { folds } = splitByKey(Array.from(rows, (row) => keys[row]!), { holdout: model.task === 'forecast' ? 0 : model.holdout, foldCount });
  if (model.task === 'forecast') holdOutLatest(folds, column(model.time).values as Float64Array, model.holdout);

  const powers: InputPower[] = [];
  for (const input of inputs) {
    for (const target of targets) {
      const power = predictivePower(column(input.name), scaled(column(target.name), model), folds, column(target.name));
      if (power) powers.push({ column: input.name, target: target.name, ...power });
    }
  }
  return powers.sort((a, b) => b.value - a.value);
}

function targetsOf(model: ModelSpec): Wanted[] {
  switch (model.task) {
    case 'regression':
    case 'forecast':
      return [{ name: model.target, type: 'number' }];
    case 'classification':
      return [{ name: model.target, type: 'category' }];
    case 'embedding':
      return model.alike.map((name) => ({ name, type: 'category' }));
  }
}

/** A target as it is trained on. */
function scaled(column: Column, model: ModelSpec): Column {
  if (!('scale' in model) || model.scale !== 'log10') return column;
  return { type: 'number', values: (column as { values: Float64Array }).values.map((value) => (value > 0 ? Math.log10(value) : NaN)) };
}

function holdOutLatest(folds: Int8Array, days: Float64Array, holdout: number): void {
  const sorted = days.filter(Number.isFinite).sort();
  const from = sorted[Math.floor(sorted.length * (1 - holdout))] ?? Infinity;
  days.forEach((day, row) => { if (!(day < from)) folds[row] = HOLDOUT; });
}
