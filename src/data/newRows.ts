import type { NewRows } from '../domain/retrain';
import type { Snapshot } from '../domain/version';
import type { Store } from '../store/store';
import { withDuckDB, type Engine } from './duckdb';

/** How many rows of a snapshot are not, as they are, in one before; all of them when their columns differ or the one before is gone. */
export async function newRows(snapshot: Snapshot, before: Snapshot | undefined, { store, signal }: { store: Store; signal?: AbortSignal }): Promise<NewRows> {
  const { rows, data: { sha256: data } } = snapshot;
  if (before?.data.sha256 === data) return { rows, changed: 0, data };
  if (!before || !sameColumns(snapshot, before)) return { rows, changed: rows, data };
  const [now, then] = [await store.localFile(snapshot.data), await store.localFile(before.data)];
  return withDuckDB({ signal }, async (db) => ({ rows, changed: await count(db, now, then), data }));
}

const sameColumns = (a: Snapshot, b: Snapshot): boolean =>
  a.columns.length === b.columns.length && a.columns.every(({ name, type }, i) => b.columns[i]!.name === name && b.columns[i]!.type === type);

async function count(db: Engine, now: string, then: string): Promise<number> {
  const read = (file: string) => `SELECT * FROM read_parquet('${file.replaceAll("'", "''")}')`;
  const [found] = await db.rows(`SELECT count(*)::INTEGER AS changed FROM (${read(now)} EXCEPT ALL ${read(then)})`);
  return Number(found!.changed);
}
