import type { ModelSpec } from '../domain/spec';
import { HOLDOUT } from '../domain/split';
import type { Split } from '../domain/split';
import type { Column, StringColumn, Table } from '../domain/table';
import type { Feature, Manifest, TrainingSummary } from '../domain/version';
import { loadTensorflow } from '../native';
import { answer, ENSEMBLE } from './answer';
import type { Checkpoints } from './checkpoint';
import { encode, widthOf } from './encode';
import { planOf } from './ensemble';
import { fitEncoders } from './fitEncoders';
import type { Dense, Head, Network } from './network';
import { rawOutputs } from './predict';
import { lessonOf } from './lesson';
import { train } from './train';
import type { Progress } from './train';

export type { Checkpoints, Progress };

export interface Examples {
  /**
   * By feature name. Forecasts: `history` [rows, context], `start`, `series` where there are several, known-ahead inputs
   * [rows, horizon].
   */
  table: Table;
  /** A number, a category, or for a forecast a vector [horizon] in which NaN is unknown. Not read for an embedding. */
  target?: Column;
  /** Embedding: the attributes that make rows alike. */
  alike?: Record<string, StringColumn>;
  /** Nothing is fitted on rows in the holdout: no encoder, no vocabulary, no stopping. */
  split: Split;
  /** How much each row counts in training, 1 for all when absent; one of weight 0 is as good as not there. */
  weights?: Float32Array;
}

export interface Fitted {
  network: Network;
  /** By output name: for a row trained on the answer of the member that never saw it, for all others the ensemble's. */
  outputs: Table;
  baseline: Manifest['baseline'];
  summary: Omit<TrainingSummary, 'seconds' | 'onnxBytes' | 'parity' | 'reused'>;
}

const DROPOUT = 0.3;
const WORD_DROPOUT = 0.5;

/**
 * Trains a model: one member a fold, each without its own fold's rows, all at once. The mean of the members is the model.
 *
 * @throws ShoalError COLUMN_MISSING, COLUMN_TYPE, COLUMN_EMPTY, NOT_FINITE, TARGET_CONSTANT, TOO_FEW_ROWS, TRAINING_DIVERGED
 */
export async function fit(
  spec: ModelSpec, features: Feature[], examples: Examples,
  run: { checkpoints: Checkpoints; onProgress(progress: Progress): void; signal: AbortSignal },
): Promise<Fitted> {
  const tf = loadTensorflow();
  const { table, split, weights } = examples;
  const outside = Int32Array.from(split.folds.keys()).filter((row) => split.folds[row] !== HOLDOUT);
  const trainable = weights ? outside.filter((row) => weights[row]! > 0) : outside;
  const encoders = fitEncoders(spec, features, table, trainable);
  const lesson = lessonOf({ spec, examples, encoders, trainable });
  const encoded = encode(encoders, table);
  const inputs = encoders.reduce((sum, e) => sum + widthOf(e), 0);
  const shape = networkShape(spec, inputs, lesson.objective.units);
  const untrained: Network = { members: split.foldCount, encoders, ...shape, head: lesson.head, weights: {} };

  const trained = await train(tf, {
    model: spec.name, plan: planOf(untrained, encoded), encoded,
    objective: lesson.objective, prior: lesson.prior, rows: lesson.rows, folds: split.folds, weights,
    options: { seed: spec.seed, dropout: DROPOUT, wordDropout: WORD_DROPOUT, ...withoutFolds(spec) }, ...run,
  });

  const raw = rawOutputs(tf, { ...untrained, weights: trained.weights }, encoded);
  const head: Head = lesson.calibrated(raw);
  const network: Network = { ...untrained, head, weights: trained.weights };
  const by = new Int8Array(table.rows).fill(ENSEMBLE);
  for (const row of lesson.rows) by[row] = split.folds[row]!;
  return {
    network,
    outputs: answer(network, raw, table, by),
    baseline: lesson.baseline,
    summary: {
      rows: lesson.rows.length,
      holdoutRows: table.rows - outside.length,
      unlabelledRows: trainable.length - lesson.rows.length,
      ...(trainable.length < outside.length && { excludedRows: outside.length - trainable.length }),
      epochs: trained.epochs,
      bestEpoch: trained.bestEpoch,
      steps: trained.steps,
      curve: trained.curve,
    },
  };
}

function networkShape(spec: ModelSpec, inputs: number, units: number): { layers: Dense[]; skip: Dense } {
  const hidden = spec.training.hidden.map((width, i): Dense =>
    ({ kernel: `dense${i}.kernel`, bias: `dense${i}.bias`, units: width, activation: 'relu' }));
  return {
    layers: [...hidden, { kernel: 'head.kernel', bias: 'head.bias', units, activation: 'none' }],
    skip: { kernel: 'skip.kernel', bias: 'skip.bias', units, activation: 'none' },
  };
}

function withoutFolds({ training: { maxEpochs, patience, batchSize, learningRate, weightDecay } }: ModelSpec) {
  return { maxEpochs, patience, batchSize, learningRate, weightDecay };
}
