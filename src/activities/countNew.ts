import { snapshotOf } from '../data/compareData';
import { newRows } from '../data/newRows';
import type { NewRows } from '../domain/retrain';
import type { Snapshot, VersionRef } from '../domain/version';
import type { Store } from '../store/store';
import { beating } from './beating';

export const createCountNew = ({ store }: { store: Store }) => ({
  /** How many rows are new or changed since the snapshot that a version was trained on. */
  countNew: ({ snapshot, version }: { snapshot: Snapshot; version: VersionRef }): Promise<NewRows> =>
    beating(async () => newRows(snapshot, await snapshotOf(version, store), { store })),
});
