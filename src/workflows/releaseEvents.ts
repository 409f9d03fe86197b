import type { EventType, ShoalEvent } from '../domain/events';
import type { ReleaseDecision } from './messages';

const TYPES: Record<ReleaseDecision['status'], EventType> = {
  promoted: 'release.promoted', refused: 'release.refused', failed: 'release.refused', 'rolled back': 'release.rolledBack',
};

/** What is told of a decision on a release. One that could not be judged counts as refused, and `status` says `failed`: it is tried again with the next news. */
export function eventOfDecision(chain: string, decision: ReleaseDecision, id: (...parts: (string | number)[]) => string): Omit<ShoalEvent, 'at'> {
  const { number, at, status, reason, by, versions, evaluation } = decision;
  return {
    // A release may come back, and be rolled back again.
    id: id(chain, number, status.replace(' ', '-'), ...(status === 'rolled back' ? [Date.parse(at)] : [])),
    type: TYPES[status],
    chain,
    release: number,
    reason,
    details: {
      status, versions, ...(by !== undefined && { by }),
      ...(evaluation && { metrics: Object.fromEntries(evaluation.metrics.map(({ metric, value }) => [metric, value])) }),
    },
  };
}
