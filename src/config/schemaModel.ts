import { z } from 'zod';
import { COSTS, FREQUENCIES, METRICS, TASKS } from '../domain/spec';
import type { Task } from '../domain/spec';
import { DEFAULT_DIMENSIONS, DEFAULT_HOLDOUT, DEFAULT_INTERVAL, DEFAULT_SEED, DEFAULT_TRAINING } from './defaults';
import { gateSchema } from './schemaGates';
import { labelsSchema } from './schemaLabels';
import { checks } from './schemaChecks';
import { retrainSchema } from './schemaRetrain';
import { trainerSchema } from './schemaTrainer';

/** Names become workflow ids, queue names and folders. */
export const NAME = /^[a-z0-9][a-z0-9-]*$/;
export const name = z.string().regex(NAME).max(64);
/** A column is whatever the source calls it. */
export const column = z.string().min(1);

export { expectations } from './expectations';

export const COLUMN_TYPES = ['number', 'category', 'text', 'boolean', 'date'] as const;

const columnInput = z.strictObject({
  column: column.describe('A column of the source.'),
  type: z.enum(COLUMN_TYPES).optional().describe('How to read the column; inferred from the data when absent.'),
}).describe('A column of the source, where a bare name would not do.');

const modelInput = z.strictObject({
  model: z.string().describe('Another model.'),
  output: z.string().optional().describe('One of its outputs; its main output when absent.'),
}).describe('An output of another model.');

const input = z.union([
  z.string().min(1).describe('`model` (its main output), `model.output`, or a column of the source.'),
  columnInput,
  modelInput,
]);
export type InputDocument = z.input<typeof input>;

const inputs = z.array(input).min(1)
  .describe('What the model reads: columns of its source, and outputs of other models.');

/** What gates may bound: the task's metrics, and the costs. */
export type MetricOf<T extends Task> = T extends Task ? (keyof (typeof METRICS)[T] & string) | keyof typeof COSTS : never;
const metricsOf = <T extends Task>(task: T): MetricOf<T>[] => [...Object.keys(METRICS[task]), ...Object.keys(COSTS)] as MetricOf<T>[];
/** Of any task: a chain has the metrics of the stage it is judged by. */
export const allMetrics = [...new Set(TASKS.flatMap((task) => metricsOf(task)))];

const trainingSchema = (task: Task) => {
  const standard = DEFAULT_TRAINING[task];
  return z.strictObject({
    folds: z.int().min(2).max(20).default(standard.folds).describe('Cross-fitting folds; the model is an ensemble of as many networks.'),
    hidden: z.array(z.int().min(1).max(4096)).max(8).default(standard.hidden).describe('Width of each hidden layer.'),
    maxEpochs: z.int().min(1).max(100_000).default(standard.maxEpochs).describe('Epochs after which training stops in any case.'),
    patience: z.int().min(1).default(standard.patience).describe('Epochs without improvement before training stops.'),
    batchSize: z.int().min(1).max(65_536).default(standard.batchSize).describe('Rows a step.'),
    learningRate: z.number().gt(0).max(1).default(standard.learningRate).describe('Step size of the optimiser.'),
    weightDecay: z.number().min(0).max(100).default(standard.weightDecay).describe('Decoupled weight decay.'),
  }).prefault({}).describe('How it is trained; the defaults suit most data.');
};

export const approvalSchema = z.enum(['auto', 'manual']);

const common = <T extends Task>(task: T) => ({
  source: z.string().describe('The source it learns from.'),
  gates: z.array(gateSchema(metricsOf(task))).optional()
    .describe('Rules a version must pass. Given any, they replace the default: better than the baseline, not worse than the champion.'),
  holdout: z.number().gt(0).max(0.5).default(DEFAULT_HOLDOUT[task])
    .describe(task === 'forecast' ? 'Share of the latest periods kept for judging.' : 'Share of the rows kept for judging.'),
  seed: z.int().min(0).max(2 ** 31 - 1).default(DEFAULT_SEED).describe('Seed of everything random in training.'),
  training: trainingSchema(task),
  checks,
  trainer: trainerSchema.optional(),
  taskQueue: z.string().min(1).optional().describe('Task queue of the workers that serve it; the project\'s when absent.'),
  retrain: retrainSchema,
  approval: approvalSchema.default('auto').describe('`manual`: a person must approve a release that brings a new version of it.'),
});

const scale = z.enum(['linear', 'log10']).default('linear')
  .describe('The scale it is trained and judged on; outputs are in the target\'s own unit.');
const interval = z.number().gt(0).lt(1).default(DEFAULT_INTERVAL).describe('Share of true values that [low, high] is to contain.');

export const modelSchemas = {
  regression: z.strictObject({
    task: z.literal('regression').describe('Predicts a number: `value`, with `low` and `high`.'),
    target: column.describe('The column to predict.'),
    inputs,
    scale,
    interval,
    labels: labelsSchema,
    ...common('regression'),
  }).describe('Predicts a number.'),

  classification: z.strictObject({
    task: z.literal('classification').describe('Predicts a category: `label`, `probability`, `probabilities`.'),
    target: column.describe('The column to predict.'),
    inputs,
    labels: labelsSchema,
    ...common('classification'),
  }).describe('Predicts a category.'),

  forecast: z.strictObject({
    task: z.literal('forecast').describe('Predicts the next periods of a series: `value`, with `low` and `high`.'),
    target: column.describe('The column to predict.'),
    time: column.describe('The column that says when: a date.'),
    frequency: z.enum(FREQUENCIES).describe('The length of a period.'),
    horizon: z.int().min(1).max(1000).describe('Periods that can be forecast from one origin.'),
    context: z.int().min(1).max(10_000).optional().describe('Periods it looks back on; two or three seasons when absent.'),
    season: z.int().min(1).max(10_000).optional()
      .describe('Periods in a season; when absent 24 hours, 7 days, 52 weeks, 12 months, 4 quarters, 1 year.'),
    series: column.optional().describe('The column that tells series apart; one series when absent.'),
    at: column.optional().describe('The column of a request, or of a downstream model\'s source, that says which period is asked for; `time` when absent.'),
    inputs: z.array(input).default([]).describe('Columns known ahead of time, such as a calendar or a plan.'),
    scale,
    interval,
    ...common('forecast'),
  }).describe('Predicts the next periods of one or many series.'),

  embedding: z.strictObject({
    task: z.literal('embedding').describe('Turns its inputs into a `vector`.'),
    alike: z.array(column).min(1).describe('Rows with the same values in these columns are alike, and are to lie near each other.'),
    dimensions: z.int().min(2).max(1024).default(DEFAULT_DIMENSIONS).describe('Length of the vector.'),
    inputs,
    ...common('embedding'),
  }).describe('Turns a row into a vector, so that alike rows lie near each other.'),
} as const satisfies Record<Task, z.ZodType>;

export const modelSchema = z.discriminatedUnion('task', [
  modelSchemas.regression, modelSchemas.classification, modelSchemas.forecast, modelSchemas.embedding,
]).describe('One small model.');

export type ModelDocument = z.output<typeof modelSchema>;
