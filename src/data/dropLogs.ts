import type { Removed } from '../domain/retention';
import type { Entry, Store } from '../store/store';
import { dayOf } from './journal';

/** What a compaction or a late writer put there just now waits for the next time. */
const LATE_MS = 3_600_000;

/**
 * Removes the days of a journal before one (yyyy-mm-dd), whole: the notes of its Parquet objects, and blobs that were never compacted. The objects
 * are then named by nobody, and go the next time: whoever reads the journal at this moment still finds them.
 */
export async function dropDays(store: Store, of: { journal: string; before: string; notes: readonly Entry[]; blobs: readonly Entry[]; now: number; dryRun: boolean }): Promise<Removed> {
  const { journal, before, now, dryRun } = of;
  const dropped: Removed = { count: 0, bytes: 0 };
  for (const [kind, entries] of [['notes', of.notes], ['blobs', of.blobs]] as const) {
    for (const { name, bytes, at } of entries) {
      if (!name.startsWith(`${journal}/`) || dayOf(name.slice(journal.length + 1)) >= before) continue;
      if (dryRun ? at >= now - LATE_MS : !(await store.discard(kind, name, { unlessSince: now - LATE_MS }))) continue;
      dropped.count++;
      dropped.bytes += bytes;
    }
  }
  return dropped;
}
