import { figure } from './headline';
import type { GateSpec } from './spec';
import type { Gain, GateResult, MetricResult, Verdict } from './version';

/**
 * Whether a version or a release may have its place. Gates on the gain over a champion do not apply without one. A metric that
 * is missing, or no number, fails its gate. Without bounds, a gate on a gain asks for no loss (min 0), one on a value for a number.
 */
export function judge(metrics: readonly MetricResult[], gates: readonly GateSpec[]): Verdict {
  const results = gates.map((gate) => decide(metrics, gate));
  const failed = results.filter((result) => !result.passed);
  return { passed: failed.length === 0, reason: summary(results, failed), gates: results };
}

function summary(results: GateResult[], failed: GateResult[]): string {
  if (results.length === 0) return 'There is no gate to pass.';
  const why = (some: GateResult[]): string => some.map((result) => result.reason).join('; ');
  if (failed.length > 0) return `Refused by ${failed.length} of ${plural(results.length)}: ${why(failed)}.`;
  return `Passed ${results.length === 1 ? 'its gate' : `all ${plural(results.length)}`}: ${why(results)}.`;
}

function decide(metrics: readonly MetricResult[], spec: GateSpec): GateResult {
  const gate = nameOf(spec);
  const result = (passed: boolean, reason: string): GateResult => ({ gate, passed, reason });
  const metric = metrics.find((candidate) => candidate.metric === spec.metric);
  if (!metric) {
    return result(false, `${spec.metric} was not measured (there are ${metrics.map((m) => m.metric).join(', ') || 'no metrics'})`);
  }
  if (!isNumber(metric.value)) return result(false, `${spec.metric} is not defined on these rows`);
  if (spec.against === 'value') {
    const passed = within(metric.value, spec);
    const is = passed ? 'is' : 'is not';
    return result(passed, `${spec.metric} ${words(metric.value)} ${is} ${bounds(spec) || 'a number'}${onRows(metric)}`);
  }
  const other = metric[spec.against];
  if (!other && spec.against === 'champion') return result(true, `there is no champion to beat in ${spec.metric}`);
  if (!other || !isNumber(other.gain.value)) return result(false, `${spec.metric} of the ${spec.against} is not known on these rows`);
  const passed = within(other.gain.value, gainBounds(spec));
  const demand = passed ? '' : `, but the gain must be ${bounds(gainBounds(spec))}`;
  return result(passed, `${comparison(metric, { who: spec.against, value: other.value, gain: other.gain })}${onRows(metric)}${demand}`);
}

function comparison(metric: MetricResult, other: { who: string; value: number; gain: Gain }): string {
  const { gain } = other;
  const verb = gain.value > 0 ? 'beats' : gain.value < 0 ? 'is worse than' : 'equals';
  const start = `${metric.metric} ${words(metric.value)} ${verb} the ${other.who}'s ${words(other.value)}`;
  if (gain.value === 0) return start;
  // Said as a loss, the interval turns round.
  const [low, high] = gain.value > 0 ? [gain.low, gain.high] : [-gain.high, -gain.low];
  const interval = isNumber(low) && isNumber(high) ? ` [${words(low)}, ${words(high)}]` : '';
  return `${start} by ${words(Math.abs(gain.value))}${interval}`;
}

type Bounds = Pick<GateSpec, 'min' | 'max'>;

const gainBounds = (spec: GateSpec): Bounds => (spec.min === undefined && spec.max === undefined ? { min: 0 } : spec);

const within = (value: number, { min, max }: Bounds): boolean =>
  (min === undefined || value >= min) && (max === undefined || value <= max);

function bounds({ min, max }: Bounds): string {
  return [min !== undefined && `at least ${min}`, max !== undefined && `at most ${max}`].filter(Boolean).join(' and ');
}

function nameOf(spec: GateSpec): string {
  if (spec.against === 'value') return `${spec.metric} ${bounds(spec)}`.trimEnd();
  return `gain in ${spec.metric} over the ${spec.against} ${bounds(gainBounds(spec))}`;
}

/** After a payload, what was NaN is null. */
const isNumber = (value: number | null | undefined): value is number => typeof value === 'number' && Number.isFinite(value);

const onRows = ({ rows }: MetricResult): string =>
  (rows === undefined ? '' : ` on ${rows.toLocaleString('en-US')} row${rows === 1 ? '' : 's'}`);
const plural = (count: number): string => `${count} gate${count === 1 ? '' : 's'}`;
const words = (value: number): string => (value !== 0 && Math.abs(value) < 0.01 ? String(Number(value.toPrecision(2))) : figure(value));
