import { resolveFeatures } from '../../src/data/features';
import { validateModelData } from '../../src/data/validate';
import type { ClassificationSpec, EmbeddingSpec, ForecastSpec, InputSpec, ModelSpec, RegressionSpec } from '../../src/domain/spec';
import type { Manifest } from '../../src/domain/version';
import { errorOf, usePlace, VEGA } from './support';

const place = usePlace();

const training = { folds: 4, hidden: [8], maxEpochs: 1, patience: 1, batchSize: 8, learningRate: 0.01, weightDecay: 0 };
const base = { name: 'price', source: 'things', inputs: [], gates: [], holdout: 0.25, seed: 1, training };
const column = (name: string): InputSpec => ({ kind: 'column', name, column: name });
const regression = (over: Partial<RegressionSpec> = {}): RegressionSpec => ({ ...base, task: 'regression', target: 'y', scale: 'linear', interval: 0.8, inputs: [column('x')], ...over });
const classification = (over: Partial<ClassificationSpec> = {}): ClassificationSpec => ({ ...base, task: 'classification', target: 'c', inputs: [column('x')], ...over });
const embedding = (over: Partial<EmbeddingSpec> = {}): EmbeddingSpec => ({ ...base, task: 'embedding', alike: ['c'], dimensions: 4, inputs: [column('x')], ...over });
const forecast = (over: Partial<ForecastSpec> = {}): ForecastSpec => ({
  ...base, task: 'forecast', target: 'y', time: 'day', frequency: 'day', horizon: 2, context: 4, season: 7, scale: 'linear', interval: 0.8, at: 'day', ...over });

type Cells = Record<string, unknown>;
let run = 0;
const check = async (spec: ModelSpec, rows: Cells[], key = ['id']) => {
  const lines = rows.map((row) => JSON.stringify(row)).join('\n');
  const snapshot = await place.ingest({ format: 'jsonl', key, paths: [await place.write(`rows-${run++}.jsonl`, lines)] });
  return validateModelData(spec, snapshot, { store: place.store });
};
const rows = (n: number, cells: (i: number) => Cells = () => ({})): Cells[] =>
  Array.from({ length: n }, (_, i) => ({ id: i, x: i / 2, y: (i * 7) % 11 + 1, c: i % 2 ? 'odd' : 'even', empty: null, day: dayOf(i), ...cells(i) }));
const dayOf = (i: number) => new Date(Date.UTC(2020, 0, 1 + i)).toISOString().slice(0, 10);

test('sound data passes, and rows without a target are counted', async () => {
  expect(await check(regression(), rows(100, (i) => (i % 10 ? {} : { y: null })))).toEqual({ usableRows: 90, unlabelledRows: 10, notes: [] });
  expect(await check(classification(), rows(100))).toEqual({ usableRows: 100, unlabelledRows: 0, notes: [] });
  expect(await check(embedding(), rows(100))).toEqual({ usableRows: 100, unlabelledRows: 0, notes: [] });
  expect(await check(forecast({ inputs: [column('x')] }), rows(100))).toEqual({ usableRows: 100, unlabelledRows: 0, notes: [] });
});

test('the real films can be learnt from', async () => {
  const snapshot = await place.ingest({ format: 'json', paths: [`${VEGA}/movies.json`], sql: 'SELECT * FROM source WHERE "Worldwide Gross" > 0' });
  const spec = regression({ target: 'Worldwide Gross', scale: 'log10', inputs: [column('Production Budget'), column('Major Genre'), column('Title'), column('Release Date')] });
  expect(await validateModelData(spec, snapshot, { store: place.store })).toMatchObject({ usableRows: snapshot.rows, unlabelledRows: 0 });
});

test.each([
  ['input', regression({ inputs: [column('X1')] }), 'X1', 'x'],
  ['target', regression({ target: 'yy' }), 'yy', 'y'],
  ['time', forecast({ time: 'days' }), 'days', 'day'],
  ['series', forecast({ series: 'cc' }), 'cc', 'c'],
  ['alike', embedding({ alike: ['cc'] }), 'cc', 'c'],
])('a missing %s column is named with the nearest', async (role, spec, name, near) => {
  const error = await errorOf(check(spec, rows(100)));
  expect(error).toMatchObject({ code: 'COLUMN_MISSING', details: { column: name, nearest: near } });
  expect(error.message).toMatch(new RegExp(`Model price: the .?${role}.? column '${name}'`));
});

test.each([
  ['input', regression({ inputs: [column('empty')] })],
  ['target', regression({ target: 'empty' })],
  ['alike', embedding({ alike: ['empty'] })],
])('an all-null %s column is refused', async (role, spec) => {
  expect(await errorOf(check(spec, rows(100)))).toMatchObject({ code: 'COLUMN_EMPTY', message: expect.stringContaining(role) });
});

test('a column of another type is refused with a sample', async () => {
  const input: InputSpec = { kind: 'column', name: 'n', column: 'c', type: 'number' };
  expect(await errorOf(check(regression({ inputs: [input] }), rows(100)))).toMatchObject({ code: 'COLUMN_TYPE', details: { column: 'c', wanted: 'number', sample: 'even' } });
  expect(await errorOf(check(regression({ target: 'c' }), rows(100)))).toMatchObject({ code: 'COLUMN_TYPE', details: { column: 'c' } });
  expect(await errorOf(check(forecast({ time: 'x' }), rows(100)))).toMatchObject({ code: 'COLUMN_TYPE', details: { column: 'x', wanted: 'date' } });
});

test.each([
  ['a number', regression({ target: 'same' })],
  ['a class', classification({ target: 'same' })],
  ['what makes rows alike', embedding({ alike: ['same'] })],
  ['a series', forecast({ target: 'same' })],
])('%s that never varies is refused', async (_, spec) => {
  expect(await errorOf(check(spec, rows(100, () => ({ same: 7 }))))).toMatchObject({ code: 'TARGET_CONSTANT', message: expect.stringContaining('same') });
});

test('too few rows: says how many there are and are needed', async () => {
  const error = await errorOf(check(regression(), rows(20)));
  expect(error).toMatchObject({ code: 'TOO_FEW_ROWS', details: { rows: 20, needed: 40 } });
  expect(error.message).toContain('20 rows can be used');
  expect(await errorOf(check(forecast(), rows(9)))).toMatchObject({ code: 'TOO_FEW_ROWS' });
  expect(await errorOf(check(regression(), rows(200, (i) => (i < 180 ? { y: null } : {}))))).toMatchObject({ code: 'TOO_FEW_ROWS', details: { rows: 20 } });
  await expect(check(regression({ holdout: 0 }), rows(40))).resolves.toMatchObject({ usableRows: 40 });
});

test.each([['NaN', 'nan'], ['an infinity', '-inf']])('%s in an input or a target is named with its row and the count', async (_, value) => {
  const lines = rows(100).map(({ id, x, y }, i) => `${String(id)},${i === 42 || i === 77 ? value : String(x)},${String(y)}`);
  const snapshot = await place.ingest({ paths: [await place.write(`finite-${value}.csv`, ['id,x,y', ...lines].join('\n'))], key: ['id'] });
  const asInput = await errorOf(validateModelData(regression(), snapshot, { store: place.store }));
  expect(asInput).toMatchObject({ code: 'NOT_FINITE', details: { column: 'x', count: 2, key: '42', value } });
  const asTarget = await errorOf(validateModelData(regression({ target: 'x', inputs: [column('y')] }), snapshot, { store: place.store }));
  expect(asTarget).toMatchObject({ code: 'NOT_FINITE', message: expect.stringContaining("target column 'x'") });
  await expect(validateModelData(regression({ inputs: [] }), snapshot, { store: place.store })).resolves.toMatchObject({ usableRows: 100 });
});

test('zero or negative targets on a logarithmic scale are refused with count and example', async () => {
  const error = await errorOf(check(regression({ scale: 'log10' }), rows(100, (i) => (i === 3 ? { y: 0 } : i === 5 ? { y: -2 } : {}))));
  expect(error).toMatchObject({ code: 'NOT_FINITE', details: { column: 'y', count: 2, key: '3', value: expect.stringMatching(/^0/) } });
  expect(error.remedy).toContain('WHERE "y" > 0');
});

test('rare classes are reported, and too few usable ones refused', async () => {
  const { notes } = await check(classification(), rows(100, (i) => (i < 3 ? { c: 'rare' } : {})));
  expect(notes).toEqual([expect.stringContaining("'rare' (3)")]);
  expect(await errorOf(check(classification(), rows(100, (i) => ({ c: i < 3 ? 'rare' : 'usual' }))))).toMatchObject({ code: 'TOO_FEW_ROWS', message: expect.stringContaining('only 1') });
});

describe('forecasts', () => {
  test('two rows of one period are refused, by series', async () => {
    const two = rows(100, (i) => ({ day: dayOf(Math.floor(i / 2)) }));
    expect(await errorOf(check(forecast(), two))).toMatchObject({ code: 'CONFIG', message: expect.stringContaining('2020-01-01') });
    await expect(check(forecast({ series: 'c' }), two)).resolves.toMatchObject({ usableRows: 100 });
  });

  test('gaps, rows without a date and negative values on a logarithmic scale are reported', async () => {
    const odd = rows(100, (i) => (i % 25 === 10 ? { day: null } : i === 50 ? { y: -1 } : {}));
    const { notes } = await check(forecast({ scale: 'log10' }), odd);
    expect(notes).toEqual(['4 rows have no date or no series and are left out.', '4 of 100 days between the first and the last value have none.',
      expect.stringContaining('1 value of \'y\'')]);
  });
});

describe('features', () => {
  test('come from the data, the declaration or the upstream version', async () => {
    const snapshot = await place.ingest({ format: 'json', paths: [await place.write('features.json', JSON.stringify(rows(3, () => ({ v: [1, 2, 3] }))))] });
    const spec = regression({ inputs: [
      column('x'), { kind: 'column', name: 'code', column: 'id', type: 'category' }, column('v'),
      { kind: 'model', name: 'genre', model: 'genre', output: 'probabilities' }, { kind: 'model', name: 'label', model: 'genre', output: 'label' },
      { kind: 'model', name: 'title', model: 'title', output: 'vector' },
    ] });
    const upstream = {
      genre: { spec: classification(), classes: ['a', 'b', 'c'] } as Manifest,
      title: { spec: embedding(), width: 16 } as Manifest,
    };
    expect(resolveFeatures(spec, snapshot, upstream)).toEqual([
      { name: 'x', type: 'number' }, { name: 'code', type: 'category' }, { name: 'v', type: 'vector', width: 3 },
      { name: 'genre', type: 'vector', width: 3 }, { name: 'label', type: 'category' }, { name: 'title', type: 'vector', width: 16 },
    ]);
    const wrong = regression({ inputs: [{ kind: 'model', name: 'g', model: 'genre', output: 'vector' }] });
    expect(() => resolveFeatures(wrong, snapshot, upstream)).toThrow(/label, probability/);
    expect(() => resolveFeatures(regression({ inputs: [column('Idd')] }), snapshot, {})).toThrow(/Did you mean 'id'/);
  });
});
