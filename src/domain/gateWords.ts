import { figure } from './headline';
import { certaintyOf } from './slices';
import type { GateSpec } from './spec';
import type { Gain, MetricResult } from './version';

/** What a verdict's sentences are made of. */

export type Limits = Pick<GateSpec, 'min' | 'max'>;

/** Without bounds, a gain must not be a loss. */
export const limits = ({ against, min, max }: GateSpec): Limits => (against !== 'value' && min === undefined && max === undefined ? { min: 0 } : { min, max });

export const limitsInWords = ({ min, max }: Limits): string =>
  [min !== undefined && `at least ${min}`, max !== undefined && `at most ${max}`].filter(Boolean).join(' and ');

export function nameOf(gate: GateSpec): string {
  const bounds = limitsInWords(limits(gate));
  const what = gate.against === 'value' ? gate.metric : `gain in ${gate.metric} over the ${gate.against}`;
  const { confidence, inDoubt } = certaintyOf(gate);
  const sure = confidence === undefined ? '' : inDoubt === 'refuse' ? confidently(confidence) : `unless ${confidently(confidence)} not`;
  return [what, bounds, gate.slice && sliceKind(gate), sure].filter(Boolean).join(' ');
}

/** `by city`, `where area is large` */
export const sliceKind = ({ slice }: Pick<GateSpec, 'slice'>): string => (slice!.column !== undefined ? `by ${slice!.column}` : `where ${slice!.name ?? slice!.where}`);

export const confidently = (confidence: number): string => `with ${Number((100 * confidence).toFixed(confidence > 0.999 ? 3 : 1))}% confidence`;

export function comparison(metric: MetricResult, other: { what: string; who: string; value: number; gain: Gain }): string {
  const { gain } = other;
  const verb = gain.value > 0 ? 'beats' : gain.value < 0 ? 'is worse than' : 'equals';
  const start = `${other.what} ${words(metric.value)} ${verb} the ${other.who}'s ${words(other.value)}`;
  if (gain.value === 0) return start;
  // Said as a loss, the interval turns round.
  const [low, high] = gain.value > 0 ? [gain.low, gain.high] : [-gain.high, -gain.low];
  // After a payload, what was NaN is null.
  const interval = Number.isFinite(gain.low) && Number.isFinite(gain.high) ? ` [${words(low)}, ${words(high)}]` : '';
  return `${start} by ${words(Math.abs(gain.value))}${interval}`;
}

export const onRows = ({ rows }: MetricResult): string => (rows === undefined ? '' : ` on ${rows.toLocaleString('en-US')} row${rows === 1 ? '' : 's'}`);
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
export const words = (value: number): string => (value !== 0 && Math.abs(value) < 0.01 ? String(Number(value.toPrecision(2))) : figure(value));
