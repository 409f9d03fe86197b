import { toScale } from './metrics-regression';
import type { Task } from './spec';

/** A metric that is a mean over rows, or the root of one: so windows of it can be added, and its bounds follow from the number of rows. */
export interface LiveMetric { metric: string; better: 'higher' | 'lower'; root: boolean; range: readonly [number, number] }

const LOSSES: Record<'classification' | 'numbers', LiveMetric[]> = {
  classification: [
    { metric: 'accuracy', better: 'higher', root: false, range: [0, 1] },
    { metric: 'log_loss', better: 'lower', root: false, range: [0, Infinity] },
  ],
  numbers: [
    { metric: 'mae', better: 'lower', root: false, range: [0, Infinity] },
    { metric: 'rmse', better: 'lower', root: true, range: [0, Infinity] },
  ],
};

/** What is watched of a chain by its output's task, that which raises alerts first. Vectors have no outcomes. */
export const liveMetrics = (task: Task): LiveMetric[] => (task === 'embedding' ? [] : LOSSES[task === 'classification' ? task : 'numbers']);
export const LIVE_METRICS = Object.values(LOSSES).flat().map(({ metric }) => metric);

/** A chain's answers, columns as long as each other. What it does not say is absent. */
export interface Answers {
  rows: number;
  value?: Float64Array;
  low?: Float64Array;
  high?: Float64Array;
  label?: (string | null)[];
  /** Of the label. */
  probability?: Float64Array;
  /** Row-major, classes in their order. */
  probabilities?: Float32Array | Float64Array;
}

/** What was true; null where it is not known. */
export type TrueValues = (number | string | null)[];

export interface Scale { scale: 'linear' | 'log10'; classes: readonly string[] }

const SMALLEST = 1e-15;
export const logLoss = (p: number): number => -Math.log(Math.min(1, Math.max(SMALLEST, p)));

/** A row's part of a metric: NaN where the truth is not known or the chain did not answer. Undefined where it can't be said of these answers. */
export function lossesOf(metric: string, answers: Answers, truth: TrueValues, { scale, classes }: Scale): Float64Array | undefined {
  const { label, value, probabilities } = answers;
  switch (metric) {
    case 'accuracy':
      return label && Float64Array.from(label, (said, i) => (said === null || truth[i] === null ? NaN : said === String(truth[i]) ? 1 : 0));
    case 'log_loss': {
      if (!probabilities || classes.length === 0) return undefined;
      const at = new Map(classes.map((name, i) => [name, i]));
      return Float64Array.from(truth, (was, i) => {
        const first = probabilities[i * classes.length]!;
        if (was === null || Number.isNaN(first)) return NaN;
        const c = at.get(String(was));
        return logLoss(c === undefined ? 0 : probabilities[i * classes.length + c]!);
      });
    }
    case 'mae':
    case 'rmse':
      return value && Float64Array.from(value, (said, i) => {
        const was = truth[i];
        const error = typeof was === 'number' ? toScale(said, scale) - toScale(was, scale) : NaN;
        return Number.isFinite(error) ? (metric === 'mae' ? Math.abs(error) : error * error) : NaN;
      });
    default:
      return undefined;
  }
}
