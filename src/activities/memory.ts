import { createHash } from 'node:crypto';
import { ShoalError } from '../domain/errors';
import type { ArtifactRef } from '../domain/version';
import type { Store } from '../store/store';
import { packageVersion } from '../packageInfo';
import { canonicalJson } from '../store/canonicalJson';

/**
 * Does a piece of work once: its result is noted under a hash of what decides it, and found there the next time, also by
 * another worker. A noted result whose artifacts are gone or damaged is made anew.
 */
export async function recall<T>(
  store: Store,
  kind: string,
  identity: unknown,
  work: (fingerprint: string) => Promise<T>,
  artifactsOf: (result: T) => ArtifactRef[] | Promise<ArtifactRef[]> = () => [],
  /** False for a result that may be another the next time. */
  lasts: (result: T) => boolean = () => true,
): Promise<{ result: T; reused: boolean }> {
  const fingerprint = fingerprintOf(kind, identity);
  const known = await remembered(store, kind, identity, artifactsOf);
  if (known !== undefined) return { result: known, reused: true };
  const result = await work(fingerprint);
  if (lasts(result)) await store.writeNote(`${kind}/${fingerprint}`, result);
  return { result, reused: false };
}

/** The noted result of a piece of work, if there is one and its artifacts are sound. */
export async function remembered<T>(
  store: Store, kind: string, identity: unknown, artifactsOf: (result: T) => ArtifactRef[] | Promise<ArtifactRef[]> = () => [],
): Promise<T | undefined> {
  const known = await store.readNote<T>(`${kind}/${fingerprintOf(kind, identity)}`);
  return known !== undefined && (await allReadable(store, () => artifactsOf(known))) ? known : undefined;
}

const fingerprintOf = (kind: string, identity: unknown): string =>
  createHash('sha256').update(canonicalJson({ kind, identity, packageVersion })).digest('hex').slice(0, 32);

async function allReadable(store: Store, artifacts: () => ArtifactRef[] | Promise<ArtifactRef[]>): Promise<boolean> {
  try {
    await Promise.all((await artifacts()).map((ref) => store.localFile(ref)));
    return true;
  } catch (error) {
    if (error instanceof ShoalError && (error.code === 'ARTIFACT_MISSING' || error.code === 'ARTIFACT_CORRUPT')) return false;
    throw error;
  }
}
