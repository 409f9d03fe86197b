import fc from 'fast-check';
import { ingestSource } from '../../src/data/ingest';
import { loadTable } from '../../src/data/loadTable';
import { readRows } from '../../src/data/rows';
import type { DatabaseSource } from '../../src/domain/spec';
import type { Snapshot } from '../../src/domain/version';
import { PASSWORD, Postgres } from '../support/postgres';
import { until } from '../support/server';
import { errorOf, usePlace, wellFormed } from './support';

const place = usePlace();
let postgres: Postgres;
beforeAll(async () => {
  postgres = await Postgres.start();
  process.env.TEST_SHOP = postgres.address;
}, 60_000);
afterAll(async () => {
  delete process.env.TEST_SHOP;
  await postgres?.stop();
});

const ingest = (source: Partial<DatabaseSource>, signal?: AbortSignal): Promise<Snapshot> =>
  ingestSource({ name: 'things', postgres: 'TEST_SHOP', key: [], ...source }, { store: place.store, signal });
/** Makes a table anew, which the reader may read. */
const table = (name: string, definition: string, ...more: string[]): Promise<unknown> =>
  postgres.sql([`DROP TABLE IF EXISTS ${name}`, `CREATE TABLE ${name} ${definition}`, `GRANT SELECT ON ${name} TO reader`, ...more].join(';\n'));
/** The readings that are under way. */
const copying = () => postgres.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'shoal' AND state = 'active' AND query LIKE 'COPY%'");
const rowsOf = async (snapshot: Snapshot) => readRows(await place.store.localFile(snapshot.data));
const typesOf = (snapshot: Snapshot) => Object.fromEntries(snapshot.columns.map((column) => [column.name, column.type]));

describe('a table', () => {
  test('keeps its types, whatever the settings of server, database and role are', async () => {
    await postgres.sql("ALTER DATABASE shop SET datestyle = 'SQL, DMY'; ALTER ROLE reader SET timezone = 'Asia/Tokyo'; ALTER ROLE reader SET extra_float_digits = -5");
    await table('kinds', `(id bigint, small smallint, price numeric(12,3), ratio real, share double precision, sold boolean, day date, at timestamp, seen timestamptz,
      name text, code char(5), mood text, ref uuid, more jsonb, sizes int[], weights double precision[], gap interval)`,
    `INSERT INTO kinds VALUES
      (9007199254740993, -3, 12.5, 0.1, 0.1, true, '2024-02-29', '2024-02-29 13:14:15.123456', '2024-02-29 23:30:00-05', 'a "quoted", line
break', 'ab', '\\N', '00000000-0000-0000-0000-000000000001', '{"a": [1, null]}', '{1,2,3}', '{0.5,NULL,Infinity}', '1 day 02:00'),
      (2, NULL, 'NaN', 'Infinity', '-Infinity', false, NULL, NULL, NULL, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL)`);
    const snapshot = await ingest({ table: 'kinds', key: ['id'] });
    const [two, big] = await rowsOf(snapshot);
    expect(big).toMatchObject({
      __key: '9007199254740993', id: '9007199254740993', small: -3, price: 12.5, share: 0.1, sold: true, day: '2024-02-29', name: 'a "quoted", line\nbreak', code: 'ab',
      mood: '\\N', ref: '00000000-0000-0000-0000-000000000001', more: '{"a": [1, null]}', sizes: [1, 2, 3], gap: 'P1DT2H',
    });
    expect(big!.ratio as number).toBeCloseTo(0.1, 6);
    expect(big!.at).toMatch(/^2024-02-29T13:14:15\.123/);
    expect(big!.seen).toMatch(/^2024-03-01T04:30:00/);
    expect(two).toEqual({
      __key: '2', id: 2, small: null, price: null, ratio: expect.anything(), share: expect.anything(), sold: false, day: null, at: null, seen: null,
      name: null, code: null, mood: null, ref: null, more: null, sizes: null, weights: null, gap: null,
    });
    expect(typesOf(snapshot)).toMatchObject({ id: 'number', price: 'number', sold: 'boolean', day: 'date', at: 'date', seen: 'date', code: 'category', sizes: 'vector', weights: 'vector' });
  });

  test('gives the snapshot that a file of the same rows gives, in whatever order they lie in it', async () => {
    const row = fc.record({
      id: fc.integer({ min: -5, max: 30 }),
      name: fc.option(fc.string({ unit: 'binary', maxLength: 6 }).filter((text) => wellFormed(text) && text !== ''), { nil: null }),
      amount: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: null }),
    });
    await fc.assert(fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 25 }), fc.boolean(), async (rows, reversed) => {
      const inOrder = reversed ? [...rows].reverse() : rows;
      await table('pairs', '(amount double precision, id bigint, name text)',
        ...inOrder.map(({ id, name, amount }) => `INSERT INTO pairs VALUES (${amount === null ? 'NULL' : `'${amount}'`}, ${id}, ${name === null ? 'NULL' : `'${name.replaceAll("'", "''")}'`})`));
      // A first row of every column's type, which both have, so that a column without a value has it, too.
      const one = { id: 99, name: 'x', amount: 0.5 };
      await postgres.sql("INSERT INTO pairs VALUES (0.5, 99, 'x')");
      const file = await place.write('pairs.jsonl', [...rows, one].map((each) => JSON.stringify(each)).join('\n'));
      const [fromTable, fromFile] = [await ingest({ table: 'public.pairs', key: ['id'] }), await place.ingest({ paths: [file], format: 'jsonl', key: ['id'] })];
      expect(fromTable.data.sha256).toBe(fromFile.data.sha256);
    }), { numRuns: 25 });
  }, 120_000);

  test('has dates before Christ, and of no end', async () => {
    await table('reigns', '(id int, day date, at timestamp, seen timestamptz)', "INSERT INTO reigns VALUES (1, '0044-03-15 BC', '0044-03-15 12:00 BC', '0044-03-15 12:00+00 BC'), (2, 'infinity', '-infinity', 'infinity')");
    const snapshot = await ingest({ table: 'reigns', key: ['id'] });
    const { table: read } = await loadTable(place.store, snapshot, [{ name: 'day', type: 'date' }, { name: 'at', type: 'date' }, { name: 'seen', type: 'date' }]);
    expect(Object.values(read.columns).map(({ values }) => Array.from(values as Float64Array))).toEqual([[-735160, NaN], [-735159.5, NaN], [-735159.5, NaN]]);
  });

  test('may have a name that has to be quoted, and be a view', async () => {
    await postgres.sql('CREATE SCHEMA "Odd one"; GRANT USAGE ON SCHEMA "Odd one" TO reader');
    await table('"Odd one"."a.b ""c"""', '("Übergröße" int)', 'INSERT INTO "Odd one"."a.b ""c""" VALUES (7)', 'CREATE VIEW "Odd one".seen AS SELECT "Übergröße" + 1 AS n FROM "Odd one"."a.b ""c"""', 'GRANT SELECT ON "Odd one".seen TO reader');
    expect(await rowsOf(await ingest({ table: 'Odd one."a.b ""c"""' }))).toEqual([{ __key: expect.any(String), 'Übergröße': 7 }]);
    expect(await rowsOf(await ingest({ table: 'Odd one.seen' }))).toEqual([{ __key: expect.any(String), n: 8 }]);
  });

  test('of more rows than are held at once', async () => {
    await table('many', 'AS SELECT n AS id, n % 7 AS day, repeat(md5(n::text), 4) AS note FROM generate_series(1, 300000) AS n');
    const snapshot = await ingest({ table: 'many', key: ['id'], sql: 'SELECT id, day FROM source WHERE day > 0' });
    expect(snapshot.rows).toBe(257_143);
    expect(snapshot.columns.map(({ name }) => name)).toEqual(['day', 'id']);
  }, 60_000);

  test('of texts of several megabytes', async () => {
    await table('bytes', '(id int, note text)', "INSERT INTO bytes VALUES (1, repeat('x', 9000000)), (2, 'short')");
    expect((await rowsOf(await ingest({ table: 'bytes', key: ['id'] }))).map(({ note }) => (note as string).length)).toEqual([9_000_000, 5]);
  });

  test('is read in one state, and is there for others while it is', async () => {
    await table('busy', 'AS SELECT n AS id FROM generate_series(1, 1500) AS n');
    const reading = ingest({ query: 'SELECT id, pg_sleep(0.0001) IS NULL AS asleep FROM busy' });
    await until(async () => (await copying()).length > 0, { everyMs: 5 });
    await postgres.sql('DELETE FROM busy');
    expect((await copying()).length).toBe(1);
    expect((await reading).rows).toBe(1500);
  });
});

describe('a query', () => {
  test('is run by the database, in its dialect', async () => {
    await table('sales', 'AS SELECT n AS id, now() - n * interval \'1 day\' AS at, n * 2 AS amount FROM generate_series(1, 50) AS n');
    const snapshot = await ingest({ query: 'SELECT id, amount::text || \'!\' AS amount FROM sales WHERE at > now() - interval \'10 days\'; -- the newest\n  ;'.replace('; -- the newest', ' -- the newest'), key: ['id'] });
    expect((await rowsOf(snapshot)).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test.each([
    ['writes', 'WITH gone AS (DELETE FROM victims RETURNING id) SELECT * FROM gone'],
    ['is two statements', 'SELECT 1 AS id; DROP TABLE victims'],
    ['closes the bracket that is put around it', 'SELECT 1 AS id) TO STDOUT; COMMIT; DROP TABLE victims; COPY (SELECT 1'],
    ['ends the transaction', 'COMMIT; DELETE FROM victims; SELECT 1 AS id'],
    ['is no SELECT', 'DELETE FROM victims RETURNING id'],
    ['is nothing', ';'],
  ])('that %s is refused, and nothing is changed', async (_what, query) => {
    await table('victims', 'AS SELECT 1 AS id', 'GRANT ALL ON victims TO reader');
    const error = await errorOf(ingest({ query }));
    expect(error.code).toBe('SQL_REFUSED');
    expect(error.message).toMatch(/^Source things: its `query` fails in database shop at 127\.0\.0\.1:\d+ \(TEST_SHOP\): /);
    expect(await postgres.sql('SELECT count(*)::int AS n FROM victims')).toEqual([{ n: 1 }]);
  });

  test('that is wrong is told with its line', async () => {
    expect((await errorOf(ingest({ query: 'SELECT 1 AS id,\n  nothing\nFROM pg_class' }))).message).toMatch(/column "nothing" does not exist \(line 2\)\. Write one SELECT/);
  });
});

describe('what can\'t be read', () => {
  beforeAll(() => table('orders', '(id int)', 'INSERT INTO orders VALUES (1)', 'CREATE TABLE secret (id int)'));

  test('a table that is not there: the one that was meant is named', async () => {
    expect(await errorOf(ingest({ table: 'public.order' }))).toMatchObject({ code: 'SOURCE_MISSING', remedy: 'Did you mean public.orders?' });
    expect(await errorOf(ingest({ table: 'Orders' }))).toMatchObject({ code: 'SOURCE_MISSING', remedy: 'Did you mean public.orders?' });
  });

  test('a table that may not be read', async () => {
    expect(await errorOf(ingest({ table: 'secret' }))).toMatchObject({ code: 'SOURCE_UNREADABLE', message: expect.stringMatching(/permission denied for table secret.*GRANT SELECT/) });
  });

  test('a table without rows, a key that is not there, two names that are one to the reader', async () => {
    await table('empty', '(id int)');
    await table('twice', '(id int, "ID" int)');
    expect(await errorOf(ingest({ table: 'empty' }))).toMatchObject({ code: 'TOO_FEW_ROWS', remedy: 'Look at TEST_SHOP: empty.' });
    expect(await errorOf(ingest({ table: 'orders', key: ['ident'] }))).toMatchObject({ code: 'COLUMN_MISSING' });
    expect(await errorOf(ingest({ table: 'twice' }))).toMatchObject({ code: 'SOURCE_UNREADABLE', message: expect.stringContaining('two columns named \'id\' and \'ID\'') });
  });

  test('a value that can\'t be kept', async () => {
    await table('grids', '(id int, cells int[])', "INSERT INTO grids VALUES (1, '{{1,2},{3,4}}')");
    expect(await errorOf(ingest({ table: 'grids' }))).toMatchObject({ code: 'SOURCE_UNREADABLE', message: expect.stringContaining('column cells of grids holds {{1,2},{3,4}}, a int4[] that can\'t be kept as float[].') });
    await table('eras', '(id int, at timestamp)', "INSERT INTO eras VALUES (1, '2024-01-01'), (2, '294276-12-31')");
    expect((await errorOf(ingest({ table: 'eras' }))).message).toContain('column at of eras holds 294276-12-31 00:00:00, a timestamp that can\'t be kept as timestamp.');
  });

  test.each([
    ['is not set', undefined, /TEST_SHOP is not set/],
    ['is empty', '', /TEST_SHOP is not set/],
    ['is something else', `mysql://shop:${PASSWORD}@host/shop`, /does not hold the address of a database/],
    ['has a password that is not escaped', `postgresql://reader:p@ss/word%@127.0.0.1:1/shop`, /does not hold the address of a database/],
  ])('an address that %s', async (_what, address, message) => {
    const before = process.env.TEST_SHOP;
    try {
      if (address === undefined) delete process.env.TEST_SHOP;
      else process.env.TEST_SHOP = address;
      const error = await errorOf(ingest({ table: 'orders' }));
      expect(error.code).toMatch(/^SOURCE_UN/);
      expect(error.message).toMatch(message);
      expect(JSON.stringify([error, error.message, (error as { cause?: Error }).cause?.message])).not.toMatch(/ss\/word|word%/);
    } finally {
      process.env.TEST_SHOP = before;
    }
  });

  test('a wrong password, a database that is not there, a server that is down', async () => {
    const before = process.env.TEST_SHOP!;
    const withAddress = (address: string) => { process.env.TEST_SHOP = address; return errorOf(ingest({ table: 'orders' })); };
    try {
      expect(await withAddress(before.replace('reader:', 'reader:no'))).toMatchObject({ code: 'SOURCE_UNREADABLE', message: expect.stringMatching(/password authentication failed/) });
      expect(await withAddress(postgres.addressOf('reader', 'shed'))).toMatchObject({ code: 'SOURCE_UNREADABLE', message: expect.stringMatching(/database shed at .* does not exist/) });
      expect(await withAddress(before.replace(`:${postgres.port}/`, ':1/'))).toMatchObject({ code: 'SOURCE_UNAVAILABLE', message: expect.stringMatching(/database shop at 127\.0\.0\.1:1 \(TEST_SHOP\) can't be reached/) });
      expect(await withAddress(before.replace('127.0.0.1', 'no.such.host.invalid'))).toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    } finally {
      process.env.TEST_SHOP = before;
    }
  });
});

describe('in the middle of it', () => {
  const SLOW = 'SELECT n AS id, pg_sleep(0.001) AS slept, repeat(\'x\', 2000) AS note FROM generate_series(1, 100000) AS n';

  test('a lost connection is said, and can be tried again', async () => {
    const reading = errorOf(ingest({ query: SLOW }));
    await until(async () => (await copying()).length > 0, { everyMs: 20 });
    await postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'shoal'");
    expect(await reading).toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
  });

  test('a server that goes down is said, and can be tried again', async () => {
    const reading = errorOf(ingest({ query: SLOW }));
    await until(async () => (await copying()).length > 0, { everyMs: 20 });
    await postgres.down();
    expect(await reading).toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    await postgres.up();
    expect((await ingest({ query: 'SELECT 1 AS id' })).rows).toBe(1);
  });

  test('it is cancelled, here and in the database', async () => {
    const controller = new AbortController();
    const reading = ingest({ query: 'SELECT 1 AS id, pg_sleep(60) AS slept' }, controller.signal).then(() => 'read', (error: Error) => error.name);
    await until(async () => (await copying()).length > 0, { everyMs: 20 });
    controller.abort();
    expect(await reading).toBe('AbortError');
    await until(async () => (await postgres.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'shoal'")).length === 0, { everyMs: 50, timeoutMs: 5_000 });
  });
});

// The last: the server wants encryption from then on.
test('over TLS, where its certificate is trusted, and in words where it is not', async () => {
  const authority = await postgres.encrypt();
  const before = process.env.TEST_SHOP!;
  const withOptions = (options: string) => { process.env.TEST_SHOP = `${before}?${options}`; return ingest({ query: 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()' }); };
  try {
    expect(await rowsOf(await withOptions(`sslmode=verify-full&sslrootcert=${authority}`))).toEqual([{ __key: expect.any(String), ssl: true }]);
    expect(await errorOf(withOptions('sslmode=verify-full'))).toMatchObject({ code: 'SOURCE_UNREADABLE', message: expect.stringMatching(/^Source things: the certificate of database shop .* is not trusted: .*sslrootcert/) });
    expect(await errorOf(withOptions(''))).toMatchObject({ code: 'SOURCE_UNREADABLE', message: expect.stringContaining('no encryption') });
  } finally {
    process.env.TEST_SHOP = before;
  }
});
