import { readRowBatches } from '../data/rows';
import { unitHash } from '../domain/hash';
import type { Row } from '../domain/prediction';
import { splitByKey, HOLDOUT } from '../domain/split';
import { KEY_COLUMN, type Manifest, type Release } from '../domain/version';
import type { Store } from '../store/store';

const BATCH = 5_000;

/** A row that no model of the chain was trained on, and what was true of it. */
export interface HeldOutRow { key: string; row: Row; truth: unknown }

/** The same few held-out rows of a chain every time, for people to look at. Empty when the chain's output is an embedding or a forecast. */
export async function heldOutRows(release: Release, store: Store, count: number): Promise<HeldOutRow[]> {
  const { spec, snapshot } = await store.readJson<Manifest>(release.versions[release.spec.outputStage]!.manifest);
  if (spec.task !== 'regression' && spec.task !== 'classification') return [];
  let best: (HeldOutRow & { order: number })[] = [];
  for await (const batch of readRowBatches(await store.localFile(snapshot.data), BATCH)) {
    const keys = batch.map((row) => String(row[KEY_COLUMN]));
    const { folds } = splitByKey(keys, { holdout: spec.holdout, foldCount: 1 });
    const fresh = batch.flatMap((row, i) => {
      const { [KEY_COLUMN]: _key, [spec.target]: truth, ...rest } = row;
      return folds[i] === HOLDOUT && truth != null ? [{ key: keys[i]!, row: rest, truth, order: unitHash(keys[i]!, 3) }] : [];
    });
    best = [...best, ...fresh].sort((a, b) => a.order - b.order).slice(0, count);
  }
  return best.map(({ key, row, truth }) => ({ key: key.split('\u001f').join(', '), row, truth }));
}
