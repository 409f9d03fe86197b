import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DuckDBListValue, type DuckDBValue } from '@duckdb/node-api';
import { ShoalError } from '../domain/errors';
import type { Row } from '../domain/prediction';
import type { FileSource } from '../domain/spec';
import { ident, literal, openDuckDB, pathLiteral, withDuckDB, type DuckColumn, type Engine } from './duckdb';
import { resolveFiles } from './files';
import { exactExpression, readFiles, readJson } from './readFiles';
import { storedExpression, storedType } from './types';
import { unreadable } from './unreadable';

export type RowFormat = FileSource['format'];

const FORMATS: Record<string, RowFormat> = {
  '.csv': 'csv', '.tsv': 'tsv', '.json': 'json', '.jsonl': 'jsonl', '.ndjson': 'jsonl', '.parquet': 'parquet',
};

/** By the file's ending, whether or not `.gz` follows. */
export function formatOf(path: string): RowFormat {
  const ending = extname(basename(path).replace(/\.gz$/, '')).toLowerCase();
  const format = FORMATS[ending];
  if (format !== undefined) return format;
  throw new ShoalError('SOURCE_UNREADABLE', `${path}: rows can't be read from or written to a file that ends in '${ending}'.`, {
    remedy: `Use ${Object.keys(FORMATS).join(', ')}.`, details: { file: path } });
}

/** All rows of a file, as `readRowBatches` gives them. */
export async function readRows(path: string, format?: RowFormat): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of readRowBatches(path, 10_000, format)) for (const row of batch) rows.push(row);
  return rows;
}

/**
 * A file's rows as plain JSON, in its order, `batchSize` at a time; memory does not grow with the file. JSON values come as they
 * are; from CSV, numbers, booleans and dates are read where a whole column holds them, as in a source. Dates are ISO strings;
 * missing is null, and so is NaN; integers that a double cannot hold are strings.
 *
 * Throws SOURCE_MISSING, SOURCE_UNREADABLE (with file and line).
 */
export async function* readRowBatches(path: string, batchSize: number, format: RowFormat = formatOf(path)): AsyncGenerator<Row[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'shoal-rows-'));
  const db = await openDuckDB({ scratch });
  const source = { name: path, format, paths: [path], key: [] };
  try {
    const files = await resolveFiles(source, db);
    const rows = format === 'json' || format === 'jsonl' ? jsonRows(db, files, format) : tableRows(db, { ...source, files });
    let batch: Row[] = [];
    for await (const row of rows) {
      batch.push(row);
      if (batch.length === batchSize) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) yield batch;
  } catch (cause) {
    throw await unreadable({ ...source, files: [path] }, cause);
  } finally {
    db.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The same few rows of a Parquet file each time, as `readRowBatches` gives them, wherever in the file they are. */
export async function sampleRows(path: string, rows: number, by: string): Promise<Row[]> {
  const db = await openDuckDB({});
  try {
    const sample: Row[] = [];
    for await (const row of queryRows(db, `(SELECT * FROM read_parquet(${pathLiteral(path)}) ORDER BY hash(${ident(by)}), ${ident(by)} LIMIT ${rows})`)) sample.push(row);
    return sample;
  } finally {
    db.close();
  }
}

async function* jsonRows(db: Engine, files: string[], format: 'json' | 'jsonl'): AsyncGenerator<Row> {
  const layout = format === 'json' ? 'auto' : 'newline_delimited';
  const paths = files.map(pathLiteral).join(', ');
  const result = await db.connection.stream(`SELECT json FROM read_json_objects([${paths}], format = '${layout}')`);
  let n = 0;
  for await (const chunk of result) {
    const vector = chunk.getColumnVector(0);
    for (let i = 0; i < chunk.rowCount; i++) yield asRow(JSON.parse(vector.getItem(i) as string), n++);
  }
}

async function* tableRows(db: Engine, source: { name: string; format: RowFormat; files: string[] }): AsyncGenerator<Row> {
  let from = 'read';
  if (source.format === 'parquet') from = `read_parquet([${source.files.map(pathLiteral).join(', ')}])`;
  else await readFiles(db, source, from);
  yield* queryRows(db, from);
}

/** The rows of a table, or of a query in brackets. */
async function* queryRows(db: Engine, from: string): AsyncGenerator<Row> {
  const columns = (await db.columnsOf(from)).filter((column) => column.name !== 'nothing' || column.type !== '"NULL"');
  if (columns.length === 0) return;
  const result = await db.connection.stream(`SELECT ${columns.map(jsonExpression).join(', ')} FROM ${from}`);
  for await (const chunk of result) {
    const values = columns.map((_, i) => chunk.getColumnVector(i));
    for (let r = 0; r < chunk.rowCount; r++) {
      yield Object.fromEntries(columns.map((column, i) => [column.name, jsonValue(values[i]!.getItem(r) as DuckDBValue)]));
    }
  }
}

function jsonExpression(column: DuckColumn): string {
  const name = ident(column.name);
  switch (storedType(column.type)) {
    case 'DATE':
      return `CAST(${name} AS VARCHAR)`;
    case 'TIMESTAMP':
      return `strftime(CAST(${name} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%gZ')`;
    case 'VARCHAR':
      return column.type === 'VARCHAR' ? name : storedExpression(column);
    case 'FLOAT[]':
      return `CAST(${name} AS DOUBLE[])`;
    default:
      return storedExpression(column);
  }
}

function jsonValue(value: DuckDBValue): unknown {
  if (typeof value === 'number') return Number.isNaN(value) ? null : value;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof DuckDBListValue) return value.items.map(jsonValue);
  return value;
}

/** Rows from text, as when they come on standard input. A single JSON object is one row. */
export async function parseRows(text: string, format: RowFormat): Promise<Row[]> {
  switch (format) {
    case 'json': {
      const parsed = parseJson(text, () => '');
      return Array.isArray(parsed) ? parsed.map(asRow) : [asRow(parsed, 0)];
    }
    case 'jsonl':
      return text.split(/\r?\n/).flatMap((line, i) => (line.trim() === '' ? [] : [asRow(parseJson(line, () => `, line ${i + 1}`), i)]));
    case 'csv':
    case 'tsv': {
      const folder = await mkdtemp(join(tmpdir(), 'shoal-text-'));
      try {
        const file = join(folder, `text.${format}`);
        await writeFile(file, text);
        return await readRows(file);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
    case 'parquet':
      throw new ShoalError('SOURCE_UNREADABLE', 'Parquet is not text.', { remedy: 'Give it as a file.' });
  }
}

function parseJson(text: string, where: () => string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ShoalError('SOURCE_UNREADABLE', `The text is not JSON${where()}: ${(cause as Error).message}.`, { cause });
  }
}

function asRow(value: unknown, index: number): Row {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Row;
  throw new ShoalError('REQUEST_ROW', `Row ${index} is not an object: ${JSON.stringify(value).slice(0, 80)}.`, {
    remedy: 'A row is a JSON object of column names and values.', details: { row: index } });
}

/** Writes rows in the format of the file's ending. In Parquet, columns take the type all their values have, else text. */
export async function writeRows(path: string, rows: readonly Row[]): Promise<void> {
  switch (formatOf(path)) {
    case 'json':
      return pipeline(Readable.from(jsonArray(rows)), createWriteStream(path));
    case 'jsonl':
      return pipeline(Readable.from(jsonLines(rows)), createWriteStream(path));
    case 'csv':
      return pipeline(Readable.from(delimited(rows, ',')), createWriteStream(path));
    case 'tsv':
      return pipeline(Readable.from(delimited(rows, '\t')), createWriteStream(path));
    case 'parquet':
      return writeParquet(path, rows);
  }
}

function* jsonArray(rows: readonly Row[]): Generator<string> {
  let separator = '[\n';
  for (const row of rows) {
    yield separator + JSON.stringify(row);
    separator = ',\n';
  }
  yield rows.length === 0 ? '[]\n' : '\n]\n';
}

function* jsonLines(rows: readonly Row[]): Generator<string> {
  for (const row of rows) yield `${JSON.stringify(row)}\n`;
}

function* delimited(rows: readonly Row[], delimiter: string): Generator<string> {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const record = (cells: unknown[]) => `${cells.map((cell) => quoted(cell, delimiter)).join(delimiter)}\n`;
  if (names.length > 0) yield record(names);
  for (const row of rows) yield record(names.map((name) => row[name]));
}

function quoted(cell: unknown, delimiter: string): string {
  if (cell === null || cell === undefined) return '';
  const text = typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
  return text.includes(delimiter) || /["\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

async function writeParquet(path: string, rows: readonly Row[]): Promise<void> {
  const scratch = await mkdtemp(join(dirname(path), '.rows-'));
  try {
    const lines = join(scratch, 'rows.jsonl');
    await pipeline(Readable.from(jsonLines(rows)), createWriteStream(lines));
    await withDuckDB({ scratch, threads: 1 }, async (db) => {
      await readJson(db, { name: path, format: 'jsonl', files: [lines] }, 'read');
      const columns = await db.columnsOf('read');
      const select: string[] = [];
      for (const column of columns) {
        // Text stays as it is, also where it is empty.
        const expression = column.type === 'VARCHAR' ? ident(column.name) : await exactExpression(db, 'read', column);
        select.push(`${expression} AS ${ident(column.name)}`);
      }
      await db.run(`COPY (SELECT ${select.join(', ')} FROM read) TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd)`);
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
