import { ShoalError } from '../domain/errors';
import { nearest } from '../domain/nearest';
import type { SourceSpec } from '../domain/spec';
import { ident, literal, messageOf, type Engine } from './duckdb';
import { objectionTo, type SerializedSql } from './selectOnly';

interface Selection { source: SourceSpec; sql: string; from: string; to: string }

/**
 * Makes the table `to` of a user's SELECT over the table `from`, which goes away.
 *
 * Two walls. The text is parsed by DuckDB itself, and what is more than a SELECT over `from` is refused with its reason
 * (selectOnly.ts). And the engine was locked down before (ingest.ts), so what the first wall might miss finds no file and no
 * setting to reach.
 *
 * The SELECT gets its rows in one order, and one thread runs it, so that `first`, `row_number` and sums of doubles are the same for
 * the same data. It may ask the clock for dates and times; the snapshot then depends on the day.
 */
export async function runUserSql(db: Engine, { source, sql, from, to }: Selection): Promise<void> {
  const columns = (await db.columnsOf(ident(from))).map((column) => column.name);
  const text = { source, sql, columns };
  await assertSelect(db, text, from);
  await putInOrder(db, from);
  try {
    (await db.connection.prepare(sql)).destroySync();
    await db.run(`CREATE TABLE ${ident(to)} AS\n${sql}`);
  } catch (cause) {
    throw failed(text, cause);
  }
  await db.run(`DROP TABLE ${ident(from)}`);
}

interface UserText { source: SourceSpec; sql: string; columns: string[] }

async function assertSelect(db: Engine, text: UserText, from: string): Promise<void> {
  const { tree } = await db.row<{ tree: string }>(`SELECT json_serialize_sql(${literal(text.sql)}) AS tree`);
  const names = await db.rows<{ name: string }>(
    `SELECT DISTINCT function_name AS name FROM duckdb_functions() WHERE stability = 'VOLATILE'`);
  const objection = objectionTo(JSON.parse(tree) as SerializedSql, { from, volatile: new Set(names.map(({ name }) => name)) });
  if (!objection) return;
  const place = objection.offset === undefined ? undefined : placeOf(text.sql, objection.offset);
  throw new ShoalError('SQL_REFUSED', `The \`sql\` of source ${text.source.name} is refused${shown(place)}: ${objection.reason}.`, {
    remedy: `Write one SELECT over the table \`${from}\`.`, details: { source: text.source.name, ...place } });
}

async function putInOrder(db: Engine, table: string): Promise<void> {
  const ordered = ident(`${table} in order`);
  await db.run(`CREATE TABLE ${ordered} AS SELECT * FROM ${ident(table)} ORDER BY ALL`);
  await db.run(`DROP TABLE ${ident(table)}`);
  await db.run(`ALTER TABLE ${ordered} RENAME TO ${ident(table)}`);
}

function failed({ source, sql, columns }: UserText, cause: unknown): unknown {
  const message = messageOf(cause);
  if (message === undefined) return cause;
  const place = placeIn(message, sql);
  const column = /column "(.+?)" (?:was )?not found/.exec(message)?.[1] ?? /does not have a column named "(.+?)"/.exec(message)?.[1];
  if (column !== undefined) {
    const near = nearest(column, columns);
    const what = `names the column '${column}', which is not there${shown(place)}`;
    return new ShoalError('COLUMN_MISSING', `The \`sql\` of source ${source.name} ${what}.`, {
      remedy: near === undefined ? `The columns are ${columns.join(', ')}.` : `Did you mean "${near}"?`,
      details: { source: source.name, ...place, column, nearest: near, columns },
      cause,
    });
  }
  const [what = ''] = message.split(/\n+(?:LINE|Candidate|Did you mean)/);
  const hint = /Did you mean (".+?")/.exec(message)?.[1];
  return new ShoalError('SQL_REFUSED', `The \`sql\` of source ${source.name} fails${shown(place)}: ${what.trim().replace(/[.!]?$/, '.')}`, {
    remedy: hint === undefined ? 'Correct the SQL; it is in DuckDB\'s dialect.' : `Did you mean ${hint}?`,
    details: { source: source.name, ...place },
    cause,
  });
}

/** Counted from 1, in the user's text. */
interface TextPlace { line: number; column: number }

const shown = (place: TextPlace | undefined): string => (place ? ` (line ${place.line}, column ${place.column})` : '');

function placeOf(sql: string, offset: number): TextPlace {
  const lines = Buffer.from(sql).subarray(0, offset).toString('utf8').split('\n');
  return { line: lines.length, column: lines.at(-1)!.length + 1 };
}

/** From the engine's excerpt `LINE n: ...` with a caret below; the statement it ran may begin a line before the user's text. */
function placeIn(message: string, sql: string): TextPlace | undefined {
  const match = /LINE (\d+): (.*)\n( *)\^/.exec(message);
  if (!match) return undefined;
  const [number, excerpt, caret] = [Number(match[1]), match[2]!, match[3]!.length - `LINE ${match[1]!}: `.length];
  const cut = excerpt.startsWith('...') ? 3 : 0;
  const core = excerpt.slice(cut).replace(/\.\.\.$/, '');
  const lines = sql.split('\n');
  const index = [number - 1, number - 2].find((i) => lines[i]?.includes(core));
  return index === undefined ? undefined : { line: index + 1, column: lines[index]!.indexOf(core) + caret - cut + 1 };
}
