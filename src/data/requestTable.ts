import type { DuckDBValue } from '@duckdb/node-api';
import type { Row } from '../domain/prediction';
import type { LogArm, LogEntry } from '../domain/requestLog';
import { jsonLine } from './journal';
import type { LineForm, Workspace } from './journalTable';

/** An entry and when it was written, in milliseconds since 1970. */
export interface LoggedEntry extends LogEntry { logged: number }

export const requestJournal = (chain: string): string => `requests/${chain}`;

/**
 * One line a row of a request; one without a row number for a request without rows. `versions`, `input`, `output` and `fallbacks` are
 * JSON; `value` or `label` is the main output where the chain has one of that name. Times are UTC.
 */
export const REQUEST_FORM: LineForm = {
  fields: {
    request: 'VARCHAR', at: 'TIMESTAMP', logged: 'BIGINT', release: 'INTEGER', arm: 'VARCHAR', weight: 'DOUBLE', versions: 'JSON',
    keys: 'VARCHAR[]', rows: 'JSON[]', outputs: 'JSON[]', failure: 'VARCHAR', seconds: 'DOUBLE', fallbacks: 'JSON',
  },
  select: (from) => `
    SELECT * EXCLUDE ("output"), CAST("output" AS VARCHAR) AS "output",
      CASE WHEN json_type("output", '$.value') IN ('DOUBLE', 'UBIGINT', 'BIGINT') THEN CAST("output" ->> '$.value' AS DOUBLE) END AS "value",
      CASE WHEN json_type("output", '$.label') = 'VARCHAR' THEN "output" ->> '$.label' END AS label
    FROM (
      SELECT request, "at", make_timestamp(logged * 1000) AS logged, "release", arm, weight, CAST(versions AS VARCHAR) AS versions,
        CASE WHEN len(keys) > 0 THEN unnest(range(greatest(1, len(keys))))::INTEGER END AS "row",
        unnest(CASE WHEN len(keys) > 0 THEN keys ELSE [NULL] END) AS "key", CAST(unnest("rows") AS VARCHAR) AS "input", unnest(outputs) AS "output",
        failure, seconds, CAST(fallbacks AS VARCHAR) AS fallbacks
      FROM ${from}
    )`,
  columns: {
    request: 'VARCHAR', '"row"': 'INTEGER', '"key"': 'VARCHAR', '"at"': 'TIMESTAMP', logged: 'TIMESTAMP', '"release"': 'INTEGER', arm: 'VARCHAR',
    weight: 'DOUBLE', versions: 'VARCHAR', '"input"': 'VARCHAR', '"output"': 'VARCHAR', '"value"': 'DOUBLE', label: 'VARCHAR',
    failure: 'VARCHAR', seconds: 'DOUBLE', fallbacks: 'VARCHAR',
  },
  order: ['"at"', 'request', '"release"', 'arm', 'logged', '"row"'],
};

/** @throws TypeError for an entry that could not be read back */
export function assertReadable({ request, keys, rows, outputs, at }: LogEntry): void {
  if (keys.length !== rows.length || (outputs !== undefined && outputs.length !== rows.length)) {
    throw new TypeError(`The log entry of request ${request} has ${keys.length} keys, ${rows.length} rows and ${outputs?.length ?? 'no'} outputs.`);
  }
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:[\d:.]+Z$/.test(at) || Number.isNaN(Date.parse(at))) {
    throw new TypeError(`The log entry of request ${request} has the time ${at}, which is not ISO in UTC.`);
  }
}

export const entryLine = (entry: LogEntry, logged: number): string => jsonLine({ ...entry, logged });

const COLUMNS = ['request', '"row"', '"key"', 'epoch_ms("at")::DOUBLE', 'epoch_ms(logged)::DOUBLE', '"release"', 'arm', 'weight', 'versions', '"input"', '"output"',
  'failure', 'seconds', 'fallbacks'];

/**
 * The entries of a table of lines, some at a time. Of entries of one name that come one after the other the first counts.
 *
 * @param of.table SQL with all columns of REQUEST_FORM
 * @param of.order by which the lines of an entry lie together, by row
 */
export async function* readEntries({ db }: Workspace, of: { chain: string; table: string; order: string }): AsyncGenerator<LoggedEntry[]> {
  const result = await db.connection.stream(`SELECT ${COLUMNS.join(', ')} FROM ${of.table} ORDER BY ${of.order}`);
  let last: LoggedEntry | undefined;
  for await (const chunk of result) {
    const vectors = COLUMNS.map((_, i) => chunk.getColumnVector(i));
    const done: LoggedEntry[] = [];
    for (let r = 0; r < chunk.rowCount; r++) {
      const value = (column: number): DuckDBValue => vectors[column]!.getItem(r) as DuckDBValue;
      const [request, row, logged, release, arm] = [value(0) as string, value(1) as number | null, value(4) as number, value(5) as number, value(6) as LogArm];
      if (last?.request !== request || last.release !== release || last.arm !== arm) {
        if (last) done.push(last);
        const failure = value(11) as string | null;
        const answered = value(10) !== null || (row === null && failure === null);
        last = {
          chain: of.chain, request, at: new Date(value(3) as number).toISOString(), release, arm, weight: value(7) as number,
          versions: JSON.parse(value(8) as string) as Record<string, string>, keys: [], rows: [], ...(answered && { outputs: [] }),
          ...(failure !== null && { failure }), seconds: value(12) as number, fallbacks: JSON.parse(value(13) as string) as Record<string, number>, logged,
        };
      }
      if (row === null || logged !== last.logged || row !== last.keys.length) continue;
      last.keys.push(value(2) as string);
      last.rows.push(JSON.parse(value(9) as string) as Row);
      last.outputs?.push(JSON.parse(value(10) as string) as Record<string, unknown>);
    }
    if (done.length > 0) yield done;
  }
  if (last) yield [last];
}
