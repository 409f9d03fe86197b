import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '../domain/errors';
import { nearest } from '../domain/nearest';
import { placesOf, type SourceSpec } from '../domain/spec';
import { DUPLICATE_MARK, KEY_COLUMN, KEY_SEPARATOR, type Snapshot, type SnapshotColumn } from '../domain/version';
import type { Store } from '../store/store';
import { ident, literal, withDuckDB, type Engine, type EngineOptions } from './duckdb';
import { profileTable, type ColumnProfile } from './profile';
import { readSource } from './readSource';
import { runUserSql } from './userSql';
import { keyText, storedExpression, storedType, type StoredType } from './types';

/**
 * Copies a source into the store: Parquet, with the row's key in `__key`, and its profile.
 *
 * The same data gives the same bytes, however its rows are ordered and spread over files: columns are sorted by name, rows by key and
 * then by every column, and one thread writes them.
 *
 * `__key` is the key columns' texts joined by U+001F, or the first 16 hex digits of the MD5 of the row's content where no key is
 * declared. Rows of one key are all kept: from the second on, in the order of their content, U+001E and a running number is
 * appended. The profile counts them.
 *
 * Throws SOURCE_MISSING, SOURCE_UNREADABLE, SOURCE_UNAVAILABLE, SQL_REFUSED, COLUMN_MISSING, COLUMN_TYPE (vectors of different widths), TOO_FEW_ROWS
 * (none at all), CONFIG (a column called `__key`).
 */
export async function ingestSource(source: SourceSpec, deps: { store: Store } & Omit<EngineOptions, 'scratch'>): Promise<Snapshot> {
  const { store, ...engine } = deps;
  const scratch = await store.scratch();
  try {
    return await withDuckDB({ ...engine, scratch }, async (db) => {
      await readSource(db, source, { table: 'source', scratch, signal: engine.signal });
      await lockDown(db, scratch);
      if (source.sql !== undefined) await runUserSql(db, { source, sql: source.sql, from: 'source', to: 'selected' });
      const columns = await sortRows(db, source, source.sql === undefined ? 'source' : 'selected');
      const profile = await profileTable(db, { source, table: 'sorted', columns });
      const file = join(scratch, 'snapshot.parquet');
      await writeSnapshot(db, columns.map((column) => column.name), { file, duplicates: profile.duplicateRows });
      return {
        source: source.name,
        data: await store.putFile(file, 'parquet'),
        profile: await store.putJson(profile),
        rows: profile.rows,
        columns: profile.columns.map(snapshotColumn),
      };
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const snapshotColumn = ({ name, type, missing, distinct, width }: ColumnProfile): SnapshotColumn =>
  ({ name, type, missing, distinct, ...(width !== undefined && { width }) });

/**
 * From here on nothing but the scratch folder can be reached, and nothing of this can be undone. One thread, so that sums are the
 * same each time.
 */
async function lockDown(db: Engine, scratch: string): Promise<void> {
  await db.run('SET threads = 1');
  await db.run(`SET allowed_directories = [${literal(scratch)}]`);
  await db.run('SET enable_external_access = false');
  await db.run('SET lock_configuration = true');
}

/** Makes the table `sorted`: the stored columns by name, the key without numbers for duplicates in `__key`, in final order. */
async function sortRows(db: Engine, source: SourceSpec, table: string): Promise<{ name: string; type: StoredType; duckType: string }[]> {
  const found = (await db.columnsOf(ident(table))).sort((a, b) => (a.name < b.name ? -1 : 1));
  const columns = found.map((column) => ({ name: column.name, type: storedType(column.type), duckType: column.type }));
  assertColumns(source, found.map((column) => column.name));
  await assertRows(db, source, table);
  const select = found.map((column) => `${storedExpression(column)} AS ${ident(column.name)}`).join(', ');
  const names = columns.map((column) => ident(column.name)).join(', ');
  const key = keyExpression(source.key, columns);
  await db.run(`CREATE TABLE sorted AS SELECT ${key} AS ${KEY_COLUMN}, * FROM (SELECT ${select} FROM ${ident(table)}) ` +
    `ORDER BY ${KEY_COLUMN}, ${names}`);
  await db.run(`DROP TABLE ${ident(table)}`);
  return columns;
}

function keyExpression(key: string[], columns: { name: string; type: StoredType }[]): string {
  const typeOf = new Map(columns.map((column) => [column.name, column.type]));
  const names = key.length > 0 ? key : columns.map((column) => column.name);
  const text = `concat_ws(${literal(KEY_SEPARATOR)}, ${names.map((name) => keyText(name, typeOf.get(name)!)).join(', ')})`;
  return key.length > 0 ? text : `left(md5(${text}), 16)`;
}

function assertColumns(source: SourceSpec, names: string[]): void {
  const reserved = names.find((name) => name.toLowerCase() === KEY_COLUMN);
  if (reserved !== undefined) {
    throw new ShoalError('CONFIG', `Source ${source.name} has a column called ${reserved}, a name that snapshots use for the row's key.`, {
      remedy: 'Rename it with `sql`.', details: { source: source.name, column: reserved } });
  }
  for (const column of source.key) {
    if (names.includes(column)) continue;
    const near = nearest(column, names);
    throw new ShoalError('COLUMN_MISSING', `Source ${source.name}: the key column '${column}' is not in the data.`, {
      remedy: near === undefined ? `Its columns are ${names.join(', ')}.` : `Did you mean '${near}'?`,
      details: { source: source.name, column, nearest: near, columns: names },
    });
  }
}

async function assertRows(db: Engine, source: SourceSpec, table: string): Promise<void> {
  const { n } = await db.row<{ n: string }>(`SELECT count(*) AS n FROM ${ident(table)}`);
  if (Number(n) > 0) return;
  throw new ShoalError('TOO_FEW_ROWS', `Source ${source.name} has no rows${source.sql === undefined ? '' : ' after its `sql`'}.`, {
    remedy: source.sql === undefined ? `Look at ${placesOf(source).join(', ')}.` : 'Look at the conditions of the `sql`.',
    details: { source: source.name, rows: 0 },
  });
}

async function writeSnapshot(db: Engine, names: string[], { file, duplicates }: { file: string; duplicates: number }): Promise<void> {
  const columns = names.map(ident).join(', ');
  const numbers = `CASE WHEN n = 1 THEN ${KEY_COLUMN} ELSE ${KEY_COLUMN} || ${literal(DUPLICATE_MARK)} || n END`;
  const numbered = `SELECT ${numbers} AS ${KEY_COLUMN}, ${columns} ` +
    `FROM (SELECT *, row_number() OVER (PARTITION BY ${KEY_COLUMN} ORDER BY ${columns}) AS n FROM sorted) AS t ORDER BY t.${KEY_COLUMN}, n`;
  const rows = duplicates === 0 ? 'SELECT * FROM sorted' : numbered;
  await db.run(`COPY (${rows}) TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)`);
}
