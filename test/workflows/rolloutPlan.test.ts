import type { CanaryVerdict, RolloutSpec } from '../../src/domain/rollout';
import type { Look, Rollout } from '../../src/workflows/messages';
import { afterLook, afterReplay } from '../../src/workflows/rolloutPlan';
import { chainOf } from './fixtures';

const START = Date.parse('2026-01-01T00:00:00.000Z');
const iso = (ms: number) => new Date(START + ms).toISOString();
const MINUTE = 60_000;

const plan = { shadow: 50, steps: [0.05, 0.5], requests: 100, idleMs: 10 * MINUTE, limitMs: 60 * MINUTE } satisfies Partial<RolloutSpec>;
function rollout(of: { phase: Rollout['phase']; step?: number; verdict?: CanaryVerdict['verdict']; live?: number; unseen?: number; lastRequestAt?: string; pausedMs?: number; paused?: boolean; plan?: Partial<RolloutSpec> }): Rollout {
  const look: Look = {
    verdict: { verdict: of.verdict ?? 'inconclusive', reason: 'so far', checks: [], requests: { candidate: 0, reference: 0, both: 0 } },
    live: of.live ?? 0, unseen: of.unseen ?? 0, lastRequestAt: of.lastRequestAt ?? iso(MINUTE), at: iso(MINUTE),
  };
  const { spec } = chainOf({ a: [] }, { ...plan, ...of.plan });
  return {
    candidate: { chain: 'c', number: 2, spec, versions: {}, dependencies: {}, taskQueues: {} }, origin: { kind: 'versions', by: 'shoal', reason: 'new' },
    phase: of.phase, step: of.step ?? 0, weight: 0, startedAt: iso(0), phaseAt: iso(0), pausedMs: of.pausedMs ?? 0, look,
    ...(of.paused && { paused: { by: 'ann', reason: 'lunch', at: iso(0) } }),
  };
}
const at = (ms: number) => START + ms;

describe('a candidate', () => {
  it.each(['shadow', 'canary'] as const)('goes as soon as the judge finds it worse: %s', (phase) => {
    expect(afterLook(rollout({ phase, verdict: 'fail', live: 1 }), at(MINUTE))).toMatchObject({ to: 'refused', reason: expect.stringContaining('so far') });
  });

  it('goes from shadow to canary to the next step with enough requests, whatever is still open', () => {
    expect(afterLook(rollout({ phase: 'shadow', unseen: 49 }), at(MINUTE))).toEqual({ to: 'stay' });
    expect(afterLook(rollout({ phase: 'shadow', unseen: 50 }), at(MINUTE))).toEqual({ to: 'canary' });
    expect(afterLook(rollout({ phase: 'canary', live: 99 }), at(MINUTE))).toEqual({ to: 'stay' });
    expect(afterLook(rollout({ phase: 'canary', live: 100 }), at(MINUTE))).toEqual({ to: 'step', step: 1 });
  });

  it('is promoted from the last step only when the judge says so', () => {
    expect(afterLook(rollout({ phase: 'canary', step: 1, live: 100 }), at(MINUTE))).toEqual({ to: 'stay' });
    expect(afterLook(rollout({ phase: 'canary', step: 1, live: 99, verdict: 'pass' }), at(MINUTE))).toEqual({ to: 'stay' });
    expect(afterLook(rollout({ phase: 'canary', step: 1, live: 100, verdict: 'pass' }), at(MINUTE))).toEqual({ to: 'promoting' });
    expect(afterLook(rollout({ phase: 'shadow', unseen: 50, verdict: 'pass', plan: { steps: [] } }), at(MINUTE))).toEqual({ to: 'promoting' });
  });

  it('goes on by the recorded requests when no live ones come', () => {
    expect(afterLook(rollout({ phase: 'shadow' }), at(9 * MINUTE))).toEqual({ to: 'stay' });
    expect(afterLook(rollout({ phase: 'shadow' }), at(12 * MINUTE))).toEqual({ to: 'canary' });
    expect(afterLook(rollout({ phase: 'canary', step: 1 }), at(12 * MINUTE))).toEqual({ to: 'promoting' });
    expect(afterLook(rollout({ phase: 'canary', step: 1, lastRequestAt: iso(11 * MINUTE) }), at(12 * MINUTE))).toEqual({ to: 'stay' });
  });

  it.each([['promote', 'promoting'], ['ask', 'asking'], ['refuse', 'refused']] as const)('without a verdict in time: %s', (inconclusive, to) => {
    const of = rollout({ phase: 'canary', step: 1, live: 100, lastRequestAt: iso(60 * MINUTE), plan: { inconclusive } });
    expect(afterLook(of, at(59 * MINUTE))).toEqual({ to: 'stay' });
    expect(afterLook(of, at(61 * MINUTE))).toMatchObject({ to });
  });

  it('has its time beside that for which it was paused', () => {
    const of = { phase: 'canary', step: 1, live: 100, lastRequestAt: iso(200 * MINUTE), pausedMs: 120 * MINUTE } as const;
    expect(afterLook(rollout(of), at(179 * MINUTE))).toEqual({ to: 'stay' });
    expect(afterLook(rollout(of), at(181 * MINUTE))).toMatchObject({ to: 'refused' });
    expect(afterLook(rollout({ phase: 'shadow', pausedMs: 120 * MINUTE }), at(129 * MINUTE))).toEqual({ to: 'stay' });
  });

  it.each([{ phase: 'canary', paused: true }, { phase: 'shadow', paused: true }, { phase: 'asking' }] as const)('that a person holds, or is to decide on, stays however well it does and however long, and goes when it is worse: %j', (held) => {
    expect(afterLook(rollout({ ...held, step: 1, live: 1000, unseen: 1000, verdict: 'pass' }), at(600 * MINUTE))).toEqual({ to: 'stay' });
    expect(afterLook(rollout({ ...held, verdict: 'fail' }), at(MINUTE))).toMatchObject({ to: 'refused' });
  });

  it('asks for approval before any user sees it, and needs no canary when there is nothing in place', () => {
    expect(afterReplay(rollout({ phase: 'replay' }), { needsApproval: true, first: false })).toEqual({ to: 'approval' });
    expect(afterReplay(rollout({ phase: 'replay' }), { needsApproval: false, first: false })).toEqual({ to: 'shadow' });
    expect(afterReplay(rollout({ phase: 'replay', plan: { shadow: 0 } }), { needsApproval: false, first: false })).toEqual({ to: 'canary' });
    expect(afterReplay(rollout({ phase: 'replay', plan: { shadow: 0, steps: [] } }), { needsApproval: false, first: false })).toEqual({ to: 'promoting' });
    expect(afterReplay(rollout({ phase: 'servable' }), { needsApproval: false, first: true })).toEqual({ to: 'promoting' });
  });
});
