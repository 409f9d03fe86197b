import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { classAgreement, numberAgreement } from '../../src/domain/agreement';
import { random, shuffled } from '../../src/domain/random';

const all = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);

/** A model that gives the true class `sure` on average, and labels of which a share is shuffled among themselves. */
function classes(of: { rows: number; width: number; sure: number; share: number; seed: number }) {
  const { rows, width, sure, share } = of;
  const next = random(of.seed);
  const truth = Int32Array.from({ length: rows }, () => Math.floor(next() ** 2 * width));
  const probabilities = Array.from(truth).flatMap((label) => {
    const p = sure * next() * 2 * (next() < 0.9 ? 1 : 0);
    return Array.from({ length: width }, (_, k) => (k === label ? Math.min(1, p) : (1 - Math.min(1, p)) / (width - 1)));
  });
  const some = all(rows).filter(() => next() < share);
  const order = shuffled(some.length, next);
  const labels = truth.slice();
  some.forEach((row, i) => { labels[row] = truth[some[order[i]!]!]!; });
  return { width, probabilities, labels };
}

test('the rank correlation is that of scipy', () => {
  const { regression } = JSON.parse(readFileSync(join(__dirname, 'reference/labels.json'), 'utf8')) as {
    regression: { labels: number[]; predictions: number[]; expected: { rank_correlation: number } };
  };
  const { labels, predictions, expected } = regression;
  expect(numberAgreement({ predicted: predictions, given: labels }, all(labels.length)).value).toBeCloseTo(expected.rank_correlation, 12);
});

test.each([0.25, 0.5, 0.9])('labels of which %d are shuffled agree so much less, whether the model is sure or not', (share) => {
  for (const sure of [0.5, 0.9]) {
    const clean = classAgreement(classes({ rows: 20_000, width: 4, sure, share: 0, seed: 3 }), all(20_000));
    const mixed = classAgreement(classes({ rows: 20_000, width: 4, sure, share, seed: 3 }), all(20_000));
    expect(mixed.value / clean.value).toBeCloseTo(1 - share, 1);
  }
});

test('of two classes it is Pearson\'s correlation of the probability with the label', () => {
  const { probabilities, labels } = classes({ rows: 500, width: 2, sure: 0.4, share: 0.2, seed: 9 });
  const p = Array.from(labels, (_, row) => probabilities[2 * row + 1]!);
  const mean = (values: number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
  const [mp, my] = [mean(p), mean([...labels])];
  const product = mean(p.map((x, i) => (x - mp) * (labels[i]! - my)));
  const pearson = product / Math.sqrt(mean(p.map((x) => (x - mp) ** 2)) * mean([...labels].map((y) => (y - my) ** 2)));
  expect(classAgreement({ width: 2, probabilities, labels }, all(500)).value).toBeCloseTo(pearson, 12);
});

test('the interval of shuffled labels holds 0 in about 99 of 100 cases', () => {
  let missed = 0;
  const times = 400;
  for (let seed = 0; seed < times; seed++) {
    const { low, high } = classAgreement(classes({ rows: 150, width: 3, sure: 0.4, share: 1, seed: seed + 1 }), all(150));
    if (low > 0 || high < 0) missed++;
  }
  expect(missed / times).toBeLessThan(0.03);
});

test('what does not vary has no agreement', () => {
  const probabilities = [0.2, 0.8, 0.6, 0.4, 0.5, 0.5];
  expect(classAgreement({ width: 2, probabilities, labels: Int32Array.of(1, 1, 1) }, all(3)).value).toBeNaN();
  expect(classAgreement({ width: 2, probabilities, labels: Int32Array.of(-1, -1, -1) }, all(3)).rows).toBe(0);
  expect(numberAgreement({ predicted: [1, 1, 1], given: [1, 2, 3] }, all(3)).value).toBeNaN();
});
