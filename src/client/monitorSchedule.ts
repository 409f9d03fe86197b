import type { MonitorInput } from '../domain/monitor';
import type { ScheduleSpec } from '../domain/schedule';
import { chainModels, type ProjectSpec } from '../domain/spec';
import { dataQueue, monitorScheduleId } from '../workflows/messages';

/** What a chain's monitor is told. Undefined where the chain is not watched. */
export function monitorInput(project: ProjectSpec, chain: string): MonitorInput | undefined {
  const spec = project.chains[chain]!;
  if (!spec.monitor) return undefined;
  return {
    chain,
    monitor: spec.monitor,
    dataQueue: dataQueue(project.temporal.taskQueue),
    models: chainModels(spec).map((name) => {
      const { drift, degradation } = project.retrain.models[name]!;
      return { name, drift, degradation };
    }),
    stages: spec.stages.map(({ model }) => ({
      stage: model,
      chains: Object.values(project.chains).filter((other) => other.outputStage === model).map(({ name }) => name),
      source: project.sources[project.models[model]!.source]!,
    })),
  };
}

/** The schedule that looks at a chain in use. A look that is missed is made good by the next: it sees all the windows again. */
export function monitorSchedule(project: ProjectSpec, chain: string): ScheduleSpec | undefined {
  const input = monitorInput(project, chain);
  if (!input) return undefined;
  const { everyMs } = input.monitor;
  return {
    id: monitorScheduleId(chain),
    note: `Watches how ${chain} does in use: metrics, estimates and drift by windows.`,
    when: { everyMs },
    jitterMs: Math.min(60_000, Math.floor(everyMs / 10)),
    overlap: 'skip',
    catchUpMs: 60_000,
    // One look that fails, as when the store is away, says nothing of the next.
    pauseOnFailure: false,
    workflow: { type: 'monitor', args: [input], summary: `${chain} in use` },
  };
}
