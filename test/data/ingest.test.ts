import fc from 'fast-check';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { loadTable } from '../../src/data/loadTable';
import type { Profile } from '../../src/data/profile';
import { readRows } from '../../src/data/rows';
import { withDuckDB } from '../../src/data/duckdb';
import type { Snapshot } from '../../src/domain/version';
import { errorOf, usePlace, VEGA, wellFormed } from './support';

const place = usePlace();
const typesOf = (snapshot: Snapshot) => Object.fromEntries(snapshot.columns.map((column) => [column.name, column.type]));
const profileOf = (snapshot: Snapshot) => place.store.readJson<Profile>(snapshot.profile);
const columnOf = async (snapshot: Snapshot, name: string) => (await profileOf(snapshot)).columns.find((column) => column.name === name)!;
const rowsOf = async (snapshot: Snapshot) => readRows(await place.store.localFile(snapshot.data));

describe('real data', () => {
  test('films: numeric titles are text, dates in words are dates, years up to 2046 stay', async () => {
    const snapshot = await place.ingest({ format: 'json', paths: [join(VEGA, 'movies.json')] });
    expect(snapshot.rows).toBe(3201);
    expect(typesOf(snapshot)).toMatchObject({
      Title: 'text', 'Release Date': 'date', 'Major Genre': 'category', Director: 'category', Distributor: 'category',
      'Worldwide Gross': 'number', 'IMDB Rating': 'number', 'Running Time min': 'number',
    });
    expect(snapshot.columns.find((column) => column.name === 'Major Genre')).toMatchObject({ missing: 275, distinct: 12 });
    expect((await columnOf(snapshot, 'Release Date')).max).toMatch(/^2046-/);
    const { table } = await loadTable(place.store, snapshot, [{ name: 'Title', type: 'text' }]);
    expect((table.columns.Title!.values as string[]).filter((title) => /^\d+$/.test(title)).length).toBeGreaterThan(3);
  });

  test('delimited files', async () => {
    const strikes = await place.ingest({ paths: [join(VEGA, 'birdstrikes.csv')] });
    expect(strikes.rows).toBe(10_000);
    expect(typesOf(strikes)).toMatchObject({ 'Flight Date': 'date', 'Cost Total $': 'number', 'Wildlife Size': 'category', 'Airport Name': 'category' });
    const weather = await place.ingest({ paths: [join(VEGA, 'seattle-weather.csv')], key: ['date'] });
    expect(weather.rows).toBe(1461);
    expect(typesOf(weather)).toEqual({ date: 'date', precipitation: 'number', temp_max: 'number', temp_min: 'number', weather: 'category', wind: 'number' });
    expect((await loadTable(place.store, weather, [])).keys.slice(0, 2)).toEqual(['2012-01-01', '2012-01-02']);
    const employment = await place.ingest({ paths: [join(VEGA, 'us-employment.csv')], key: ['month'] });
    expect(employment.rows).toBe(120);
    expect(typesOf(employment)).toMatchObject({ month: 'date', nonfarm: 'number', utilities: 'number', nonfarm_change: 'number' });
  });

  test('three million flights', async () => {
    const snapshot = await place.ingest({ format: 'parquet', paths: [join(VEGA, 'flights-3m.parquet')], sql: 'SELECT date, delay, distance FROM source' });
    expect(snapshot.rows).toBe(3_000_000);
    expect(typesOf(snapshot)).toEqual({ date: 'date', delay: 'number', distance: 'number' });
    expect(await columnOf(snapshot, 'delay')).toMatchObject({ mean: 6.667867666666667, quantiles: { '0.5': -1 } });
    const { keys, table } = await loadTable(place.store, snapshot, [{ name: 'delay', type: 'number' }, { name: 'date', type: 'date' }]);
    expect(keys.length).toBe(3_000_000);
    expect((table.columns.delay!.values as Float64Array).reduce((sum, delay) => sum + delay, 0)).toBe(20_003_603);
  }, 180_000);
});

describe('the same data gives the same bytes', () => {
  const row = fc.record({
    id: fc.integer({ min: 0, max: 40 }),
    name: fc.option(fc.string({ unit: 'binary', maxLength: 5 }).filter((s) => wellFormed(s)), { nil: null }),
    amount: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: null }),
    when: fc.option(fc.constantFrom('2020-02-29', '1999-12-31', 'unknown'), { nil: null }),
  });

  test('however rows are ordered, spread over files and written', async () => {
    let run = 0;
    await fc.assert(fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 30 }), fc.func(fc.integer()), fc.boolean(), async (rows, order, keyed) => {
      run++;
      const key = keyed ? ['id', 'when'] : [];
      const one = await place.write(`one-${run}.json`, JSON.stringify(rows));
      const shuffled = rows.map((r, i) => ({ r, at: order(i, run) })).sort((a, b) => a.at - b.at).map(({ r }) => Object.fromEntries(Object.entries(r).reverse()));
      const cut = Math.floor(rows.length / 3);
      await place.write(`many-${run}-b.jsonl`, shuffled.slice(0, cut).map((r) => JSON.stringify(r)).join('\n'));
      await place.write(`many-${run}-a.jsonl`, shuffled.slice(cut).map((r) => JSON.stringify(r)).join('\n'));
      const first = await place.ingest({ format: 'json', paths: [one], key });
      const second = await place.ingest({ format: 'jsonl', paths: [join(place.folder, `many-${run}-*.jsonl`)], key });
      expect({ ...second, profile: undefined }).toEqual({ ...first, profile: undefined });
      expect(second.profile.sha256).toBe(first.profile.sha256);
    }), { numRuns: 12 });
  });

  test('from CSV, TSV, JSON, JSON lines and Parquet, plain or compressed', async () => {
    const rows = [{ a: 1, b: 'x, "y"', c: '2020-01-02', d: 1.5, e: true }, { a: 2, b: null, c: null, d: null, e: false }];
    const csv = 'a,b,c,d,e\n1,"x, ""y""",2020-01-02,1.5,true\n2,,,,false\n';
    const parquet = join(place.folder, 'same.parquet');
    await withDuckDB({}, (db) => db.run(`COPY (SELECT 1 AS a, 'x, "y"' AS b, DATE '2020-01-02' AS c, 1.5 AS d, true AS e UNION ALL SELECT 2, NULL, NULL, NULL, false) TO '${parquet}'`));
    const hashes = [];
    for (const source of [
      { format: 'csv', paths: [await place.write('same.csv', csv)] },
      { format: 'csv', paths: [await place.write('semicolon.csv', csv.replace('x, ""y""', 'x; ""y""').replace(/,/g, ';').replace('x; ""y""', 'x, ""y""'))] },
      { format: 'csv', paths: [await place.write('bom-crlf.csv', `\ufeff${csv.replace(/\n/g, '\r\n')}`)] },
      { format: 'csv', paths: [await place.write('same.csv.gz', gzipSync(csv))] },
      { format: 'tsv', paths: [await place.write('same.tsv', 'a\tb\tc\td\te\n1\t"x, ""y"""\t2020-01-02\t1.5\ttrue\n2\t\t\t\tfalse\n')] },
      { format: 'json', paths: [await place.write('same.json', JSON.stringify(rows))] },
      { format: 'jsonl', paths: [await place.write('same.jsonl', rows.map((r) => JSON.stringify(r)).join('\n'))] },
      { format: 'parquet', paths: [parquet] },
    ] as const) hashes.push((await place.ingest({ ...source, paths: [...source.paths] })).data.sha256);
    expect(new Set(hashes).size).toBe(1);
  });

  test('also through SQL that depends on order', async () => {
    const lines = Array.from({ length: 200 }, (_, i) => `${i % 7},${i / 3}`);
    const sql = 'SELECT g, sum(x) AS total, first(x) AS one, count(*) AS n FROM source GROUP BY g';
    const up = await place.ingest({ paths: [await place.write('up.csv', ['g,x', ...lines].join('\n'))], sql });
    const down = await place.ingest({ paths: [await place.write('down.csv', ['g,x', ...lines.reverse()].join('\n'))], sql });
    expect(down.data).toEqual(up.data);
  });
});

describe('keys', () => {
  test('join the texts of the key columns, alike for integers, doubles, dates and midnights', async () => {
    const snapshot = await place.ingest({
      format: 'json', key: ['n', 'd', 's'],
      paths: [await place.write('keys.json', JSON.stringify([
        { n: 1.5, d: '2020-01-02 00:00:00', s: 'ü' }, { n: 2, d: '2020-01-02 10:30:00', s: null },
      ]))],
    });
    expect((await loadTable(place.store, snapshot, [])).keys).toEqual(['1.5\u001f2020-01-02\u001fü', '2\u001f2020-01-02 10:30:00\u001f']);
  });

  test('rows of one key are all kept, numbered from the second on, and counted', async () => {
    const text = 'k,v\nb,1\na,2\na,1\na,1\n';
    const keyed = await place.ingest({ paths: [await place.write('dup.csv', text)], key: ['k'] });
    expect(await rowsOf(keyed)).toEqual([
      { __key: 'a', k: 'a', v: 1 }, { __key: 'a\u001e2', k: 'a', v: 1 }, { __key: 'a\u001e3', k: 'a', v: 2 }, { __key: 'b', k: 'b', v: 1 },
    ]);
    expect((await profileOf(keyed)).duplicateRows).toBe(2);
    const plain = await place.ingest({ paths: [join(place.folder, 'dup.csv')] });
    const { keys } = await loadTable(place.store, plain, []);
    expect(keys.filter((key) => key.includes('\u001e'))).toHaveLength(1);
    expect(new Set(keys).size).toBe(4);
  });
});

describe('types', () => {
  const typeOf = async (values: string[]) => {
    const snapshot = await place.ingest({ paths: [await place.write('typed.csv', ['n,v', ...values.map((v, i) => `${i},${v}`)].join('\n'))] });
    return columnOf(snapshot, 'v');
  };

  test.each([
    ['integers', ['1', '-2', '', '+3'], 'number', { missing: 1, min: -2, max: 3 }],
    ['numbers', ['1', '2.5', '1e3', '.5', 'NA', 'n/a'], 'number', { missing: 2, max: 1000 }],
    ['numbers with nan and inf', ['1', 'nan', '-inf', 'Infinity'], 'number', { nan: 1, infinite: 2, min: 1, max: 1 }],
    ['codes with leading zeros', ['007', '42', '1'], 'category', { distinct: 3 }],
    ['booleans', ['true', 'FALSE', ''], 'boolean', { missing: 1 }],
    ['ISO dates', ['2020-02-29', '1969-12-31'], 'date', { min: '1969-12-31' }],
    ['month first, where both would do', ['01/02/2020', '03/04/2020'], 'date', { min: '2020-01-02' }],
    ['day first, where only that will do', ['01/02/2020', '31/12/2020'], 'date', { min: '2020-02-01' }],
    ['years of two digits', ['1/8/90', '12/31/04'], 'date', { min: '1990-01-08' }],
    ['dates in words', ['"Jun 12, 1998"', '"Aug 7, 2004"'], 'date', { max: '2004-08-07' }],
    ['times with a zone', ['2020-01-01T00:30:00+02:00', '2020-01-01T00:30:00Z'], 'date', { min: '2019-12-31 22:30:00' }],
    ['impossible dates', ['2020-02-30', '2020-01-01'], 'category', {}],
    ['mixed', ['1', 'x', '2020-01-01'], 'category', {}],
    ['nothing', ['', '', ''], 'category', { missing: 3 }],
    ['sentences', Array.from({ length: 30 }, (_, i) => `the film number ${i} of many`), 'text', { meanWords: 6 }],
    ['few names of two words', Array.from({ length: 30 }, (_, i) => `Warner ${i % 5}`), 'category', {}],
    ['identifiers', Array.from({ length: 30 }, (_, i) => `id-${i}`), 'category', {}],
  ])('%s', async (_, values, type, facts) => {
    expect(await typeOf(values)).toMatchObject({ type, ...facts });
  });

  test('a value far down the file decides as one at the top does', async () => {
    const numbers = Array.from({ length: 60_000 }, (_, i) => String(i));
    expect((await typeOf([...numbers, 'x'])).type).toBe('category');
    expect((await typeOf(['x', ...numbers])).type).toBe('category');
  });

  test('wide numbers, decimals, lists, structures and blobs of Parquet', async () => {
    const file = join(place.folder, 'types.parquet');
    await withDuckDB({}, (db) => db.run(`COPY (SELECT 1::TINYINT AS tiny, 170141183460469231731687303715884105727::HUGEINT AS huge, 1.25::DECIMAL(9, 2) AS decimal,
      [1, 2]::INTEGER[] AS list, {'a': 1} AS struct, ['x'] AS words, 'b'::BLOB AS blob, TIMESTAMPTZ '2020-01-01 00:00:00+01' AS zoned, '' AS empty) TO '${file}'`));
    const snapshot = await place.ingest({ format: 'parquet', paths: [file] });
    expect(typesOf(snapshot)).toEqual({
      blob: 'category', decimal: 'number', empty: 'category', huge: 'number', list: 'vector', struct: 'category', tiny: 'number', words: 'category', zoned: 'date' });
    expect(snapshot.columns.find((column) => column.name === 'list')!.width).toBe(2);
    expect(await rowsOf(snapshot)).toEqual([expect.objectContaining({
      decimal: 1.25, list: [1, 2], struct: '{"a":1}', words: '["x"]', zoned: '2019-12-31T23:00:00.000Z', empty: null })]);
  });

  test('integers of JSON stay exact while they fit into 64 bits', async () => {
    const text = '[{"id":9007199254740993,"wide":18446744073709551615},{"id":-1,"wide":1}]';
    const snapshot = await place.ingest({ format: 'json', key: ['id'], paths: [await place.write('integers.json', text)] });
    expect((await loadTable(place.store, snapshot, [])).keys).toEqual(['-1', '9007199254740993']);
    expect((await profileOf(snapshot)).columns.map((column) => column.max)).toEqual([2 ** 53, 2 ** 64]);
  });

  test('vectors of different widths are refused, with a row', async () => {
    const error = await errorOf(place.ingest({ format: 'json', key: ['id'], paths: [await place.write('widths.json', '[{"id":1,"v":[1,2]},{"id":2,"v":[1,2]},{"id":3,"v":[1]}]')] }));
    expect(error).toMatchObject({ code: 'COLUMN_TYPE', details: { column: 'v', row: '3' } });
  });
});

test('files of one source need not have the same columns', async () => {
  const a = await place.write('union-a.csv', 'id,x\n1,2\n');
  const b = await place.write('union-b.csv', 'y;id\nq;2\n');
  const snapshot = await place.ingest({ paths: [b, a, a], key: ['id'] });
  expect(await rowsOf(snapshot)).toEqual([{ __key: '1', id: 1, x: 2, y: null }, { __key: '2', id: 2, x: null, y: 'q' }]);
});

test('names of files and columns may hold anything', async () => {
  const file = await place.write(`it's [1]*?.csv`, `"a ""b"" 'c'","d;e"\n1,x\n`);
  const snapshot = await place.ingest({ paths: [file], key: [`a "b" 'c'`] });
  expect(await rowsOf(snapshot)).toEqual([{ __key: '1', [`a "b" 'c'`]: 1, 'd;e': 'x' }]);
});

describe('what is wrong with a source is said', () => {
  test('a missing file, and the folder that is there', async () => {
    const path = join(place.folder, 'none', 'at', 'all.csv');
    const error = await errorOf(place.ingest({ paths: [path] }));
    expect(error).toMatchObject({ code: 'SOURCE_MISSING', details: { path, nearestFolder: place.folder } });
    expect(error.message).toContain('Source things');
    expect(await errorOf(place.ingest({ paths: [join(place.folder, 'zzz-*.csv')] }))).toMatchObject({ code: 'SOURCE_MISSING', message: expect.stringContaining('no file matches') });
    expect(await errorOf(place.ingest({ paths: [place.folder] }))).toMatchObject({ code: 'SOURCE_MISSING', message: expect.stringContaining('is a folder') });
  });

  (process.getuid?.() === 0 ? test.skip : test)('a file that may not be read (root may read everything)', async () => {
    const path = await place.write('secret.csv', 'a\n1\n');
    await chmod(path, 0);
    expect(await errorOf(place.ingest({ paths: [path] }))).toMatchObject({ code: 'SOURCE_UNREADABLE', details: { file: path } });
  });

  test.each([
    ['a row too long', 'csv', 'a,b\n1,2\n3,4,5\n', 3],
    ['a row too short', 'csv', 'a,b\n1,2\n3\n', 3],
    ['an open quote', 'csv', 'a,b\n1,"2\n3,4\n', 2],
    ['no UTF-8', 'csv', Buffer.from([97, 10, 0xff, 0xfe, 10]), 2],
    ['the same name twice', 'csv', 'id,ID\n1,2\n', undefined],
    ['broken JSON', 'json', '[{"a":1},{"a":}]', undefined],
    ['a broken line', 'jsonl', '{"a":1}\n{"a":nul}\n{"a":2}\n', 2],
    ['rows that are no objects', 'json', '[1,2]', undefined],
    ['no Parquet', 'parquet', 'a,b\n1,2\n', undefined],
  ] as const)('%s', async (what, format, text, line) => {
    const path = await place.write(`bad ${what}.${format}`, text);
    const error = await errorOf(place.ingest({ format, paths: [path] }));
    expect(error.code).toBe('SOURCE_UNREADABLE');
    expect(error.message).toContain(path);
    if (line !== undefined) expect(error.details).toMatchObject({ file: path, line });
  });

  test('a malformed row in one of several files names that file', async () => {
    const good = await place.write('part-1.csv', 'a,b\n1,2\n');
    const bad = await place.write('part-2.csv', 'a,b\n1,2\n1,2\n1\n');
    expect(await errorOf(place.ingest({ paths: [good, bad] }))).toMatchObject({ code: 'SOURCE_UNREADABLE', details: { file: bad, line: 4 } });
  });

  test.each([['csv', ''], ['csv', 'a,b\n'], ['json', '[]'], ['jsonl', '']] as const)('no rows in %s %j', async (format, text) => {
    expect(await errorOf(place.ingest({ format, paths: [await place.write(`empty.${format}`, text)] }))).toMatchObject({ code: 'TOO_FEW_ROWS' });
  });

  test('no rows after the SQL', async () => {
    const error = await errorOf(place.ingest({ paths: [await place.write('some.csv', 'a\n1\n')], sql: 'SELECT * FROM source WHERE a > 1' }));
    expect(error).toMatchObject({ code: 'TOO_FEW_ROWS', message: expect.stringContaining('sql') });
  });

  test('a key column that is not there, and a reserved name', async () => {
    const path = await place.write('films.csv', 'Title,Year\nx,1\n');
    expect(await errorOf(place.ingest({ paths: [path], key: ['Titel'] }))).toMatchObject({ code: 'COLUMN_MISSING', details: { column: 'Titel', nearest: 'Title' } });
    expect(await errorOf(place.ingest({ paths: [path], sql: 'SELECT Title AS __KEY FROM source' }))).toMatchObject({ code: 'CONFIG' });
  });
});
