import type { EventType, ShoalEvent } from '../domain/events';
import type { RunRecord } from './messages';

const TYPES: Partial<Record<RunRecord['status'], EventType>> = { made: 'version.made', refused: 'version.refused', failed: 'run.failed' };

/** What is told of a run that has ended; nothing of one that changed nothing. */
export function eventOfRun(model: string, { run, status, reason, request, made }: RunRecord, id: (...parts: (string | number)[]) => string): Omit<ShoalEvent, 'at'> | undefined {
  const type = TYPES[status];
  if (!type) return undefined;
  return {
    id: id(model, 'run', run, status),
    type,
    model,
    ...(made && { version: made.version.id }),
    reason,
    details: {
      run, trigger: request.trigger, asked: request.reason, by: request.by,
      ...(made && { metrics: Object.fromEntries(made.metrics.map(({ metric, value }) => [metric, value])), upstream: made.upstream }),
    },
  };
}
