import type { ClassificationSpec, EmbeddingSpec, ForecastSpec, RegressionSpec } from '../../src/domain/spec';

const base = {
  source: 'rows', inputs: [], gates: [], holdout: 0.25, seed: 1,
  training: { folds: 3, hidden: [8], maxEpochs: 1, patience: 1, batchSize: 8, learningRate: 0.01, weightDecay: 0 },
};

export const regression = (over: Partial<RegressionSpec> = {}): RegressionSpec =>
  ({ ...base, name: 'price', task: 'regression', target: 'price', scale: 'linear', interval: 0.8, ...over });

export const classification = (over: Partial<ClassificationSpec> = {}): ClassificationSpec =>
  ({ ...base, name: 'kind', task: 'classification', target: 'kind', ...over });

export const embedding = (over: Partial<EmbeddingSpec> = {}): EmbeddingSpec =>
  ({ ...base, name: 'near', task: 'embedding', alike: ['kind'], dimensions: 2, ...over });

export const forecast = (over: Partial<ForecastSpec> = {}): ForecastSpec => ({
  ...base, name: 'demand', task: 'forecast', target: 'demand', time: 'date', frequency: 'month', horizon: 3, context: 6, season: 12,
  scale: 'linear', interval: 0.8, at: 'date', ...over,
});
