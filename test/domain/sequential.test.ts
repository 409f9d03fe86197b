import fc from 'fast-check';
import { random } from '../../src/domain/random';
import { crossing, Wealth } from '../../src/domain/sequential';
import reference from './reference/sequential.json';

const wealthOf = (gains: readonly number[]): number => {
  const wealth = new Wealth();
  for (const gain of gains) wealth.bet(gain);
  return wealth.log();
};

test('agrees with the wealth that confseq finds, against means below and above', () => {
  expect(reference.wealth.length).toBeGreaterThan(3);
  for (const { x, mean, above, below } of reference.wealth) {
    expect(wealthOf(x.map((value) => (value - mean) / mean))).toBeCloseTo(above, 8);
    expect(wealthOf(x.map((value) => (mean - value) / (1 - mean)))).toBeCloseTo(below, 8);
  }
});

test('is fair: over all ways in which a hypothesis that holds can come out, the mean wealth is exactly 1', () => {
  // Each gain is -loss or +win, with the probabilities that make its mean 0.
  const gains = fc.array(fc.record({ loss: fc.double({ min: 0.01, max: 1, noNaN: true }), win: fc.double({ min: 0.01, max: 30, noNaN: true }) }),
    { minLength: 1, maxLength: 10 });
  fc.assert(fc.property(gains, (steps) => {
    let mean = 0;
    for (let way = 0; way < 2 ** steps.length; way++) {
      let probability = 1;
      const outcome = steps.map(({ loss, win }, i) => {
        const wins = ((way >> i) & 1) === 1;
        probability *= (wins ? loss : win) / (loss + win);
        return wins ? win : -loss;
      });
      mean += probability * Math.exp(wealthOf(outcome));
    }
    expect(mean).toBeCloseTo(1, 6);
  }), { numRuns: 50 });
});

test('is seldom ever large while the hypothesis holds, looked at after each of 2,000 observations', () => {
  const next = random(1);
  const large = { coin: 0, rare: 0 };
  const draws = { coin: () => (next() < 0.5 ? -1 : 1), rare: () => (next() < 0.01 ? 99 : -1) };
  for (const [kind, draw] of Object.entries(draws) as ['coin' | 'rare', () => number][]) {
    for (let i = 0; i < 1000; i++) {
      const wealth = new Wealth();
      for (let n = 0; n < 2000; n++) {
        wealth.bet(draw());
        if (wealth.log() < Math.log(20)) continue;
        large[kind]++;
        break;
      }
    }
  }
  // Ville: at most 1 in 20; three standard deviations of a binomial are allowed for.
  for (const count of Object.values(large)) expect(count).toBeLessThanOrEqual(50 + 3 * Math.sqrt(1000 * 0.05 * 0.95));
  // Nor for nothing: a test without power would say so never.
  expect(large.coin).toBeGreaterThan(5);
});

test('grows without overflow, and does not fall below nothing', () => {
  expect(wealthOf(new Array<number>(100_000).fill(50))).toBeCloseTo(100_000 * Math.log(1 + 0.96 * 50) + Math.log(0.4), 0);
  expect(wealthOf(new Array<number>(100_000).fill(-1))).toBeGreaterThan(-Infinity);
});

test('finds where a function comes to 0, on either side, or says that it does not', () => {
  fc.assert(fc.property(fc.double({ min: -0.99, max: 50, noNaN: true }), fc.double({ min: 1, max: 5, noNaN: true }), (root, power) => {
    const f = (x: number): number => Math.sign(x - root) * Math.abs(x - root) ** power;
    const up = crossing(f, { from: -1, step: 0.01, limit: 60, precision: 1e-6 });
    expect(up).toBeGreaterThan(root - 1e-5);
    expect(up).toBeLessThan(root + 1e-5);
    const down = crossing((x) => -f(x), { from: 55, step: 0.01, limit: -1, precision: 1e-6 });
    expect(Math.abs(down! - root)).toBeLessThan(1e-5);
  }));
  expect(crossing((x) => x - 2, { from: 0, step: 0.1, limit: 1, precision: 1e-6 })).toBeUndefined();
  expect(crossing(() => 1, { from: 0, step: 0.1, limit: 1, precision: 1e-6 })).toBe(0);
});
