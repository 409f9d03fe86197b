import type { Column, NumericColumn, StringColumn, VectorColumn } from '../../../src/domain/table';
import type { ModelSpec, TrainingSpec } from '../../../src/domain/spec';
import { HOLDOUT } from '../../../src/domain/split';
import type { Split } from '../../../src/domain/split';
import { fit } from '../../../src/learn/fit';
import type { Examples, Fitted } from '../../../src/learn/fit';
import type { Feature } from '../../../src/domain/version';
import { random } from '../../../src/learn/random';

/** Fast settings for small data. */
const TRAINING: TrainingSpec = { folds: 3, hidden: [16], maxEpochs: 60, patience: 15, batchSize: 64, learningRate: 0.01, weightDecay: 0.1 };
const BASE = { source: 'data', inputs: [], gates: [], holdout: 0.2, seed: 3 };

type Extra = Partial<TrainingSpec>;
export const regressionSpec = (scale: 'linear' | 'log10' = 'linear', training: Extra = {}): ModelSpec =>
  ({ ...BASE, name: 'price', task: 'regression', target: 'y', scale, interval: 0.8, training: { ...TRAINING, ...training } });
export const classificationSpec = (training: Extra = {}): ModelSpec =>
  ({ ...BASE, name: 'kind', task: 'classification', target: 'y', training: { ...TRAINING, ...training } });
export const embeddingSpec = (training: Extra = {}): ModelSpec =>
  ({ ...BASE, name: 'space', task: 'embedding', alike: ['kind'], dimensions: 8, training: { ...TRAINING, ...training } });
export const forecastSpec = (scale: 'linear' | 'log10' = 'linear', training: Extra = {}): ModelSpec => ({
  ...BASE, name: 'demand', task: 'forecast', target: 'y', time: 't', at: 't', frequency: 'day', horizon: 7, context: 21, season: 7,
  scale, interval: 0.8,
  training: { ...TRAINING, ...training },
});

export const numbers = (values: Iterable<number>): NumericColumn => ({ type: 'number', values: Float64Array.from(values) });
export const dates = (values: Iterable<number>): NumericColumn => ({ type: 'date', values: Float64Array.from(values) });
export const categories = (values: (string | null)[]): StringColumn => ({ type: 'category', values });
export const texts = (values: (string | null)[]): StringColumn => ({ type: 'text', values });
export const vectors = (width: number, values: Iterable<number>): VectorColumn =>
  ({ type: 'vector', width, values: Float32Array.from(values) });

/** Every fifth row is held out; the others take turns. */
export const splitOf = (rows: number, foldCount = 3): Split =>
  ({ folds: Int8Array.from({ length: rows }, (_, i) => (i % 5 === 4 ? HOLDOUT : i % foldCount)), foldCount });

export const uniforms = (n: number, seed: number): number[] => Array.from({ length: n }, random(seed, 'test'));

export const featuresOf = (columns: Record<string, Column>): Feature[] =>
  Object.entries(columns).map(([name, c]) => ({ name, type: c.type, width: c.type === 'vector' ? c.width : undefined }));

export function examplesOf(columns: Record<string, Column>, target?: Column, rest: Partial<Examples> = {}): Examples {
  const first = Object.values(columns)[0]!;
  const rows = first.type === 'vector' ? first.values.length / first.width : first.values.length;
  return { table: { rows, columns }, target, split: splitOf(rows), ...rest };
}

/** A fit that nobody watches; `over` replaces parts of how it is run. */
export const fitted = (spec: ModelSpec, examples: Examples, over: Partial<Parameters<typeof fit>[3]> = {}): Promise<Fitted> =>
  fit(spec, featuresOf(examples.table.columns), examples, {
    checkpoints: { load: async () => undefined, save: async () => undefined },
    onProgress: () => undefined,
    signal: new AbortController().signal,
    ...over,
  });

export const heldOut = (examples: Examples): number[] =>
  [...examples.split.folds.keys()].filter((row) => examples.split.folds[row] === HOLDOUT);
export const trainedOn = (examples: Examples): number[] =>
  [...examples.split.folds.keys()].filter((row) => examples.split.folds[row] !== HOLDOUT);

export function r2(truth: ArrayLike<number>, guess: ArrayLike<number>, rows: number[]): number {
  const mean = rows.reduce((sum, row) => sum + truth[row]!, 0) / rows.length;
  const error = rows.reduce((sum, row) => sum + (truth[row]! - guess[row]!) ** 2, 0);
  return 1 - error / rows.reduce((sum, row) => sum + (truth[row]! - mean) ** 2, 0);
}

export const valuesOf = (fit: Pick<Fitted, 'outputs'>, name: string): number[] =>
  Array.from(fit.outputs.columns[name]!.values as ArrayLike<number>);
export const labelsOf = (fit: Pick<Fitted, 'outputs'>): (string | null)[] => (fit.outputs.columns.label as StringColumn).values;
