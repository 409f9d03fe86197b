import type { VersionRef } from '../domain/version';
import type { Ledger } from './publish';

export const createNewestVersion = ({ ledger }: { ledger: Ledger }) => ({
  /** The newest version of a model that passed its gates; null when there is none. */
  newestVersion: async ({ model }: { model: string }): Promise<VersionRef | null> => (await ledger.newest(model)) ?? null,
});
