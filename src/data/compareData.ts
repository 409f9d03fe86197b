import { ShoalError } from '../domain/errors';
import { columnDrift, summarise, type ColumnDrift, type DriftLimits, type DriftSummary } from '../domain/drift';
import { toColumn } from '../domain/rows';
import type { Row } from '../domain/prediction';
import { takeRows, type ColumnType, type Table } from '../domain/table';
import type { ArtifactRef, Manifest, Snapshot, VersionRef } from '../domain/version';
import type { Store } from '../store/store';
import { loadTable, type Wanted } from './loadTable';
import { readRowBatches } from './rows';

/** Enough to tell two distributions apart by a tenth. */
const COMPARED_ROWS = 100_000;

/** A comparison, or why there is none. */
export type Comparison = DriftSummary | { nothing: string };
export const isComparison = (comparison: Comparison): comparison is DriftSummary => 'columns' in comparison;

/** The snapshot that a version was trained on; nothing when the store can't give it any more: what is gone must not block its successors. */
export async function snapshotOf(version: VersionRef, store: Store): Promise<Snapshot | undefined> {
  try {
    const { snapshot } = await store.readJson<Manifest>(version.manifest);
    await store.localFile(snapshot.data);
    return snapshot;
  } catch (error) {
    if (error instanceof ShoalError && !error.retryable) return undefined;
    throw error;
  }
}

/** Whether a snapshot's columns have moved since the snapshot that the champion was trained on. */
export async function driftSince(
  before: Snapshot, now: { snapshot: Snapshot; wanted: Wanted[] }, { store, limits }: { store: Store; limits: DriftLimits },
): Promise<Comparison> {
  if (before.source !== now.snapshot.source) return { nothing: `the champion was trained on another source, ${before.source}` };
  if (before.data.sha256 === now.snapshot.data.sha256) return { nothing: 'the champion was trained on this very snapshot' };
  const known = new Map(before.columns.map((column) => [column.name, column.type]));
  const unlike = now.wanted.filter(({ name, type }) => !comparable(known.get(name), type));
  const wanted = now.wanted.filter((want) => !unlike.includes(want));
  const [reference, current] = [await sample(store, before, wanted), await sample(store, now.snapshot, wanted)];
  const columns = wanted.map(({ name }) => columnDrift(name, { reference: reference.columns[name]!, current: current.columns[name]! }, limits));
  const why = (name: string, type: ColumnType) => (known.has(name) ? `it was ${known.get(name)} and is ${type}` : 'the champion\'s snapshot does not have it');
  return summarise([...columns, ...unlike.map(({ name, type }) => noVerdict(name, why(name, type)))]);
}

/**
 * Whether requests are like the rows that are trained on. `served`: a Parquet, JSON or JSON-lines file of request rows, as they
 * were sent.
 */
export async function skewOf(
  served: ArtifactRef, training: { snapshot: Snapshot; wanted: Wanted[] }, { store, limits }: { store: Store; limits: DriftLimits },
): Promise<Comparison> {
  const rows: Row[] = [];
  for await (const batch of readRowBatches(await store.localFile(served), 10_000)) {
    rows.push(...batch);
    if (rows.length >= COMPARED_ROWS) break;
  }
  const reference = await sample(store, training.snapshot, training.wanted);
  return summarise(training.wanted.map(({ name, type }): ColumnDrift => {
    let wrong = 0;
    const current = toColumn(rows.map((row) => row[name]), { type, lenient: true }, () => { wrong++; });
    const drift = columnDrift(name, { reference: reference.columns[name]!, current }, limits);
    if (wrong === 0) return drift;
    return { ...drift, reason: `${drift.reason}; ${wrong} of the values sent are not of type ${type}` };
  }));
}

const noVerdict = (column: string, reason: string): ColumnDrift => ({ column, verdict: 'no verdict', reason, rows: { reference: 0, current: 0 } });

/** Anything but vectors can be read as text. */
function comparable(was: ColumnType | undefined, is: ColumnType): boolean {
  if (was === undefined || was === 'vector' || is === 'vector') return false;
  return is === 'category' || is === 'text' || was === is || (is === 'number' && was === 'boolean');
}

async function sample(store: Store, snapshot: Snapshot, wanted: Wanted[]): Promise<Table> {
  const { table } = await loadTable(store, snapshot, wanted);
  if (table.rows <= COMPARED_ROWS) return table;
  const rows = everyNth(table.rows, COMPARED_ROWS);
  return takeRows(table, rows);
}

/** Evenly spread: rows lie in the order of their keys. */
export const everyNth = (rows: number, wanted: number): Int32Array =>
  Int32Array.from({ length: Math.min(rows, wanted) }, (_, i) => Math.floor((i * rows) / Math.min(rows, wanted)));
