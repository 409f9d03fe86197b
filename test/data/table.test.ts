import fc from 'fast-check';
import { loadTable } from '../../src/data/loadTable';
import { writeTable } from '../../src/data/writeTable';
import type { Column, Table } from '../../src/domain/table';
import { errorOf, usePlace, wellFormed } from './support';

const place = usePlace();

const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((s) => wellFormed(s));
/** The characters that strings are joined by on their way out of DuckDB. */
const awkward = fc.constantFrom('', ' ', '\u001a', '\u001d', 'a\u001db', '\u001a\u001a', '\n', '"', 'é', '𝄞', 'NULL');
const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });
const number = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, 0, 1e308, 5e-324));
const day = fc.oneof(fc.integer({ min: -700_000, max: 2_900_000 }), fc.integer({ min: -1e9, max: 1e9 }).map((ms) => ms / 86_400_000), fc.constant(NaN))
  .map((days) => (Number.isNaN(days) ? NaN : Math.round(days * 86_400e6) / 86_400e6));

const tables = fc.nat({ max: 40 }).chain((rows) => {
  const column = <T>(values: fc.Arbitrary<T>) => fc.array(values, { minLength: rows, maxLength: rows });
  return fc.record({
    keys: column(fc.oneof(text, awkward)),
    number: column(number).map((v): Column => ({ type: 'number', values: Float64Array.from(v) })),
    boolean: column(fc.constantFrom(0, 1, NaN)).map((v): Column => ({ type: 'boolean', values: Float64Array.from(v) })),
    date: column(day).map((v): Column => ({ type: 'date', values: Float64Array.from(v) })),
    category: column(maybe(fc.oneof(awkward, text))).map((values): Column => ({ type: 'category', values })),
    text: column(maybe(text)).map((values): Column => ({ type: 'text', values })),
    vector: fc.integer({ min: 1, max: 4 }).chain((width) =>
      fc.array(fc.float(), { minLength: rows * width, maxLength: rows * width }).map((v): Column => ({ type: 'vector', width, values: Float32Array.from(v) }))),
  }).map(({ keys, ...columns }) => ({ keys, table: { rows, columns } as Table }));
});

test('what is written is loaded again, value by value', async () => {
  await fc.assert(fc.asyncProperty(tables, async (written) => {
    const ref = await writeTable(place.store, written);
    const wanted = Object.entries(written.table.columns).map(([name, { type }]) => ({ name, type }));
    const loaded = await loadTable(place.store, ref, wanted);
    expect(loaded.keys).toEqual(written.keys);
    const { vector, ...columns } = written.table.columns;
    const { vector: loadedVector, ...others } = loaded.table.columns;
    expect(others).toEqual(columns);
    // Zero rows say nothing of a width.
    expect(loadedVector).toEqual(written.table.rows === 0 ? { ...vector, width: 0 } : vector);
    expect(await writeTable(place.store, written)).toEqual(ref);
  }), { numRuns: 40 });
});

test('a table over many chunks, with characters that need the slow way in one of them', async () => {
  const rows = 10_000;
  const keys = Array.from({ length: rows }, (_, i) => (i === 9_000 ? 'odd\u001done' : `key ${i}`));
  const values = Float64Array.from({ length: rows }, (_, i) => (i % 3 === 0 ? NaN : i / 7));
  const table: Table = { rows, columns: { values: { type: 'number', values }, names: { type: 'text', values: keys.map((key, i) => (i % 5 === 0 ? null : key)) } } };
  const ref = await writeTable(place.store, { keys, table });
  expect(await loadTable(place.store, ref, [{ name: 'values', type: 'number' }, { name: 'names', type: 'text' }])).toEqual({ keys, table });
});

test('a number of keys that is not the number of rows is refused', async () => {
  await expect(writeTable(place.store, { keys: ['a'], table: { rows: 2, columns: {} } })).rejects.toThrow(RangeError);
});

describe('conversions', () => {
  const snapshot = async () => place.ingest({
    format: 'json', key: ['id'],
    paths: [await place.write('conversions.json', JSON.stringify([
      { id: 1, n: 5, x: 1.5, big: 1e21, flag: true, zero: 0, s: '12', d: '2020-01-02', t: '1969-12-31T12:00:00Z', v: [1, null], none: null },
      { id: 2, n: null, x: 2, big: null, flag: false, zero: 1, s: null, d: null, t: null, v: null, none: null },
    ]))],
  });

  test.each([
    ['n', 'number', [5, NaN]],
    ['flag', 'number', [1, 0]],
    ['flag', 'boolean', [1, 0]],
    ['zero', 'boolean', [0, 1]],
    ['d', 'date', [18_263, NaN]],
    ['t', 'date', [-0.5, NaN]],
    ['n', 'category', ['5', null]],
    ['x', 'category', ['1.5', '2']],
    ['big', 'text', ['1e+21', null]],
    ['flag', 'category', ['true', 'false']],
    ['d', 'category', ['2020-01-02', null]],
    ['t', 'text', ['1969-12-31T12:00:00.000Z', null]],
    ['s', 'text', ['12', null]],
    ['none', 'category', [null, null]],
    ['v', 'vector', [1, NaN, NaN, NaN]],
  ] as const)('%s as %s', async (name, type, expected) => {
    const { table } = await loadTable(place.store, await snapshot(), [{ name, type }]);
    expect(Array.from<unknown>(table.columns[name]!.values)).toEqual(expected);
  });

  test('a column without a value is missing in every type', async () => {
    const data = await snapshot();
    for (const type of ['number', 'boolean', 'date', 'category', 'text'] as const) {
      const { table } = await loadTable(place.store, data, [{ name: 'none', type }]);
      const missing = type === 'category' || type === 'text' ? null : NaN;
      expect(Array.from<unknown>(table.columns.none!.values)).toEqual([missing, missing]);
    }
    const { table } = await loadTable(place.store, data, [{ name: 'none', type: 'vector' }]);
    expect(table.columns.none).toEqual({ type: 'vector', width: 0, values: new Float32Array(0) });
  });

  test.each([
    ['s', 'number', '12'], ['n', 'date', '5'], ['x', 'boolean', '1.5'], ['s', 'boolean', '12'], ['v', 'category', '[1.0, NULL]'], ['n', 'vector', '5'], ['d', 'number', '2020-01-02'],
  ] as const)('%s as %s is refused, with a sample', async (name, type, sample) => {
    const error = await errorOf(loadTable(place.store, await snapshot(), [{ name, type }]));
    expect(error).toMatchObject({ code: 'COLUMN_TYPE', details: { column: name, wanted: type, sample, row: '1' } });
    expect(error.message).toContain(`'${name}'`);
  });

  test('a column that is not there is named with the nearest', async () => {
    expect(await errorOf(loadTable(place.store, await snapshot(), [{ name: 'Flag', type: 'boolean' }]))).toMatchObject({ code: 'COLUMN_MISSING', details: { nearest: 'flag' } });
  });

  test('infinities stay, so that they can be named', async () => {
    const data = await place.ingest({ paths: [await place.write('infinite.csv', 'k,x\na,inf\nb,-inf\nc,1\n')], key: ['k'] });
    const { table } = await loadTable(place.store, data, [{ name: 'x', type: 'number' }]);
    expect(Array.from(table.columns.x!.values as Float64Array)).toEqual([Infinity, -Infinity, 1]);
  });
});
