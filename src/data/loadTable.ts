import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DuckDBListVector } from '@duckdb/node-api';
import { ShoalError } from '../domain/errors';
import { nearest } from '../domain/nearest';
import type { Column, ColumnType, Table } from '../domain/table';
import { KEY_COLUMN, type ArtifactRef, type Snapshot } from '../domain/version';
import type { Store } from '../store/store';
import { ident, literal, pathLiteral, withDuckDB, type DuckColumn, type Engine, type EngineOptions } from './duckdb';
import { storedType, type StoredType } from './types';

export interface Wanted { name: string; type: ColumnType }

/**
 * Columns of a snapshot, or of a table that `writeTable` wrote, in the types wanted; rows in the file's order.
 *
 * number: from integers, doubles (NaN and infinities kept) and booleans. boolean: from booleans, and numbers that are 0 or 1.
 * date: from dates and times, as days since 1970. category, text: from anything but vectors, as text. vector: from vectors of one
 * width. Missing is NaN or null. Throws COLUMN_MISSING, and COLUMN_TYPE with a sample of what is there instead.
 */
export async function loadTable(
  store: Store,
  from: Snapshot | ArtifactRef,
  wanted: readonly Wanted[],
  engine: EngineOptions = {},
): Promise<{ keys: string[]; table: Table }> {
  return withParquet(await located(store, from), engine, async (parquet, present) => {
    const columns = await loadColumns(parquet, present, wanted);
    const keys = (await loadStrings(parquet, ident(KEY_COLUMN), { repeated: false })) as string[];
    return { keys, table: { rows: parquet.rows, columns } };
  });
}

/** The same of a Parquet file that somebody else wrote; `origin` says in messages which. A missing key is ''. */
export function loadOutsideTable(outside: { file: string; origin: string }, wanted: readonly Wanted[]): Promise<{ keys: string[]; table: Table }> {
  return withParquet(outside, {}, async (parquet, present) => {
    findColumn(parquet.origin, present, { name: KEY_COLUMN, type: 'category' });
    const columns = await loadColumns(parquet, present, wanted);
    const keys = await loadStrings(parquet, `coalesce(CAST(${ident(KEY_COLUMN)} AS VARCHAR), '')`, { repeated: false });
    return { keys: keys as string[], table: { rows: parquet.rows, columns } };
  });
}

async function loadColumns(parquet: Parquet, present: DuckColumn[], wanted: readonly Wanted[]): Promise<Record<string, Column>> {
  const columns: Record<string, Column> = {};
  for (const want of wanted) {
    const column = findColumn(parquet.origin, present, want);
    await assertReadable(parquet, column, want);
    columns[want.name] = await loadColumn(parquet, column, want.type);
  }
  return columns;
}

/** Throws what `loadTable` would, without loading. */
export async function assertLoadable(store: Store, from: Snapshot | ArtifactRef, wanted: readonly Wanted[]): Promise<void> {
  return withParquet(await located(store, from), {}, async (parquet, present) => {
    for (const want of wanted) await assertReadable(parquet, findColumn(parquet.origin, present, want), want);
  });
}

interface Located { file: string; origin: string }

const located = async (store: Store, from: Snapshot | ArtifactRef): Promise<Located> => ('data' in from
  ? { file: await store.localFile(from.data), origin: `Source ${from.source}` }
  : { file: await store.localFile(from), origin: `Table ${from.uri}` });

async function withParquet<T>({ file, origin }: Located, engine: EngineOptions, work: (parquet: Parquet, present: DuckColumn[]) => Promise<T>): Promise<T> {
  return withDuckDB(engine, async (db) => {
    const parquet = {
      db,
      origin,
      from: `read_parquet(${pathLiteral(file)}, file_row_number = true)`,
    };
    const { rows } = await db.row<{ rows: string }>(`SELECT count(*) AS rows FROM ${parquet.from}`);
    return work({ ...parquet, rows: Number(rows) }, await db.columnsOf(parquet.from));
  });
}

interface Parquet { db: Engine; origin: string; from: string; rows: number }

function findColumn(origin: string, present: DuckColumn[], want: Wanted): DuckColumn {
  const found = present.find((column) => column.name === want.name);
  if (found) return found;
  const names = present.map((column) => column.name).filter((name) => name !== KEY_COLUMN && name !== 'file_row_number');
  const near = nearest(want.name, names);
  throw new ShoalError('COLUMN_MISSING', `${origin} has no column '${want.name}'.`, {
    remedy: near === undefined ? `Its columns are ${names.join(', ')}.` : `Did you mean '${near}'?`,
    details: { column: want.name, nearest: near, columns: names },
  });
}

/** Which stored types can be read as a wanted one. */
const READABLE: Record<ColumnType, StoredType[]> = {
  number: ['BIGINT', 'DOUBLE', 'BOOLEAN'],
  boolean: ['BOOLEAN', 'BIGINT', 'DOUBLE'],
  date: ['DATE', 'TIMESTAMP'],
  category: ['VARCHAR', 'BIGINT', 'DOUBLE', 'BOOLEAN', 'DATE', 'TIMESTAMP'],
  text: ['VARCHAR', 'BIGINT', 'DOUBLE', 'BOOLEAN', 'DATE', 'TIMESTAMP'],
  vector: ['FLOAT[]'],
};

async function assertReadable(parquet: Parquet, column: DuckColumn, want: Wanted): Promise<void> {
  const stored = storedType(column.type);
  const neither = `${ident(column.name)} NOT IN (0, 1)`;
  if (!READABLE[want.type].includes(stored)) await refuseValues(parquet, column, want, 'true');
  else if (want.type === 'boolean' && stored !== 'BOOLEAN') await refuseValues(parquet, column, want, neither);
  else if (want.type === 'vector') await widthOf(parquet, column);
}

async function loadColumn(parquet: Parquet, column: DuckColumn, type: ColumnType): Promise<Column> {
  const name = ident(column.name);
  const stored = storedType(column.type);
  switch (type) {
    case 'number':
    case 'boolean':
      return { type, values: await loadNumbers(parquet, `CAST(${name} AS DOUBLE)`) };
    case 'date':
      return { type, values: await loadNumbers(parquet, daysOf(name, stored)) };
    case 'category':
    case 'text':
      return { type, values: await loadTexts(parquet, name, stored) };
    case 'vector':
      return loadVectors(parquet, column);
  }
}

const daysOf = (name: string, stored: StoredType): string =>
  stored === 'DATE'
    ? `CAST(datediff('day', DATE '1970-01-01', ${name}) AS DOUBLE)`
    : `epoch_us(CAST(${name} AS TIMESTAMP)) / 86400000000.0`;

async function loadNumbers(parquet: Parquet, expression: string): Promise<Float64Array> {
  const values = new Float64Array(parquet.rows);
  const result = await parquet.db.connection.stream(`SELECT coalesce(${expression}, 'nan'::DOUBLE) FROM ${parquet.from}`);
  let at = 0;
  for await (const chunk of result) {
    const vector = chunk.getColumnVector(0);
    for (let i = 0; i < chunk.rowCount; i++) values[at++] = vector.getItem(i) as number;
  }
  return values;
}

/** As JavaScript writes numbers, so that a category's text in training is that of the same value in a request. */
async function loadTexts(parquet: Parquet, name: string, stored: StoredType): Promise<(string | null)[]> {
  if (stored === 'DOUBLE') return Array.from(await loadNumbers(parquet, name), (value) => (Number.isNaN(value) ? null : String(value)));
  if (stored === 'TIMESTAMP') return loadStrings(parquet, `strftime(${name}, '%Y-%m-%dT%H:%M:%S.%gZ')`);
  return loadStrings(parquet, stored === 'VARCHAR' ? name : `CAST(${name} AS VARCHAR)`);
}

const BLOCK_ROWS = 4096;
const BETWEEN = '\u001d';
const NULL_TEXT = '\u001a';

/**
 * Strings cross into JavaScript in blocks, joined by U+001D, with U+001A for missing: about four times faster than one by one.
 * Where the values themselves hold those characters, one by one.
 */
async function loadStrings(parquet: Parquet, expression: string, { repeated = true } = {}): Promise<(string | null)[]> {
  const joined = await parquet.db.connection.stream(
    `SELECT string_agg(coalesce(v, ${literal(NULL_TEXT)}), ${literal(BETWEEN)} ORDER BY n), ` +
    `bool_or(contains(v, ${literal(BETWEEN)}) OR v = ${literal(NULL_TEXT)}) ` +
    `FROM (SELECT ${expression} AS v, file_row_number AS n FROM ${parquet.from}) GROUP BY n // ${BLOCK_ROWS} ORDER BY n // ${BLOCK_ROWS}`);
  const values: (string | null)[] = [];
  const seen = new Map<string, string>();
  for await (const chunk of joined) {
    const [texts, ambiguous] = [chunk.getColumnVector(0), chunk.getColumnVector(1)];
    for (let i = 0; i < chunk.rowCount; i++) {
      if (ambiguous.getItem(i) === true) return loadStringsOneByOne(parquet, expression);
      for (const text of (texts.getItem(i) as string).split(BETWEEN)) {
        values.push(text === NULL_TEXT ? null : repeated ? shared(seen, text) : text);
      }
      if (i % 8 === 7) await nextTurn();
    }
  }
  return values;
}

/** One copy of each of the first many values, so that a category of millions of rows does not hold its blocks in memory. */
function shared(seen: Map<string, string>, text: string): string {
  const known = seen.get(text);
  if (known !== undefined) return known;
  if (seen.size < 10_000) seen.set(text, text);
  return text;
}

async function loadStringsOneByOne(parquet: Parquet, expression: string): Promise<(string | null)[]> {
  const result = await parquet.db.connection.stream(`SELECT ${expression} FROM ${parquet.from}`);
  const values: (string | null)[] = [];
  for await (const chunk of result) {
    const vector = chunk.getColumnVector(0);
    for (let i = 0; i < chunk.rowCount; i++) values.push(vector.getItem(i) as string | null);
  }
  return values;
}

async function widthOf(parquet: Parquet, column: DuckColumn): Promise<number> {
  const name = ident(column.name);
  const widths = await parquet.db.rows<{ width: string; key: string }>(
    `SELECT len(${name}) AS width, min(${KEY_COLUMN}) AS key FROM ${parquet.from} WHERE ${name} IS NOT NULL ` +
    'GROUP BY width ORDER BY width LIMIT 2');
  const [one, other] = widths;
  if (one !== undefined && other !== undefined) {
    throw new ShoalError('COLUMN_TYPE', `${parquet.origin}: column '${column.name}' has vectors of different widths: ` +
      `${one.width} in row ${one.key}, ${other.width} in row ${other.key}.`, { details: { column: column.name } });
  }
  return Number(one?.width ?? 0);
}

async function loadVectors(parquet: Parquet, column: DuckColumn): Promise<Column> {
  const width = await widthOf(parquet, column);
  const values = new Float32Array(parquet.rows * width).fill(NaN);
  const result = await parquet.db.connection.stream(`SELECT CAST(${ident(column.name)} AS FLOAT[]) FROM ${parquet.from}`);
  let row = 0;
  for await (const chunk of result) {
    const vector = chunk.getColumnVector(0) as DuckDBListVector;
    const items = vector.childVector;
    for (let i = 0; i < chunk.rowCount; i++, row++) {
      const [offset, length] = [vector.getEntryOffset(i), vector.getEntryLength(i)];
      if (vector.getItem(i) === null) continue;
      for (let j = 0; j < length; j++) values[row * width + j] = (items.getItem(offset + j) as number | null) ?? NaN;
    }
  }
  return { type: 'vector', width, values };
}

const HELD: Record<StoredType, string> = {
  BIGINT: 'integers', DOUBLE: 'numbers', BOOLEAN: 'booleans', DATE: 'dates', TIMESTAMP: 'times', VARCHAR: 'text', 'FLOAT[]': 'vectors',
};

/** Throws COLUMN_TYPE with the first value that meets `condition`; a column without any can be read as every type. */
async function refuseValues(parquet: Parquet, column: DuckColumn, want: Wanted, condition: string): Promise<void> {
  const name = ident(column.name);
  const [sample] = await parquet.db.rows<{ value: string; key: string }>(
    `SELECT CAST(${name} AS VARCHAR) AS value, ${KEY_COLUMN} AS key FROM ${parquet.from} WHERE ${name} IS NOT NULL AND ${condition} ` +
    'ORDER BY file_row_number LIMIT 1');
  if (sample === undefined) return;
  const held = HELD[storedType(column.type)];
  const example = `${JSON.stringify(sample.value.slice(0, 80))} in row ${sample.key}`;
  const message = `column '${column.name}' is wanted as ${want.type}, but holds ${held}, for instance ${example}.`;
  throw new ShoalError('COLUMN_TYPE', `${parquet.origin}: ${message}`, {
    remedy: 'Set the input\'s `type` to what it holds, or convert the column with the source\'s `sql`.',
    details: { column: column.name, wanted: want.type, found: held, sample: sample.value, row: sample.key },
  });
}
