import { takeColumn } from '../../src/domain/table';
import type { Column } from '../../src/domain/table';
import type { Examples } from '../../src/learn/fit';
import { predict } from '../../src/learn/predict';
import {
  categories, classificationSpec, examplesOf, fitted, numbers, regressionSpec, splitOf, texts, trainedOn, uniforms, valuesOf,
} from './support/examples';

const ROWS = 240;
const [A, B] = [uniforms(ROWS, 1), uniforms(ROWS, 2)];
const columns = (): Record<string, Column> => ({ a: numbers(A), title: texts(B.map((x) => `word${Math.floor(12 * x)} word${Math.floor(5 * x)}`)) });
const tasks: { task: string; spec: ReturnType<typeof regressionSpec>; target: Column }[] = [
  { task: 'regression', spec: regressionSpec('linear', { maxEpochs: 15 }), target: numbers(A.map((x, i) => 3 * x + 20 * B[i]! ** 6)) },
  { task: 'classification', spec: classificationSpec({ maxEpochs: 15 }), target: categories(A.map((x, i) => (x + B[i]! > 1 ? 'yes' : 'no'))) },
];

const weighted = (weightOf: (row: number) => number) => Float32Array.from({ length: ROWS }, (_, row) => weightOf(row));

/** The same rows in the same folds, but for some that are not there at all. */
function without(examples: Examples, gone: (row: number) => boolean): Examples {
  const rows = Int32Array.from(examples.split.folds.keys()).filter((row) => !gone(row));
  const taken = Object.fromEntries(Object.entries(examples.table.columns).map(([name, column]) => [name, takeColumn(column, rows)]));
  return {
    ...examplesOf(taken, takeColumn(examples.target!, rows)),
    split: { ...examples.split, folds: examples.split.folds.filter((_, row) => !gone(row)) },
  };
}

describe.each(tasks)('a $task', ({ spec, target }) => {
  test('with rows of weight 0 is the one without these rows, to the last bit', async () => {
    const gone = (row: number): boolean => splitOf(ROWS).folds[row]! >= 0 && row % 7 === 0;
    const examples = examplesOf(columns(), target);
    const [left, absent] = [
      await fitted(spec, { ...examples, weights: weighted((row) => (gone(row) ? 0 : 1)) }), await fitted(spec, without(examples, gone)),
    ];
    expect(left.network).toEqual(absent.network);
    expect(left.baseline).toEqual(absent.baseline);
    const { excludedRows, ...summary } = left.summary;
    expect(summary).toEqual(absent.summary);
    expect(excludedRows).toBe(trainedOn(examples).filter(gone).length);
  });

  test('answers rows of weight 0 with all its members, since none has seen them', async () => {
    const examples = { ...examplesOf(columns(), target), weights: weighted((row) => (row % 7 === 0 ? 0 : 1)) };
    const fit = await fitted(spec, examples);
    const output = spec.task === 'regression' ? 'value' : 'probability';
    const all = valuesOf({ outputs: predict(fit.network, examples.table) }, output);
    const said = valuesOf(fit, output);
    const same = trainedOn(examples).filter((row) => said[row] === all[row]);
    expect(same.filter((row) => row % 7 === 0)).toEqual(trainedOn(examples).filter((row) => row % 7 === 0));
    expect(same.filter((row) => row % 7 !== 0).length).toBeLessThan(10);
  });

  test.each([1, 0.5, 0.25])('whose rows all weigh %d is the one without weights, to the last bit', async (weight) => {
    const examples = examplesOf(columns(), target);
    const [plain, equal] = [await fitted(spec, examples), await fitted(spec, { ...examples, weights: weighted(() => weight) })];
    expect(equal.network).toEqual(plain.network);
    expect(equal.outputs).toEqual(plain.outputs);
    expect(equal.summary).toEqual(plain.summary);
  });
});

test('the less wrong rows weigh, the nearer a regression comes to the right ones', async () => {
  const wrong = (row: number): boolean => row % 4 === 0;
  const truth = A.map((x) => 3 * x);
  const examples = examplesOf({ a: numbers(A) }, numbers(truth.map((y, row) => (wrong(row) ? y + 2 : y))));
  const errors: number[] = [];
  for (const weight of [1, 0.3, 0.05]) {
    const fit = await fitted(regressionSpec('linear', { maxEpochs: 60 }), { ...examples, weights: weighted((row) => (wrong(row) ? weight : 1)) });
    errors.push(valuesOf(fit, 'value').reduce((sum, value, row) => sum + Math.abs(value - truth[row]!), 0) / ROWS);
  }
  expect(errors[1]).toBeLessThan(0.7 * errors[0]!);
  expect(errors[2]).toBeLessThan(0.7 * errors[1]!);
});
