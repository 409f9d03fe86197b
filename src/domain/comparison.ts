import { crossing, Wealth } from './sequential';

// Looked up once: these run many times for each request.
const { isNaN: isMissing } = Number;
const { max } = Math;

/**
 * What an effect is, and what the scores must be:
 * - `difference`: the candidate's mean minus the reference's; scores in [0, 1].
 * - `ratio`: the candidate's mean over the reference's, minus 1; scores from 0 up.
 * - `log ratio`: the same of their geometric means; the scores are logarithms.
 */
export type Measure = 'difference' | 'ratio' | 'log ratio';

/** For a score that there is not. */
export const MISSING = NaN;

/** One request's scores: both where both answered, else one of them and the probability with which it went to the candidate. */
export interface Scores { candidate: number; reference: number; weight: number }

/** What is taken of scores before they come: they are winsorised to [low, high], and `typical` stands for their means until there are some. */
export interface Foreseen { low: number; high: number; typical: number }

/** That the effect is above, or below, a value. */
export interface Claim { side: 'above' | 'below'; effect: number }

/**
 * Candidate and reference, request by request, as evidence on the effect that may be looked at after each.
 *
 * Where both answered, a request's evidence is the difference of their scores. Where chance sent it to one of them, it is the doubly
 * robust pseudo-outcome of that difference, from the means so far and the probability (Waudby-Smith, Wu, Ramdas, Karampatziakis & Mineiro,
 * "Anytime-valid off-policy inference for contextual bandits", 2024). Both have the effect for their mean, so one sequence runs through a
 * shadow and all steps of a canary, and weighs each request by what it can tell.
 *
 * For a hypothesised effect the candidate's scores are first taken back by it, then winsorised: when the candidate is worse by just that
 * factor throughout, both sides are alike and winsorising changes nothing.
 */
export class Comparison {
  /** Requests that tell something: both answered, or one by a known chance. */
  requests = 0;
  readonly candidate = new RunningMean();
  readonly reference = new RunningMean();
  private readonly trail = new Trail();
  private readonly tests: Test[];

  /**
   * @param claims for which evidence is gathered as requests come.
   * @param remembers whether it keeps what came: it needs that for any other claim, and for an estimate.
   */
  constructor(private readonly measure: Measure, claims: readonly Claim[], private readonly remembers = true) {
    this.tests = claims.map((claim) => new Test(measure, claim));
  }

  /** @param foreseen undefined when too little came before to bet on these. */
  add({ candidate, reference, weight }: Scores, foreseen: Foreseen | undefined): void {
    const both = !isMissing(candidate) && !isMissing(reference);
    const one = isMissing(candidate) !== isMissing(reference) && weight > 0 && weight < 1;
    if (!both && !one) return;
    this.requests++;
    if (!foreseen) return;
    const { trail } = this;
    const { low, high, typical } = foreseen;
    const referenceMean = this.reference.from(typical);
    trail.add({ candidate, reference, weight: both ? MISSING : weight, low, high, candidateMean: this.candidate.from(referenceMean), referenceMean });
    for (let i = 0; i < this.tests.length; i++) this.tests[i]!.add(trail, trail.length - 1);
    if (!this.remembers) trail.length = 0;
    if (!isMissing(candidate)) this.candidate.add(clip(candidate, low, high));
    if (!isMissing(reference)) this.reference.add(clip(reference, low, high));
  }

  /** Whether the contrary of a claim is refuted at this error rate. */
  surely(side: Claim['side'], effect: number, errorRate: number): boolean {
    const test = this.tests.find((t) => t.claim.side === side && t.claim.effect === effect) ?? this.test({ side, effect });
    return test.logWealth() >= -Math.log(errorRate);
  }

  /** The effect, and its confidence sequence, whose ends fail with these error rates. An end that is not known yet is undefined. */
  estimate(errorRates: { low: number; high: number }, precision: number): { effect?: number; low?: number; high?: number } {
    if (this.trail.length === 0) return {};
    const [least, most] = this.measure === 'difference' ? [-1, 1] : [-1 + 1e-6, 1e3];
    const start = this.balance(0);
    const effect = start === 0 ? 0 : crossing((x) => -Math.sign(start) * this.balance(x), {
      from: 0, step: 8 * precision, limit: start > 0 ? most : least, precision,
    });
    const end = (side: Claim['side'], limit: number, errorRate: number): number | undefined =>
      crossing((x) => this.test({ side, effect: x }).logWealth() + Math.log(errorRate), {
        from: effect ?? 0, step: 16 * precision, limit, precision,
      });
    return { effect, low: end('above', least, errorRates.low), high: end('below', most, errorRates.high) };
  }

  private test(claim: Claim): Test {
    const test = new Test(this.measure, claim);
    for (let i = 0; i < this.trail.length; i++) test.add(this.trail, i);
    return test;
  }

  /** The evidence beyond a hypothesised effect: paired and routed requests are weighed by their precision. */
  private balance(effect: number): number {
    const hypothesis = hypothesisOf(this.measure, effect);
    const evidence = new Evidence();
    const sums = { paired: { value: 0, square: 1, slope: 0 }, routed: { value: 0, square: 1, slope: 0 } };
    for (let i = 0; i < this.trail.length; i++) {
      evidence.of(this.trail, i, hypothesis);
      const range = evidence.most - evidence.least;
      if (!(range > 0)) continue;
      const sum = evidence.paired ? sums.paired : sums.routed;
      sum.value += evidence.value / range;
      sum.square += (evidence.value / range) ** 2;
      sum.slope += 1 / range;
    }
    return [sums.paired, sums.routed].reduce((total, { value, square, slope }) => total + (value * slope) / square, 0);
  }
}

class RunningMean {
  count = 0;
  private sum = 0;

  add(value: number): void {
    this.sum += value;
    this.count++;
  }

  /** NaN of nothing. */
  get value(): number { return this.sum / this.count; }

  /** Together with a guess that counts as ten. */
  from(guess: number): number { return (this.sum + 10 * guess) / (this.count + 10); }
}

interface Step extends Scores, Omit<Foreseen, 'typical'> {
  /** Means so far. */
  candidateMean: number;
  referenceMean: number;
}

const WIDTH = 7;

/** What was known of each request, WIDTH numbers; no weight where both answered. */
class Trail {
  length = 0;
  numbers = new Float64Array(WIDTH * 64);

  add(step: Step): void {
    const at = WIDTH * this.length++;
    if (at === this.numbers.length) {
      const grown = new Float64Array(2 * at);
      grown.set(this.numbers);
      this.numbers = grown;
    }
    const { numbers } = this;
    numbers[at] = step.candidate;
    numbers[at + 1] = step.reference;
    numbers[at + 2] = step.weight;
    numbers[at + 3] = step.low;
    numbers[at + 4] = step.high;
    numbers[at + 5] = step.candidateMean;
    numbers[at + 6] = step.referenceMean;
  }
}

/** How scores are taken back by an effect: the candidate's are multiplied and shifted, the reference's multiplied after winsorising. */
interface Hypothesis { shrink: number; shift: number; stretch: number; offset: number }

function hypothesisOf(measure: Measure, effect: number): Hypothesis {
  switch (measure) {
    case 'difference': return { shrink: 1, shift: 0, stretch: 1, offset: effect };
    case 'ratio': return { shrink: 1 / Math.max(1 + effect, 1), shift: 0, stretch: Math.min(1 + effect, 1), offset: 0 };
    case 'log ratio': return { shrink: 1, shift: Math.log1p(effect), stretch: 1, offset: 0 };
  }
}

/** A request's evidence that the effect is above a hypothesised one, and the least and the most it could have been. */
class Evidence {
  value = 0;
  least = 0;
  most = 0;
  paired = true;

  of({ numbers }: Trail, i: number, { shrink, shift, stretch, offset }: Hypothesis): void {
    const at = WIDTH * i;
    const weight = numbers[at + 2]!;
    const low = numbers[at + 3]!;
    const high = numbers[at + 4]!;
    const candidate = clip(numbers[at]! * shrink - shift, low, high);
    const reference = clip(numbers[at + 1]!, low, high) * stretch;
    this.paired = isMissing(weight);
    if (this.paired) {
      this.value = candidate - reference - offset;
      this.least = low - high * stretch - offset;
      this.most = high - low * stretch - offset;
      return;
    }
    const candidateMean = clip(numbers[at + 5]! * shrink - shift, low, high);
    const referenceMean = clip(numbers[at + 6]!, low, high) * stretch;
    const mean = candidateMean - referenceMean - offset;
    this.value = mean + (isMissing(candidate) ? (referenceMean - reference) / (1 - weight) : (candidate - candidateMean) / weight);
    this.least = mean - max((candidateMean - low) / weight, (high * stretch - referenceMean) / (1 - weight));
    this.most = mean + max((high - candidateMean) / weight, (referenceMean - low * stretch) / (1 - weight));
  }
}

/**
 * The bets for a claim. Those on requests that both answered are a game of their own, as the best bet there is another than where chance
 * chose; what is won in one is staked in the other.
 */
class Test {
  private readonly paired = new Wealth();
  private readonly routed = new Wealth();
  private readonly hypothesis: Hypothesis;
  private readonly evidence = new Evidence();

  constructor(measure: Measure, readonly claim: Claim) { this.hypothesis = hypothesisOf(measure, claim.effect); }

  add(trail: Trail, i: number): void {
    const { evidence } = this;
    evidence.of(trail, i, this.hypothesis);
    const bound = this.claim.side === 'above' ? -evidence.least : -evidence.most;
    // Where nothing can be lost, by this hypothesis, nothing can be won.
    if (this.claim.side === 'above' ? bound > 0 : bound < 0) (evidence.paired ? this.paired : this.routed).bet(evidence.value / bound);
  }

  logWealth(): number { return this.paired.log() + this.routed.log(); }
}

const clip = (value: number, low: number, high: number): number => (value < low ? low : value > high ? high : value);
