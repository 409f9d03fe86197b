import fc from 'fast-check';
import { evaluate } from '../../src/domain/evaluate';
import { embeddingScoring } from '../../src/domain/metrics-embedding';
import { random } from '../../src/domain/random';
import type { Column, Table } from '../../src/domain/table';
import type { MetricResult } from '../../src/domain/version';
import { embedding } from './specs';

const options = { resamples: 100, seed: 1, confidence: 0.9 };
const attributes = (columns: Record<string, (string | null)[]>): Table => ({
  rows: Object.values(columns)[0]!.length,
  columns: Object.fromEntries(Object.entries(columns).map(([name, values]): [string, Column] => [name, { type: 'category', values }])),
});
const vectors = (rows: number[][]): Table =>
  ({ rows: rows.length, columns: { vector: { type: 'vector', width: rows[0]!.length, values: Float32Array.from(rows.flat()) } } });
const retrieve = (alike: Table, rows: number[][]): Record<string, MetricResult> =>
  Object.fromEntries(evaluate(embedding(), { truth: { task: 'embedding', alike }, newcomer: { outputs: vectors(rows) } },
    options).map((m) => [m.metric, m]));

test('nearest neighbours by cosine, worked by hand', () => {
  // Angles 0, 10, 50, 80 degrees: the nearest of each is the next one; lengths do not matter.
  const at = (degrees: number, length: number): number[] => [length * Math.cos(degrees * Math.PI / 180),
    length * Math.sin(degrees * Math.PI / 180)];
  const results = retrieve(attributes({ kind: ['a', 'a', 'b', 'a'] }), [at(0, 1), at(10, 50), at(50, 3), at(80, 2)]);
  // b has nobody alike and is no query; 0 finds 10, 10 finds 0, 80 finds 50.
  expect(results['recall@1']).toMatchObject({ value: 2 / 3, rows: 3, baseline: { value: 2 / 3 } });
  expect(results['recall@10']!.value).toBe(1);
  expect(results['precision@10']!.value).toBeCloseTo(2 / 3, 12);
});

test('clusters that keep the groups apart are found perfectly', () => {
  const kinds = Array.from({ length: 60 }, (_, i) => 'abc'[i % 3]!);
  const results = retrieve(attributes({ kind: kinds }),
    kinds.map((k, i) => [k === 'a' ? 1 : 0, k === 'b' ? 1 : 0, k === 'c' ? 1 : 0, i / 1e4]));
  expect(['recall@1', 'recall@10', 'precision@10'].map((m) => results[m]!.value)).toEqual([1, 1, 1]);
  expect(results['recall@1']!.baseline!.gain.low).toBeGreaterThan(0.5);
});

test('rows are alike when they agree on all attributes; a missing one agrees with nothing', () => {
  const results = retrieve(attributes({ kind: ['a', 'a', 'a', null, null], size: ['x', 'x', 'y', 'x', 'x'] }),
    [[1, 0], [1, 0.1], [0, 1], [1, 0], [1, 0]]);
  expect(results['recall@1']!.rows).toBe(2);
});

test('chance is what random vectors reach, for groups of any sizes', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 2, max: 12 }), { minLength: 2, maxLength: 6 }), fc.integer(), (sizes, seed) => {
    const kinds = sizes.flatMap((size, group) => new Array<string>(size).fill(String(group)));
    const alike = attributes({ kind: kinds });
    const next = random(seed);
    const sums: Record<string, number> = {};
    const trials = 60;
    let chance: Record<string, number> = {};
    for (let t = 0; t < trials; t++) {
      const results = retrieve(alike, kinds.map(() => Array.from({ length: 4 }, () => next() - 0.5)));
      for (const m of Object.values(results)) sums[m.metric] = (sums[m.metric] ?? 0) + m.value / trials;
      chance = Object.fromEntries(Object.values(results).map((m) => [m.metric, m.baseline!.value]));
    }
    // Hits within one trial depend on each other; five deviations of a single query's hit over root trials is generous.
    for (const [metric, value] of Object.entries(chance)) expect(Math.abs(sums[metric]! - value)).toBeLessThan(0.15);
  }), { numRuns: 5, seed: 11 });
});

test('a collapsed embedding is no better than chance, even when the rows come sorted by group', () => {
  const kinds = Array.from({ length: 400 }, (_, i) => (i < 320 ? 'common' : 'rare'));
  const precision = retrieve(attributes({ kind: kinds }), kinds.map(() => [1, 1]))['precision@10']!;
  expect(precision.baseline!.value).toBeCloseTo(0.8 * 319 / 399 + 0.2 * 79 / 399, 12);
  // Ties broken by the order of rows would give 0.8.
  expect(precision.value - precision.baseline!.value).toBeLessThan(0.07);
});

test('a missing vector is found by nobody and finds nothing', () => {
  const results = retrieve(attributes({ kind: ['a', 'a', 'b', 'b'] }), [[NaN, NaN], [1, 0], [0, 1], [0, 1]]);
  expect(results['recall@1']!.value).toBe(0.5);
});

test('over many rows the queries are a seeded sample, the candidates all rows', () => {
  const kinds = Array.from({ length: 300 }, (_, i) => String(i % 3));
  const alike = attributes({ kind: kinds });
  const outputs = vectors(kinds.map((k) => [Math.cos(Number(k)), Math.sin(Number(k))]));
  const scoring = embeddingScoring(alike, { newcomer: outputs }, { seed: 1, maxPairs: 300 * 50 });
  expect(scoring.rows).toBe(50);
  expect(scoring.scorers.newcomer!['precision@10']!(new Float64Array(50).fill(1))).toBe(1);
});

test('no two alike rows is an error that names the attributes', () => {
  expect(() => retrieve(attributes({ kind: ['a', 'b', 'c'] }), [[1, 0], [0, 1], [1, 1]])).toThrow(/agree on kind/);
});
