import { ShoalError } from '../domain/errors';
import { readCsvHeader, type CsvHeader } from './csvHeader';
import { ident, literal, pathLiteral, type DuckColumn, type Engine } from './duckdb';
import { inferText, type TextTypes } from './inferText';
import { storedExpression } from './types';
import { unreadable, type Files } from './unreadable';

/**
 * Makes `table` of the files' rows, columns in stored types (see types.ts). Files need not have the same columns: what one lacks is
 * missing. Malformed files throw SOURCE_UNREADABLE with file and line.
 */
export async function readFiles(db: Engine, source: Files, table: string): Promise<void> {
  const raw = ident(`${table} as read`);
  try {
    switch (source.format) {
      case 'csv':
      case 'tsv':
        await readDelimited(db, source, raw);
        await convert(db, { raw, table, texts: 'everything' });
        break;
      case 'json':
      case 'jsonl':
        await readJson(db, source, raw);
        await convert(db, { raw, table, texts: 'dates' });
        break;
      case 'parquet':
        await db.run(`CREATE VIEW ${raw} AS SELECT * FROM read_parquet(${list(source.files)}, union_by_name = true)`);
        await convert(db, { raw, table });
    }
  } catch (cause) {
    throw await unreadable(source, cause);
  }
}

async function convert(db: Engine, { raw, table, texts }: { raw: string; table: string; texts?: TextTypes }): Promise<void> {
  const columns = await db.columnsOf(raw);
  const strings = columns.filter((column) => column.type === 'VARCHAR').map((column) => column.name);
  const readings = texts ? await inferText(db, raw, strings, texts) : new Map<string, { expression: string }>();
  const select: string[] = [];
  for (const column of columns) {
    const expression = readings.get(column.name)?.expression ?? await exactExpression(db, raw, column);
    select.push(`${expression} AS ${ident(column.name)}`);
  }
  await db.run(`CREATE TABLE ${ident(table)} AS SELECT ${select.join(', ') || 'NULL AS nothing WHERE false'} FROM ${raw}`);
  await db.run(`DROP ${texts ? 'TABLE' : 'VIEW'} ${raw}`);
}

/** As `storedExpression`, but wide integers that all fit into 64 bits stay exact. JSON's integers are read as wide ones. */
export async function exactExpression(db: Engine, table: string, column: DuckColumn): Promise<string> {
  if (column.type !== 'HUGEINT') return storedExpression(column);
  const name = ident(column.name);
  const { fits } = await db.row<{ fits: boolean | null }>(
    `SELECT bool_and(TRY_CAST(${name} AS BIGINT) IS NOT NULL) AS fits FROM ${table} WHERE ${name} IS NOT NULL`);
  return fits === false ? storedExpression(column) : `CAST(${name} AS BIGINT)`;
}

/** Every column as text, with the dialect and the header that csvHeader.ts found; files of one header are read together. */
async function readDelimited(db: Engine, source: Files, table: string): Promise<void> {
  const groups = new Map<string, { header: CsvHeader; files: string[] }>();
  for (const file of source.files) {
    const header = await readCsvHeader(file, source.format === 'tsv' ? '\t' : undefined);
    assertNames(source.name, file, header.names);
    const id = JSON.stringify(header);
    const group = groups.get(id) ?? { header, files: [] };
    group.files.push(file);
    groups.set(id, group);
  }
  const selects = [...groups.values()].map(({ header, files }) => {
    const columns = header.names.map((name) => `${literal(name)}: 'VARCHAR'`).join(', ');
    const dialect = `header = true, delim = ${literal(header.delimiter)}, quote = '"', escape = '"'`;
    const strict = 'auto_detect = false, strict_mode = true, null_padding = false, hive_partitioning = false';
    return `SELECT * FROM read_csv(${list(files)}, ${dialect}, ${strict}, columns = {${columns}})`;
  });
  await db.run(`CREATE TABLE ${table} AS ${selects.join(' UNION ALL BY NAME ')}`);
}

/** Column types come from the structure of all rows together, so they do not depend on which row comes first. */
export async function readJson(db: Engine, source: Files, table: string): Promise<void> {
  const format = source.format === 'jsonl' ? 'newline_delimited' : 'auto';
  const { structure } = await db.row<{ structure: string | null }>(
    `SELECT json_group_structure(json) AS structure FROM read_json_objects(${list(source.files)}, format = '${format}')`);
  const parsed = structure === null ? {} : (JSON.parse(structure) as unknown);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new ShoalError('SOURCE_UNREADABLE', `Source ${source.name}: the rows of ${source.files.join(', ')} are not objects.`, {
      remedy: 'Each row must be a JSON object of column names and values.', details: { source: source.name, files: source.files } });
  }
  const names = Object.keys(parsed);
  assertNames(source.name, source.files.join(', '), names);
  if (names.length === 0) return db.run(`CREATE TABLE ${table} AS SELECT NULL AS nothing WHERE false`);
  const columns = Object.entries(parsed).map(([name, shape]) => `${literal(name)}: '${jsonType(shape)}'`).join(', ');
  await db.run(`CREATE TABLE ${table} AS SELECT * FROM read_json(${list(source.files)}, format = '${format}', columns = {${columns}})`);
}

function jsonType(shape: unknown): string {
  if (Array.isArray(shape)) return ['UBIGINT', 'BIGINT', 'DOUBLE', 'HUGEINT'].includes(shape[0] as string) ? 'DOUBLE[]' : 'JSON';
  switch (shape) {
    case 'UBIGINT':
    case 'BIGINT':
    case 'HUGEINT':
      return 'HUGEINT';
    case 'DOUBLE':
    case 'BOOLEAN':
      return shape;
    case 'VARCHAR':
    case 'NULL':
      return 'VARCHAR';
    default:
      return 'JSON';
  }
}

/** DuckDB does not tell upper from lower case in names. `place` is where they are. */
export function assertNames(source: string, place: string, names: string[]): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const twin = seen.get(name.toLowerCase());
    if (twin !== undefined) {
      const both = twin === name ? `'${twin}'` : `'${twin}' and '${name}'`;
      throw new ShoalError('SOURCE_UNREADABLE', `Source ${source}: ${place} has two columns named ${both}.`, {
        remedy: 'Rename one of them; upper and lower case are not told apart.', details: { source, file: place, column: name } });
    }
    seen.set(name.toLowerCase(), name);
  }
}

const list = (files: string[]): string => `[${files.map(pathLiteral).join(', ')}]`;
