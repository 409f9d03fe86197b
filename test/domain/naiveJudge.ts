import type { Observation } from '../../src/domain/rollout';
import type { Judge } from './simulatedCanary';

/** What should not be done: Welch's t-test of the losses at every look, each at 5% on either side. */
export class NaiveJudge implements Judge {
  private readonly candidate = { n: 0, sum: 0, squares: 0 };
  private readonly reference = { n: 0, sum: 0, squares: 0 };

  constructor(private readonly tolerance: number) {}

  add(observation: Observation): void {
    for (const side of ['candidate', 'reference'] as const) {
      const loss = observation[side]?.loss;
      if (loss === undefined) continue;
      const sums = this[side];
      sums.n++;
      sums.sum += loss;
      sums.squares += loss * loss;
    }
  }

  verdict(): 'pass' | 'fail' | 'inconclusive' {
    const [a, b] = [this.candidate, this.reference].map(({ n, sum, squares }) => ({ mean: sum / n, error: (squares / n - (sum / n) ** 2) / n }));
    const apart = (tolerance: number): number => (a!.mean - (1 + tolerance) * b!.mean) / Math.sqrt(a!.error + (1 + tolerance) ** 2 * b!.error);
    if (apart(0) > 1.645) return 'fail';
    return apart(this.tolerance) < -1.645 ? 'pass' : 'inconclusive';
  }
}
