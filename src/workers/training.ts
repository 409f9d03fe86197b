import { CancelledFailure } from '@temporalio/common';
import type { RunTraining, TrainingJob, TrainingProgress } from '../activities/train';
import { ShoalError, type ErrorCode } from '../domain/errors';
import type { TrainedVersion } from '../domain/version';
import { endedBy, runProcess } from './ownProcess';

/** From the worker to the process. */
export interface TrainingOrder { storePath: string; job: TrainingJob }

/** From the process to the worker. */
export type TrainingMessage =
  | { type: 'progress'; progress: TrainingProgress }
  | { type: 'done'; result: TrainedVersion }
  | { type: 'refused'; code: ErrorCode; message: string; details: Record<string, unknown> }
  | { type: 'crashed'; message: string };

/**
 * One thread a training and no reordering of sums: the same job gives the same bits, and two fit on two cores. No AVX-512: the same bits on
 * more machines, and its kernels were seen to damage memory under a profiler.
 */
const ENVIRONMENT = { TF_CPP_MIN_LOG_LEVEL: '2', TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1', TF_ENABLE_ONEDNN_OPTS: '0', ONEDNN_MAX_CPU_ISA: 'AVX2' };

/** Runs each job in a process of its own, that ends with its worker; what it has done so far is in its checkpoints. */
export const createRunTraining = ({ storePath }: { storePath: string }): RunTraining => async (job, { signal, onProgress }) => {
  let outcome: Exclude<TrainingMessage, { type: 'progress' }> | undefined;
  const ending = await runProcess<TrainingMessage>({
    script: 'trainingProcess.js',
    order: { storePath, job } satisfies TrainingOrder,
    env: ENVIRONMENT,
    signal,
    onMessage: (message) => {
      if (message.type === 'progress') onProgress(message.progress);
      else outcome = message;
    },
  });
  switch (outcome?.type) {
    case 'done': return outcome.result;
    case 'refused': throw new ShoalError(outcome.code, outcome.message, { details: outcome.details });
    case 'crashed': throw new Error(outcome.message);
    case undefined:
      if (signal.aborted) throw new CancelledFailure('training was cancelled');
      throw new Error(`The training process of ${job.model.name} ended by ${endedBy(ending)} before it was done. ${ending.said}`);
  }
};
