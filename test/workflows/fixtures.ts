import { DEFAULT_ROLLOUT } from '../../src/config/schemaRollout';
import type { RolloutSpec } from '../../src/domain/rollout';
import type { ModelSpec } from '../../src/domain/spec';
import type { VersionRef } from '../../src/domain/version';
import type { ChainDefinition, ModelDefinition, RunRequest } from '../../src/workflows/messages';

export const ref = (model: string, id: string): VersionRef => ({ model, id, manifest: { uri: `objects/${id}`, sha256: id, bytes: 1 } });

export const definition = (name: string, upstream: string[] = []): ModelDefinition => ({
  model: {
    name, task: 'regression', source: 's', target: 'y', scale: 'linear', interval: 0.8, holdout: 0.25, seed: 1, gates: [], approval: 'auto',
    inputs: upstream.map((model) => ({ kind: 'model', name: `${model}.value`, model, output: 'value' })),
    training: { folds: 5, hidden: [8], maxEpochs: 10, patience: 3, batchSize: 64, learningRate: 0.01, weightDecay: 0 },
  } as ModelSpec,
  source: { name: 's', paths: ['/data.csv'], format: 'csv', key: [] } as unknown as ModelDefinition['source'],
  downstream: [],
  chains: [],
  trainQueue: 'shoal-train',
  dataQueue: 'shoal-data',
});

export const request = (batch: string, alongside: string[] = []): RunRequest => ({ trigger: 'person', reason: 'a test', by: 'tester', batch, alongside });

const stage = (model: string) => ({ model, with: {}, timeoutMs: 1000 });

/** A chain of models that read each other as given; the last is its output. */
export function chainOf(upstream: Record<string, string[]>, rollout: Partial<RolloutSpec> = {}, more: Partial<ChainDefinition['spec']> = {}): ChainDefinition {
  const models = Object.keys(upstream);
  return {
    spec: {
      name: 'c', stages: models.map(stage), outputStage: models.at(-1)!, output: { value: `stages.${models.at(-1)!}.value` }, compareWith: [], gates: [], approval: 'auto',
      rollout: { ...DEFAULT_ROLLOUT, ...rollout }, ...more,
    } as ChainDefinition['spec'],
    dependencies: upstream, upstream, taskQueues: Object.fromEntries(models.map((model) => [model, 'q'])), dataQueue: 'd', keyColumns: ['id'], approval: [],
  };
}
