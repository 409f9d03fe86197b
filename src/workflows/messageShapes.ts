import { EVENT_TYPES, type HookName } from '../domain/events';
import type { AlertVerdict, MonitoredModel, Observed, ObservedWindow, PooledMetric, WindowDrift, WindowMetric } from '../domain/monitor';
import type { RetrainLimits } from '../domain/retrain';
import type { RolloutSpec, Tolerance } from '../domain/rollout';
import { TASKS, type ChainSpec, type ModelSpec, type StageSpec } from '../domain/spec';
import type { ArtifactRef, ImportedFile, VersionRef } from '../domain/version';
import { TRIGGERS, type ChainDefinition, type LifecycleInput, type ModelDefinition, type RunEnd, type RunRequest, type Settled } from './messages';
import { anything, flag, id, list, measure, milliseconds, name, number, object, oneOf, optional, record, text, time, type Shape } from './shapes';

/** What the messages of messages.ts must be like to be heard. */

const names = list(name, 'names');
const texts = list(text, 'texts');
const artifact = object<ArtifactRef>({ uri: text, sha256: text, bytes: number });
const version = object<VersionRef>({ model: name, id: text, manifest: artifact });
const versions = record(version);
const file = object<ImportedFile>({ name: text, onnx: artifact, outputs: optional(artifact), classes: optional(texts), unseen: optional(flag) });

export const SETTLED = object<Settled>({
  model: name, batches: texts, alongside: names, version: optional(version), upstream: record(text), seconds: optional(number), refusal: optional(text),
});

export const RUN_REQUEST = object<RunRequest>({
  trigger: oneOf(...TRIGGERS), reason: text, by: text, batch: text, alongside: names, upstream: optional(versions), tell: optional(list(id, 'workflow ids')), data: optional(text), file: optional(file),
});
/** As programs may ask. */
export const RUN_ASKED = object<RunRequest>({
  trigger: optional(oneOf(...TRIGGERS)), reason: optional(text), by: optional(text), batch: optional(text), alongside: optional(list(name, 'models')), upstream: optional(versions),
  tell: optional(list(id, 'workflow ids')), data: optional(text), file: optional(file),
});
export const RUN_END = object<RunEnd>({ model: name, batches: texts, status: oneOf('made', 'unchanged', 'refused', 'failed', 'held'), reason: text });

export const PROMOTED = object<{ chain: string; release: number; version: VersionRef }>({ chain: name, release: number, version });
export const REJECTED = object<{ chain: string; version: VersionRef; reason: string }>({ chain: name, version, reason: text });
export const PARDONED = object<{ chain: string }>({ chain: name });

const refused = object({ refusal: text });
const answered = object({ versions });
export const UPSTREAM_ANSWER: Shape = (value) => (refused(value) ? answered(value) : undefined);

const metric = object<WindowMetric>({
  metric: text, kind: oneOf('measured', 'estimated'), value: measure, low: measure, high: measure, threshold: optional(measure), rows: number, breached: optional(flag),
});
const metrics = list(metric, 'metrics');
const pooled = list(object<PooledMetric>({ of: text, metric: text, value: measure, low: measure, high: measure, rows: number, reference: optional(measure) }), 'metrics');
const observedWindow = object<ObservedWindow>({ from: time, to: time, rows: number, outcomes: number, metrics, estimates: metrics, drifted: optional(texts) });
const drift = object<WindowDrift>({
  part: oneOf('input', 'output'), window: text, column: text, verdict: oneOf('drifted', 'stable', 'no verdict'), reason: text, of: optional(text), test: optional(text),
  value: optional(measure), threshold: optional(measure), rows: object({ reference: number, current: number }), distance: optional(measure), bound: optional(measure),
});
const alert = object<AlertVerdict>({
  subject: text, kind: oneOf('drift', 'degraded'), verdict: oneOf('raise', 'clear', 'hold', 'no verdict'), breached: number, of: number, reason: text, models: names,
});
export const OBSERVED = object<{ seen: Observed; models: MonitoredModel[] }>({
  seen: object<Observed>({
    chain: name, release: number, at: time,
    reference: object<Observed['reference']>({ kind: oneOf('holdout', 'live'), rows: number, windows: number, method: text }),
    alert: object<Observed['alert']>({ m: number, n: number }),
    windows: list(observedWindow, 'windows'), alerts: list(alert, 'alerts'), drift: list(drift, 'columns'),
    releases: pooled, stages: pooled, slices: pooled, notes: texts, table: optional(artifact),
  }),
  models: list(object<MonitoredModel>({ name, drift: flag, degradation: flag }), 'models'),
});

// Definitions: what workflows themselves read. What else is in a spec is for the activities to look at, whose failure ends a run in words.
const hooks = optional(list(object<HookName>({ name: text, events: list(oneOf(...EVENT_TYPES), 'events') }), 'hooks'));

export const MODEL_DEFINITION = object<ModelDefinition>({
  model: object<Pick<ModelSpec, 'name' | 'task' | 'source' | 'inputs' | 'gates'>>({
    name, task: oneOf(...TASKS), source: name, inputs: list(object({ kind: oneOf('column', 'model'), name: text }), 'inputs'), gates: list(anything, 'gates'),
  }),
  source: object({ name }), downstream: names, chains: names, trainQueue: id, dataQueue: id, reports: optional(text), hooks,
  limits: optional(object<RetrainLimits>({ cooldownMs: milliseconds, budget: number })),
});

export const LIFECYCLE_INPUT = object<LifecycleInput>({ run: number, request: RUN_REQUEST, definition: MODEL_DEFINITION, champion: optional(version), rules: optional(artifact) });

const tolerance = object<Tolerance>({ loss: number, failures: number, latency: number, output: number });
const rollout = object<RolloutSpec>({
  shadow: number, steps: list(number, 'shares'), requests: number, everyMs: milliseconds, limitMs: milliseconds, inconclusive: oneOf('promote', 'refuse', 'ask'), idleMs: milliseconds,
  replayMs: milliseconds, bakeMs: milliseconds, errorRate: number, tolerance, paired: flag,
});
type ReadOfChain = Pick<ChainSpec, 'name' | 'stages' | 'outputStage' | 'output' | 'compareWith' | 'gates' | 'approval' | 'rollout'>;

export const CHAIN_DEFINITION = object<ChainDefinition>({
  spec: object<ReadOfChain>({
    name, stages: list(object<Pick<StageSpec, 'model' | 'timeoutMs'>>({ model: name, timeoutMs: milliseconds }), 'stages'), outputStage: name, output: record(text),
    compareWith: names, gates: list(anything, 'gates'), approval: oneOf('auto', 'manual'), rollout,
  }),
  dependencies: record(names), upstream: record(names), taskQueues: record(id), dataQueue: id, keyColumns: texts, approval: names, reports: optional(text), hooks,
});
