import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { chiSquared, chiSquaredTail, jensenShannon, jensenShannonNoise, ksPValue, ksStatistic, wasserstein } from '../../src/domain/distributions';
import { columnDrift, DRIFT_LIMITS, summarise, type ColumnDrift } from '../../src/domain/drift';
import { random } from '../../src/domain/random';
import type { Column } from '../../src/domain/table';

interface Reference {
  numbers: { a: number[]; b: number[]; wasserstein: number; ks: number; p: number }[];
  large: { n: number; m: number; ks: number; p: number }[];
  counts: { a: number[]; b: number[]; jensenShannon: number; statistic: number; p: number }[];
  tails: { x: number; freedom: number; p: number }[];
}
const reference = JSON.parse(readFileSync(join(__dirname, 'reference/drift.json'), 'utf8')) as Reference;
const sorted = (values: number[]) => Float64Array.from(values).sort();

describe('as scipy has it', () => {
  test.each(reference.numbers)('distances and exact probability of two samples, %#', ({ a, b, ...expected }) => {
    const d = ksStatistic(sorted(a), sorted(b));
    expect(wasserstein(sorted(a), sorted(b))).toBeCloseTo(expected.wasserstein, 10);
    expect(d).toBeCloseTo(expected.ks, 12);
    expect(Math.abs(ksPValue(d, a.length, b.length) - expected.p)).toBeLessThan(1e-9);
  });
  test.each(reference.large)('probability for large samples, %#', ({ n, m, ks, p }) => expect(Math.abs(ksPValue(ks, n, m) - p)).toBeLessThan(0.005));
  test.each(reference.counts)('counts, %#', ({ a, b, ...expected }) => {
    expect(jensenShannon(a, b)).toBeCloseTo(expected.jensenShannon, 10);
    const { statistic, p } = chiSquared(a, b);
    expect(statistic).toBeCloseTo(expected.statistic, 8);
    expect(Math.abs(p - expected.p)).toBeLessThan(1e-10);
  });
  test.each(reference.tails)('tail of chi-squared at $x with $freedom degrees', ({ x, freedom, p }) => {
    expect(Math.abs(chiSquaredTail(x, freedom) - p)).toBeLessThan(1e-12 + 1e-9 * p);
  });
});

const numbers = (values: ArrayLike<number>): Column => ({ type: 'number', values: Float64Array.from(values) });
const category = (values: (string | null)[]): Column => ({ type: 'category', values });
const uniform = (rows: number, seed: number, make: (u: number, row: number) => number) => {
  const next = random(seed);
  return numbers(Array.from({ length: rows }, (_, row) => make(next(), row)));
};
const drift = (a: Column, b: Column) => columnDrift('x', { reference: a, current: b });

describe('a column', () => {
  test('is judged by distances above 1,000 rows on both sides, by tests otherwise', () => {
    const words = (rows: number, seed: number) => category(Array.from((uniform(rows, seed, (u) => u) as { values: Float64Array }).values, (u) => (u < 0.5 ? 'a' : 'b')));
    const testOf = (n: number, m: number) => [drift(uniform(n, 1, (u) => u), uniform(m, 2, (u) => u)).test, drift(words(n, 1), words(m, 2)).test];
    expect(testOf(1001, 1001)).toEqual(['Wasserstein distance', 'Jensen-Shannon distance']);
    expect(testOf(1000, 5000)).toEqual(['Kolmogorov-Smirnov p', 'chi-squared p']);
    expect(testOf(5000, 200)).toEqual(['Kolmogorov-Smirnov p', 'chi-squared p']);
  });

  test('of a handful of rows gets no verdict, whatever they are', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 29 }), fc.integer({ min: 0, max: 3000 }), fc.boolean(), (few, many, first) => {
      const [a, b] = [uniform(few, 1, () => 1e6), uniform(many, 2, (u) => u)];
      expect(first ? drift(a, b) : drift(b, a)).toMatchObject({ verdict: 'no verdict', reason: expect.stringContaining('too few for a verdict; 30') });
    }), { numRuns: 30 });
    expect(drift(uniform(100, 1, (u, row) => (row < 29 ? u : NaN)), uniform(100, 1, (u, row) => (row < 29 ? u + 9 : NaN)))).toMatchObject({ verdict: 'no verdict', reason: expect.stringContaining('29 rows with a value') });
  });

  test('that is the same never drifts, in any order of its rows', () => {
    fc.assert(fc.property(fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 30, maxLength: 200 }), (values) => {
      expect(drift(numbers(values), numbers([...values].reverse())).verdict).toBe('stable');
    }));
  });

  test('drifts when its unit changes, its mean moves by a tenth of its deviation, or its shape does, and says from where to where', () => {
    const before = uniform(3000, 1, (u) => u);
    expect(drift(before, uniform(3000, 2, (u) => u))).toMatchObject({ verdict: 'stable', of: 'values' });
    expect(drift(before, uniform(3000, 2, (u) => u + 0.05))).toMatchObject({ verdict: 'drifted', reason: expect.stringMatching(/^mean 0\.\d+ -> 0\.\d+$/) });
    expect(drift(before, uniform(3000, 2, (u) => u * 1000)).value).toBeGreaterThan(100);
    expect(drift(uniform(400, 1, (u) => u), uniform(400, 2, (u) => 0.25 + u / 2)).verdict).toBe('drifted');
  });

  test('of dates says dates', () => {
    const dates = (from: number): Column => ({ type: 'date', values: Float64Array.from({ length: 2000 }, (_, i) => from + i / 10) });
    expect(drift(dates(18262), dates(18362)).reason).toBe('mean 2020-04-10 -> 2020-07-19');
  });

  test('of categories drifts when a share moves or a new one floods in, and not for many rare ones', () => {
    const cities = (rows: number, share: number, more = 0): Column => category(Array.from({ length: rows }, (_, i) => (i < rows * more ? 'Atlantis' : i % 100 < share * 100 ? 'Bern' : 'Zug')));
    expect(drift(cities(3000, 0.5), cities(3000, 0.52)).verdict).toBe('stable');
    expect(drift(cities(3000, 0.5), cities(3000, 0.75))).toMatchObject({ verdict: 'drifted', reason: expect.stringContaining('50% -> 75%') });
    expect(drift(cities(3000, 0.5), cities(3000, 0.5, 0.2))).toMatchObject({ verdict: 'drifted', reason: expect.stringContaining('others 0% -> 20%') });
    expect(drift(cities(200, 0.5), cities(200, 0.5, 0.2)).verdict).toBe('drifted');
    const names = (from: number): Column => category(Array.from({ length: 1500 }, (_, i) => `name ${from + i}`));
    expect(drift(names(0), names(50_000)).verdict).toBe('stable');
  });

  test('drifts when its values go missing', () => {
    const holes = (share: number, rows: number) => uniform(rows, 3, (u, row) => (row % 100 < share * 100 ? NaN : u));
    expect(drift(holes(0, 2000), holes(0.4, 2000))).toMatchObject({ verdict: 'drifted', of: 'missing', reason: 'missing in 40% of the rows, before in 0%' });
    expect(drift(holes(0.1, 500), holes(0.3, 500))).toMatchObject({ verdict: 'drifted', of: 'missing' });
    expect(drift(holes(0.4, 2000), holes(0.41, 2000)).verdict).toBe('stable');
  });

  test('of text is compared by its length, and of vectors not at all', () => {
    const text = (words: number): Column => ({ type: 'text', values: Array.from({ length: 1500 }, (_, i) => 'word '.repeat(words + (i % 7))) });
    expect(drift(text(3), text(3)).verdict).toBe('stable');
    expect(drift(text(3), text(9))).toMatchObject({ verdict: 'drifted', reason: expect.stringMatching(/^mean 5\.\d+ words -> 1[12]\.\d+ words$/) });
    const vectors: Column = { type: 'vector', width: 2, values: new Float32Array(4000) };
    expect(drift(vectors, vectors).verdict).toBe('no verdict');
  });
});

test('samples of one distribution are found to drift about as often as the test says, and by distances hardly ever', () => {
  const runs = 100;
  const found = (rows: number, categories: boolean): number => {
    let drifted = 0;
    for (let run = 0; run < runs; run++) {
      const of = (seed: number) => uniform(rows, seed, (u) => (categories ? Math.floor(25 * u * u) : -Math.log(1 - u)));
      const as = (column: Column) => (categories ? category(Array.from((column as { values: Float64Array }).values, (v) => `c${v}`)) : column);
      if (drift(as(of(2 * run + 1)), as(of(2 * run + 2))).verdict === 'drifted') drifted++;
    }
    return drifted / runs;
  };
  for (const categories of [false, true]) {
    expect(found(200, categories)).toBeLessThan(0.11);
    expect(found(1001, categories)).toBeLessThan(0.02);
  }
});

test('what chance adds to a Jensen-Shannon distance is as large as it is taken to be', () => {
  const next = random(5);
  const counts = () => { const c = new Float64Array(20); for (let i = 0; i < 1500; i++) c[Math.floor(20 * next())]!++; return c; };
  const squares = Array.from({ length: 200 }, () => jensenShannon(counts(), counts()) ** 2);
  const average = squares.reduce((a, b) => a + b) / squares.length;
  expect(average / jensenShannonNoise(20, 1500, 1500)).toBeGreaterThan(0.95);
  expect(average / jensenShannonNoise(20, 1500, 1500)).toBeLessThan(1.05);
});

test('a data set has drifted by the share of its columns that have a verdict', () => {
  const column = (verdict: ColumnDrift['verdict']): ColumnDrift => ({ column: 'x', verdict, reason: '', rows: { reference: 9, current: 9 } });
  expect(summarise([column('drifted'), column('stable'), column('stable'), column('no verdict')])).toMatchObject({ compared: 3, drifted: 1, share: 1 / 3 });
  expect(summarise([column('no verdict')])).toMatchObject({ compared: 0, drifted: 0, share: 0 });
  expect(DRIFT_LIMITS).toEqual({ distance: 0.1, pValue: 0.05, minRows: 30 });
});
