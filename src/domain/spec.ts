import type { MonitorSpec } from './monitor';
import type { RolloutSpec } from './rollout';
import type { RetrainSchedule, RetrainSpec } from './retrain';
import type { RetentionSpec } from './retention';
import type { SuspectReason } from './suspects';
import type { ChecksSpec, DataRule } from './dataRules';
import type { Hooks } from './hooks';
import type { ColumnType } from './table';

/**
 * What a project declares, after validation: every default filled in, every name resolved. temporal.yaml and
 * `defineProject` both end here. Plain JSON: it travels in workflow payloads.
 */
export const TASKS = ['regression', 'classification', 'forecast', 'embedding'] as const;
export type Task = (typeof TASKS)[number];

export const FREQUENCIES = ['hour', 'day', 'week', 'month', 'quarter', 'year'] as const;
export type Frequency = (typeof FREQUENCIES)[number];

interface SourceBase {
  name: string;
  /** A SELECT over the table `source`; all columns as they are when absent. */
  sql?: string;
  /** Columns that name a row; the row's content when empty. */
  key: string[];
  /** What its rows must be like; no part of what they are. */
  rules?: DataRule[];
  /** Columns whose values are not known yet when a prediction is asked for. */
  knownLater?: string[];
}

export interface FileSource extends SourceBase {
  /** Absolute paths or globs (config resolves them against temporal.yaml's folder). */
  paths: string[];
  format: 'csv' | 'tsv' | 'json' | 'jsonl' | 'parquet';
}

/** A table of a PostgreSQL database, or the rows of a query there: one of the two. */
export interface DatabaseSource extends SourceBase {
  /** The environment variable that holds the database's address. The address itself, with its password, is never part of a definition. */
  postgres: string;
  table?: string;
  query?: string;
}

export type SourceSpec = FileSource | DatabaseSource;

export const isDatabase = (source: SourceSpec): source is DatabaseSource => 'postgres' in source;

/** Where a source's rows are, as people are told. */
export const placesOf = (source: SourceSpec): string[] => (isDatabase(source) ? [`${source.postgres}: ${source.table ?? source.query}`] : source.paths);

/** A model's input: a column of its source, or an output of another model. `name` is the ONNX input's name. */
export type InputSpec =
  | { kind: 'column'; name: string; column: string; /** Inferred from the data when absent. */ type?: ColumnType }
  | { kind: 'model'; name: string; model: string; output: string };

export interface GateSpec {
  /** A metric of the model's task, e.g. `accuracy`, `rmse`, `mase`, `recall@10`, or a cost: see COSTS. */
  metric: string;
  /** `value` bounds the metric itself; the others bound the gain over that predictor (positive is better). */
  against: 'value' | 'baseline' | 'champion';
  min?: number;
  max?: number;
  /** Asks for one-sided certainty, e.g. 0.95, where otherwise the estimate itself is held against the bounds. See `certaintyOf`. */
  confidence?: number;
  /** What becomes of a gate of which it is certain neither that it holds nor that it does not. */
  inDoubt?: 'refuse' | 'pass';
  /** Holds on these parts of the rows rather than on all. */
  slice?: SliceSpec;
}

/** Either `column` (every value it has is a slice) or `where` (SQL that is true for the slice's rows; `name` says it in words). */
export interface SliceSpec {
  column?: string;
  where?: string;
  name?: string;
  /** A slice with fewer rows than this is not judged. */
  minRows: number;
}

interface ModelSpecBase {
  name: string;
  source: string;
  inputs: InputSpec[];
  gates: GateSpec[];
  /** Share of rows (or of the latest periods) kept for judging. */
  holdout: number;
  seed: number;
  training: TrainingSpec;
  /** Where the model is served; the project's serving queue when absent. */
  taskQueue?: string;
  /** Whether a person must approve a release that brings a new version of it; `auto` when absent. */
  approval?: Approval;
  /** Regression and classification: how its labels are checked. */
  labels?: LabelsSpec;
  /** How its data are checked before training; DEFAULT_CHECKS when absent. */
  checks?: ChecksSpec;
  /** Who trains it, when it is not Shoal. */
  trainer?: TrainerSpec;
}

/** An activity of somebody else's worker, in any language: see domain/trainer.ts for what goes in and what comes out. */
export interface TrainerSpec {
  taskQueue: string;
  activity: string;
  /** Plain JSON, handed to it as it is. */
  params: Record<string, unknown>;
  /** Of one attempt. */
  timeoutMs: number;
  /** Without, a dead worker is noticed when the time is up. */
  heartbeatMs?: number;
}

export interface LabelsSpec {
  check: boolean;
  /** What is done with suspects: the list only, a second training in which they are left out or count less, or a refusal above `maxShare`. */
  suspects: 'report' | 'exclude' | 'downweight' | 'block';
  /** Findings that make a row a suspect. */
  reasons: SuspectReason[];
  /** Suspects among the rows trained on, above which a version is refused. */
  maxShare: number;
  /** New labels are refused when surely more than this share of them seems shuffled; 1 never refuses. */
  maxShuffled: number;
  /** How much a suspect counts in training when it is to count less. */
  weight: number;
}

export type Approval = 'auto' | 'manual';

export interface TrainingSpec {
  folds: number;
  hidden: number[];
  maxEpochs: number;
  /** Epochs without improvement before training stops. */
  patience: number;
  batchSize: number;
  learningRate: number;
  weightDecay: number;
}

export interface RegressionSpec extends ModelSpecBase {
  task: 'regression';
  target: string;
  /** The scale the model is trained and judged on; outputs are in the target's own unit. */
  scale: 'linear' | 'log10';
  /** Nominal coverage of [low, high]. */
  interval: number;
}
export interface ClassificationSpec extends ModelSpecBase { task: 'classification'; target: string }
export interface EmbeddingSpec extends ModelSpecBase {
  task: 'embedding';
  /** Rows with the same values here are alike, and are to lie near each other. */
  alike: string[];
  dimensions: number;
}
export interface ForecastSpec extends ModelSpecBase {
  task: 'forecast';
  target: string;
  time: string;
  frequency: Frequency;
  /** Periods that can be forecast from one origin. */
  horizon: number;
  /** Periods a forecast looks back on. */
  context: number;
  /** Periods in a season, for the seasonal naive baseline and MASE. */
  season: number;
  /** The column that tells series apart; one series when absent. */
  series?: string;
  scale: 'linear' | 'log10';
  interval: number;
  /** In a chain, the column of the request that says which period is asked for. */
  at: string;
  // `inputs` of a forecast are its known-ahead columns.
}
export type ModelSpec = RegressionSpec | ClassificationSpec | EmbeddingSpec | ForecastSpec;

/** What a stage answers with when its model fails, times out, or is skipped by `when`. */
export type FallbackSpec =
  | { kind: 'value'; value: Record<string, unknown> }
  | { kind: 'baseline' }
  | { kind: 'model'; model: string };

export interface StageSpec {
  /** The stage's name is its model's name. */
  model: string;
  /** CEL over `input` (the request row) and `stages` (earlier outputs by stage); false skips the stage for that row. */
  when?: string;
  /** CEL expressions that set or replace columns for this stage only. */
  with: Record<string, string>;
  timeoutMs: number;
  fallback?: FallbackSpec;
}

export interface ChainSpec {
  name: string;
  /** In an order in which every stage comes after those it needs. */
  stages: StageSpec[];
  /** The stage whose model's target the chain predicts: the chain is judged against it. */
  outputStage: string;
  /** Named CEL expressions over `input` and `stages`; `value`, and `low` and `high` where there is an interval. */
  output: Record<string, string>;
  /** Models trained and scored beside the chain, that are no part of it. */
  compareWith: string[];
  gates: GateSpec[];
  approval: Approval;
  rollout: RolloutSpec;
  /** How it is watched in use; not at all when absent. */
  monitor?: MonitorSpec;
  /** When a component is worth what it costs, and what a release may take to serve; the standard ones when absent. */
  worth?: WorthSpec;
  servable?: ServableSpec;
}

/** `minGain`: what a component is to take off the chain's headline metric, as a share of it. */
export interface WorthSpec { minGain: number }

/** What serving a release may take, alone in a process. */
export interface ServableSpec { memoryMb: number; /** p95 of one row through the whole chain. */ latencyMs: number; loadSeconds: number }

export interface WorkerSpec {
  name: string;
  roles: ('workflows' | 'train' | 'serve')[];
  /** Task queue a `serve` worker polls. */
  taskQueue?: string;
  /** It trains or serves these models alone, from queues of their own; all that have no worker of their own when absent. */
  models?: string[];
  /** Where its metrics are read: an IP address and a port. */
  metrics?: string;
}

export interface ProjectSpec {
  name: string;
  temporal: { address?: string; namespace: string; /** Queue of the workflows; `-train` and `-serve` are appended for the others. */ taskQueue: string };
  /** Absolute path of the artifact store. */
  store: { path: string };
  /** How long the store keeps what nothing in use needs. */
  retention: RetentionSpec;
  /** No part of what a model or a chain is. */
  retrain: { models: Record<string, RetrainSpec>; chains: Record<string, { schedule?: RetrainSchedule }> };
  workers: WorkerSpec[];
  sources: Record<string, SourceSpec>;
  models: Record<string, ModelSpec>;
  chains: Record<string, ChainSpec>;
  hooks?: Hooks;
}

/** The names of a model's outputs, and what each is, by task. `vector` and `probabilities` have a width known after training. */
export const OUTPUTS = {
  regression: { value: 'number', low: 'number', high: 'number' },
  classification: { label: 'category', probability: 'number', probabilities: 'vector' },
  embedding: { vector: 'vector' },
  forecast: { value: 'number', low: 'number', high: 'number' },
} as const satisfies Record<Task, Record<string, ColumnType>>;

/** The output a model's bare name stands for. */
export const MAIN_OUTPUT = {
  regression: 'value', classification: 'probabilities', embedding: 'vector', forecast: 'value',
} as const satisfies Record<Task, string>;

/**
 * The metrics of each task, the headline first, and which way is better. `rmse`, `mae` and `r2` of a regression are on the
 * scale it is trained on, `mae_own` and `rmse_own` in the target's own unit. `coverage` is the share of true values in [low, high]:
 * a gate may bound it on both sides, but more of it is not a gain. `coverage_gap` is its distance from the nominal share.
 */
export const METRICS = {
  regression: { rmse: 'lower', mae: 'lower', r2: 'higher', mae_own: 'lower', rmse_own: 'lower', coverage: 'higher', coverage_gap: 'lower' },
  classification: { accuracy: 'higher', macro_f1: 'higher', log_loss: 'lower', calibration_error: 'lower' },
  forecast: { mase: 'lower', smape: 'lower', rmse: 'lower', coverage: 'higher', coverage_gap: 'lower' },
  embedding: { 'recall@10': 'higher', 'recall@1': 'higher', 'precision@10': 'higher' },
} as const satisfies Record<Task, Record<string, 'higher' | 'lower'>>;

/**
 * What gates may bound besides metrics: the size of the ONNX files, and the 95th percentile of the time that one row takes on warm
 * sessions, in milliseconds. Of a release: of all its models, and of the whole chain. Measured when a gate asks for it.
 */
export const COSTS = { onnx_bytes: 'lower', latency_ms: 'lower' } as const satisfies Record<string, 'lower'>;

export const HEADLINE = {
  regression: 'rmse', classification: 'accuracy', forecast: 'mase', embedding: 'recall@10',
} as const satisfies { [T in Task]: keyof (typeof METRICS)[T] };

/** The models whose outputs a model takes, each once. */
export const upstreamOf = (model: ModelSpec): string[] =>
  [...new Set(model.inputs.flatMap((input) => (input.kind === 'model' ? [input.model] : [])))];

/** The models that a release of the chain pins: its stages' and their fallbacks'. */
export const chainModels = (chain: ChainSpec): string[] =>
  [...new Set(chain.stages.flatMap(({ model, fallback }) => (fallback?.kind === 'model' ? [model, fallback.model] : [model])))];
