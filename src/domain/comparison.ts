import { crossing, Wealth } from './sequential';

/**
 * What an effect is, and what the scores must be:
 * - `difference`: the candidate's mean minus the reference's; scores in [0, 1].
 * - `ratio`: the candidate's mean over the reference's, minus 1; scores from 0 up.
 * - `log ratio`: the same of their geometric means; the scores are logarithms.
 */
export type Measure = 'difference' | 'ratio' | 'log ratio';

/** One request's scores: both where both answered, else one of them and the probability with which it went to the candidate. NaN: none. */
export interface Scores { candidate: number; reference: number; weight: number }

/** What is taken of scores before they come: they are winsorised to [low, high], and `typical` stands for their means until there are some. */
export interface Foreseen { low: number; high: number; typical: number }

export type Side = 'above' | 'below';

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
   * @param hypotheses effects on which evidence is gathered as requests come.
   * @param remembers whether it keeps what came: it needs that for any other effect, and for an estimate.
   */
  constructor(private readonly measure: Measure, hypotheses: readonly number[], private readonly remembers = true) {
    this.tests = hypotheses.map((effect) => new Test(measure, effect));
  }

  /** @param foreseen undefined when too little came before to bet on these. */
  add({ candidate, reference, weight }: Scores, foreseen: Foreseen | undefined): void {
    const both = !Number.isNaN(candidate) && !Number.isNaN(reference);
    const one = Number.isNaN(candidate) !== Number.isNaN(reference) && weight > 0 && weight < 1;
    if (!both && !one) return;
    this.requests++;
    if (!foreseen) return;
    const { low, high, typical } = foreseen;
    const referenceMean = this.reference.from(typical);
    this.trail.add([candidate, reference, both ? NaN : weight, low, high, this.candidate.from(referenceMean), referenceMean]);
    for (const test of this.tests) test.add(this.trail, this.trail.length - 1);
    if (!this.remembers) this.trail.length = 0;
    if (!Number.isNaN(candidate)) this.candidate.add(clip(candidate, low, high));
    if (!Number.isNaN(reference)) this.reference.add(clip(reference, low, high));
  }

  /** Whether the hypothesis is refuted, at this error rate, that the effect is not to this side of `effect`. */
  surely(side: Side, effect: number, errorRate: number): boolean {
    const test = this.tests.find((t) => t.effect === effect);
    return (test ? test[side].log() : this.logWealth(side, effect)) >= -Math.log(errorRate);
  }

  /** The effect, and its confidence sequence, whose ends fail with these error rates. An end that is not known yet is undefined. */
  estimate(errorRates: { low: number; high: number }, precision: number): { effect?: number; low?: number; high?: number } {
    if (this.trail.length === 0) return {};
    const [least, most] = this.measure === 'difference' ? [-1, 1] : [-1 + 1e-6, 1e3];
    const start = this.balance(0);
    const effect = start === 0 ? 0 : crossing((x) => -Math.sign(start) * this.balance(x), {
      from: 0, step: 8 * precision, limit: start > 0 ? most : least, precision,
    });
    const end = (side: Side, limit: number, errorRate: number): number | undefined =>
      crossing((x) => this.logWealth(side, x) + Math.log(errorRate), { from: effect ?? 0, step: 16 * precision, limit, precision });
    return { effect, low: end('above', least, errorRates.low), high: end('below', most, errorRates.high) };
  }

  private logWealth(side: Side, effect: number): number {
    const hypothesis = hypothesisOf(this.measure, effect);
    const evidence = new Evidence();
    const gambler = new Gambler(side);
    for (let i = 0; i < this.trail.length; i++) {
      evidence.of(this.trail, i, hypothesis);
      gambler.bet(evidence);
    }
    return gambler.log();
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

/** What was known of each request, seven numbers: candidate, reference, weight (NaN: both answered), low, high, and both means before it. */
class Trail {
  length = 0;
  numbers = new Float64Array(7 * 256);

  add(step: readonly number[]): void {
    if (7 * (this.length + 1) > this.numbers.length) {
      const grown = new Float64Array(2 * this.numbers.length);
      grown.set(this.numbers);
      this.numbers = grown;
    }
    this.numbers.set(step, 7 * this.length++);
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
    const at = 7 * i;
    const weight = numbers[at + 2]!;
    const low = numbers[at + 3]!;
    const high = numbers[at + 4]!;
    const candidate = clip(numbers[at]! * shrink - shift, low, high);
    const reference = clip(numbers[at + 1]!, low, high) * stretch;
    this.paired = Number.isNaN(weight);
    if (this.paired) {
      this.value = candidate - reference - offset;
      this.least = low - high * stretch - offset;
      this.most = high - low * stretch - offset;
      return;
    }
    const candidateMean = clip(numbers[at + 5]! * shrink - shift, low, high);
    const referenceMean = clip(numbers[at + 6]!, low, high) * stretch;
    const mean = candidateMean - referenceMean - offset;
    this.value = mean + (Number.isNaN(candidate) ? (referenceMean - reference) / (1 - weight) : (candidate - candidateMean) / weight);
    this.least = mean - Math.max((candidateMean - low) / weight, (high * stretch - referenceMean) / (1 - weight));
    this.most = mean + Math.max((high - candidateMean) / weight, (referenceMean - low * stretch) / (1 - weight));
  }
}

class Test {
  readonly above = new Gambler('above');
  readonly below = new Gambler('below');
  private readonly hypothesis: Hypothesis;
  private readonly evidence = new Evidence();

  constructor(measure: Measure, readonly effect: number) { this.hypothesis = hypothesisOf(measure, effect); }

  add(trail: Trail, i: number): void {
    this.evidence.of(trail, i, this.hypothesis);
    this.above.bet(this.evidence);
    this.below.bet(this.evidence);
  }
}

/** The best bet where both answered is another than where chance chose; what is won on one is staked on the other. */
class Gambler {
  private readonly paired = new Wealth();
  private readonly routed = new Wealth();

  constructor(private readonly side: Side) {}

  bet({ value, least, most, paired }: Evidence): void {
    const gain = this.side === 'above' ? value / -least : -value / most;
    // Without a range there is nothing to win or lose.
    if (this.side === 'above' ? least < 0 : most > 0) (paired ? this.paired : this.routed).bet(gain);
  }

  log(): number { return this.paired.log() + this.routed.log(); }
}

const clip = (value: number, low: number, high: number): number => (value < low ? low : value > high ? high : value);
