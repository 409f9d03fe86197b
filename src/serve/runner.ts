import { ShoalError } from '../domain/errors';
import type { Table } from '../domain/table';
import type { Manifest, VersionRef } from '../domain/version';

/** One row an input row. Rows in `refused` are missing throughout, for the reason given there. */
export interface Answers extends Table { refused: ReadonlyMap<number, string> }

/** What runs versions: see `Models`. */
export interface Runner {
  manifest(ref: VersionRef): Promise<Manifest>;
  warm(refs: readonly VersionRef[]): Promise<void>;
  run(ref: VersionRef, table: Table, options?: { signal?: AbortSignal }): Promise<Answers>;
  baseline(ref: VersionRef, table: Table): Promise<Table>;
}

export interface RunDeps { models: Runner; signal: AbortSignal }

/**
 * Runs a version within its time; a later answer is dropped. Loading does not count: that happens once, and says nothing about
 * the model. ONNX Runtime works on this thread, so a run is interrupted between its batches only.
 */
export async function ask(ref: VersionRef, table: Table, deps: RunDeps & { timeoutMs: number }): Promise<Answers> {
  const { models, signal, timeoutMs } = deps;
  await models.warm([ref]);
  signal.throwIfAborted();
  const stop = new AbortController();
  const pass = (): void => stop.abort(signal.reason);
  signal.addEventListener('abort', pass);
  const timer = setTimeout(() => stop.abort(new ShoalError('STAGE_FAILED', `timed out after ${timeoutMs} ms`)), timeoutMs);
  try {
    const stopped = new Promise<never>((_, reject) => stop.signal.addEventListener('abort', () => reject(stop.signal.reason as Error)));
    return await Promise.race([models.run(ref, table, { signal: stop.signal }), stopped]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', pass);
  }
}
