import { predict } from '../../src/learn/predict';
import type { Table } from '../../src/domain/table';
import {
  categories, classificationSpec, dates, embeddingSpec, examplesOf, fitted, forecastSpec, heldOut, labelsOf, numbers, r2, regressionSpec,
  texts, trainedOn, uniforms, valuesOf, vectors,
} from './support/examples';

test('regression learns a curve, a category, a flag and a missing value, on rows it never saw', async () => {
  const n = 600;
  const [a, b, c] = [uniforms(n, 1), uniforms(n, 2), uniforms(n, 3)];
  const kinds = b.map((x) => ['red', 'green', 'blue'][Math.floor(x * 3)]!);
  const y = a.map((x, i) => (c[i]! < 0.2 ? 2 : Math.sin(6 * x)) + (kinds[i] === 'red' ? 1 : 0) + (c[i]! > 0.6 ? 0.5 : 0));
  const examples = examplesOf({
    a: numbers(a.map((x, i) => (c[i]! < 0.2 ? NaN : x))), kind: categories(kinds),
    flag: { type: 'boolean', values: Float64Array.from(c, (x) => (x > 0.6 ? 1 : 0)) },
  }, numbers(y));
  const fit = await fitted(regressionSpec(), examples);
  expect(r2(y, valuesOf(fit, 'value'), heldOut(examples))).toBeGreaterThan(0.9);
  expect(r2(y, valuesOf(fit, 'value'), trainedOn(examples))).toBeGreaterThan(0.85);
  expect(fit.summary).toMatchObject({ rows: 480, holdoutRows: 120, unlabelledRows: 0 });
});

test('the interval holds about the share of held-out values that it names', async () => {
  const n = 1500;
  const [a, noise] = [uniforms(n, 4), uniforms(n, 5)];
  const y = a.map((x, i) => 10 ** (2 * x + 0.5 * noise[i]!));
  const examples = examplesOf({ a: numbers(a) }, numbers(y));
  const fit = await fitted(regressionSpec('log10'), examples);
  const [low, high] = [valuesOf(fit, 'low'), valuesOf(fit, 'high')];
  const rows = heldOut(examples);
  const inside = rows.filter((row) => y[row]! >= low[row]! && y[row]! <= high[row]!).length / rows.length;
  expect(inside).toBeGreaterThan(0.72);
  expect(inside).toBeLessThan(0.88);
  expect(low.every((x, i) => x > 0 && x <= high[i]!)).toBe(true);
});

test('classification learns from the words of a text, punctuated or not, and tells how sure it is', async () => {
  const n = 400;
  const u = uniforms(n, 6);
  const kind = u.map((x) => (x < 0.5 ? 'war' : 'love'));
  const words = { war: ['battle', 'Army', 'sword'], love: ['Wedding', 'kiss', 'heart'] } as const;
  const pick = uniforms(n, 9);
  const title = kind.map((k, i) => `The ${words[k as 'war'][Math.floor(3 * pick[i]!)]}${['', ',', '!', ':'][i % 4]} ${i}`);
  const examples = examplesOf({ title: texts(title) }, categories(kind));
  const fit = await fitted(classificationSpec(), examples);
  const rows = heldOut(examples);
  expect(rows.filter((row) => labelsOf(fit)[row] === kind[row]).length / rows.length).toBeGreaterThan(0.98);
  const asked: Table = { rows: 3, columns: { title: texts(['a (KISS)', 'unheard of', null]) } };
  const answers = predict(fit.network, asked);
  expect(labelsOf({ outputs: answers })[0]).toBe('love');
  const probability = valuesOf({ outputs: answers }, 'probability');
  expect(probability[0]).toBeGreaterThan(0.8);
  expect(probability[1]).toBeLessThan(0.75);
  expect(probability[2]).toBeLessThan(0.75);
});

test('a forecast follows a weekly pattern at the level of each series', async () => {
  const { history, start, target, series } = weekly(12, 60);
  const examples = examplesOf({ history: vectors(21, history), start: dates(start), series: categories(series) }, vectors(7, target));
  const fit = await fitted(forecastSpec('linear', { learningRate: 0.003, weightDecay: 3 }), examples);
  const value = valuesOf(fit, 'value');
  const of = (guess: (i: number) => number): number => heldOut(examples).flatMap(row7)
    .reduce((sum, i) => sum + Math.abs(guess(i) - target[i]!), 0);
  const naive = of((i) => history[Math.floor(i / 7) * 21 + 14 + (i % 7)]!);
  expect(of((i) => value[i]!)).toBeLessThan(0.9 * naive);
});

test('an embedding brings rows of a kind together, whichever member they come from', async () => {
  const n = 300;
  const kind = uniforms(n, 7).map((x) => ['a', 'b', 'c'][Math.floor(x * 3)]!);
  const noise = uniforms(n, 8);
  const x = numbers(kind.map((k, i) => 'abc'.indexOf(k) + 0.5 * noise[i]!));
  const examples = examplesOf({ x }, undefined, { alike: { kind: categories(kind) } });
  const fit = await fitted(embeddingSpec(), examples);
  const vector = valuesOf(fit, 'vector');
  const cosine = (a: number, b: number): number =>
    Array.from({ length: 8 }, (_, d) => vector[a * 8 + d]! * vector[b * 8 + d]!).reduce((sum, product) => sum + product, 0);
  const nearest = (row: number): number => [...kind.keys()].filter((r) => r !== row)
    .reduce((best, r) => (cosine(row, r) > cosine(row, best) ? r : best));
  expect([...kind.keys()].filter((row) => kind[nearest(row)] === kind[row]).length / n).toBeGreaterThan(0.9);
  expect(cosine(0, 0)).toBeCloseTo(1, 5);
});

const row7 = (row: number): number[] => Array.from({ length: 7 }, (_, h) => row * 7 + h);

function weekly(seriesCount: number, days: number) {
  const history: number[] = [];
  const start: number[] = [];
  const target: number[] = [];
  const series: string[] = [];
  for (let s = 0; s < seriesCount; s++) {
    const noise = uniforms(days + 40, 100 + s);
    const at = (t: number): number => (s + 1) * (10 + 3 * Math.sin((2 * Math.PI * t) / 7) + 3 * noise[t]!);
    for (let t = 21; t < days; t += 3) {
      for (let j = 21; j > 0; j--) history.push(at(t - j));
      for (let h = 0; h < 7; h++) target.push(at(t + h));
      start.push(t);
      series.push(`s${s}`);
    }
  }
  return { history, start, target, series };
}
