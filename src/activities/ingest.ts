import { Context } from '@temporalio/activity';
import { ingestSource } from '../data/ingest';
import { sourceIdentity } from '../data/sourceIdentity';
import { originNote, type OriginNote, type SourceFile } from '../domain/recordNames';
import { placesOf, type SourceSpec } from '../domain/spec';
import type { Snapshot } from '../domain/version';
import { canonicalJson } from '../store/canonicalJson';
import type { Store } from '../store/store';
import { beating } from './beating';
import { recall } from './memory';

export const createIngest = ({ store }: { store: Store }) => {
  /** Models of one source ask for it at once: it is read once. */
  const underWay = new Map<string, Promise<Snapshot>>();

  async function ingest(source: SourceSpec, signal: AbortSignal): Promise<Snapshot> {
    const identity = await sourceIdentity(source);
    if (identity === undefined) return noted(source, [], await ingestSource(source, { store, signal }));
    const key = canonicalJson(identity);
    let running = underWay.get(key);
    if (!running) {
      running = recall(store, 'snapshots', identity, () => ingestSource(source, { store }), (s) => [s.data, s.profile]).then(({ result }) => noted(source, identity.files, result));
      underWay.set(key, running);
      running.finally(() => underWay.delete(key)).catch(() => undefined);
    }
    return running;
  }

  /** What a snapshot was read from is no part of it: the same rows from elsewhere are the same snapshot. */
  async function noted(source: SourceSpec, files: SourceFile[], snapshot: Snapshot): Promise<Snapshot> {
    const { name, sql } = source;
    const note = originNote(snapshot.data.sha256);
    const read = { files: files.length > 0 ? files : placesOf(source).map((file) => ({ file })), ...(sql !== undefined && { sql }) };
    await store.writeNote(note, { ...await store.readNote<OriginNote>(note), [name]: read } satisfies OriginNote);
    return snapshot;
  }

  return {
    /** Copies a source into an immutable snapshot. The same data gives the same snapshot. */
    ingest: (input: { source: SourceSpec }): Promise<Snapshot> => beating(() => ingest(input.source, Context.current().cancellationSignal)),
  };
};
