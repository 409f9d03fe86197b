import { ShoalError } from '../domain/errors';
import type { SourceSpec } from '../domain/spec';
import type { ColumnType } from '../domain/table';
import { KEY_COLUMN } from '../domain/version';
import { ident, type Engine } from './duckdb';
import { columnType, type StoredType } from './types';

/** What a snapshot holds, for people and for checks. Quantiles, mean and deviation are over finite values; dates are ISO text. */
export interface Profile {
  source: string;
  rows: number;
  key: string[];
  /** Rows whose key another row has, too, beyond the first of each. */
  duplicateRows: number;
  columns: ColumnProfile[];
}

export interface ColumnProfile {
  name: string;
  type: ColumnType;
  /** As the source (or its `sql`) had it, in DuckDB's words. */
  sourceType: string;
  rows: number;
  missing: number;
  distinct: number;
  /** The most frequent values, ties in order of their text. Not for vectors. */
  top?: { value: string; count: number }[];
  min?: number | string | null;
  max?: number | string | null;
  mean?: number | null;
  deviation?: number | null;
  quantiles?: Record<string, number>;
  nan?: number;
  infinite?: number;
  meanWords?: number;
  /** Vectors: numbers in each. */
  width?: number;
}

const QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];
const TOP_VALUES = 20;

export interface ProfiledColumn { name: string; type: StoredType; duckType: string }

/** Profiles a table of stored columns. The same rows in the same order give the same profile to the last digit, on one thread. */
export async function profileTable(
  db: Engine,
  { source, table, columns }: { source: SourceSpec; table: string; columns: ProfiledColumn[] },
): Promise<Profile> {
  const { rows, keys } = await db.row<{ rows: string; keys: string }>(
    `SELECT count(*) AS rows, count(DISTINCT ${KEY_COLUMN}) AS keys FROM ${table}`);
  const profiles: ColumnProfile[] = [];
  for (const column of columns) profiles.push(await profileColumn(db, { source, table, column, rows: Number(rows) }));
  return { source: source.name, rows: Number(rows), key: source.key, duplicateRows: Number(rows) - Number(keys), columns: profiles };
}

interface Place { source: SourceSpec; table: string; column: ProfiledColumn; rows: number }

async function profileColumn(db: Engine, place: Place): Promise<ColumnProfile> {
  const { table, column, rows } = place;
  const name = ident(column.name);
  const counts = await db.row<{ present: string; distinct: string; words: number | null }>(
    `SELECT count(${name}) AS present, count(DISTINCT ${name}) AS distinct, ${wordsOf(name, column.type)} AS words FROM ${table}`);
  const [present, distinct, meanWords] = [Number(counts.present), Number(counts.distinct), counts.words ?? 0];
  const base = {
    name: column.name,
    type: columnType(column.type, { present, distinct, meanWords }),
    sourceType: column.duckType,
    rows,
    missing: rows - present,
    distinct,
  };
  switch (column.type) {
    case 'BIGINT':
    case 'DOUBLE':
      return { ...base, ...(await numbers(db, table, name)), top: await topValues(db, table, name) };
    case 'VARCHAR':
      return { ...base, meanWords, top: await topValues(db, table, name) };
    case 'BOOLEAN':
    case 'DATE':
    case 'TIMESTAMP':
      return { ...base, ...(await extremes(db, table, name)), top: await topValues(db, table, name) };
    case 'FLOAT[]':
      return { ...base, width: await vectorWidth(db, place, name) };
  }
}

/** Mean over values of the number of runs of non-space. */
const wordsOf = (name: string, type: StoredType): string =>
  type === 'VARCHAR' ? `avg(len(string_split_regex(trim(${name}), '\\s+')))` : 'NULL';

/** Beyond it, squares and differences of doubles overflow, and there is no point in moments. */
const LARGEST_SUMMARISED = 1e100;

async function numbers(db: Engine, table: string, name: string) {
  const values = `(SELECT CAST(${name} AS DOUBLE) AS v FROM ${table})`;
  const range = await db.row<{ nan: string; infinite: string; min: number | null; max: number | null }>(
    'SELECT count(*) FILTER (isnan(v)) AS nan, count(*) FILTER (isinf(v)) AS infinite, ' +
    `min(v) FILTER (isfinite(v)) AS min, max(v) FILTER (isfinite(v)) AS max FROM ${values}`);
  const [nan, infinite] = [Number(range.nan), Number(range.infinite)];
  if (range.min === null || Math.max(-range.min, range.max!) > LARGEST_SUMMARISED) return { ...range, nan, infinite };
  const moments = await db.row<{ mean: number; deviation: number; q: number[] }>(
    `SELECT avg(v) AS mean, stddev_pop(v) AS deviation, quantile_cont(v, [${QUANTILES.join(', ')}]) AS q FROM ${values} WHERE isfinite(v)`);
  const quantiles = Object.fromEntries(QUANTILES.map((p, i) => [String(p), moments.q[i]!]));
  return { min: range.min, max: range.max, mean: moments.mean, deviation: moments.deviation, quantiles, nan, infinite };
}

const extremes = (db: Engine, table: string, name: string) =>
  db.row<{ min: string | null; max: string | null }>(
    `SELECT CAST(min(${name}) AS VARCHAR) AS min, CAST(max(${name}) AS VARCHAR) AS max FROM ${table}`);

async function topValues(db: Engine, table: string, name: string) {
  const rows = await db.rows<{ value: string; n: string }>(
    `SELECT CAST(${name} AS VARCHAR) AS value, count(*) AS n FROM ${table} WHERE ${name} IS NOT NULL ` +
    `GROUP BY ${name} ORDER BY n DESC, value LIMIT ${TOP_VALUES}`);
  return rows.map((row) => ({ value: row.value, count: Number(row.n) }));
}

async function vectorWidth(db: Engine, { source, table, column }: Place, name: string): Promise<number> {
  const lengths = await db.rows<{ width: string; key: string; n: string }>(
    `SELECT len(${name}) AS width, min(${KEY_COLUMN}) AS key, count(*) AS n FROM ${table} WHERE ${name} IS NOT NULL ` +
    'GROUP BY width ORDER BY n DESC, width LIMIT 2');
  const [usual, other] = lengths;
  if (usual !== undefined && (other !== undefined || Number(usual.width) === 0)) {
    const odd = other ?? usual;
    const widths = `${usual.width} in most rows, ${odd.width} in row ${odd.key}`;
    const where = `Source ${source.name}, column '${column.name}'`;
    throw new ShoalError('COLUMN_TYPE', `${where}: the vectors have different widths, or none: ${widths}.`, {
      remedy: 'Bring them to one width, or leave the column out with `sql`.',
      details: { source: source.name, column: column.name, row: odd.key },
    });
  }
  return Number(usual?.width ?? 0);
}
