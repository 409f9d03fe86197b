import { Context } from '@temporalio/activity';
import { collectGarbage, type AskLedger } from '../data/collectGarbage';
import type { Collection, CollectionInput } from '../domain/retention';
import type { Store } from '../store/store';
import { beating } from './beating';

export const createCollectGarbage = ({ store, needs }: { store: Store; needs: AskLedger }) => ({
  /** Removes from the store what nothing needs; a second attempt goes on where the first ended. */
  collectGarbage: (input: CollectionInput): Promise<Collection> =>
    beating(({ report }) => collectGarbage(input, { store, ledger: needs, now: Date.now(), signal: Context.current().cancellationSignal, report })),
});
