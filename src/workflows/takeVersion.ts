import { proxyActivities } from '@temporalio/workflow';
import type { DataActivities } from '../activities';
import type { TrainingJob } from '../activities/train';
import type { TrainerSpec } from '../domain/spec';
import type { TrainerInput } from '../domain/trainer';
import type { TrainedVersion, TrainingSummary } from '../domain/version';
import type { ModelDefinition, RunRequest } from './messages';

interface Taken { definition: ModelDefinition; request: RunRequest; job: Omit<TrainingJob, 'fingerprint'> }

/** A version that Shoal does not train: of a file that was brought in, or of what the model's own trainer makes. */
export async function takeVersion({ definition, request: { file }, job }: Taken, shoal: DataActivities): Promise<TrainedVersion> {
  const isRead = definition.downstream.length > 0;
  if (file) return shoal.importVersion({ job, file, isRead });
  const prepared = await shoal.prepareTraining({ job, isRead });
  if ('made' in prepared) return prepared.made;
  const { input } = prepared;
  const started = Date.now();
  const answer = await trainerActivity(job.model.trainer!)(input);
  return shoal.acceptVersion({ job, input, answer, seconds: (Date.now() - started) / 1000, isRead });
}

/** Somebody else's activity, known by its name. What it answers is looked at by `acceptVersion`. */
function trainerActivity({ taskQueue, activity, timeoutMs, heartbeatMs }: TrainerSpec): (input: TrainerInput) => Promise<unknown> {
  const activities = proxyActivities<Record<string, (input: TrainerInput) => Promise<unknown>>>({
    taskQueue,
    startToCloseTimeout: timeoutMs,
    heartbeatTimeout: heartbeatMs,
    retry: { initialInterval: '1 second', maximumInterval: '1 minute', maximumAttempts: 5 },
    summary: `train by ${activity} on ${taskQueue}`,
  });
  return activities[activity]!;
}

export function madeHow({ maker, epochs, seconds }: TrainingSummary): string {
  if (maker?.kind === 'file') return `from the file ${maker.name}`;
  return `${maker ? `by ${maker.name}` : `${epochs} epochs`} in ${seconds.toFixed(1)} s`;
}
