import type { Phase, Rollout } from './messages';

/** Where a candidate goes from here. Pure. */
export type Move = { to: Extract<Phase, 'approval' | 'replay' | 'shadow' | 'canary' | 'asking' | 'promoting'> } | { to: 'step'; step: number } | { to: 'refused'; reason: string } | { to: 'stay' };

/** All that needs no live request is done. The first release of a chain has nobody to be compared with. */
export function afterReplay({ candidate: { spec } }: Rollout, of: { needsApproval: boolean; first: boolean }): Move {
  if (of.needsApproval) return { to: 'approval' };
  if (of.first) return { to: 'promoting' };
  return spec.rollout.shadow > 0 ? { to: 'shadow' } : afterShadow(spec.rollout);
}

const afterShadow = ({ steps }: { steps: number[] }): Move => ({ to: steps.length > 0 ? 'canary' : 'promoting' });

/** Where users' requests speak for or against a candidate, also while it waits for a person. */
export const isTried = (phase: Phase): phase is 'shadow' | 'canary' | 'asking' => phase === 'shadow' || phase === 'canary' || phase === 'asking';

/**
 * A candidate that is worse goes at once, at any step, also when a person holds it or is to decide on it. To go on, a step needs its number of
 * requests; to be promoted, the judge must say that it is no worse. When no request comes, the recorded ones, which did not speak against it,
 * have to do.
 */
export function afterLook(rollout: Rollout, nowMs: number): Move {
  const { candidate: { spec: { rollout: plan } }, phase, step, pausedMs, look } = rollout;
  // The time that somebody held it does not count.
  const began = Date.parse(rollout.phaseAt) + pausedMs;
  const { verdict, reason } = look!.verdict;
  if (verdict === 'fail') return { to: 'refused', reason: `${phase === 'shadow' ? 'unseen' : 'in use'}, ${reason}` };
  if (rollout.paused || phase === 'asking') return { to: 'stay' };

  const quietSince = Math.max(began, look!.lastRequestAt ? Date.parse(look!.lastRequestAt) : 0);
  const quiet = nowMs - quietSince > plan.idleMs;
  const enough = phase === 'shadow' ? look!.unseen >= plan.shadow : look!.live >= plan.requests;
  const last = phase === 'shadow' ? plan.steps.length === 0 : step === plan.steps.length - 1;
  if ((enough || quiet) && !last) return phase === 'shadow' ? afterShadow(plan) : { to: 'step', step: step + 1 };
  if ((enough && verdict === 'pass') || (quiet && !enough)) return { to: 'promoting' };

  if (nowMs - began <= plan.limitMs) return { to: 'stay' };
  switch (plan.inconclusive) {
    case 'promote': return { to: 'promoting' };
    case 'ask': return { to: 'asking' };
    case 'refuse': return { to: 'refused', reason: `the judge came to no verdict in time: ${reason}` };
  }
}
