import { ShoalError } from './errors';
import type { Row } from './prediction';
import { toDays } from './rows';
import { KEY_SEPARATOR } from './version';

/**
 * By what a request's rows are found again when their outcomes come: the keys that the caller gave, one a row; else the texts of the
 * source's key columns, joined as in a snapshot, so that a row has the same key in a request, in its outcome and in a snapshot; else,
 * where a row has none of these columns, `<request>/<number of the row>`.
 *
 * The types of the columns are not known here: a text that is an ISO date or time is taken for one (in a snapshot, only where the whole
 * column is), and times are in UTC.
 *
 * @throws ShoalError REQUEST_ROW when the given keys are not one non-empty text a row
 */
export function keysOf(of: { rows: readonly Row[]; request: string; columns?: readonly string[]; given?: readonly string[] }): string[] {
  const { rows, request, columns = [], given } = of;
  if (given !== undefined) return checked(given, rows.length);
  return rows.map((row, i) => rowKey(row, columns) ?? `${request}/${i}`);
}

/** The key of a row with any of the key columns. */
export function rowKey(row: Row, columns: readonly string[]): string | undefined {
  const texts = columns.map((column) => (Object.hasOwn(row, column) ? keyText(row[column]) : ''));
  return texts.every((text) => text === '') ? undefined : texts.join(KEY_SEPARATOR);
}

function checked(keys: readonly string[], rows: number): string[] {
  const wrong = keys.findIndex((key) => typeof key !== 'string' || key === '');
  if (keys.length === rows && wrong === -1) return [...keys];
  const what = keys.length !== rows ? `${keys.length} keys for ${rows} rows` : `a key that is ${JSON.stringify(keys[wrong])} for row ${wrong}`;
  throw new ShoalError('REQUEST_ROW', `The request has ${what}.`, {
    remedy: 'Give one text for each row, or none to use the key columns of the source.', details: { keys: keys.length, rows },
  });
}

/** The canonical text of a JSON value: that of the same value in a snapshot (`keyText` of data/types.ts). Missing is empty. */
export function keyText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return dateText(value) ?? value;
    case 'number':
      return numberText(value);
    case 'boolean':
      return String(value);
    default:
      return value === null || value === undefined ? '' : JSON.stringify(value);
  }
}

/** Whole numbers as digits; others in the fewest digits that tell them from their neighbours, as DuckDB writes a DOUBLE. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return '';
  if (Number.isSafeInteger(value)) return String(value + 0);
  const [, sign, first, rest = '', exponent] = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(value.toExponential())!;
  const power = Number(exponent);
  if (power < -4 || power >= 16) {
    return `${sign}${first}${rest && `.${rest}`}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${first}${rest}`;
  const digits = `${first}${rest}`.padEnd(power + 1, '0');
  return `${sign}${digits.slice(0, power + 1)}.${digits.slice(power + 1) || '0'}`;
}

const ISO_TIME = /^\d{4}-\d{2}(?:-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.(\d+))?)?(?:Z|[+-]\d{2}:?\d{2})?)?)?$/;

/** A date as year-month-day; a time in UTC, to the microsecond, as a date where it is midnight. */
function dateText(text: string): string | undefined {
  const match = ISO_TIME.exec(text.trim());
  const days = match === null ? undefined : toDays(text);
  if (days === undefined) return undefined;
  const whole = new Date(Math.floor(Math.round(days * 86_400_000) / 1000) * 1000).toISOString();
  // A time zone moves a time by whole minutes.
  const fraction = (match![1] ?? '').slice(0, 6).replace(/0+$/, '');
  const [date, time] = [whole.slice(0, 10), whole.slice(11, 19)];
  return time === '00:00:00' && fraction === '' ? date : `${date} ${time}${fraction && `.${fraction}`}`;
}
