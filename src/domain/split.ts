import { unitHash } from './hash';
import { DUPLICATE_MARK } from './version';

const HOLDOUT_SEED = 1;
const FOLD_SEED = 2;

/** In `Split.folds`, a row that no version may train on. */
export const HOLDOUT = -1;

/** Per row the cross-fitting fold 0..folds-1, or HOLDOUT. */
export interface Split { folds: Int8Array; foldCount: number }

/**
 * Rows go to the holdout, or to a fold, by a hash of their key: the same row falls on the same side in every snapshot
 * and for every model, so chains can be judged on rows none of their models saw. Rows that share a key stay together.
 */
export function splitByKey(keys: readonly string[], options: { holdout: number; foldCount: number }): Split {
  const folds = Int8Array.from(keys, (numbered) => {
    const [key] = numbered.split(DUPLICATE_MARK, 1) as [string];
    return unitHash(key, HOLDOUT_SEED) < options.holdout ? HOLDOUT : Math.floor(unitHash(key, FOLD_SEED) * options.foldCount);
  });
  return { folds, foldCount: options.foldCount };
}

/**
 * The last share of the periods is the holdout, the rest is cut into contiguous blocks of time, so that cross-fitted
 * forecasts never come from a model that was trained on their own period. `periods` are indices on a regular grid.
 */
export function splitByTime(periods: ArrayLike<number>, options: { holdout: number; foldCount: number }): Split {
  const distinct = [...new Set(Array.from(periods))].sort((a, b) => a - b);
  const train = distinct.length - Math.round(distinct.length * options.holdout);
  const rank = new Map(distinct.map((p, i) => [p, i]));
  const folds = Int8Array.from(Array.from(periods), (p) => {
    const r = rank.get(p)!;
    return r >= train ? HOLDOUT : Math.floor((r * options.foldCount) / train);
  });
  return { folds, foldCount: options.foldCount };
}
