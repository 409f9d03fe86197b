import { existsSync } from 'node:fs';
import { ingestSource } from '../../src/data/ingest';
import { readRows } from '../../src/data/rows';
import { withDuckDB } from '../../src/data/duckdb';
import { objectionTo } from '../../src/data/selectOnly';
import { errorOf, usePlace } from './support';

const place = usePlace();
let paths: string[];
beforeAll(async () => {
  paths = [await place.write('films.csv', 'Title,Year,Gross\nAlien,1979,106.5\nHeat,1995,187.4\nRan,1985,\n')];
  await place.write('other.csv', 'secret\n42\n');
  process.env.SHOAL_TEST_SECRET = 'hunter2';
});

const select = async (sql: string) => {
  const snapshot = await place.ingest({ paths, sql, key: ['Title'] });
  return (await readRows(await place.store.localFile(snapshot.data))).map(({ __key, ...row }) => row);
};

test.each([
  ['all of it', 'SELECT * FROM source', [{ Title: 'Alien', Year: 1979, Gross: 106.5 }, { Title: 'Heat', Year: 1995, Gross: 187.4 }, { Title: 'Ran', Year: 1985, Gross: null }]],
  ['a trailing semicolon and comments', '-- films\nSELECT Title FROM source /* all */ WHERE Year < 1980; -- done', [{ Title: 'Alien' }]],
  ['a statement within a nested comment', 'SELECT Title FROM source WHERE Year < 1980 /* ; /* */ ; DROP TABLE source -- */', [{ Title: 'Alien' }]],
  ['WITH, window, regexp, dates', `
    WITH early AS (SELECT *, row_number() OVER (ORDER BY Year) AS n FROM source)
    SELECT upper(Title) AS Title, n, regexp_replace(Title, '[aeiou]', '', 'g') AS short, make_date(Year, 1, 1) AS day FROM early WHERE n = 1`,
  [{ Title: 'ALIEN', n: 1, short: 'Aln', day: '1979-01-01' }]],
  ['FROM first', 'FROM source SELECT Title WHERE Title LIKE \'H%\'', [{ Title: 'Heat' }]],
  ['lists', 'SELECT Title, t.unnest AS word FROM source, unnest([1]) AS t WHERE Year > 1990', [{ Title: 'Heat', word: 1 }]],
  ['a union', 'SELECT Title FROM source WHERE Year = 1979 UNION ALL SELECT \'x; DROP TABLE source\'', [{ Title: 'Alien' }, { Title: 'x; DROP TABLE source' }]],
  ['the schema said', 'SELECT s.Title FROM main.source AS s WHERE s.Gross IS NULL', [{ Title: 'Ran' }]],
])('allowed: %s', async (_, sql, rows) => {
  expect(await select(sql)).toEqual(rows);
});

const attacks = (): [string, string][] => [
  ['a file by function', `SELECT * FROM read_csv('${place.folder}/other.csv')`],
  ['a system file', `SELECT * FROM read_csv('/etc/passwd', header = false)`],
  ['a file by name', `SELECT * FROM '${place.folder}/other.csv'`],
  ['a file by quoted name', `SELECT * FROM "${place.folder}/other.csv"`],
  ['text of a file', `SELECT * FROM read_text('/etc/passwd')`],
  ['bytes of a file', `SELECT * FROM read_blob('/etc/passwd')`],
  ['names of files', `SELECT * FROM glob('/*')`],
  ['a file in a subquery', `SELECT Title, (SELECT content FROM read_text('/etc/passwd')) AS x FROM source`],
  ['a file in WITH', `WITH x AS (FROM '/etc/passwd') SELECT * FROM source, x`],
  ['a file in EXISTS', `SELECT * FROM source WHERE EXISTS (SELECT * FROM read_text('/etc/passwd'))`],
  ['a file in a lateral join', `SELECT * FROM source, LATERAL (SELECT * FROM read_text('/etc/passwd')) AS t`],
  ['a file in ORDER BY', `SELECT * FROM source ORDER BY (SELECT count(*) FROM read_text('/etc/passwd'))`],
  ['a file in a set operation', `SELECT Title FROM source UNION SELECT content FROM read_text('/etc/passwd')`],
  ['a file through query()', `SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')`],
  ['a file through a serialized query', `SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT * FROM read_text(''/etc/passwd'')'))`],
  ['a table by text', `SELECT * FROM query_table('source')`],
  ['sniffing', `SELECT * FROM sniff_csv('/etc/passwd')`],
  ['Parquet metadata', `SELECT * FROM parquet_metadata('/etc/passwd')`],
  ['writing a file', `COPY (SELECT 1) TO '${place.folder}/stolen.csv'`],
  ['writing the source', `COPY source TO '${place.folder}/stolen.csv'`],
  ['attaching', `ATTACH '${place.folder}/stolen.db'`],
  ['attaching in a second statement', `SELECT * FROM source; ATTACH '${place.folder}/stolen.db'`],
  ['installing', 'INSTALL httpfs'],
  ['loading', `LOAD '${place.folder}/evil.duckdb_extension'`],
  ['a pragma', 'PRAGMA database_list'],
  ['a setting', 'SET enable_external_access = true'],
  ['resetting', 'RESET ALL'],
  ['the environment', `SELECT getenv('SHOAL_TEST_SECRET') AS x FROM source`],
  ['the environment, quoted', `SELECT "GetEnv"('SHOAL_TEST_SECRET') AS x FROM source`],
  ['a setting read', `SELECT current_setting('temp_directory') AS x FROM source`],
  ['settings', 'SELECT * FROM duckdb_settings()'],
  ['secrets', 'SELECT * FROM duckdb_secrets()'],
  ['the catalogue', 'SELECT * FROM information_schema.tables'],
  ['the catalogue by view', 'SELECT * FROM duckdb_tables'],
  ['creating', 'CREATE TABLE x AS SELECT 1'],
  ['dropping', 'DROP TABLE source'],
  ['inserting', 'INSERT INTO source VALUES (1)'],
  ['updating', `UPDATE source SET Title = 'x'`],
  ['deleting', 'DELETE FROM source'],
  ['two statements', 'SELECT * FROM source; SELECT 1'],
  ['two statements behind a comment', 'SELECT * FROM source; -- only this\nDROP TABLE source'],
  ['a statement after a comment that only seems to go on', `SELECT * FROM source /* /* */ */ ; COPY source TO '${place.folder}/stolen.csv' -- */`],
  ['nothing', ''],
  ['a comment only', '-- SELECT * FROM source'],
  ['calling', 'CALL pragma_version()'],
  ['explaining', 'EXPLAIN ANALYZE SELECT * FROM source'],
  ['describing', 'DESCRIBE source'],
  ['showing', 'SHOW TABLES'],
  ['exporting', `EXPORT DATABASE '${place.folder}/stolen'`],
  ['importing', `IMPORT DATABASE '${place.folder}'`],
  ['preparing', 'PREPARE p AS SELECT 1'],
  ['a parameter', 'SELECT ? FROM source'],
  ['chance', 'SELECT *, random() AS r FROM source'],
  ['unique ids', 'SELECT *, gen_random_uuid() AS r FROM source'],
  ['a sample', 'SELECT * FROM source USING SAMPLE 2'],
  ['a sample of a table', 'SELECT * FROM source TABLESAMPLE 50%'],
  ['an address', `SELECT * FROM 'https://example.org/x.csv'`],
  ['a bucket', `SELECT * FROM read_parquet('s3://bucket/x.parquet')`],
  ['broken SQL', 'SELECT FROM WHERE'],
];

test('refused: everything that is not one SELECT over the source, with the source and a remedy named', async () => {
  for (const [what, sql] of attacks()) {
    const error = await errorOf(place.ingest({ paths, sql, key: [] }).then(() => { throw new Error(`Allowed: ${what}`); }));
    expect({ what, code: error.code }).toEqual({ what, code: 'SQL_REFUSED' });
    expect(error.message).toContain('source things');
    expect(error.message).not.toContain('hunter2');
    expect(error.message).not.toContain('root:');
    expect(error.remedy).toContain('Write one SELECT over the table `source`');
  }
  for (const name of ['stolen.csv', 'stolen.db', 'stolen']) expect(existsSync(`${place.folder}/${name}`)).toBe(false);
}, 120_000);

test('the second wall holds without the first: a locked engine reads no file, writes none and cannot be unlocked', async () => {
  await withDuckDB({ scratch: `${place.folder}/wall` }, async (db) => {
    await db.run('CREATE TABLE source AS SELECT 1 AS Title');
    for (const sql of [`SET allowed_directories = ['${place.folder}/wall']`, 'SET enable_external_access = false', 'SET lock_configuration = true']) await db.run(sql);
    for (const [what, sql] of attacks()) {
      if (!/csv|passwd|glob|COPY|ATTACH|INSTALL|LOAD|EXPORT|IMPORT|secrets|https|s3:|SET enable|RESET/.test(sql)) continue;
      await expect(db.run(sql).then(() => what)).rejects.toThrow(/disabled|locked|does not exist|Parser|not found|syntax|Did you mean|not supported|allowed|Can only SET/i);
    }
  });
  for (const name of ['stolen.csv', 'stolen.db', 'stolen']) expect(existsSync(`${place.folder}/${name}`)).toBe(false);
});

test('a wrong column is named with the nearest, and where it is', async () => {
  expect(await errorOf(place.ingest({ paths, sql: 'SELECT Title,\n  Yaer\nFROM source' }))).toMatchObject({
    code: 'COLUMN_MISSING', details: { column: 'Yaer', nearest: 'Year', line: 2 } });
  expect(await errorOf(place.ingest({ paths, sql: 'SELECT s.Titel FROM source AS s' }))).toMatchObject({ code: 'COLUMN_MISSING', details: { nearest: 'Title' } });
});

test('other mistakes say what and where', async () => {
  expect(await errorOf(place.ingest({ paths, sql: 'SELECT Title FROM source WHERE' }))).toMatchObject({ code: 'SQL_REFUSED', details: { line: 1 } });
  const unknown = await errorOf(place.ingest({ paths, sql: 'SELECT\n uper(Title) FROM source' }));
  expect(unknown).toMatchObject({ code: 'SQL_REFUSED', details: { line: 2, column: 2 } });
  expect(unknown.remedy).toContain('upper');
  const cast = await errorOf(place.ingest({ paths, sql: 'SELECT CAST(Title AS INTEGER) AS n FROM source' }));
  expect(cast).toMatchObject({ code: 'SQL_REFUSED', message: expect.stringContaining('Could not convert') });
});

test('a SELECT that never ends is stopped', async () => {
  const sql = 'WITH RECURSIVE t AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM t) SELECT max(x) FROM t';
  const source = { name: 'things', paths, format: 'csv' as const, key: [], sql };
  await expect(ingestSource(source, { store: place.store, signal: AbortSignal.timeout(500) })).rejects.toThrow(/timeout|abort/i);
});

test('a tree with anything unknown in it is refused', () => {
  const from = { type: 'SOMETHING_NEW', alias: '', sample: null };
  expect(objectionTo({ error: false, statements: [{ node: { from_table: from } }] }, { from: 'source', volatile: new Set() })).toEqual({ reason: 'it is not a SELECT' });
});
