import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ChainSpec, ModelSpec, SourceSpec, Task } from '../domain/spec';
import type { MetricResult, Release, ReleaseEvaluation, TrainingSummary, Verdict, VersionRef } from '../domain/version';

/** The ids, queues and messages of the workflows: all that a program needs to talk to them. Payloads are plain JSON. */

export const modelWorkflowId = (model: string) => `model/${model}`;
export const lifecycleWorkflowId = (model: string, run: number) => `lifecycle/${model}/${run}`;
export const releaseWorkflowId = (chain: string) => `release/${chain}`;

/** Trainings, as many at once as there are processors; all other work on data has a queue of its own and need not wait for them. */
export const trainQueue = (taskQueue: string) => `${taskQueue}-train`;
export const dataQueue = (taskQueue: string) => `${taskQueue}-data`;
export const serveQueue = (taskQueue: string) => `${taskQueue}-serve`;

/** What asked for a run. `start`: the project was started; `upstream`: a model it takes inputs from has a new version. */
export type Trigger = 'start' | 'upstream' | 'person' | 'code';

/** All a model's workflow needs to know of its model; it comes with every request, so an edited project takes effect with the next run. */
export interface ModelDefinition {
  model: ModelSpec;
  source: SourceSpec;
  /** Models that take this one's outputs. */
  downstream: string[];
  /** Chains that use it, or compare themselves with it. */
  chains: string[];
  trainQueue: string;
  dataQueue: string;
}

export interface RunRequest {
  trigger: Trigger;
  reason: string;
  by: string;
  /** Requests made together share a batch; a model waits for the runs of its upstream models in the same batch. */
  batch: string;
  /** The models asked in this batch. */
  alongside: string[];
}

/** `merged`: another request was already waiting; one run will answer both. */
export interface RunAnswer { run: number; status: 'started' | 'queued' | 'merged' }

export const LIFECYCLE_STEPS = ['ingest', 'validate', 'upstream', 'train', 'evaluate'] as const;
export type StepName = (typeof LIFECYCLE_STEPS)[number];
export interface Step { name: StepName; status: 'waiting' | 'running' | 'done' | 'failed'; seconds?: number; note?: string }

/** What a lifecycle run came to. */
export interface MadeVersion {
  version: VersionRef;
  /** Version ids it was trained on, by upstream model. */
  upstream: Record<string, string>;
  task: Task;
  metrics: MetricResult[];
  verdict: Verdict;
  training: Omit<TrainingSummary, 'curve'>;
}
export type LifecycleResult = { status: 'made' | 'refused'; made: MadeVersion };

export interface RunRecord {
  run: number;
  request: RunRequest;
  startedAt: string;
  endedAt: string;
  /** `unchanged`: the run made the version that was there already. */
  status: 'made' | 'unchanged' | 'refused' | 'failed';
  reason: string;
  made?: MadeVersion;
}

export interface ModelView {
  model: string;
  task: Task;
  running?: { run: number; request: RunRequest; startedAt: string; workflowId: string };
  waiting?: RunRequest;
  /** The newest version that passed its gates. */
  latest?: MadeVersion;
  /** The version in the current release of a chain. */
  champion?: VersionRef;
  /** Newest first, the last few. */
  runs: RunRecord[];
  /** Batches answered by the last few runs. */
  settled: string[];
}

/** Sent by a model to its downstream models and chains when a run has ended, whatever came of it. */
export interface Settled {
  model: string;
  batches: string[];
  /** The newest version that passed its gates; absent when there is none yet. */
  version?: VersionRef;
  upstream: Record<string, string>;
  /** Why the run left no new version, when it was refused or failed. */
  refusal?: string;
}

export interface LifecycleInput {
  run: number;
  request: RunRequest;
  definition: ModelDefinition;
  champion?: VersionRef;
}
export interface LifecycleView { steps: Step[] }

/** Upstream versions to train on, or why there are none. */
export type UpstreamAnswer = { versions: Record<string, VersionRef> } | { refusal: string };

export interface ChainDefinition {
  spec: ChainSpec;
  dependencies: Record<string, string[]>;
  taskQueues: Record<string, string>;
  dataQueue: string;
}

export interface ReleaseDecision {
  number: number;
  at: string;
  versions: Record<string, string>;
  status: 'promoted' | 'refused' | 'failed';
  reason: string;
  evaluation?: ReleaseEvaluation;
}

export interface ReleaseView {
  chain: string;
  current?: Release;
  /** Scores of the current release. */
  evaluation?: ReleaseEvaluation;
  /** What it is doing now, in words. */
  activity: string;
  idle: boolean;
  /** Newest first, the last few. */
  decisions: ReleaseDecision[];
  models: Record<string, { version?: string; refusal?: string; batches: string[] }>;
}

// model
export const requestRun = defineUpdate<RunAnswer, [RunRequest, ModelDefinition]>('requestRun');
export const modelSettled = defineSignal<[Settled]>('modelSettled');
export const promoted = defineSignal<[{ chain: string; release: number; version: VersionRef }]>('promoted');
export const describeModel = defineQuery<ModelView>('describe');

// lifecycle
export const upstreamAnswered = defineSignal<[UpstreamAnswer]>('upstreamAnswered');
export const describeLifecycle = defineQuery<LifecycleView>('describe');

// release
export const configureChain = defineUpdate<{ changed: boolean }, [ChainDefinition]>('configure');
export const describeRelease = defineQuery<ReleaseView>('describe');
