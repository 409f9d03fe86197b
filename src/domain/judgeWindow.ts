import type { WindowMetric } from './monitor';
import type { LiveMetric } from './liveScores';
import { bounds, partOf, type Part, type Usual } from './thresholds';

const NORMAL_95 = 1.96;

export const shown = (metric: LiveMetric, mean: number): number => (metric.root ? Math.sqrt(Math.max(0, mean)) : mean);

/** A window's metric with its 95% interval (of the mean, by its standard error), held against what is usual. */
export function windowMetric(metric: LiveMetric, part: Part, of: { kind: WindowMetric['kind']; usual: Usual | undefined; deviations: number }): WindowMetric {
  const { kind, usual, deviations } = of;
  const { rows, mean } = part;
  // The rows' own outcomes still vary about what is expected of them, as they do in the reference.
  const variance = kind === 'estimated' ? (usual?.within ?? part.variance) : part.variance;
  const error = NORMAL_95 * Math.sqrt(variance / Math.max(1, rows));
  const clip = (x: number): number => Math.min(metric.range[1], Math.max(metric.range[0], x));
  const result: WindowMetric = { metric: metric.metric, kind, value: shown(metric, mean), low: shown(metric, clip(mean - error)), high: shown(metric, clip(mean + error)), rows };
  if (!usual) return result;
  const { lower, upper } = bounds(usual, { rows, deviations, range: metric.range });
  const breached = metric.better === 'higher' ? mean < lower : mean > upper;
  return { ...result, threshold: shown(metric, metric.better === 'higher' ? lower : upper), breached };
}

/** A metric of rows taken together; undefined of none. */
export function pooled(metric: LiveMetric, losses: ArrayLike<number>): Omit<WindowMetric, 'kind'> | undefined {
  const part = partOf(losses);
  if (part.rows === 0) return undefined;
  const { kind: _kind, ...rest } = windowMetric(metric, part, { kind: 'measured', usual: undefined, deviations: 0 });
  return rest;
}
