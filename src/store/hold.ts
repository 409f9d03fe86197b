import { ShoalError } from '../domain/errors';
import { addressesIn } from '../domain/garbage';
import type { Store } from './store';

/** Marks objects, and all that these name, as in use: what comes into use again is not removed from under whoever asked for it. */
export async function hold(store: Store, value: unknown): Promise<void> {
  const open = addressesIn(JSON.stringify(value));
  const seen = new Set<string>();
  for (let uri = open.pop(); uri !== undefined; uri = open.pop()) {
    if (seen.has(uri)) continue;
    seen.add(uri);
    if ((await store.touch(uri)) && uri.endsWith('.json')) open.push(...addressesIn((await peek(store, uri)).toString('utf8')));
  }
}

/** What can't be read is the business of whoever reads it. */
async function peek(store: Store, uri: string): Promise<Buffer> {
  return store.peek(uri).catch((error: unknown) => {
    if (error instanceof ShoalError && (error.code === 'ARTIFACT_MISSING' || error.code === 'ARTIFACT_CORRUPT')) return Buffer.alloc(0);
    throw error;
  });
}
