import { stageDependencies } from '../domain/graph';
import { hookNames } from '../domain/hooks';
import { chainModels, upstreamOf, type ProjectSpec } from '../domain/spec';
import { dataQueue, type ChainDefinition, type ModelDefinition } from '../workflows/messages';
import { modelQueues } from '../workflows/queues';

/** What the workflows of a project's models and chains are told about them. */

/** @param reports where reports are served, for links to them */
export function modelDefinition(project: ProjectSpec, name: string, reports?: string): ModelDefinition {
  const model = project.models[name]!;
  const { train, data } = modelQueues(project, name);
  return {
    model,
    source: project.sources[model.source]!,
    downstream: Object.values(project.models).filter((m) => upstreamOf(m).includes(name)).map((m) => m.name),
    chains: Object.values(project.chains).filter((c) => [...chainModels(c), ...c.compareWith].includes(name)).map((c) => c.name),
    trainQueue: train,
    dataQueue: data,
    reports,
    hooks: hookNames(project.hooks),
    limits: project.retrain.models[name]!.limits,
  };
}

export function chainDefinition(project: ProjectSpec, name: string, reports?: string): ChainDefinition {
  const spec = project.chains[name]!;
  const models = chainModels(spec);
  return {
    spec,
    dependencies: stageDependencies(spec, project.models),
    upstream: Object.fromEntries(models.map((model) => [model, upstreamOf(project.models[model]!)])),
    taskQueues: Object.fromEntries(spec.stages.map((s) => [s.model, modelQueues(project, s.model).serve])),
    dataQueue: dataQueue(project.temporal.taskQueue),
    keyColumns: project.sources[project.models[spec.outputStage]!.source]!.key,
    approval: models.filter((model) => project.models[model]!.approval === 'manual'),
    reports,
    hooks: hookNames(project.hooks),
  };
}
