import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseRows, readRowBatches, readRows, writeRows } from '../../src/data/rows';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-rows-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ROWS = [
  { title: 'Ü, "1"', budget: 1.5, count: 3, date: '2020-01-31', flag: true, vector: [1, 2.5], none: null },
  { title: 'b\nc', budget: null, count: 4, date: '1969-12-31', flag: false, vector: [3, 4], none: null },
];

test.each(['json', 'jsonl', 'parquet'])('rows written as %s are read back', async (format) => {
  const path = join(folder, `rows.${format}`);
  await writeRows(path, ROWS);
  expect(await readRows(path)).toEqual(ROWS);
});

test.each(['csv', 'tsv'])('rows written as %s are read back, lists as their JSON', async (format) => {
  const path = join(folder, `rows.${format}`);
  await writeRows(path, ROWS);
  expect(await readRows(path)).toEqual(ROWS.map((row) => ({ ...row, vector: JSON.stringify(row.vector) })));
});

test.each(['json', 'jsonl', 'csv', 'parquet'])('no rows at all as %s are read back', async (format) => {
  const path = join(folder, `none.${format}`);
  await writeRows(path, []);
  expect(await readRows(path)).toEqual([]);
});

test('batches come in order and in the size asked for', async () => {
  const path = join(folder, 'many.jsonl');
  await writeRows(path, Array.from({ length: 5_001 }, (_, i) => ({ i })));
  const sizes: number[] = [];
  const seen: unknown[] = [];
  for await (const batch of readRowBatches(path, 2_000)) {
    sizes.push(batch.length);
    seen.push(...batch.map((row) => row.i));
  }
  expect(sizes).toEqual([2_000, 2_000, 1_001]);
  expect(seen).toEqual(Array.from({ length: 5_001 }, (_, i) => i));
});

test('text from standard input is rows', async () => {
  expect(await parseRows('[{"a":1},{"a":null}]', 'json')).toEqual([{ a: 1 }, { a: null }]);
  expect(await parseRows('{"a":1}', 'json')).toEqual([{ a: 1 }]);
  expect(await parseRows('{"a":1}\n\n{"a":2}\n', 'jsonl')).toEqual([{ a: 1 }, { a: 2 }]);
  expect(await parseRows('a,b\n1,x\n2.5,\n', 'csv')).toEqual([{ a: 1, b: 'x' }, { a: 2.5, b: null }]);
});

test('what is wrong with rows is said', async () => {
  await expect(parseRows('{"a":1}\n{"a":', 'jsonl')).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE', message: expect.stringContaining('line 2') });
  await expect(parseRows('[1]', 'json')).rejects.toMatchObject({ code: 'REQUEST_ROW', details: { row: 0 } });
  await expect(readRows(join(folder, 'absent.csv'))).rejects.toMatchObject({ code: 'SOURCE_MISSING' });
  await expect(readRows(join(folder, 'rows.txt'))).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
  await writeFile(join(folder, 'bad.csv'), 'a,b\n1,2\n3\n');
  await expect(readRows(join(folder, 'bad.csv'))).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE', details: { line: 3 } });
  await writeFile(join(folder, 'bad.jsonl'), '{"a":1}\n{"a":nul}\n');
  await expect(readRows(join(folder, 'bad.jsonl'))).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE', details: { file: join(folder, 'bad.jsonl') } });
});
