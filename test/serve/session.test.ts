import { ShoalError } from '../../src/domain/errors';
import type { Table } from '../../src/domain/table';
import type { Feature } from '../../src/domain/version';
import { exportOnnx } from '../../src/learn/onnx/export';
import { BATCH_ROWS, openSession, runOnnx } from '../../src/serve/session';
import { linear, standard, sum } from './fixtures';

const number = (...values: number[]) => ({ type: 'number' as const, values: Float64Array.from(values) });
const one = sum('one', { x: 2, y: 3 }, { bias: 1 });
const spec = (made: typeof one) => ({ model: made.spec.name, spec: made.spec, features: made.features });

/** Every type of input, each of which moves the value by a known amount. */
const features: Feature[] = [
  { name: 'n', type: 'number' }, { name: 'b', type: 'boolean' }, { name: 'd', type: 'date' },
  { name: 'c', type: 'category' }, { name: 't', type: 'text' },
  { name: 'v', type: 'vector', width: 2 },
];
const mixed = exportOnnx(linear({
  encoders: [
    standard('n'), { kind: 'flag', input: 'b' },
    { kind: 'piecewise', input: 'd', from: 'date', edges: [0, 100] }, { kind: 'onehot', input: 'c', values: ['', 'red'] },
    { kind: 'bag', input: 't', split: true, ids: { hello: 0 }, idf: [1], table: 'table', units: 1 }, standard('v', 2),
  ],
  head: { kind: 'regression', scale: 'linear', mean: 0, deviation: 1, lowOffset: -1, highOffset: 1 },
  kernel: [1, 2, 3, 4, 5, 6, 7, 0.25, 0.5, 0.75], bias: [0],
  weights: { table: { shape: [1, 1, 1], data: Float32Array.of(1) } },
}), features);
const mixedSpec = { model: 'mixed', spec: { task: 'regression' as const }, features };

describe('an ONNX session', () => {
  it('answers with the file\'s outputs', async () => {
    const table = await runOnnx(one.onnx, spec(one), { rows: 2, columns: { x: number(1, 2), y: number(1, 0) } });
    expect(table.columns).toEqual({ value: number(6, 5), low: number(5, 4), high: number(7, 6) });
  });

  it('converts every type of column, and missing values', async () => {
    const table: Table = {
      rows: 2,
      columns: {
        n: number(1.5, NaN), b: { type: 'boolean', values: Float64Array.of(1, NaN) }, d: { type: 'date', values: Float64Array.of(50, NaN) },
        c: { type: 'category', values: ['red', null] }, t: { type: 'text', values: ['Hello', null] },
        v: { type: 'vector', width: 2, values: Float32Array.of(2, 4, NaN, NaN) },
      },
    };
    const { columns } = await runOnnx(mixed, mixedSpec, table);
    expect(columns.value).toEqual(number(1.5 + 2 + 0.5 * 4 + 7 + 0.25 + 2 * 0.5 + 4 * 0.75, 5 + 6));
  });

  it('runs a large table in batches, with the same result as row by row', async () => {
    const rows = 2 * BATCH_ROWS + 3;
    const x = Float64Array.from({ length: rows }, (_, i) => i % 1000);
    const session = await openSession(one.onnx, spec(one));
    const { columns } = await session.run({ rows, columns: { x: { type: 'number', values: x }, y: { type: 'number', values: x } } });
    expect(columns.value).toEqual({ type: 'number', values: x.map((v) => 5 * v + 1) });
    await session.release();
  });

  it('gives typed columns of no rows for a table of none', async () => {
    const { rows, columns } = await runOnnx(one.onnx, spec(one), { rows: 0, columns: {} });
    expect(rows).toBe(0);
    expect(columns.value).toEqual(number());
  });

  it('stops between batches when told to', async () => {
    const rows = 3 * BATCH_ROWS;
    const session = await openSession(one.onnx, spec(one));
    const stop = new AbortController();
    const column = { type: 'number' as const, values: new Float64Array(rows) };
    const running = session.run({ rows, columns: { x: column, y: column } }, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    await session.release();
  });

  it.each<[string, Table['columns'], string, string]>([
    ['lacks a column', { x: number(1) }, 'COLUMN_MISSING', 'reads y'],
    [
      'has another type', { x: number(1), y: { type: 'category', values: ['a'] } }, 'COLUMN_TYPE',
      'reads y as number, and the table has it as category',
    ],
    ['has a date for a number', { x: number(1), y: { type: 'date', values: Float64Array.of(1) } }, 'COLUMN_TYPE', 'as date'],
  ])('refuses a table that %s', async (_, columns, code, message) => {
    const refused = runOnnx(one.onnx, spec(one), { rows: 1, columns });
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toMatchObject({ code });
  });

  it('refuses a vector of another width', async () => {
    const columns: Table['columns'] = {
      n: number(1), b: { type: 'boolean', values: Float64Array.of(1) },
      d: { type: 'date', values: Float64Array.of(1) }, c: { type: 'category', values: [null] },
      t: { type: 'text', values: [null] }, v: { type: 'vector', width: 3, values: Float32Array.of(1, 2, 3) },
    };
    await expect(runOnnx(mixed, mixedSpec, { rows: 1, columns })).rejects.toThrow('reads v as 2 numbers a row, and the table has 3');
  });

  it('refuses a file that is none, or is not the manifest\'s', async () => {
    await expect(openSession(new Uint8Array([1, 2, 3]), spec(one))).rejects.toMatchObject({ code: 'ARTIFACT_CORRUPT' });
    await expect(openSession(one.onnx, { ...spec(one), features: one.features.slice(1) })).rejects.toThrow('unknown input x');
    await expect(openSession(one.onnx, { ...spec(one), spec: { task: 'embedding' } })).rejects.toThrow('lacks the output vector');
    await expect(
      openSession(one.onnx, { ...spec(one), features: [...one.features, { name: 'z', type: 'number' }] })
    ).rejects.toBeInstanceOf(ShoalError);
  });
});
