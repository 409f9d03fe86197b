import { modelOrder } from '../domain/graph';
import type { RetrainSchedule } from '../domain/retrain';
import type { ScheduleSpec } from '../domain/schedule';
import { chainModels, type ProjectSpec } from '../domain/spec';
import { modelQueues } from '../workflows/queues';
import type { RetrainInput } from '../workflows/retrain';
import type { WatchInput } from '../workflows/watch';
import { gcSchedule } from './garbage';
import { monitorSchedule } from './monitorSchedule';

/** All that a project does by itself at certain times. */
export function scheduleDefinitions(project: ProjectSpec): ScheduleSpec[] {
  const { models, chains, retrain } = project;
  const chainsOfTheirOwn = Object.keys(chains).filter((chain) => retrain.chains[chain]?.schedule);
  return [
    ...Object.entries(retrain.models).flatMap(([model, { schedule }]) => (schedule ? [retraining(model, [model], schedule)] : [])),
    ...chainsOfTheirOwn.map((chain) => retraining(`chain ${chain}`, modelOrder(models, chainModels(chains[chain]!)).reverse(), retrain.chains[chain]!.schedule!)),
    ...Object.keys(models).flatMap((model) => watching(project, model)),
    ...Object.keys(chains).flatMap((chain) => monitorSchedule(project, chain) ?? []),
    gcSchedule(project),
  ];
}

function retraining(what: string, models: string[], schedule: RetrainSchedule): ScheduleSpec {
  return {
    ...schedule,
    id: `retrain/${what.replace(' ', '/')}`,
    note: `Trains ${models.length === 1 ? what : `the models of ${what}: ${models.join(', ')}`}.`,
    workflow: { type: 'retrain', args: [{ what, models } satisfies RetrainInput], summary: `Train ${what}` },
  };
}

function watching(project: ProjectSpec, model: string): ScheduleSpec[] {
  const newData = project.retrain.models[model]?.newData;
  if (!newData) return [];
  const source = project.sources[project.models[model]!.source]!;
  const input: WatchInput = { model, source, newData, dataQueue: modelQueues(project, model).data };
  return [{
    id: `watch/${model}`,
    note: `Looks for new rows of ${source.name}, and trains ${model} when there are enough.`,
    when: { everyMs: newData.everyMs },
    jitterMs: Math.min(10_000, Math.floor(newData.everyMs / 10)),
    overlap: 'skip',
    // The next look sees the same rows.
    catchUpMs: 60_000,
    pauseOnFailure: false,
    workflow: { type: 'watch', args: [input], summary: `New rows for ${model}` },
  }];
}
