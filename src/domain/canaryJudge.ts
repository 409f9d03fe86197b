import { failuresCheck, latencyCheck, lossCheck, type Check, type Limits } from './canaryChecks';
import { ClassCheck, NumberCheck } from './canaryOutput';
import type { CanaryCheck, CanaryVerdict, Observation, Tolerance } from './rollout';

export interface JudgeOptions {
  /** Of a false pass, and of a false fail, each over all looks and checks together; in (0, 1). */
  errorRate: number;
  tolerance: Tolerance;
  /** Requests that the candidate must have answered before it can pass. */
  minimum: number;
  /** What the chain's main output is. */
  output: 'number' | 'class';
}

/**
 * What can be said of a candidate release after these requests, however often it was asked before. Give it all of them, in the order in
 * which they became known. A loss is taken in that order; what needs no outcome, in the order of answers, so that an outcome which comes late
 * moves nothing that was seen before.
 */
export function judgeCanary(observations: readonly Observation[], options: JudgeOptions): CanaryVerdict {
  const judge = new CanaryJudge(options);
  const answeredAt = (o: Observation): number => o.answeredAt ?? o.knownAt;
  for (const observation of [...observations].sort((a, b) => answeredAt(a) - answeredAt(b))) judge.addAnswer(observation);
  for (const observation of observations) judge.addLoss(observation);
  return judge.report();
}

/**
 * The judge, request by request: errors, latency, output and the chain's loss, each by a sequence of bets (see sequential.ts).
 *
 * Error rates. A false pass needs a false pass of the one check in which the candidate is worse, so each check may have all of the error
 * rate (intersection-union test: Berger, 1982). A false fail needs one false fail of any, so they share it, a quarter each whether or
 * not all four are measured: what is measured can change from one look to the next.
 */
export class CanaryJudge {
  private readonly checks: readonly Check[];
  /** The last of the checks: it alone waits for outcomes. */
  private readonly loss: Check;
  private readonly requests = { candidate: 0, reference: 0, both: 0 };

  constructor(private readonly options: JudgeOptions) {
    const { tolerance, errorRate, output } = options;
    const limits = (tolerated: number): Limits => ({ tolerance: tolerated, passErrorRate: errorRate, failErrorRate: errorRate / 4 });
    this.loss = lossCheck({ ...limits(tolerance.loss), kind: output === 'number' ? 'error' : 'wrong classes', minimum: options.minimum });
    this.checks = [
      failuresCheck(limits(tolerance.failures)),
      latencyCheck(limits(tolerance.latency)),
      output === 'number' ? new NumberCheck(limits(tolerance.output)) : new ClassCheck(limits(tolerance.output)),
      this.loss,
    ];
  }

  add(observation: Observation): void {
    this.addAnswer(observation);
    this.addLoss(observation);
  }

  addLoss(observation: Observation): void {
    this.loss.add(observation);
  }

  addAnswer(observation: Observation): void {
    const { candidate, reference } = observation;
    if (candidate) this.requests.candidate++;
    if (reference) this.requests.reference++;
    if (candidate && reference) this.requests.both++;
    for (const check of this.checks) if (check !== this.loss) check.add(observation);
  }

  /** The verdict alone, at the cost of a look and not of all requests. */
  verdict(): CanaryVerdict['verdict'] { return this.together(this.checks.map((check) => check.verdict())); }

  report(): CanaryVerdict {
    const checks = this.checks.map((check) => check.report());
    const verdict = this.together(checks.map((check) => check.verdict));
    return { verdict, reason: this.reason(verdict, checks), checks, requests: { ...this.requests } };
  }

  private together(verdicts: CanaryCheck['verdict'][]): CanaryVerdict['verdict'] {
    if (verdicts.includes('fail')) return 'fail';
    const measured = verdicts.filter((verdict) => verdict !== 'not measured');
    const passed = measured.length > 0 && measured.every((verdict) => verdict === 'pass');
    return passed && this.requests.candidate >= this.options.minimum ? 'pass' : 'inconclusive';
  }

  private reason(verdict: CanaryVerdict['verdict'], checks: CanaryCheck[]): string {
    const { candidate } = this.requests;
    if (candidate === 0) return 'The candidate has answered no request yet.';
    const why = (which: CanaryCheck['verdict']): string => checks.filter((c) => c.verdict === which).map((c) => c.reason).join('; ');
    const answered = `${candidate.toLocaleString('en-US')} request${candidate === 1 ? '' : 's'}`;
    switch (verdict) {
      case 'fail': return `Worse than the current release after ${answered}: ${why('fail')}.`;
      case 'pass': return `No worse than tolerated after ${answered}: ${why('pass')}.`;
      case 'inconclusive': return `Not known after ${answered}: ${why('inconclusive') || `it must answer ${this.options.minimum}`}.`;
    }
  }
}
