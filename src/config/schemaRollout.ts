import { z } from 'zod';
import type { RolloutSpec } from '../domain/rollout';
import { expectations } from './expectations';

/** How a release comes into use, as people write it; `resolveRollout` makes a RolloutSpec of it. */

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export const period = z.string().regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/);
expectations.add(period, { expects: 'a number and its unit, such as 30s, 10m, 2h or 7d' });

const percentage = z.string().regex(/^(100|\d{1,2}(\.\d+)?)%$/);
expectations.add(percentage, { expects: 'a share: a number from 0 to 1, or a percentage such as 5%' });
export const share = z.union([z.number().gt(0).lt(1), percentage]);

export const shareOf = (step: number | string): number => (typeof step === 'number' ? step : Number(step.slice(0, -1)) / 100);
const rise = (steps: (number | string)[]): boolean => steps.every((step, i) => i === 0 || shareOf(step) > shareOf(steps[i - 1]!));

export const rolloutSchema = z.strictObject({
  shadow: z.int().min(0).default(0).describe('Live requests that a candidate answers unseen before any user sees it.'),
  steps: z.array(share).refine(rise, { message: 'each step must be larger than the one before' }).default([]).describe('Shares of the live requests that it answers then, rising; none to promote it at once.'),
  requests: z.int().min(1).default(100).describe('Requests it must have answered at each step.'),
  every: period.default('30s').describe('Time between two looks of the judge.'),
  limit: period.default('1d').describe('How long the judge may come to no verdict, at each step.'),
  inconclusive: z.enum(['promote', 'refuse', 'ask']).default('refuse').describe('What is done then; `ask` waits for a person.'),
  idle: period.default('1m').describe('When no request has come for so long, the recorded ones of `replay` stand in for live ones.'),
  replay: period.default('7d').describe('How far back recorded requests are answered by a candidate before it sees live ones.'),
  bake: period.default('1h').describe('How long a promoted release is watched; it is taken back when it is worse than the one before.'),
  errorRate: z.number().gt(0).lt(0.5).default(0.05)
    .describe('Probability with which a good candidate is taken for a bad one, or a bad one for a good one, however often the judge looks.'),
  tolerance: z.strictObject({
    loss: z.number().gt(0).default(0.05).describe('Share by which the mean error may be larger.'),
    failures: z.number().gt(0).lt(1).default(0.02).describe('How much larger the share of failed requests may be.'),
    latency: z.number().gt(0).default(0.5).describe('Share by which an answer may take longer.'),
    output: z.number().gt(0).lt(0.5).default(0.15).describe('How far answers may move: in the share that lies above the other release\'s, or in the share of a class.'),
  }).prefault({}).describe('What counts as no worse.'),
  paired: z.boolean().default(true)
    .describe('Compare both releases\' answers to the same request, one of them unseen. Not where an answer changes its own outcome, as a price may.'),
}).describe('How a release that passed its gates comes into use. The candidate first answers the recorded requests; then come the steps named here.');

export function resolveRollout(written: z.output<typeof rolloutSchema>): RolloutSpec {
  const { shadow, requests, inconclusive, errorRate, tolerance, paired } = written;
  return {
    shadow, requests, inconclusive, errorRate, tolerance, paired,
    steps: written.steps.map(shareOf),
    everyMs: milliseconds(written.every),
    limitMs: milliseconds(written.limit),
    idleMs: milliseconds(written.idle),
    replayMs: milliseconds(written.replay),
    bakeMs: milliseconds(written.bake),
  };
}

export const DEFAULT_ROLLOUT: RolloutSpec = resolveRollout(rolloutSchema.parse({}));

/** Of a number and its unit. */
export function milliseconds(duration: string): number {
  const [, amount, unit] = /^([\d.]+)(ms|s|m|h|d)$/.exec(duration)!;
  return Math.round(Number(amount) * UNITS[unit as keyof typeof UNITS]);
}
