import { amount, onRequests, percent, requestCount, sized, type Estimate } from './canaryWords';
import { Comparison, MISSING, type Measure, type Scores } from './comparison';
import { amounts, logarithms, shares, type Foresight } from './foresight';
import type { Answered, CanaryCheck, CheckName, Observation } from './rollout';

// Looked up once: these run for each request.
const { isNaN: isMissing, isFinite } = Number;
const { log } = Math;

/** One thing that a canary is judged by, request by request. */
export interface Check {
  add(observation: Observation): void;
  verdict(): CanaryCheck['verdict'];
  report(): CanaryCheck;
}

export interface Limits {
  tolerance: number;
  /** Probability, over all looks, of `pass` though the candidate is worse than tolerated. */
  passErrorRate: number;
  /** Of `fail` though it is no worse. */
  failErrorRate: number;
}

/** The share of failed requests. */
export const failuresCheck = (limits: Limits): Check => new NoWorse('failures', limits, {
  measure: 'difference',
  score: ({ failed }) => (failed ? 1 : 0),
  foresight: shares(0),
  words(estimate, { candidate, reference }) {
    const of = (side: { value: number; count: number }): string => `${Math.round(side.value * side.count)} of ${requestCount(side.count)}`;
    const { size, above, interval } = sized(estimate, ' points');
    return `${of(candidate)} failed against the current release's ${of(reference)}, ${size} ${above ? 'more' : 'fewer'} ${interval}`;
  },
});

/** The time an answer takes, by its geometric mean. Few very slow answers say little there; those that come too late are failures. */
export const latencyCheck = (limits: Limits): Check => new NoWorse('latency', limits, {
  measure: 'log ratio',
  score: ({ failed, seconds = 0 }) => (!failed && seconds > 0 && isFinite(seconds) ? log(seconds) : MISSING),
  foresight: logarithms(Math.log1p(limits.tolerance)),
  words: (estimate, { reference }) => relative(estimate, { what: 'time to answer', reference: Math.exp(reference.value), unit: ' s' }),
});

/** The chain's loss: a share of wrong classes, or a mean error from 0 up. */
export const lossCheck = ({ kind, minimum, ...limits }: Limits & { kind: 'wrong classes' | 'error'; minimum: number }): Check =>
  new NoWorse('loss', limits, {
    measure: 'ratio',
    score: ({ failed, loss = -1 }) => (!failed && loss >= 0 && isFinite(loss) ? loss : MISSING),
    foresight: kind === 'error' ? amounts() : shares(0.1),
    words: (estimate, { reference }) =>
      relative(estimate, { what: kind === 'error' ? 'mean error' : 'share of wrong classes', reference: reference.value, unit: '' }),
    // No factor leads from no loss to some: where neither side ever had any, nothing speaks against the candidate.
    spotless: ({ requests, candidate, reference }) => requests >= minimum && candidate.value === 0 && reference.value === 0,
  });

/** The candidate's mean is said as it would be on the reference's requests: where chance chose, the two did not answer the same ones. */
function relative(estimate: Estimate, { what, reference, unit }: { what: string; reference: number; unit: string }): string {
  const { effect = 0 } = estimate;
  const { size, above, interval } = sized(estimate, '%');
  const is = effect === 0 ? 'equals' : `is ${size} ${above ? 'above' : 'below'}`;
  return `the ${what} ${amount(reference * (1 + effect))}${unit} ${is} the current release's ${amount(reference)}${unit} ${interval}`;
}

interface Subject {
  measure: Measure;
  /** MISSING when the answer says nothing. */
  score(answered: Answered): number;
  foresight: Foresight;
  words(estimate: Estimate, comparison: Comparison): string;
  spotless?(comparison: Comparison): boolean;
}

/** Passes when the effect is surely less than tolerated, fails when it is surely above 0: between the two either is right. */
class NoWorse implements Check {
  private readonly comparison: Comparison;

  constructor(private readonly check: CheckName, private readonly limits: Limits, private readonly subject: Subject) {
    this.comparison = new Comparison(subject.measure, [{ side: 'below', effect: limits.tolerance }, { side: 'above', effect: 0 }]);
  }

  add(observation: Observation): void {
    const { foresight, score } = this.subject;
    const scores = scoresOf(observation, score);
    this.comparison.add(scores, foresight.next());
    if (!isMissing(scores.candidate)) foresight.saw(scores.candidate);
    if (!isMissing(scores.reference)) foresight.saw(scores.reference);
  }

  verdict(): CanaryCheck['verdict'] {
    const { comparison, limits, subject } = this;
    if (comparison.requests === 0) return 'not measured';
    if (comparison.surely('below', limits.tolerance, limits.passErrorRate) || subject.spotless?.(comparison)) return 'pass';
    return comparison.surely('above', 0, limits.failErrorRate) ? 'fail' : 'inconclusive';
  }

  report(): CanaryCheck {
    const { check, comparison, limits: { tolerance, passErrorRate, failErrorRate }, subject } = this;
    const { requests } = comparison;
    const verdict = this.verdict();
    const known = { check, verdict, requests, tolerance };
    const estimate = comparison.estimate({ low: failErrorRate, high: passErrorRate }, precision(tolerance));
    if (estimate.effect === undefined) return { ...known, reason: tooFew(check, requests) };
    const tolerated = subject.measure === 'difference' ? sized({ effect: tolerance }, ' points').size : percent(tolerance);
    return { ...known, ...estimate, reason: `${subject.words(estimate, comparison)} ${onRequests(requests)} (tolerated: ${tolerated})` };
  }
}

export const tooFew = (check: CheckName, requests: number): string =>
  `${check} ${requests === 0 ? 'not measured' : `measured ${onRequests(requests)} only`}`;

/** To which an effect is given. */
export const precision = (tolerance: number): number => (tolerance > 0 ? tolerance / 100 : 1e-4);

export const scoresOf = ({ candidate, reference, weight = MISSING }: Observation, score: (answered: Answered) => number): Scores => ({
  candidate: candidate ? score(candidate) : MISSING, reference: reference ? score(reference) : MISSING, weight,
});
