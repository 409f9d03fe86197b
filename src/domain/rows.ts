import { distance } from 'fastest-levenshtein';
import { ShoalError } from './errors';
import type { Row } from './prediction';
import type { Column, ColumnType, Table } from './table';
import { KEY_COLUMN } from './version';

/** A column to make: `name` in the table, `column` in the rows. Vectors need their width. */
export interface RowColumn { name: string; column: string; type: ColumnType; width?: number }

export interface RowOptions {
  /** For CSV, where everything is text: numbers, true and false are read from strings, and an empty string is missing. */
  lenient?: boolean;
  /** The most rows an inline request can have. */
  limit?: number;
  /** Columns that something else reads, so that their names are no misspellings. */
  alsoRead?: Iterable<string>;
  /** Columns whose values name a row in messages. */
  key?: readonly string[];
}

const MAX_LISTED = 5;
const MAX_EDITS = 2;
const MS_PER_DAY = 86_400_000;

/**
 * Request rows as typed columns. Null or left out is missing; columns that are not asked for are ignored.
 *
 * @throws ShoalError REQUEST_EMPTY, REQUEST_TOO_LARGE, COLUMN_MISSING when a column that is absent from every row looks like a
 * misspelling of one that nothing reads, REQUEST_ROW with the count of the wrong values, and the first few of them
 */
export function rowsToTable(rows: readonly Row[], columns: readonly RowColumn[], options: RowOptions = {}): Table {
  if (rows.length === 0) throw new ShoalError('REQUEST_EMPTY', 'The request has no rows.', { remedy: 'Send at least one.' });
  if (options.limit !== undefined && rows.length > options.limit) {
    throw new ShoalError('REQUEST_TOO_LARGE', `The request has ${rows.length} rows; inline it can have ${options.limit}.`, {
      remedy: 'Send a larger data set as a file in the store, by reference.', details: { rows: rows.length, limit: options.limit },
    });
  }
  const notRow = rows.findIndex((row) => typeof row !== 'object' || row === null || Array.isArray(row));
  if (notRow >= 0) {
    const found = shortened(rows[notRow]);
    throw new ShoalError('REQUEST_ROW', `Row ${notRow} is ${found}; a row is an object with columns by name.`, {
      details: { row: notRow, found },
    });
  }
  refuseMisspelt(rows, columns, options.alsoRead ?? []);

  const wrong: WrongCell[] = [];
  let count = 0;
  const table: Table = { rows: rows.length, columns: {} };
  for (const { name, column, type, width } of columns) {
    const values = rows.map((row) => (Object.hasOwn(row, column) ? row[column] : undefined));
    table.columns[name] = toColumn(values, { type, width, lenient: options.lenient }, (row, expected) => {
      count++;
      if (wrong.length === MAX_LISTED) return;
      wrong.push({ row, key: keyOf(rows[row]!, options.key), column, expected, found: shortened(values[row]) });
    });
  }
  if (count > 0) throw wrongCells(wrong, count);
  return table;
}

export interface ColumnForm { type: ColumnType; width?: number; lenient?: boolean }

/** JSON values as a column; calls `refuse` for each that does not fit, with what was expected, and takes it as missing. */
export function toColumn(values: readonly unknown[], form: ColumnForm, refuse: (row: number, expected: string) => void): Column {
  const { type, lenient = false } = form;
  const missing = (value: unknown): boolean => value == null || (lenient && typeof value === 'string' && value.trim() === '');
  switch (type) {
    case 'number':
    case 'boolean':
    case 'date': {
      const read = { number: toNumber, boolean: toBoolean, date: toDays }[type];
      const out = new Float64Array(values.length).fill(NaN);
      values.forEach((value, i) => {
        if (missing(value)) return;
        const number = read(value, lenient);
        if (number === undefined) refuse(i, EXPECTED[type]);
        else out[i] = number;
      });
      return { type, values: out };
    }
    case 'category':
    case 'text':
      return {
        type,
        values: values.map((value, i) => {
          if (value === null || value === undefined) return null;
          if (typeof value === 'string') return value;
          // A snapshot's numbers and booleans are read the same way where a model takes them as strings.
          if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return String(value);
          refuse(i, EXPECTED[type]);
          return null;
        }),
      };
    case 'vector': {
      const width = form.width ?? values.find((value) => Array.isArray(value))?.length ?? 0;
      const out = new Float32Array(values.length * width).fill(NaN);
      values.forEach((value, i) => {
        if (missing(value)) return;
        if (Array.isArray(value) && value.length === width && value.every(Number.isFinite)) out.set(value as number[], i * width);
        else refuse(i, `a list of ${width} numbers`);
      });
      return { type, width, values: out };
    }
  }
}

const EXPECTED = {
  number: 'a number', boolean: 'true or false', date: 'an ISO date (2015-03-31)', category: 'a string', text: 'a string',
} as const;

function toNumber(value: unknown, lenient: boolean): number | undefined {
  const number = lenient && typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function toBoolean(value: unknown, lenient: boolean): number | undefined {
  const text = lenient ? String(value).trim().toLowerCase() : value;
  if (text === true || text === 'true' || text === '1') return lenient || text === true ? 1 : undefined;
  if (text === false || text === 'false' || text === '0') return lenient || text === false ? 0 : undefined;
  return undefined;
}

const ISO_DATE = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?)?)?)?$/;

/** Days since 1970-01-01 of an ISO 8601 date; without a time zone it is UTC. Undefined when it is none, or not in the calendar. */
export function toDays(value: unknown): number | undefined {
  const match = typeof value === 'string' ? ISO_DATE.exec(value.trim()) : null;
  if (!match) return undefined;
  const [, year, month = '01', day = '01', time = '00:00', zone = 'Z'] = match;
  const date = Date.parse(`${year}-${month}-${day}T00:00Z`);
  if (Number.isNaN(date) || new Date(date).getUTCDate() !== Number(day)) return undefined;
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  const instant = Date.parse(`${year}-${month}-${day}T${time}${offset}`);
  return Number.isNaN(instant) ? undefined : instant / MS_PER_DAY;
}

/** One cell as plain JSON, as a request would hold it; missing is null. */
export function cellOf(column: Column, row: number): unknown {
  switch (column.type) {
    case 'category':
    case 'text':
      return column.values[row] ?? null;
    case 'vector': {
      const values = column.values.subarray(row * column.width, (row + 1) * column.width);
      return values.every(Number.isFinite) ? Array.from(values) : null;
    }
    default: {
      const value = column.values[row]!;
      if (!Number.isFinite(value)) return null;
      if (column.type === 'number') return value;
      return column.type === 'boolean' ? value !== 0 : isoDate(value);
    }
  }
}

/** A column as plain JSON. */
export function cellsOf(column: Column, rows: number): unknown[] {
  const cells = new Array<unknown>(rows);
  for (let row = 0; row < rows; row++) cells[row] = cellOf(column, row);
  return cells;
}

/** Days since 1970 as an ISO date, with the time of day where there is one. */
export function isoDate(days: number): string {
  const text = new Date(Math.round(days * MS_PER_DAY)).toISOString();
  return Number.isInteger(days) ? text.slice(0, text.indexOf('T')) : text;
}

interface WrongCell { row: number; key: string | undefined; column: string; expected: string; found: string }

function wrongCells(wrong: WrongCell[], count: number): ShoalError {
  const listed = wrong.map(({ row, key, column, expected, found }) =>
    `row ${row}${key === undefined ? '' : ` (${key})`}, column ${column}: expected ${expected}, found ${found}`);
  const [first] = wrong;
  const message = count === 1
    ? `The request has a value of the wrong type: ${listed[0]}.`
    : `The request has ${count} values of the wrong type: ${listed.join('; ')}${count > wrong.length ? '; ...' : ''}.`;
  return new ShoalError('REQUEST_ROW', message, {
    remedy: 'Send null where a value is not known.', details: { ...first, count, cells: wrong },
  });
}

function refuseMisspelt(rows: readonly Row[], columns: readonly RowColumn[], alsoRead: Iterable<string>): void {
  const present = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) present.add(name);
  const read = new Set([...columns.map((c) => c.column), ...alsoRead]);
  const unread = [...present].filter((name) => !read.has(name));
  if (unread.length === 0) return;
  for (const { column } of columns) {
    if (present.has(column)) continue;
    const edits = (name: string): number => distance(name.toLowerCase(), column.toLowerCase());
    const found = unread.reduce((best, name) => (edits(name) < edits(best) ? name : best));
    // Short names are near to everything.
    if (edits(found) > Math.min(MAX_EDITS, column.length / 3)) continue;
    throw new ShoalError('COLUMN_MISSING', `No row has the column ${column}, but there is a column ${found}.`, {
      remedy: `Did you mean ${column}? Rename it, or send ${column} as null.`, details: { column, found },
    });
  }
}

function keyOf(row: Row, key: readonly string[] = []): string | undefined {
  const names = Object.hasOwn(row, KEY_COLUMN) ? [KEY_COLUMN] : key.filter((name) => Object.hasOwn(row, name));
  return names.length === 0 ? undefined : names.map((name) => `${name === KEY_COLUMN ? 'key' : name} ${shortened(row[name])}`).join(', ');
}

function shortened(value: unknown): string {
  const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? typeof value);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
