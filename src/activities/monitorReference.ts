import { loadTable } from '../data/loadTable';
import { everyNth } from '../data/compareData';
import { expectedLosses, fitClasses, fitLosses, type Estimator } from '../domain/estimate';
import { liveMetrics, lossesOf, type Answers, type LiveMetric, type Scale, type TrueValues } from '../domain/liveScores';
import { featureColumns, lossFeatures, type LossFeatures } from '../domain/lossFeatures';
import { labelsOf } from '../domain/metrics';
import type { RowColumn } from '../domain/rows';
import type { ModelSpec } from '../domain/spec';
import { isNumeric, isString, type Table } from '../domain/table';
import type { Release } from '../domain/version';
import { chainColumns, runStagesOnTable } from '../serve/stages';
import { chainPredictions, chainRun } from './chainHoldout';
import type { Data } from './inputs';
import { judgedChain } from './judgedChain';

/** What a release does on rows that none of its models was trained on: what its windows in use are held against. */
export interface MonitorReference {
  rows: number;
  spec: ModelSpec;
  scale: Scale;
  metrics: LiveMetric[];
  columns: RowColumn[];
  /** By the names in requests. */
  input: Table;
  answers: Answers;
  truth: TrueValues;
  /** By metric, in the order of `rows`. */
  losses: Record<string, Float64Array>;
  /** Absent where the chain's answers do not allow it. */
  estimator?: Estimator;
  features?: LossFeatures;
}

const MAX_ROWS = 20_000;

/** In the order in which the rows follow each other: by `time` where it is given, else as they lie, by key. */
export async function monitorReference(release: Release, { time }: { time?: string }, data: Data): Promise<MonitorReference> {
  const { columns } = await chainColumns(release, data.models);
  const named = [...new Map(columns.map((c) => [c.column, c])).values()];
  const judged = await judgedChain(release, data);
  const { spec, classes = [] } = judged.manifest;
  const scale: Scale = { scale: 'scale' in spec ? spec.scale : 'linear', classes };
  const metrics = liveMetrics(spec.task);
  const { input, answers, truth } = judged.holdout
    ? await fromHoldout(release, judged.holdout, { time, task: spec.task }, data)
    : await fromForecasts(release, judged);
  const losses = Object.fromEntries(metrics.flatMap(({ metric }) => {
    const loss = lossesOf(metric, answers, truth, scale);
    return loss ? [[metric, loss]] : [];
  }));
  const base = { rows: answers.rows, spec, scale, metrics, columns: named, input, answers, truth, losses };
  if (spec.task === 'classification') return { ...base, estimator: fitClasses(answers, truth as (string | null)[], classes) };
  if (!losses.mae) return base;
  const features = lossFeatures(input, losses.mae);
  return { ...base, features, estimator: fitLosses(featureColumns(features, input, answers), losses.mae) };
}

async function fromHoldout(release: Release, all: NonNullable<Awaited<ReturnType<typeof judgedChain>>['holdout']>, of: { time?: string; task: ModelSpec['task'] }, data: Data) {
  const chosen = everyNth(all.rows.length, MAX_ROWS);
  let order = Array.from(chosen);
  if (of.time) {
    const { table } = await loadTable(data.store, all.manifest.snapshot, [{ name: of.time, type: 'date' }]);
    const days = table.columns[of.time]!.values as Float64Array;
    order = order.sort((a, b) => (days[all.rows[a]!]! - days[all.rows[b]!]!) || a - b);
  }
  const holdout = { ...all, rows: order.map((i) => all.rows[i]!) };
  const run = await chainRun(release, holdout, data);
  const { outputs } = await chainPredictions(run, await runStagesOnTable(run, { models: data.models }), data);
  const target = all.truth.task === 'classification' ? labelsOf(all.truth.target) : all.truth.task === 'regression' ? numbersOrNull(all.truth.target.values as Float64Array) : [];
  // What the chain itself does not say, requests do not hold.
  const said = Object.fromEntries(Object.keys(release.spec.output).flatMap((name) => (outputs.columns[name] ? [[name, outputs.columns[name]]] : [])));
  return { input: run.input, answers: answersOf({ rows: outputs.rows, columns: said }), truth: order.map((i) => target[i] ?? null) };
}

/** Every period that was forecast from an earlier one is a row. A chain that ends in a forecast says what it says, unless an expression changes it. */
async function fromForecasts(release: Release, judged: Awaited<ReturnType<typeof judgedChain>>) {
  const none = { input: { rows: 0, columns: {} }, answers: { rows: 0 }, truth: [] };
  const { truth } = judged;
  const plain = /^stages(\.\w+|\["[^"]+"\])\.value$/.test(release.spec.output.value ?? '');
  if (truth.task !== 'forecast' || !plain) return none;
  const { outputs } = await judged.release(release);
  const { values } = truth.examples.target;
  const cells = Array.from(everyNth(values.length, MAX_ROWS));
  const numbers = (name: string) => {
    const column = outputs.columns[name];
    return column?.type === 'vector' ? Float64Array.from(cells, (c) => column.values[c]!) : undefined;
  };
  return { input: { rows: cells.length, columns: {} }, answers: { rows: cells.length, value: numbers('value'), low: numbers('low'), high: numbers('high') }, truth: cells.map((c) => (Number.isNaN(values[c]!) ? null : values[c]!)) };
}

const numbersOrNull = (values: Float64Array): (number | null)[] => Array.from(values, (x) => (Number.isNaN(x) ? null : x));

export function answersOf({ rows, columns }: Table): Answers {
  const numbers = (name: string) => (columns[name] && isNumeric(columns[name]) ? columns[name].values : undefined);
  return {
    rows,
    value: numbers('value'), low: numbers('low'), high: numbers('high'), probability: numbers('probability'),
    label: columns.label && isString(columns.label) ? columns.label.values : undefined,
    probabilities: columns.probabilities?.type === 'vector' ? columns.probabilities.values : undefined,
  };
}

/** Expected losses of rows whose outcome is not known. */
export function expectedOf(reference: MonitorReference, metric: string, of: { input: Table; answers: Answers }): Float64Array | undefined {
  const { estimator, features } = reference;
  if (!estimator) return undefined;
  return expectedLosses(estimator, metric, { answers: of.answers, features: features ? featureColumns(features, of.input, of.answers) : [] });
}
