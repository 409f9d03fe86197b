import { precision, scoresOf, tooFew, type Check, type Limits } from './canaryChecks';
import { onRequests, percent, sized, type Estimate } from './canaryWords';
import { Comparison, MISSING, type Foreseen } from './comparison';
import { Recent } from './recent';
import type { Answered, CanaryCheck, Observation } from './rollout';

/*
 * Answers may move: a retrained model's differ from the old one's on every row. So it is not asked whether they differ but by how much
 * their distributions do: `fail` when surely by more than tolerated, `pass` when surely by less.
 */

// Looked up once: these run for each request.
const { isNaN: isMissing, isFinite } = Number;

type Verdict = CanaryCheck['verdict'];

/** A share among the answers that may move to either side. */
class Shift extends Comparison {
  constructor(private readonly limits: Limits, remembers: boolean) {
    const ends = [-limits.tolerance, limits.tolerance];
    super('difference', ends.flatMap((effect) => [{ side: 'above', effect }, { side: 'below', effect }]), remembers);
  }

  within(): boolean {
    const { tolerance, passErrorRate } = this.limits;
    return this.surely('below', tolerance, passErrorRate) && this.surely('above', -tolerance, passErrorRate);
  }

  beyond(failErrorRate: number): boolean {
    const { tolerance } = this.limits;
    return this.surely('above', tolerance, failErrorRate / 2) || this.surely('below', -tolerance, failErrorRate / 2);
  }

  /** Of the shift to its own side: with its sign in words only. */
  shift(failErrorRate: number): Estimate & { up: boolean } {
    const errorRate = failErrorRate / 2;
    const { effect, low, high } = this.estimate({ low: errorRate, high: errorRate }, precision(this.limits.tolerance));
    const up = (effect ?? 0) >= 0;
    return up || effect === undefined ? { effect, low, high, up } : { effect: -effect, low: high && -high, high: low && -low, up };
  }
}

/**
 * Numbers: the probability that the candidate's answer is above one of the reference, equal ones counted half, away from a half (Mann &
 * Whitney, 1947). An answer's score is its rank among the reference's newest, which are there before it.
 */
export class NumberCheck implements Check {
  private readonly shift: Shift;
  private readonly newest = new Recent(500);

  constructor(private readonly limits: Limits) { this.shift = new Shift(limits, true); }

  add(observation: Observation): void {
    const { newest } = this;
    const { candidate, reference, weight } = scoresOf(observation, numberOf);
    const rank = (value: number): number => (isMissing(value) || newest.length === 0 ? value : newest.rank(value));
    // Among fewer, a rank says little.
    const foreseen = newest.length >= 20 ? RANKS : undefined;
    this.shift.add({ candidate: rank(candidate), reference: rank(reference), weight }, foreseen);
    if (!isMissing(reference)) newest.add(reference);
  }

  verdict(): Verdict {
    if (this.shift.requests === 0) return 'not measured';
    if (this.shift.within()) return 'pass';
    return this.shift.beyond(this.limits.failErrorRate) ? 'fail' : 'inconclusive';
  }

  report(): CanaryCheck {
    const { shift: { requests }, limits: { tolerance, failErrorRate } } = this;
    const known = { check: 'output' as const, verdict: this.verdict(), requests, tolerance };
    const { up, effect, low, high } = this.shift.shift(failErrorRate);
    if (effect === undefined) return { ...known, reason: tooFew('output', requests) };
    // A probability is at most a half away from a half; what is estimated from a sample may go beyond.
    const estimate = { effect: atMostHalf(effect), low: low && atMostHalf(low), high: high && atMostHalf(high) };
    const { size, interval } = sized(estimate, ' points');
    const probability = percent(0.5 + (up ? estimate.effect : -estimate.effect));
    const reason = `its answer is above the current release's with probability ${probability}, ${size} from a half ${interval} ${onRequests(requests)}`;
    return { ...known, ...estimate, reason: `${reason} (tolerated: ${sized({ effect: tolerance }, ' points').size})` };
  }
}

const RANKS: Foreseen = { low: 0, high: 1, typical: 0.5 };

const atMostHalf = (shift: number): number => Math.max(-0.5, Math.min(0.5, shift));

const numberOf = ({ failed, output }: Answered): number => (!failed && typeof output === 'number' && isFinite(output) ? output : MISSING);

/** Classes told apart. Those that come up later count as one. */
const CLASSES = 10;

interface ClassShare { name: string; has(answer: string): boolean; shift: Shift }

interface Answers { candidate: string | undefined; reference: string | undefined; weight: number | undefined }

/** Classes: each one's share among the candidate's answers, away from its share among the reference's. */
export class ClassCheck implements Check {
  private readonly answers: Answers[] = [];
  private readonly known = new Set<string>();
  private readonly shares: ClassShare[] = [];

  constructor(private readonly limits: Limits) {}

  add({ candidate, reference, weight }: Observation): void {
    const answers = { candidate: classOf(candidate), reference: classOf(reference), weight };
    this.meet(answers.reference);
    this.meet(answers.candidate);
    this.answers.push(answers);
    for (const share of this.shares) tell(share, answers);
  }

  verdict(): Verdict {
    if (!this.shares.some(({ shift }) => shift.requests > 0)) return 'not measured';
    if (this.shares.every(({ shift }) => shift.within())) return 'pass';
    return this.shares.some(({ shift }, i) => shift.beyond(this.failErrorRate(i))) ? 'fail' : 'inconclusive';
  }

  report(): CanaryCheck {
    const { tolerance } = this.limits;
    const verdict = this.verdict();
    const moved = ({ shift: { candidate, reference } }: ClassShare): number => Math.abs(candidate.value - reference.value) || 0;
    const [worst] = [...this.shares].sort((a, b) => moved(b) - moved(a));
    if (!worst || verdict === 'not measured') return { check: 'output', verdict: 'not measured', requests: 0, tolerance, reason: tooFew('output', 0) };
    const share = this.follow(worst.name, worst.has, true);
    const { requests, reference } = share.shift;
    const { up, ...estimate } = share.shift.shift(this.failErrorRate(this.shares.indexOf(worst)));
    const known = { check: 'output' as const, verdict, requests, tolerance };
    const { size, interval } = sized(estimate, ' points');
    const { effect = 0 } = estimate;
    const reason = `the share of ${worst.name}, ${percent(reference.value + (up ? effect : -effect))}, is ${size} ${up ? 'above' : 'below'} `
      + `the current release's ${percent(reference.value)} ${interval} ${onRequests(requests)}`;
    return { ...known, ...estimate, reason: `${reason} (tolerated: ${sized({ effect: tolerance }, ' points').size})` };
  }

  /** The first classes are followed one by one, each from the first request on; it was 0 until now. */
  private meet(answer: string | undefined): void {
    const { known, shares } = this;
    if (answer === undefined || known.has(answer) || shares.length > CLASSES) return;
    if (known.size === CLASSES) {
      shares.push(this.follow('all other classes', (other) => !known.has(other)));
      return;
    }
    known.add(answer);
    shares.push(this.follow(answer, (other) => other === answer));
  }

  private follow(name: string, has: (answer: string) => boolean, remembers = false): ClassShare {
    const share = { name, has, shift: new Shift(this.limits, remembers) };
    for (const answers of this.answers) tell(share, answers);
    return share;
  }

  /** Shared among as many classes as may come: 1/2 + 1/6 + 1/12 + ... = 1. */
  private failErrorRate(i: number): number { return this.limits.failErrorRate / ((i + 1) * (i + 2)); }
}

function tell({ has, shift }: ClassShare, { candidate, reference, weight = MISSING }: Answers): void {
  const score = (answer: string | undefined): number => (answer === undefined ? MISSING : has(answer) ? 1 : 0);
  shift.add({ candidate: score(candidate), reference: score(reference), weight }, SHARES);
}

const SHARES: Foreseen = { low: 0, high: 1, typical: 0 };

const classOf = (answered: Answered | undefined): string | undefined =>
  (answered === undefined || answered.failed || answered.output === undefined ? undefined : String(answered.output));
