import fc from 'fast-check';
import { readRows, writeRows } from '../../src/data/rows';
import { loadTable } from '../../src/data/loadTable';
import { keysOf } from '../../src/domain/requestKeys';
import type { Row } from '../../src/domain/prediction';
import { errorOf, usePlace, wellFormed } from './support';

const place = usePlace();

const snapshotKeys = async (path: string, format: 'csv' | 'jsonl' | 'parquet', key: string[]): Promise<string[]> =>
  (await loadTable(place.store, await place.ingest({ paths: [path], format, key }), [])).keys;

/** Rows of unique numbers, so that no key of a snapshot gets a number for a duplicate. */
const tables = <T>(value: fc.Arbitrary<T>) =>
  fc.array(fc.option(value, { nil: null }), { minLength: 1, maxLength: 200 }).map((values): Row[] => values.map((v, n) => ({ k: v, n })));

const text = fc.string({ unit: 'grapheme' }).filter((s) => wellFormed(s) && s !== '' && !s.includes('\u001f'));
const time = fc.date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }).map((d) => d.toISOString());

let file = 0;

describe('a request has the keys that its rows have in a snapshot', () => {
  test.each<[what: string, values: fc.Arbitrary<unknown>]>([
    ['text', text],
    ['whole numbers', fc.integer()],
    ['large whole numbers', fc.maxSafeInteger()],
    ['numbers', fc.double({ noNaN: true, noDefaultInfinity: true }).filter((x) => Math.abs(x) < 9e15 || Math.abs(x) > 1e16)],
    ['numbers of a few digits', fc.tuple(fc.integer({ min: -9999, max: 9999 }), fc.integer({ min: -6, max: 3 })).map(([d, e]) => Number(`${d}e${e}`))],
    ['yes and no', fc.boolean()],
    ['days', time.map((t) => t.slice(0, 10))],
    ['times', time],
    ['times and midnights', fc.oneof(time, time.map((t) => `${t.slice(0, 10)}T00:00:00.000Z`))],
  ])('%s, sent as JSON', async (_what, values) => {
    await fc.assert(fc.asyncProperty(tables(values), async (rows) => {
      const path = await place.write(`keys${file++}.jsonl`, rows.map((row) => JSON.stringify(row)).join('\n'));
      const keys = keysOf({ rows, request: 'r', columns: ['k', 'n'] });
      expect([...keys].sort()).toEqual((await snapshotKeys(path, 'jsonl', ['k', 'n'])).sort());
    }), { numRuns: 5 });
  });

  test.each<[format: 'csv' | 'parquet', values: fc.Arbitrary<unknown>[]]>([
    ['csv', [fc.integer({ min: -1000, max: 1000 }), fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), time.map((t) => t.slice(0, 10)), time, fc.boolean()]],
    ['parquet', [text, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), fc.boolean()]],
  ])('rows of a %s file, read as a request reads them', async (format, values) => {
    await fc.assert(fc.asyncProperty(fc.oneof(...values.map(tables)), async (rows) => {
      const path = await place.write(`keys${file++}.${format}`, '');
      await writeRows(path, rows);
      const keys = keysOf({ rows: await readRows(path), request: 'r', columns: ['k', 'n'] });
      expect([...keys].sort()).toEqual((await snapshotKeys(path, format, ['k', 'n'])).sort());
    }), { numRuns: 10 });
  });

  test('in the order of the key\'s columns, with nothing where a value is missing', async () => {
    const rows = [{ date: '2015-03', series: 'oil', other: 1 }, { date: '2015-04', series: null, other: 2 }];
    const path = await place.write('months.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
    const keys = keysOf({ rows, request: 'r', columns: ['series', 'date'] });
    expect(keys).toEqual(['oil\u001f2015-03-01', '\u001f2015-04-01']);
    expect([...keys].sort()).toEqual(await snapshotKeys(path, 'jsonl', ['series', 'date']));
  });
});

test('other time zones, and fractions of a second, are one time', () => {
  const keyOf = (k: unknown): string => keysOf({ rows: [{ k }], request: 'r', columns: ['k'] })[0]!;
  expect(keyOf('2015-03-31T00:30:00+02:00')).toBe('2015-03-30 22:30:00');
  expect(keyOf('2015-03-31T02:00:00+02:00')).toBe('2015-03-31');
  expect(keyOf('2015-03-31T10:20:30.120000Z')).toBe('2015-03-31 10:20:30.12');
  expect(keyOf('2015-13-31')).toBe('2015-13-31');
  expect(keyOf('  padded ')).toBe('  padded ');
  expect(keyOf(-0)).toBe('0');
});

test('rows without a key are named by their place in the request', () => {
  expect(keysOf({ rows: [{ id: 7 }, { other: 1 }, { id: null }], request: 'chain/x/1', columns: ['id'] })).toEqual(['7', 'chain/x/1/1', 'chain/x/1/2']);
  expect(keysOf({ rows: [{}, {}], request: 'q' })).toEqual(['q/0', 'q/1']);
});

test('given keys are taken, one a row', async () => {
  expect(keysOf({ rows: [{ id: 7 }, {}], request: 'q', columns: ['id'], given: ['a', 'b'] })).toEqual(['a', 'b']);
  const fail = (given: unknown[]) => errorOf((async () => keysOf({ rows: [{}, {}], request: 'q', given: given as string[] }))());
  expect(await fail(['a'])).toMatchObject({ code: 'REQUEST_ROW', message: expect.stringMatching(/1 keys for 2 rows/) });
  expect(await fail(['a', ''])).toMatchObject({ code: 'REQUEST_ROW', message: expect.stringMatching(/"" for row 1/) });
});
