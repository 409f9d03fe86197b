import { ShoalError } from '../domain/errors';
import { nearest } from '../domain/nearest';
import { KEY_COLUMN, type Snapshot } from '../domain/version';
import type { Store } from '../store/store';
import { ident, literal, messageOf, pathLiteral, withDuckDB, type Engine } from './duckdb';
import { objectionTo, type SerializedSql } from './selectOnly';

/** A user's SQL that is true or not for a row of the table `source`; `what` names it in messages. */
export interface Condition { where: string; what: string }

const ROW = '__row';

/**
 * Numbers of the snapshot's rows for which a condition holds, ascending. It has the walls of a source's SQL (userSql.ts): the text is
 * parsed and refused when it is more than a condition on `source`, and the engine can reach no other file.
 *
 * @throws ShoalError SQL_REFUSED, COLUMN_MISSING with the nearest name
 */
export function rowsMeeting(store: Store, snapshot: Snapshot, condition: Condition): Promise<Int32Array> {
  return withSnapshot(store, snapshot, async (db) => {
    await assertCondition(db, snapshot, condition);
    // Not the engine's own order, which depends on its threads.
    const result = await ran(db.connection.stream(`${selectOf(condition)} ORDER BY ${ROW}`), snapshot, condition);
    const rows: number[] = [];
    for await (const chunk of result) {
      const vector = chunk.getColumnVector(0);
      for (let i = 0; i < chunk.rowCount; i++) rows.push(Number(vector.getItem(i)));
    }
    return Int32Array.from(rows);
  });
}

/** Throws what `rowsMeeting` would of the text itself, without reading rows. */
export const checkCondition = (store: Store, snapshot: Snapshot, condition: Condition): Promise<void> =>
  withSnapshot(store, snapshot, (db) => assertCondition(db, snapshot, condition));

const selectOf = ({ where }: Condition): string => `SELECT ${ROW} FROM source WHERE (\n${where}\n)`;

async function withSnapshot<T>(store: Store, snapshot: Snapshot, work: (db: Engine) => Promise<T>): Promise<T> {
  const file = await store.localFile(snapshot.data);
  // One thread: sums over the rows are the same each time.
  return withDuckDB({ threads: 1 }, async (db) => {
    await db.run(`SET allowed_paths = [${literal(file)}]`);
    await db.run('SET enable_external_access = false');
    await db.run('SET lock_configuration = true');
    await db.run(`CREATE VIEW source AS SELECT * EXCLUDE (file_row_number), file_row_number AS ${ROW} ` +
      `FROM read_parquet(${pathLiteral(file)}, file_row_number = true)`);
    return work(db);
  });
}

async function assertCondition(db: Engine, snapshot: Snapshot, condition: Condition): Promise<void> {
  const { tree } = await db.row<{ tree: string }>(`SELECT json_serialize_sql(${literal(selectOf(condition))}) AS tree`);
  const names = await db.rows<{ name: string }>(`SELECT DISTINCT function_name AS name FROM duckdb_functions() WHERE stability = 'VOLATILE'`);
  const parsed = JSON.parse(tree) as SerializedSql;
  const reason = objectionTo(parsed, { from: 'source', volatile: new Set(names.map(({ name }) => name)) })?.reason ?? moreThanCondition(parsed);
  if (reason !== undefined) throw refused(condition, `is refused: ${reason}`);
  const prepared = await ran(db.connection.prepare(selectOf(condition)), snapshot, condition);
  prepared.destroySync();
}

/** A text that closes the bracket around it can add parts to the SELECT that a condition has not. */
function moreThanCondition({ statements }: SerializedSql): string | undefined {
  const { node } = statements![0] as { node: Record<string, unknown> };
  const added = node.type !== 'SELECT_NODE' || node.having != null || node.qualify != null
    || [node.modifiers, node.group_expressions].some((part) => Array.isArray(part) && part.length > 0);
  return added ? 'it is more than a condition' : undefined;
}

async function ran<T>(work: Promise<T>, snapshot: Snapshot, condition: Condition): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const message = messageOf(cause);
    if (message === undefined) throw cause;
    const column = /column "(.+?)" (?:was )?not found/.exec(message)?.[1];
    if (column === undefined) throw refused(condition, `fails: ${message.split('\n')[0]!.replace(/[.!]?$/, '')}`, cause);
    const columns = snapshot.columns.map(({ name }) => name).filter((name) => name !== KEY_COLUMN);
    const near = nearest(column, columns);
    throw new ShoalError('COLUMN_MISSING', `${condition.what} names the column '${column}', which source ${snapshot.source} does not have.`, {
      remedy: near === undefined ? `Its columns are ${columns.join(', ')}.` : `Did you mean ${ident(near)}?`,
      details: { column, nearest: near, columns, where: condition.where },
      cause,
    });
  }
}

const refused = ({ what, where }: Condition, why: string, cause?: unknown): ShoalError => new ShoalError('SQL_REFUSED', `${what}, \`${where}\`, ${why}.`, {
  remedy: 'Write SQL (DuckDB\'s) that is true or false for a row of `source`.', details: { where }, cause,
});
