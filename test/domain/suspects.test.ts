import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { judgeLabels } from '../../src/domain/labelJudgement';
import { NearTexts } from '../../src/domain/nearTexts';
import { outliers } from '../../src/domain/outliers';
import { random } from '../../src/domain/random';
import { robustMoments, robustScores } from '../../src/domain/robust';
import { sameInputs } from '../../src/domain/sameInputs';
import type { Column, NumericColumn, StringColumn, Table } from '../../src/domain/table';
import { classification, regression } from './specs';

const number = (values: number[]): NumericColumn => ({ type: 'number', values: Float64Array.from(values) });
const text = (values: (string | null)[]): StringColumn => ({ type: 'text', values });
const category = (values: (string | null)[]): StringColumn => ({ type: 'category', values });
const table = (columns: Record<string, Column>): Table => ({ rows: Object.values(columns)[0]!.values.length, columns });
const all = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);

describe('residuals', () => {
  const { labels, predictions, expected } = (JSON.parse(readFileSync(join(__dirname, 'reference/labels.json'), 'utf8')) as {
    regression: { labels: number[]; predictions: number[]; expected: { scale: number; scores: number[]; quality: number[] } };
  }).regression;

  test('are scaled as scipy does it, and give cleanlab\'s quality of scaled residuals', () => {
    const residuals = Float64Array.from(labels, (y, i) => y - predictions[i]!);
    expect(robustMoments(residuals).scale).toBeCloseTo(expected.scale, 4);
    const { quality, wrong } = judgeLabels({
      spec: regression(), target: number(labels), outputs: table({ value: number(predictions) }), parts: [all(labels.length)],
    });
    quality.forEach((q, row) => expect(q).toBeCloseTo(expected.quality[row]!, 4));
    const far = expected.scores.flatMap((z, row) => (Math.abs(z) > 3.5 ? [row] : []));
    expect(wrong.map((f) => f.row)).toEqual(far);
    expect(far).toEqual(expect.arrayContaining([0, 20, 40, 60]));
  });

  test('that are mostly equal take their scale from the others', () => {
    expect(robustScores(Float64Array.of(1, 1, 1, 1, 2)).map(Math.abs)[4]).toBeGreaterThan(3);
    expect([...robustScores(Float64Array.of(1, 1, 1, NaN))]).toEqual([0, 0, 0, NaN]);
  });

  test('are those of the trained scale', () => {
    const predicted = Array.from({ length: 40 }, (_, i) => 10 ** (3 + (i % 5)));
    const given = predicted.map((y, i) => (i === 7 ? y / 100 : y * (1 + 0.1 * Math.sin(i))));
    const { wrong } = judgeLabels({ spec: regression({ scale: 'log10' }), target: number(given), outputs: table({ value: number(predicted) }), parts: [all(40)] });
    expect(wrong.map((f) => f.row)).toEqual([7]);
    expect(wrong[0]!.why).toMatch(/^100,000 is expected; 1,\d{3} is [\d.]+ usual errors away$/);
  });
});

describe('rows with the same inputs', () => {
  const filler = Array.from({ length: 20 }, (_, i) => `something else ${i}`);
  const judgement = (labels: string[]) => judgeLabels({
    spec: classification(), target: category(labels), classes: ['a', 'b', 'c'], parts: [all(labels.length)],
    outputs: table({ probabilities: { type: 'vector', width: 3, values: new Float32Array(3 * labels.length).fill(1 / 3) } }),
  });

  test('are found whatever their case, spaces, punctuation and rounding', () => {
    const titles = text(['The  Night', 'the night!', 'Ｔhe night', 'the nights', ...filler]);
    const sizes = number([1, 1 + 1e-9, 1, 1, ...filler.map(() => 1)]);
    const { groups, coarse } = sameInputs(table({ titles, sizes }));
    expect(coarse).toBe(false);
    expect(groups.map((g) => [...g])).toEqual([[0, 1, 2]]);
  });

  test('are none where little is known of them, or where most have a twin', () => {
    const empty = sameInputs(table({ a: text([null, null, 'x', ...filler]), b: text(['x', 'x', 'y', ...filler]), c: text([null, null, 'z', ...filler]) }));
    expect(empty.groups).toEqual([]);
    const few = sameInputs(table({ a: category(Array.from({ length: 50 }, (_, i) => `${i % 7}`)) }));
    expect(few).toMatchObject({ coarse: true, groups: [], share: 1 });
  });

  test('are the same rows however the columns are ordered, and only those', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 5 })), { minLength: 1, maxLength: 80 }), (rows) => {
      const columns = { a: number(rows.map(([a]) => a)), b: category(rows.map(([, b]) => `v${b}`)) };
      const byHand = new Map<string, number[]>();
      rows.forEach((row, i) => byHand.set(row.join(), [...(byHand.get(row.join()) ?? []), i]));
      const twins = [...byHand.values()].filter((g) => g.length > 1);
      const { groups, coarse, share } = sameInputs(table(columns));
      expect(share).toBeCloseTo(twins.flat().length / rows.length, 12);
      if (!coarse) expect(groups.map((g) => [...g])).toEqual(twins);
      expect(sameInputs(table({ b: columns.b, a: columns.a })).groups).toEqual(groups);
    }));
  });

  test('conflict when their labels differ: the minority, or all where there is none', () => {
    const { conflicts } = judgement(['a', 'a', 'b', 'c', 'c']);
    expect(conflicts(all(5)).map((f) => f.row)).toEqual([0, 1, 2, 3, 4]);
    expect(conflicts(Int32Array.of(0, 1, 2))).toEqual([{ row: 2, reason: 'conflict', why: 'rows with the same inputs are 2 a, 1 b' }]);
    expect(conflicts(Int32Array.of(0, 1))).toEqual([]);
  });

  test('conflict in numbers when they differ by more than noise', () => {
    const noise = Array.from({ length: 100 }, (_, i) => Math.sin(i));
    const { conflicts } = judgeLabels({
      spec: regression(), target: number([10, 10.5, 30, ...noise]), parts: [all(103)],
      outputs: table({ value: number([10, 10, 10, ...noise.map(() => 0)]) }),
    });
    expect(conflicts(Int32Array.of(0, 1))).toEqual([]);
    expect(conflicts(Int32Array.of(0, 1, 2)).map((f) => f.row)).toEqual([2]);
  });
});

describe('rows that are nearly the same', () => {
  const near = (one: string, other: string, sizes: [number, number] = [5, 5]): boolean => {
    const index = new NearTexts(table({ note: text([one, other]), size: number(sizes) }), ['note']);
    index.add(0);
    return index.find(1) === 0;
  };
  const NOTE = 'A bright and quiet flat near the station, newly renovated, with a balcony to the south and a cellar.';

  test('share most of their text and all else', () => {
    expect(near(NOTE, NOTE)).toBe(true);
    expect(near(NOTE, `${NOTE.toUpperCase()} !`)).toBe(true);
    expect(near(NOTE, NOTE.replace('balcony', 'balkony'))).toBe(true);
    expect(near(NOTE, NOTE.replace('station', 'lake').replace('balcony', 'garden').replace('renovated', 'built'))).toBe(false);
    expect(near(NOTE, NOTE, [5, 6])).toBe(false);
    expect(near('', '')).toBe(false);
  });

  test('are found among many', () => {
    const next = random(4);
    const words = Array.from({ length: 300 }, (_, i) => `word${i}`);
    const notes = Array.from({ length: 600 }, () => Array.from({ length: 20 }, () => words[Math.floor(next() * 300)]).join(' '));
    const index = new NearTexts(table({ note: text([...notes, ...notes.slice(0, 200).map((n) => `${n} again`)]) }), ['note']);
    for (let row = 0; row < 600; row++) index.add(row);
    const found = Array.from({ length: 200 }, (_, i) => index.find(600 + i));
    expect(found.filter((row, i) => row === i).length).toBeGreaterThan(195);
  });
});

describe('outliers', () => {
  const next = random(2);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const sample = (of: () => number): number[] => Array.from({ length: 1_000 }, of);

  test('are values far from all others, and few', () => {
    const found = outliers('budget', Float64Array.from([...sample(() => Math.exp(16 + normal())), 1e15]));
    expect(found.map((f) => f.row)).toEqual([1_000]);
    expect(found[0]!.why).toMatch(/^budget 1000000\.00G is [\d.]+ usual deviations from the median$/);
  });

  test.each([
    ['normal', () => normal()], ['lopsided', () => Math.exp(2 * normal())], ['uniform', () => next()], ['mostly one value', () => (next() < 0.97 ? 0 : 1)],
    ['heavy-tailed', () => normal() / Math.abs(normal())],
  ])('are not the ends of a column that is %s', (_, of) => {
    expect(outliers('x', Float64Array.from(sample(of)))).toEqual([]);
  });

  test('leave missing values alone', () => {
    expect(outliers('x', Float64Array.from([NaN, NaN, ...sample(normal), 50])).map((f) => f.row)).toEqual([1_002]);
  });
});
