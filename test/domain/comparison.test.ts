import fc from 'fast-check';
import { Comparison, MISSING, type Claim, type Measure } from '../../src/domain/comparison';
import { random } from '../../src/domain/random';
import reference from './reference/sequential.json';
import { gauss } from './simulatedCanary';

const LOOK = 1e-6;

test.each(reference.comparisons)('agrees with numpy and scipy: $name', (c) => {
  const claims = c.claims as (Claim & { logWealth: number })[];
  const comparison = new Comparison(c.measure as Measure, claims);
  c.weight.forEach((weight, i) => comparison.add(
    { candidate: c.candidate[i] ?? MISSING, reference: c.reference[i] ?? MISSING, weight: weight ?? MISSING },
    { low: 0, high: c.high, typical: c.typical },
  ));
  const { low, high } = comparison.estimate({ low: c.alpha, high: c.alpha }, LOOK);
  expect(low).toBeCloseTo(c.lowEnd!, 5);
  expect(high).toBeCloseTo(c.highEnd!, 5);
  for (const { side, effect, logWealth } of claims) {
    expect(comparison.surely(side, effect, Math.exp(-logWealth + 1e-6))).toBe(true);
    expect(comparison.surely(side, effect, Math.exp(-logWealth - 1e-6))).toBe(false);
  }
});

test('evidence has the effect for its mean, whoever answered: over all ways to route and to score, mean wealth against the truth is 1', () => {
  const request = fc.record({
    weight: fc.oneof(fc.constant(MISSING), fc.double({ min: 0.02, max: 0.98, noNaN: true })),
    // Chances to score 1 rather than 0: the candidate's is the reference's and a constant.
    chance: fc.double({ min: 0, max: 0.8, noNaN: true }),
  });
  fc.assert(fc.property(fc.array(request, { minLength: 1, maxLength: 4 }), fc.double({ min: 0, max: 0.2, noNaN: true }), (requests, effect) => {
    for (const side of ['above', 'below'] as const) {
      let mean = 0;
      // Of each request: who answers it, and both scores.
      for (let way = 0; way < 8 ** requests.length; way++) {
        const comparison = new Comparison('difference', [{ side, effect }]);
        let probability = 1;
        requests.forEach(({ weight, chance }, i) => {
          const [to, y1, y0] = [(way >> (3 * i)) & 1, (way >> (3 * i + 1)) & 1, (way >> (3 * i + 2)) & 1];
          const w = Number.isNaN(weight) ? 0.5 : weight;
          probability *= (to ? w : 1 - w) * (y1 ? chance + effect : 1 - chance - effect) * (y0 ? chance : 1 - chance);
          const both = Number.isNaN(weight);
          comparison.add({ candidate: both || to ? y1 : MISSING, reference: both || !to ? y0 : MISSING, weight }, { low: 0, high: 1, typical: 0.3 });
        });
        if (probability > 0) mean += probability * wealth(comparison, side, effect);
      }
      expect(mean).toBeCloseTo(1, 4);
    }
  }), { numRuns: 12 });
});

/** From the error rates at which a claim is sure and is not. */
function wealth(comparison: Comparison, side: Claim['side'], effect: number): number {
  let [low, high] = [-60, 60];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (comparison.surely(side, effect, Math.exp(-middle))) low = middle; else high = middle;
  }
  return Math.exp(low);
}

const SHADOW = 200;
const weightAt = (i: number): number => (i < SHADOW ? MISSING : i < 600 ? 0.05 : i < 1000 ? 0.25 : 0.5);

describe('looked at after every tenth of 2,000 requests, through a shadow and steps, 1,000 times', () => {
  const cases: { name: string; measure: Measure; effect: number; draw: (next: () => number) => [number, number]; high: number; typical: number }[] = [
    { name: 'errors that are 10% larger', measure: 'ratio', effect: 0.1, high: 2.5, typical: 0.8, draw: (next) => [1.1 * Math.abs(gauss(next)), Math.abs(gauss(next))] },
    { name: 'times that are 50% longer', measure: 'log ratio', effect: 0.5, high: 1, typical: 0, draw: (next) => [0.5 * gauss(next) + Math.log(1.5), 0.5 * gauss(next)] },
    { name: 'failures of 1.3% rather than 0.3%', measure: 'difference', effect: 0.01, high: 1, typical: 0, draw: (next) => [Number(next() < 0.013), Number(next() < 0.003)] },
  ];
  test.each(cases)('$name are seldom surely more or surely less than that', ({ measure, effect, draw, high, typical }) => {
    const next = random(2);
    const wrong = { above: 0, below: 0 };
    for (let run = 0; run < 1000; run++) {
      const comparison = new Comparison(measure, [{ side: 'above', effect }, { side: 'below', effect }], false);
      const seen = { above: false, below: false };
      for (let i = 0; i < 2000; i++) {
        const [y1, y0] = draw(next);
        const weight = weightAt(i);
        const to = next() < weight;
        const both = i < SHADOW;
        comparison.add({ candidate: both || to ? y1 : MISSING, reference: both || !to ? y0 : MISSING, weight },
          { low: measure === 'log ratio' ? -1 : 0, high, typical });
        if (i % 10 !== 9) continue;
        seen.above ||= comparison.surely('above', effect, 0.05);
        seen.below ||= comparison.surely('below', effect, 0.05);
      }
      wrong.above += Number(seen.above);
      wrong.below += Number(seen.below);
    }
    // The error rate, and three standard deviations of a binomial.
    for (const count of Object.values(wrong)) expect(count).toBeLessThanOrEqual(50 + 3 * Math.sqrt(1000 * 0.05 * 0.95));
  });
});
