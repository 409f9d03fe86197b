import type { ProjectSpec, WorkerSpec } from '../domain/spec';
import { dataQueue, serveQueue, trainQueue } from './messages';

export interface Queues { train: string; data: string; serve: string }

/**
 * Where a model's work goes: the project's queues, or queues called after the model where the project has a worker for it alone. A model's
 * own `taskQueue` is where it is served in any case.
 */
export function modelQueues({ temporal: { taskQueue }, workers, models }: Pick<ProjectSpec, 'temporal' | 'workers' | 'models'>, name: string): Queues {
  const own = (role: WorkerSpec['roles'][number]): boolean => workers.some((w) => w.roles.includes(role) && w.models?.includes(name));
  const called = (queue: string, apart: boolean): string => (apart ? `${queue}-${name}` : queue);
  return {
    train: called(trainQueue(taskQueue), own('train')),
    data: called(dataQueue(taskQueue), own('train')),
    serve: models[name]!.taskQueue ?? called(serveQueue(taskQueue), own('serve')),
  };
}

/** The queues that a worker polls for a role, each once. */
export function workerQueues(project: Pick<ProjectSpec, 'temporal' | 'workers' | 'models'>, { models, taskQueue }: WorkerSpec, kind: keyof Queues): string[] {
  const shared = { train: trainQueue, data: dataQueue, serve: serveQueue }[kind](project.temporal.taskQueue);
  if (!models) return [(kind === 'serve' ? taskQueue : undefined) ?? shared];
  return [...new Set(models.map((name) => modelQueues(project, name)[kind]))];
}
