import { ident, literal, type Engine } from './duckdb';
import type { StoredType } from './types';

/** What people write for "no value"; missing in a column that otherwise holds numbers, dates or booleans, and text in any other. */
const MISSING_MARKERS = ['na', 'n/a', '#n/a', 'null', 'none', '-', '?'];

/** In order of preference: of two formats that fit a whole column, month before day. `%y` is 1969 to 2068. */
const DATE_FORMATS = [
  '%Y-%m-%d', '%Y/%m/%d', '%m/%d/%Y', '%d/%m/%Y', '%d.%m.%Y', '%d-%m-%Y', '%m/%d/%y', '%d/%m/%y', '%d.%m.%y',
  '%b %d %Y', '%b %d, %Y', '%B %d %Y', '%B %d, %Y', '%d %b %Y', '%d %B %Y', '%d-%b-%Y', '%d-%b-%y', '%b-%d-%Y', '%Y-%b-%d',
  '%Y-%m', '%b %Y', '%B %Y',
];
const TIME_FORMATS = ['%H:%M', '%H:%M:%S', '%H:%M:%S.%f', '%I:%M %p', '%I:%M:%S %p'];
const TIMESTAMP_FORMATS = [...DATE_FORMATS.flatMap((date) => TIME_FORMATS.map((time) => `${date} ${time}`)), '%a, %d %b %Y %H:%M:%S GMT'];

export type TextTypes = 'everything' | 'dates';

export interface Reading { type: StoredType; /** SQL over the text column. */ expression: string }

/** How to read a text (as SQL over SQL); NULL where it does not fit. */
interface Candidate { type: StoredType; parse: (text: string) => string }

/**
 * What the text columns of `table` hold, where that is more than text. A type is taken only when every value of the column fits it,
 * so the answer depends on the set of values alone, never on their order or on the files they lie in.
 *
 * - boolean: `true`, `false` in any case
 * - integer, number: decimal digits, without leading zeros (`007` is a name, not a number); `nan` and `inf` are numbers, too
 * - date, time: ISO 8601, or one of the usual formats, the same for the whole column
 *
 * With `dates`, numbers and booleans in text stay text (for JSON, where the quotes were meant).
 */
export async function inferText(db: Engine, table: string, columns: string[], types: TextTypes): Promise<Map<string, Reading>> {
  const result = new Map<string, Reading>();
  for (const column of columns) {
    const reading = await inferColumn(db, { table, column, types });
    if (reading) result.set(column, reading);
  }
  return result;
}

interface Place { table: string; column: string; types: TextTypes }

async function inferColumn(db: Engine, { table, column, types }: Place): Promise<Reading | undefined> {
  const trimmed = `trim(${ident(column)})`;
  const markers = ['', ...MISSING_MARKERS].map(literal).join(', ');
  const value = `CASE WHEN lower(${trimmed}) IN (${markers}) THEN NULL ELSE ${trimmed} END`;
  const sample = await db.rows<{ v: string }>(`SELECT DISTINCT v FROM (SELECT ${value} AS v FROM ${table}) WHERE v IS NOT NULL LIMIT 100`);
  if (sample.length === 0) return undefined;
  const values = sample.map(({ v }) => v);
  const fromSample = `(VALUES ${values.map((v) => `(${literal(v)})`).join(', ')}) AS sample(v)`;
  const likely = await fitting(db, candidatesFor(values, types), { from: fromSample, value: 'v' });
  const [chosen] = await fitting(db, likely, { from: table, value });
  return chosen && { type: chosen.type, expression: chosen.parse(`(${value})`) };
}

const BOOLEAN: Candidate = { type: 'BOOLEAN', parse: (v) => `CASE lower(${v}) WHEN 'true' THEN true WHEN 'false' THEN false END` };
const INTEGER: Candidate = { type: 'BIGINT', parse: (v) => onlyIf(v, '[-+]?(0|[1-9][0-9]*)', `TRY_CAST(${v} AS BIGINT)`) };
const DECIMAL = '(((0|[1-9][0-9]*)([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]+)?|(?i:nan|inf|infinity))';
const NUMBER: Candidate = { type: 'DOUBLE', parse: (v) => onlyIf(v, `[-+]?${DECIMAL}`, `TRY_CAST(${v} AS DOUBLE)`) };
const ISO_TIME: Candidate = {
  type: 'TIMESTAMP',
  parse: (v) => onlyIf(v, '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].*', `CAST(TRY_CAST(${v} AS TIMESTAMPTZ) AS TIMESTAMP)`),
};

/** A first look at some of the values, to spare the engine what can't fit. */
function candidatesFor(values: string[], types: TextTypes): Candidate[] {
  const candidates: Candidate[] = [];
  if (types === 'everything') {
    if (values.every((v) => /^(true|false)$/i.test(v))) candidates.push(BOOLEAN);
    if (values.every((v) => /^[-+.\d]/.test(v) || /^(nan|inf)/i.test(v))) candidates.push(INTEGER, NUMBER);
  }
  if (values.every((v) => /\d/.test(v) && v.length >= 6 && v.length <= 40)) {
    candidates.push(ISO_TIME, ...DATE_FORMATS.map((f) => formatted('DATE', f)), ...TIMESTAMP_FORMATS.map((f) => formatted('TIMESTAMP', f)));
  }
  return candidates;
}

/** `%Y` would take `90` for the year 90, so four digits are asked for. */
function formatted(type: 'DATE' | 'TIMESTAMP', format: string): Candidate {
  const pattern = format.includes('%Y') ? '.*[0-9]{4}.*' : '.*';
  return { type, parse: (v) => onlyIf(v, pattern, `CAST(try_strptime(${v}, ${literal(format)}) AS ${type})`) };
}

const onlyIf = (text: string, pattern: string, expression: string): string =>
  `CASE WHEN regexp_full_match(${text}, ${literal(pattern)}) THEN ${expression} END`;

/** The candidates that read every value. */
async function fitting(db: Engine, candidates: Candidate[], values: { from: string; value: string }): Promise<Candidate[]> {
  if (candidates.length === 0) return [];
  const checks = candidates.map((candidate, i) => `bool_and(${candidate.parse('v')} IS NOT NULL) AS c${i}`);
  const row = await db.row<Record<string, boolean | null>>(
    `SELECT ${checks.join(', ')} FROM (SELECT ${values.value} AS v FROM ${values.from}) WHERE v IS NOT NULL`);
  return candidates.filter((_, i) => row[`c${i}`] === true);
}
