import type { ModelSpec } from '../../src/domain/spec';
import type { VersionRef } from '../../src/domain/version';
import type { ModelDefinition, RunRequest } from '../../src/workflows/messages';

export const ref = (model: string, id: string): VersionRef => ({ model, id, manifest: { uri: `objects/${id}`, sha256: id, bytes: 1 } });

export const definition = (name: string, upstream: string[] = []): ModelDefinition => ({
  model: {
    name, task: 'regression', source: 's', target: 'y', scale: 'linear', interval: 0.8, holdout: 0.25, seed: 1, gates: [],
    inputs: upstream.map((model) => ({ kind: 'model', name: `${model}.value`, model, output: 'value' })),
    training: { folds: 5, hidden: [8], maxEpochs: 10, patience: 3, batchSize: 64, learningRate: 0.01, weightDecay: 0 },
  } as ModelSpec,
  source: { name: 's', paths: ['/data.csv'], format: 'csv', key: [] },
  downstream: [],
  chains: [],
  trainQueue: 'shoal-train',
  dataQueue: 'shoal-data',
});

export const request = (batch: string, alongside: string[] = []): RunRequest => ({ trigger: 'person', reason: 'a test', by: 'tester', batch, alongside });
