import type { Frequency, GateSpec, Task, TrainingSpec, WorkerSpec } from '../domain/spec';
import { DEFAULT_WORTH } from '../domain/ablation';
import { DEFAULT_SERVABLE } from '../domain/servable';
import { DEFAULT_SLICE_CONFIDENCE, DEFAULT_SLICE_ROWS } from '../domain/slices';
import { HEADLINE } from '../domain/spec';

/** Releases of before they could be configured have these as well, so that they stand in the domain. */
export { DEFAULT_SERVABLE, DEFAULT_SLICE_CONFIDENCE, DEFAULT_SLICE_ROWS, DEFAULT_WORTH };

/** What a project gets that says nothing else. */
export const DEFAULT_NAMESPACE = 'default';
export const DEFAULT_TASK_QUEUE = 'shoal';
export const DEFAULT_STORE = '.shoal/store';
export const DEFAULT_SEED = 7;
export const DEFAULT_INTERVAL = 0.8;
export const DEFAULT_DIMENSIONS = 24;
export const DEFAULT_STAGE_TIMEOUT = '10s';
export const DEFAULT_TRAINER_TIMEOUT = '6h';

export const DEFAULT_WORKERS: WorkerSpec[] = [
  { name: 'control', roles: ['workflows'] },
  { name: 'train', roles: ['train'] },
  { name: 'serve', roles: ['serve'] },
];

export const DEFAULT_HOLDOUT: Record<Task, number> = { regression: 0.25, classification: 0.25, embedding: 0.25, forecast: 0.2 };

/** Chosen by cross-fitted scores, never by a holdout. Weight decay is decoupled: a step takes learningRate * weightDecay off each weight. */
export const DEFAULT_TRAINING: Record<Task, TrainingSpec> = {
  regression: { folds: 5, hidden: [128, 64], maxEpochs: 200, patience: 20, batchSize: 256, learningRate: 0.003, weightDecay: 3 },
  classification: { folds: 5, hidden: [128, 64], maxEpochs: 200, patience: 20, batchSize: 256, learningRate: 0.003, weightDecay: 3 },
  embedding: { folds: 5, hidden: [64], maxEpochs: 200, patience: 20, batchSize: 256, learningRate: 0.01, weightDecay: 1 },
  forecast: { folds: 5, hidden: [64, 32], maxEpochs: 300, patience: 30, batchSize: 128, learningRate: 0.003, weightDecay: 3 },
};

/** Periods in a season. */
export const SEASON: Record<Frequency, number> = { hour: 24, day: 7, week: 52, month: 12, quarter: 4, year: 1 };

/** Periods a forecast looks back on: two seasons, three when they are short, and never fewer than four periods. */
export const defaultContext = (season: number): number => Math.max(4, season * (season <= 12 ? 3 : 2));

/**
 * Better than the baseline, and not worse than the champion by more than noise would explain. A regression's tolerance is on R2,
 * because that has no unit: on the same rows it ranks models as RMSE does.
 */
export function defaultGates(task: Task): GateSpec[] {
  const tolerance: Record<Task, GateSpec> = {
    regression: { metric: 'r2', against: 'champion', min: -0.01 },
    classification: { metric: 'accuracy', against: 'champion', min: -0.01 },
    forecast: { metric: 'mase', against: 'champion', min: -0.05 },
    embedding: { metric: 'recall@10', against: 'champion', min: -0.02 },
  };
  return [{ metric: HEADLINE[task], against: 'baseline', min: 0 }, tolerance[task]];
}
