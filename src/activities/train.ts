import { Context } from '@temporalio/activity';
import type { ModelSpec } from '../domain/spec';
import type { ArtifactRef, Manifest, Snapshot, TrainedVersion, VersionRef } from '../domain/version';
import type { Store } from '../store/store';
import { beating } from './beating';
import { recall } from './memory';
import { noteVersion } from './publish';

export interface TrainingJob {
  model: ModelSpec;
  snapshot: Snapshot;
  /** Upstream versions whose outputs it is trained on. */
  upstream: Record<string, VersionRef>;
  /** Rows that are to count less than others, or not at all: see `Manifest.weights`. */
  weights?: ArtifactRef;
  /** Names the job: the same job, run again, ends in the same version and resumes at the same checkpoint. */
  fingerprint: string;
}

export interface TrainingProgress { epoch: number; maxEpochs: number; validationLoss: number }

/** Runs a job where it can't block the worker: in a process of its own. */
export type RunTraining = (job: TrainingJob, run: { signal: AbortSignal; onProgress(progress: TrainingProgress): void }) => Promise<TrainedVersion>;

export const createTrain = ({ store, runTraining }: { store: Store; runTraining: RunTraining }) => ({
  /** Trains a version, or finds the one that the same spec, data and upstream versions made before. */
  train: ({ model, ...rest }: Omit<TrainingJob, 'fingerprint'>): Promise<TrainedVersion> =>
    beating(async ({ report }) => {
      const input = { ...rest, model: learnedFrom(model) };
      const { result, reused } = await recall(store, 'trainings', trainingIdentity(input), (fingerprint) =>
        runTraining({ ...input, fingerprint }, { signal: Context.current().cancellationSignal, onProgress: report }),
        ({ version }) => versionArtifacts(version, store));
      await noteVersion(store, result.version);
      return { ...result, summary: { ...result.summary, reused } };
    }),
});

export async function versionArtifacts({ manifest }: VersionRef, store: Store): Promise<ArtifactRef[]> {
  const { onnx, outputs } = await store.readJson<Manifest>(manifest);
  return [onnx, outputs];
}

/** What decides the outcome of a training; gates, queues and patience do not. */
export function trainingIdentity({ model, snapshot, upstream, weights }: Omit<TrainingJob, 'fingerprint'>) {
  const { gates: _gates, taskQueue: _taskQueue, trainer, ...learned } = learnedFrom(model);
  return {
    learned: trainer ? { ...learned, trainer: { activity: trainer.activity, params: trainer.params } } : learned,
    data: snapshot.data.sha256,
    upstream: Object.fromEntries(Object.entries(upstream).map(([name, ref]) => [name, ref.id])),
    ...(weights && { weights: weights.sha256 }),
  };
}

/** Without what happens before and after training: the same version comes of it however its data and labels are checked, and whoever approves it. */
function learnedFrom(model: ModelSpec): ModelSpec {
  const { checks: _checks, labels: _labels, approval: _approval, ...learned } = model;
  return learned as ModelSpec;
}
