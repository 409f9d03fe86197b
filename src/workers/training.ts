import { fork } from 'node:child_process';
import path from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import type { RunTraining, TrainingJob, TrainingProgress } from '../activities/train';
import { ShoalError, type ErrorCode } from '../domain/errors';
import type { TrainedVersion } from '../domain/version';
import { packageRoot } from '../packageInfo';

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
const KEPT_OUTPUT = 2_000;

/** Runs each job in a process of its own, that ends with its worker; what it has done so far is in its checkpoints. */
export const createRunTraining = ({ storePath }: { storePath: string }): RunTraining => (job, { signal, onProgress }) =>
  new Promise((resolve, reject) => {
    const child = fork(path.join(packageRoot, 'dist/workers/trainingProcess.js'), {
      env: { ...process.env, ...ENVIRONMENT }, stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let said = '';
    child.stderr!.on('data', (chunk: Buffer) => { said = (said + chunk.toString()).slice(-KEPT_OUTPUT); });
    const abort = () => child.kill('SIGKILL');
    signal.addEventListener('abort', abort, { once: true });
    let outcome: (() => void) | undefined;

    child.on('message', (message: TrainingMessage) => {
      switch (message.type) {
        case 'progress': return onProgress(message.progress);
        case 'done': outcome = () => resolve(message.result); return;
        case 'refused': outcome = () => reject(new ShoalError(message.code, message.message, { details: message.details })); return;
        case 'crashed': outcome = () => reject(new Error(message.message)); return;
      }
    });
    child.on('error', reject);
    child.on('exit', (code, killedBy) => {
      signal.removeEventListener('abort', abort);
      if (outcome) return outcome();
      if (signal.aborted) return reject(new CancelledFailure('training was cancelled'));
      reject(new Error(`The training process of ${job.model.name} ended by ${killedBy ?? `status ${code}`} before it was done. ${said.trim()}`));
    });
    child.send({ storePath, job } satisfies TrainingOrder);
  });
