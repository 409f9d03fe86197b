import { diagnoseClassification, type ClassificationDiagnosis } from './diagnosis-classification';
import { diagnoseEmbedding, type EmbeddingDiagnosis } from './diagnosis-embedding';
import { diagnoseForecast, type ForecastDiagnosis } from './diagnosis-forecast';
import { diagnoseRegression, type RegressionDiagnosis } from './diagnosis-regression';
import type { Predictions, Truth } from './evaluate';
import { labelsOf } from './metrics';
import type { ModelSpec } from './spec';
import { isNumeric } from './table';

/** Where a model is right and where it is wrong, in few enough numbers to be drawn: what the metrics summarise. */
export type Diagnosis = RegressionDiagnosis | ClassificationDiagnosis | ForecastDiagnosis | EmbeddingDiagnosis;

export interface Diagnosed {
  truth: Truth;
  predictions: Predictions;
  /** Of a forecast: what its steps are compared with. */
  baseline?: Predictions;
}

/** Undefined where not one row can be judged. */
export function diagnose(spec: ModelSpec, { truth, predictions, baseline }: Diagnosed): Diagnosis | undefined {
  const { outputs, classes = [] } = predictions;
  switch (truth.task) {
    case 'regression': {
      if (spec.task !== 'regression' || !isNumeric(truth.target)) return undefined;
      return diagnoseRegression(spec, { truth: truth.target.values, outputs });
    }
    case 'classification': return diagnoseClassification(labelsOf(truth.target), { outputs, classes });
    case 'forecast': return spec.task === 'forecast' ? diagnoseForecast(spec, { truth, outputs, baseline: baseline?.outputs }) : undefined;
    case 'embedding': return diagnoseEmbedding(truth.alike, outputs, spec.seed);
  }
}
