import { ingestSource } from '../data/ingest';
import type { SourceSpec } from '../domain/spec';
import type { Snapshot } from '../domain/version';
import type { Store } from '../store/store';
import { beating } from './beating';

export const createIngest = ({ store }: { store: Store }) => ({
  /** Copies a source into an immutable snapshot. The same data gives the same snapshot. */
  ingest: (input: { source: SourceSpec }): Promise<Snapshot> => beating(() => ingestSource(input.source, { store })),
});
