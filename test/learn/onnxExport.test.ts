import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { nativesFolder } from '../../scripts/setup/folders.mjs';
import type { Table } from '../../src/domain/table';
import type { Encoder, Head } from '../../src/learn/network';
import { exportOnnx } from '../../src/learn/onnx/export';
import { build, cases } from './onnx/generate';
import { featuresOf, open, run } from './onnx/run';

const REGRESSION: Head = { kind: 'regression', scale: 'log10', mean: 5, deviation: 1, lowOffset: -0.5, highOffset: 0.5 };
const CLASSES: Head = { kind: 'classification', classes: ['yes', 'no', 'été'], temperature: 1.5 };

const ENCODERS: Encoder[] = [
  { kind: 'piecewise', input: 'run-time.min', from: 'number', edges: [0, 60, 120] },
  { kind: 'onehot', input: 'rating', values: ['', 'R', 'PG-13'] },
  { kind: 'bag', input: 'title', split: true, ids: { dark: 0, knight: 1, 'knight:': 1 }, idf: [1, 2], table: 'titles', units: 4 },
];
const TABLE: Table = {
  rows: 3,
  columns: {
    'run-time.min': { type: 'number', values: Float64Array.of(90, NaN, 400) },
    rating: { type: 'category', values: ['R', null, 'never seen'] },
    title: { type: 'text', values: ['The DARK Knight: Rises', null, 'Été'] },
  },
};
const network = (head: Head, encoders = ENCODERS) => build({ head, encoders, members: 2, hidden: [4], skip: true, seed: 1 });

test('inputs and outputs have the names, types and shapes of the contract', async () => {
  const session = await open(exportOnnx(network(CLASSES), featuresOf(TABLE)));
  expect(session.inputNames).toEqual(['run-time.min', 'rating', 'title']);
  const { types } = await run(session, TABLE);
  expect(types).toEqual({ probabilities: 'float32 3x3', label: 'string 3x1', probability: 'float32 3x1' });
  await session.release();
});

test('an input that no encoder reads is an input all the same', async () => {
  const session = await open(exportOnnx(network(REGRESSION, ENCODERS.slice(0, 2)), featuresOf(TABLE)));
  expect(session.inputNames).toContain('title');
  expect((await run(session, TABLE)).types).toEqual({ value: 'float32 3x1', low: 'float32 3x1', high: 'float32 3x1' });
  await session.release();
});

test('no rows in, no rows out, where there is no text', async () => {
  const session = await open(exportOnnx(network(CLASSES, ENCODERS.slice(0, 2)), featuresOf(TABLE)));
  const empty: Table = { rows: 0, columns: { ...TABLE.columns, 'run-time.min': { type: 'number', values: new Float64Array() },
    rating: { type: 'category', values: [] }, title: { type: 'text', values: [] } } };
  expect((await run(session, empty)).types).toEqual({ probabilities: 'float32 0x3', label: 'string 0x1', probability: 'float32 0x1' });
  await session.release();
});

test('a row gets the same answer alone as among others', async () => {
  await fc.assert(fc.asyncProperty(cases(), async ({ network, table }) => {
    const session = await open(exportOnnx(network, featuresOf(table)));
    const { outputs } = await run(session, table);
    const alone = await run(session, firstRow(table));
    for (const [name, rows] of Object.entries(outputs)) {
      rows[0]!.forEach((value, i) => {
        const single = alone.outputs[name]![0]![i]!;
        if (typeof value === 'string') expect(single).toBe(value);
        else expect(Math.abs(value - (single as number))).toBeLessThanOrEqual(1e-4 * Math.max(1, Math.abs(value)));
      });
    }
    await session.release();
  }), { numRuns: 100 });
});

test('equal networks are equal bytes, whatever the order of their vocabulary and metadata', () => {
  const shuffled = ENCODERS.map((e) => (e.kind === 'bag' ? { ...e, ids: Object.fromEntries(Object.entries(e.ids).reverse()) } : e));
  const first = exportOnnx(network(REGRESSION), featuresOf(TABLE), { a: '1', b: '2' });
  const second = exportOnnx(network(REGRESSION, shuffled), featuresOf(TABLE), { b: '2', a: '1' });
  expect(Buffer.from(first).equals(second)).toBe(true);
  expect(Buffer.from(first).equals(exportOnnx(network(REGRESSION), featuresOf(TABLE), { a: '2' }))).toBe(false);
});

test('an input that has an output\'s name is refused', () => {
  const columns = { value: TABLE.columns['run-time.min']! };
  const encoders: Encoder[] = [{ kind: 'piecewise', input: 'value', from: 'number', edges: [0, 1] }];
  expect(() => exportOnnx(network(REGRESSION, encoders), featuresOf({ rows: 3, columns })))
    .toThrow(expect.objectContaining({ code: 'CONFIG', message: expect.stringContaining('"value"') }));
});

test.each([
  ['LC_ALL=C', { LC_ALL: 'C' }],
  ['no locale set', {}],
  ['a locale that does not exist', { LC_ALL: 'xx_XX.UTF-8', LANG: 'xx_XX' }],
])('text is read in a fresh process with %s', async (_, env) => {
  const folder = mkdtempSync(join(tmpdir(), 'locale-'));
  try {
    const bytes = exportOnnx(network(CLASSES), featuresOf(TABLE));
    writeFileSync(join(folder, 'model.onnx'), bytes);
    const runtime = require.resolve('onnxruntime-node', { paths: [__dirname, nativesFolder()] });
    const script = `
      const ort = require(${JSON.stringify(runtime)});
      ort.InferenceSession.create(${JSON.stringify(join(folder, 'model.onnx'))}).then((session) => session.run({
        'run-time.min': new ort.Tensor('float32', [90, NaN, 400], [3, 1]),
        rating: new ort.Tensor('string', ['R', '', 'never seen'], [3, 1]),
        title: new ort.Tensor('string', ['The DARK Knight: Rises', '', 'Été'], [3, 1]),
      })).then(({ probabilities, label }) => console.log(JSON.stringify([[...probabilities.data], label.data])));`;
    const stdout = execFileSync(process.execPath, ['-e', script], { env, encoding: 'utf8' });

    const session = await open(bytes);
    const { outputs } = await run(session, TABLE);
    await session.release();
    const [probabilities, labels] = JSON.parse(stdout) as [number[], string[]];
    expect(labels).toEqual(outputs.label!.flat());
    expect(probabilities).toEqual(outputs.probabilities!.flat().map((p) => expect.closeTo(p as number, 5)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const firstRow = (table: Table): Table => ({
  rows: 1,
  columns: Object.fromEntries(Object.entries(table.columns).map(([name, column]) => {
    if (column.type === 'vector') return [name, { ...column, values: column.values.slice(0, column.width) }];
    return [name, { ...column, values: column.values.slice(0, 1) } as typeof column];
  })),
});
