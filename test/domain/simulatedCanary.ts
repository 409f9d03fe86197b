import type { Answered, Observation } from '../../src/domain/rollout';

const { abs, cos, exp, log, PI, sqrt } = Math;

/** How a simulated candidate differs from the current release. */
export interface Harm {
  /** Factor of each error; of a class chain, the share of wrong classes. */
  loss?: number;
  /** Added to the share of failed requests, which is FAILURES. */
  failures?: number;
  /** Factor of the time to answer. */
  latency?: number;
  /** Probability that its answer is the larger one, less a half; of a class chain, added to the share of one class. */
  output?: number;
}

export const FAILURES = 0.003;
const WRONG = 0.3;
const CLASSES = [0.4, 0.3, 0.2, 0.07, 0.03];

/** What both releases would have answered to the same request, errors depending on how hard the request is. */
export type World = (next: () => number) => { candidate: Answered; reference: Answered };

/** A regression: skewed errors (lognormal or half-normal), correlated between the two; slow answers on slow requests; rare failures. */
export function regression(harm: Harm, errors: 'half-normal' | 'lognormal'): World {
  // Normal outputs that are apart by d are the larger with probability Phi(d / sqrt 2), each alone having standard deviation 1.
  const apart = Math.SQRT2 * normalQuantile(0.5 + (harm.output ?? 0));
  return (next) => {
    const hard = gauss(next);
    const slow = gauss(next);
    const truth = gauss(next);
    const one = (mine: Harm, shift: number): Answered => {
      const noise = sqrt(0.7) * hard + sqrt(0.3) * gauss(next);
      const size = errors === 'half-normal' ? abs(noise) : exp(0.7 * noise);
      return {
        failed: next() < FAILURES + (mine.failures ?? 0),
        seconds: 0.05 * exp(0.3 * slow + 0.2 * gauss(next)) * (mine.latency ?? 1),
        output: sqrt(0.9) * truth + sqrt(0.1) * gauss(next) + shift,
        loss: size * (mine.loss ?? 1),
      };
    };
    return { candidate: one(harm, apart), reference: one({}, 0) };
  };
}

/** A classification: 30% wrong, most of them on the same requests. */
export function classification(harm: Harm): World {
  return (next) => {
    const hard = next();
    const likely = next();
    const one = (mine: Harm): Answered => {
      const shared = next() < 0.6;
      const u = next() < 0.8 ? likely : next();
      return {
        failed: next() < FAILURES + (mine.failures ?? 0),
        seconds: 0.05 * exp(0.3 * gauss(next)) * (mine.latency ?? 1),
        output: classAt(u, mine.output ?? 0),
        loss: Number((shared ? hard : next()) < WRONG * (mine.loss ?? 1)),
      };
    };
    return { candidate: one(harm), reference: one({}) };
  };
}

function classAt(u: number, more: number): string {
  let upTo = 0;
  for (let i = 0; i < CLASSES.length; i++) {
    upTo += CLASSES[i]! + (i === 1 ? more : i === 0 ? -more : 0);
    if (u < upTo) return `class ${i}`;
  }
  return 'class 0';
}

/** What becomes of the canary: unseen answers first, then steps; each lasts until the candidate has answered enough and the judge says pass. */
export interface Route { shadow: number; steps: readonly number[]; requests: number; lookEvery: number; cap: number }

export interface Judge {
  add(observation: Observation): void;
  verdict(): 'pass' | 'fail' | 'inconclusive';
}

export type Ending = 'promoted' | 'rolled back' | 'inconclusive';

export function simulate(world: World, route: Route, judge: Judge, next: () => number): { ending: Ending; requests: number } {
  let step = route.shadow > 0 ? -1 : 0;
  let answered = 0;
  for (let i = 1; i <= route.cap; i++) {
    const weight = step < 0 ? undefined : route.steps[step]!;
    const { candidate, reference } = world(next);
    const to = weight === undefined ? 'both' : next() < weight ? 'candidate' : 'reference';
    judge.add({
      request: `r${i}`, knownAt: i, weight,
      ...(to !== 'reference' && { candidate }), ...(to !== 'candidate' && { reference }),
    });
    if (to !== 'reference') answered++;
    if (i % route.lookEvery !== 0) continue;
    const verdict = judge.verdict();
    if (verdict === 'fail') return { ending: 'rolled back', requests: i };
    if (verdict !== 'pass' || answered < (step < 0 ? route.shadow : route.requests)) continue;
    if (++step === route.steps.length) return { ending: 'promoted', requests: i };
    answered = 0;
  }
  return { ending: 'inconclusive', requests: route.cap };
}

/** A standard normal number (Box & Muller, 1958). */
export const gauss = (next: () => number): number => sqrt(-2 * log(1 - next())) * cos(2 * PI * next());

/** By bisection. */
export function normalQuantile(p: number): number {
  let low = -8;
  let high = 8;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < p) low = middle; else high = middle;
  }
  return low;
}

/** By its series. */
function normalShare(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 1; k < 200; k++) sum += term *= (x * x) / (2 * k + 1);
  return 0.5 + sum * exp((-x * x) / 2) / sqrt(2 * PI);
}
