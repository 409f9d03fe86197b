import { bootstrap, gainOver, quantile, type Resampling } from '../../src/domain/bootstrap';
import { evaluate } from '../../src/domain/evaluate';
import { weightedMean } from '../../src/domain/metrics';
import { random, shuffled } from '../../src/domain/random';
import type { Column } from '../../src/domain/table';
import { regression } from './specs';

function normals(seed: number): () => number {
  const next = random(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

test('random numbers are uniform, and the same for a seed', () => {
  const next = random(3);
  const counts = new Float64Array(10);
  for (let i = 0; i < 100_000; i++) counts[Math.floor(next() * 10)]!++;
  const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  expect(chiSquare).toBeLessThan(27.9); // 99.9 % point of 9 degrees of freedom
  expect(Array.from({ length: 5 }, random(3))).toEqual(Array.from({ length: 5 }, random(3)));
  expect(random(3)()).not.toBe(random(4)());
  expect([...shuffled(50, random(1))].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

test('quantiles are numpy\'s', () => {
  const sorted = Float64Array.of(1, 2, 4, 8, 16);
  expect([0, 0.025, 0.5, 0.9, 1].map((q) => quantile(sorted, q))).toEqual([1, 1.1, 4, 12.8, 16].map((v) => expect.closeTo(v, 12)));
  expect(quantile(new Float64Array(0), 0.5)).toBeNaN();
});

test('every resample counts as many units as there are, blocks included', () => {
  const sum = (weights: Float64Array): number => weights.reduce((a, b) => a + b, 0);
  for (const resampling of [{ kind: 'units', count: 37 }, { kind: 'blocks', count: 37, length: 5 },
    { kind: 'blocks', count: 3, length: 9 }] as Resampling[]) {
    const [sums] = bootstrap([sum], resampling, { resamples: 50, seed: 1, confidence: 0.9 });
    expect(new Set(sums)).toEqual(new Set([resampling.count]));
  }
});

test('the same seed gives the same interval, another seed another', () => {
  const scorer = weightedMean(Float64Array.from({ length: 40 }, (_, i) => Math.sin(i)));
  const [a, b, c] = [1, 1, 2].map((seed) => bootstrap([scorer], { kind: 'units', count: 40 }, { resamples: 20, seed, confidence: 0.9 })[0]);
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);
});

/** How often the interval of a mean difference holds the true difference. */
function simulatedCoverage(options: {
  trials: number; n: number; effect: number; draw: (normal: () => number, n: number) => Float64Array; resampling: Resampling;
}): number {
  const normal = normals(42);
  let covered = 0;
  for (let trial = 0; trial < options.trials; trial++) {
    const shared = options.draw(normal, options.n);
    const one = weightedMean(shared.map((e) => 10 + e));
    const two = weightedMean(shared.map((e) => 10 + 2 * e - options.effect));
    const resampled = bootstrap([one, two], options.resampling, { resamples: 250, seed: trial, confidence: 0.9 });
    const ones = new Float64Array(options.n).fill(1);
    const gain = gainOver({ value: one(ones), resampled: resampled[0]! }, { value: two(ones), resampled: resampled[1]! },
      { better: 'lower', confidence: 0.9 });
    if (gain.low <= options.effect && options.effect <= gain.high) covered++;
  }
  return covered / options.trials;
}

const independent = (normal: () => number, n: number): Float64Array => Float64Array.from({ length: n }, normal);
function autoregressive(normal: () => number, n: number): Float64Array {
  const values = new Float64Array(n);
  for (let i = 0; i < n; i++) values[i] = 0.7 * (values[i - 1] ?? normal()) + normal();
  return values;
}

test('a 90 % interval holds the true gain about nine times in ten', () => {
  const coverage = simulatedCoverage({ trials: 500, n: 100, effect: 0.3, draw: independent, resampling: { kind: 'units', count: 100 } });
  expect(coverage).toBeGreaterThan(0.86);
  expect(coverage).toBeLessThan(0.94);
});

test('blocks keep the interval honest where neighbours depend on each other; single units do not', () => {
  const dependent = { trials: 200, n: 600, effect: 0.3, draw: autoregressive };
  const units = simulatedCoverage({ ...dependent, resampling: { kind: 'units', count: 600 } });
  const blocks = simulatedCoverage({ ...dependent, resampling: { kind: 'blocks', count: 600, length: 25 } });
  expect(units).toBeLessThan(0.65);
  expect(blocks).toBeGreaterThan(0.8);
});

test('pairing makes the interval far narrower than the metrics\' own spread', () => {
  const normal = normals(5);
  const noise = Float64Array.from({ length: 200 }, normal);
  const one = weightedMean(noise);
  const two = weightedMean(noise.map((e) => e - 0.01));
  const [a, b] = bootstrap([one, two], { kind: 'units', count: 200 }, { resamples: 300, seed: 1, confidence: 0.95 });
  const gain = gainOver({ value: 0.01, resampled: a! }, { value: 0, resampled: b! }, { better: 'lower', confidence: 0.95 });
  expect(gain.high - gain.low).toBeLessThan(1e-9);
  expect(gain.low).toBeCloseTo(0.01, 9);
});

test('10,000 rows, three predictors and 1,000 resamples are judged in seconds', () => {
  const normal = normals(9);
  const numbers = (): Column => ({ type: 'number', values: Float64Array.from({ length: 10_000 }, normal) });
  const outputs = { rows: 10_000, columns: { value: numbers() } };
  const started = performance.now();
  evaluate(regression(), {
    truth: { task: 'regression', target: numbers() }, newcomer: { outputs },
      baseline: { outputs: { rows: 10_000, columns: { value: numbers() } } },
    champion: { outputs, version: 'v1' },
  }, { resamples: 1000, seed: 1, confidence: 0.95 });
  const seconds = (performance.now() - started) / 1000;
  expect(seconds).toBeLessThan(5); // 0.4 outside jest on an idle core; a busy machine has room
});
