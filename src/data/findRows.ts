import { KEY_COLUMN, type Snapshot } from '../domain/version';
import type { Store } from '../store/store';
import { ident, pathLiteral, withDuckDB } from './duckdb';

export interface FoundRows { column: string; count: number; key: string; value: string }
/** `where`, given the column as SQL, is SQL that is true of the rows sought. */
export interface Sought { column: string; where: (name: string) => string }

/** How many rows of a snapshot meet a condition on a column, and the first of them, for messages. */
export async function findRows(store: Store, snapshot: Snapshot, { column, where }: Sought): Promise<FoundRows> {
  const file = await store.localFile(snapshot.data);
  const name = ident(column);
  return withDuckDB({}, async (db) => {
    const row = await db.row<{ n: string; key: string | null; value: string | null }>(
      `SELECT count(*) AS n, arg_min(${KEY_COLUMN}, file_row_number) AS key, arg_min(CAST(${name} AS VARCHAR), file_row_number) AS value ` +
      `FROM read_parquet(${pathLiteral(file)}, file_row_number = true) WHERE ${where(name)}`);
    return { column, count: Number(row.n), key: row.key ?? '', value: row.value ?? '' };
  });
}
