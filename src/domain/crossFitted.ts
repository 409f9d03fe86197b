import { unfinished } from './finite';
import { fromScale, toScale } from './metrics-regression';
import { MAIN_OUTPUT, type ForecastSpec, type ModelSpec, type RegressionSpec } from './spec';
import { takeColumn, type Column, type NumericColumn, type StringColumn, type Table, type VectorColumn } from './table';
import { broken } from './trainer';

export interface Given { keys: readonly string[]; table: Table }

/**
 * The cross-fitted outputs that a trainer gave, in the order of the rows it was given: one for each row, none for others, finite.
 *
 * @throws ShoalError TRAINER_CONTRACT
 */
export function lineUp(of: { maker: string; keys: readonly string[]; given: Given }): Table {
  const { maker, keys, given } = of;
  const known = new Set(keys);
  const position = new Map<string, number>();
  for (const [i, key] of given.keys.entries()) {
    if (!known.has(key)) throw broken(maker, `its cross-fitted outputs have a row ${show(key)}, which it was not given`, 'Give one row for each row of the data, by __key.', { key });
    if (position.has(key)) throw broken(maker, `its cross-fitted outputs have the row ${show(key)} twice`, 'Give one row for each row of the data, by __key.', { key });
    position.set(key, i);
  }
  const missing = keys.filter((key) => !position.has(key));
  if (missing.length > 0) {
    throw broken(maker, `its cross-fitted outputs lack ${missing.length} of ${keys.length} rows, first ${show(missing[0]!)}`, 'Give one row for each row of the data, by __key.', {
      missing: missing.length, key: missing[0],
    });
  }
  const rows = keys.map((key) => position.get(key)!);
  const table = { rows: keys.length, columns: Object.fromEntries(Object.entries(given.table.columns).map(([name, column]) => [name, takeColumn(column, rows)])) };
  requireFinite(maker, 'its cross-fitted outputs have', keys, table);
  return table;
}

/** @throws ShoalError TRAINER_CONTRACT where an output is missing or no finite number */
export function requireFinite(maker: string, whose: string, keys: readonly string[], table: Table): void {
  for (const [name, column] of Object.entries(table.columns)) {
    const row = keys.findIndex((_, i) => unfinished(column, i));
    if (row < 0) continue;
    throw broken(maker, `${whose} no finite ${name} for row ${show(keys[row]!)}`, 'Every row needs an answer, also where inputs are missing (NaN, or an empty string).', { key: keys[row], output: name });
  }
}

/**
 * Answers that are the file's own on every row it was trained on are no cross-fitted ones: a downstream model that learnt from them would
 * trust them too much, and the interval would be too narrow.
 */
export function refuseInSample(of: { maker: string; output: string; crossFitted: Column; plain: Column }): void {
  const [a, b] = [of.crossFitted.values as ArrayLike<number>, of.plain.values as ArrayLike<number>];
  for (let i = 0; i < a.length; i++) {
    if (Math.abs(a[i]! - b[i]!) > 1e-6 * Math.max(1, Math.abs(b[i]!))) return;
  }
  throw broken(of.maker, `its cross-fitted outputs are what its ONNX file says of the rows it was trained on, all ${a.length} numbers`,
    'Predict each fold with a model that was trained on the other folds.', { output: of.output });
}

/**
 * Probabilities that are none, or whose order is not that of `classes`.
 *
 * @throws ShoalError TRAINER_CONTRACT
 */
export function requireProbabilities(of: { maker: string; keys: readonly string[]; classes: readonly string[]; probabilities: VectorColumn; label?: StringColumn }): void {
  const { maker, keys, classes, probabilities: { width, values }, label } = of;
  if (width !== classes.length) {
    throw broken(maker, `it gives ${width} probabilities a row, and names ${classes.length} classes`, 'Name the classes in the order of the probabilities.', { width, classes: classes.length });
  }
  for (const [row, key] of keys.entries()) {
    const own = values.subarray(row * width, (row + 1) * width);
    const sum = own.reduce((total, p) => total + p, 0);
    if (own.some((p) => p < -1e-6) || Math.abs(sum - 1) > 1e-3) {
      throw broken(maker, `the probabilities of row ${show(key)} are not shares of 1: their sum is ${sum.toPrecision(4)}`, 'Give probabilities, not scores.', { key, sum });
    }
    if (!label) continue;
    const best = likeliest(own);
    const said = classes.indexOf(label.values[row] ?? '');
    if (said !== best && !(own[best]! - (own[said] ?? -1) < 1e-4)) {
      throw broken(maker, `row ${show(key)} has the label ${show(String(label.values[row]))}, and by its probabilities is ${show(classes[best]!)}`,
        'Name the classes in the order of the probabilities.', { key, label: label.values[row], likeliest: classes[best] });
    }
  }
}

export function likeliest(probabilities: ArrayLike<number>): number {
  let best = 0;
  for (let k = 1; k < probabilities.length; k++) if (probabilities[k]! > probabilities[best]!) best = k;
  return best;
}

/** low and high are `factor` * value + `add`, of a forecast by step and not below `least`. */
export interface Interval { low: Affine; high: Affine; least?: number }
export interface Affine { factor: number[]; add: number[] }

/**
 * The interval around a model's value from the errors of its cross-fitted values, made on the scale it is judged on: by `offsets`, the
 * distances that hold the nominal share of them. `truth` and `value` [rows, steps], in the target's own unit; NaN is unknown.
 *
 * @throws ShoalError TRAINER_CONTRACT when a value has no logarithm where the scale is one
 */
export function intervalOf(of: {
  maker: string; spec: RegressionSpec | ForecastSpec; keys: readonly string[]; value: Column; truth: Column;
  offsets(errors: number[]): { low: number; high: number };
}): Interval {
  const { maker, spec, keys, offsets } = of;
  const [value, truth] = [of.value.values as ArrayLike<number>, of.truth.values as ArrayLike<number>];
  // The forecast's log10 is that of value + 1: a period may have nothing.
  const shift = spec.task === 'forecast' && spec.scale === 'log10' ? 1 : 0;
  const steps = value.length / Math.max(1, keys.length);
  const wrong = spec.scale === 'log10' ? Array.from(value).findIndex((v) => !(v + shift > 0)) : -1;
  if (wrong >= 0) {
    throw broken(maker, `its value for row ${show(keys[Math.floor(wrong / steps)]!)} is ${value[wrong]}, which has no logarithm`,
      'Outputs are in the target\'s own unit, also where the model is trained on another scale.', { key: keys[Math.floor(wrong / steps)], found: value[wrong] });
  }
  const found = Array.from({ length: steps }, (_, step) => {
    const errors: number[] = [];
    for (let i = step; i < value.length; i += steps) {
      const error = toScale(truth[i]! + shift, spec.scale) - toScale(value[i]! + shift, spec.scale);
      if (Number.isFinite(error)) errors.push(error);
    }
    return offsets(errors);
  });
  const affine = (end: 'low' | 'high'): Affine => {
    if (spec.scale === 'linear') return { factor: found.map(() => 1), add: found.map((o) => o[end]) };
    const factor = found.map((o) => fromScale(o[end], 'log10'));
    return { factor, add: factor.map((f) => shift * (f - 1)) };
  };
  return { low: affine('low'), high: affine('high'), ...(shift > 0 && { least: 0 }) };
}

/** All outputs of a task from its main one: what the ONNX file that Shoal completed would say. */
export function outputsFrom(spec: ModelSpec, main: Column, of: { classes?: readonly string[]; interval?: Interval }): Table['columns'] {
  if (spec.task === 'classification') {
    const { width, values } = main as VectorColumn;
    const best = Array.from({ length: values.length / width }, (_, row) => likeliest(values.subarray(row * width, (row + 1) * width)));
    return {
      label: { type: 'category', values: best.map((k) => of.classes![k]!) },
      probability: { type: 'number', values: Float64Array.from(best, (k, row) => values[row * width + k]!) },
      probabilities: main,
    };
  }
  if (!of.interval) return { [MAIN_OUTPUT[spec.task]]: main };
  const { low, high, least = -Infinity } = of.interval;
  const end = ({ factor, add }: Affine): Column => {
    const column = main as NumericColumn | VectorColumn;
    const say = (v: number, i: number): number => Math.max(least, v * factor[i % factor.length]! + add[i % add.length]!);
    return column.type === 'vector' ? { ...column, values: column.values.map(say) } : { ...column, values: column.values.map(say) };
  };
  return { value: main, low: end(low), high: end(high) };
}

const show = (key: string): string => JSON.stringify(key.replaceAll('\u001f', ', ').replaceAll('\u001e', ' #').slice(0, 80));
