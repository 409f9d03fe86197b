import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BOOLEAN, DOUBLE, DuckDBDataChunk, DuckDBListValue, DuckDBTimestampValue, FLOAT, LIST, TIMESTAMP, VARCHAR } from '@duckdb/node-api';
import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';
import type { Column, Table } from '../domain/table';
import { KEY_COLUMN, type ArtifactRef } from '../domain/version';
import type { Store } from '../store/store';
import { ident, literal, withDuckDB, type Engine, type EngineOptions } from './duckdb';

const CHUNK_ROWS = 2048;
const MICROSECONDS_A_DAY = 86_400_000_000;

export interface KeyedTable { keys: readonly string[]; table: Table }

/**
 * Puts a table into the store as Parquet, with the rows' keys in `__key`, in the order given; `loadTable` reads it back. Missing
 * (NaN, null) is NULL; dates are kept to the microsecond; vectors are FLOAT[]. The same table gives the same bytes.
 */
export async function writeTable(store: Store, rows: KeyedTable, engine: EngineOptions = {}): Promise<ArtifactRef> {
  const { keys, table } = rows;
  if (keys.length !== table.rows) throw new RangeError(`${keys.length} keys for ${table.rows} rows`);
  const scratch = await store.scratch();
  try {
    return await withDuckDB({ ...engine, scratch, threads: 1 }, async (db) => {
      await fill(db, keys, table);
      const file = join(scratch, 'table.parquet');
      await db.run(`COPY written TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)`);
      return store.putFile(file, 'parquet');
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function fill(db: Engine, keys: readonly string[], table: Table): Promise<void> {
  const columns = Object.entries(table.columns);
  const types = [VARCHAR, ...columns.map(([, column]) => duckType(column))];
  const names = [KEY_COLUMN, ...columns.map(([name]) => name)];
  await db.run(`CREATE TABLE written (${names.map((name, i) => `${ident(name)} ${types[i]!.toString()}`).join(', ')})`);
  const appender = await db.connection.createAppender('written');
  try {
    for (let start = 0; start < table.rows; start += CHUNK_ROWS) {
      const rows = Math.min(CHUNK_ROWS, table.rows - start);
      const chunk = DuckDBDataChunk.create(types, rows);
      chunk.setColumnValues(0, keys.slice(start, start + rows));
      columns.forEach(([, column], i) => {
        const valueAt = reader(column);
        chunk.setColumnValues(i + 1, Array.from({ length: rows }, (_, r) => valueAt(start + r)));
      });
      appender.appendDataChunk(chunk);
      await nextTurn();
    }
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
}

function duckType(column: Column): DuckDBType {
  switch (column.type) {
    case 'number':
      return DOUBLE;
    case 'boolean':
      return BOOLEAN;
    case 'date':
      return TIMESTAMP;
    case 'category':
    case 'text':
      return VARCHAR;
    case 'vector':
      return LIST(FLOAT);
  }
}

function reader(column: Column): (row: number) => DuckDBValue {
  switch (column.type) {
    case 'number':
      return (row) => present(column.values[row]!);
    case 'boolean':
      return (row) => (Number.isNaN(column.values[row]!) ? null : column.values[row] !== 0);
    case 'date':
      return (row) => {
        const days = present(column.values[row]!);
        return days === null ? null : new DuckDBTimestampValue(BigInt(Math.round(days * MICROSECONDS_A_DAY)));
      };
    case 'category':
    case 'text':
      return (row) => column.values[row] ?? null;
    case 'vector':
      return (row) => new DuckDBListValue(Array.from(column.values.subarray(row * column.width, (row + 1) * column.width), present));
  }
}

const present = (value: number): number | null => (Number.isNaN(value) ? null : value);
