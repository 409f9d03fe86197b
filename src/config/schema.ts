import { z } from 'zod';
import { DEFAULT_NAMESPACE, DEFAULT_STAGE_TIMEOUT, DEFAULT_STORE, DEFAULT_TASK_QUEUE, DEFAULT_WORKERS } from './defaults';
import { knownLater, rules } from './schemaData';
import { gateSchema, servableSchema, worthSchema } from './schemaGates';
import { hookSchema, metricsSchema } from './schemaHooks';
import { allMetrics, approvalSchema, column, expectations, modelSchema, name } from './schemaModel';
import { monitorSchema } from './schemaMonitor';
import { retentionSchema } from './schemaRetention';
import { chainRetrainSchema } from './schemaRetrain';
import { rolloutSchema } from './schemaRollout';

/** The document people write: temporal.yaml, or the argument of `defineProject`. `resolve` makes a ProjectSpec of it. */
export const FORMATS = ['csv', 'tsv', 'json', 'jsonl', 'parquet'] as const;

const sourceSchema = z.strictObject({
  path: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional()
    .describe('A file, a glob, or a list of them, relative to this document. Either this or `postgres` is needed.'),
  format: z.enum(FORMATS).optional().describe('Format of the files; by their extension when absent.'),
  postgres: z.string().min(1).optional()
    .describe('Rows of a PostgreSQL database: the name of the environment variable that holds its address, postgresql://user:password@host:5432/database, where models are trained.'),
  table: z.string().min(1).optional().describe('A table or view of it, such as `public.sales`.'),
  query: z.string().min(1).optional().describe('Or a SELECT, in PostgreSQL\'s dialect and run by the database.'),
  sql: z.string().min(1).optional().describe('A SELECT over the table `source` (the rows that were read), in DuckDB\'s dialect; all columns as they are when absent.'),
  key: z.union([column, z.array(column)]).default([])
    .describe('The column or columns that name a row; the whole row when absent. A row\'s key decides whether it is held out.'),
  rules,
  knownLater,
}).describe('Where rows come from.');

const expression = z.union([z.string().min(1), z.number(), z.boolean()]);

const fallbackSchema = z.union([
  z.literal('baseline').describe('What the trivial predictor answers: the mean, the class shares, seasonal naive.'),
  z.strictObject({ model: z.string().describe('A model of the same task.') }).describe('What another model answers.'),
  z.strictObject({
    value: z.union([z.number(), z.string(), z.array(z.number()), z.record(z.string(), z.union([z.number(), z.string(), z.array(z.number()), z.null()]))])
      .describe('The main output, or a map of outputs.'),
  }).describe('A constant.'),
]);

const duration = z.string().regex(/^\d+(\.\d+)?(ms|s|m)$/);
expectations.add(duration, { expects: 'a number and its unit, such as 500ms, 10s or 2m' });

const stageSchema = z.strictObject({
  when: z.union([z.string().min(1), z.boolean()]).optional()
    .describe('CEL over `input` (the request\'s row) and `stages` (earlier outputs); where it is false the stage is skipped.'),
  with: z.record(column, expression).default({}).describe('CEL expressions that set or replace columns for this stage only.'),
  timeout: duration.default(DEFAULT_STAGE_TIMEOUT)
    .describe('How long it may take: a number and `ms`, `s` or `m`.'),
  fallback: fallbackSchema.optional()
    .describe('What it answers when its model fails, takes too long or is skipped; nothing (missing) when absent.'),
}).describe('How a model is run in the chain; nothing at all for the defaults.');

const chainSchema = z.strictObject({
  stages: z.record(z.string(), stageSchema.nullable()).optional()
    .describe('How the chain\'s models are run, where the defaults do not do. The output\'s model and everything upstream of it are stages by themselves.'),
  output: z.union([z.string().min(1), z.record(z.string(), expression)])
    .describe('The stage whose outputs the chain answers with, or a map of CEL expressions over `input` and `stages`.'),
  predicts: z.string().optional()
    .describe('The stage whose target the chain predicts and is judged by; when absent the output, or the only stage that `value` refers to.'),
  compareWith: z.array(z.string()).default([])
    .describe('Models of the same target that are trained and scored beside the chain, to see what composing is worth.'),
  gates: z.array(gateSchema(allMetrics)).optional()
    .describe('Rules a release must pass end to end. Given any, they replace the default.'),
  approval: approvalSchema.default('auto').describe('`manual`: a person must approve each release before any user sees it.'),
  rollout: rolloutSchema.prefault({}),
  retrain: chainRetrainSchema,
  monitor: monitorSchema.prefault({}),
  worth: worthSchema,
  servable: servableSchema,
}).describe('Models composed into one prediction.');

const workerSchema = z.strictObject({
  name: name.describe('What it is called in logs and on screen.'),
  roles: z.array(z.enum(['workflows', 'train', 'serve'])).min(1).describe('What it does.'),
  taskQueue: z.string().min(1).optional().describe('The task queue a `serve` worker polls; the project\'s when absent.'),
  models: z.array(z.string()).min(1).optional()
    .describe('Models that it alone trains or serves, from task queues of their own; when absent all that have no such worker.'),
  metrics: metricsSchema,
});

export const documentSchema = z.strictObject({
  $schema: z.string().optional().describe('For editors.'),
  name: name.describe('The project\'s name.'),
  temporal: z.strictObject({
    address: z.string().min(1).optional().describe('host:port of a Temporal server; when absent the environment\'s, else the embedded one.'),
    namespace: z.string().min(1).default(DEFAULT_NAMESPACE).describe('Temporal namespace.'),
    taskQueue: z.string().min(1).default(DEFAULT_TASK_QUEUE).describe('Queue of the workflows; `-train` and `-serve` are appended for the others.'),
  }).prefault({}).describe('The Temporal server.'),
  store: z.string().min(1).default(DEFAULT_STORE).describe('Folder of the artifact store, relative to this document.'),
  retention: retentionSchema.prefault({}),
  workers: z.array(workerSchema).min(1).default(DEFAULT_WORKERS).describe('Worker processes that `shoal up` starts.'),
  sources: z.record(name, sourceSchema).describe('Where rows come from, by name.'),
  models: z.record(name, modelSchema).describe('The small models, by name.'),
  chains: z.record(name, chainSchema).default({}).describe('Models composed into predictions, by name. A model in no chain has a chain of its own.'),
  hooks: z.record(name, hookSchema).default({}).describe('Who is told of new versions, releases, drift, by name.'),
}).describe('A Shoal project.');

/** As written: defaults may be left out. */
export type DocumentInput = z.input<typeof documentSchema>;
/** As checked: defaults filled in. */
export type Document = z.output<typeof documentSchema>;
export type SourceDocument = Document['sources'][string];
export type ChainDocument = Document['chains'][string];
