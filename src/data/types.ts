import type { ColumnType } from '../domain/table';
import { ident, type DuckColumn } from './duckdb';

/** The types a snapshot's columns have; every other DuckDB type is brought to one of them. */
export type StoredType = 'BIGINT' | 'DOUBLE' | 'BOOLEAN' | 'DATE' | 'TIMESTAMP' | 'VARCHAR' | 'FLOAT[]';

const INTEGERS = new Set(['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'UTINYINT', 'USMALLINT', 'UINTEGER']);
const REALS = new Set(['UBIGINT', 'HUGEINT', 'UHUGEINT', 'FLOAT', 'DOUBLE', 'BIGNUM']);

/**
 * What a DuckDB type is stored as. Integers of up to 64 bits stay exact, wider ones and decimals become doubles; times of any zone
 * become UTC; lists and arrays of numbers become FLOAT[]; everything else is kept as its text (structures as JSON).
 */
export function storedType(duckType: string): StoredType {
  const type = duckType.toUpperCase();
  if (INTEGERS.has(type)) return 'BIGINT';
  if (REALS.has(type) || type.startsWith('DECIMAL')) return 'DOUBLE';
  if (type === 'BOOLEAN' || type === 'DATE') return type;
  if (type.startsWith('TIMESTAMP')) return 'TIMESTAMP';
  const element = /^(.+)\[\d*\]$/s.exec(type)?.[1];
  if (element !== undefined && !/^(STRUCT|MAP|UNION)/.test(element)) {
    const inner = storedType(element);
    if (inner === 'BIGINT' || inner === 'DOUBLE') return 'FLOAT[]';
  }
  return 'VARCHAR';
}

/** SQL for a column as its stored type. Empty text is missing, in every format alike. */
export function storedExpression(column: DuckColumn): string {
  const name = ident(column.name);
  const type = column.type.toUpperCase();
  const stored = storedType(type);
  if (stored !== 'VARCHAR') return type === stored ? name : `CAST(${name} AS ${stored})`;
  if (type === 'VARCHAR') return `nullif(${name}, '')`;
  if (type === 'JSON') return `nullif(${name} ->> '$', '')`;
  if (/^(STRUCT|MAP|UNION)|\]$/.test(type)) return `CAST(to_json(${name}) AS VARCHAR)`;
  return `nullif(CAST(${name} AS VARCHAR), '')`;
}

/**
 * The canonical text of a stored value, for keys: the same value gives the same text whether a file held it as an integer or a
 * double, a date or a midnight; missing is empty.
 */
export function keyText(name: string, type: StoredType): string {
  return `coalesce(${textOf(ident(name), type)}, '')`;
}

function textOf(column: string, type: StoredType): string {
  const asIs = `CAST(${column} AS VARCHAR)`;
  switch (type) {
    case 'DOUBLE':
      return `CASE WHEN ${column} = trunc(${column}) AND abs(${column}) < 9e15 ` +
        `THEN CAST(CAST(${column} AS BIGINT) AS VARCHAR) ELSE ${asIs} END`;
    case 'TIMESTAMP':
      return `CASE WHEN ${column} = date_trunc('day', ${column}) THEN CAST(CAST(${column} AS DATE) AS VARCHAR) ELSE ${asIs} END`;
    default:
      return asIs;
  }
}

const TEXT_MIN_ROWS = 20;

/**
 * A string column is `text` when its values are mostly different and more than a word long (at least half of them distinct, 1.5
 * words on average), or are sentences (8 words and more on average, over 20 distinct); otherwise a `category`. Very short columns
 * (fewer than 20 values) are judged by words alone: 3 or more.
 */
export function columnType(type: StoredType, facts: { present: number; distinct: number; meanWords: number }): ColumnType {
  switch (type) {
    case 'BIGINT':
    case 'DOUBLE':
      return 'number';
    case 'BOOLEAN':
      return 'boolean';
    case 'DATE':
    case 'TIMESTAMP':
      return 'date';
    case 'FLOAT[]':
      return 'vector';
    case 'VARCHAR': {
      const { present, distinct, meanWords } = facts;
      if (present < TEXT_MIN_ROWS) return meanWords >= 3 && distinct > 1 ? 'text' : 'category';
      const mostlyDifferent = distinct >= present / 2 && meanWords >= 1.5;
      return mostlyDifferent || (meanWords >= 8 && distinct > 20) ? 'text' : 'category';
    }
  }
}
