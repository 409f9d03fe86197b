import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ChainSpec, ModelSpec, SourceSpec, Task } from '../domain/spec';
import type { HookName } from '../domain/events';
import type { Health } from '../domain/health';
import type { MonitoredModel, Observed } from '../domain/monitor';
import type { ChainNeeds } from '../domain/garbage';
import type { CollectionInput } from '../domain/retention';
import type { RetrainLimits } from '../domain/retrain';
import type { CanaryVerdict } from '../domain/rollout';
import type { ArtifactRef, ImportedFile, LabelCheck, MetricResult, Release, ReleaseEvaluation, Routing, TrainingSummary, Verdict, VersionRef } from '../domain/version';

/** The ids, queues and messages of the workflows: all that a program needs to talk to them. Payloads are plain JSON. */

export const modelWorkflowId = (model: string) => `model/${model}`;
export const lifecycleWorkflowId = (model: string, run: number) => `lifecycle/${model}/${run}`;
export const releaseWorkflowId = (chain: string) => `release/${chain}`;
export const deliveryWorkflowId = (event: string) => `event/${event}`;
export const monitorScheduleId = (chain: string) => `monitor/${chain}`;

/** Trainings, as many at once as there are processors; all other work on data has a queue of its own and need not wait for them. */
export const trainQueue = (taskQueue: string) => `${taskQueue}-train`;
export const dataQueue = (taskQueue: string) => `${taskQueue}-data`;
export const serveQueue = (taskQueue: string) => `${taskQueue}-serve`;

/**
 * What asked for a run. `start`: the project was started; `cascade`: a chain wants it retrained on a new upstream version; `drift` and
 * `degradation`: a monitor found its inputs changed, or its chain worse in use.
 */
export const TRIGGERS = ['start', 'schedule', 'newData', 'drift', 'degradation', 'cascade', 'person', 'code'] as const;
export type Trigger = (typeof TRIGGERS)[number];

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
  /** Where reports are served, for links to them: an address without a slash at its end. */
  reports?: string;
  /** Who is told of its versions. */
  hooks?: HookName[];
  /** Of the runs that nobody asked for. */
  limits?: RetrainLimits;
}

export interface RunRequest {
  trigger: Trigger;
  reason: string;
  by: string;
  /**
   * Requests made together share a batch; a model waits for the runs of its upstream models in the same batch. A model asked twice in one
   * batch runs once.
   */
  batch: string;
  /** The models asked in this batch. */
  alongside: string[];
  /** Upstream versions to train on, where it is not to be the newest. */
  upstream?: Record<string, VersionRef>;
  /** Workflows that wait for the run's end: they are told by the signal `runEnded`. */
  tell?: string[];
  /** SHA-256 of the data whose arrival calls for the run: the same data do not call twice. */
  data?: string;
  /** A ready file that is to become the version, in place of a training. */
  file?: ImportedFile;
}

/** As programs may ask: what is left out is filled in. */
export type RunAsked = Partial<RunRequest>;
/** Without a definition, the last one told holds. */
export type RequestRunArguments = [asked?: RunAsked | null, definition?: ModelDefinition];

/** `merged`: another request was already waiting; one run will answer both. `held`: it waits for the cool-down or the budget; `known`: these data were seen already. */
export interface RunAnswer { run: number; status: 'started' | 'queued' | 'merged' | 'held' | 'known' }

/** A run has `labels` where labels are checked, and `retrain` where suspects are then to be left out or to count less. */
export const LIFECYCLE_STEPS = ['ingest', 'validate', 'upstream', 'train', 'labels', 'retrain', 'evaluate', 'report'] as const;
export type StepName = (typeof LIFECYCLE_STEPS)[number];
export interface Step { name: StepName; status: 'waiting' | 'running' | 'done' | 'failed'; startedAt?: string; seconds?: number; note?: string; /** Sentences for people. */ warnings?: string[] }

/** What a lifecycle run came to. */
export interface MadeVersion {
  version: VersionRef;
  /** Version ids it was trained on, by upstream model. */
  upstream: Record<string, string>;
  task: Task;
  metrics: MetricResult[];
  verdict: Verdict;
  training: Omit<TrainingSummary, 'curve'>;
  /** Where labels are checked. */
  labels?: LabelCheck;
  /** What its data were found to be like: the rules for the next run's. */
  rules?: ArtifactRef;
  /** HTML; absent when it could not be drawn. */
  report?: ArtifactRef;
}
export type LifecycleResult = { status: 'made' | 'refused'; made: MadeVersion };

export interface RunRecord {
  run: number;
  request: RunRequest;
  /** All that it answers. */
  batches?: string[];
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
  running?: { run: number; request: RunRequest; batches?: string[]; startedAt: string; workflowId: string };
  waiting?: RunRequest;
  /** A run that nobody asked for, and that waits for its cool-down or budget: until when, ISO, and why. */
  held?: Held;
  /** The newest version that passed its gates. */
  latest?: MadeVersion;
  /** The version in the current release of a chain. */
  champion?: VersionRef;
  /** Newest first, the last few. */
  runs: RunRecord[];
  /** Batches answered by the last few runs. */
  settled: string[];
  /** Newest first, the last few. */
  ignored?: Ignored[];
}

/** A request that waits until it may start. */
export interface Held { request: RunRequest; until: string; why: string }

/** A signal that was no message, and changed nothing. */
export interface Ignored { at: string; signal: string; why: string }

/** What came of a run, told to who waits for it. */
export interface RunEnd { model: string; batches: string[]; status: RunRecord['status'] | 'held'; reason: string }

/** Sent by a model to its downstream models and chains when a run has ended, whatever came of it. */
export interface Settled {
  model: string;
  batches: string[];
  /** The models asked in the newest of these batches. */
  alongside: string[];
  /** The newest version that passed its gates; absent when there is none yet. */
  version?: VersionRef;
  upstream: Record<string, string>;
  /** What it took to train. */
  seconds?: number;
  /** Why the run left no new version, when it was refused or failed. */
  refusal?: string;
}

export interface LifecycleInput {
  run: number;
  request: RunRequest;
  definition: ModelDefinition;
  champion?: VersionRef;
  /** Rules for its data, from an earlier run. */
  rules?: ArtifactRef;
}
export interface LifecycleView { steps: Step[] }

/** Upstream versions to train on, or why there are none. */
export type UpstreamAnswer = { versions: Record<string, VersionRef> } | { refusal: string };

export interface ChainDefinition {
  spec: ChainSpec;
  dependencies: Record<string, string[]>;
  /** By model of the chain: the models it takes inputs from. */
  upstream: Record<string, string[]>;
  taskQueues: Record<string, string>;
  dataQueue: string;
  /** Columns that name a row, in requests as in the source. */
  keyColumns: string[];
  /** Models whose new versions a person must approve. */
  approval: string[];
  /** As of a ModelDefinition. */
  reports?: string;
  hooks?: HookName[];
}

/** Where a candidate is on its way into use. `asking`: the judge came to no verdict, and a person is to decide. */
export const PHASES = ['judging', 'servable', 'replay', 'approval', 'shadow', 'canary', 'asking', 'promoting'] as const;
export type Phase = (typeof PHASES)[number];

/** A person's word, or a program's: who and why is on the record. */
export interface Command {
  by: string;
  reason: string;
  /** Two commands of one key are one: the second is answered as the first was. */
  key?: string;
}

/** A release that a person or a program asks for: these versions, all else as in the release that is in place when it is taken up. */
export interface Proposal extends Command { given: Record<string, VersionRef>; force: boolean; number: number }

export interface Rollout {
  candidate: Release;
  /** Why there is this candidate. */
  origin: Command & { kind: 'versions' | 'pinned' | 'cascade' | 'proposal' };
  proposal?: Proposal;
  phase: Phase;
  /** The phases and steps it has come to, this one last. */
  trail?: PhasePassed[];
  /** Which of the steps of a canary. */
  step: number;
  /** Share of the live requests it answers now. */
  weight: number;
  startedAt: string;
  phaseAt: string;
  paused?: Command & { at: string };
  /** How long it was paused in this phase or step, in milliseconds. */
  pausedMs: number;
  approved?: Command;
  forced?: Command;
  evaluation?: ReleaseEvaluation;
  /** The judge's last look. */
  look?: Look;
  /** What each of the last looks came to. */
  seen?: SeenCheck[];
}

/** A phase, or a step of a canary, that a candidate came to, and what was said of it there. */
export interface PhasePassed { phase: Phase; at: string; step?: number; weight?: number; said?: string; verdict?: 'pass' | 'fail' | 'inconclusive'; /** Requests that the judge saw. */ requests?: number }

/** What happened to a chain's releases, one after the other: a gap between two numbers is what nobody can tell any more. */
export type ReleaseEvent = { seq: number; at: string; number?: number } & (
  | { kind: 'phase'; phase: Phase; step?: number; weight?: number }
  | { kind: 'decision'; status: ReleaseDecision['status']; reason: string; by?: string }
  | { kind: 'action'; action: string; by: string; reason: string }
);

/** What the store keeps of a release that was decided on, the newest decision first. */
export interface ReleaseRecord { chain: string; number: number; decisions: ReleaseDecision[]; actions: Action[] }

/** One check at one look, for the report. */
export interface SeenCheck { at: string; check: string; effect: number; low: number; high: number; tolerance: number; verdict: 'pass' | 'fail' | 'inconclusive' }

/** What the judge saw of two releases on the same requests. */
export interface Look {
  verdict: CanaryVerdict;
  /** Live requests that the release in question answered since the phase began. */
  live: number;
  /** Requests it answered unseen. */
  unseen: number;
  /** When the newest live request came, ISO. */
  lastRequestAt?: string;
  at: string;
}

/** A promoted release that is watched. */
export interface Bake { release: number; reference: Release; since: string; until: string; look?: Look }

export interface ReleaseDecision {
  number: number;
  at: string;
  versions: Record<string, string>;
  status: 'promoted' | 'refused' | 'failed' | 'rolled back';
  reason: string;
  by?: string;
  evaluation?: ReleaseEvaluation;
  look?: Look;
  /** Why there was this candidate. */
  origin?: Rollout['origin'];
  trail?: PhasePassed[];
}

/** What somebody did, newest first. */
export interface Action extends Command { at: string; action: string; number?: number }

export interface ReleaseView {
  chain: string;
  current?: Release;
  /** The one before, which a rollback goes to. */
  previous?: { number: number };
  /** Scores of the current release. */
  evaluation?: ReleaseEvaluation;
  /** What it is doing now, in words. */
  activity: string;
  /** Nothing is left to do but to wait for requests, time or people. */
  idle: boolean;
  rollout?: Omit<Rollout, 'candidate' | 'proposal'> & { number: number; versions: Record<string, string> };
  bake?: Omit<Bake, 'reference'> & { reference: number };
  /** How it does in use, as its monitor saw it last. */
  health?: Health;
  /** Newest first, the last few. */
  decisions: ReleaseDecision[];
  actions: Action[];
  /** Oldest first, the last ones. */
  events?: ReleaseEvent[];
  /** Newest first, the last few. */
  ignored?: Ignored[];
  models: Record<string, { version?: string; refusal?: string; batches: string[] }>;
}

/** What a run of `monitor` came to. */
export interface MonitorResult { chain: string; status: 'looked' | 'no release'; release?: number; reason: string }
/** Of the workflow `collectGarbage`. */
export interface CollectGarbageInput extends CollectionInput { dataQueue: string }

/** What a model or a chain may still need of the store. */
export const describeModelNeeds = defineQuery<{ holds: unknown }>('needs');
export const describeChainNeeds = defineQuery<ChainNeeds & { holds: unknown }>('needs');

// model
export const requestRun = defineUpdate<RunAnswer, RequestRunArguments>('requestRun');
/** Tells a model how it is defined now, for runs that its chains ask for. */
export const defineModel = defineUpdate<{ changed: boolean }, [ModelDefinition]>('define');
export const modelSettled = defineSignal<[Settled]>('modelSettled');
export const promoted = defineSignal<[{ chain: string; release: number; version: VersionRef }]>('promoted');
/** A chain has refused a version that had passed its own gates; it is not offered again. */
export const rejected = defineSignal<[{ chain: string; version: VersionRef; reason: string }]>('rejected');
/** The chain is defined otherwise now: what it refused before may be offered again. */
export const pardoned = defineSignal<[{ chain: string }]>('pardoned');
/** As `requestRun`, from a chain that needs the model on new upstream versions. The model runs as it was defined last. */
export const cascade = defineSignal<[RunRequest]>('cascade');
/** As `requestRun`, from a schedule, a watch or a monitor. The model runs as it was defined last, when its cool-down and budget allow. */
export const retrain = defineSignal<[RunRequest]>('retrain');
/** A program says that a model's source has new data. What is left out is filled in. */
export const newData = defineSignal<[{ reason?: string; by?: string; rows?: number }?]>('newData');
/** To a workflow that waits for runs. */
export const runEnded = defineSignal<[RunEnd]>('runEnded');
export const describeModel = defineQuery<ModelView>('describe');

// lifecycle
export const upstreamAnswered = defineSignal<[UpstreamAnswer]>('upstreamAnswered');
export const describeLifecycle = defineQuery<LifecycleView>('describe');

// chain
/** How far the answer to a data set is. */
export interface ChainProgress { parts?: number; done: number }
export const describeChain = defineQuery<ChainProgress>('describe');

// release
/** What a monitor saw; of one time it counts once. */
export const observed = defineSignal<[{ seen: Observed; models: MonitoredModel[] }]>('observed');
export const configureChain = defineUpdate<{ changed: boolean }, [ChainDefinition]>('configure');
export const describeRelease = defineQuery<ReleaseView>('describe');
export const describeRouting = defineQuery<Routing | undefined>('routing');
export const propose = defineUpdate<{ number: number }, [Command & { versions: Record<string, string>; force?: boolean }]>('propose');
export const approve = defineUpdate<void, [Command]>('approve');
export const refuse = defineUpdate<void, [Command]>('refuse');
export const pause = defineUpdate<void, [Command]>('pause');
export const resume = defineUpdate<void, [Command]>('resume');
/** The candidate's share of live requests, for as long as its step lasts. */
export const setWeight = defineUpdate<void, [Command & { weight: number }]>('setWeight');
/** Promotes the candidate now, whatever is still to be judged. */
export const force = defineUpdate<void, [Command]>('force');
export const rollback = defineUpdate<{ number: number }, [Command & { to?: number }]>('rollback');
