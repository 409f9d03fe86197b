import { predict } from '../../src/learn/predict';
import type { Column, Table } from '../../src/domain/table';
import { isString } from '../../src/domain/table';
import type { ModelSpec } from '../../src/domain/spec';
import type { Examples } from '../../src/learn/fit';
import {
  categories, classificationSpec, dates, embeddingSpec, examplesOf, fitted, forecastSpec, numbers, regressionSpec, texts, uniforms, vectors,
} from './support/examples';

const n = 120;
const u = uniforms(n, 1);
const y = numbers(u);
const short = { maxEpochs: 3 };

const one = u.map(() => 1);
const spoiled = (value: number) => numbers(u.map((x, i) => (i === 7 ? value : x)));
const [a, few] = [numbers(u), numbers(u.map((x, i) => (i < 5 ? x : NaN)))];
const [empty, unnamed, letter] = [numbers(u.map(() => NaN)), categories(u.map(() => null)), categories(u.map(() => 'x'))];

const unlike = examplesOf({ a }, undefined, { alike: { kind: letter } });

test.each<[string, ModelSpec, Examples, string, RegExp]>([
  ['a target of one value', regressionSpec(), examplesOf({ a }, numbers(one)), 'TARGET_CONSTANT', /y of price has only the value 1/],
  ['a target of one class', classificationSpec(), examplesOf({ a }, letter), 'TARGET_CONSTANT', /the class x/],
  ['an infinite target', regressionSpec(), examplesOf({ a }, spoiled(Infinity)), 'NOT_FINITE', /Infinity in row 7/],
  ['a target that has no logarithm', regressionSpec('log10'), examplesOf({ a }, spoiled(0)), 'NOT_FINITE', /0 in row 7.*positive/],
  ['an input without a value', regressionSpec(), examplesOf({ a, b: empty }, y), 'COLUMN_EMPTY', /The input b of price/],
  ['a category without a value', regressionSpec(), examplesOf({ a, b: unnamed }, y), 'COLUMN_EMPTY', /The input b of price/],
  ['too few rows with a target', regressionSpec(), examplesOf({ a }, few), 'TOO_FEW_ROWS', /has 4 rows to learn from/],
  ['no target at all', regressionSpec(), examplesOf({ a }), 'COLUMN_MISSING', /The target y of price/],
  ['a target of another type', regressionSpec(), examplesOf({ a }, letter), 'COLUMN_TYPE', /to be a number, and is of type category/],
  ['nothing to be alike by', embeddingSpec(), unlike, 'TARGET_CONSTANT', /kind of space/],
])('%s is one clear error', async (_, spec, examples, code, message) => {
  const error = { name: 'ShoalError', code, message: expect.stringMatching(message) as unknown };
  await expect(fitted(spec, examples)).rejects.toMatchObject(error);
});

test('whatever a request holds, a trained model answers with finite numbers', async () => {
  const columns: Record<string, Column> = {
    number: numbers(u),
    constant: numbers(one),
    date: dates(u.map((x) => 12_000 + Math.floor(1000 * x))),
    time: dates(u.map((x) => 12_000 + 10 * x)),
    flag: { type: 'boolean', values: Float64Array.from(u, (x) => (x > 0.5 ? 1 : 0)) },
    kind: categories(u.map((x) => (x > 0.7 ? null : x > 0.3 ? 'a' : 'b'))),
    many: categories(u.map((_, i) => `kind ${i % 70}`)),
    title: texts(u.map((x) => (x > 0.5 ? 'one two' : "it's three"))),
    vector: vectors(2, u.flatMap((x) => [x, 7])),
  };
  const { network } = await fitted(regressionSpec('log10', short), examplesOf(columns, numbers(u.map((x) => x + 0.1))));
  const strange = [NaN, Infinity, -Infinity, 1e300, -1e300, 0, -0, 1e-320];
  const said = ['', null, '__proto__', 'constructor', 'A\u0000b', '\ud800', ' \t\n', 'one '.repeat(1000)];
  const asked: Table = { rows: 8, columns: Object.fromEntries(Object.entries(columns).map(([name, c]) => [name, strangeColumn(c)])) };
  function strangeColumn(c: Column): Column {
    if (isString(c)) return { ...c, values: said };
    if (c.type === 'vector') return { ...c, values: Float32Array.from(strange.flatMap((x) => [x, -x])) };
    return { ...c, values: Float64Array.from(strange) };
  }
  for (const column of Object.values(predict(network, asked).columns)) {
    expect(Array.from(column.values as ArrayLike<number>).every((x) => Number.isFinite(x) && x > 0)).toBe(true);
  }
});

test('a forecast from a history of gaps, infinities or nothing is finite', async () => {
  const history = Array.from({ length: n * 21 }, (_, i) => (i % 11 === 0 ? NaN : 5 + Math.sin(i)));
  const target = Array.from({ length: n * 7 }, (_, i) => (i % 13 === 0 ? NaN : 5 + Math.cos(i)));
  const examples = examplesOf({ history: vectors(21, history), start: dates(u.map((x) => 1e4 + x)) }, vectors(7, target));
  const { network, outputs } = await fitted(forecastSpec('log10', short), examples);
  const asked = [NaN, Infinity, -1, 1e38].flatMap((x) => new Array<number>(21).fill(x));
  const answer = predict(network, { rows: 4, columns: { history: vectors(21, asked), start: dates([NaN, Infinity, 0, 1e300]) } });
  for (const column of [...Object.values(answer.columns), ...Object.values(outputs.columns)]) {
    expect(Array.from(column.values as ArrayLike<number>).every((x) => Number.isFinite(x) && x >= 0)).toBe(true);
  }
});

test('what was never met in training, missing or unknown, leaves a category model where an average row is', async () => {
  const kind = u.map((x) => (x > 0.5 ? 'a' : 'b'));
  const price = numbers(kind.map((k) => (k === 'a' ? 10 : 20)));
  const { network } = await fitted(regressionSpec(), examplesOf({ kind: categories(kind), size: a }, price));
  const asked = { kind: categories(['a', 'b', 'never', null]), size: numbers([0.5, 0.5, 0.5, NaN]) };
  const { value } = predict(network, { rows: 4, columns: asked }).columns;
  const [cheap, dear, never, missing] = Array.from(value!.values as Float64Array);
  expect(cheap).toBeLessThan(13);
  expect(dear).toBeGreaterThan(17);
  for (const x of [never!, missing!]) {
    expect(x).toBeGreaterThan(8);
    expect(x).toBeLessThan(22);
  }
});
