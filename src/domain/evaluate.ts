import { bootstrap, boundsOf, gainOver, type BootstrapOptions, type Measured } from './bootstrap';
import { ShoalError } from './errors';
import type { Examples } from './examples';
import { labelsOf, type Scorers, type Scoring } from './metrics';
import { classificationScoring } from './metrics-classification';
import { embeddingScoring } from './metrics-embedding';
import { forecastScoring } from './metrics-forecast';
import { regressionScoring } from './metrics-regression';
import { METRICS, type ModelSpec } from './spec';
import { isNumeric, type Column, type Table } from './table';
import type { Gain, MetricResult } from './version';

/** What was true on the rows that are judged. */
export type Truth =
  | { task: 'regression'; target: Column }
  | { task: 'classification'; target: Column }
  /** `scales` from `naiveScales`, up to the holdout. */
  | { task: 'forecast'; examples: Pick<Examples, 'target' | 'series' | 'origins'>; scales: ReadonlyMap<string, number> }
  /** The columns that make rows alike; only `queries` ask for those like them when given. */
  | { task: 'embedding'; alike: Table; queries?: ArrayLike<number> };

/** A model's outputs by name (see OUTPUTS), one row for each row of the truth. */
export interface Predictions {
  outputs: Table;
  /** Classification: the order of `probabilities`. */
  classes?: readonly string[];
}

export interface Scored {
  truth: Truth;
  newcomer: Predictions;
  /** Not for an embedding, whose baseline is chance. */
  baseline?: Predictions;
  champion?: Predictions & { version: string };
}

export interface EvaluateOptions extends BootstrapOptions {
  /** Confidences of one-sided bounds that are wanted besides the interval. */
  bounds?: readonly number[];
  /** All of the task when absent. */
  metrics?: readonly string[];
}

type Predictor = 'newcomer' | 'baseline' | 'champion';
/** Predictors whose metrics can be taken on these rows. */
export type Scores = Scoring<Predictor>;

/**
 * The task's metrics, headline first, with the gain over baseline and champion on the same rows and its paired bootstrap
 * interval. A metric that is not defined on these rows is NaN.
 *
 * @throws ShoalError TOO_FEW_ROWS when no row can be judged; COLUMN_MISSING, COLUMN_TYPE for outputs that are not the task's.
 */
export function evaluate(spec: ModelSpec, scored: Scored, options: EvaluateOptions): MetricResult[] {
  const scoring = score(spec, scored, options.seed);
  if (scoring.rows === 0) {
    throw new ShoalError('TOO_FEW_ROWS', `Model ${spec.name}: not one row of the holdout can be judged.`, {
      remedy: spec.task === 'embedding'
        ? `No two of its rows agree on ${spec.alike.join(', ')}: choose columns with fewer values.`
        : `Its ${spec.target} is missing throughout: check the column, or keep a larger holdout.`,
      details: { model: spec.name },
    });
  }
  return metricsOf(spec, scoring, { ...options, champion: scored.champion?.version });
}

/** What `evaluate` says, of rows that are scored already. */
export function metricsOf(spec: ModelSpec, scoring: Scores, options: EvaluateOptions & { champion?: string }): MetricResult[] {
  const { newcomer, baseline, champion } = measure(scoring, options);
  const bounds = options.bounds?.length ? { confidences: options.bounds, resampling: scoring.resampling } : undefined;
  return Object.entries(METRICS[spec.task] as Record<string, 'higher' | 'lower'>).flatMap(([metric, better]): MetricResult[] => {
    const measured = newcomer?.[metric];
    if (!measured) return [];
    const against = (other: Measured | undefined): { value: number; gain: Gain } | undefined => {
      if (!other || metric === 'coverage') return undefined;
      return { value: other.value, gain: gainOver(other, measured, { better, confidence: options.confidence, bounds }) };
    };
    const overBaseline = against(baseline?.[metric]);
    const overChampion = against(champion?.[metric]);
    return [{
      metric, value: measured.value, better, rows: scoring.rows,
      ...(bounds && { bounds: boundsOf(measured, bounds) }),
      ...(overBaseline && { baseline: overBaseline }),
      ...(overChampion && { champion: { ...overChampion, version: options.champion! } }),
    }];
  });
}

/** @throws ShoalError COLUMN_MISSING, COLUMN_TYPE for outputs that are not the task's */
export function score(spec: ModelSpec, scored: Scored, seed: number): Scores {
  const scoring = scoreTask(spec, scored, seed);
  return 'interval' in spec ? { ...scoring, scorers: mapValues(scoring.scorers, (scorers) => withCoverageGap(scorers, spec.interval)) } : scoring;
}

function withCoverageGap(scorers: Scorers, nominal: number): Scorers {
  const { coverage } = scorers;
  return coverage ? { ...scorers, coverage_gap: (weights) => Math.abs(coverage(weights) - nominal) } : scorers;
}

function scoreTask(spec: ModelSpec, { truth, newcomer, baseline, champion }: Scored, seed: number): Scores {
  if (truth.task !== spec.task) throw new TypeError(`the truth of a ${truth.task} cannot judge ${spec.name}, a ${spec.task}`);
  const predictions = { newcomer, ...(baseline && { baseline }), ...(champion && { champion }) };
  const outputs = mapValues(predictions, (p) => p.outputs);
  switch (truth.task) {
    case 'regression': return regressionScoring(numbers(truth.target), outputs, spec.task === 'regression' ? spec.scale : 'linear');
    case 'classification': {
      const answers = mapValues(predictions, (p) => ({ outputs: p.outputs, classes: p.classes ?? [] }));
      return classificationScoring(labelsOf(truth.target), answers);
    }
    case 'forecast': return forecastScoring(truth, outputs);
    case 'embedding': {
      const { newcomer: now, champion: before } = outputs;
      const { scorers, ...rest } = embeddingScoring(truth.alike, { newcomer: now, ...(before && { champion: before }) }, { seed, queries: truth.queries });
      const { chance, ...others } = scorers;
      return { ...rest, scorers: { ...others, baseline: chance } };
    }
  }
}

/** Every metric's value and its values in the same resamples; no resamples of what is compared with nothing. */
function measure(scoring: Scores, options: EvaluateOptions): Partial<Record<Predictor, Record<string, Measured>>> {
  const entries = (Object.entries(scoring.scorers) as [Predictor, Scorers][])
    .flatMap(([who, scorers]) => Object.entries(scorers).map(([metric, scorer]) => ({ who, metric, scorer })))
    .filter(({ metric }) => options.metrics === undefined || options.metrics.includes(metric));
  const bounded = (options.bounds?.length ?? 0) > 0;
  const compared = Object.keys(scoring.scorers).length > 1;
  // Of the coverage itself no gain is taken, so that without bounds nobody asks how it varies.
  const scorers = compared || bounded ? entries.map((e) => (e.metric === 'coverage' && !bounded ? () => NaN : e.scorer)) : [];
  const resampled = bootstrap(scorers, scoring.resampling, options);
  const ones = new Float64Array(scoring.resampling.count).fill(1);
  const measured: Partial<Record<Predictor, Record<string, Measured>>> = {};
  entries.forEach(({ who, metric, scorer }, i) => {
    (measured[who] ??= {})[metric] = { value: scorer(ones), resampled: resampled[i] ?? new Float64Array(0) };
  });
  return measured;
}

function numbers(column: Column): Float64Array {
  if (isNumeric(column)) return column.values;
  throw new ShoalError('COLUMN_TYPE', `A regression's target holds numbers, not ${column.type} values.`, {
    remedy: 'Name a number column as its target.', details: { type: column.type },
  });
}

const mapValues = <K extends string, V, W>(of: Partial<Record<K, V>>, f: (value: V) => W): Partial<Record<K, W>> =>
  Object.fromEntries(Object.entries(of).map(([key, value]) => [key, f(value as V)])) as Partial<Record<K, W>>;
