import type { CollectionInput } from '../domain/retention';
import type { ScheduleSpec } from '../domain/schedule';
import type { ProjectSpec } from '../domain/spec';
import { dataQueue, type CollectGarbageInput } from '../workflows/messages';

const DAY_MS = 86_400_000;

/** What the workflow `collectGarbage` is told of a project. */
export function collectGarbageInput(project: ProjectSpec, { dryRun }: { dryRun: boolean }): CollectGarbageInput {
  const { name, models, chains, retention, temporal } = project;
  // What may still be read, by rule, is not too old: the requests that a candidate answers first, the folder of a trainer at work.
  const replays = Object.values(chains).map(({ rollout }) => rollout.replayMs + rollout.limitMs);
  const trainers = Object.values(models).flatMap(({ trainer }) => (trainer ? [trainer.timeoutMs] : []));
  const input: CollectionInput = {
    project: name,
    models: Object.keys(models),
    chains: Object.keys(chains),
    retention: { ...retention, requestsMs: Math.max(retention.requestsMs, ...replays), scratchMs: Math.max(retention.scratchMs, ...trainers) },
    dryRun,
  };
  return { ...input, dataQueue: dataQueue(temporal.taskQueue) };
}

/** Once a day the store is tidied, so that nobody needs to think of it. */
export const gcSchedule = (project: ProjectSpec): ScheduleSpec => ({
  id: `gc/${project.name}`,
  note: 'Removes from the store what no release, run or retention rule needs.',
  when: { everyMs: DAY_MS },
  jitterMs: DAY_MS / 24,
  overlap: 'skip',
  catchUpMs: DAY_MS,
  pauseOnFailure: false,
  workflow: { type: 'collectGarbage', args: [collectGarbageInput(project, { dryRun: false })], summary: `Tidy the store of ${project.name}` },
});
