import { validateModelData } from '../data/validate';
import type { ModelSpec } from '../domain/spec';
import type { Snapshot } from '../domain/version';
import type { Store } from '../store/store';
import { beating } from './beating';
import { checkSlices } from './slices';

export const createValidate = ({ store }: { store: Store }) => ({
  /** Refuses data that can't be trained on, naming the column and the rows; nothing has been changed by then. */
  validate: ({ model, snapshot }: { model: ModelSpec; snapshot: Snapshot }): Promise<{ usableRows: number; unlabelledRows: number; notes: string[] }> =>
    beating(async () => {
      await checkSlices(model.gates, { store, snapshot });
      return validateModelData(model, snapshot, { store });
    }),
});
