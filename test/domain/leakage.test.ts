import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { auc, predictivePower } from '../../src/domain/leakage';
import { random } from '../../src/domain/random';
import type { Column } from '../../src/domain/table';

const ROWS = 1000;
const next = random(3);
const uniform = Float64Array.from({ length: ROWS }, next);
const noise = Float64Array.from({ length: ROWS }, next);
const FOLDS = Int8Array.from({ length: ROWS }, (_, i) => (i % 6) - 1);

const numbers = (make: (row: number) => number): Column => ({ type: 'number', values: Float64Array.from({ length: ROWS }, (_, i) => make(i)) });
const category = (make: (row: number) => string | null): Column => ({ type: 'category', values: Array.from({ length: ROWS }, (_, i) => make(i)) });
const power = (input: Column, target: Column, folds: ArrayLike<number> = FOLDS) => predictivePower(input, target, folds)!;

const price = numbers((i) => Math.exp(4 * uniform[i]!));
const kind = category((i) => ['a', 'b', 'c'][Math.floor(3 * uniform[i]!)]!);

test('the area under the curve is as scikit-learn has it, ties included', () => {
  const { truth, scores, auc: expected } = (JSON.parse(readFileSync(join(__dirname, 'reference/drift.json'), 'utf8')) as { auc: { truth: number[]; scores: number[][]; auc: number } }).auc;
  const area = [0, 1, 2].reduce((total, c) => total + (truth.filter((t) => t === c).length / truth.length)
    * auc(scores.map((row, i) => ({ score: row[c]!, positives: Number(truth[i] === c), negatives: Number(truth[i] !== c) }))), 0);
  expect(area).toBeCloseTo(expected, 12);
});

describe('a number as the target', () => {
  test('is given away by itself, by any monotone function of it, and by a line of it', () => {
    expect(power(price, price)).toMatchObject({ measure: 'R2', copy: true });
    expect(power(price, price).value).toBeGreaterThan(0.9999);
    expect(power(numbers((i) => 4 * uniform[i]!), price)).toMatchObject({ copy: false });
    for (const leak of [numbers((i) => uniform[i]!), numbers((i) => Math.exp(40 * uniform[i]!)), numbers((i) => -3 - 2 * Math.exp(4 * uniform[i]!)), numbers((i) => 1e9 + uniform[i]!)]) expect(power(leak, price).value).toBeGreaterThan(0.999);
  });
  test('is not given away by what only helps', () => {
    const helps = power(numbers((i) => uniform[i]! + noise[i]!), price).value;
    expect(helps).toBeGreaterThan(0.2);
    expect(helps).toBeLessThan(0.8);
    expect(power(numbers((i) => noise[i]!), price).value).toBeLessThan(0.05);
    expect(power(category((i) => `name ${i}`), price).value).toBeLessThan(0.05);
  });
  test('is given away by the classes it falls in, and by whether a value is there at all', () => {
    const twoPrices = numbers((i) => (uniform[i]! < 0.5 ? 10 : 900));
    expect(power(category((i) => (uniform[i]! < 0.5 ? 'cheap' : 'dear')), twoPrices).value).toBeGreaterThan(0.9999);
    expect(power(numbers((i) => (uniform[i]! < 0.5 ? NaN : noise[i]!)), twoPrices).value).toBeGreaterThan(0.9999);
  });
});

describe('a class as the target', () => {
  test('is given away by itself, by another name of it, and by a number that orders it', () => {
    expect(power(kind, kind)).toMatchObject({ measure: 'AUC', copy: true });
    const renamed = category((i) => ['x', 'y', 'z'][Math.floor(3 * uniform[i]!)]!);
    for (const leak of [kind, renamed, numbers((i) => Math.floor(3 * uniform[i]!))]) expect(power(leak, kind).value).toBeGreaterThan(0.999);
    expect(power(numbers((i) => uniform[i]!), kind).value).toBeGreaterThan(0.99);
  });
  test('is not given away by chance, nor by names that each row has its own of', () => {
    for (const harmless of [numbers((i) => noise[i]!), category((i) => `name ${i}`), numbers(() => 7)]) {
      const { value, copy } = power(harmless, kind);
      expect(Math.abs(value - 0.5)).toBeLessThan(0.06);
      expect(copy).toBe(false);
    }
  });
  test('that is nearly always the same is no copy of another that is', () => {
    const rare = (offset: number) => category((i) => (i % 100 === offset ? 'yes' : 'no'));
    expect(power(rare(1), rare(2)).copy).toBe(false);
    const nearly = category((i) => (i === 500 ? 'a' : (kind as { values: string[] }).values[i]!));
    expect(power(nearly, kind).copy).toBe(true);
  });
});

test('text is a leak only where it is a copy', () => {
  const text = (of: Column): Column => ({ type: 'text', values: (of as { values: (string | null)[] }).values });
  expect(predictivePower(text(category((i) => `a flat of ${(kind as { values: string[] }).values[i]}`)), kind, FOLDS)).toBeUndefined();
  expect(power(text(kind), kind)).toMatchObject({ copy: true });
});

test('rows of the holdout and rows without a target are not looked at', () => {
  const leaksInHoldout = numbers((i) => (FOLDS[i] === -1 ? uniform[i]! : noise[i]!));
  expect(power(leaksInHoldout, price).value).toBeLessThan(0.05);
  expect(power(price, numbers((i) => (i % 2 ? NaN : uniform[i]!))).rows).toBeLessThan(ROWS / 2);
  expect(predictivePower(price, price, FOLDS.map((fold, i) => (i < 900 ? -1 : fold)))).toBeUndefined();
});

test('values at the ends of what a double holds do no harm', () => {
  fc.assert(fc.property(fc.infiniteStream(fc.double({ noNaN: false })), (stream) => {
    const values = [...stream.take(150)];
    const input: Column = { type: 'number', values: Float64Array.from(values) };
    const target: Column = { type: 'category', values: values.map((_, i) => (i % 3 ? 'a' : 'b')) };
    const { value } = predictivePower(input, target, values.map((_, i) => i % 5))!;
    expect(value >= 0 && value <= 1).toBe(true);
  }), { numRuns: 50 });
});
