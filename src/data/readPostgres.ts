import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { ShoalError } from '../domain/errors';
import type { DatabaseSource } from '../domain/spec';
import { tableNameParts } from '../domain/tableNames';
import { storeError } from '../store/errors';
import { ident, literal, messageOf, pathLiteral, type Engine } from './duckdb';
import { QUERY_FROM, withPostgres, type DatabaseOptions } from './postgres';
import { assertNames } from './readFiles';
import type { StoredType } from './types';

export interface DatabaseColumn { name: string; /** PostgreSQL's name of its type, of domains that of the type below. */ type: string }

/**
 * Makes `table` of a database's rows, columns in stored types (see types.ts). They cross by COPY, as text, into a file in `scratch`, and
 * are never all in memory. Throws what `withPostgres` throws, and SOURCE_UNREADABLE (a value that can't be kept), STORE_FULL.
 */
export async function readPostgres(db: Engine, source: DatabaseSource, { table, scratch, ...options }: DatabaseOptions & { table: string; scratch: string }): Promise<void> {
  const file = join(scratch, `${table}.csv`);
  const columns = await withPostgres(source, options, async (client) => {
    const found = await columnsOf(client, source);
    const rows = client.query(copyTo(`COPY (${selectOf(source)}\n) TO STDOUT (FORMAT csv, NULL '\\N')`));
    await pipeline(rows, createWriteStream(file), { signal: options.signal }).catch((cause: unknown) => { throw storeError(cause, file, 'write'); });
    return found;
  });
  const shape = columns.map(({ name }) => `${literal(name)}: 'VARCHAR'`).join(', ');
  const dialect = "header = false, delim = ',', quote = '\"', escape = '\"', new_line = '\\n', nullstr = '\\N', allow_quoted_nulls = false, max_line_size = 33554432";
  const written = `read_csv(${pathLiteral(file)}, ${dialect}, auto_detect = false, columns = {${shape}})`;
  const select = columns.map((column) => `${expressionOf(column)} AS ${ident(column.name)}`).join(', ');
  await db.run(`CREATE TABLE ${ident(table)} AS SELECT ${select} FROM ${written}`).catch(async (cause: unknown) => { throw await unkept(db, { source, columns, written }, cause); });
  await rm(file);
}

/** The columns a source has, in its order. */
export const postgresColumns = (source: DatabaseSource, options: DatabaseOptions = {}): Promise<DatabaseColumn[]> =>
  withPostgres(source, options, (client) => columnsOf(client, source));

/** The types do not know it: https://node-postgres.com/features/queries#querymode */
const ONE_STATEMENT = { queryMode: 'extended' } as object;

async function columnsOf(client: Client, source: DatabaseSource): Promise<DatabaseColumn[]> {
  // Prepared by itself, a text that is more than one statement is refused, and so is one that closes the bracket put around it.
  if (source.query !== undefined) await client.query({ text: `PREPARE shoal AS ${selectOf(source)}`, ...ONE_STATEMENT });
  const { fields } = await client.query(`${QUERY_FROM}${selectOf(source)}\n) AS source LIMIT 0`);
  const { rows } = await client.query<{ oid: number; typname: string }>('SELECT oid, typname FROM pg_type WHERE oid = ANY($1)', [fields.map(({ dataTypeID }) => dataTypeID)]);
  const types = new Map(rows.map(({ oid, typname }) => [oid, typname]));
  if (fields.length === 0) throw new ShoalError('SOURCE_UNREADABLE', `Source ${source.name}: ${source.table ?? 'its `query`'} has no columns.`, { details: { source: source.name } });
  assertNames(source.name, source.table ?? 'its `query`', fields.map(({ name }) => name));
  return fields.map(({ name, dataTypeID }) => ({ name, type: types.get(dataTypeID) ?? 'text' }));
}

function selectOf({ table, query }: DatabaseSource): string {
  return query === undefined ? `SELECT * FROM ${tableNameParts(table!)!.map(ident).join('.')}` : query.replace(/[\s;]+$/, '');
}

const STORED: Record<string, StoredType> = {
  bool: 'BOOLEAN', int2: 'BIGINT', int4: 'BIGINT', int8: 'BIGINT', oid: 'BIGINT', float4: 'DOUBLE', float8: 'DOUBLE', numeric: 'DOUBLE',
  date: 'DATE', timestamp: 'TIMESTAMP', timestamptz: 'TIMESTAMP',
  _int2: 'FLOAT[]', _int4: 'FLOAT[]', _int8: 'FLOAT[]', _float4: 'FLOAT[]', _float8: 'FLOAT[]', _numeric: 'FLOAT[]', vector: 'FLOAT[]', halfvec: 'FLOAT[]',
};

/** A column's text as its stored type; what has none stays PostgreSQL's text. Empty text is missing, as from files. */
function expressionOf({ name, type }: DatabaseColumn, cast: 'CAST' | 'TRY_CAST' = 'CAST'): string {
  const text = ident(name);
  const stored = STORED[type];
  if (type === 'timestamptz') return `CAST(${cast}(${eraOf(text)} AS TIMESTAMPTZ) AS TIMESTAMP)`;
  if (stored === 'DATE' || stored === 'TIMESTAMP') return `${cast}(${eraOf(text)} AS ${stored})`;
  if (stored === 'FLOAT[]') return `${cast}(translate(${text}, '{}', '[]') AS FLOAT[])`;
  if (stored !== undefined) return `${cast}(${text} AS ${stored})`;
  return `nullif(${type === 'bpchar' ? `rtrim(${text})` : text}, '')`;
}

/** A matrix does not become missing when it is tried: its rows do. */
const keepable = (column: DatabaseColumn): string =>
  (STORED[column.type] === 'FLOAT[]' ? `regexp_full_match(${ident(column.name)}, '[{\\[][^{\\[=]*')` : `(${expressionOf(column, 'TRY_CAST')} IS NOT NULL)`);

/** The two write years before Christ differently. */
const eraOf = (text: string): string => `regexp_replace(${text}, '^([^ ]+)(.*) BC$', '\\1 (BC)\\2')`;

interface Written { source: DatabaseSource; columns: DatabaseColumn[]; /** What the file holds, as a table of texts. */ written: string }

/** Which value it was that could not be kept. */
async function unkept(db: Engine, { source, columns, written }: Written, cause: unknown): Promise<unknown> {
  const message = messageOf(cause);
  if (message === undefined) return cause;
  const where = source.table ?? 'its `query`';
  const fail = (what: string, remedy: string, details = {}) =>
    new ShoalError('SOURCE_UNREADABLE', `Source ${source.name}: ${what}`, { remedy, details: { source: source.name, ...details }, cause });
  for (const column of columns.filter(({ type }) => STORED[type] !== undefined)) {
    const name = ident(column.name);
    const [found] = await db.rows<{ value: string }>(`SELECT ${name} AS value FROM ${written} WHERE ${name} IS NOT NULL AND NOT ${keepable(column)} LIMIT 1`).catch(() => []);
    if (!found) continue;
    return fail(`column ${column.name} of ${where} holds ${found.value.slice(0, 80)}, a ${column.type.replace(/^_(.*)/, '$1[]')} that can't be kept as ${STORED[column.type]!.toLowerCase()}.`,
      'Leave it out or convert it with a `query`, for instance with column::text.', { column: column.name });
  }
  const [what = ''] = message.replace(/^[\w ]+ Error: /, '').split(/\n\s*\n|\nPossible (?:fixes|Solution)/);
  return fail(`the rows of ${where} can't be kept: ${what.split('\n').slice(0, 3).join('; ').slice(0, 300).replace(/[.!]?$/, '.')}`, 'Leave out what is odd with a `query`.');
}
