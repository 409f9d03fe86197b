import { plural, words } from './gateWords';
import type { WorthSpec } from './spec';
import type { Ablation, Component, ComponentCost, MetricResult } from './version';

export const DEFAULT_WORTH: WorthSpec = { minGain: 0.005 };

/** One-sided, of the gain's lower bound. */
export const WORTH_CONFIDENCE = 0.95;

/** The chain's headline metric where one model answers as its trivial predictor does: `champion` is the chain so crippled. */
export interface Ablated { model: string; version: string; metric: MetricResult; cost: ComponentCost }

/**
 * Whether a component is worth what it costs. It is when the gain of having it is (1) at least `minGain`, as a share of the metric
 * without it, and (2) above zero with 95% confidence. So the burden of proof is the component's: what a chance split of the rows could
 * explain does not pay for training, storing and running a model for ever. The other way round, nothing could ever be named on small data.
 */
export function weigh({ model, version, metric, cost }: Ablated, { minGain }: WorthSpec): Component {
  const { value: without, gain } = metric.champion!;
  const bound = gain.bounds?.find(({ confidence }) => confidence === WORTH_CONFIDENCE);
  const share = without === 0 ? gain.value : gain.value / Math.abs(without);
  const price = inWords(cost);
  const component = { model, version, without, gain, cost };
  const range = Number.isFinite(gain.low) && Number.isFinite(gain.high) ? ` [${words(gain.low)}, ${words(gain.high)}]` : '';
  const adds = `${metric.metric} is ${words(metric.value)} with it and ${words(without)} without: a gain of ${words(gain.value)}${range} on ${plural(metric.rows ?? 0, 'row')}, ${percent(share)}, for ${price}`;
  if (!(gain.value > 0)) return { ...component, worth: false, reason: `${model} adds nothing: ${adds}` };
  if (!(share >= minGain)) return { ...component, worth: false, reason: `${model} adds less than the ${percent(minGain)} asked for: ${adds}` };
  if (!bound || !(bound.low > 0)) return { ...component, worth: false, reason: `${model} adds no more than chance may explain: ${adds}` };
  return { ...component, worth: true, reason: `${model} is worth its cost: ${adds}` };
}

export function summarise(chain: { metric: MetricResult; components: Component[] }, { minGain }: WorthSpec): Ablation {
  const { metric, components } = chain;
  const notWorth = components.filter(({ worth }) => !worth);
  const reason = notWorth.length === 0
    ? `Every model of the chain is worth its cost.`
    : `Not worth ${notWorth.length === 1 ? 'its' : 'their'} cost: ${notWorth.map((component) => component.reason).join('; ')}.`;
  return { metric: metric.metric, value: metric.value, rows: metric.rows ?? 0, minGain, components, notWorth: notWorth.map(({ model }) => model), reason };
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(2))}%`;

function inWords({ trainSeconds, onnxBytes, rowMs, thousandRowsMs }: ComponentCost): string {
  return [
    trainSeconds !== undefined && `${trainSeconds.toFixed(1)} s of training`,
    `${Math.max(1, Math.round(onnxBytes / 1024)).toLocaleString('en-US')} kB`,
    rowMs !== undefined && `${words(rowMs)} ms a row${thousandRowsMs === undefined ? '' : ` (${words(thousandRowsMs)} ms for 1,000)`}`,
  ].filter(Boolean).join(', ');
}

